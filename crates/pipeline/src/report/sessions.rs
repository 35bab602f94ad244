//! `safar sessions`: visits by channel or another column.
use super::select::day_bounds;
use crate::{Error, Result, Workspace};
use arrow::{array::RecordBatch, datatypes::SchemaRef};
use jiff::civil::Date;

/// Rows `<by>, sessions, people, engagement_rate, pages_per_session, seconds_per_session, conversions, value`, the
/// most sessions first. The engagement rate is engaged sessions ÷ sessions (Google Analytics 4).
///
/// # Errors
/// When `by` names no column that fits, or the tables cannot be read.
pub async fn sessions(
    workspace: &Workspace,
    by: &str,
    from: Option<Date>,
    to: Option<Date>,
) -> Result<(SchemaRef, Vec<RecordBatch>)> {
    let zone = &workspace.settings().workspace.time_zone;
    let label = match by {
        "channel" | "source" | "medium" | "campaign" | "content" | "term" | "landing_page" | "country" | "language"
        | "device" | "browser" | "os" => {
            format!("coalesce({by}, '(not set)')")
        }
        "day" => format!("CAST(to_local_time(started_at AT TIME ZONE '{zone}') AS DATE)"),
        _ => {
            return Err(Error::Request(format!(
                "`{by}` is nothing to group sessions by; use channel, source, medium, campaign, content, term, landing_page, country, language, device, browser, os or day"
            )));
        }
    };
    let bounds = day_bounds("started_at", from, to, zone)?;
    let filter = if bounds.is_empty() { String::new() } else { format!(" WHERE {}", bounds.join(" AND ")) };
    let sql = format!(
        "SELECT {label} AS {by}, count(*) AS sessions, count(DISTINCT person_id) AS people, \
         avg(CASE WHEN engaged THEN 1.0 ELSE 0.0 END) AS engagement_rate, \
         avg(CAST(page_views AS DOUBLE)) AS pages_per_session, \
         avg(CAST(CAST(ended_at AS BIGINT) - CAST(started_at AS BIGINT) AS DOUBLE)) / 1e6 AS seconds_per_session, \
         sum(conversions) AS conversions, exact_sum(value) AS value \
         FROM sessions{filter} GROUP BY 1 ORDER BY {}",
        if by == "day" { "1" } else { "sessions DESC, 1" }
    );
    let snapshot = workspace.store().snapshot().await?;
    let session = workspace.engine()?.session(&snapshot)?;
    let frame = session.sql(&sql).await?;
    let schema = SchemaRef::new(frame.schema().as_arrow().clone());
    Ok((schema, frame.collect().await?))
}
