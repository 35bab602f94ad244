//! `safar people`: everyone, or those whose identifiers are searched for.
use super::{Answer, Group, Note, Scope};
use crate::{Result, Workspace};
use safar_engine::{Session, quoted};
use safar_identity::{EMAIL, Normalised, PHONE, normalise};

/// Rows `person_id, first_seen, last_seen, sessions, conversions, value, last_channel`, who was seen last first; at most `limit`
/// of them (0: all). The notes say how many there are.
///
/// Everyone with a session, a touchpoint or a conversion; those of `scope` were seen within its days, and their figures are
/// those of all of the data. Conversions and value are those of all goals, net of refunds.
///
/// `search` is a person's id, or any part of an identifier, capitals or not; e-mail addresses and telephone numbers are kept
/// hashed and must be written out.
///
/// # Errors
/// When the condition does not fit, or the tables cannot be read.
pub async fn people(
    workspace: &Workspace,
    session: &Session,
    scope: &Scope,
    search: Option<&str>,
    limit: usize,
) -> Result<Answer> {
    let mut conditions = vec![];
    if let Some(search) = search.map(str::trim).filter(|search| !search.is_empty()) {
        let sql = format!("SELECT person_id FROM persons WHERE {}", found(workspace, search));
        conditions.push(Group::found(workspace, session, &sql).await?.sql("person_id", session));
    }
    if let Some(people) = scope.people(workspace, session).await? {
        conditions.push(people.sql("person_id", session));
    }
    if scope.from.is_some() || scope.to.is_some() {
        let days = Scope { people: None, only: None, ..scope.clone() };
        let touched = days.sql("occurred_at", workspace, session).await?;
        let began = days.sql("started_at", workspace, session).await?;
        let sql = format!(
            "SELECT person_id FROM touchpoints WHERE {touched} UNION SELECT person_id FROM sessions WHERE {began} \
             UNION SELECT person_id FROM conversions WHERE {touched}"
        );
        conditions.push(Group::found(workspace, session, &sql).await?.sql("person_id", session));
    }
    let filter = if conditions.is_empty() { "TRUE".to_owned() } else { conditions.join(" AND ") };
    let everyone = people_where(workspace, session, &filter).await?;
    let count = everyone.rows.num_rows();
    let shown = if limit == 0 { count } else { limit.min(count) };
    Ok(Answer { rows: everyone.rows.slice(0, shown), ..everyone }
        .note(Note::People { shown: shown as u64, all: count as u64 }))
}

/// The same columns of everyone for whom the SQL condition `filter` over `person_id` holds.
pub(super) async fn people_where(workspace: &Workspace, session: &Session, filter: &str) -> Result<Answer> {
    // The order of an instant's touches is settled by their ids.
    let all = format!(
        "WITH t AS (SELECT person_id, min(occurred_at) AS first, max(occurred_at) AS last, \
                    last_value(channel ORDER BY occurred_at, touchpoint_id) AS channel FROM touchpoints WHERE {filter} GROUP BY person_id), \
         s AS (SELECT person_id, min(started_at) AS first, max(ended_at) AS last, count(*) AS sessions FROM sessions WHERE {filter} GROUP BY person_id), \
         c AS (SELECT person_id, min(occurred_at) AS first, max(occurred_at) AS last, \
               sum(CASE WHEN gross_value = 0 AND refunded_value > 0 THEN 0 ELSE 1 END) AS conversions, exact_sum(value) AS value \
               FROM conversions WHERE {filter} GROUP BY person_id) \
         SELECT coalesce(t.person_id, s.person_id, c.person_id) AS person_id, least(t.first, s.first, c.first) AS first_seen, \
         greatest(t.last, s.last, c.last) AS last_seen, coalesce(s.sessions, 0) AS sessions, coalesce(c.conversions, 0) AS conversions, \
         coalesce(c.value, 0.0) AS value, t.channel AS last_channel \
         FROM t FULL JOIN s ON t.person_id = s.person_id FULL JOIN c ON coalesce(t.person_id, s.person_id) = c.person_id"
    );
    let sql = format!("{all} ORDER BY last_seen DESC, person_id");
    Answer::of(session.sql(&sql).await?).await?.unit(&workspace.settings().workspace.currency, &["value"])
}

/// The SQL condition over `persons` that finds `search`.
fn found(workspace: &Workspace, search: &str) -> String {
    let mut ways = vec![format!("strpos(lower(identifier), lower({})) > 0", quoted(search))];
    ways.extend(search.parse::<i64>().ok().map(|id| format!("person_id = {id}")));
    for namespace in [EMAIL, PHONE] {
        if let Normalised::Id(hash) = normalise(namespace, search, &workspace.settings().identity) {
            ways.push(format!("(namespace = '{namespace}' AND identifier = {})", quoted(&hash)));
        }
    }
    format!("({})", ways.join(" OR "))
}
