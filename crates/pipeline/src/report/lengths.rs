//! `safar paths --show lengths` and `--show lags`: how many touches, and how much time, a conversion takes.
use super::{
    Answer, Note, PathQuery,
    answer::{maybe_counts, numbers, ratio},
    names::Names,
    walks::each_walk,
};
use crate::{Result, Workspace};
use safar_engine::Session;
use safar_model::DAY_US;
use std::collections::BTreeMap;

/// Rows `touches, conversions, value, nulls, conversion_rate`: paths by how many touches they have, the shortest first. The row
/// 0 is what no touch preceded. Sums are those of all paths.
///
/// # Errors
/// When the goal or the condition does not fit, or the tables cannot be read.
pub async fn path_lengths(workspace: &Workspace, session: &Session, query: &PathQuery) -> Result<Answer> {
    let goal = query.goal(workspace, session).await?;
    let condition = query.sql(&goal, &workspace.settings().workspace.time_zone)?;
    let mut found: BTreeMap<u64, [f64; 3]> = BTreeMap::new();
    each_walk(session, &condition, None, |walk| {
        let sums = found.entry(walk.length as u64).or_default();
        for (sum, part) in sums.iter_mut().zip([walk.conversions, walk.value, walk.nulls]) {
            *sum += part;
        }
    })
    .await?;
    let column = |index: usize| numbers(found.values().map(|sums| Some(sums[index])));
    Answer::new([
        ("touches", maybe_counts(found.keys().map(|touches| Some(*touches)))),
        ("conversions", column(0)),
        ("value", column(1)),
        ("nulls", column(2)),
        ("conversion_rate", numbers(found.values().map(|[hits, _, nulls]| ratio(*hits, hits + nulls)))),
    ])?
    .unit("percent", &["conversion_rate"])?
    .unit(&workspace.settings().workspace.currency, &["value"])
    .map(|answer| answer.note(Note::Goal { goal }))
}

/// Rows `days, conversions, value`: conversions by whole days of 24 hours from the first touch of their path. The row without
/// days holds conversions whose time is not known: no touch came before, or the path was imported without times. Sums are
/// those of all paths.
///
/// # Errors
/// When the goal or the condition does not fit, or the tables cannot be read.
pub async fn time_lags(workspace: &Workspace, session: &Session, query: &PathQuery) -> Result<Answer> {
    let goal = query.goal(workspace, session).await?;
    let condition = query.sql(&goal, &workspace.settings().workspace.time_zone)?;
    let mut found: BTreeMap<(bool, u64), [f64; 2]> = BTreeMap::new();
    let (mut untouched, mut untimed) = (0.0, 0.0);
    each_walk(session, &condition, Some(&mut Names::default()), |walk| {
        if walk.conversions == 0.0 && walk.value == 0.0 {
            return;
        }
        let days = walk.ages.first().and_then(|age| u64::try_from(age.div_euclid(DAY_US)).ok());
        if days.is_none() {
            *(if walk.length == 0 { &mut untouched } else { &mut untimed }) += walk.conversions;
        }
        let sums = found.entry((days.is_none(), days.unwrap_or(0))).or_default();
        sums[0] += walk.conversions;
        sums[1] += walk.value;
    })
    .await?;
    let column = |index: usize| numbers(found.values().map(|sums| Some(sums[index])));
    Answer::new([
        ("days", maybe_counts(found.keys().map(|(unknown, days)| (!unknown).then_some(*days)))),
        ("conversions", column(0)),
        ("value", column(1)),
    ])?
    .unit("days", &["days"])?
    .unit(&workspace.settings().workspace.currency, &["value"])
    .map(|answer| answer.note(Note::GoalWithoutDays { goal, untouched, untimed }))
}
