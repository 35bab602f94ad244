//! Hold-outs: published examples, scipy 1.17 and statsmodels 0.14 on the same numbers, laws.
use proptest::prelude::*;
use safar_attribution::experiment::{
    Arm, Assignments, Before, Design, Estimate, ExperimentError, Geo, Lift, Measure, Method, Settings, Warning,
    geo_hold_out, geo_plan, hold_out,
};

#[track_caller]
fn close(got: f64, want: f64) {
    assert!((got - want).abs() <= 1e-9 * want.abs().max(1e-6), "{got} instead of {want}");
}

fn yes_no(people: f64, converters: f64) -> Arm {
    let measure = Measure { sum: converters, squares: converters, before: None };
    Arm { people, exposed: None, converters, conversions: measure, value: measure }
}

fn converters(treated: (f64, f64), control: (f64, f64), level: f64) -> Lift {
    let settings = Settings { level, ..Settings::default() };
    hold_out(&yes_no(treated.1, treated.0), &yes_no(control.1, control.0), &settings).unwrap().converters
}

/// Newcombe (1998), "Interval estimation for the difference between independent proportions", table II, method 10.
#[test]
fn newcombes_examples() {
    for (treated, control, low, high) in [
        ((56.0, 70.0), (48.0, 80.0), "0.0524", "0.3339"),
        ((9.0, 10.0), (3.0, 10.0), "0.1705", "0.8090"),
        ((6.0, 7.0), (2.0, 7.0), "0.0582", "0.8062"),
        ((5.0, 56.0), (0.0, 29.0), "-0.0381", "0.1926"),
        ((0.0, 10.0), (0.0, 20.0), "-0.1611", "0.2775"),
        ((0.0, 10.0), (0.0, 10.0), "-0.2775", "0.2775"),
        ((10.0, 10.0), (0.0, 20.0), "0.6791", "1.0000"),
        ((10.0, 10.0), (0.0, 10.0), "0.6075", "1.0000"),
    ] {
        let lift = converters(treated, control, 0.95).absolute;
        assert_eq!((format!("{:.4}", lift.low), format!("{:.4}", lift.high)), (low.into(), high.into()));
    }
}

#[test]
fn statsmodels_agrees_on_proportions() {
    let lift = converters((1234.0, 50_000.0), (1100.0, 50_500.0), 0.9);
    // confint_proportions_2indep(1234, 50000, 1100, 50500, method="newcomb", compare="diff", alpha=.1)
    close(lift.absolute.low, 0.0013349376297293475);
    close(lift.absolute.high, 0.004463236128842964);
    // proportions_ztest([1234, 1100], [50000, 50500])
    close(lift.p.unwrap(), 0.002290845083313933);
    close(lift.total.value, 50_000.0 * (1234.0 / 50_000.0 - 1100.0 / 50_500.0));
    close(lift.total.high, 50_000.0 * lift.absolute.high);
    // confint_proportions_2indep(1234, 50000, 1100, 50500, method="log", compare="ratio"), less 1
    let relative = converters((1234.0, 50_000.0), (1100.0, 50_500.0), 0.95).relative.unwrap();
    close(relative.low, 0.045582919473873273);
    close(relative.high, 0.22780448820672716);
}

/// Conversions of ten treated people and eight others, and the same people's before.
fn small() -> (Arm, Arm) {
    let measure = |sum, squares, before| Measure { sum, squares, before };
    let before = |sum, squares, product| Some(Before { sum, squares, product });
    let arm =
        |people, converters, measure| Arm { people, exposed: None, converters, conversions: measure, value: measure };
    // x1 = [0,1,2,0,3,1,5,2,0,1], y1 = [1,1,3,0,4,2,6,1,0,2]; x0 = [0,2,1,0,4,1,0,3], y0 = [0,2,1,0,3,0,1,2]
    let treated = arm(10.0, 8.0, measure(20.0, 72.0, before(15.0, 45.0, 55.0)));
    (treated, arm(8.0, 5.0, measure(9.0, 19.0, before(11.0, 31.0, 23.0))))
}

#[test]
fn scipy_agrees_on_means() {
    let (mut treated, mut control) = small();
    for arm in [&mut treated, &mut control] {
        (arm.conversions.before, arm.value.before) = (None, None);
    }
    let lift = hold_out(&treated, &control, &Settings::default()).unwrap().value;
    assert_eq!(lift.method, Method::Means);
    // stats.ttest_ind(y1, y0, equal_var=False), .confidence_interval(.95)
    close(lift.p.unwrap(), 0.24116374239608698);
    close(lift.absolute.low, -0.6533171933762241);
    close(lift.absolute.high, 2.403317193376224);
    // m1/m0 − 1 and sqrt(v1/m0² + m1² v0/m0⁴) with numpy's mean and var(ddof=1)/n
    let relative = lift.relative.unwrap();
    close(relative.value, 0.7777777777777777);
    close(relative.error, 0.8226124670401939);
    // stats.norm.ppf(.975) + stats.norm.ppf(.8) = 2.801585218112968
    close(lift.detectable.unwrap(), 2.801585218112968 * lift.absolute.error);
}

#[test]
fn statsmodels_agrees_on_cuped() {
    let (treated, control) = small();
    let lift = hold_out(&treated, &control, &Settings::default()).unwrap().conversions;
    let cuped = lift.adjusted.unwrap();
    // sm.OLS(y, const + arm + x): the coefficients of arm and of x
    close(lift.absolute.value, 0.7589576547231272);
    assert!((cuped.slope - 0.92833876).abs() < 1e-8);
    // stats.ttest_ind(y1 − slope (x1 − x̄), y0 − slope (x0 − x̄), equal_var=False)
    close(lift.absolute.error, 0.3252449941903022);
    close(lift.p.unwrap(), 0.033087765291656406);
    close(lift.absolute.low, 0.06910330454132407);
    close(lift.absolute.high, 1.4488120049049302);
    // As counted, not as adjusted.
    assert_eq!((lift.treated, lift.control, lift.method), (2.0, 1.125, Method::AdjustedMeans));
}

proptest! {
    /// Deng and others (2013), equation 4: what is left of the variance is 1 − correlation².
    #[test]
    fn cuped_removes_the_square_of_the_correlation(pairs in prop::collection::vec((0.0..9.0_f64, -3.0..3.0_f64), 4..40)) {
        let sums = |pairs: &[(f64, f64)]| {
            let mut arm = Arm { people: pairs.len() as f64, ..yes_no(2.0, 0.0) };
            let mut before = Before::default();
            for (x, noise) in pairs {
                let y = x + noise;
                arm.conversions.sum += y;
                arm.conversions.squares += y * y;
                before = Before { sum: before.sum + x, squares: before.squares + x * x, product: before.product + x * y };
            }
            arm.conversions.before = Some(before);
            arm
        };
        // Both arms the same people: the lift is 0 and the variances are equal.
        let (arm, plain) = (sums(&pairs), &mut sums(&pairs));
        plain.conversions.before = None;
        let with = hold_out(&arm, &arm, &Settings::default()).unwrap().conversions;
        let without = hold_out(plain, plain, &Settings::default()).unwrap().conversions;
        if let Some(cuped) = with.adjusted {
            prop_assert!(with.absolute.value.abs() < 1e-12);
            let left = (with.absolute.error / without.absolute.error).powi(2);
            prop_assert!((left - (1.0 - cuped.removed)).abs() < 1e-6, "{left} {cuped:?}");
        }
    }
}

/// Kohavi, Tang, Xu (2020), chapter 21: 821,588 and 815,482 people, meant to be equal, p = 1.8e-6. And
/// stats.chisquare([821588, 815482]).
#[test]
fn a_sample_ratio_mismatch_is_seen() {
    let settings = Settings { treated_share: Some(0.5), ..Settings::default() };
    let found = hold_out(&yes_no(821_588.0, 9_000.0), &yes_no(815_482.0, 9_000.0), &settings).unwrap();
    let mismatch = found.mismatch.unwrap();
    close(mismatch.chi_squared, 22.77436884189436);
    close(mismatch.p, 1.8217928726191858e-06);
    assert_eq!(found.warnings, [Warning::SampleRatioMismatch { p: mismatch.p }]);
    let found =
        hold_out(&yes_no(9_050.0, 90.0), &yes_no(950.0, 9.0), &Settings { treated_share: Some(0.9), ..settings });
    assert_eq!(found.unwrap().warnings, []);
}

/// Lewis and Rao (2015): purchases of $7 with a standard deviation of $75, a lift of $0.35; a million people in each
/// arm expect t = 3.30.
#[test]
fn lewis_and_raos_campaign_is_hard_to_measure() {
    let design = Design { variances: [75.0 * 75.0; 2], treated_share: 0.5, level: 0.95, power: 0.8 };
    // NormalIndPower().solve_power(.35/75, alpha=.05, power=.8, ratio=1) * 2 = 1441627.4, which counts the chance of a
    // significant result of the wrong sign as well.
    let people = design.people(0.35).unwrap();
    assert!((people / 1441627.4404851987 - 1.0).abs() < 1e-5, "{people}");
    close(design.detectable(people).unwrap(), 0.35);
    let arm = Arm {
        value: Measure { sum: 7e6, squares: 49e6 + 75.0 * 75.0 * (1e6 - 1.0), before: None },
        ..yes_no(1e6, 1e5)
    };
    let more =
        Arm { value: Measure { sum: 7.35e6, squares: 7.35e6 * 7.35 + 75.0 * 75.0 * (1e6 - 1.0), before: None }, ..arm };
    let lift = hold_out(&more, &arm, &Settings::default()).unwrap().value;
    assert_eq!(format!("{:.2}", lift.absolute.value / lift.absolute.error), "3.30");
    close(lift.times_larger(0.35).unwrap() * 2e6, people);
    // One tenth held out instead of half.
    let uneven = Design { treated_share: 0.9, ..design };
    close(uneven.people(0.35).unwrap(), people / (4.0 * 0.9 * 0.1));
}

#[test]
fn exposure_is_reported_and_changes_nothing() {
    let control = yes_no(1_000.0, 50.0);
    let run = |exposed, leaked| {
        let treated = Arm { exposed, ..yes_no(4_000.0, 240.0) };
        hold_out(&treated, &Arm { exposed: leaked, ..control }, &Settings::default()).unwrap()
    };
    let (none, some) = (run(None, None), run(Some(1_000.0), Some(10.0)));
    assert_eq!((none.exposure.treated, some.exposure.treated), (None, Some(0.25)));
    assert_eq!(some.warnings, [Warning::ControlExposed { share: 0.01 }]);
    assert_eq!((none.converters, none.conversions, none.value), (some.converters, some.conversions, some.value));
}

#[test]
fn few_or_no_converters_are_told() {
    let found = hold_out(&yes_no(100.0, 0.0), &yes_no(100.0, 0.0), &Settings::default()).unwrap();
    assert_eq!(found.warnings, [Warning::FewConverters { expected: 0.0 }]);
    let lift = found.converters;
    assert_eq!((lift.p, lift.relative, lift.detectable), (None, None, None));
    assert!(lift.absolute.low < -0.03 && lift.absolute.high > 0.03);
}

#[test]
fn what_cannot_be_is_refused() {
    let good = yes_no(100.0, 10.0);
    let settings = Settings::default();
    let refused = |arm: Arm| hold_out(&arm, &good, &settings).unwrap_err();
    assert!(matches!(refused(yes_no(10.0, 11.0)), ExperimentError::BadNumber { what: "converters", .. }));
    assert!(matches!(refused(yes_no(f64::NAN, 1.0)), ExperimentError::BadNumber { what: "people", .. }));
    assert!(matches!(refused(yes_no(1.0, 1.0)), ExperimentError::TooFew { .. }));
    let squares = Measure { sum: 10.0, squares: 0.5, before: None };
    assert!(matches!(refused(Arm { value: squares, ..good }), ExperimentError::Impossible { what: "value", .. }));
    let before = Some(Before { sum: 5.0, squares: 5.0, product: 90.0 });
    let product = Measure { before, ..good.value };
    assert!(matches!(refused(Arm { value: product, ..good }), ExperimentError::Impossible { .. }));
    let partly = Measure { before: Some(Before { sum: 5.0, squares: 5.0, product: 1.0 }), ..good.value };
    assert_eq!(refused(Arm { value: partly, ..good }), ExperimentError::PartlyBefore { what: "value" });
    let error = hold_out(&good, &good, &Settings { level: 1.0, ..settings }).unwrap_err();
    assert_eq!(error.to_string(), "level is 1; it must be above 0 and below 1");
}

const PEOPLE: [f64; 8] = [1000.0, 2500.0, 800.0, 1200.0, 3000.0, 700.0, 1500.0, 900.0];
const CONVERSIONS: [f64; 8] = [62.0, 110.0, 55.0, 50.0, 190.0, 30.0, 70.0, 60.0];
const BEFORE: [f64; 8] = [50.0, 100.0, 42.0, 52.0, 150.0, 31.0, 72.0, 47.0];

fn eight(before: bool) -> Vec<Geo> {
    let geo = |index: usize| Geo {
        treated: [0, 2, 4, 7].contains(&index),
        people: PEOPLE[index],
        conversions: CONVERSIONS[index],
        value: 3.0 * CONVERSIONS[index],
        before: before.then_some(BEFORE[index]),
    };
    (0..8).map(geo).collect()
}

/// sm.WLS(conversions / people, const + treated [+ before / people], weights=people).fit(cov_type="HC2"): the
/// coefficient of `treated` and its error; and the t-values of that regression under each of the 70 assignments: the
/// share at least as large as the real one, and by bisection the lifts at which that share passes 10 %.
#[test]
fn statsmodels_agrees_on_regions() {
    let settings = Settings { level: 0.9, ..Settings::default() };
    for (before, lift, error, low, high) in [
        (false, 0.02031816830211123, 0.0015363899973174563, 0.017410576455983845, 0.025474592524721902),
        (true, 0.016862962436524374, 0.002118477983994576, 0.010713667542557079, 0.025087759619753187),
    ] {
        let found = geo_hold_out(&eight(before), &settings).unwrap();
        let absolute = found.conversions.absolute;
        close(absolute.value, lift);
        close(absolute.error, error);
        close(absolute.low, low);
        close(absolute.high, high);
        close(found.conversions.p.unwrap(), 2.0 / 70.0);
        close(found.value.absolute.low, 3.0 * low);
        assert_eq!((found.assignments, found.adjusted), (Assignments::All(70), before));
        assert_eq!((found.treated, found.control, found.warnings), (4, 4, vec![]));
        let relative = found.conversions.relative.unwrap();
        let treated = 367.0 / 5700.0;
        close(relative.value, lift / (treated - lift));
        close(relative.high, high / (treated - high));
        close(found.conversions.total.value, 5700.0 * lift);
    }
}

#[test]
fn few_regions_prove_nothing_and_say_so() {
    let geos: Vec<_> =
        eight(false).into_iter().enumerate().filter(|(at, _)| [0, 1, 2, 3].contains(at)).map(|(_, geo)| geo).collect();
    let found = geo_hold_out(&geos, &Settings::default()).unwrap();
    assert_eq!(found.warnings, [Warning::TooFewAssignments { smallest_p: 2.0 / 6.0 }]);
    let Estimate { low, high, .. } = found.conversions.absolute;
    assert_eq!((low, high), (f64::NEG_INFINITY, f64::INFINITY));
    assert_eq!(found.conversions.relative.unwrap().low, -1.0);
    let error = geo_hold_out(&geos[..3], &Settings::default()).unwrap_err();
    assert_eq!(error.to_string(), "the control arm has 1 regions; it takes at least 2");
    let mut partly = eight(true);
    partly[3].before = None;
    assert_eq!(
        geo_hold_out(&partly, &Settings::default()).unwrap_err(),
        ExperimentError::PartlyBefore { what: "regions" }
    );
    let apart: Vec<_> = eight(true)
        .iter()
        .map(|geo| Geo { before: Some(f64::from(u8::from(geo.treated)) * geo.people), ..*geo })
        .collect();
    assert_eq!(geo_hold_out(&apart, &Settings::default()).unwrap_err(), ExperimentError::Separated);
}

/// Regions of their own sizes and tastes, half of them treated by lot.
fn many(seed: u64, lift: f64, geos: usize) -> Vec<Geo> {
    let mut state = seed;
    let mut unit = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / (1_u64 << 24) as f64
    };
    let mut lots: Vec<_> = (0..geos).map(|geo| (unit(), geo)).collect();
    lots.sort_by(|a, b| a.0.total_cmp(&b.0));
    let regions = (0..geos).map(|geo| {
        let treated = lots[..geos / 2].iter().any(|lot| lot.1 == geo);
        let (people, taste) = (500.0 + 3000.0 * unit() * unit(), 0.03 + 0.04 * unit());
        let rate = taste + 0.004 * (unit() + unit() - 1.0) + lift * f64::from(u8::from(treated));
        let before = people * (taste + 0.004 * (unit() - 0.5));
        Geo { treated, people, conversions: people * rate, value: people * rate, before: Some(before) }
    });
    regions.collect()
}

#[test]
fn drawn_assignments_repeat_and_seeds_agree() {
    let many_regions = many(7, 0.002, 40);
    let run = |seed, draws| geo_hold_out(&many_regions, &Settings { seed, draws, ..Settings::default() }).unwrap();
    let (a, b, again) = (run(1, 9_999), run(2, 9_999), run(1, 9_999));
    assert_eq!(a.assignments, Assignments::Drawn(9_999));
    assert_eq!(a.conversions, again.conversions);
    assert_ne!(a.conversions.absolute.low, b.conversions.absolute.low);
    let width = a.conversions.absolute.high - a.conversions.absolute.low;
    assert!((a.conversions.absolute.low - b.conversions.absolute.low).abs() < 0.05 * width);
    // The large-sample interval is near: a check of the scale.
    let normal = 2.0 * 1.96 * a.conversions.absolute.error;
    assert!((width / normal - 1.0).abs() < 0.25, "{width} {normal}");
}

/// Of regions of one size, chance moves the difference of the arms by s √(1/k + 1/(n − k)) (Neyman 1923).
#[test]
fn a_plan_of_alike_regions_is_neymans() {
    let conversions = [48.0, 51.0, 50.0, 53.0, 47.0, 52.0, 49.0, 58.0, 44.0];
    let geo = |conversions: f64| Geo { treated: false, people: 1_000.0, conversions, value: 0.0, before: None };
    let plan = geo_plan(&conversions.map(geo), 3, &Settings::default()).unwrap();
    let mean = conversions.iter().sum::<f64>() / 9.0;
    let variance = conversions.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / 8.0 / 1e6;
    let error = (variance * (1.0 / 3.0 + 1.0 / 6.0)).sqrt();
    assert!((plan.conversions.error / error - 1.0).abs() < 1e-12, "{} {error}", plan.conversions.error);
    assert_eq!((plan.assignments, plan.regions, plan.treated), (Assignments::All(84), 9, 3));
    assert!((plan.conversions.mean - mean / 1_000.0).abs() < 1e-12);
    // Where nothing varies nothing can be said.
    assert_eq!((plan.value.error, plan.value.detectable), (0.0, None));
    assert!(geo_plan(&conversions.map(geo), 8, &Settings::default()).is_err());
}

/// 400 experiments of a true lift as large as the plan says is found in 80 of 100; 4 standard errors are 8 of 100, and the
/// plan's use of Student's distribution is good for two more.
#[test]
fn a_planned_lift_of_regions_is_found_as_often_as_planned() {
    let world = many(77, 0.0, 20);
    let plan = geo_plan(&world, 10, &Settings::default()).unwrap();
    assert!(plan.adjusted);
    let lift = plan.conversions.detectable.unwrap();
    let settings = Settings { draws: 999, ..Settings::default() };
    let found = (0..400).filter(|seed| {
        let raise = |(geo, lot): (&Geo, Geo)| {
            let more = f64::from(u8::from(lot.treated)) * lift * geo.people;
            Geo { treated: lot.treated, conversions: geo.conversions + more, ..*geo }
        };
        let geos: Vec<Geo> = world.iter().zip(many(seed + 5_000, 0.0, 20)).map(raise).collect();
        geo_hold_out(&geos, &settings).unwrap().conversions.p.unwrap() <= 0.05
    });
    let found = found.count();
    assert!((280..=360).contains(&found), "{found} of 400");
}

/// A valid test refuses a true lift in at most 5 of 100 experiments, and an interval misses it as often: with 200
/// experiments 10 are expected, and more than 22 come by with a chance below 1 in 10,000.
#[test]
fn intervals_of_regions_hold_the_true_lift() {
    let missed = (0..200).filter(|seed| {
        let geos = many(1_000 + seed, 0.01, 12);
        let lift = geo_hold_out(&geos, &Settings::default()).unwrap().conversions.absolute;
        !(lift.low..=lift.high).contains(&0.01)
    });
    let missed = missed.count();
    assert!((1..=22).contains(&missed), "{missed} of 200 intervals miss the truth");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_refused_zero_is_outside_of_the_interval(seed in any::<u64>(), lift in -0.01..0.01_f64, level in 0.5..0.99_f64, turn in 0..9_usize) {
        let mut geos = many(seed, lift, 10);
        let settings = Settings { level, ..Settings::default() };
        let found = geo_hold_out(&geos, &settings).unwrap().conversions;
        let outside = found.absolute.low > 0.0 || found.absolute.high < 0.0;
        prop_assert_eq!(found.p.unwrap() <= 1.0 - level, outside);
        prop_assert!(found.absolute.low <= found.absolute.value && found.absolute.value <= found.absolute.high);
        // The order of regions does not matter.
        geos.rotate_left(turn);
        let turned = geo_hold_out(&geos, &settings).unwrap().conversions;
        prop_assert!((turned.absolute.value - found.absolute.value).abs() < 1e-12);
        prop_assert!(turned.p == found.p);
        // A known rise of every treated rate moves lift and interval, and nothing else.
        let raised: Vec<_> = geos.iter().map(|geo| Geo { conversions: geo.conversions + f64::from(u8::from(geo.treated)) * 0.01 * geo.people, ..*geo }).collect();
        let raised = geo_hold_out(&raised, &settings).unwrap().conversions.absolute;
        prop_assert!((raised.low - turned.absolute.low - 0.01).abs() < 1e-9 && (raised.high - turned.absolute.high - 0.01).abs() < 1e-9);
    }
}
