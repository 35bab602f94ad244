//! Which model fits one's own data.
use crate::{
    attribute::{Asked, parse, warn},
    data::refusal,
    diagnostics::named,
    frame::{Table, counts, numbers, texts},
    names::Names,
    paths::{OneOrMore, Paths},
    record::record,
    work,
};
use indexmap::IndexMap;
use pyo3::{
    exceptions::{PyKeyError, PyValueError},
    prelude::*,
};
use safar_attribution::{
    ModelSpec, Stop, all_models,
    uncertainty::BootstrapError,
    validation::{self, Predictions, Recommendation, StabilitySettings, ValidationError, recommend},
};
use safar_model::PathsBuilder;
use std::sync::Arc;

/// Models learned on earlier paths and tested on later ones. Made by `backtest`.
#[pyclass(frozen, module = "safar", skip_from_py_object)]
pub struct Backtest {
    recommendation: Recommendation,
    /// By candidate of the recommendation.
    predictions: Vec<Predictions>,
    /// By candidate; `None` where it is not known.
    stabilities: Vec<Option<validation::Stability>>,
    refused: IndexMap<String, String>,
    warnings: Vec<String>,
    channels: Vec<String>,
}

record! {
    /// How a model's shares of conversions move from week to week. Made by `stability`.
    ///
    /// Distances are total variation: the part of the credit that changed hands.
    Stability {
        /// The model and all its settings, as spelled.
        model: String,
        /// By week, then by channel; they sum to 1.
        shares: Vec<IndexMap<String, f64>>,
        /// From each week to the next.
        distances: Vec<f64>,
        /// The same, as chance alone moves shares.
        noise: Vec<f64>,
        /// Mean of `distances`.
        distance: f64,
        /// Mean of `noise`: no model can be steadier on so few conversions.
        noise_floor: f64,
        /// Chance of a mean distance as large as this if nothing changed.
        p: f64,
        /// By channel: the smallest and the largest share.
        ranges: IndexMap<String, (f64, f64)>,
        /// How many times all weeks were drawn anew.
        replicates: usize,
        /// Of the draws.
        seed: u64,
    }
}

/// Fits `model` to each of the `weeks` by itself and compares its shares from week to week, beside what chance alone does:
/// all weeks are drawn anew `replicates` times from the paths of all of them.
///
/// All cores compute, and other Python threads run meanwhile. Ctrl-C leaves at once, and the work ends within a
/// moment.
///
/// Raises `ValueError` for fewer than 2 weeks, for a week in which nobody gets credit, and for fewer than 19 replicates.
///
/// >>> import safar
/// >>> week = lambda a, b: safar.read_paths(f"path;conversions\nA;{a}\nB;{b}\n".encode())
/// >>> round(safar.stability([week(50, 50), week(52, 48)], "last").distance, 9)  # chance alone moves more
/// 0.02
/// >>> safar.stability([week(52, 48), week(90, 10)], "last").p <= 0.05
/// True
#[pyfunction]
#[pyo3(signature = (weeks, model, *, replicates=99, seed=1))]
pub fn stability(
    py: Python<'_>,
    weeks: Vec<Bound<'_, Paths>>,
    model: &str,
    replicates: usize,
    seed: u64,
) -> PyResult<Stability> {
    let model = parse(model)?;
    let (weeks, channels) = aligned(&weeks)?;
    let settings = StabilitySettings { replicates, seed };
    let (spelled, names) = (model.to_string(), channels.clone());
    let found = work::once(py, move |stop| validation::stability_until(&model, &weeks, &channels, &settings, stop))?;
    let found = found.map_err(|error| failed(&error))?;
    Ok(Stability {
        model: spelled,
        shares: found.shares.iter().map(|shares| named(&names, shares.iter().copied())).collect(),
        distances: found.distances,
        noise: found.noise,
        distance: found.distance,
        noise_floor: found.noise_floor,
        p: found.p,
        ranges: named(&names, found.ranges.iter().map(|range| (range.low, range.high))),
        replicates: found.settings.replicates,
        seed: found.settings.seed,
    })
}

/// Learns models on the `earlier` paths, tests them on the `later` ones, and recommends one, or none, with the reason.
///
/// `model` is as in `attribute`. Give both periods with the people who did not convert; paths without a touch play no part.
/// Where `weeks` are given, one after the other, the steadiness of each model's shares is measured over them, as by
/// `stability`, and decides between models that predict as well. After each model, `progress` is called with the number of
/// models that are done, the number of all, and the model that was done last.
///
/// Who predicts well who converts need not know why: credit is association unless an experiment calibrates it.
///
/// All cores compute, and other Python threads run meanwhile. Ctrl-C, or an exception from `progress`, leaves at once: the
/// model that is under way ends within a moment, further ones are not begun.
///
/// Raises `ValueError` where either period lacks conversions, or people without; and where a model that is named cannot
/// take the paths. With `all`, such a model is left out with a `UserWarning`, and `Backtest.refused` says why.
///
/// >>> import safar
/// >>> earlier = safar.read_paths(b"path;conversions;null\nMail;30;70\nAds;5;95\n")
/// >>> later = safar.read_paths(b"path;conversions;null\nMail;28;72\nAds;6;94\n")
/// >>> tested = safar.backtest(earlier, later, ["markov", "linear"])
/// >>> tested.recommended  # both foretell as well; the rule learns less
/// 'linear'
/// >>> round(tested.scores.to_dicts()[0]["auc"], 3)
/// 0.695
#[pyfunction]
#[pyo3(
    signature = (
        earlier, later, model=OneOrMore::One("all".into()), *, weeks=None, replicates=99, seed=1, progress=None
    ),
    text_signature = "(earlier, later, model='all', *, weeks=None, replicates=99, seed=1, progress=None)"
)]
#[expect(clippy::too_many_arguments, reason = "by name in Python")]
pub fn backtest(
    py: Python<'_>,
    earlier: Bound<'_, Paths>,
    later: Bound<'_, Paths>,
    model: OneOrMore,
    weeks: Option<Vec<Bound<'_, Paths>>>,
    replicates: usize,
    seed: u64,
    progress: Option<Bound<'_, PyAny>>,
) -> PyResult<Backtest> {
    let Asked { models, is_all, .. } = Asked::of(model, all_models)?;
    let has_weeks = weeks.is_some();
    let all: Vec<_> = [earlier, later].into_iter().chain(weeks.into_iter().flatten()).collect();
    let data = Arc::new(aligned(&all)?);
    let shared = Arc::clone(&data);
    let (total, settings) = (models.len(), StabilitySettings { replicates, seed });
    let test = move |model: ModelSpec, stop: &Stop| {
        let (all, channels) = &*shared;
        let tested = Predictions::make_until(&model, &all[0], &all[1], channels, stop).map(|predictions| {
            let steady = has_weeks.then(|| validation::stability_until(&model, &all[2..], channels, &settings, stop));
            (predictions, steady)
        });
        (model, tested)
    };
    let (mut refused, mut warnings) = (IndexMap::new(), vec![]);
    let tested = work::each(py, models, test, |index, (model, tested)| {
        let tested = match tested {
            Ok((predictions, None)) => Some((predictions, None)),
            Ok((predictions, Some(Ok(steady)))) => Some((predictions, Some(steady))),
            Ok((predictions, Some(Err(error)))) if is_all => {
                warnings.push(format!("{model}: its steadiness is not known: {error}"));
                Some((predictions, None))
            }
            Err(error @ ValidationError::Model(_)) if is_all => {
                warn(py, &format!("{model} cannot take these paths: {error}"))?;
                refused.insert(model.to_string(), error.to_string());
                None
            }
            Ok((_, Some(Err(error)))) | Err(error) => return Err(failed(&error)),
        };
        if let Some(progress) = &progress {
            progress.call1((index + 1, total, model.to_string()))?;
        }
        Ok(tested.map(|(predictions, steady)| (model, predictions, steady)))
    })?;
    let of_one = |(model, predictions, steady): (ModelSpec, Predictions, Option<validation::Stability>)| {
        ((model, predictions, steady.as_ref().map(|steady| steady.distance)), steady)
    };
    let (tried, steady): (Vec<_>, Vec<_>) = tested.into_iter().flatten().map(of_one).unzip();
    let recommendation = recommend(&tried, &data.0[0], &data.0[1]).map_err(|error| failed(&error))?;
    warnings.extend(recommendation.shift.map(|shift| shift.to_string()));
    let rank = |model: &ModelSpec| recommendation.candidates.iter().position(|candidate| candidate.model == *model);
    let mut tested: Vec<_> = tried.into_iter().zip(steady).collect();
    tested.sort_by_key(|((model, ..), _)| rank(model));
    let (predictions, stabilities) =
        tested.into_iter().map(|((_, predictions, _), steady)| (predictions, steady)).unzip();
    Ok(Backtest { predictions, stabilities, channels: data.1.clone(), recommendation, refused, warnings })
}

fn failed(error: &ValidationError) -> PyErr {
    PyValueError::new_err(match error {
        ValidationError::Model(error) => refusal(error),
        error => error.to_string(),
    })
}

/// The same paths with one numbering of channels for all, and their names.
fn aligned(all: &[Bound<'_, Paths>]) -> PyResult<(Vec<safar_model::Paths>, Vec<String>)> {
    let mut names = Names::default();
    let too_many = || PyValueError::new_err("more than 4 billion channels were met");
    let renumbered = all.iter().map(|paths| {
        let (paths, channels) = &*paths.get().inner;
        let numbers = channels.iter().map(|name| names.intern(name).ok_or_else(too_many));
        let numbers = numbers.collect::<PyResult<Vec<_>>>()?;
        let mut builder = PathsBuilder::default();
        builder.append(paths, &numbers);
        Ok(builder.finish())
    });
    Ok((renumbered.collect::<PyResult<_>>()?, names.finish()))
}

impl Backtest {
    /// One row for each entry of each model's list: the model, and its place in the list from 0.
    fn spread<T>(&self, lists: &[Vec<T>]) -> Vec<(String, usize)> {
        self.models()
            .into_iter()
            .zip(lists)
            .flat_map(|(name, list)| (0..list.len()).map(move |at| (name.clone(), at)))
            .collect()
    }
}

#[pymethods]
impl Backtest {
    /// The models and all their settings, as spelled; best first.
    #[getter]
    fn models(&self) -> Vec<String> {
        self.recommendation.candidates.iter().map(|candidate| candidate.model.to_string()).collect()
    }

    /// The model to use, as spelled; `None` where none predicts better than the plain conversion rate.
    #[getter]
    fn recommended(&self) -> Option<String> {
        Some(self.recommendation.candidates[self.recommendation.choice?].model.to_string())
    }

    /// Which model to use and why, in words.
    #[getter]
    fn reason(&self) -> String {
        self.recommendation.to_string()
    }

    /// What is to be shown with every recommendation.
    #[getter]
    fn caveat(&self) -> &'static str {
        Recommendation::CAVEAT
    }

    /// What weakens the comparison, in sentences; empty where nothing does.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }

    /// Which models of `all` are left out, and why.
    #[getter]
    fn refused(&self) -> IndexMap<String, String> {
        self.refused.clone()
    }

    /// A row for each model, best first: `model`, `log_loss`, `base_log_loss` (of the plain conversion rate), `gain` (by
    /// how much it is below that, person by person) and `gain_error`, `auc`, `brier`, `people`, `week_distance`,
    /// `week_noise`, `week_p`, and `recommended` (`yes` or nothing).
    #[getter]
    fn scores(&self) -> PyResult<Table> {
        let all = || self.recommendation.candidates.iter();
        let scores = |of: fn(&validation::Score) -> f64| numbers(all().map(|one| Some(of(&one.score))));
        let weeks =
            |of: fn(&validation::Stability) -> f64| numbers(self.stabilities.iter().map(|one| one.as_ref().map(of)));
        let chosen = |at: usize| if self.recommendation.choice == Some(at) { "yes" } else { "" };
        Table::new([
            ("model", texts(self.models().iter())),
            ("log_loss", scores(|score| score.log_loss)),
            ("base_log_loss", scores(|score| score.base.log_loss)),
            ("gain", scores(|score| score.gain.mean)),
            ("gain_error", scores(|score| score.gain.error)),
            ("auc", scores(|score| score.auc)),
            ("brier", scores(|score| score.brier)),
            ("people", scores(|score| score.people)),
            ("week_distance", weeks(|one| one.distance)),
            ("week_noise", weeks(|one| one.noise_floor)),
            ("week_p", weeks(|one| one.p)),
            ("recommended", texts((0..self.predictions.len()).map(chosen))),
        ])
    }

    /// Predicted against observed, by tenths of the later people: `model`, `bin`, `people`, `conversions`, `predicted`,
    /// `observed` and its ends `observed_low` and `observed_high` at `level`.
    #[pyo3(signature = (level=0.95))]
    fn calibration(&self, level: f64) -> PyResult<Table> {
        if !(level > 0.0 && level < 1.0) {
            return Err(PyValueError::new_err(BootstrapError::Level { got: level }.to_string()));
        }
        let bins: Vec<_> = self.predictions.iter().map(|one| one.calibration(level)).collect();
        let rows = self.spread(&bins);
        let column = |of: fn(&validation::Bin) -> f64| numbers(bins.iter().flatten().map(|bin| Some(of(bin))));
        Table::new([
            ("model", texts(rows.iter().map(|(model, _)| model))),
            ("bin", counts(rows.iter().map(|(_, at)| at + 1))),
            ("people", column(|bin| bin.people)),
            ("conversions", column(|bin| bin.conversions)),
            ("predicted", column(|bin| bin.predicted)),
            ("observed", column(|bin| bin.observed)),
            ("observed_low", column(|bin| bin.low)),
            ("observed_high", column(|bin| bin.high)),
        ])
    }

    /// What comes of calling everybody a converter whose probability is at least a `threshold`: `model`, `threshold`,
    /// `true_positive_rate`, `false_positive_rate`.
    fn roc(&self) -> PyResult<Table> {
        let points: Vec<_> = self.predictions.iter().map(Predictions::roc).collect();
        let rows = self.spread(&points);
        let column =
            |of: fn(&validation::RocPoint) -> f64| numbers(points.iter().flatten().map(|point| Some(of(point))));
        Table::new([
            ("model", texts(rows.iter().map(|(model, _)| model))),
            ("threshold", column(|point| point.threshold)),
            ("true_positive_rate", column(|point| point.found)),
            ("false_positive_rate", column(|point| point.alarmed)),
        ])
    }

    /// The smallest and the largest share over the weeks: `model`, `channel`, `share_low`, `share_high`; empty where no
    /// weeks were given.
    fn weeks(&self) -> PyResult<Table> {
        let ranges = self.stabilities.iter().map(|one| one.as_ref().map_or(vec![], |one| one.ranges.clone()));
        let ranges: Vec<_> = ranges.collect();
        let rows = self.spread(&ranges);
        let column = |of: fn(&validation::Range) -> f64| numbers(ranges.iter().flatten().map(|range| Some(of(range))));
        Table::new([
            ("model", texts(rows.iter().map(|(model, _)| model))),
            ("channel", texts(rows.iter().map(|(_, at)| &self.channels[*at]))),
            ("share_low", column(|range| range.low)),
            ("share_high", column(|range| range.high)),
        ])
    }

    /// The chance to convert that a model gives to each later path with a touch, in their order.
    ///
    /// Raises `KeyError` for a model that is not there.
    fn probabilities(&self, model: &str) -> PyResult<Vec<f64>> {
        let spec = model.parse::<ModelSpec>().map_err(|error| PyKeyError::new_err(error.to_string()))?;
        let place = self.recommendation.candidates.iter().position(|candidate| candidate.model == spec);
        let place =
            place.ok_or_else(|| PyKeyError::new_err(format!("no `{model}` among {}", self.models().join(", "))))?;
        Ok(self.predictions[place].probabilities().collect())
    }

    fn __repr__(&self) -> String {
        let recommended = self.recommended().unwrap_or_else(|| "none".into());
        format!("<safar.Backtest: {} models, recommended: {recommended}>", self.predictions.len())
    }
}
