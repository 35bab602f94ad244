//! Builds.
use crate::app::{
    App,
    extract::Id,
    jobs::{Job, State as JobState},
    problem::{Code, Problem},
};
use axum::{Json, extract::State, http::StatusCode};
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
                safar_pipeline::build(&opened.workspace, false, &|step| app.jobs.say(id, step.to_owned())).await?;
            for reason in report.reasons.iter().chain(&report.findings) {
                app.jobs.say(id, reason.clone());
            }
            Ok(())
        };
        let ended = running.queries.spawn(work).await;
        if let Err(problem) = &ended {
            running.jobs.say(id, problem.detail.clone());
        }
        running.jobs.end(id, if ended.is_ok() { JobState::Done } else { JobState::Failed });
    });
    Ok((StatusCode::ACCEPTED, Json(Started { job: id })))
}

pub async fn show(State(app): State<Arc<App>>, Id(id): Id) -> Result<Json<Job>, Problem> {
    let job = app.jobs.get(id);
    job.map(Json).ok_or_else(|| Problem::new(Code::NotFound, format!("there is no job {id} since the server started")))
}
