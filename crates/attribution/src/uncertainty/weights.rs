//! What each path weighs in each resample.
use super::{BootstrapError, People, keys::keys};
use crate::{Stop, sum::Sum};
use safar_model::{PathRef, Paths};

/// One person's part of a path: what was grouped into [`Paths`], and who it was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record {
    /// Index of the path.
    pub path: usize,
    /// Who: any number, the same for all records of one person.
    pub person: u64,
    /// How many conversions.
    pub conversions: f64,
    /// Their value.
    pub value: f64,
    /// How often walked without converting.
    pub nulls: f64,
}

/// What one path weighs in one resample.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Weight {
    pub(super) conversions: f64,
    pub(super) value: f64,
    pub(super) nulls: f64,
}

/// Weights of all paths in all resamples, drawn when asked for.
pub(super) struct Weights<'a> {
    paths: &'a Paths,
    draws: People,
    people: Drawn,
}

/// Who is drawn.
enum Drawn {
    /// Everybody on a path together, by the path's key.
    Together(Vec<u64>),
    /// Each person: the records of path p are `starts[p]..starts[p + 1]`.
    OneByOne(Vec<usize>, Vec<Record>),
}

/// Sums and multiples of a resample stay below [`crate::WEIGHT_MAX`].
const LARGE: f64 = 1e90;

impl<'a> Weights<'a> {
    pub(super) fn new(
        paths: &'a Paths,
        names: &[String],
        records: Option<&[Record]>,
        seed: u64,
    ) -> Result<Self, BootstrapError> {
        for (index, path) in paths.iter().enumerate() {
            let each = if path.conversions > 0.0 { path.value / path.conversions } else { 0.0 };
            let weights = [
                ("conversions", path.conversions),
                ("value", path.value),
                ("value a conversion", each),
                ("nulls", path.nulls),
            ];
            if let Some((what, got)) = weights.into_iter().find(|(_, got)| got.abs() > LARGE) {
                return Err(BootstrapError::TooLarge { path: index, what, got });
            }
        }
        let people = match records {
            None => Drawn::Together(keys(paths, names)),
            Some(records) => {
                let (starts, records) = group(paths, records)?;
                Drawn::OneByOne(starts, records)
            }
        };
        Ok(Self { paths, draws: People::new(seed), people })
    }

    /// The weight of the path at `index` in a resample; without `NULLS`, nulls are not drawn and 0.
    #[inline]
    pub(super) fn weight<const NULLS: bool>(&self, index: usize, replicate: u32) -> Weight {
        match &self.people {
            Drawn::Together(keys) => self.of_counts::<NULLS>(keys[index], self.paths.get(index), replicate),
            Drawn::OneByOne(starts, records) => {
                self.of_people::<NULLS>(&records[starts[index]..starts[index + 1]], replicate)
            }
        }
    }

    /// Whether a path whose conversions and value are 0 may have some in a resample: by records that cancel.
    pub(super) fn may_weigh(&self, index: usize) -> bool {
        matches!(&self.people, Drawn::OneByOne(starts, _) if starts[index] < starts[index + 1])
    }

    #[inline]
    fn of_counts<const NULLS: bool>(&self, key: u64, path: PathRef<'_>, replicate: u32) -> Weight {
        // The pair number 0 is for draws that need one number; large means take pairs from 2 on, conversions the
        // even and nulls the odd ones.
        let pair = |number: u64| self.draws.pair(key, replicate, number);
        let poisson = &self.draws.poisson;
        let [first, second] = pair(0);
        let mut weight = Weight::default();
        if path.conversions > 0.0 {
            weight.conversions = poisson.draw(path.conversions, first, |attempt| pair(2 + 2 * attempt));
            weight.value = path.value * (weight.conversions / path.conversions);
        } else if path.value != 0.0 {
            weight.value = path.value * poisson.one(first);
        }
        if NULLS {
            weight.nulls = poisson.draw(path.nulls, second, |attempt| pair(3 + 2 * attempt));
        }
        weight
    }

    fn of_people<const NULLS: bool>(&self, records: &[Record], replicate: u32) -> Weight {
        let mut weight = Weight::default();
        for record in records {
            if !NULLS && record.conversions == 0.0 && record.value == 0.0 {
                continue;
            }
            let times = self.draws.times(record.person, replicate);
            weight.conversions += times * record.conversions;
            weight.value += times * record.value;
            if NULLS {
                weight.nulls += times * record.nulls;
            }
        }
        weight
    }

    /// Gives `replica`, a copy of the paths, the weights of a resample.
    pub(super) fn write(&self, replicate: u32, replica: &mut Paths, stop: &Stop) -> crate::Result<()> {
        let to = replica.weights_mut();
        for (index, ((conversions, value), nulls)) in to.conversions.iter_mut().zip(to.values).zip(to.nulls).enumerate()
        {
            stop.check()?;
            let weight = self.weight::<true>(index, replicate);
            (*conversions, *value, *nulls) = (weight.conversions, weight.value, weight.nulls);
        }
        Ok(())
    }
}

/// Records in the order of their paths, once they are known to add up to them.
fn group(paths: &Paths, records: &[Record]) -> Result<(Vec<usize>, Vec<Record>), BootstrapError> {
    let mut starts = vec![0; paths.len() + 1];
    for (index, record) in records.iter().enumerate() {
        let Record { path, conversions, value, nulls, .. } = *record;
        if path >= paths.len() {
            return Err(BootstrapError::NoSuchPath { record: index, path, paths: paths.len() });
        }
        let weights = [("conversions", conversions, 0.0), ("value", value, -LARGE), ("nulls", nulls, 0.0)];
        if let Some((what, got, _)) = weights.into_iter().find(|(_, got, least)| !(*least..=LARGE).contains(got)) {
            return Err(BootstrapError::BadRecord { record: index, what, got });
        }
        starts[path + 1] += 1;
    }
    for path in 0..paths.len() {
        starts[path + 1] += starts[path];
    }
    let mut next = starts.clone();
    let nobody = Record { path: 0, person: 0, conversions: 0.0, value: 0.0, nulls: 0.0 };
    let mut grouped = vec![nobody; records.len()];
    for record in records {
        grouped[next[record.path]] = *record;
        next[record.path] += 1;
    }
    for (index, path) in paths.iter().enumerate() {
        let own = &grouped[starts[index]..starts[index + 1]];
        for (what, want) in [("conversions", path.conversions), ("value", path.value), ("nulls", path.nulls)] {
            let of = |record: &Record| match what {
                "conversions" => record.conversions,
                "value" => record.value,
                _ => record.nulls,
            };
            let (mut sum, mut size) = (Sum::default(), Sum::default());
            own.iter().map(of).for_each(|x| {
                sum.add(x);
                size.add(x.abs());
            });
            if (sum.get() - want).abs() > 1e-9 * size.get().max(want.abs()) {
                return Err(BootstrapError::Disagree { path: index, what, records: sum.get(), paths: want });
            }
        }
    }
    Ok((starts, grouped))
}
