//! What is stopped at any of its looks ends there; what is not stopped says what it says without a stop.
use super::*;
use crate::{
    ModelSpec, all_models, attribute, attribute_until, attribute_with_places, causal_models,
    experiment::{ExperimentError, Geo, Settings, geo_hold_out, geo_hold_out_until, geo_plan, geo_plan_until},
    hazard::{attribute_timelines, attribute_timelines_with, bootstrap_timelines, bootstrap_timelines_with},
    transform, transform_until,
    uncertainty::{Bootstrap, BootstrapError, Watch, bootstrap, bootstrap_with},
    validation::{Predictions, StabilitySettings, ValidationError, stability, stability_until},
};
use safar_model::{ChannelId, DAY_US, PathRef, Paths, PathsBuilder, TimelineRef, Timelines};
use std::{fmt::Debug, sync::atomic::AtomicU64};

/// Counts the looks that are taken, and asks for the stop at one of them.
#[derive(Debug)]
pub(super) struct Looks {
    taken: AtomicU64,
    last: u64,
}

impl Stop {
    pub(super) fn look(&self) {
        if let Some(looks) = &self.looks
            && looks.taken.fetch_add(1, Ordering::Relaxed) + 1 == looks.last
        {
            self.stop();
        }
    }

    /// Asked for at that look, from 1 on.
    fn at(last: u64) -> Self {
        Self { looks: Some(Arc::new(Looks { taken: AtomicU64::new(0), last })), ..Self::default() }
    }

    fn taken(&self) -> u64 {
        self.looks.as_ref().map_or(0, |looks| looks.taken.load(Ordering::Relaxed))
    }
}

/// What had begun when the stop came looks once more, and so does what is begun without a look: a few of each thread, but not a
/// part of the work.
const MORE: u64 = 600;

/// Stops `work` at its first looks, at its last one, and at some between.
fn ends_at_every_look<T: PartialEq + Debug>(what: &str, plain: T, work: impl Fn(&Stop) -> Result<T>) {
    let never = Stop::at(u64::MAX);
    assert_eq!(work(&never).as_ref(), Ok(&plain), "{what}, watched");
    let looks = never.taken();
    assert!(looks > 0, "{what} never looks");
    for at in (1..=20).chain((21..looks).step_by((looks / 20).max(1) as usize)).chain([looks]) {
        let stop = Stop::at(at.min(looks));
        assert_eq!(work(&stop).err(), Some(Error::Stopped), "{what}, at look {at} of {looks}");
        assert!(stop.taken() <= at + MORE, "{what} took {} looks after the stop at {at}", stop.taken() - at);
    }
    assert_eq!(work(&Stop::at(looks + 1)), Ok(plain), "{what}, stopped after its end");
}

/// Random numbers, the same on every run.
fn dice(mut state: u32) -> impl FnMut(u32) -> u32 {
    move |below| {
        state = state.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        (state >> 9) % below
    }
}

fn names(channels: u32) -> Vec<String> {
    (0..channels).map(|channel| format!("c{channel:03}")).collect()
}

/// Paths of up to `longest` touches, few of them equal.
fn paths(count: u32, channels: u32, longest: u32) -> Paths {
    let mut random = dice(count);
    let mut paths = PathsBuilder::default();
    for _ in 0..count {
        let length = 1 + random(longest);
        let path: Vec<_> = (0..length).map(|_| ChannelId(random(channels).min(random(channels)))).collect();
        let (conversions, nulls) = (f64::from(random(4)), f64::from(random(9)));
        paths.push(PathRef { channels: &path, ages: None, conversions, value: conversions * 3.0, nulls });
    }
    paths.finish()
}

/// People who are watched for thirty days.
fn timelines(people: u32, channels: u32) -> Timelines {
    let mut random = dice(people);
    let mut lines = Timelines::default();
    for _ in 0..people {
        let mut touches: Vec<_> = (0..random(8)).map(|_| i64::from(random(29_000)) * DAY_US / 1_000).collect();
        touches.sort_unstable();
        let met: Vec<_> = touches.iter().map(|_| ChannelId(random(channels))).collect();
        let outcome = touches.last().map(|last| last + i64::from(1 + random(1_000)) * DAY_US / 1_000);
        let outcomes: Vec<_> = outcome.into_iter().filter(|_| random(4) == 0).collect();
        let values = vec![1.0; outcomes.len()];
        let line = TimelineRef {
            from: 0,
            until: 30 * DAY_US,
            channels: &met,
            times: &touches,
            outcomes: &outcomes,
            values: &values,
        };
        lines.push(line).unwrap();
    }
    lines
}

/// Every model of paths, and the ways of those that have several.
fn models() -> Vec<ModelSpec> {
    let more = [
        "markov:order=auto,most=3",
        "markov:order=3,solver=exact",
        "markov:order=3,solver=iterative",
        "markov:order=20,solver=iterative",
        "shapley_markov:order=2",
        "shapley_markov:order=2,samples=8",
        "logistic:bags=3",
    ];
    all_models().into_iter().chain(more.iter().map(|spelling| spelling.parse().unwrap())).collect()
}

fn model_error(error: BootstrapError) -> Error {
    let BootstrapError::Model(error) = error else { panic!("{error}") };
    error
}

fn validation_error(error: ValidationError) -> Error {
    let ValidationError::Model(error) = error else { panic!("{error}") };
    error
}

#[test]
fn every_fit_ends_at_every_look() {
    let (paths, names) = (paths(300, 7, 30), names(7));
    for model in models() {
        let plain = attribute(&model, &paths, &names).unwrap();
        ends_at_every_look(&model.to_string(), plain, |stop| attribute_until(&model, &paths, &names, stop));
    }
    let with_places = |stop: &Stop| attribute_with_places(&ModelSpec::Linear, &paths, &names, stop);
    ends_at_every_look("places", with_places(&Stop::default()).unwrap(), with_places);
    let lines = timelines(300, 3);
    for model in causal_models() {
        let plain = attribute_timelines(&model, &lines, &names).unwrap();
        let fit = |stop: &Stop| attribute_timelines_with(&model, &lines, &names, &[], stop);
        ends_at_every_look(&model.to_string(), plain, fit);
    }
}

#[test]
fn resamples_and_tests_end_at_every_look() {
    let (paths, names) = (paths(40, 5, 8), names(5));
    let settings = Bootstrap { replicates: 20, ..Bootstrap::default() };
    for model in ["linear", "markov", "logistic:bags=2"].map(|model| model.parse::<ModelSpec>().unwrap()) {
        let plain = bootstrap(&model, &paths, &names, None, settings).unwrap();
        ends_at_every_look(&format!("bootstrap of {model}"), plain, |stop| {
            let watch = Watch { stop, told: &|_| {} };
            bootstrap_with(&model, &paths, &names, None, settings, watch).map_err(model_error)
        });
        let weeks = [paths.clone(), paths.clone()];
        let settings = StabilitySettings { replicates: 19, ..StabilitySettings::default() };
        let plain = stability(&model, &weeks, &names, &settings).unwrap();
        ends_at_every_look(&format!("stability of {model}"), plain, |stop| {
            stability_until(&model, &weeks, &names, &settings, stop).map_err(validation_error)
        });
        let scores = |predictions: Predictions| predictions.probabilities().collect::<Vec<_>>();
        let plain = scores(Predictions::make(&model, &paths, &paths, &names).unwrap());
        ends_at_every_look(&format!("predictions of {model}"), plain, |stop| {
            Predictions::make_until(&model, &paths, &paths, &names, stop).map(scores).map_err(validation_error)
        });
    }
    let (lines, model) = (timelines(100, 3), "hazard".parse().unwrap());
    let settings = Bootstrap { replicates: 4, ..settings };
    let plain = bootstrap_timelines(&model, &lines, None, &names, settings).unwrap();
    ends_at_every_look("bootstrap of timelines", plain, |stop| {
        let watch = Watch { stop, told: &|_| {} };
        bootstrap_timelines_with(&model, &lines, None, &names, &[], settings, watch).map_err(model_error)
    });
}

#[test]
fn regions_and_changes_of_paths_end_at_every_look() {
    let experiment_error = |error: ExperimentError| {
        let ExperimentError::Stopped(error) = error else { panic!("{error}") };
        error
    };
    let mut random = dice(9);
    for regions in [8, 40] {
        // All assignments of the few regions, and drawn ones of the many.
        let region = |index| {
            let (conversions, before) = (f64::from(40 + random(20)), f64::from(40 + random(20)));
            Geo { treated: index % 2 == 0, people: 1e3, conversions, value: 2.0 * conversions, before: Some(before) }
        };
        let (geos, settings): (Vec<_>, _) =
            ((0..regions).map(region).collect(), Settings { draws: 99, ..Settings::default() });
        let plain = geo_hold_out(&geos, &settings).unwrap();
        ends_at_every_look("hold-out of regions", plain, |stop| {
            geo_hold_out_until(&geos, &settings, stop).map_err(experiment_error)
        });
        let plain = geo_plan(&geos, 4, &settings).unwrap();
        ends_at_every_look("plan of regions", plain, |stop| {
            geo_plan_until(&geos, 4, &settings, stop).map_err(experiment_error)
        });
    }
    let (paths, names) = (paths(60, 5, 12), names(5));
    let steps = ["exposure", "remove_direct:direct=c001", "frequency", "unique"].map(|step| step.parse().unwrap());
    let plain = transform(&steps, &paths, &names).unwrap();
    ends_at_every_look("transform", plain, |stop| transform_until(&steps, &paths, &names, stop));
}

/// Fits that would take seconds or minutes, each stopped at one look early in its longest part and at one further on.
#[test]
fn long_fits_are_left_in_the_middle() {
    let wide = (paths(100_000, 60, 24), names(60));
    let long = (paths(20_000, 40, 400), names(40));
    let few = (paths(5_000, 20, 12), names(20));
    let many = (paths(30_000, 400, 12), names(400));
    let of_paths = [
        ("markov:order=4", &wide, 400_000),
        ("markov:order=20", &wide, 500_000),
        ("markov:order=auto", &wide, 150_000),
        ("markov:order=2,solver=exact", &wide, 101_000),
        ("shapley_markov:order=2", &few, 6_000),
        ("shapley_markov:order=2,samples=200", &wide, 120_000),
        ("shapley_rate", &few, 6_000),
        ("leave_one_out", &long, 20_100),
        ("shao_li", &long, 25_000),
        ("logistic:bags=400", &many, 1_000_000),
    ];
    for (model, (paths, names), last) in of_paths {
        let stop = Stop::at(last);
        let stopped = attribute_until(&model.parse().unwrap(), paths, names, &stop);
        assert_eq!(stopped.err(), Some(Error::Stopped), "{model}, after {} looks", stop.taken());
        assert!(stop.taken() <= last + MORE, "{model} took {} more looks", stop.taken() - last);
    }
    let (lines, names) = (timelines(50_000, 12), names(12));
    for (model, last) in [("hazard", 200_000), ("intent_hazard", 100_000)] {
        let stop = Stop::at(last);
        let stopped = attribute_timelines_with(&model.parse().unwrap(), &lines, &names, &[], &stop);
        assert_eq!(stopped.err(), Some(Error::Stopped), "{model}, after {} looks", stop.taken());
        assert!(stop.taken() <= last + MORE, "{model} took {} more looks", stop.taken() - last);
    }
}
