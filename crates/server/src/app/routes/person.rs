//! The page of a person.
use crate::app::{
    App,
    answer::{Page, Versions},
    cells::cells,
    extract::{Given, Id},
    problem::Problem,
};
use arrow::array::RecordBatch;
use axum::{Json, extract::State};
use safar_pipeline::report::{self, Answer};
use serde::Serialize;
use serde_json::{Map, Value};
use std::sync::Arc;
use utoipa::ToSchema;

/// Everything about one person.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonView {
    /// What it was made from.
    meta: Versions,
    /// person_id, first_seen, last_seen, sessions, conversions, value, last_channel.
    person: Map<String, Value>,
    /// namespace, identifier, first_seen, last_seen, valid_from, valid_to; why it is linked, in English and in parts: why, tie
    /// (the kind of link: event, record, alias, match, merge), tie_namespace, tie_identifier, tie_at, tie_source.
    identifiers: Vec<Map<String, Value>>,
    /// Visits, oldest first.
    sessions: Vec<Map<String, Value>>,
    /// A page of the events, oldest first.
    timeline: Vec<Map<String, Value>>,
    /// How many events there are.
    timeline_rows: usize,
    /// Conversions of all goals, oldest first.
    conversions: Vec<Map<String, Value>>,
}

fn rows(answer: &Answer) -> Result<Vec<Map<String, Value>>, Problem> {
    named(&answer.rows)
}

fn named(rows: &RecordBatch) -> Result<Vec<Map<String, Value>>, Problem> {
    let schema = rows.schema();
    let names = || schema.fields().iter().map(|field| field.name().clone());
    Ok(cells(rows)?.into_iter().map(|row| names().zip(row).collect()).collect())
}

pub async fn show(State(app): State<Arc<App>>, Id(id): Id, Given(given): Given) -> Result<Json<PersonView>, Problem> {
    let Page { limit, offset } = Page::check(given)?;
    let opened = app.opened().await?;
    let (workspace, data_version) = opened.pinned().await?;
    let page = async move {
        let session = report::session(&workspace).await?;
        Ok(report::person(&workspace, &session, id).await?)
    };
    let page = app.queries.run(page).await?;
    let timeline = &page.timeline.rows;
    let timeline_rows = timeline.num_rows();
    let start = offset.min(timeline_rows);
    let timeline = timeline.slice(start, limit.min(timeline_rows - start));
    Ok(Json(PersonView {
        meta: Versions::new(data_version, opened.settings_version.clone()),
        person: rows(&page.person)?.into_iter().next().unwrap_or_default(),
        identifiers: rows(&page.identifiers)?,
        sessions: rows(&page.sessions)?,
        timeline: named(&timeline)?,
        timeline_rows,
        conversions: rows(&page.conversions)?,
    }))
}
