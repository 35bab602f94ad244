//! Resamples of a rule: the shares of a path are the same in all of them, so they are asked for once.
use super::{Watched, weights::Weights};
use crate::{Credit, ModelSpec, Result, sum::Sum};
use rayon::prelude::*;
use safar_model::Paths;

/// Resamples that are added up side by side.
const LANES: usize = 8;
/// Paths after which plain sums go into compensated ones, so that errors do not grow with the data.
const CHUNK: usize = 4096;

/// One number for each resample of a block.
type Lanes = [f64; LANES];

/// Conversions and value of a channel, in each resample of a block.
#[derive(Clone, Copy)]
struct Cell<T> {
    conversions: [T; LANES],
    value: [T; LANES],
}

/// The credit of each channel, then what is unattributed, resample after resample.
pub(super) fn credits(
    model: &ModelSpec,
    paths: &Paths,
    channels: &[String],
    weights: &Weights<'_>,
    replicates: u32,
    watched: &Watched<'_>,
) -> Result<Vec<Credit>> {
    let fitted = model.build().fit_until(paths, channels, watched.stop)?;
    let shares_of = |path, shares: &mut [f64]| fitted.shares(path, shares);
    let block = |first: u32| {
        let mut cells = vec![Cell { conversions: [0.0; LANES], value: [0.0; LANES] }; channels.len() + 1];
        let zero = [Sum::default(); LANES];
        let mut sums = vec![Cell { conversions: zero, value: zero }; channels.len() + 1];
        let mut shares = vec![];
        for (index, path) in paths.iter().enumerate() {
            if index % CHUNK == 0 {
                watched.stop.check()?;
                settle(&mut cells, &mut sums);
            }
            if path.conversions == 0.0 && path.value == 0.0 && !weights.may_weigh(index) {
                continue;
            }
            let (mut conversions, mut value): (Lanes, Lanes) = ([0.0; LANES], [0.0; LANES]);
            for (replicate, (conversions, value)) in (first..).zip(conversions.iter_mut().zip(&mut value)) {
                let weight = weights.weight::<false>(index, replicate);
                (*conversions, *value) = (weight.conversions, weight.value);
            }
            let mut give = |channel: usize, share: f64| {
                let cell = &mut cells[channel];
                for lane in 0..LANES {
                    cell.conversions[lane] += share * conversions[lane];
                    cell.value[lane] += share * value[lane];
                }
            };
            if path.channels.is_empty() {
                give(channels.len(), 1.0);
                continue;
            }
            shares.clear();
            shares.resize(path.channels.len(), 0.0);
            shares_of(path, &mut shares);
            for (channel, share) in path.channels.iter().zip(&shares).filter(|(_, share)| **share != 0.0) {
                give(channel.0 as usize, *share);
            }
        }
        settle(&mut cells, &mut sums);
        let rows = (first..replicates).zip(0..LANES).flat_map(|(_, lane)| {
            sums.iter()
                .map(move |sum| Credit { conversions: sum.conversions[lane].get(), value: sum.value[lane].get() })
        });
        (first..replicates).take(LANES).for_each(|_| watched.tell());
        Ok(rows.collect::<Vec<_>>())
    };
    let firsts: Vec<u32> = (0..replicates).step_by(LANES).collect();
    let blocks: Vec<Vec<Credit>> = firsts.into_par_iter().map(block).collect::<Result<_>>()?;
    Ok(blocks.concat())
}

fn settle(cells: &mut [Cell<f64>], sums: &mut [Cell<Sum>]) {
    for (cell, sum) in cells.iter_mut().zip(sums) {
        for lane in 0..LANES {
            sum.conversions[lane].add(std::mem::take(&mut cell.conversions[lane]));
            sum.value[lane].add(std::mem::take(&mut cell.value[lane]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        MODELS, Stop,
        uncertainty::{Watch, refit},
    };
    use safar_model::{ChannelId, DAY_US, PathRef, PathsBuilder};

    #[test]
    fn kept_shares_and_a_new_fit_give_the_same_credits() {
        let mut paths = PathsBuilder::default();
        for index in 0..5000_u32 {
            let channels: Vec<_> =
                (0..index % 6).map(|touch| ChannelId(index.wrapping_mul(touch * 2 + 3) / 7 % 5)).collect();
            let ages: Vec<_> = (0..i64::from(index % 6)).map(|touch| (7 - touch) * DAY_US).collect();
            let conversions = f64::from(index % 4) * 0.5;
            let value = f64::from(index % 9) * 3.0 - 5.0;
            paths.push(PathRef { channels: &channels, ages: Some(&ages), conversions, value, nulls: 2.0 });
        }
        let (paths, names) = (paths.finish(), ["Direct", "b", "c", "d", "e"].map(String::from));
        let weights = Weights::new(&paths, &names, None, 12).unwrap();
        let stop = Stop::default();
        let watched = Watched::new(Watch { stop: &stop, told: &|_| {} });
        let mut met = 0;
        for info in MODELS {
            // A custom rule has no default weights.
            let spelled = if info.name == "custom" { "custom:weights=3/1" } else { info.name };
            let model: ModelSpec = spelled.parse().unwrap();
            if !model.is_rule() {
                continue;
            }
            let kept = credits(&model, &paths, &names, &weights, 11, &watched).unwrap();
            let anew = refit::credits(&model, &paths, &names, &weights, 11, &watched).unwrap();
            assert_eq!(kept.len(), 11 * 6);
            for (a, b) in kept.iter().zip(&anew) {
                assert!((a.conversions - b.conversions).abs() < 1e-9, "{model}: {a:?} {b:?}");
                assert!((a.value - b.value).abs() < 1e-9, "{model}: {a:?} {b:?}");
            }
            met += 1;
        }
        assert!(met >= 12, "only {met} rules were compared");
    }
}
