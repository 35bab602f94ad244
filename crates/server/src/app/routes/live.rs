//! What arrives, as it arrives in the tables.
use crate::app::{App, cells::cells, problem::Problem};
use axum::{
    extract::State,
    http::header::CACHE_CONTROL,
    response::{
        IntoResponse,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::stream;
use safar_pipeline::{Workspace, report};
use serde::Serialize;
use serde_json::{Map, Value};
use std::{convert::Infallible, sync::Arc, time::Duration};

/// How often it is looked whether there is something new.
const EVERY: Duration = Duration::from_secs(3);
/// The most events told at once; the numbers beside them are of all.
const EVENTS: usize = 20;

/// What came since the last time.
#[derive(Debug, Serialize)]
struct News {
    /// The newest events: time, name, channel.
    events: Vec<Map<String, Value>>,
    /// How many came in the last minute.
    per_minute: Value,
    /// From the moment an event came to the moment it was in the tables' newest version, at most.
    lag_seconds: Option<f64>,
}

/// A stream of server-sent events; what is there at the beginning is told first.
pub async fn stream(State(app): State<Arc<App>>) -> impl IntoResponse {
    let news = stream::unfold((app, None::<(String, i64)>), |(app, last)| async move {
        let mut first = last.is_none();
        loop {
            if !std::mem::take(&mut first) {
                tokio::time::sleep(EVERY).await;
            }
            match look(&app, last.as_ref()).await {
                Ok(Some((seen, event))) => return Some((Ok::<_, Infallible>(event), (app, Some(seen)))),
                Ok(None) => {}
                Err(problem) => tracing::warn!(detail = problem.detail, "cannot tell what arrives"),
            }
        }
    });
    ([(CACHE_CONTROL, "no-store")], Sse::new(news).keep_alive(KeepAlive::default()))
}

/// The version of the data with the time of its newest event, and what to tell; nothing where the version is known.
async fn look(app: &App, last: Option<&(String, i64)>) -> Result<Option<((String, i64), Event)>, Problem> {
    let (workspace, version) = app.opened().await?.pinned().await?;
    if last.is_some_and(|(known, _)| *known == version) {
        return Ok(None);
    }
    let since = last.map_or(i64::MIN, |(_, since)| *since);
    let (news, newest) = app.queries.run(async move { news(&workspace, since).await }).await?;
    let event = Event::default().json_data(&news).map_err(Problem::internal)?;
    Ok(Some(((version, newest.max(since)), event)))
}

async fn news(workspace: &Workspace, since: i64) -> Result<(News, i64), Problem> {
    let session = report::session(workspace).await?;
    let now = jiff::Timestamp::now().as_microsecond();
    let sql = format!(
        "SELECT occurred_at AS time, name, channel, CAST(received_at AS BIGINT) AS received FROM events \
         WHERE CAST(received_at AS BIGINT) > {since} ORDER BY received_at DESC, occurred_at DESC, event_id LIMIT {EVENTS}"
    );
    let mut events = vec![];
    for batch in &session.sql(&sql).await?.collect().await? {
        let schema = batch.schema();
        let names = || schema.fields().iter().map(|field| field.name().clone());
        events.extend(cells(batch)?.into_iter().map(|row| names().zip(row).collect::<Map<_, _>>()));
    }
    let newest = events.iter().filter_map(|event| event.get("received")?.as_i64()).max();
    for event in &mut events {
        event.remove("received");
    }
    let minute = format!("SELECT count(*) FROM events WHERE CAST(received_at AS BIGINT) > {}", now - 60_000_000);
    let mut per_minute = Value::Null;
    for batch in &session.sql(&minute).await?.collect().await? {
        per_minute = cells(batch)?.into_iter().flatten().next().unwrap_or_default();
    }
    let lag_seconds = newest.filter(|_| since != i64::MIN).map(|newest| (now - newest) as f64 / 1e6);
    Ok((News { events, per_minute, lag_seconds }, newest.unwrap_or(since)))
}
