//! `safar backtest`: models learned on earlier outcomes, tested on later ones.
use super::{
    Dimension, PathQuery, Refusal,
    load::{Wanted, load, needs_ages},
    names::Names,
    timelines::{Asked, Lived, timelines},
};
use crate::{Error, Result, Workspace};
use arrow::{array::AsArray, datatypes::TimestampMicrosecondType};
use safar_attribution::{
    ModelSpec, Stop, all_models, causal_models,
    validation::{
        Bin, LEVEL, Predictions, Recommendation, RocPoint, Stability, StabilitySettings, recommend, stability_until,
    },
};
use safar_engine::Session;
use safar_model::{DAY_US, Micros, Paths};
use safar_store::Snapshot;

/// How each of some models predicts outcomes that it has not seen, on the user's own paths.
#[derive(Clone, Debug)]
pub struct Backtest {
    /// The goal.
    pub goal: String,
    /// Models learned from paths that began before this instant and were tested on those that began from it on.
    pub split: Micros,
    /// The first outcome, and the last.
    pub span: (Micros, Micros),
    /// All models with their scores, best first, and which one to use.
    pub recommendation: Recommendation,
    /// By candidate of the recommendation: how its shares moved from week to week; `None` where weeks are too few or too empty.
    pub stabilities: Vec<Option<Stability>>,
    /// By candidate: predicted against observed, by tenths of the later people.
    pub calibrations: Vec<Vec<Bin>>,
    /// By candidate: who is found at each threshold.
    pub rocs: Vec<Vec<RocPoint>>,
    /// Models that could not be tested, and why.
    pub refused: Vec<(ModelSpec, Refusal)>,
    /// The channels, by index.
    pub labels: Vec<String>,
    /// Full weeks that stability was measured over.
    pub weeks: usize,
    /// What it was made from.
    pub snapshot: Snapshot,
}

/// The part of the time that models learn from, where no day is given.
const LEARNED: f64 = 0.75;

/// Weeks, for stability: as many as there are, up to these.
const WEEKS_MAX: i64 = 26;

/// Learns `models` (empty: all) from paths that began before `split` (where not given: three quarters of the time), models of cause
/// from what everyone did before it, and tests them on the rest. Steadiness is measured over weeks of outcomes, each drawn anew
/// `replicates` times to tell change from chance; that of models of cause is not, since they look at more than a week.
///
/// # Errors
/// When the goal or the condition does not fit, either part lacks conversions or people without, or the tables cannot be read.
pub async fn backtest(
    workspace: &Workspace,
    models: &[ModelSpec],
    query: &PathQuery,
    split: Option<jiff::civil::Date>,
    replicates: usize,
) -> Result<Backtest> {
    let snapshot = workspace.store().snapshot().await?;
    let session = workspace.engine()?.session(&snapshot)?;
    let goal = query.goal(workspace, &session).await?;
    let zone = &workspace.settings().workspace.time_zone;
    let condition = format!("{} AND length > 0", query.sql(&goal, zone)?);
    let span = span(&session, &condition).await?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "an instant within the span")]
    let split = match split {
        Some(day) => super::select::midnight(day, zone)?,
        None => span.0 + ((span.1 - span.0) as f64 * LEARNED) as Micros,
    };
    let every = [all_models(), causal_models()].concat();
    let asked = if models.is_empty() { &every } else { models };
    let mut names = Names::default();
    let part = async |bounds: String, names: &mut Names| {
        let wanted = Wanted { ages: asked.iter().any(needs_ages), ..Wanted::default() };
        load(&session, &Dimension::Channel, &format!("{condition} AND {bounds}"), wanted, names).await
    };
    // By when a path began, not by when it ended: people who convert end early, so ends would sort them apart.
    let began = "CAST(occurred_at AS BIGINT) - ages_us[1]";
    let earlier = part(format!("{began} < {split}"), &mut names).await?;
    let later = part(format!("{began} >= {split}"), &mut names).await?;
    let mut weeks = vec![];
    for week in (0..((span.1 - span.0 + 1) / (7 * DAY_US)).min(WEEKS_MAX)).rev() {
        let to = span.1 + 1 - week * 7 * DAY_US;
        let from = to - 7 * DAY_US;
        let bounds = format!("occurred_at >= to_timestamp_micros({from}) AND occurred_at < to_timestamp_micros({to})");
        weeks.push(part(bounds, &mut names).await?);
    }
    let lived = match asked.iter().any(ModelSpec::is_causal) {
        true => {
            let of = Asked { goal: &goal, condition: &condition, since: None };
            Some(timelines(workspace, &session, &Dimension::Channel, of, Some(split), &mut names).await)
        }
        false => None,
    };
    // Models that look at ages learn from paths that carry them; all are tested on the same later paths.
    let (mut tried, mut steady, mut refused) = (vec![], vec![], vec![]);
    let stop = workspace.stop();
    for model in asked {
        let made = match lived.as_ref().filter(|_| model.is_causal()) {
            Some(Ok(lived)) => of_causes(lived, model, &earlier.merged, &later.merged, &names.names, stop),
            Some(Err(error)) => Err(error.again()),
            None => Predictions::make_until(model, earlier.of(model).0, &later.merged, &names.names, stop)
                .map_err(Error::from),
        };
        stop.check()?;
        match made {
            Ok(predictions) => {
                let stability = if model.is_causal() {
                    None // what they look at is longer than a week
                } else {
                    let weeks: Vec<Paths> = weeks.iter().map(|week| week.of(model).0.clone()).collect();
                    let settings = StabilitySettings { replicates, ..StabilitySettings::default() };
                    stability_until(model, &weeks, &names.names, &settings, stop).ok()
                };
                stop.check()?;
                tried.push((model.clone(), predictions, stability.as_ref().map(|stability| stability.distance)));
                steady.push(stability);
            }
            Err(error) if models.is_empty() => refused.push((model.clone(), Refusal::from(&error))),
            Err(error) => return Err(error),
        }
    }
    let recommendation = recommend(&tried, &earlier.merged, &later.merged)?;
    let places: Vec<usize> = recommendation
        .candidates
        .iter()
        .filter_map(|candidate| tried.iter().position(|(model, ..)| *model == candidate.model))
        .collect();
    Ok(Backtest {
        goal,
        split,
        span,
        stabilities: places.iter().map(|place| steady[*place].clone()).collect(),
        calibrations: places.iter().map(|place| tried[*place].1.calibration(LEVEL)).collect(),
        rocs: places.iter().map(|place| tried[*place].1.roc()).collect(),
        recommendation,
        refused,
        weeks: weeks.len(),
        labels: names.names,
        snapshot,
    })
}

/// What a model of cause, shown what everyone did before the split, says of the later paths.
fn of_causes(
    lived: &Lived,
    model: &ModelSpec,
    earlier: &Paths,
    later: &Paths,
    names: &[String],
    stop: &Stop,
) -> Result<Predictions> {
    let credits = lived.attribute(model, stop)?.credits;
    Ok(Predictions::of_timelines(&credits, &lived.timelines, earlier, later, names)?)
}

/// When the first and the last outcome were.
async fn span(session: &Session, condition: &str) -> Result<(Micros, Micros)> {
    let sql = format!("SELECT min(occurred_at), max(occurred_at) FROM paths WHERE {condition} AND bucket >= 0");
    for batch in session.sql(&sql).await?.collect().await? {
        let [first, last] = [0, 1].map(|index| batch.column(index).as_primitive::<TimestampMicrosecondType>());
        if batch.num_rows() > 0 && batch.column(0).null_count() == 0 {
            return Ok((first.value(0), last.value(0)));
        }
    }
    Err(Error::NothingToTest)
}
