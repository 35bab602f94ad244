//! `safar person`: one person's identity card, sessions, conversions and all that happened.
use super::{
    Answer, Scope,
    answer::{instants, maybe_texts, texts},
    attribute::strings,
};
use crate::{
    Error, Result, Workspace,
    build::people::{People, WHO},
};
use arrow::{
    array::{Array, AsArray, BooleanArray, Int64Array, RecordBatch, UInt64Array},
    compute::{concat_batches, filter_record_batch, take_record_batch},
    datatypes::{Int64Type, SchemaRef, TimestampMicrosecondType},
};
use safar_engine::Session;
use safar_identity::{LinkKind, PersonMap, PersonRow};
use safar_model::{Micros, key_of};
use std::{collections::BTreeMap, sync::Arc};

/// Identifiers asked for at once.
const AT_ONCE: usize = 500;

/// Everything about one person.
#[derive(Clone, Debug)]
pub struct PersonPage {
    /// One row `person_id, first_seen, last_seen, sessions, conversions, value, last_channel`, as in [`people`](super::people()).
    pub person: Answer,
    /// Rows `namespace, identifier, first_seen, last_seen, valid_from, valid_to, why`: when events carried it, when it is this
    /// person's (null: always), and the oldest statement that ties it to another of this person's identifiers.
    pub identifiers: Answer,
    /// Rows `started_at, ended_at, channel, source, medium, campaign, landing_page, exit_page, events, page_views, engaged,
    /// conversions, value, session_id`, oldest first.
    pub sessions: Answer,
    /// Rows `time, kind, name, channel, source, campaign, value, page, session, event_id`: every event, oldest first; `session`
    /// is the one that ran then.
    pub timeline: Answer,
    /// Rows `time, goal, order_id, value, gross_value, refunded_value, currency, conversion_id`, oldest first.
    pub conversions: Answer,
}

/// An identifier in its namespace.
type Id = (String, String);

/// The page of the person with this id.
///
/// # Errors
/// When there is no such person, or the tables cannot be read.
pub async fn person(workspace: &Workspace, session: &Session, id: i64) -> Result<PersonPage> {
    let card = super::people(workspace, session, &Scope::default(), Some(&id.to_string()), 0).await?;
    let ids = card.rows.column(0).as_primitive::<Int64Type>();
    let Some(row) = ids.values().iter().position(|found| *found == id) else {
        return Err(Error::Request(format!(
            "there is no person {id}\n  hint: `safar people --search TEXT` finds people by their identifiers"
        )));
    };
    let card = Answer { rows: card.rows.slice(row, 1), notes: vec![] };
    let own = own_identifiers(session, id).await?;
    let links = links(session, &own).await?;
    let events = events(workspace, session, id, &own, &links).await?;
    let query = |select: &str, from: &str, order: &str| {
        format!("SELECT {select} FROM {from} WHERE person_id = {id} ORDER BY {order}")
    };
    let sessions = query(
        "started_at, ended_at, channel, source, medium, campaign, landing_page, exit_page, events, page_views, engaged, conversions, value, session_id",
        "sessions",
        "started_at, session_id",
    );
    let sessions = Answer::of(session.sql(&sessions).await?).await?;
    let conversions = query(
        "occurred_at AS time, goal, order_id, value, gross_value, refunded_value, currency, conversion_id",
        "conversions",
        "occurred_at, conversion_id",
    );
    Ok(PersonPage {
        person: card,
        identifiers: identifiers(&own, &links, &events)?,
        timeline: timeline(&events, &sessions.rows)?,
        sessions,
        conversions: Answer::of(session.sql(&conversions).await?).await?,
    })
}

/// One row of `persons`.
#[derive(Clone, Debug)]
struct Own {
    id: Id,
    from: Option<Micros>,
    to: Option<Micros>,
}

async fn own_identifiers(session: &Session, person: i64) -> Result<Vec<Own>> {
    let sql = format!(
        "SELECT namespace, identifier, valid_from, valid_to FROM persons WHERE person_id = {person} ORDER BY namespace, identifier, valid_from"
    );
    let mut own = vec![];
    for batch in session.sql(&sql).await?.collect().await? {
        let (namespaces, identifiers) = (strings(&batch, 0)?, strings(&batch, 1)?);
        let [from, to] = [2, 3].map(|index| batch.column(index).as_primitive::<TimestampMicrosecondType>());
        for row in 0..batch.num_rows() {
            own.push(Own {
                id: (namespaces[row].clone().unwrap_or_default(), identifiers[row].clone().unwrap_or_default()),
                from: from.is_valid(row).then(|| from.value(row)),
                to: to.is_valid(row).then(|| to.value(row)),
            });
        }
    }
    Ok(own)
}

/// A statement that two identifiers belong together.
#[derive(Clone, Debug)]
struct Stated {
    a: Id,
    b: Id,
    at: Micros,
    kind: String,
    source: Option<String>,
}

fn quoted<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    texts.into_iter().map(|text| format!("'{}'", text.replace('\'', "''"))).collect::<Vec<_>>().join(", ")
}

/// Every link of the identifiers, the oldest first.
async fn links(session: &Session, own: &[Own]) -> Result<Vec<Stated>> {
    let mut links = vec![];
    for own in own.chunks(AT_ONCE) {
        let ids = quoted(own.iter().map(|own| own.id.1.as_str()));
        let sql = format!(
            "SELECT ns_a, id_a, ns_b, id_b, kind, source, observed_at FROM identity_links WHERE id_a IN ({ids}) OR id_b IN ({ids})"
        );
        for batch in session.sql(&sql).await?.collect().await? {
            let texts = (0..6).map(|index| strings(&batch, index)).collect::<Result<Vec<_>>>()?;
            let at = batch.column(6).as_primitive::<TimestampMicrosecondType>();
            let text = |column: usize, row: usize| texts[column][row].clone().unwrap_or_default();
            let stated = (0..batch.num_rows()).map(|row| Stated {
                a: (text(0, row), text(1, row)),
                b: (text(2, row), text(3, row)),
                at: at.value(row),
                kind: text(4, row),
                source: texts[5][row].clone(),
            });
            links.extend(stated.filter(|link| own.iter().any(|own| own.id == link.a || own.id == link.b)));
        }
    }
    links.sort_by(|x, y| (x.at, &x.a, &x.b, &x.kind, &x.source).cmp(&(y.at, &y.a, &y.b, &y.kind, &y.source)));
    Ok(links)
}

/// The events of the person, oldest first: columns [`WHO`], then those of the timeline.
async fn events(
    workspace: &Workspace,
    session: &Session,
    person: i64,
    own: &[Own],
    links: &[Stated],
) -> Result<RecordBatch> {
    // An event lies under the key of its first identifier, and identifiers of one event are linked: so each of the person's
    // events is under one of these keys.
    let ids = own.iter().map(|own| &own.id).chain(links.iter().flat_map(|link| [&link.a, &link.b]));
    let mut keys: Vec<i64> = ids.map(|(namespace, id)| key_of(namespace, id)).chain([person]).collect();
    keys.sort_unstable();
    keys.dedup();
    let columns = "name, channel, source, campaign, value, page_url, interaction, event_id, received_at, origin_row";
    let mut found = vec![];
    let mut schema = None;
    for keys in keys.chunks(AT_ONCE) {
        let list = keys.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
        let sql = format!(
            "SELECT {}, {columns} FROM events WHERE key IN ({list}) ORDER BY occurred_at, received_at, origin_row, event_id",
            WHO.join(", ")
        );
        let frame = session.sql(&sql).await?;
        schema.get_or_insert_with(|| SchemaRef::new(frame.schema().as_arrow().clone()));
        found.extend(frame.collect().await?);
    }
    let schema = schema.ok_or_else(|| Error::Request(format!("there is no person {person}")))?;
    let candidates = concat_batches(&schema, &found)?;
    let people = People::with_map(map_of(workspace, session, &candidates).await?);
    let owners = people.of(candidates.columns())?;
    let is_own: BooleanArray = owners.values().iter().map(|owner| Some(*owner == person)).collect();
    let own = filter_record_batch(&candidates, &is_own)?;
    let at = own.column(5).as_primitive::<TimestampMicrosecondType>().values();
    let mut order: Vec<u64> = (0..at.len() as u64).collect();
    order.sort_by_key(|row| at[*row as usize]);
    Ok(take_record_batch(&own, &UInt64Array::from(order))?)
}

/// The part of the map of people that these events ask for.
async fn map_of(workspace: &Workspace, session: &Session, events: &RecordBatch) -> Result<PersonMap> {
    let mut ids: Vec<String> = vec![];
    for column in 0..5 {
        ids.extend(strings(events, column)?.into_iter().flatten());
    }
    ids.sort();
    ids.dedup();
    let mut rows: Vec<(Own, i64)> = vec![];
    for ids in ids.chunks(AT_ONCE) {
        let sql = format!(
            "SELECT namespace, identifier, valid_from, valid_to, person_id FROM persons WHERE identifier IN ({})",
            quoted(ids.iter().map(String::as_str))
        );
        for batch in session.sql(&sql).await?.collect().await? {
            let (namespaces, identifiers) = (strings(&batch, 0)?, strings(&batch, 1)?);
            let [from, to] = [2, 3].map(|index| batch.column(index).as_primitive::<TimestampMicrosecondType>());
            let people = batch.column(4).as_primitive::<Int64Type>();
            for row in 0..batch.num_rows() {
                let id = (namespaces[row].clone().unwrap_or_default(), identifiers[row].clone().unwrap_or_default());
                let from = from.is_valid(row).then(|| from.value(row));
                let to = to.is_valid(row).then(|| to.value(row));
                rows.push((Own { id, from, to }, people.value(row)));
            }
        }
    }
    let rows = rows.iter().map(|(own, person)| PersonRow {
        person_id: *person,
        namespace: &own.id.0,
        identifier: &own.id.1,
        valid_from: own.from,
        valid_to: own.to,
    });
    PersonMap::from_rows(rows, &workspace.settings().identity)
        .map_err(|e| Error::Request(format!("persons: {e}\n  hint: `safar build --full` makes the table anew")))
}

fn identifiers(own: &[Own], links: &[Stated], events: &RecordBatch) -> Result<Answer> {
    let mut seen: BTreeMap<Id, (Micros, Micros)> = BTreeMap::new();
    let at = events.column(5).as_primitive::<TimestampMicrosecondType>();
    for (column, namespace) in ["anonymous", "user", "email", "phone", "crm"].into_iter().enumerate() {
        for (row, id) in strings(events, column)?.into_iter().enumerate() {
            let Some(id) = id else { continue };
            let span = seen.entry((namespace.to_owned(), id)).or_insert((at.value(row), at.value(row)));
            *span = (span.0.min(at.value(row)), span.1.max(at.value(row)));
        }
    }
    let span = |own: &Own| seen.get(&own.id).copied();
    Answer::new([
        ("namespace", texts(own.iter().map(|own| &own.id.0))),
        ("identifier", texts(own.iter().map(|own| &own.id.1))),
        ("first_seen", instants(own.iter().map(|own| span(own).map(|span| span.0)))),
        ("last_seen", instants(own.iter().map(|own| span(own).map(|span| span.1)))),
        ("valid_from", instants(own.iter().map(|own| own.from))),
        ("valid_to", instants(own.iter().map(|own| own.to))),
        ("why", texts(own.iter().map(|one| why(one, own, links)))),
    ])
}

/// The oldest statement that ties an identifier to another of the person's.
fn why(one: &Own, own: &[Own], links: &[Stated]) -> String {
    let is_own = |id: &Id| own.iter().any(|own| own.id == *id);
    let tie = links.iter().filter(|link| link.kind != LinkKind::Split.as_str()).find_map(|link| {
        let other = if link.a == one.id { &link.b } else { &link.a };
        let is_tie = (link.a == one.id || link.b == one.id) && *other != one.id && is_own(other);
        is_tie.then_some((link, other))
    });
    let Some((link, (namespace, id))) = tie else {
        return "the only identifier, or tied to the others by nothing that is known".to_owned();
    };
    let how = match link.kind.as_str() {
        "event" => "on one event",
        "record" => "in one customer record",
        "alias" => "named as the same by the client",
        "match" => "likely the same by comparison",
        "merge" => "joined by hand",
        other => other,
    };
    let at = jiff::Timestamp::from_microsecond(link.at).map_or_else(|_| format!("{} µs", link.at), |at| at.to_string());
    let from = link.source.as_ref().map_or_else(String::new, |source| format!(", told by {source}"));
    format!("with {namespace} {id}, {how}, {at}{from}")
}

fn timeline(events: &RecordBatch, sessions: &RecordBatch) -> Result<Answer> {
    let at = events.column(5).as_primitive::<TimestampMicrosecondType>();
    let [starts, ends] = [0, 1].map(|index| sessions.column(index).as_primitive::<TimestampMicrosecondType>());
    let ids = sessions.column(13).as_primitive::<Int64Type>();
    let session = |at: Micros| {
        let after = starts.values().partition_point(|start| *start <= at);
        after.checked_sub(1).filter(|row| at <= ends.value(*row)).map(|row| ids.value(row))
    };
    let kinds = strings(events, 13)?;
    Answer::new([
        ("time", Arc::clone(events.column(5))),
        ("kind", maybe_texts(kinds)),
        ("name", Arc::clone(events.column(7))),
        ("channel", Arc::clone(events.column(8))),
        ("source", Arc::clone(events.column(9))),
        ("campaign", Arc::clone(events.column(10))),
        ("value", Arc::clone(events.column(11))),
        ("page", Arc::clone(events.column(12))),
        ("session", Arc::new(at.values().iter().map(|at| session(*at)).collect::<Int64Array>())),
        ("event_id", Arc::clone(events.column(14))),
    ])
}
