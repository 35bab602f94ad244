//! What arrives, as it arrives in the tables.
use crate::app::{App, accounts::Role, answer::Versions, cells::cells, guard::Caller, problem::Problem};
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
use std::{
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// How often it is looked whether there is something new.
const EVERY: Duration = Duration::from_secs(3);
/// The most events told at once; the numbers beside them are of all.
const EVENTS: usize = 20;

/// What came since the last time.
#[derive(Debug, Serialize)]
struct News<'a> {
    /// The newest events: time, name, channel, and the person for those who may look at people.
    events: Vec<Map<String, Value>>,
    /// How many came in the last minute.
    per_minute: &'a Value,
    /// From the moment an event came to the moment it was in the tables' newest version, at most.
    lag_seconds: Option<f64>,
    /// What it was made from.
    meta: &'a Versions,
}

/// What is known of one version of the data.
#[derive(Debug)]
struct Seen {
    versions: Versions,
    /// The newest events, each with the moment it was received.
    events: Vec<(i64, Map<String, Value>)>,
    per_minute: Value,
    /// When the newest of them was received.
    newest: i64,
    /// When they were looked for.
    at: i64,
}

impl Seen {
    /// What is told to somebody who knows what was received until `since`; everything where they know nothing.
    fn since(&self, since: Option<i64>, names_people: bool) -> News<'_> {
        let is_new = |received: i64| since.is_none_or(|since| received > since);
        let events = self.events.iter().filter(|(received, _)| is_new(*received)).map(|(_, event)| {
            let mut event = event.clone();
            if !names_people {
                event.insert("person".to_owned(), Value::Null);
            }
            event
        });
        News {
            events: events.collect(),
            per_minute: &self.per_minute,
            lag_seconds: since.filter(|since| self.newest > *since).map(|_| (self.at - self.newest) as f64 / 1e6),
            meta: &self.versions,
        }
    }
}

type Newest = Option<Arc<Seen>>;

/// Looks for news once for everybody, for as long as somebody listens.
#[derive(Debug, Default)]
pub struct Live {
    told: Mutex<Option<Arc<watch::Sender<Newest>>>>,
}

impl Live {
    fn told(&self) -> MutexGuard<'_, Option<Arc<watch::Sender<Newest>>>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn listen(app: &Arc<App>) -> watch::Receiver<Newest> {
    let mut told = app.live.told();
    if let Some(sender) = told.as_ref() {
        return sender.subscribe();
    }
    let (sender, receiver) = watch::channel(None);
    let sender = Arc::new(sender);
    *told = Some(Arc::clone(&sender));
    tokio::spawn(follow(Arc::clone(app), sender));
    receiver
}

/// Looks until nobody listens any more.
async fn follow(app: Arc<App>, sender: Arc<watch::Sender<Newest>>) {
    let mut last = None;
    loop {
        match look(&app, last.clone()).await {
            Ok(Some(seen)) => {
                last = Some(Arc::new(seen));
                sender.send_replace(last.clone());
            }
            Ok(None) => {}
            Err(problem) => tracing::warn!(detail = problem.detail, "cannot tell what arrives"),
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = sender.closed() => {
                let mut told = app.live.told();
                if sender.receiver_count() == 0 {
                    *told = None;
                    return;
                }
            }
        }
    }
}

/// A stream of server-sent events; what is there at the beginning is told first. It ends when whoever asked may no longer see it.
pub async fn stream(State(app): State<Arc<App>>, Extension(caller): Extension<Caller>) -> impl IntoResponse {
    let listening = listen(&app);
    let news = stream::unfold((app, caller, listening, None::<(Arc<Seen>, i64)>), |state| async move {
        let (app, caller, mut listening, mut last) = state;
        loop {
            match caller.may_still(&app, Role::Viewer) {
                Ok(true) => {}
                Ok(false) => return None,
                Err(problem) => {
                    tracing::warn!(detail = problem.detail, "cannot tell whether a listener may go on");
                    return None;
                }
            }
            let seen = listening.borrow_and_update().clone();
            if let Some(seen) = seen
                && !last.as_ref().is_some_and(|(known, _)| Arc::ptr_eq(known, &seen))
            {
                let since = last.map(|(_, since)| since);
                match Event::default().json_data(seen.since(since, caller.may(Role::Analyst))) {
                    Ok(event) => {
                        let newest = since.map_or(seen.newest, |since| since.max(seen.newest));
                        last = Some((seen, newest));
                        return Some((Ok::<_, Infallible>(event), (app, caller, listening, last)));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "cannot tell what arrives");
                        return None;
                    }
                }
            }
            tokio::select! {
                changed = listening.changed() => if changed.is_err() { return None },
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    });
    ([(CACHE_CONTROL, "no-store")], Sse::new(news).keep_alive(KeepAlive::default()))
}

/// What there is now; nothing where it is of the version that is known.
async fn look(app: &App, last: Newest) -> Result<Option<Seen>, Problem> {
    let opened = app.opened().await?;
    let (workspace, data_version) = opened.pinned().await?;
    let versions = Versions::new(data_version, opened.settings_version.clone());
    if last.as_ref().is_some_and(|last| last.versions == versions) {
        return Ok(None);
    }
    // Outside of turns: there is one of it, and news do not wait for reports.
    app.queries.spawn(async move { news(&workspace, versions, last.as_deref()).await }).await.map(Some)
}

async fn news(workspace: &Workspace, versions: Versions, last: Option<&Seen>) -> Result<Seen, Problem> {
    let session = report::session(workspace).await?;
    let now = jiff::Timestamp::now().as_microsecond();
    let since = last.map_or(i64::MIN, |last| last.newest);
    let batch = report::newest_events(workspace, &session, since, EVENTS).await?.rows;
    let schema = batch.schema();
    let mut events = vec![];
    for row in cells(&batch)? {
        let mut event: Map<_, _> = schema.fields().iter().map(|field| field.name().clone()).zip(row).collect();
        let received = event.remove("received").and_then(|received| received.as_i64()).unwrap_or(since);
        let person = event.remove("person_id").unwrap_or_default();
        event.insert("person".to_owned(), person);
        events.push((received, event));
    }
    events.extend(last.into_iter().flat_map(|last| last.events.iter().cloned()));
    events.truncate(EVENTS);
    let minute = format!("SELECT count(*) FROM events WHERE CAST(received_at AS BIGINT) > {}", now - 60_000_000);
    let mut per_minute = Value::Null;
    for batch in &session.sql(&minute).await?.collect().await? {
        per_minute = cells(batch)?.into_iter().flatten().next().unwrap_or_default();
    }
    let newest = events.first().map_or(since, |(received, _)| *received);
    Ok(Seen { versions, events, per_minute, newest, at: now })
}

#[cfg(test)]
mod tests {
    use super::*;
    use safar_pipeline::settings::ServerSettings;

    #[tokio::test(flavor = "multi_thread")]
    async fn it_is_looked_once_for_all_listeners_and_no_longer_than_there_are_some() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("shop");
        Workspace::init(&root, false).await.unwrap();
        let app = App::open(&root, ServerSettings::default()).unwrap();
        let mut listeners: Vec<_> = (0..10).map(|_| listen(&app)).collect();
        let mut seen = vec![];
        for listener in &mut listeners {
            seen.push(listener.wait_for(Option::is_some).await.unwrap().clone().unwrap());
        }
        assert!(seen.iter().all(|one| Arc::ptr_eq(one, &seen[0])), "one answer for all");
        drop(listeners);
        while app.live.told().is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[test]
    fn everybody_is_told_what_they_do_not_know() {
        let event = |name: &str| Map::from_iter([("name".to_owned(), name.into()), ("person".to_owned(), "7".into())]);
        let seen = Seen {
            versions: Versions::new("2".to_owned(), "a".to_owned()),
            events: vec![(30, event("c")), (20, event("b")), (10, event("a"))],
            per_minute: 3.into(),
            newest: 30,
            at: 1_000_030,
        };
        let names = |news: &News<'_>| news.events.iter().map(|event| event["name"].to_string()).collect::<String>();
        assert_eq!(names(&seen.since(None, true)), "\"c\"\"b\"\"a\"");
        assert_eq!(seen.since(None, true).lag_seconds, None);
        assert_eq!(names(&seen.since(Some(10), true)), "\"c\"\"b\"");
        assert_eq!(seen.since(Some(10), true).lag_seconds, Some(1.0));
        assert_eq!((names(&seen.since(Some(30), true)), seen.since(Some(30), true).lag_seconds), (String::new(), None));
        assert!(seen.since(None, true).events.iter().all(|event| event["person"] == "7"));
        assert!(seen.since(None, false).events.iter().all(|event| event["person"].is_null()), "viewers see nobody");
    }
}
