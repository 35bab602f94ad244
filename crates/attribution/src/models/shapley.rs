use super::count;
use crate::{AttributionModel, FittedModel, Result, Stop};
use safar_model::{ChannelId, PathRef, Paths};

/// Shapley values of the game in which a set of channels earns the conversions of all paths that it covers
/// ("simplified" Shapley of Zhao, Mahboobi and Bagheri 2018).
///
/// Their closed form: each conversion is shared equally by the distinct channels of its path. A channel's part is
/// shared equally by its touches, so that credits by place are the paper's ordered Shapley values.
///
/// ```
/// # use safar_attribution::{ReadOptions, attribute, read_paths};
/// let file = "path;conversions\nA > B > A;60\nB;40\n";
/// let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// let credits = attribute(&"shapley".parse().unwrap(), &paths, &channels).unwrap().credits;
/// let rounded: Vec<_> = credits.iter().map(|credit| credit.conversions.round()).collect();
/// assert_eq!(rounded, [30.0, 70.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Shapley;

impl AttributionModel for Shapley {
    fn fit_until(&self, _: &Paths, _: &[String], _: &Stop) -> Result<Box<dyn FittedModel>> {
        Ok(Box::new(*self))
    }
}

impl FittedModel for Shapley {
    fn shares(&self, path: PathRef<'_>, shares: &mut [f64]) {
        let (mut distinct, uses) = (0, uses(path.channels));
        for (place, channel) in path.channels.iter().enumerate() {
            distinct += usize::from(!path.channels[..place].contains(channel));
        }
        shares.iter_mut().zip(uses).for_each(|(share, uses)| *share = 1.0 / (count(distinct) * count(uses)));
    }
}

/// How often the path holds the channel of each touch.
pub(super) fn uses(path: &[ChannelId]) -> impl Iterator<Item = usize> {
    path.iter().map(|channel| path.iter().filter(|other| *other == channel).count())
}
