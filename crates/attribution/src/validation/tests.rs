use super::{Class, Gap, Predictions, Reason, Source, platt::Scored, predict::both, recommend::recommend};
use crate::{AttributionModel, FittedModel, ModelSpec, Result, Stop};
use proptest::prelude::*;
use safar_model::{ChannelId, PathRef, Paths, PathsBuilder};

fn predictions(rows: &[(f64, f64, f64)], base: f64) -> Predictions {
    let paths = rows.iter().map(|(score, conversions, nulls)| Scored {
        score: *score,
        conversions: *conversions,
        nulls: *nulls,
    });
    Predictions {
        paths: paths.collect(),
        base,
        untouched: 0.0,
        class: Class::Rule,
        source: Source::BaseRate,
        moved: 0.0,
    }
}

/// Probabilities with many ties, conversions, nulls; both outcomes occur.
fn rows() -> impl Strategy<Value = Vec<(f64, f64, f64)>> {
    let row =
        ((1..12_u32).prop_map(|p| f64::from(p) / 13.0), (0..5_u32).prop_map(f64::from), (0..9_u32).prop_map(f64::from));
    prop::collection::vec(row, 1..40).prop_map(|mut rows| {
        (rows[0].1, rows[0].2) = (rows[0].1 + 1.0, rows[0].2 + 1.0);
        rows
    })
}

proptest! {
    #[test]
    fn auc_counts_pairs(rows in rows()) {
        let (mut won, mut pairs) = (0.0, 0.0);
        for (p, conversions, _) in &rows {
            for (q, _, nulls) in &rows {
                let weight = conversions * nulls;
                pairs += weight;
                won += weight * if p > q { 1.0 } else if p == q { 0.5 } else { 0.0 };
            }
        }
        let predictions = predictions(&rows, 0.5);
        prop_assert!((predictions.score().auc - won / pairs).abs() < 1e-12);
        // The same as the area under the curve, by trapezoids.
        let roc = predictions.roc();
        let area: f64 = roc.windows(2).map(|two| (two[1].alarmed - two[0].alarmed) * (two[0].found + two[1].found) / 2.0).sum();
        prop_assert!((area - won / pairs).abs() < 1e-12);
        prop_assert!(roc.windows(2).all(|two| two[0].threshold > two[1].threshold && two[0].found <= two[1].found));
        let end = roc[roc.len() - 1];
        prop_assert!((end.found - 1.0).abs() < 1e-12 && (end.alarmed - 1.0).abs() < 1e-12);
        // Ties that rounding breaks are ties.
        let last_digit = |(at, row): (usize, &(f64, f64, f64))| (row.0 * (1.0 + (at % 3) as f64 * f64::EPSILON), row.1, row.2);
        let rounded = self::predictions(&rows.iter().enumerate().map(last_digit).collect::<Vec<_>>(), 0.5);
        prop_assert!((rounded.score().auc - won / pairs).abs() < 1e-12);
        prop_assert_eq!(rounded.roc().len(), roc.len());
    }

    #[test]
    fn calibration_tables_hold_everybody_once(rows in rows()) {
        let bins = predictions(&rows, 0.5).calibration(0.9);
        let people: f64 = rows.iter().map(|row| row.1 + row.2).sum();
        let conversions: f64 = rows.iter().map(|row| row.1).sum();
        let predicted: f64 = rows.iter().map(|row| row.0 * (row.1 + row.2)).sum();
        prop_assert!((bins.iter().map(|bin| bin.people).sum::<f64>() - people).abs() < 1e-9);
        prop_assert!((bins.iter().map(|bin| bin.conversions).sum::<f64>() - conversions).abs() < 1e-9);
        prop_assert!((bins.iter().map(|bin| bin.predicted * bin.people).sum::<f64>() - predicted).abs() < 1e-9);
        prop_assert!(bins.len() <= 10 && bins.windows(2).all(|two| two[0].to < two[1].from));
        for bin in bins {
            prop_assert!(bin.from <= bin.predicted + 1e-12 && bin.predicted <= bin.to + 1e-12);
            prop_assert!(bin.low <= bin.observed && bin.observed <= bin.high);
        }
    }

    #[test]
    fn scores_do_not_depend_on_how_people_are_grouped(rows in rows()) {
        let single: Vec<_> = rows.iter().flat_map(|(p, conversions, nulls)| {
            let people = |n: &f64| 0..*n as usize;
            let (p, q) = (*p, *p);
            people(conversions).map(move |_| (p, 1.0, 0.0)).chain(people(nulls).map(move |_| (q, 0.0, 1.0)))
        }).collect();
        let (a, b) = (predictions(&rows, 0.3).score(), predictions(&single, 0.3).score());
        for (a, b) in [(a.log_loss, b.log_loss), (a.brier, b.brier), (a.auc, b.auc), (a.gain.mean, b.gain.mean), (a.gain.error, b.gain.error)] {
            prop_assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
        prop_assert!((a.gain.mean - (a.base.log_loss - a.log_loss)).abs() < 1e-12);
    }
}

#[test]
fn scores_by_hand() {
    // Two of four convert at 0.8, one of six at 0.1; base 0.25.
    let score = predictions(&[(0.8, 2.0, 2.0), (0.1, 1.0, 5.0)], 0.25).score();
    let loss = -(2.0 * 0.8_f64.ln() + 2.0 * 0.2_f64.ln() + 0.1_f64.ln() + 5.0 * 0.9_f64.ln()) / 10.0;
    assert!((score.log_loss - loss).abs() < 1e-12);
    assert!((score.brier - (2.0 * 0.04 + 2.0 * 0.64 + 0.81 + 5.0 * 0.01) / 10.0).abs() < 1e-12);
    assert!((score.base.log_loss + (3.0 * 0.25_f64.ln() + 7.0 * 0.75_f64.ln()) / 10.0).abs() < 1e-12);
    // Pairs: 2 × 5 won, 2 × 2 and 1 × 5 tied, 1 × 2 lost, of 21.
    assert!((score.auc - 14.5 / 21.0).abs() < 1e-12);
    assert_eq!((score.people, score.conversions), (10.0, 3.0));
    // The gains of single people: ln(0.8/0.25) twice, ln(0.2/0.75) twice, ln(0.1/0.25), ln(0.9/0.75) five times.
    let gains = [(2.0, 0.8_f64 / 0.25), (2.0, 0.2 / 0.75), (1.0, 0.1 / 0.25), (5.0, 0.9 / 0.75)]
        .map(|(n, ratio)| (n, ratio.ln()));
    let mean: f64 = gains.iter().map(|(n, gain)| n * gain).sum::<f64>() / 10.0;
    let variance: f64 = gains.iter().map(|(n, gain)| n * (gain - mean).powi(2)).sum::<f64>() / 9.0;
    assert!((score.gain.mean - mean).abs() < 1e-12 && (score.gain.error - (variance / 10.0).sqrt()).abs() < 1e-12);
}

/// Draws that are even enough for data sets.
struct Dice(u64);

impl Dice {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / (1_u64 << 31) as f64
    }
}

/// People walk from channel to channel and convert or leave by the channel they are at.
fn walks(dice: &mut Dice, people: usize, convert: [f64; 3], leave: f64) -> Paths {
    let mut paths = PathsBuilder::default();
    for _ in 0..people {
        let mut path = vec![ChannelId((dice.unit() * 3.0) as u32)];
        let converted = loop {
            let at = path[path.len() - 1].0;
            let fate = dice.unit();
            if fate < convert[at as usize] {
                break 1.0;
            } else if fate < convert[at as usize] + leave {
                break 0.0;
            }
            path.push(ChannelId((at + 1 + u32::from(dice.unit() < 0.3)) % 3));
        };
        paths.push(PathRef {
            channels: &path,
            ages: None,
            conversions: converted,
            value: converted,
            nulls: 1.0 - converted,
        });
    }
    paths.finish()
}

/// The chain of [`walks`], fitted: the odds of converting at the last channel.
struct Chain;
struct FittedChain([f64; 3]);

impl AttributionModel for Chain {
    fn fit_until(&self, paths: &Paths, _: &[String], _: &Stop) -> Result<Box<dyn FittedModel>> {
        let mut ends = [[1.0, 2.0]; 3];
        for path in paths.iter() {
            let end = &mut ends[path.channels[path.channels.len() - 1].0 as usize];
            *end = [end[0] + path.conversions, end[1] + path.conversions + path.nulls];
        }
        Ok(Box::new(FittedChain(ends.map(|[conversions, people]| conversions / people))))
    }
}

impl FittedModel for FittedChain {
    fn shares(&self, _: PathRef<'_>, _: &mut [f64]) {}

    fn probability(&self, path: PathRef<'_>) -> Option<f64> {
        path.channels.last().map(|channel| self.0[channel.0 as usize])
    }
}

fn names() -> Vec<String> {
    ["Ads", "Mail", "Social"].map(String::from).to_vec()
}

#[test]
fn the_model_that_made_the_data_is_recommended() {
    let mut dice = Dice(42);
    let [earlier, later] = [6_000, 3_000].map(|people| walks(&mut dice, people, [0.02, 0.1, 0.3], 0.3));
    let base = both(&earlier, &later, &names()).unwrap();
    let fitted = Chain.fit(&earlier, &names()).unwrap();
    let chain = Predictions::of_fitted(fitted.as_ref(), base, &earlier, &later, 3, &Stop::default()).unwrap();
    assert_eq!(chain.source, Source::Model { unsaid: 0.0 });
    let markov: ModelSpec = "markov:order=1".parse().unwrap();
    let mut tried = vec![(markov.clone(), Predictions { class: Class::Chain { order: 1 }, ..chain.clone() }, None)];
    for rule in [ModelSpec::First, ModelSpec::Last, ModelSpec::Linear] {
        let predictions = Predictions::make(&rule, &earlier, &later, &names()).unwrap();
        assert!(matches!(predictions.source, Source::Credits { .. }));
        tried.push((rule, predictions, Some(0.1)));
    }
    let found = recommend(&tried, &earlier, &later).unwrap();
    assert_eq!(found.choice.map(|choice| &found.candidates[choice].model), Some(&markov));
    let Reason::Best { gain, ahead: Some(ahead) } = found.reason else { panic!("{:?}", found.reason) };
    assert!(gain.mean > 10.0 * gain.error && ahead.mean > 3.0 * ahead.error, "{gain:?} {ahead:?}");
    // The chance is right where people are many: each tenth holds its prediction.
    assert!(chain.calibration(0.9999).iter().all(|bin| bin.low <= bin.predicted && bin.predicted <= bin.high));
    // The same predictions under a simpler name are as good, and simpler.
    tried.push((ModelSpec::LeaveOneOut, Predictions { class: Class::Counts, ..chain }, None));
    let found = recommend(&tried, &earlier, &later).unwrap();
    assert_eq!(found.candidates[found.choice.unwrap()].model, ModelSpec::LeaveOneOut);
    assert!(matches!(
        found.reason,
        Reason::SimplestWithinOneError { behind: Gap { mean: 0.0, error: 0.0 }, within: 2, .. }
    ));
}

#[test]
fn the_steadier_of_two_equals_is_recommended() {
    let rows = [(0.8, 8.0, 2.0), (0.1, 1.0, 9.0)];
    let tried = |distances: [Option<f64>; 2]| {
        let models = [ModelSpec::First, ModelSpec::Last];
        let tried =
            models.into_iter().zip(distances).map(|(model, distance)| (model, predictions(&rows, 0.45), distance));
        let found = recommend(&tried.collect::<Vec<_>>(), &Paths::default(), &Paths::default()).unwrap();
        found.candidates[found.choice.unwrap()].model.clone()
    };
    assert_eq!(tried([Some(0.2), Some(0.1)]), ModelSpec::Last);
    assert_eq!(tried([Some(0.1), Some(0.2)]), ModelSpec::First);
    assert_eq!(tried([None, Some(0.2)]), ModelSpec::First);
}
