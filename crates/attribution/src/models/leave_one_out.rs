use super::normalise;
use crate::{AttributionModel, FittedModel, Result, Stop};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use safar_model::{ChannelId, PathRef, Paths};

/// A touch earns what the conversion rate of its path loses when the touch is left out (google/fractribution).
///
/// Rates are those of exactly equal paths; a loss below 0 counts as 0, losses are normalised on each path, and the
/// last touch earns all where nothing is lost. A path of one touch gives it all.
///
/// ```
/// # use safar_attribution::{ReadOptions, attribute, read_paths};
/// let file = "path;conversions;null\nA;10;90\nB;20;80\nA > B;50;50\n";
/// let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// let credits = attribute(&"leave_one_out".parse().unwrap(), &paths, &channels).unwrap().credits;
/// // On A > B, 30 % are lost without A and 40 % without B: three parts and four of 50.
/// let rounded: Vec<_> = credits.iter().map(|credit| credit.conversions.round()).collect();
/// assert_eq!(rounded, [31.0, 49.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LeaveOneOut;

struct Fitted {
    /// Conversion rates of the paths that convert.
    rates: HashMap<Vec<ChannelId>, f64, FixedState>,
}

impl AttributionModel for LeaveOneOut {
    fn fit_until(&self, paths: &Paths, _: &[String], stop: &Stop) -> Result<Box<dyn FittedModel>> {
        let mut counts = HashMap::<&[ChannelId], (f64, f64), FixedState>::default();
        for path in paths.iter() {
            stop.check()?;
            let (converted, all) = counts.entry(path.channels).or_default();
            *converted += path.conversions;
            *all += path.conversions + path.nulls;
        }
        let converting = counts.into_iter().filter(|(_, (converted, _))| *converted > 0.0);
        let rates = converting.map(|(path, (converted, all))| (path.to_vec(), converted / all)).collect();
        Ok(Box::new(Fitted { rates }))
    }
}

impl FittedModel for Fitted {
    fn shares(&self, path: PathRef<'_>, shares: &mut [f64]) {
        let rate = |path: &[ChannelId]| self.rates.get(path).copied().unwrap_or(0.0);
        let n = path.channels.len();
        let whole = rate(path.channels);
        if n > 1 && whole > 0.0 {
            let mut without = path.channels[1..].to_vec();
            for place in 0..n {
                shares[place] = (whole - rate(&without)).max(0.0);
                if place + 1 < n {
                    without[place] = path.channels[place];
                }
            }
        }
        if shares.iter().all(|share| *share == 0.0) {
            shares[n - 1] = 1.0;
        }
        normalise(shares);
    }
}
