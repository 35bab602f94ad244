//! The settings of the workspace, as text.
use crate::app::{
    App,
    answer::{Page, Versions},
    current::settings_version,
    extract::{Body, Given},
    guard::Caller,
    problem::{Code, Problem},
    reason::Reason,
};
use axum::{Extension, Json, extract::State, response::Response};
use safar_pipeline::{Rebuilt, SETTINGS_FILE, Settings, preview, privacy::Act};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    io::Write,
    path::{Component, Path},
    sync::Arc,
    time::UNIX_EPOCH,
};
use utoipa::ToSchema;

/// The settings.
#[derive(Debug, Serialize, ToSchema)]
pub struct SettingsView {
    /// The text of safar.toml.
    text: String,
    /// Names the text; a replacement must repeat it.
    version: String,
    /// The newest changes, newest first: those that were made here, and what they found.
    history: Vec<Changed>,
}

/// Who changed the settings when.
#[derive(Debug, Serialize, ToSchema)]
pub struct Changed {
    /// Names the text after the change.
    version: String,
    /// Seconds since 1970.
    time: i64,
    /// Who, by their address; empty where another program wrote the file.
    user: String,
}

/// A text of settings.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Text {
    text: String,
}

/// New settings.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Replacement {
    /// The whole text.
    text: String,
    /// The version that was edited.
    version: String,
}

/// Whether a text could be used.
#[derive(Debug, Serialize, ToSchema)]
pub struct Checked {
    /// Whether it could.
    ok: bool,
    /// What is wrong with it.
    problem: Option<Problem>,
}

async fn view(app: &App) -> Result<Json<SettingsView>, Problem> {
    let text = app.current.settings_text().await?;
    let history = app.accounts.settings_history(Page::FIRST)?.0.into_iter();
    let history = history.map(|change| Changed { version: change.version, time: change.time, user: change.user });
    Ok(Json(SettingsView { version: settings_version(&text), text, history: history.collect() }))
}

pub async fn show(State(app): State<Arc<App>>) -> Result<Json<SettingsView>, Problem> {
    view(&app).await
}

pub async fn history(State(app): State<Arc<App>>, Given(given): Given) -> Result<Response, Problem> {
    let (changes, total) = app.accounts.settings_history(Page::check(given)?)?;
    Ok(Page::of(&changes, total))
}

/// What a build with other settings would change.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewView {
    /// What it was made from: the data, and the settings as they are now.
    meta: Versions,
    /// Events that would get another source, medium, campaign or channel.
    events: u64,
    /// Whose they are.
    people: u64,
    /// Conversions of these people, of all goals: those whose credit can move.
    conversions: u64,
    /// From which channel to which, the most events first; the same one twice where only the source, medium or campaign
    /// changes.
    channels: Vec<MovedView>,
    /// What else would be built anew and is not counted: journeys (of everybody), identity, models.
    also: Vec<&'static str>,
}

/// Events that would go from one channel to another.
#[derive(Debug, Serialize, ToSchema)]
pub struct MovedView {
    /// The channel now; null for events that are no touches.
    from: Option<String>,
    /// The channel then.
    to: Option<String>,
    /// How many.
    events: u64,
    /// Of how many people.
    people: u64,
}

fn parse(text: &str) -> Result<Settings, Problem> {
    Settings::parse(text, SETTINGS_FILE).map_err(|error| safar_pipeline::Error::from(error).into())
}

pub async fn foretell(State(app): State<Arc<App>>, Body(new): Body<Text>) -> Result<Json<PreviewView>, Problem> {
    let settings = parse(&new.text)?;
    let opened = app.current.get().await?;
    let (workspace, data_version) = opened.pinned().await?;
    let found = app.queries.run(async move { Ok(preview(&workspace, &settings).await?) }).await?;
    let moved = found.moved.into_iter();
    let also = found.also.into_iter().map(|what| match what {
        Rebuilt::Journeys => "journeys",
        Rebuilt::Identity => "identity",
        Rebuilt::Models => "models",
    });
    Ok(Json(PreviewView {
        meta: Versions::new(data_version, opened.settings_version.clone()),
        events: found.events,
        people: found.people,
        conversions: found.conversions,
        channels: moved
            .map(|one| MovedView { from: one.from, to: one.to, events: one.events, people: one.people })
            .collect(),
        also: also.collect(),
    }))
}

pub async fn check(State(app): State<Arc<App>>, Body(new): Body<Text>) -> Json<Checked> {
    let checked = match (parse(&new.text), app.current.settings_text().await) {
        (Ok(settings), Ok(old)) => check_drop(&settings, &old),
        (Ok(settings), Err(_)) => check_drop(&settings, ""),
        (Err(problem), _) => Err(problem),
    };
    let problem = checked.err();
    Json(Checked { ok: problem.is_none(), problem })
}

/// Folders of the workspace that hold what Safar itself wrote.
const OWN: [&str; 3] = ["data", "collect", "rejects"];

/// Makes sure that nobody makes the server import files of its machine, which are moved away afterwards: over the API, the drop
/// folder lies in the workspace. One that somebody wrote into the file stays.
fn check_drop(new: &Settings, old: &str) -> Result<(), Problem> {
    let Some(folder) = &new.import.drop else { return Ok(()) };
    let mut parts = folder.components();
    let is_inside = match (parts.next(), parts.all(|part| matches!(part, Component::Normal(_)))) {
        (Some(Component::Normal(first)), true) => {
            let first = first.to_string_lossy();
            !OWN.contains(&&*first) && !first.starts_with('.')
        }
        _ => false,
    };
    let is_old = || parse(old).is_ok_and(|old| old.import.drop.as_ref() == Some(folder));
    if is_inside || is_old() {
        return Ok(());
    }
    let problem = format!("[import] drop: `{}` is no folder of its own in the workspace", folder.display());
    Err(Problem::new(Code::BadSettings, problem)
        .hint("name one such as inbox; a folder elsewhere can only be set by editing safar.toml on the server")
        .because(Reason::DropOutside { folder: folder.display().to_string() }))
}

pub async fn replace(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Body(new): Body<Replacement>,
) -> Result<Json<SettingsView>, Problem> {
    let settings = parse(&new.text)?;
    // One replacement at a time: between reading and writing, nobody else may.
    let _turn = app.editing.lock().await;
    let old = app.current.settings_text().await?;
    if settings_version(&old) != new.version {
        return Err(Problem::new(Code::Conflict, "the settings were changed meanwhile")
            .hint("take what GET /api/v1/settings gives now, and make your changes to that")
            .because(Reason::SettingsChanged));
    }
    check_drop(&settings, &old)?;
    let file = app.current.settings_file();
    app.accounts.find_settings(&new.version, &old, modified(&file))?;
    write(&file, &new.text).map_err(Problem::internal)?;
    let (version, user) = (settings_version(&new.text), &caller.user()?.email);
    app.accounts.add_settings(&version, &new.text, user)?;
    app.note(user, Act::Settings, json!({ "version": version }))?;
    view(&app).await
}

/// When a file was changed, in seconds since 1970.
fn modified(path: &Path) -> Option<i64> {
    let time = std::fs::metadata(path).and_then(|about| about.modified()).ok()?;
    i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

/// Replaces a file at once: whoever reads it sees the old or the new text, also after a crash.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let beside = path.with_extension("toml.new");
    let mut file = std::fs::File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::set_permissions(&beside, std::fs::metadata(path)?.permissions())?;
    std::fs::rename(&beside, path)?;
    path.parent().map_or(Ok(()), |folder| std::fs::File::open(folder)?.sync_all())
}
