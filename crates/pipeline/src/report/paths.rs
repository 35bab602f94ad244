//! `safar paths`: the most common ways to a goal.
use super::{Answer, Note, PathQuery};
use crate::{Result, Workspace};
use arrow::{array::RecordBatch, datatypes::SchemaRef};
use safar_engine::Session;

/// The goal, and rows `path, length, conversions, value, nulls, conversion_rate, people`, the most conversions first; the
/// empty path is what no touch preceded. `people` are the different people who walked it, converted or not; null for ready
/// paths, whose people nobody knows. `limit` 0 gives all.
///
/// # Errors
/// When the goal or the condition does not fit, or the tables cannot be read.
pub async fn common_paths(
    workspace: &Workspace,
    query: &PathQuery,
    limit: usize,
) -> Result<(String, SchemaRef, Vec<RecordBatch>)> {
    let snapshot = workspace.store().snapshot().await?;
    let session = workspace.engine()?.session(&snapshot)?;
    let goal = query.goal(workspace, &session).await?;
    let condition = query.sql(&goal, &workspace.settings().workspace.time_zone)?;
    let limit = if limit == 0 { String::new() } else { format!(" LIMIT {limit}") };
    let sql = format!(
        "SELECT CASE WHEN max(length) = 0 THEN '(no touch)' ELSE array_to_string(channels, ' > ') END AS path, max(length) AS length, sum(conversions) AS conversions, exact_sum(value) AS value, \
         sum(nulls) AS nulls, sum(conversions) / nullif(sum(conversions) + sum(nulls), 0) AS conversion_rate, \
         CASE WHEN min(bucket) >= 0 THEN count(DISTINCT person_id) END AS people \
         FROM paths WHERE {condition} GROUP BY channels ORDER BY conversions DESC, nulls DESC, path{limit}"
    );
    let frame = session.sql(&sql).await?;
    let schema = SchemaRef::new(frame.schema().as_arrow().clone());
    Ok((goal, schema, frame.collect().await?))
}

/// Rows `path, length, people, conversions, conversion_rate`: what people walked who did not convert, the most people first. The
/// conversion rate is conversions ÷ (conversions + people) of the same path.
///
/// # Errors
/// When the goal or the condition does not fit, or the tables cannot be read.
pub async fn null_paths(workspace: &Workspace, session: &Session, query: &PathQuery) -> Result<Answer> {
    let goal = query.goal(workspace, session).await?;
    let condition = query.sql(&goal, &workspace.settings().workspace.time_zone)?;
    // Numbers of people and conversions are whole, so that their sums are exact in any order.
    let sql = format!(
        "SELECT array_to_string(channels, ' > ') AS path, max(length) AS length, sum(nulls) AS people, sum(conversions) AS conversions, \
         sum(conversions) / (sum(conversions) + sum(nulls)) AS conversion_rate \
         FROM paths WHERE {condition} GROUP BY channels HAVING sum(nulls) > 0 ORDER BY people DESC, path"
    );
    Answer::of(session.sql(&sql).await?)
        .await?
        .unit("people", &["people"])?
        .unit("percent", &["conversion_rate"])
        .map(|answer| answer.note(Note::Goal { goal }))
}
