//! `safar export`: everything that is known of one person, for that person.
use super::{
    files, rejects,
    requests::Requests,
    rows::Rows,
    traces::Traces,
    who::{Found, Target, find},
};
use crate::{Error, Result, Workspace, report, report::strings};
use arrow::{
    array::BooleanArray, array::RecordBatch, compute::filter_record_batch, datatypes::DataType,
    json::LineDelimitedWriter,
};
use safar_model::Table;
use safar_store::{DataFile, Store};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Everything that is known of one person.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exported {
    /// In the order of reading: `identifiers` (with why they belong together), the rows of each table as they are stored
    /// (`events` …), `consent` (each change of what was agreed to), `reject_files`, `files` (rows of what was laid into the drop folder, and
    /// of the list of `[identity.matching]`) and `requests` (what the collector keeps).
    pub parts: Vec<(&'static str, Vec<Value>)>,
    /// What it is, and how much, as Markdown.
    pub summary: String,
}

impl Exported {
    /// The rows of a part.
    #[must_use]
    pub fn part(&self, name: &str) -> &[Value] {
        self.parts.iter().find(|(known, _)| *known == name).map_or(&[], |(_, rows)| rows)
    }

    /// One document of JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let parts = self.parts.iter().map(|(name, rows)| ((*name).to_owned(), Value::Array(rows.clone())));
        let mut all: Map<String, Value> = parts.collect();
        all.insert("summary".to_owned(), self.summary.clone().into());
        Value::Object(all)
    }
}

/// Gathers everything that is known of whoever `targets` name, as the last build knew them.
///
/// # Errors
/// When nobody is found by a number, when a device belonged to several people, or the tables cannot be read.
pub async fn export(workspace: &Workspace, targets: &[Target]) -> Result<Exported> {
    let (found, traces) = find(workspace, targets).await?;
    let requests = Requests::open(workspace)?;
    let mut parts = vec![("identifiers", identifiers(workspace, &found).await?)];
    let store = workspace.store();
    let snapshot = store.snapshot().await?;
    for table in Table::ALL.into_iter().filter(|table| *table != Table::Costs) {
        let files = store.files(&snapshot, table).await?;
        parts.push((table.name(), rows(store, table, &files, &traces, &requests)?));
    }
    let events = parts.iter().find(|(name, _)| *name == Table::Events.name());
    let consent = events.map(|(_, events)| consent(events)).unwrap_or_default();
    parts.push(("consent", consent));
    let files = rejects::export(workspace, &traces, &requests)?;
    parts.push(("reject_files", files.into_iter().map(|(file, cells)| json!({"file": file, "row": cells})).collect()));
    let files = files::export(workspace, &traces)?;
    parts.push(("files", files.into_iter().map(|(file, row)| json!({"file": file, "row": row})).collect()));
    parts.push(("requests", requests.export(&traces)?));
    let summary = summary(workspace, &found, &parts);
    Ok(Exported { parts, summary })
}

/// The identifiers, and why they belong to one person.
async fn identifiers(workspace: &Workspace, found: &Found) -> Result<Vec<Value>> {
    let mut why: BTreeMap<(String, String), String> = BTreeMap::new();
    let session = report::session(workspace).await?;
    for person in &found.people {
        // Somebody without a visit has no page, and nothing that ties them.
        let Ok(page) = report::person(workspace, &session, *person).await else { continue };
        let rows = &page.identifiers.rows;
        let [namespaces, ids, reasons] = [0, 1, 6].map(|index| strings(rows, index));
        for ((namespace, id), reason) in namespaces?.into_iter().zip(ids?).zip(reasons?) {
            why.insert((namespace.unwrap_or_default(), id.unwrap_or_default()), reason.unwrap_or_default());
        }
    }
    let instant = |micros: Option<i64>| {
        micros.and_then(|micros| Some(jiff::Timestamp::from_microsecond(micros).ok()?.to_string()))
    };
    let one = |own: &super::who::Own| {
        json!({
            "namespace": own.namespace,
            "identifier": own.identifier,
            "valid_from": instant(own.from),
            "valid_to": instant(own.to),
            "why": why.get(&(own.namespace.clone(), own.identifier.clone())),
        })
    };
    Ok(found.identifiers.iter().map(one).collect())
}

/// Their rows of a table, as JSON objects; columns that hold JSON as such.
fn rows(store: &Store, table: Table, files: &[DataFile], traces: &Traces, requests: &Requests) -> Result<Vec<Value>> {
    let of = Rows::of(table, traces, requests);
    let mut found = vec![];
    store.read(table, files, |batch| {
        let theirs: BooleanArray = of.theirs(batch).into_iter().map(Some).collect();
        if theirs.true_count() > 0 {
            objects(&filter_record_batch(batch, &theirs)?, &mut found)?;
        }
        Ok::<_, Error>(())
    })?;
    Ok(found)
}

fn objects(batch: &RecordBatch, found: &mut Vec<Value>) -> Result<()> {
    let mut lines = LineDelimitedWriter::new(vec![]);
    lines.write(batch)?;
    lines.finish()?;
    let read = |error: serde_json::Error| Error::Request(format!("a row cannot be written as JSON: {error}"));
    // A text column may hold JSON, or a text that only looks like it.
    let schema = batch.schema();
    let held = |name: &str| {
        ["items", "consent", "properties", "utm_custom"].contains(&name)
            && schema.field_with_name(name).is_ok_and(|field| field.data_type() == &DataType::Utf8)
    };
    for line in lines.into_inner().split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let mut row: Map<String, Value> = serde_json::from_slice(line).map_err(read)?;
        for (_, value) in row.iter_mut().filter(|(name, _)| held(name)) {
            if let Some(json) = value.as_str().and_then(|text| serde_json::from_str(text).ok()) {
                *value = json;
            }
        }
        found.push(row.into());
    }
    Ok(())
}

/// What was agreed to: the first statement and each that differs from the one before.
fn consent(events: &[Value]) -> Vec<Value> {
    let mut said: Vec<(&str, &Value, &Value)> = events
        .iter()
        .filter_map(|event| Some((event["occurred_at"].as_str()?, event.get("consent")?, &event["event_id"])))
        .collect();
    said.sort_by_key(|(at, ..)| *at);
    said.dedup_by_key(|(_, consent, _)| *consent);
    said.into_iter().map(|(at, consent, event)| json!({"at": at, "consent": consent, "event_id": event})).collect()
}

fn summary(workspace: &Workspace, found: &Found, parts: &[(&'static str, Vec<Value>)]) -> String {
    const ABOUT: [(&str, &str); 15] = [
        ("identifiers", "names under which the person is known, and why they belong together"),
        ("events", "everything that was told of the person, as it is stored"),
        ("identity_links", "statements that two identifiers are one person's"),
        ("persons", "which identifier is whose, and when"),
        ("person_events", "the events again, in the order of the person's journey"),
        ("sessions", "visits"),
        ("touchpoints", "contacts that may have led to a result"),
        ("conversions", "results, such as orders"),
        ("paths", "the contacts before each result"),
        ("credits", "what each model gives each contact"),
        ("rejects", "rows that could not be read"),
        ("consent", "what was agreed to, and each change of it"),
        ("reject_files", "the same rows in files"),
        ("files", "rows of files that were brought and are kept; without a row where the file falls into none"),
        ("requests", "what websites and apps sent and is kept for a while beside the tables"),
    ];
    let name = &workspace.settings().workspace.name;
    let mut text = format!(
        "# What is known of one person\n\n{}{}, {} identifiers. E-mail addresses and telephone numbers are kept as SHA-256 of \
         their usual form. Times are UTC.\n\n| part | rows | what it is |\n|---|---|---|\n",
        if name.is_empty() { String::new() } else { format!("{name}. ") },
        jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC"),
        found.identifiers.len(),
    );
    for (part, rows) in parts {
        let about = ABOUT.iter().find(|(name, _)| name == part).map_or("", |(_, about)| about);
        text.push_str(&format!("| {part} | {} | {about} |\n", rows.len()));
    }
    text
}
