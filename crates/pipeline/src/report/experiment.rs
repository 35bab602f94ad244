//! `safar experiment`: what a randomised hold-out found, and credits calibrated by it.
use super::{
    Dimension, PathQuery,
    attribute::{AttributionReport, Direct, Modelling, Names, Wanted, attributed, load, needs_ages, property, strings},
    select::day_bounds,
    timelines::{Asked, timelines},
};
use crate::{Error, Result, Workspace, settings::ExperimentSettings};
use arrow::{
    array::AsArray,
    datatypes::{Float64Type, Int64Type, TimestampMicrosecondType},
};
use hashbrown::HashMap;
use safar_attribution::{
    Credit, ModelSpec, attribute,
    experiment::{Arm, Before, Calibrated, Measure, Measured, Outcome, Settings, calibrate, hold_out},
};
use safar_engine::Session;
use safar_model::{DAY_US, Micros};

/// What a hold-out found.
#[derive(Clone, Debug)]
pub struct ExperimentReport {
    /// The experiment.
    pub settings: ExperimentSettings,
    /// The goal whose conversions count.
    pub goal: String,
    /// The treated and the control arm, by intent to treat.
    pub arms: [Arm; 2],
    /// What the treatment changed.
    pub outcome: Outcome,
    /// People whom events put in both arms; they count in the first.
    pub in_both: u64,
    /// Credits of all paths by each model.
    pub attribution: AttributionReport,
    /// By model: what it gave the channels over the treated people after their assignment, and its credits after calibration;
    /// or why they cannot be calibrated.
    pub calibrated: Vec<Result<(Credit, Calibrated), String>>,
}

/// One person of an experiment.
struct Assigned {
    treated: bool,
    at: Micros,
    exposed: bool,
    /// Conversions and value since the assignment, and in the days before.
    since: Credit,
    before: Credit,
}

/// Evaluates the experiment `name` of safar.toml, and calibrates `models` (empty: those of safar.toml) by it. Of what people did
/// since their assignment the outcomes that `query` selects count, in the arms as in the credits; of what they did before, those
/// for which its condition holds, on any day.
///
/// # Errors
/// No such experiment; no events that tell an arm; arms that are too small; tables that cannot be read.
pub async fn experiment(
    workspace: &Workspace,
    name: &str,
    models: &[ModelSpec],
    query: &PathQuery,
    level: f64,
) -> Result<ExperimentReport> {
    let settings = named(workspace, name)?;
    let session = super::session(workspace).await?;
    let goal = query.goal(workspace, &session).await?;
    let zone = &workspace.settings().workspace.time_zone;
    let until = settings.until.map(|day| super::select::midnight(day, zone)).transpose()?.unwrap_or(Micros::MAX);
    let (mut people, in_both) = assignments(&session, &settings, until).await?;
    outcomes(&session, &goal, query, zone, &settings, until, &mut people).await?;
    exposures(&session, &settings, until, &mut people).await?;
    let arms = [true, false].map(|treated| arm(people.values().filter(|one| one.treated == treated), &settings));
    let evaluation = Settings { level, treated_share: settings.treated_share, ..Settings::default() };
    let outcome = hold_out(&arms[0], &arms[1], &evaluation)?;

    let chosen = if models.is_empty() { &workspace.settings().attribution.models } else { models };
    let modelling = Modelling { models: chosen.to_vec(), ..Modelling::default() };
    // What the arms did does not depend on models.
    let (attribution, _) = attributed(workspace, &session, &modelling, &Dimension::Channel, query).await?;
    let since: HashMap<i64, Micros> =
        people.iter().filter(|(_, one)| one.treated).map(|(person, one)| (*person, one.at)).collect();
    let direct = Direct::of(workspace, chosen)?;
    let wanted =
        Wanted { ages: chosen.iter().any(needs_ages), people: false, direct: Some(&direct), since: Some(&since) };
    let mut condition = query.sql(&goal, zone)?;
    if until < Micros::MAX {
        condition = format!("{condition} AND occurred_at < to_timestamp_micros({until})");
    }
    let mut names = Names::default();
    attribution.labels.iter().for_each(|label| {
        names.id(label);
    });
    let treated = load(&session, &Dimension::Channel, &condition, wanted, &mut names).await?;
    let lived = if attribution.models.iter().any(|fitted| fitted.model.is_causal()) {
        let asked = Asked { goal: &goal, condition: &condition, since: Some(&since) };
        Some(timelines(workspace, &session, &Dimension::Channel, asked, query.until(workspace)?, &mut names).await?)
    } else {
        None
    };
    let channels: Vec<usize> =
        (0..attribution.labels.len()).filter(|index| settings.channels.contains(&attribution.labels[*index])).collect();
    let mut calibrated = vec![];
    for fitted in &attribution.models {
        let over = match lived.as_ref().filter(|_| fitted.model.is_causal()) {
            Some(lived) => lived.attribute(&fitted.model),
            None => attribute(&fitted.model, treated.of(&fitted.model).0, &names.names).map_err(Error::from),
        };
        let over = match over {
            Ok(over) => over,
            Err(error) => {
                calibrated.push(Err(error.to_string()));
                continue;
            }
        };
        let mut credited = Credit::default();
        for channel in &channels {
            credited.conversions += over.credits[*channel].conversions;
            credited.value += over.credits[*channel].value;
        }
        let measured = Measured {
            channels: channels.clone(),
            conversions: outcome.conversions.total,
            value: Some(outcome.value.total),
            credited: Some(credited),
        };
        calibrated.push(match calibrate(fitted, &[measured]) {
            Ok(result) => Ok((credited, result)),
            Err(error) => Err(error.to_string()),
        });
    }
    Ok(ExperimentReport { settings, goal, arms, outcome, in_both, attribution, calibrated })
}

fn named(workspace: &Workspace, name: &str) -> Result<ExperimentSettings> {
    let all = &workspace.settings().experiments;
    all.iter().find(|experiment| experiment.name == name).cloned().ok_or_else(|| {
        let known: Vec<_> = all.iter().map(|experiment| experiment.name.as_str()).collect();
        Error::Request(if known.is_empty() {
            "safar.toml has no [[experiments]]\n  hint: `safar reference settings` shows how to write one".to_owned()
        } else {
            format!("there is no experiment `{name}`; there are {}", known.join(", "))
        })
    })
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Everyone whom an event put in an arm, and how many were put in both.
async fn assignments(
    session: &Session,
    settings: &ExperimentSettings,
    until: Micros,
) -> Result<(HashMap<i64, Assigned>, u64)> {
    let sql = format!(
        "SELECT person_id, occurred_at, properties FROM person_events WHERE name = {}",
        quoted(&settings.event)
    );
    let mut told: Vec<(i64, Micros, bool)> = vec![];
    for batch in session.sql(&sql).await?.collect().await? {
        let person = batch.column(0).as_primitive::<Int64Type>();
        let at = batch.column(1).as_primitive::<TimestampMicrosecondType>();
        for (row, properties) in strings(&batch, 2)?.into_iter().enumerate() {
            let arm = properties.as_deref().and_then(|json| property(json, &settings.property));
            let Some(arm) = arm.filter(|arm| *arm == settings.treated || *arm == settings.control) else { continue };
            if at.value(row) < until {
                told.push((person.value(row), at.value(row), arm == settings.treated));
            }
        }
    }
    told.sort_unstable();
    if told.is_empty() {
        return Err(Error::Request(format!(
            "no event `{}` has the property `{}` with the value `{}` or `{}`\n  hint: `safar sql \"select name, properties from events limit 9\"` shows what events say",
            settings.event, settings.property, settings.treated, settings.control
        )));
    }
    let mut people: HashMap<i64, Assigned> = HashMap::new();
    let mut both = hashbrown::HashSet::new();
    for (person, at, treated) in told {
        let first = people.entry(person).or_insert(Assigned {
            treated,
            at,
            exposed: false,
            since: Credit::default(),
            before: Credit::default(),
        });
        if first.treated != treated {
            both.insert(person);
        }
    }
    Ok((people, both.len() as u64))
}

/// Adds up what people did after, and just before, their assignment.
async fn outcomes(
    session: &Session,
    goal: &str,
    query: &PathQuery,
    zone: &str,
    settings: &ExperimentSettings,
    until: Micros,
    people: &mut HashMap<i64, Assigned>,
) -> Result<()> {
    let days = day_bounds("occurred_at", query.from, query.to, zone)?;
    let days = if days.is_empty() { "TRUE".to_owned() } else { days.join(" AND ") };
    // Paths carry every conversion, and a refund that found no order as value without one.
    let sql = format!(
        "SELECT person_id, occurred_at, value, conversions, ({days}) FROM paths \
         WHERE goal = {} AND bucket >= 0 AND (conversions <> 0 OR value <> 0) AND ({})",
        quoted(goal),
        query.condition.as_deref().unwrap_or("TRUE")
    );
    for batch in session.sql(&sql).await?.collect().await? {
        let person = batch.column(0).as_primitive::<Int64Type>();
        let at = batch.column(1).as_primitive::<TimestampMicrosecondType>();
        let [value, conversions] = [2, 3].map(|index| batch.column(index).as_primitive::<Float64Type>());
        let is_asked = batch.column(4).as_boolean();
        for row in 0..batch.num_rows() {
            let Some(one) = people.get_mut(&person.value(row)) else { continue };
            let at = at.value(row);
            let earliest = one.at - Micros::from(settings.days_before) * DAY_US;
            let sums = if at >= one.at && at < until {
                if !is_asked.value(row) {
                    continue;
                }
                &mut one.since
            } else if at >= earliest && at < one.at {
                &mut one.before
            } else {
                continue;
            };
            sums.conversions += conversions.value(row);
            sums.value += value.value(row);
        }
    }
    Ok(())
}

/// Notes who met the channels after the assignment.
async fn exposures(
    session: &Session,
    settings: &ExperimentSettings,
    until: Micros,
    people: &mut HashMap<i64, Assigned>,
) -> Result<()> {
    let channels: Vec<String> = settings.channels.iter().map(|channel| quoted(channel)).collect();
    let sql = format!("SELECT person_id, occurred_at FROM touchpoints WHERE channel IN ({})", channels.join(", "));
    for batch in session.sql(&sql).await?.collect().await? {
        let person = batch.column(0).as_primitive::<Int64Type>();
        let at = batch.column(1).as_primitive::<TimestampMicrosecondType>();
        for row in 0..batch.num_rows() {
            if let Some(one) = people.get_mut(&person.value(row)) {
                one.exposed |= at.value(row) >= one.at && at.value(row) < until;
            }
        }
    }
    Ok(())
}

fn arm<'a>(people: impl Iterator<Item = &'a Assigned>, settings: &ExperimentSettings) -> Arm {
    let before = || (settings.days_before > 0).then(Before::default);
    let empty = || Measure { before: before(), ..Measure::default() };
    let mut arm = Arm { people: 0.0, exposed: Some(0.0), converters: 0.0, conversions: empty(), value: empty() };
    let add = |measure: &mut Measure, since: f64, earlier: f64| {
        measure.sum += since;
        measure.squares += since * since;
        if let Some(before) = &mut measure.before {
            before.sum += earlier;
            before.squares += earlier * earlier;
            before.product += earlier * since;
        }
    };
    // Sums do not depend on the order of a hash table.
    let mut all: Vec<&Assigned> = people.collect();
    all.sort_by(|a, b| {
        (a.at, a.since.value, a.before.value)
            .partial_cmp(&(b.at, b.since.value, b.before.value))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    for one in all {
        arm.people += 1.0;
        arm.exposed = arm.exposed.map(|exposed| exposed + f64::from(u8::from(one.exposed)));
        arm.converters += f64::from(u8::from(one.since.conversions > 0.0));
        add(&mut arm.conversions, one.since.conversions, one.before.conversions);
        add(&mut arm.value, one.since.value, one.before.value);
    }
    arm
}
