//! The page of a person.
use crate::app::{App, cells::cells, extract::Id, problem::Problem};
use axum::{Json, extract::State};
use safar_pipeline::report::{self, Answer};
use serde::Serialize;
use serde_json::{Map, Value};
use std::sync::Arc;
use utoipa::ToSchema;

/// Everything about one person.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonView {
    /// person_id, first_seen, last_seen, sessions, conversions, value, last_channel.
    person: Map<String, Value>,
    /// namespace, identifier, first_seen, last_seen, valid_from, valid_to, why.
    identifiers: Vec<Map<String, Value>>,
    /// Visits, oldest first.
    sessions: Vec<Map<String, Value>>,
    /// Every event, oldest first.
    timeline: Vec<Map<String, Value>>,
    /// Conversions of all goals, oldest first.
    conversions: Vec<Map<String, Value>>,
}

fn rows(answer: &Answer) -> Result<Vec<Map<String, Value>>, Problem> {
    let schema = answer.rows.schema();
    let names = || schema.fields().iter().map(|field| field.name().clone());
    Ok(cells(&answer.rows)?.into_iter().map(|row| names().zip(row).collect()).collect())
}

pub async fn show(State(app): State<Arc<App>>, Id(id): Id) -> Result<Json<PersonView>, Problem> {
    let (workspace, _) = app.opened().await?.pinned().await?;
    let page = async move {
        let session = report::session(&workspace).await?;
        Ok(report::person(&workspace, &session, id).await?)
    };
    let page = app.queries.run(page).await?;
    Ok(Json(PersonView {
        person: rows(&page.person)?.into_iter().next().unwrap_or_default(),
        identifiers: rows(&page.identifiers)?,
        sessions: rows(&page.sessions)?,
        timeline: rows(&page.timeline)?,
        conversions: rows(&page.conversions)?,
    }))
}
