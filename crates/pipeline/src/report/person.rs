//! `safar person`: one person's identity card, sessions, conversions and all that happened.
use super::{
    Answer,
    answer::{instants, maybe_texts, texts},
    names::strings,
    people::people_where,
};
use crate::{Error, Result, Workspace, build::people::NAMESPACES};
use arrow::{
    array::{Array, AsArray, RecordBatch},
    compute::concat_batches,
    datatypes::TimestampMicrosecondType,
};
use safar_engine::{Session, quoted};
use safar_identity::LinkKind;
use safar_model::Micros;
use std::{collections::BTreeMap, sync::Arc};

/// Identifiers asked for at once.
const AT_ONCE: usize = 500;

/// Everything about one person.
#[derive(Clone, Debug)]
pub struct PersonPage {
    /// One row `person_id, first_seen, last_seen, sessions, conversions, value, last_channel`, as in [`people`](super::people()).
    pub person: Answer,
    /// Rows `namespace, identifier, first_seen, last_seen, valid_from, valid_to, why, tie, tie_namespace, tie_identifier, tie_at,
    /// tie_source`: when events carried it, when it is this person's (null: always), and the oldest statement that ties it to
    /// another of this person's identifiers, in words and in parts: of which kind, to which identifier, when, and who told it.
    pub identifiers: Answer,
    /// Rows `started_at, ended_at, channel, source, medium, campaign, landing_page, exit_page, events, page_views, engaged,
    /// conversions, value, session_id`, oldest first.
    pub sessions: Answer,
    /// Rows `time, kind, name, channel, source, campaign, value, page, session, event_id`: every event but those of
    /// programs, oldest first; `session` is the one that ran then.
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
    let card = people_where(workspace, session, &format!("person_id = {id}")).await?;
    if card.rows.num_rows() == 0 {
        return Err(Error::NoPerson { id });
    }
    let own = own_identifiers(session, id).await?;
    let links = links(session, &own).await?;
    let events = events(session, id).await?;
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
        timeline: timeline(&events)?,
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

/// Every link of the identifiers, the oldest first.
async fn links(session: &Session, own: &[Own]) -> Result<Vec<Stated>> {
    let mut links = vec![];
    for own in own.chunks(AT_ONCE) {
        let ids = own.iter().map(|own| quoted(&own.id.1)).collect::<Vec<_>>().join(", ");
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

/// The events of the person, oldest first: the columns of [`NAMESPACES`], then those of the timeline.
async fn events(session: &Session, person: i64) -> Result<RecordBatch> {
    let sql = format!(
        "SELECT {}, occurred_at, interaction, name, channel, source, campaign, value, page_url, session_id, event_id \
         FROM person_events WHERE person_id = {person} ORDER BY step",
        NAMESPACES.map(|(_, column)| column).join(", ")
    );
    let frame = session.sql(&sql).await?;
    let schema = Arc::new(frame.schema().as_arrow().clone());
    Ok(concat_batches(&schema, &frame.collect().await?)?)
}

fn identifiers(own: &[Own], links: &[Stated], events: &RecordBatch) -> Result<Answer> {
    let mut seen: BTreeMap<Id, (Micros, Micros)> = BTreeMap::new();
    let at = events.column(5).as_primitive::<TimestampMicrosecondType>();
    for (column, (namespace, _)) in NAMESPACES.into_iter().enumerate() {
        for (row, id) in strings(events, column)?.into_iter().enumerate() {
            let Some(id) = id else { continue };
            let span = seen.entry((namespace.to_owned(), id)).or_insert((at.value(row), at.value(row)));
            *span = (span.0.min(at.value(row)), span.1.max(at.value(row)));
        }
    }
    let span = |own: &Own| seen.get(&own.id).copied();
    let ties: Vec<Option<(&Stated, &Id)>> = own.iter().map(|one| tie(one, own, links)).collect();
    Answer::new([
        ("namespace", texts(own.iter().map(|own| &own.id.0))),
        ("identifier", texts(own.iter().map(|own| &own.id.1))),
        ("first_seen", instants(own.iter().map(|own| span(own).map(|span| span.0)))),
        ("last_seen", instants(own.iter().map(|own| span(own).map(|span| span.1)))),
        ("valid_from", instants(own.iter().map(|own| own.from))),
        ("valid_to", instants(own.iter().map(|own| own.to))),
        ("why", texts(ties.iter().map(|tie| why(tie.as_ref())))),
        ("tie", maybe_texts(ties.iter().map(|tie| tie.as_ref().map(|(link, _)| &link.kind)))),
        ("tie_namespace", maybe_texts(ties.iter().map(|tie| tie.as_ref().map(|(_, other)| &other.0)))),
        ("tie_identifier", maybe_texts(ties.iter().map(|tie| tie.as_ref().map(|(_, other)| &other.1)))),
        ("tie_at", instants(ties.iter().map(|tie| tie.as_ref().map(|(link, _)| link.at)))),
        ("tie_source", maybe_texts(ties.iter().map(|tie| tie.as_ref().and_then(|(link, _)| link.source.as_ref())))),
    ])
}

/// The oldest statement that ties an identifier to another of the person's, and that other one.
fn tie<'a>(one: &Own, own: &[Own], links: &'a [Stated]) -> Option<(&'a Stated, &'a Id)> {
    let is_own = |id: &Id| own.iter().any(|own| own.id == *id);
    links.iter().filter(|link| link.kind != LinkKind::Split.as_str()).find_map(|link| {
        let other = if link.a == one.id { &link.b } else { &link.a };
        let is_tie = (link.a == one.id || link.b == one.id) && *other != one.id && is_own(other);
        is_tie.then_some((link, other))
    })
}

/// A tie in words.
fn why(tie: Option<&(&Stated, &Id)>) -> String {
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

fn timeline(events: &RecordBatch) -> Result<Answer> {
    const COLUMNS: [&str; 10] =
        ["time", "kind", "name", "channel", "source", "campaign", "value", "page", "session", "event_id"];
    let columns = events.columns()[NAMESPACES.len()..].iter().map(Arc::clone);
    Answer::new(COLUMNS.into_iter().zip(columns))
}
