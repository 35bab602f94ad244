//! What is known of a person, handed out or erased; and the audit log.
use super::build::Started;
use crate::{
    app::{
        App,
        answer::Page,
        extract::{Body, Given, Id},
        guard::Caller,
        problem::{Code, Problem},
    },
    collect::settle,
};
use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use safar_pipeline::{
    BuildNote, Step, Workspace,
    privacy::{Act, Entry, Erasure, Target, erase, export},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::spawn_blocking;
use utoipa::ToSchema;

/// So long another writer is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// That erasing is meant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// The number of the person once more, as a text.
    person: String,
}

/// Everything that is known of one person: rows by part.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportView {
    /// `identifiers`, the tables, `consent`, `reject_files`, `files`, `requests` and `summary`.
    #[serde(flatten)]
    parts: Map<String, Value>,
}

/// One line of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditView {
    /// When (RFC 3339).
    at: String,
    /// `account:ADDRESS` of the application, `os:NAME` of commands, `serve` of what is done every day.
    who: String,
    /// What: erase, export, retain, settings, user_added …
    act: Value,
    /// Counts and kinds.
    detail: Map<String, Value>,
}

pub async fn hand_out(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<Response, Problem> {
    let (workspace, _) = app.opened().await?.pinned().await?;
    let found = app.queries.run(async move { Ok(export(&workspace, &[Target::Person(id)]).await?) }).await?;
    let rows: Map<String, Value> =
        found.parts.iter().map(|(name, rows)| ((*name).to_owned(), rows.len().into())).collect();
    app.note(&caller.user()?.email, Act::Export, json!({ "rows": rows }))?;
    let parts = match found.to_json() {
        Value::Object(parts) => parts,
        _ => Map::new(),
    };
    let file = HeaderValue::from_static("attachment; filename=\"person.json\"");
    Ok(([(header::CONTENT_DISPOSITION, file)], Json(ExportView { parts })).into_response())
}

pub async fn erase_person(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    Body(confirmation): Body<Confirmation>,
) -> Result<(StatusCode, Json<Started>), Problem> {
    if confirmation.person != id.to_string() {
        return Err(Problem::new(Code::BadRequest, format!("`person` is {}, the path says {id}", confirmation.person))
            .hint("send the number of the person who is to be erased, as a confirmation"));
    }
    let user = caller.user()?.email.clone();
    let opened = app.current.get().await?;
    let job = app.jobs.start()?;
    let number = job.id;
    let running = Arc::clone(&app);
    tokio::spawn(async move {
        let app = Arc::clone(&running);
        let work = async move { patiently(&app, &opened.workspace, id, number).await };
        let ended = running.queries.spawn(work).await;
        let detail = match &ended {
            Ok(done) => serde_json::to_value(done).unwrap_or_default(), // numbers by name always serialise
            Err(_) => json!({ "failed": true }),
        };
        // Answers about the person must not be given again.
        running.cache.clear();
        let noted = running.note(&user, Act::Erase, detail.clone());
        running.jobs.end(number, ended.and(noted).map(|()| Some(detail)));
    });
    Ok((StatusCode::ACCEPTED, Json(Started::job(number))))
}

/// Erases as soon as nobody else writes.
async fn patiently(app: &App, workspace: &Workspace, id: i64, job: i64) -> Result<Erasure, Problem> {
    let say = |step| app.jobs.say(job, BuildNote::Step { step });
    say(Step::Collected);
    settle(workspace).await.map_err(|error| Problem::new(Code::Conflict, error.to_string()))?;
    let until = Instant::now() + PATIENCE;
    loop {
        match erase(workspace, &[Target::Person(id)], false, &say).await {
            Err(safar_pipeline::Error::Store(error)) if error.is_locked() && Instant::now() < until => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            other => return Ok(other?),
        }
    }
}

pub async fn audit(State(app): State<Arc<App>>, Given(given): Given) -> Result<Response, Problem> {
    let Page { limit, offset } = Page::check(given)?;
    let view = |entry: Entry| AuditView {
        at: entry.at,
        who: entry.who,
        act: serde_json::to_value(entry.act).unwrap_or_default(), // a word always serialises
        detail: entry.detail,
    };
    let read = spawn_blocking(move || app.audit.newest(limit, offset)).await;
    let (entries, total) = read.map_err(Problem::internal)??;
    Ok(Page::of(&entries.into_iter().map(view).collect::<Vec<_>>(), total))
}
