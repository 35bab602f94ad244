//! `safar paths --show positions`: where on the way each channel stands.
use super::{
    Answer, Note, PathQuery,
    answer::{numbers, ratio, texts},
    names::Names,
    walks::each_walk,
};
use crate::{Result, Workspace};
use safar_engine::Session;

/// Which part of a path of `touches` touches the one at `place` (from 0) belongs to: 0 early, 1 middle, 2 late.
///
/// Google Analytics 4's attribution paths (support.google.com/analytics/answer/10596866): early is the first quarter and
/// late the last, each rounded up; the only touch of a path is late, and of two the first is early.
fn part(place: usize, touches: usize) -> usize {
    let quarter = touches.div_ceil(4);
    if place + quarter >= touches {
        2
    } else if place < quarter {
        0
    } else {
        1
    }
}

/// Rows `channel, touches, early, mid, late`: the touches of converting paths, each counted as often as its path converted, and
/// which parts of them came early, in the middle and late; the most touches first. The three parts sum to 1.
///
/// # Errors
/// When the goal or the condition does not fit, or the tables cannot be read.
pub async fn positions(workspace: &Workspace, session: &Session, query: &PathQuery) -> Result<Answer> {
    let goal = query.goal(workspace, session).await?;
    let condition = query.sql(&goal, &workspace.settings().workspace.time_zone)?;
    let mut names = Names::default();
    let mut found: Vec<[f64; 3]> = vec![];
    each_walk(session, &condition, Some(&mut names), |walk| {
        if walk.conversions > 0.0 {
            for (place, channel) in walk.channels.iter().enumerate() {
                let index = channel.0 as usize;
                if found.len() <= index {
                    found.resize(index + 1, [0.0; 3]);
                }
                found[index][part(place, walk.channels.len())] += walk.conversions;
            }
        }
    })
    .await?;
    let mut rows: Vec<(&str, [f64; 3], f64)> = names
        .names
        .iter()
        .zip(&found)
        .map(|(name, parts)| (name.as_str(), *parts, parts.iter().sum()))
        .filter(|(.., touches)| *touches > 0.0)
        .collect();
    rows.sort_by(|a, b| b.2.total_cmp(&a.2).then(a.0.cmp(b.0)));
    let share = |index: usize| numbers(rows.iter().map(|(_, parts, all)| ratio(parts[index], *all)));
    Answer::new([
        ("channel", texts(rows.iter().map(|(name, ..)| name))),
        ("touches", numbers(rows.iter().map(|(.., touches)| Some(*touches)))),
        ("early", share(0)),
        ("mid", share(1)),
        ("late", share(2)),
    ])?
    .unit("percent", &["early", "mid", "late"])
    .map(|answer| answer.note(Note::GoalByQuarters { goal }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarters_are_rounded_up_and_an_only_touch_is_late() {
        let parts = |touches| (0..touches).map(|place| part(place, touches)).collect::<Vec<_>>();
        assert_eq!(parts(1), [2]);
        assert_eq!(parts(2), [0, 2]);
        assert_eq!(parts(3), [0, 1, 2]);
        assert_eq!(parts(4), [0, 1, 1, 2]);
        assert_eq!(parts(5), [0, 0, 1, 2, 2]);
        assert_eq!(parts(8), [0, 0, 1, 1, 1, 1, 2, 2]);
    }
}
