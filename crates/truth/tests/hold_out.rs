//! A hold-out within a market (X4: three people in ten are never retargeted, by lot) finds what the channel really caused, and
//! credits of any model calibrated by it do.
use safar_attribution::{
    Attribution, ModelSpec, attribute,
    experiment::{Arm, Measure, Measured, Outcome, Settings, Standing, Warning, calibrate, hold_out},
    hazard::attribute_timelines,
};
use safar_simulate::causal::{ADS, CHANNELS, Observed, Process, Truth, scenario};
use safar_truth::paths_of;

/// The channel that is held out.
const RETARGETING: usize = 5;

fn market() -> Process {
    scenario("X4").unwrap().process
}

/// By intent to treat.
fn lifts(seen: &Observed) -> Outcome {
    let arm = |held_out: bool| {
        let mut arm = Arm {
            people: 0.0,
            exposed: Some(0.0),
            converters: 0.0,
            conversions: Measure::default(),
            value: Measure::default(),
        };
        for (line, _) in seen.timelines.iter().zip(&seen.held_out).filter(|(_, held)| **held == held_out) {
            let met = line.channels.iter().any(|channel| channel.0 as usize == RETARGETING);
            let converted = line.outcomes.len() as f64;
            arm.people += 1.0;
            arm.exposed = arm.exposed.map(|exposed| exposed + f64::from(u8::from(met)));
            arm.converters += converted;
            for (measure, one) in [(&mut arm.conversions, converted), (&mut arm.value, line.values.iter().sum())] {
                measure.sum += one;
                measure.squares += one * one;
            }
        }
        arm
    };
    let settings = Settings { treated_share: Some(0.7), ..Settings::default() };
    hold_out(&arm(false), &arm(true), &settings).unwrap()
}

/// Of 12 intervals at 95 % one or none is expected to miss the truth; that four or more do has a chance of 1 in 400.
#[test]
fn a_hold_out_finds_what_the_channel_really_caused() {
    let missed = (1..=12).filter(|seed| {
        let found = lifts(&market().observe(1_000, *seed, 0));
        assert!(found.exposure.control == Some(0.0) && found.exposure.treated.unwrap() > 0.3);
        assert!(!found.warnings.iter().any(|warning| matches!(warning, Warning::ControlExposed { .. })));
        // Those held out lose nothing when the channel goes, so that this is what the treated would lose.
        let caused = Truth::of(&market(), 1_000, *seed).removal[RETARGETING];
        let total = found.converters.total;
        !(total.low..=total.high).contains(&caused)
    });
    let missed = missed.count();
    assert!(missed < 4, "{missed} of 12 intervals miss the truth");
}

#[test]
fn credits_of_any_model_calibrated_by_it_are_what_the_channel_caused() {
    let people = 1_500;
    let seen = market().observe(people, 7, 0);
    let truth = Truth::of(&market(), people, 7);
    let lift = lifts(&seen).conversions;
    let (names, paths) = (CHANNELS.map(String::from), paths_of(&seen.timelines));
    let to_ads = |credits: &[f64]| credits[..ADS].iter().sum::<f64>();
    for spec in ["first", "last", "linear", "position", "markov:order=1", "shapley", "shapley_rate", "hazard"] {
        let model: ModelSpec = spec.parse().unwrap();
        let before: Attribution = match model.is_causal() {
            true => attribute_timelines(&model, &seen.timelines, &names).unwrap(),
            false => attribute(&model, &paths, &names).unwrap(),
        };
        let credited = before.credits[RETARGETING].conversions;
        let measured = Measured { channels: vec![RETARGETING], conversions: lift.total, value: None, credited: None };
        let after = calibrate(&before, &[measured]).unwrap();
        let Standing::Calibrated { conversions, .. } = after.credits[RETARGETING].standing else { panic!("{spec}") };
        assert!((conversions.low..=conversions.high).contains(&truth.removal[RETARGETING]), "{spec}: {conversions:?}");
        let credits: Vec<f64> = after.credits.iter().map(|credit| credit.conversions).collect();
        let sum = credits.iter().sum::<f64>() + after.unattributed_conversions.value;
        assert!((sum - truth.conversions as f64).abs() < 1e-6, "{spec}: {sum}");
        if !["last", "linear"].contains(&spec) {
            continue;
        }
        // Retargeting follows those who mean to buy: without the experiment it gets many times its due from these.
        assert!(credited > lift.total.high, "{spec}: {credited} {:?}", lift.total);
        let untouched: Vec<f64> = before.credits.iter().map(|credit| credit.conversions).collect();
        let [over_before, over_after] = [&untouched, &credits].map(|all| to_ads(all) / truth.incremental());
        assert!((over_after - 1.0).abs() < (over_before - 1.0).abs(), "{spec}: {over_before} {over_after}");
    }
}
