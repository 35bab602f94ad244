//! `safar quality --show sources`, `rejects`, `reasons`: where events come from, and which rows could not be read.
use super::{Answer, Scope};
use crate::{Result, Workspace};
use safar_engine::{Session, quoted};

/// Rows `source, medium, channel, events, people`: touches by their source and medium, those of no known channel first, then the
/// most frequent. `events` counts touchpoints: sessions, and contacts elsewhere.
///
/// # Errors
/// When the condition does not fit, or the tables cannot be read.
pub async fn sources(workspace: &Workspace, session: &Session, scope: &Scope) -> Result<Answer> {
    let within = scope.sql("occurred_at", workspace, session).await?;
    let sql = format!(
        "SELECT source, medium, channel, count(*) AS events, count(DISTINCT person_id) AS people FROM touchpoints WHERE {within} \
         GROUP BY source, medium, channel ORDER BY channel = 'Unassigned' DESC, events DESC, channel, source, medium"
    );
    Answer::of(session.sql(&sql).await?).await?.unit("people", &["people"])
}

/// The code of a reason of the import or the collector, which stays; null where it has none.
fn code() -> String {
    let reasons = safar_ingest::REASONS.iter().chain(safar_collect::REASONS);
    let cases = reasons.map(|(code, text)| format!("WHEN {} THEN '{code}'", quoted(text)));
    format!("CASE reason {} END AS code", cases.collect::<Vec<_>>().join(" "))
}

/// Rows `origin, line, column, value, reason, rejected_at, code`: rows that could not be read, the latest import first. `code` names
/// the reason for programs, where it is one that imports or the collector give.
///
/// # Errors
/// When the tables cannot be read.
pub async fn rejects(session: &Session) -> Result<Answer> {
    let code = code();
    let sql = format!(
        "SELECT origin, line, \"column\", value, reason, rejected_at, {code} FROM rejects \
         ORDER BY rejected_at DESC, origin, line, \"column\", reason"
    );
    Answer::of(session.sql(&sql).await?).await
}

/// Rows `reason, rows, files, first_file, first_line, code`: rejected rows by reason, the most frequent first.
///
/// # Errors
/// When the tables cannot be read.
pub async fn reject_reasons(session: &Session) -> Result<Answer> {
    let code = code();
    let sql = format!(
        "SELECT reason, count(*) AS rows, count(DISTINCT origin) AS files, \
         first_value(origin ORDER BY origin, line) AS first_file, first_value(line ORDER BY origin, line) AS first_line, {code} \
         FROM rejects GROUP BY reason ORDER BY rows DESC, reason"
    );
    Answer::of(session.sql(&sql).await?).await
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn each_reason_has_a_code_and_a_text_of_its_own() {
        let all: Vec<_> = safar_ingest::REASONS.iter().chain(safar_collect::REASONS).copied().collect();
        let (codes, texts): (HashSet<_>, HashSet<_>) = all.iter().copied().unzip();
        assert_eq!([codes.len(), texts.len()], [all.len(); 2]);
    }
}
