//! What came last, and whose it is.
use super::{
    Answer,
    answer::{instants, maybe_counts, maybe_texts},
    names::strings,
};
use crate::{Error, Result, Workspace, build::people::NAMESPACES};
use arrow::{
    array::{Array, ArrayRef, AsArray, Int64Array},
    datatypes::{Int64Type, TimestampMicrosecondType},
};
use hashbrown::HashSet;
use safar_engine::{Session, quoted};
use safar_identity::{EventIds, PersonMap, PersonRow};
use safar_model::Micros;
use std::sync::Arc;

/// Rows `time, name, channel, person_id, received`: the newest events that were received after `since`, at most `limit`, the
/// latest first. `received` is in microseconds after 1970; `person_id` is null for people whom no build has seen yet.
///
/// # Errors
/// When the tables cannot be read.
pub async fn newest_events(workspace: &Workspace, session: &Session, since: Micros, limit: usize) -> Result<Answer> {
    let columns = NAMESPACES.map(|(_, column)| column).join(", ");
    let sql = format!(
        "SELECT occurred_at, name, channel, CAST(received_at AS BIGINT) AS received, {columns} FROM events \
         WHERE CAST(received_at AS BIGINT) > {since} ORDER BY received_at DESC, occurred_at DESC, event_id LIMIT {limit}"
    );
    let found = <Answer>::of(session.sql(&sql).await?).await?.rows;
    let times = found.column(0).as_primitive::<TimestampMicrosecondType>();
    let received = found.column(3).as_primitive::<Int64Type>();
    let identifiers = (4..4 + NAMESPACES.len()).map(|index| strings(&found, index)).collect::<Result<Vec<_>>>()?;
    let people = people(workspace, session, &identifiers).await?;
    let rows = 0..found.num_rows();
    let person = |row: usize| {
        let text = |column: usize| identifiers[column][row].as_deref();
        let ids = EventIds {
            anonymous_id: text(0),
            user_id: text(1),
            email_hash: text(2),
            phone_hash: text(3),
            crm_id: text(4),
        };
        let (map, known) = &people;
        map.person_of(&ids, times.value(row)).filter(|person| known.contains(person))
    };
    let people: ArrayRef = Arc::new(rows.clone().map(person).collect::<Int64Array>());
    Answer::new([
        ("time", instants(rows.clone().map(|row| times.is_valid(row).then(|| times.value(row))))),
        ("name", maybe_texts(strings(&found, 1)?)),
        ("channel", maybe_texts(strings(&found, 2)?)),
        ("person_id", people),
        ("received", maybe_counts(rows.map(|row| u64::try_from(received.value(row)).ok()))),
    ])
}

/// The published people of these identifiers (by namespace, as [`NAMESPACES`] has them), and all their ids.
async fn people(
    workspace: &Workspace,
    session: &Session,
    identifiers: &[Vec<Option<String>>],
) -> Result<(PersonMap, HashSet<i64>)> {
    let parts: Vec<String> = NAMESPACES
        .iter()
        .zip(identifiers)
        .filter_map(|((namespace, _), texts)| {
            let texts: Vec<String> = texts.iter().flatten().map(|text| quoted(text)).collect();
            (!texts.is_empty()).then(|| format!("(namespace = '{namespace}' AND identifier IN ({}))", texts.join(", ")))
        })
        .collect();
    let filter = if parts.is_empty() { "FALSE".to_owned() } else { parts.join(" OR ") };
    let sql = format!("SELECT namespace, identifier, person_id, valid_from, valid_to FROM persons WHERE {filter}");
    let rows = <Answer>::of(session.sql(&sql).await?).await?.rows;
    let (namespaces, names) = (strings(&rows, 0)?, strings(&rows, 1)?);
    let person = rows.column(2).as_primitive::<Int64Type>();
    let [from, to] = [3, 4].map(|index| rows.column(index).as_primitive::<TimestampMicrosecondType>());
    let of_rows = (0..rows.num_rows()).map(|row| PersonRow {
        person_id: person.value(row),
        namespace: namespaces[row].as_deref().unwrap_or_default(),
        identifier: names[row].as_deref().unwrap_or_default(),
        valid_from: from.is_valid(row).then(|| from.value(row)),
        valid_to: to.is_valid(row).then(|| to.value(row)),
    });
    let map = PersonMap::from_rows(of_rows, &workspace.settings().identity)
        .map_err(|e| Error::Request(format!("persons: {e}\n  hint: `safar build --full` makes the table anew")))?;
    Ok((map, person.values().iter().copied().collect()))
}
