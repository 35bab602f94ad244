//! `safar people preview`: what other identity rules would make of people and of credits, without storing anything.
use super::super::{
    Answer, Dimension, Modelling, PathQuery, UNATTRIBUTED,
    answer::{counts, numbers, texts},
    attribute::attribute_in,
};
use crate::{
    Error, Result, Workspace,
    build::{
        Scope,
        journeys::{Done, TABLES, Walk},
        orders,
        people::{People, graph, is_one_of, old_map},
        reenrich,
        state::State,
    },
    report::AttributionReport,
};
use arrow::array::RecordBatch;
use datafusion::{
    catalog::{MemorySchemaProvider, SchemaProvider},
    datasource::MemTable,
    prelude::col,
};
use hashbrown::HashSet;
use safar_engine::Session;
use safar_identity::{IdentitySettings, MapChange, PersonMap, Regrouped};
use safar_journey::SharedOrders;
use safar_model::Table;
use std::{collections::BTreeMap, sync::Arc};

/// What other rules would make of a workspace.
#[derive(Clone, Debug)]
pub struct Preview {
    /// What becomes of people, in full.
    pub change: MapChange,
    /// People whose journeys would be rebuilt.
    pub rebuilt: u64,
    /// Rows `change, people_before, people_after, identifiers, example`: merged, split and moved people and moved devices, the
    /// largest first; at most as many of each as were asked for. The notes say how many there are.
    pub people: Answer<String>,
    /// Rows `model, channel, conversions_before, conversions_after, conversions_change, value_before, value_after,
    /// value_change`; what no touch earned is a row of its own.
    pub credits: Answer<String>,
}

/// What `rules` would make of the people that the last build made by the `[identity]` it had, and of the credits of `models`
/// for `query`. At most `examples` of each kind of change are shown; 0 shows all.
///
/// # Errors
/// When the last build does not know all data or other settings, so that not everything that differs would be the rules'
/// doing; when the rules cannot work, or the tables cannot be read.
pub async fn preview(
    workspace: &Workspace,
    rules: &IdentitySettings,
    modelling: &Modelling,
    query: &PathQuery,
    examples: usize,
) -> Result<Preview> {
    let session = super::super::session(workspace).await?;
    let (state, settings) = built(workspace, &session).await?;
    let (now, _) = graph(&session, &settings).await?;
    let old = now.resolve().map;
    drop(now);
    if !PersonMap::diff(&old_map(&session, &settings).await?, &old).is_empty() {
        return Err(out_of_date());
    }
    let (then, blocked) = graph(&session, rules).await?;
    let new = then.resolve();
    drop(then);
    let changed: Arc<HashSet<i64>> = Arc::new(PersonMap::diff(&old, &new.map).into_iter().collect());
    let is_device = |namespace: &str| settings.rule(namespace).device || rules.rule(namespace).device;
    let change = PersonMap::change(&old, &new.map, is_device);
    let people = table(&change, examples)?;
    let people = people.note(format!("{} people keep their identifiers", change.kept)).note(format!(
        "{} pairs of identifiers would be kept apart because joining them would break a rule; {blocked} links would be left out because an identifier is blocked",
        new.conflicts.len()
    ));
    let before = attribute_in(workspace, &session, modelling, &Dimension::Channel, query).await?;
    let with_new = Arc::new(People::with_map(new.map));
    let orders = orders::shared(workspace, &session, &with_new, &state.shared_orders).await?;
    let changed: Arc<HashSet<i64>> = Arc::new(changed.iter().copied().chain(orders.changed).collect());
    let future = future(workspace, &session, &with_new, &changed, &orders.shared).await?;
    let after = attribute_in(workspace, &future, modelling, &Dimension::Channel, query).await?;
    let credits = credits(&before, &after, &workspace.settings().workspace.currency)?;
    let rebuilt = changed.len() as u64;
    Ok(Preview { change, rebuilt, people, credits })
}

fn out_of_date() -> Error {
    Error::Request(
        "the last build does not know all links, events and settings: `safar build` first, so that the preview shows what identity rules change and nothing else\n  hint: `--settings FILE` tries the rules of another file".to_owned(),
    )
}

/// The state of the last build, which must know every event and every setting but those of identity, and its `[identity]`.
async fn built(workspace: &Workspace, session: &Session) -> Result<(State, IdentitySettings)> {
    let state = State::read(workspace)?.ok_or_else(out_of_date)?;
    let now = State::of(workspace)?;
    let files = workspace.store().files(session.snapshot(), Table::Events).await?;
    let known = files.iter().all(|file| state.event_files.contains(&file.name));
    let is_current = known && state.begun.is_none() && state.journeys == now.journeys;
    if !is_current || !reenrich::is_current(workspace, &workspace.enricher()?)? {
        return Err(out_of_date());
    }
    let settings = serde_json::from_value(state.identity.clone()).map_err(|_| out_of_date())?;
    Ok((state, settings))
}

/// A session that sees journeys as `people` would have them; `changed` are those who differ.
async fn future(
    workspace: &Workspace,
    session: &Session,
    people: &Arc<People>,
    changed: &Arc<HashSet<i64>>,
    orders: &SharedOrders,
) -> Result<Session> {
    let future = workspace.engine()?.session(session.snapshot())?;
    let walk = Walk { workspace, session: &future, people, orders };
    let scope = Scope::Only(Arc::clone(changed));
    let mut fresh: [Vec<RecordBatch>; TABLES.len()] = Default::default();
    let mut done = Done::default();
    walk.run(&scope, &mut done, |table, batch| {
        fresh[table].push(batch);
        Ok(())
    })
    .await?;
    let tables = MemorySchemaProvider::new();
    for (table, fresh) in TABLES.into_iter().zip(fresh) {
        let kept = future.table(table).await?.filter(is_one_of(changed, col("person_id")).is_false())?;
        let fresh = future.context().read_table(Arc::new(MemTable::try_new(table.schema(), vec![fresh])?))?;
        tables.register_table(table.name().to_owned(), kept.union(fresh)?.into_view())?;
    }
    let names = future.context().copied_config().options().catalog.clone();
    let catalog = future.context().catalog(&names.default_catalog).ok_or_else(out_of_date)?;
    catalog.register_schema(&names.default_schema, Arc::new(tables))?;
    Ok(future)
}

/// One row of the table of people.
struct Row {
    kind: &'static str,
    before: u64,
    after: u64,
    identifiers: u64,
    example: String,
}

fn table(change: &MapChange, examples: usize) -> Result<Answer<String>> {
    let most = if examples == 0 { usize::MAX } else { examples };
    let (mut rows, mut notes) = (Vec::new(), Vec::new());
    for (kind, groups) in [("merged", &change.merged), ("split", &change.split), ("moved", &change.moved)] {
        let mut groups: Vec<&Regrouped> = groups.iter().collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.identifiers.len()));
        let [before, after] = [|group: &&Regrouped| group.before.len(), |group: &&Regrouped| group.after.len()]
            .map(|of| groups.iter().map(of).sum::<usize>());
        if !groups.is_empty() {
            notes.push(format!("{kind}: {before} people would be {after}{}", shown(groups.len(), most)));
        }
        rows.extend(groups.into_iter().take(most).map(|group| Row {
            kind,
            before: group.before.len() as u64,
            after: group.after.len() as u64,
            identifiers: group.identifiers.len() as u64,
            example: some(group.identifiers.iter()),
        }));
    }
    let devices = change.devices.len();
    if devices > 0 {
        notes.push(format!("{devices} devices would belong to somebody else at some time{}", shown(devices, most)));
    }
    rows.extend(change.devices.iter().take(most).map(|device| {
        let owners = |steps: &[(i64, i64)]| steps.iter().map(|step| step.1).collect::<HashSet<_>>().len() as u64;
        let (before, after) = (owners(&device.before), owners(&device.after));
        let example = format!("{}:{}", device.namespace, device.identifier);
        Row { kind: "device", before, after, identifiers: 1, example }
    }));
    let mut answer = Answer::new([
        ("change", texts(rows.iter().map(|row| row.kind))),
        ("people_before", counts(rows.iter().map(|row| row.before))),
        ("people_after", counts(rows.iter().map(|row| row.after))),
        ("identifiers", counts(rows.iter().map(|row| row.identifiers))),
        ("example", texts(rows.iter().map(|row| &row.example))),
    ])?;
    answer.notes = notes;
    Ok(answer)
}

fn shown(all: usize, most: usize) -> String {
    if all > most { format!(", {most} of {all} are shown") } else { String::new() }
}

/// The first identifiers of a group, and how many more there are.
fn some<'a>(identifiers: impl ExactSizeIterator<Item = &'a (String, String)>) -> String {
    const SHOWN: usize = 4;
    let more = identifiers.len().saturating_sub(SHOWN);
    let first: Vec<String> = identifiers.take(SHOWN).map(|(namespace, id)| format!("{namespace}:{id}")).collect();
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", first.join(", "))
}

/// Credits by model and channel, before and after; a model that only one side can fit has nothing on the other.
fn credits(before: &AttributionReport, after: &AttributionReport, currency: &str) -> Result<Answer<String>> {
    let mut models: Vec<String> = Vec::new();
    let mut found: BTreeMap<(usize, String), [f64; 4]> = BTreeMap::new();
    for (side, report) in [before, after].into_iter().enumerate() {
        for attribution in &report.models {
            let name = attribution.model.to_string();
            let model = models.iter().position(|known| *known == name).unwrap_or_else(|| {
                models.push(name);
                models.len() - 1
            });
            let rest = (UNATTRIBUTED, &attribution.unattributed);
            for (label, credit) in report.labels.iter().map(String::as_str).zip(&attribution.credits).chain([rest]) {
                let row = found.entry((model, label.to_owned())).or_default();
                row[side] = credit.conversions;
                row[2 + side] = credit.value;
            }
        }
    }
    let mut rows: Vec<_> = found.into_iter().collect();
    // The channels that change most first, model by model.
    rows.sort_by(|((x, a), p), ((y, b), q)| {
        let change = |row: &[f64; 4]| (row[1] - row[0]).abs();
        x.cmp(y).then_with(|| change(q).total_cmp(&change(p))).then_with(|| a.cmp(b))
    });
    let column = |of: &dyn Fn(&[f64; 4]) -> f64| numbers(rows.iter().map(|row| Some(of(&row.1))));
    Answer::new([
        ("model", texts(rows.iter().map(|((model, _), _)| &models[*model]))),
        ("channel", texts(rows.iter().map(|((_, channel), _)| channel))),
        ("conversions_before", column(&|row| row[0])),
        ("conversions_after", column(&|row| row[1])),
        ("conversions_change", column(&|row| row[1] - row[0])),
        ("value_before", column(&|row| row[2])),
        ("value_after", column(&|row| row[3])),
        ("value_change", column(&|row| row[3] - row[2])),
    ])?
    .unit(currency, &["value_before", "value_after", "value_change"])
}
