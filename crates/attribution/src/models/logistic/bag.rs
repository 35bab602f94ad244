//! One regression on half of the people and half of the channels.
use super::regression::{Rows, fit};
use crate::{Result, Stop, random::Random};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use rayon::slice::ParallelSliceMut;
use safar_model::Paths;

/// People who met the same channels.
pub(super) struct Set {
    /// Ascending.
    features: Vec<u32>,
    conversions: f64,
    nulls: f64,
}

impl Set {
    /// All sets that people met, sorted. Features are numbered by their place in `features`.
    pub(super) fn of(paths: &Paths, features: &[usize], channels: usize, stop: &Stop) -> Result<Vec<Self>> {
        let mut feature_of = vec![0; channels];
        (0..).zip(features).for_each(|(feature, channel)| feature_of[*channel] = feature);
        let mut counts = HashMap::<Vec<u32>, (f64, f64), FixedState>::default();
        let mut set = vec![];
        for path in paths.iter().filter(|path| path.conversions + path.nulls > 0.0) {
            stop.check()?;
            set.clear();
            set.extend(path.channels.iter().map(|channel| feature_of[channel.0 as usize]));
            set.sort_unstable();
            set.dedup();
            let (conversions, nulls) = counts.entry_ref(set.as_slice()).or_default();
            *conversions += path.conversions;
            *nulls += path.nulls;
        }
        let sets = counts.into_iter().map(|(features, (conversions, nulls))| Self { features, conversions, nulls });
        let mut sets: Vec<_> = sets.collect();
        stop.check()?;
        sets.par_sort_unstable_by(|a, b| a.features.cmp(&b.features));
        Ok(sets)
    }
}

pub(super) struct Bag {
    pub(super) intercept: f64,
    /// By feature, later by channel; `None` where the bag did not see it.
    pub(super) coefficients: Vec<Option<f64>>,
    /// Whether the regression came to rest.
    pub(super) settled: bool,
}

impl Bag {
    /// Draws people and features, and fits them.
    pub(super) fn fit(sets: &[Set], features: usize, l2: f64, mut random: Random, stop: &Stop) -> Result<Self> {
        let mut order: Vec<usize> = (0..features).collect();
        random.shuffle(&mut order);
        order.truncate(features.div_ceil(2));
        let mut column_of = vec![None; features];
        (0_u32..).zip(&order).for_each(|(column, feature)| column_of[*feature] = Some(column));
        let mut rows = Rows::default();
        for set in sets {
            stop.check()?;
            let (conversions, nulls) = (random.half(set.conversions), random.half(set.nulls));
            if conversions + nulls > 0.0 {
                rows.push(set.features.iter().filter_map(|feature| column_of[*feature as usize]), conversions, nulls);
            }
        }
        let fitted = fit(&rows.merged(stop)?, order.len(), l2, stop)?;
        let mut coefficients = vec![None; features];
        order.iter().zip(&fitted.coefficients[1..]).for_each(|(feature, value)| coefficients[*feature] = Some(*value));
        Ok(Self { intercept: fitted.coefficients[0], coefficients, settled: fitted.settled })
    }

    /// From one coefficient a feature to one a channel.
    pub(super) fn number_by_channel(&mut self, features: &[usize], channels: usize) {
        let mut by_channel = vec![None; channels];
        features.iter().zip(&self.coefficients).for_each(|(channel, value)| by_channel[*channel] = *value);
        self.coefficients = by_channel;
    }
}
