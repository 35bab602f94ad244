//! What the workspace holds.
use crate::app::{
    App,
    accounts::Role,
    answer::compute,
    cells::{Column, cells},
    problem::Problem,
    reports::{Arguments, Report, Table},
};
use arrow::datatypes::SchemaRef;
use axum::{Json, extract::State};
use futures::FutureExt;
use jiff::{Timestamp, tz::TimeZone};
use safar_attribution::{MODELS, ModelSpec, all_models, causal_models};
use safar_model::{Table as Name, about};
use safar_pipeline::{
    Workspace,
    report::{Dimension, goals},
};
use serde::Serialize;
use serde_json::Value;
use std::{sync::Arc, time::UNIX_EPOCH};
use utoipa::ToSchema;

/// The workspace.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkspaceView {
    /// What reports are headed with.
    name: String,
    /// IANA name: where days begin.
    time_zone: String,
    /// ISO 4217 code of values.
    currency: String,
    /// What counts as a result, goals of ready paths among them; the first is the one that reports show unless another is named.
    goals: Vec<String>,
    /// Models, those of safar.toml first.
    models: Vec<ModelView>,
    /// What reports can be made by.
    dimensions: Vec<&'static str>,
    /// Of the events, in the workspace's time zone; null where there are none.
    first_day: Option<String>,
    /// The last one.
    last_day: Option<String>,
    /// How many there are.
    events: Value,
    /// How many people have a session, touchpoint or conversion.
    people: Value,
    /// Names the version of the data.
    data_version: String,
    /// Names the text of safar.toml.
    settings_version: String,
    /// The version of Safar.
    program_version: &'static str,
    /// The last build that ended; null before the first.
    last_build: Option<BuildView>,
    /// The language to begin with; the browser's own where empty.
    locale: String,
}

/// A model.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelView {
    /// As reports want it spelled.
    spec: String,
    /// Without its settings.
    name: &'static str,
    /// In one line.
    help: &'static str,
    /// Whether it reads all that people did, rather than paths: slow, and not for parts of the data.
    causal: bool,
    /// Whether safar.toml names it.
    chosen: bool,
    /// What each of four touches gets, first to last, of different channels and a day apart; null for models that learn from data.
    shares_of_four: Option<Vec<f64>>,
}

/// A build.
#[derive(Debug, Serialize, ToSchema)]
pub struct BuildView {
    /// When it ended: seconds since 1970.
    time: u64,
}

/// A table of SQL.
#[derive(Debug, Serialize, ToSchema)]
pub struct TableView {
    /// Its name.
    name: &'static str,
    /// What it holds.
    help: &'static str,
    /// Its columns.
    columns: Vec<ColumnView>,
}

/// A column of a table.
#[derive(Debug, Serialize, ToSchema)]
pub struct ColumnView {
    /// Its name and what its cells are.
    #[serde(flatten)]
    column: Column,
    /// What it means.
    help: &'static str,
}

/// The numbers that are counted once for each version of the data.
static FACTS: Report = Report {
    name: "workspace",
    about: "",
    role: Role::Viewer,
    parameters: &[],
    run: |workspace, _| facts(workspace).boxed(),
};

async fn facts(workspace: &Workspace) -> Result<Table, Problem> {
    let snapshot = workspace.store().snapshot().await?;
    let session = workspace.engine()?.session(&snapshot)?;
    let people = ["sessions", "touchpoints", "conversions"].map(|name| format!("SELECT person_id FROM {name}"));
    let sql = format!(
        "SELECT count(*) AS events, CAST(min(occurred_at) AS BIGINT) AS first, CAST(max(occurred_at) AS BIGINT) AS last, \
         (SELECT count(DISTINCT person_id) FROM ({})) AS people, \
         (SELECT array_agg(DISTINCT goal ORDER BY goal) FROM paths) AS goals FROM events",
        people.join(" UNION ALL ")
    );
    let frame = session.sql(&sql).await?;
    let schema = SchemaRef::new(frame.schema().as_arrow().clone());
    Ok(Table::new(schema, frame.collect().await?))
}

pub async fn show(State(app): State<Arc<App>>) -> Result<Json<WorkspaceView>, Problem> {
    let computed = compute(&app, &FACTS, Arguments::default()).await?;
    let mut row = vec![];
    for batch in &computed.table.batches {
        row.extend(cells(batch)?.into_iter().flatten());
    }
    let workspace = &computed.workspace;
    let settings = workspace.settings();
    let zone = TimeZone::get(&settings.workspace.time_zone).map_err(Problem::internal)?;
    let day = |at: usize| {
        let at = Timestamp::from_microsecond(row.get(at)?.as_i64()?).ok()?;
        Some(at.to_zoned(zone.clone()).date().to_string())
    };
    let count = |at: usize| row.get(at).cloned().unwrap_or(Value::Null);
    // Null where there are no paths.
    let walked: Vec<String> = serde_json::from_value(count(4)).unwrap_or_default();
    let built = tokio::fs::metadata(workspace.root().join("data").join("build.json")).await;
    let built = built.and_then(|about| about.modified()).ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Ok(Json(WorkspaceView {
        name: settings.workspace.name.clone(),
        time_zone: settings.workspace.time_zone.clone(),
        currency: settings.workspace.currency.clone(),
        goals: goals(settings, &walked),
        models: models(&settings.attribution.models),
        dimensions: Dimension::NAMES.to_vec(),
        first_day: day(1),
        last_day: day(2),
        events: count(0),
        people: count(3),
        data_version: computed.key.data,
        settings_version: computed.key.settings,
        program_version: env!("CARGO_PKG_VERSION"),
        last_build: built.map(|time| BuildView { time: time.as_secs() }),
        locale: settings.workspace.locale.clone(),
    }))
}

/// Those of safar.toml, and then every other.
fn models(chosen: &[ModelSpec]) -> Vec<ModelView> {
    let others = [all_models(), causal_models()].concat();
    let others = others.iter().filter(|model| !chosen.contains(model)).map(|model| (model, false));
    let all = chosen.iter().map(|model| (model, true)).chain(others);
    let view = |(model, chosen): (&ModelSpec, bool)| {
        let spec = model.to_string();
        let bare = spec.split(':').next().unwrap_or_default();
        let about = MODELS.iter().find(|about| about.name == bare);
        let (name, help) = about.map_or(("", ""), |about| (about.name, about.meaning));
        ModelView { causal: model.is_causal(), spec, name, help, chosen, shares_of_four: model.weights(4) }
    };
    all.map(view).collect()
}

pub async fn tables() -> Json<Vec<TableView>> {
    let table = |table: Name| TableView {
        name: table.name(),
        help: about::of_table(table),
        columns: table
            .schema()
            .fields()
            .iter()
            .map(|field| ColumnView { column: Column::of(field), help: about::of_column(table, field.name()) })
            .collect(),
    };
    Json(Name::ALL.into_iter().map(table).collect())
}
