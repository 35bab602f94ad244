//! `safar overview`: the figures of a period beside those of the period before.
use super::{
    Answer, Note, Scope,
    answer::{numbers, ratio, texts},
    scope::{day_of, extent},
    walks::{Distinct, each_walk},
};
use crate::{Error, Result, Workspace};
use arrow::{
    array::{Array, AsArray},
    compute::cast,
    datatypes::{DataType, Float64Type},
};
use jiff::civil::Date;
use safar_engine::{Session, quoted};

/// The figures of one period, in the order of [`KPIS`].
type Figures = [Option<f64>; 7];

/// Name and unit of every figure; money is in the workspace's currency.
const KPIS: [(&str, &str); 7] = [
    ("people", "people"),
    ("sessions", "sessions"),
    ("conversions", "conversions"),
    ("value", "money"),
    ("conversion_rate", "percent"),
    ("average_value", "money"),
    ("unattributed_share", "percent"),
];

/// Rows `kpi, value, previous, change, unit`: the figures of the period and of as many days before it. `change` is value ÷
/// previous − 1, null where previous is 0 or there is no period before. Without days the period is all of the data, and
/// nothing comes before it; `previous` is null, too, where the days before are all before the first of the data.
///
/// - `people`: who had a touchpoint other than an impression, or a conversion of the goal. Ready paths know no people.
/// - `conversions`, `value`: of the goal, net of refunds.
/// - `conversion_rate`: people who reached the goal ÷ people; null for ready paths. `average_value`: value ÷ conversions.
/// - `unattributed_share`: conversions without a touch in the look-back window ÷ conversions.
///
/// # Errors
/// When the goal or the condition does not fit, or the tables cannot be read.
pub async fn overview(workspace: &Workspace, session: &Session, scope: &Scope) -> Result<Answer> {
    let goal = scope.goal(workspace, session).await?;
    let days = scope.days(workspace, session, &goal).await?;
    let asked = scope.from.is_some() || scope.to.is_some();
    let first = match extent(session, Some(&goal)).await? {
        Some((first, _)) => Some(day_of(first, &workspace.settings().workspace.time_zone)?),
        None => None,
    };
    let wanted = days.filter(|_| asked).map(|(from, to)| days_before(from, to)).transpose()?;
    let before = wanted.filter(|(_, end)| first.is_some_and(|first| first < *end));
    let now = match days {
        Some((from, to)) => figures(workspace, session, &goal, scope, from, to).await?,
        None => [None; 7],
    };
    let previous = match before {
        Some((from, to)) => figures(workspace, session, &goal, scope, from, to).await?,
        None => [None; 7],
    };
    let change = now.iter().zip(&previous).map(|(now, before)| Some(ratio((*now)?, (*before)?)? - 1.0));
    let currency = workspace.settings().workspace.currency.as_str();
    let units = KPIS.iter().map(|(_, unit)| if *unit == "money" { currency } else { unit });
    let mut answer = Answer::new([
        ("kpi", texts(KPIS.map(|(name, _)| name))),
        ("value", numbers(now)),
        ("previous", numbers(previous)),
        ("change", numbers(change)),
        ("unit", texts(units)),
    ])?
    .note(Note::Goal { goal });
    if let Some((from, to)) = days {
        let [from, to] = [from, to].map(|day| day.to_string());
        answer = answer.note(match before {
            Some((start, end)) => {
                Note::Periods { from, to, before_from: start.to_string(), before_to: end.to_string() }
            }
            None if asked => Note::PeriodAlone { from, to },
            None => Note::AllData { from, to },
        });
    }
    if let (Some((start, _)), Some(first)) = (before, first)
        && start < first
    {
        answer = answer.note(Note::DataBegin { first: first.to_string() });
    }
    Ok(answer)
}

/// As many days before.
fn days_before(from: Date, to: Date) -> Result<(Date, Date)> {
    let start = from.checked_sub(to - from).map_err(|e| Error::Request(format!("days before {from}: {e}")))?;
    Ok((start, from))
}

async fn figures(
    workspace: &Workspace,
    session: &Session,
    goal: &str,
    scope: &Scope,
    from: Date,
    to: Date,
) -> Result<Figures> {
    let scope = Scope { from: Some(from), to: Some(to), ..scope.clone() };
    let goal = quoted(goal);
    let within = scope.sql("occurred_at", workspace, session).await?;
    let started = scope.sql("started_at", workspace, session).await?;
    let people = one(
        session,
        &format!(
            "SELECT count(*) FROM (SELECT person_id FROM touchpoints WHERE interaction <> 'impression' AND {within} \
             UNION SELECT person_id FROM conversions WHERE goal = {goal} AND {within})"
        ),
    )
    .await?;
    let sessions = one(session, &format!("SELECT count(*) FROM sessions WHERE {started}")).await?;
    let (mut conversions, mut value, mut unattributed, mut converted) = (0.0, 0.0, 0.0, Distinct::default());
    let mut ready = false;
    each_walk(session, &format!("goal = {goal} AND {within}"), None, |walk| {
        conversions += walk.conversions;
        value += walk.value;
        ready |= walk.person.is_none();
        if walk.length == 0 {
            unattributed += walk.conversions;
        }
        if let Some(person) = walk.person.filter(|_| walk.conversions > 0.0) {
            converted.see(person);
        }
    })
    .await?;
    let people = people.unwrap_or(0.0);
    Ok([
        Some(people),
        sessions,
        Some(conversions),
        Some(value),
        ratio(converted.people as f64, people).filter(|_| !ready),
        ratio(value, conversions),
        ratio(unattributed, conversions),
    ])
}

/// The number that a query gives.
async fn one(session: &Session, sql: &str) -> Result<Option<f64>> {
    let batches = session.sql(sql).await?.collect().await?;
    let Some(batch) = batches.iter().find(|batch| batch.num_rows() > 0) else { return Ok(None) };
    let column = cast(batch.column(0), &DataType::Float64)?;
    let column = column.as_primitive::<Float64Type>();
    Ok(column.is_valid(0).then(|| column.value(0)))
}
