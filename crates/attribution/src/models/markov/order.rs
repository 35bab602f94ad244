//! How many touches are worth remembering: the order that foretells best how held-out paths end.
use super::exits::towards;
use crate::{OrderChoice, Result, Stop, random::Random, sum::Sum};
use hashbrown::HashMap;
use safar_model::{ChannelId, Paths};
use std::ops::Range;

/// A power of two, for [`Random::deal`].
const FOLDS: usize = 8;

/// People of each fold, by how they ended.
#[derive(Clone, Copy, Default)]
struct Dealt {
    conversions: [f64; FOLDS],
    nulls: [f64; FOLDS],
}

impl Dealt {
    fn add(&mut self, other: &Self) {
        for fold in 0..FOLDS {
            self.conversions[fold] += other.conversions[fold];
            self.nulls[fold] += other.nulls[fold];
        }
    }

    /// For each fold, what the other folds say about its people, drawn towards `shorter`.
    fn towards(&self, shorter: [f64; FOLDS]) -> [f64; FOLDS] {
        let all = |parts: &[f64; FOLDS]| parts.iter().sum::<f64>();
        let (conversions, nulls) = (all(&self.conversions), all(&self.nulls));
        std::array::from_fn(|fold| {
            let others = |all: f64, own: f64| (all - own).max(0.0);
            towards(shorter[fold], others(conversions, self.conversions[fold]), others(nulls, self.nulls[fold]))
        })
    }

    /// Minus the logarithm of the chance that its people end as they did.
    fn loss(&self, chances: &[f64; FOLDS]) -> f64 {
        let part = |people: f64, chance: f64| if people > 0.0 { -people * libm::log(chance) } else { 0.0 };
        let fold =
            |fold: usize| part(self.conversions[fold], chances[fold]) + part(self.nulls[fold], 1.0 - chances[fold]);
        (0..FOLDS).map(fold).sum()
    }
}

/// Cross-validates the orders 1 to `most`.
///
/// Each person is dealt to one of eight folds on their own, also people of the same path: dealing whole paths would
/// never show a path again and make long memories look useless, and dealing out each path evenly would show each
/// fold the very rates it is asked for. The draws depend on names and counts, not on the order of the paths.
pub(super) fn choose(paths: &Paths, channels: &[String], most: u32, seed: u64, stop: &Stop) -> Result<OrderChoice> {
    let (touches, rows) = distinct(paths, channels);
    let mut random = Random::new(seed, 0);
    let dealt: Vec<Dealt> = rows
        .iter()
        .map(|(_, conversions, nulls)| {
            stop.check()?;
            let mut dealt = Dealt::default();
            random.deal(*conversions, &mut dealt.conversions);
            random.deal(*nulls, &mut dealt.nulls);
            Ok(dealt)
        })
        .collect::<Result<_>>()?;
    let longest = rows.iter().map(|(span, ..)| span.len()).max().unwrap_or(0);
    let most = (most as usize).min(longest).max(1);

    let mut all = Dealt::default();
    let mut recent = HashMap::<&[ChannelId], Dealt, foldhash::fast::FixedState>::default();
    for ((span, ..), dealt) in rows.iter().zip(&dealt) {
        stop.check()?;
        all.add(dealt);
        for length in 1..=span.len().min(most) {
            recent.entry(&touches[span.end - length..span.end]).or_default().add(dealt);
        }
    }
    let base = all.towards([0.5; FOLDS]);
    let mut losses = vec![Sum::default(); most];
    let (mut base_loss, mut people) = (Sum::default(), Sum::default());
    for ((span, conversions, nulls), dealt) in rows.iter().zip(&dealt) {
        stop.check()?;
        people.add(conversions + nulls);
        base_loss.add(dealt.loss(&base));
        let mut chances = base;
        for length in 1..=span.len().min(most) {
            chances = recent[&touches[span.end - length..span.end]].towards(chances);
            losses[length - 1].add(dealt.loss(&chances));
        }
        // In chains of higher order the whole path is a state of its own.
        let loss = dealt.loss(&dealt.towards(chances));
        losses.iter_mut().skip(span.len()).for_each(|sum| sum.add(loss));
    }
    let people = people.get();
    let per_person = |sum: Sum| if people > 0.0 { sum.get() / people } else { 0.0 };
    Ok(OrderChoice {
        losses: losses.into_iter().map(per_person).collect(),
        base_loss: per_person(base_loss),
        folds: FOLDS,
        seed,
    })
}

/// A path's place in the touches, and how many people walked it to each end.
type Row = (Range<usize>, f64, f64);

/// Equal paths as one, sorted by the names of their channels; those with no people or no touch are left out.
fn distinct(paths: &Paths, channels: &[String]) -> (Vec<ChannelId>, Vec<Row>) {
    let ranks = crate::names::ranks(channels);
    let touches: Vec<_> = paths.touches().iter().map(|channel| ChannelId(ranks[channel.0 as usize])).collect();
    let mut end = 0;
    let spans = paths.iter().map(|path| {
        end += path.channels.len();
        (end - path.channels.len()..end, path.conversions, path.nulls)
    });
    let mut rows: Vec<Row> = spans.filter(|(span, c, n)| !span.is_empty() && c + n > 0.0).collect();
    rows.sort_by(|a, b| touches[a.0.clone()].cmp(&touches[b.0.clone()]));
    rows.dedup_by(|next, kept| {
        let same = touches[next.0.clone()] == touches[kept.0.clone()];
        if same {
            kept.1 += next.1;
            kept.2 += next.2;
        }
        same
    });
    (touches, rows)
}

#[cfg(test)]
mod tests {
    use super::super::{Markov, tests::paths};
    use super::*;
    use crate::{AttributionModel, Order, SolverChoice};
    use safar_model::{PathRef, PathsBuilder};

    /// The losses are those of chains that are fitted without a fold and asked about it.
    #[test]
    fn losses_are_those_of_chains_fitted_on_the_other_folds() {
        let all = paths(9, 4);
        let names: Vec<_> = (0..4).map(|channel| channel.to_string()).collect();
        let choice = choose(&all, &names, 3, 5, &Stop::default()).unwrap();
        let (touches, rows) = distinct(&all, &names);
        let mut random = Random::new(5, 0);
        let mut losses = [0.0; 3];
        let dealt: Vec<_> = rows
            .iter()
            .map(|(_, conversions, nulls)| {
                let (mut c, mut n) = ([0.0; FOLDS], [0.0; FOLDS]);
                random.deal(*conversions, &mut c);
                random.deal(*nulls, &mut n);
                (c, n)
            })
            .collect();
        for fold in 0..FOLDS {
            let mut others = PathsBuilder::default();
            for ((span, conversions, nulls), (c, n)) in rows.iter().zip(&dealt) {
                let (conversions, nulls) = (conversions - c[fold], nulls - n[fold]);
                others.push(PathRef { channels: &touches[span.clone()], ages: None, conversions, value: 0.0, nulls });
            }
            let others = others.finish();
            for (order, loss) in (1..).zip(&mut losses) {
                let model = Markov { order: Order::Fixed(order), solver: SolverChoice::Auto };
                let fitted = model.fit(&others, &names).unwrap();
                for ((span, ..), (c, n)) in rows.iter().zip(&dealt) {
                    let channels = &touches[span.clone()];
                    let path = PathRef { channels, ages: None, conversions: 0.0, value: 0.0, nulls: 0.0 };
                    let chance = fitted.probability(path).unwrap();
                    *loss -= c[fold] * chance.ln() + n[fold] * (1.0 - chance).ln();
                }
            }
        }
        let people: f64 = rows.iter().map(|(_, c, n)| c + n).sum();
        for (got, want) in choice.losses.iter().zip(losses) {
            assert!((got - want / people).abs() < 1e-12, "{got} {}", want / people);
        }
    }
}
