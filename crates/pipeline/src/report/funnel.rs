//! `safar funnel`: how many people get through a list of steps, and where the others go.
use super::{
    Answer, Nodes, Note, Scope, Step,
    answer::{counts, maybe_counts, numbers, ratio, texts},
    events::{Seen, Wanted, conditions, each_person},
    median::Median,
    names::Names,
};
use crate::{Error, Result, Workspace};
use hashbrown::HashMap;
use safar_engine::Session;
use safar_journey::funnel::{Act, Funnel, Order, Reached};
use safar_model::{ChannelId, DAY_US};

/// What is done after which nothing comes.
pub const NOTHING_MORE: &str = "(nothing more)";

/// What a funnel asks for.
#[derive(Clone, Debug)]
pub struct FunnelQuery {
    /// Whom and which days: events of these days count.
    pub scope: Scope,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// Events that end every attempt under way.
    pub exclude: Vec<Step>,
    /// In which order steps must come.
    pub order: Order,
    /// Whether people may enter at any step.
    pub open: bool,
    /// The longest time from an attempt's first step to its last, in days of 24 hours.
    pub window_days: u32,
}

impl FunnelQuery {
    fn funnel(&self) -> Result<Funnel> {
        Ok(Funnel::new(self.steps.len(), self.order, self.open, i64::from(self.window_days) * DAY_US)?)
    }

    fn wanted(&self, workspace: &Workspace, nodes: Option<Nodes>) -> Result<Wanted<'_>> {
        let all: Vec<&Step> = self.steps.iter().chain(&self.exclude).collect();
        let between = self.order == Order::Strict;
        Ok(Wanted { scope: &self.scope, conditions: conditions(workspace, &all)?, nodes, between })
    }

    fn acts(&self, seen: &[Seen], acts: &mut Vec<Act>) {
        let steps = (1_u32 << self.steps.len()) - 1;
        acts.clear();
        acts.extend(seen.iter().map(|seen| Act {
            at: seen.at,
            steps: seen.met & steps,
            excluded: seen.met & !steps != 0,
        }));
    }

    pub(super) fn name(&self, step: usize) -> String {
        match self.order {
            Order::Any => format!("{} of {} steps", step + 1, self.steps.len()),
            _ => self.steps[step].name.clone(),
        }
    }

    fn rule(&self) -> Note {
        let order = match self.order {
            Order::Ordered => "ordered",
            Order::Strict => "strict",
            Order::Any => "any",
        };
        Note::Funnel { order, open: self.open, days: self.window_days }
    }

    fn dropped(&self, step: usize, people: u64) -> Note {
        Note::Dropped { people, step: self.name(step) }
    }
}

/// Shows `look` which steps everyone of the scope reached.
pub(super) async fn each_reached(
    workspace: &Workspace,
    session: &Session,
    query: &FunnelQuery,
    mut look: impl FnMut(i64, &[Option<Reached>]),
) -> Result<()> {
    let funnel = query.funnel()?;
    let mut acts = vec![];
    let wanted = query.wanted(workspace, None)?;
    each_person(workspace, session, wanted, &mut Names::default(), |person, seen, _| {
        query.acts(seen, &mut acts);
        look(person, &funnel.of(&acts));
    })
    .await
}

/// Whether somebody who reached `step` did not come to the next one from there.
fn is_dropped(reached: &[Option<Reached>], step: usize) -> bool {
    let went_on = reached.get(step + 1).copied().flatten().is_some_and(|next| next.since.is_some());
    reached[step].is_some() && !went_on
}

/// Rows `step, people, entered, share_of_first, share_of_previous, median_seconds, dropped`, one for each step.
///
/// - `people`: who reached the step. `entered`: of them, who did not come from the step before.
/// - `share_of_first`: people ÷ people of the first step; null in an open funnel where nobody was there.
/// - `share_of_previous`: people who came from the step before ÷ its people.
/// - `median_seconds`: from the step before, over those who came from there.
/// - `dropped`: people of this step who did not come to the next one from here; null for the last step.
///
/// Whoever goes through several times counts once. See [`Funnel`] for what an attempt is.
///
/// # Errors
/// When steps do not fit, or the tables cannot be read.
pub async fn funnel(workspace: &Workspace, session: &Session, query: &FunnelQuery) -> Result<Answer> {
    let steps = query.steps.len();
    let (mut people, mut entered, mut dropped) = (vec![0_u64; steps], vec![0_u64; steps], vec![0_u64; steps]);
    let mut since = vec![Median::default(); steps];
    each_reached(workspace, session, query, |_, reached| {
        for (step, one) in reached.iter().enumerate() {
            let Some(one) = one else { continue };
            people[step] += 1;
            match one.since {
                Some(micros) => since[step].add(micros),
                None => entered[step] += 1,
            }
            dropped[step] += u64::from(is_dropped(reached, step));
        }
    })
    .await?;
    let share = |step: usize, of: Option<usize>| ratio(people[step] as f64, people[of?] as f64);
    let came = |step: usize| ratio((people[step] - entered[step]) as f64, people[step.checked_sub(1)?] as f64);
    Answer::new([
        ("step", texts((0..steps).map(|step| query.name(step)))),
        ("people", counts(people.iter().copied())),
        ("entered", counts(entered.iter().copied())),
        ("share_of_first", numbers((0..steps).map(|step| share(step, Some(0))))),
        ("share_of_previous", numbers((0..steps).map(came))),
        ("median_seconds", numbers(since.iter_mut().map(Median::seconds))),
        ("dropped", maybe_counts(dropped.iter().enumerate().map(|(step, count)| (step + 1 < steps).then_some(*count)))),
    ])?
    .unit("people", &["people", "entered", "dropped"])?
    .unit("percent", &["share_of_first", "share_of_previous"])?
    .unit("seconds", &["median_seconds"])
    .map(|answer| answer.note(query.rule()))
}

/// Rows `next, people, share`: what those who dropped after `step` (from 1) did next, the most people first: the label of the
/// event that followed the one by which they reached it, or [`NOTHING_MORE`]. Everyone who dropped is in one row.
///
/// # Errors
/// When there is no such step or none after it, steps do not fit, or the tables cannot be read.
pub async fn dropouts(
    workspace: &Workspace,
    session: &Session,
    query: &FunnelQuery,
    step: usize,
    nodes: Nodes,
) -> Result<Answer> {
    let (funnel, step) = (query.funnel()?, dropped_at(query, step)?);
    let mut names = Names::default();
    let (mut next, mut acts) = (HashMap::<Option<ChannelId>, u64>::new(), vec![]);
    let wanted = query.wanted(workspace, Some(nodes))?;
    each_person(workspace, session, wanted, &mut names, |_, seen, _| {
        query.acts(seen, &mut acts);
        let reached = funnel.of(&acts);
        if let Some(Reached { act, .. }) = reached[step].filter(|_| is_dropped(&reached, step)) {
            *next.entry(seen[act + 1..].iter().find_map(|seen| seen.label)).or_default() += 1;
        }
    })
    .await?;
    let all: u64 = next.values().sum();
    let mut rows: Vec<(&str, u64)> = next
        .iter()
        .map(|(label, people)| (label.map_or(NOTHING_MORE, |label| names.names[label.0 as usize].as_str()), *people))
        .collect();
    rows.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    Answer::new([
        ("next", texts(rows.iter().map(|(name, _)| name))),
        ("people", counts(rows.iter().map(|(_, people)| *people))),
        ("share", numbers(rows.iter().map(|(_, people)| ratio(*people as f64, all as f64)))),
    ])?
    .unit("people", &["people"])?
    .unit("percent", &["share"])
    .map(|answer| answer.note(query.dropped(step, all)).note(query.rule()))
}

/// Rows `person_id`: who dropped after `step` (from 1), ascending.
///
/// # Errors
/// As [`dropouts`].
pub async fn dropped_people(
    workspace: &Workspace,
    session: &Session,
    query: &FunnelQuery,
    step: usize,
) -> Result<Answer> {
    let step = dropped_at(query, step)?;
    let mut people = vec![];
    each_reached(workspace, session, query, |person, reached| {
        if is_dropped(reached, step) {
            people.push(person);
        }
    })
    .await?;
    let count = people.len() as u64;
    let ids: arrow::array::ArrayRef = std::sync::Arc::new(arrow::array::Int64Array::from(people));
    Ok(Answer::new([("person_id", ids)])?.note(query.dropped(step, count)).note(query.rule()))
}

/// The step, from 0.
fn dropped_at(query: &FunnelQuery, step: usize) -> Result<usize> {
    match step.checked_sub(1) {
        Some(at) if step < query.steps.len() => Ok(at),
        _ => Err(Error::Request(format!(
            "nobody can drop after step {step} of {}; name one from 1 to {}",
            query.steps.len(),
            query.steps.len().saturating_sub(1)
        ))),
    }
}
