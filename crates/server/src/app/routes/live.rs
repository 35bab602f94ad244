//! What arrives, as it arrives in the tables.
use crate::app::{App, accounts::Role, cells::cells, guard::Caller, problem::Problem};
use axum::{
    Extension,
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
    /// The newest events: time, name, channel, and the person for those who may look at people.
    events: Vec<Map<String, Value>>,
    /// How many came in the last minute.
    per_minute: Value,
    /// From the moment an event came to the moment it was in the tables' newest version, at most.
    lag_seconds: Option<f64>,
}

/// A stream of server-sent events; what is there at the beginning is told first.
pub async fn stream(State(app): State<Arc<App>>, Extension(caller): Extension<Caller>) -> impl IntoResponse {
    let names_people = caller.may(Role::Analyst);
    let news = stream::unfold((app, None::<(String, i64)>), move |(app, last)| async move {
        let mut first = last.is_none();
        loop {
            if !std::mem::take(&mut first) {
                tokio::time::sleep(EVERY).await;
            }
            match look(&app, last.as_ref(), names_people).await {
                Ok(Some((seen, event))) => return Some((Ok::<_, Infallible>(event), (app, Some(seen)))),
                Ok(None) => {}
                Err(problem) => tracing::warn!(detail = problem.detail, "cannot tell what arrives"),
            }
        }
    });
    ([(CACHE_CONTROL, "no-store")], Sse::new(news).keep_alive(KeepAlive::default()))
}

/// The version of the data with the time of its newest event, and what to tell; nothing where the version is known.
async fn look(
    app: &App,
    last: Option<&(String, i64)>,
    names_people: bool,
) -> Result<Option<((String, i64), Event)>, Problem> {
    let (workspace, version) = app.opened().await?.pinned().await?;
    if last.is_some_and(|(known, _)| *known == version) {
        return Ok(None);
    }
    let since = last.map_or(i64::MIN, |(_, since)| *since);
    let (news, newest) = app.queries.run(async move { news(&workspace, since, names_people).await }).await?;
    let event = Event::default().json_data(&news).map_err(Problem::internal)?;
    Ok(Some(((version, newest.max(since)), event)))
}

async fn news(workspace: &Workspace, since: i64, names_people: bool) -> Result<(News, i64), Problem> {
    let session = report::session(workspace).await?;
    let now = jiff::Timestamp::now().as_microsecond();
    let batch = report::newest_events(workspace, &session, since, EVENTS).await?.rows;
    let schema = batch.schema();
    let names = || schema.fields().iter().map(|field| field.name().clone());
    let mut events: Vec<Map<String, Value>> =
        cells(&batch)?.into_iter().map(|row| names().zip(row).collect()).collect();
    let newest = events.iter().filter_map(|event| event.get("received")?.as_i64()).max();
    for event in &mut events {
        event.remove("received");
        let person = event.remove("person_id").filter(|_| names_people);
        event.insert("person".to_owned(), person.unwrap_or_default());
    }
    let minute = format!("SELECT count(*) FROM events WHERE CAST(received_at AS BIGINT) > {}", now - 60_000_000);
    let mut per_minute = Value::Null;
    for batch in &session.sql(&minute).await?.collect().await? {
        per_minute = cells(batch)?.into_iter().flatten().next().unwrap_or_default();
    }
    let lag_seconds = newest.filter(|_| since != i64::MIN).map(|newest| (now - newest) as f64 / 1e6);
    Ok((News { events, per_minute, lag_seconds }, newest.unwrap_or(since)))
}
