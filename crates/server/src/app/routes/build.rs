//! Builds.
use crate::app::{
    App,
    extract::Id,
    jobs::Job,
    problem::{Code, Problem},
};
use axum::{Json, extract::State, http::StatusCode};
use safar_pipeline::BuildNote;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A build that was started.
#[derive(Debug, Serialize, ToSchema)]
pub struct Started {
    /// Its number, for `/jobs/{id}`.
    job: i64,
}

impl Started {
    /// With this number.
    pub fn job(job: i64) -> Self {
        Self { job }
    }
}

pub async fn start(State(app): State<Arc<App>>) -> Result<(StatusCode, Json<Started>), Problem> {
    let opened = app.current.get().await?;
    let job = app.jobs.start()?;
    let id = job.id;
    let running = Arc::clone(&app);
    tokio::spawn(async move {
        let app = Arc::clone(&running);
        let work = async move {
            let report =
                safar_pipeline::build(&opened.workspace, false, &|step| app.jobs.say(id, BuildNote::Step { step }))
                    .await?;
            for note in report.reasons.into_iter().chain(report.findings) {
                app.jobs.say(id, note);
            }
            Ok(None)
        };
        running.jobs.end(id, running.queries.spawn(work).await);
    });
    Ok((StatusCode::ACCEPTED, Json(Started { job: id })))
}

pub async fn show(State(app): State<Arc<App>>, Id(id): Id) -> Result<Json<Job>, Problem> {
    let job = app.jobs.get(id);
    job.map(Json).ok_or_else(|| Problem::new(Code::NotFound, format!("there is no job {id} since the server started")))
}
