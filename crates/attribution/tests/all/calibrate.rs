//! Calibration of credits: by hand, and that nothing is lost.
use proptest::prelude::*;
use safar_attribution::{
    Attribution, Credit, ModelSpec, ReadOptions, attribute,
    experiment::{Calibrated, CalibrationError, Estimate, Measured, Standing, ValueFrom, calibrate},
    read_paths,
};

/// Ads 3, Mail 2, Social 1 and 2 untouched conversions; value 10 each.
fn linear() -> Attribution {
    let text = "path;total_conversions;total_conversion_value\nAds;3;30\nMail;2;20\nSocial;1;10\n;2;20\n";
    let (paths, names) = read_paths(text.as_bytes(), &ReadOptions::default()).unwrap();
    attribute(&ModelSpec::Linear, &paths, &names).unwrap()
}

fn estimate(value: f64, reach: f64) -> Estimate {
    Estimate { value, low: value - reach, high: value + reach, error: reach / 2.0 }
}

fn measured(channels: &[usize], conversions: Estimate) -> Measured {
    Measured { channels: channels.to_vec(), conversions, value: None, credited: None }
}

fn sums(calibrated: &Calibrated) -> (f64, f64) {
    let conversions: f64 = calibrated.credits.iter().map(|credit| credit.conversions).sum();
    let value: f64 = calibrated.credits.iter().map(|credit| credit.value).sum();
    (conversions + calibrated.unattributed_conversions.value, value + calibrated.unattributed_value.value)
}

#[test]
fn what_an_experiment_does_not_find_goes_back_to_nobody() {
    let calibrated = calibrate(&linear(), &[measured(&[0], estimate(1.5, 1.0))]).unwrap();
    let ads = calibrated.credits[0];
    assert_eq!((ads.conversions, ads.value), (1.5, 15.0));
    let conversions = Estimate { value: 1.5, low: 0.5, high: 2.5, error: 0.5 };
    let Standing::Calibrated { experiment: 0, conversions: found, value } = ads.standing else { panic!("{ads:?}") };
    assert!((found.low - conversions.low).abs() < 1e-12 && (found.high - conversions.high).abs() < 1e-12);
    assert!((value.low - 5.0).abs() < 1e-12);
    assert_eq!(calibrated.credits[1].standing, Standing::Association);
    assert_eq!(calibrated.credits[1].conversions, 2.0);
    let calibration = calibrated.calibrations[0];
    assert_eq!((calibration.factor.value, calibration.value_from), (0.5, ValueFrom::Conversions));
    assert_eq!((calibration.returned_conversions, calibration.returned_value), (1.5, 15.0));
    let nobody = calibrated.unattributed_conversions;
    assert_eq!((nobody.value, nobody.error), (3.5, 0.5));
    assert!((nobody.low - 2.5).abs() < 1e-12 && (nobody.high - 4.5).abs() < 1e-12);
    assert_eq!(sums(&calibrated), (8.0, 80.0));
}

#[test]
fn channels_held_out_together_share_one_factor_and_a_part_of_all_people_scales() {
    // Nine tenths were treated, and the model credits Ads and Mail with 4.5 there; the experiment finds 1.8.
    let credited = Some(Credit { conversions: 4.5, value: 45.0 });
    let together = Measured { credited, value: Some(estimate(9.0, 3.0)), ..measured(&[0, 1], estimate(1.8, 0.9)) };
    let calibrated = calibrate(&linear(), &[together]).unwrap();
    for (channel, conversions, value) in [(0, 1.2, 6.0), (1, 0.8, 4.0), (2, 1.0, 10.0)] {
        assert!((calibrated.credits[channel].conversions - conversions).abs() < 1e-12);
        assert!((calibrated.credits[channel].value - value).abs() < 1e-12);
    }
    assert!((calibrated.unattributed_conversions.value - 5.0).abs() < 1e-12);
    // The interval is that of the experiment, scaled from 4.5 credited conversions to 5: 1.0 either way.
    assert!((calibrated.unattributed_conversions.high - 6.0).abs() < 1e-12);
}

#[test]
fn independent_experiments_add_up_by_squares_and_can_overdraw() {
    let found = [measured(&[0], estimate(6.0, 3.0)), measured(&[2], estimate(2.0, 4.0))];
    let calibrated = calibrate(&linear(), &found).unwrap();
    let nobody = calibrated.unattributed_conversions;
    assert_eq!((nobody.value, nobody.low, nobody.high, nobody.error), (-2.0, -7.0, 3.0, 2.5));
    assert_eq!(sums(&calibrated), (8.0, 80.0));
}

#[test]
fn what_cannot_be_calibrated_is_refused() {
    let refused = |found: &[Measured]| calibrate(&linear(), found).unwrap_err();
    let one = estimate(1.0, 1.0);
    assert_eq!(
        refused(&[measured(&[7], one)]),
        CalibrationError::UnknownChannel { experiment: 1, channel: 7, channels: 3 }
    );
    assert_eq!(
        refused(&[measured(&[1], one), measured(&[0, 1], one)]),
        CalibrationError::Twice { experiment: 2, channel: 1 }
    );
    assert_eq!(refused(&[measured(&[1, 1], one)]), CalibrationError::Twice { experiment: 1, channel: 1 });
    assert!(matches!(
        refused(&[measured(&[0], Estimate { low: 2.0, ..one })]),
        CalibrationError::BadEstimate { experiment: 1, what: "conversions", .. }
    ));
    let empty = measured(&[], one);
    assert_eq!(refused(&[empty]), CalibrationError::NothingCredited { experiment: 1, what: "conversions" });
    let mut overlapping = linear();
    overlapping.diagnostics.overlapping = true;
    assert!(matches!(calibrate(&overlapping, &[]), Err(CalibrationError::Overlapping { .. })));
    let calibrated = calibrate(&linear(), &[measured(&[0], Estimate { low: f64::NEG_INFINITY, ..one })]).unwrap();
    assert_eq!(calibrated.unattributed_conversions.high, f64::INFINITY);
}

proptest! {
    #[test]
    fn credits_and_nobody_sum_to_the_conversions(
        credits in prop::collection::vec((0.0..1e4_f64, -1e5..1e5_f64), 6),
        unattributed in 0.0..1e4_f64,
        found in prop::collection::vec((-1e4..1e4_f64, 0.0..1e3_f64), 3),
    ) {
        let mut attribution = linear();
        attribution.credits = credits.iter().map(|(conversions, value)| Credit { conversions: *conversions, value: *value }).collect();
        attribution.unattributed = Credit { conversions: unattributed, value: 3.0 };
        let experiments: Vec<_> = found.iter().enumerate().map(|(index, (value, reach))| {
            let channels: &[usize] = [&[0][..], &[1, 2], &[4]][index];
            measured(channels, estimate(*value, *reach))
        }).collect();
        let Ok(calibrated) = calibrate(&attribution, &experiments) else { return Ok(()) };
        let (conversions, value) = sums(&calibrated);
        let size: f64 = calibrated.credits.iter().map(|credit| credit.value.abs() + credit.conversions.abs()).sum();
        let before: f64 = credits.iter().map(|credit| credit.0).sum();
        prop_assert!((conversions - before - unattributed).abs() <= 1e-9 * (size + before));
        let before: f64 = credits.iter().map(|credit| credit.1).sum();
        prop_assert!((value - before - 3.0).abs() <= 1e-9 * (size + 1e6));
        prop_assert!((calibrated.credits[1].conversions + calibrated.credits[2].conversions - found[1].0).abs() < 1e-6);
    }
}
