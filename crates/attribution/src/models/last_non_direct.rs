use crate::{AttributionModel, FittedModel, Result, Stop};
use safar_model::{PathRef, Paths};

/// All to the last touch that is not direct; to the last touch where all are (Google Analytics' rule).
///
/// ```
/// # use safar_attribution::{ReadOptions, attribute, read_paths};
/// let file = "path;conversions\nA > B > Direct;100\nDirect;7\n";
/// let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// let credits = attribute(&"last_non_direct".parse().unwrap(), &paths, &channels).unwrap().credits;
/// let rounded: Vec<_> = credits.iter().map(|credit| credit.conversions.round()).collect();
/// assert_eq!(rounded, [0.0, 100.0, 7.0]);
/// ```
#[derive(Clone, Debug)]
pub struct LastNonDirect {
    /// Names of channels that count as direct, compared without case.
    pub direct: Vec<String>,
}

struct Fitted {
    is_direct: Vec<bool>,
}

impl AttributionModel for LastNonDirect {
    fn fit_until(&self, _: &Paths, channels: &[String], _: &Stop) -> Result<Box<dyn FittedModel>> {
        let direct: Vec<_> = self.direct.iter().map(|name| name.to_lowercase()).collect();
        let is_direct = channels.iter().map(|name| direct.contains(&name.to_lowercase())).collect();
        Ok(Box::new(Fitted { is_direct }))
    }
}

impl FittedModel for Fitted {
    fn shares(&self, path: PathRef<'_>, shares: &mut [f64]) {
        let found = path.channels.iter().rposition(|channel| !self.is_direct[channel.0 as usize]);
        shares[found.unwrap_or(path.channels.len() - 1)] = 1.0;
    }
}
