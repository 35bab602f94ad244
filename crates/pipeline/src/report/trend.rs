//! `safar overview --show trend`: the figures of each day.
use super::{
    Answer, Note, Scope,
    answer::{counts, dates, numbers},
    scope::Days,
    walks::{Distinct, each_walk},
};
use crate::{Result, Workspace};
use arrow::{
    array::{AsArray, RecordBatch},
    datatypes::{Int64Type, TimestampMicrosecondType},
};
use futures::TryStreamExt;
use safar_engine::{Session, quoted};

/// What happened on one day.
#[derive(Clone, Default)]
struct Day {
    sessions: u64,
    people: Distinct,
    conversions: f64,
    value: f64,
}

/// Rows `day, sessions, people, conversions, value`: every day from the first to the last, those on which nothing happened
/// too. `people` had a touchpoint other than an impression on that day; conversions and value are the goal's.
///
/// # Errors
/// When the goal or the condition does not fit, the days are too many, or the tables cannot be read.
pub async fn trend(workspace: &Workspace, session: &Session, scope: &Scope) -> Result<Answer> {
    let goal = scope.goal(workspace, session).await?;
    let zone = &workspace.settings().workspace.time_zone;
    let days = match scope.days(workspace, session, &goal).await? {
        Some((from, to)) => Days::new(from, to, zone)?,
        None => Days::new(jiff::civil::Date::ZERO, jiff::civil::Date::ZERO, "UTC")?,
    };
    let mut found = vec![Day::default(); days.len()];
    let within = scope.sql("occurred_at", workspace, session).await?;
    let started = scope.sql("started_at", workspace, session).await?;
    each(session, &format!("SELECT started_at FROM sessions WHERE {started}"), |batch| {
        for at in batch.column(0).as_primitive::<TimestampMicrosecondType>().values() {
            if let Some(day) = days.index(*at) {
                found[day].sessions += 1;
            }
        }
    })
    .await?;
    let sql = format!(
        "SELECT occurred_at, person_id FROM touchpoints WHERE interaction <> 'impression' AND {within} ORDER BY person_id"
    );
    each(session, &sql, |batch| {
        let people = batch.column(1).as_primitive::<Int64Type>().values();
        for (at, person) in batch.column(0).as_primitive::<TimestampMicrosecondType>().values().iter().zip(people) {
            if let Some(day) = days.index(*at) {
                found[day].people.see(*person);
            }
        }
    })
    .await?;
    let condition = format!("goal = {} AND {within}", quoted(&goal));
    each_walk(session, &condition, None, |walk| {
        if let Some(day) = days.index(walk.at) {
            found[day].conversions += walk.conversions;
            found[day].value += walk.value;
        }
    })
    .await?;
    Answer::new([
        ("day", dates((0..days.len()).map(|index| days.date(index)))),
        ("sessions", counts(found.iter().map(|day| day.sessions))),
        ("people", counts(found.iter().map(|day| day.people.people))),
        ("conversions", numbers(found.iter().map(|day| Some(day.conversions)))),
        ("value", numbers(found.iter().map(|day| Some(day.value)))),
    ])?
    .unit("people", &["people"])?
    .unit(&workspace.settings().workspace.currency, &["value"])
    .map(|answer| answer.note(Note::GoalByDay { goal, zone: zone.clone() }))
}

/// Runs a query and looks at each batch.
pub(crate) async fn each(session: &Session, sql: &str, mut look: impl FnMut(&RecordBatch)) -> Result<()> {
    let mut stream = session.sql(sql).await?.execute_stream().await?;
    while let Some(batch) = stream.try_next().await? {
        look(&batch);
    }
    Ok(())
}
