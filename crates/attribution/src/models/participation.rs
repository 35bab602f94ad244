use crate::{AttributionModel, FittedModel, Result, Stop};
use safar_model::{PathRef, Paths};

/// The whole conversion to every channel that took part, at its last touch. Credits sum to more than the
/// conversions, on purpose; this is the one model that does not conserve them.
///
/// ```
/// # use safar_attribution::{ReadOptions, attribute, read_paths};
/// let file = "path;conversions\nA > B > C > D;100\n";
/// let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// let credits = attribute(&"participation".parse().unwrap(), &paths, &channels).unwrap().credits;
/// let rounded: Vec<_> = credits.iter().map(|credit| credit.conversions.round()).collect();
/// assert_eq!(rounded, [100.0; 4]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Participation;

impl AttributionModel for Participation {
    fn fit_until(&self, _: &Paths, _: &[String], _: &Stop) -> Result<Box<dyn FittedModel>> {
        Ok(Box::new(*self))
    }
}

impl FittedModel for Participation {
    fn shares(&self, path: PathRef<'_>, shares: &mut [f64]) {
        for (place, share) in shares.iter_mut().enumerate() {
            *share = f64::from(!path.channels[place + 1..].contains(&path.channels[place]));
        }
    }

    fn conserves(&self) -> bool {
        false
    }
}
