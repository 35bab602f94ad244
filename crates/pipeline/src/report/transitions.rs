//! `safar flow`: from which channel people go to which, with loops and dwell times.
use super::{
    Answer, Note, PathQuery,
    answer::{flags, maybe_counts, numbers, ratio, texts},
    median::Median,
    names::Names,
    walks::{Distinct, Walk, each_walk},
};
use crate::{Result, Workspace};
use hashbrown::HashMap;
use safar_engine::Session;
use safar_model::ChannelId;

/// Where every path begins.
pub const START: &str = "(start)";
/// Where converting paths end.
pub const CONVERSION: &str = "(conversion)";
/// Where the others end.
pub const NO_CONVERSION: &str = "(no conversion)";

/// The names of the ends: where paths begin, and where they end that converted and that did not.
pub(super) fn ends(names: &mut Names) -> [ChannelId; 3] {
    [START, CONVERSION, NO_CONVERSION].map(|name| names.id(name))
}

/// Shows `look` each step of a path as often as there are kinds of end that it came to: the weight, the place of the touch that
/// it leads to, from where and to where.
pub(super) fn each_step(walk: &Walk<'_>, ends: [ChannelId; 3], mut look: impl FnMut(f64, usize, ChannelId, ChannelId)) {
    for (weight, end) in [(walk.conversions, ends[1]), (walk.nulls, ends[2])] {
        if weight > 0.0 {
            for place in 0..=walk.channels.len() {
                let from = if place == 0 { ends[0] } else { walk.channels[place - 1] };
                look(weight, place, from, walk.channels.get(place).copied().unwrap_or(end));
            }
        }
    }
}

/// All steps from one place to another.
#[derive(Default)]
struct Arrow {
    people: Distinct,
    count: f64,
    returns: f64,
    dwell: Median,
}

/// Rows `from, to, people, count, share, is_loop, returns, median_seconds`: steps from touch to touch along the paths to the
/// goal, and from and to their ends ([`START`], [`CONVERSION`], [`NO_CONVERSION`]); the most frequent first.
///
/// - `people`: different people who took the step; null where ready paths took it, too, whose people nobody knows.
/// - `count`: how often it was taken; along every path as often as the path was walked, so that as many steps lead to a channel
///   as lead away from it. `share`: of all steps from there.
/// - `is_loop`: from a channel to itself. `returns`: steps to a channel that stood before on the same path.
/// - `median_seconds`: from the one touch to the other, or to the conversion, over steps whose times are known.
///
/// # Errors
/// When the goal or the condition does not fit, or the tables cannot be read.
pub async fn transitions(workspace: &Workspace, session: &Session, query: &PathQuery) -> Result<Answer> {
    let goal = query.goal(workspace, session).await?;
    let condition = query.sql(&goal, &workspace.settings().workspace.time_zone)?;
    let mut names = Names::default();
    let ends = ends(&mut names);
    let mut arrows: HashMap<(ChannelId, ChannelId), Arrow> = HashMap::new();
    let mut ready = false;
    each_walk(session, &condition, Some(&mut names), |walk| {
        ready |= walk.person.is_none();
        each_step(&walk, ends, |weight, place, from, to| {
            let arrow = arrows.entry((from, to)).or_default();
            arrow.count += weight;
            if let Some(person) = walk.person {
                arrow.people.see(person);
            }
            if walk.channels[..place].contains(&to) {
                arrow.returns += weight;
            }
            let before = place.checked_sub(1).and_then(|before| walk.ages.get(before));
            let after = if to == ends[1] { Some(&0) } else { walk.ages.get(place) };
            if let (Some(before), Some(after)) = (before, after) {
                arrow.dwell.add(before - after);
            }
        });
    })
    .await?;
    let mut away: HashMap<ChannelId, f64> = HashMap::new();
    for ((from, _), arrow) in &arrows {
        *away.entry(*from).or_default() += arrow.count;
    }
    let name = |id: ChannelId| names.names[id.0 as usize].as_str();
    let mut rows: Vec<((ChannelId, ChannelId), Arrow)> = arrows.into_iter().collect();
    rows.sort_by(|((a, b), x), ((c, d), y)| {
        y.count.total_cmp(&x.count).then_with(|| (name(*a), name(*b)).cmp(&(name(*c), name(*d))))
    });
    let medians: Vec<_> = rows.iter_mut().map(|(_, arrow)| arrow.dwell.seconds()).collect();
    Answer::new([
        ("from", texts(rows.iter().map(|((from, _), _)| name(*from)))),
        ("to", texts(rows.iter().map(|((_, to), _)| name(*to)))),
        ("people", maybe_counts(rows.iter().map(|(_, arrow)| (!ready).then_some(arrow.people.people)))),
        ("count", numbers(rows.iter().map(|(_, arrow)| Some(arrow.count)))),
        ("share", numbers(rows.iter().map(|((from, _), arrow)| ratio(arrow.count, *away.get(from)?)))),
        ("is_loop", flags(rows.iter().map(|((from, to), _)| from == to))),
        ("returns", numbers(rows.iter().map(|(_, arrow)| Some(arrow.returns)))),
        ("median_seconds", numbers(medians)),
    ])?
    .unit("people", &["people"])?
    .unit("percent", &["share"])?
    .unit("seconds", &["median_seconds"])
    .map(|answer| answer.note(Note::Goal { goal }))
}
