//! `safar explore`: what people did after a start, or before they reached a goal.
use super::{
    Answer, Nodes, Note, Scope, Step,
    answer::{counts, texts},
    events::{Seen, Wanted, conditions, each_person},
    names::Names,
    transitions::START,
};
use crate::{Error, Result, Workspace};
use safar_engine::Session;
use safar_journey::explorer::{Explorer, Place};

/// Where walks end; looked at backwards, they begin at [`START`].
pub const END: &str = "(end)";
/// Steps that are not named.
pub const OTHERS: &str = "(others)";

/// Which way an exploration goes.
#[derive(Clone, Debug)]
pub enum Direction {
    /// What came after the events that meet the step.
    From(Step),
    /// What came before the events that meet the step, nearest first.
    Before(Step),
}

/// What an exploration asks for.
#[derive(Clone, Debug)]
pub struct ExplorerQuery {
    /// Whom and which days.
    pub scope: Scope,
    /// From where, and which way.
    pub direction: Direction,
    /// What steps are called.
    pub nodes: Nodes,
    /// How many steps are looked at, at least 1.
    pub depth: usize,
    /// How many of them are named at each distance.
    pub width: usize,
}

/// Rows `from_step, from, to, people, transitions`: how many people went from one step to the next, and how often, `from_step`
/// steps away from the start (or, backwards, from the goal: then `to` came before `from`).
///
/// - `people`: everyone who met the step once, with the first event that did.
/// - `transitions`: every event that met it is a beginning; those that follow each other without anything between are one.
///
/// A step that follows itself counts once. At each distance the steps of most people are named and all others are [`OTHERS`];
/// whoever did nothing more comes to [`END`] (backwards, whoever did nothing before: to [`START`]). So the people who come to a place are those who leave
/// it, and so are the transitions.
///
/// # Errors
/// When the step does not fit, depth is 0, or the tables cannot be read.
pub async fn explorer(workspace: &Workspace, session: &Session, query: &ExplorerQuery) -> Result<Answer> {
    if query.depth == 0 {
        return Err(Error::Request("a depth of 0 shows nothing; name 1 or more".to_owned()));
    }
    let (step, backwards) = match &query.direction {
        Direction::From(step) => (step, false),
        Direction::Before(step) => (step, true),
    };
    let mut names = Names::default();
    let anchor = names.id(&step.name);
    let mut found = Explorer::new(query.depth);
    let conditions = conditions(workspace, &[step])?;
    let wanted = Wanted { scope: &query.scope, conditions, nodes: Some(query.nodes), between: false };
    each_person(workspace, session, wanted, &mut names, |_, seen, _| {
        let is_same = |at: usize, other: &Seen| other.met != 0 && other.label == seen[at].label;
        let begins =
            |at: &usize| seen[*at].met != 0 && !at.checked_sub(1).is_some_and(|before| is_same(*at, &seen[before]));
        for (nth, at) in (0..seen.len()).filter(begins).enumerate() {
            let own = seen[at].label.map(|own| own.0);
            let (earlier, later) = (&seen[..at], &seen[at + 1..]);
            let (earlier, later) = if backwards { (earlier, &[][..]) } else { (&[][..], later) };
            let walk = earlier.iter().rev().chain(later).filter_map(|seen: &Seen| seen.label).map(|label| label.0);
            // What the start itself is called is the start as long as nothing else comes.
            let walk = std::iter::once(anchor.0).chain(walk.skip_while(|step| own == Some(*step)));
            if nth == 0 { found.add(walk) } else { found.add_again(walk) }
        }
    })
    .await?;
    let name = |step: u32| names.names.get(step as usize).map_or("", String::as_str);
    let flows = found.flows(query.width, name);
    let end = if backwards { START } else { END };
    let text = |place: Place| match place {
        Place::Step(step) => name(step),
        Place::Others => OTHERS,
        Place::End => end,
    };
    Answer::new([
        ("from_step", counts(flows.iter().map(|flow| flow.level as u64))),
        ("from", texts(flows.iter().map(|flow| text(flow.from)))),
        ("to", texts(flows.iter().map(|flow| text(flow.to)))),
        ("people", counts(flows.iter().map(|flow| flow.people))),
        ("transitions", counts(flows.iter().map(|flow| flow.transitions))),
    ])?
    .unit("people", &["people"])
    .map(|answer| {
        let explored = Note::Explored {
            people: found.people(),
            step: step.name.clone(),
            way: if backwards { "before" } else { "after" },
            depth: query.depth as u64,
            width: query.width as u64,
        };
        answer.note(explored).note(Note::Transitions)
    })
}
