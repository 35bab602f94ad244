//! What other settings would do to what is stored, before anybody saves them.
use crate::{
    Result, Settings, Workspace,
    build::{
        people::People,
        reenrich::{Changes, changes_in},
    },
    report::session,
};
use arrow::array::{Array, AsArray};
use hashbrown::HashSet;
use safar_model::BUCKETS;
use std::collections::BTreeMap;

/// What a build with other settings would change. Channel rules are tried on every event; of other settings it is said that
/// they change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// Events that would get another source, medium, campaign or channel.
    pub events: u64,
    /// Whose they are.
    pub people: u64,
    /// Conversions of these people, of all goals: those whose credit can move.
    pub conversions: u64,
    /// From which channel to which, the most events first.
    pub moved: Vec<Moved>,
    /// What else would be built anew, and is not counted here.
    pub also: Vec<Rebuilt>,
}

/// Events that would go from one channel to another; the same one twice where only source, medium or campaign change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The channel now; none for events that are no touches.
    pub from: Option<String>,
    /// The channel then.
    pub to: Option<String>,
    /// How many.
    pub events: u64,
    /// Of how many people.
    pub people: u64,
}

/// What a change of settings builds anew, channel rules apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rebuilt {
    /// Everybody's journeys: sessions, goals, windows, time zone or currency change.
    Journeys,
    /// The people whose identifiers the new rules join or part.
    Identity,
    /// Credits: other models.
    Models,
}

/// Tries `new` settings on the published events, without storing anything; reads every event once.
///
/// # Errors
/// When a rule cannot be used, or the tables cannot be read.
pub async fn preview(workspace: &Workspace, new: &Settings) -> Result<Preview> {
    let now = workspace.settings();
    let mut found = Preview { also: also(now, new), ..Preview::default() };
    let enricher = workspace.enricher_by(new)?;
    if enricher.fingerprint() == workspace.enricher()?.fingerprint() {
        return Ok(found);
    }
    let session = session(workspace).await?;
    let people = People::published(&session, workspace).await?;
    let mut enricher = enricher.cached();
    let mut concerned: HashSet<i64> = HashSet::new();
    let mut moved: BTreeMap<(Option<String>, Option<String>), (u64, HashSet<i64>)> = BTreeMap::new();
    for bucket in 0..BUCKETS as i32 {
        changes_in(&session, &mut enricher, &people, bucket, |changes| {
            found.events += changes.people.len() as u64;
            for (row, person) in changes.people.iter().enumerate() {
                concerned.insert(*person);
                let (events, people) = moved.entry(channels(&changes, row)).or_default();
                *events += 1;
                people.insert(*person);
            }
        })
        .await?;
    }
    found.people = concerned.len() as u64;
    found.moved = moved
        .into_iter()
        .map(|((from, to), (events, people))| Moved { from, to, events, people: people.len() as u64 })
        .collect();
    found.moved.sort_by_key(|moved| std::cmp::Reverse(moved.events));
    crate::report::each(&session, "SELECT person_id FROM conversions", |batch| {
        let buyers = batch.column(0).as_primitive::<arrow::datatypes::Int64Type>().values();
        found.conversions += buyers.iter().filter(|person| concerned.contains(*person)).count() as u64;
    })
    .await?;
    Ok(found)
}

/// The channel of an event now and then.
fn channels(changes: &Changes<'_>, row: usize) -> (Option<String>, Option<String>) {
    let of = |batch: &arrow::array::RecordBatch| {
        let column = batch.column_by_name("channel")?.as_string_opt::<i32>()?;
        column.is_valid(row).then(|| column.value(row).to_owned())
    };
    (of(&changes.old), of(&changes.new))
}

fn also(now: &Settings, new: &Settings) -> Vec<Rebuilt> {
    let differs = |of: &dyn Fn(&Settings) -> serde_json::Result<serde_json::Value>| of(now).ok() != of(new).ok();
    let checks = [
        (Rebuilt::Journeys, differs(&|settings| serde_json::to_value(settings.journey_rules()))),
        (Rebuilt::Identity, differs(&|settings| serde_json::to_value(&settings.identity))),
        (Rebuilt::Models, now.attribution.models != new.attribution.models),
    ];
    checks.into_iter().filter(|(_, changes)| *changes).map(|(what, _)| what).collect()
}
