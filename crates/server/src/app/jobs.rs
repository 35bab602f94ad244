//! Builds that were started over the API.
use super::{
    problem::{Code, Problem},
    reason::Reason,
};
use safar_pipeline::BuildNote;
use serde::Serialize;
use serde_json::Value;
use std::sync::{Mutex, MutexGuard, PoisonError};
use utoipa::ToSchema;

/// How many ended jobs are remembered.
const REMEMBERED: usize = 100;

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Not ended.
    Running,
    /// Ended well.
    Done,
    /// Ended by an error.
    Failed,
}

/// What a build says: its code and values for programs and other languages, and the sentence.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = BuildNote)]
pub struct LineView {
    /// What it says.
    #[serde(flatten)]
    note: BuildNote,
    /// The same in English.
    text: String,
}

/// A build, or an erasure.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Job {
    /// Given once while the server runs.
    pub id: i64,
    /// How far it is.
    pub state: State,
    /// What it said, oldest first.
    pub lines: Vec<LineView>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Problem>)]
    pub problem: Option<Box<Problem>>,
    /// What an erasure removed: numbers by kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub removed: Option<Value>,
}

/// The jobs since the server started.
#[derive(Debug, Default)]
pub struct Jobs {
    jobs: Mutex<Vec<Job>>,
}

impl Jobs {
    fn list(&self) -> MutexGuard<'_, Vec<Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new job.
    ///
    /// # Errors
    /// While another runs.
    pub fn start(&self) -> Result<Job, Problem> {
        let mut jobs = self.list();
        if jobs.iter().any(|job| job.state == State::Running) {
            return Err(Problem::new(Code::Conflict, "a build is running already")
                .hint("wait until it ends")
                .because(Reason::BuildRunning));
        }
        let job = Job {
            id: jobs.last().map_or(1, |job| job.id + 1),
            state: State::Running,
            lines: vec![],
            problem: None,
            removed: None,
        };
        jobs.push(job.clone());
        let surplus = jobs.len().saturating_sub(REMEMBERED);
        jobs.drain(..surplus);
        Ok(job)
    }

    /// Adds a line.
    pub fn say(&self, id: i64, note: BuildNote) {
        if let Some(job) = self.list().iter_mut().find(|job| job.id == id) {
            job.lines.push(LineView { text: note.to_string(), note });
        }
    }

    /// Ends a job, well or by a problem.
    pub fn end(&self, id: i64, ended: Result<Option<Value>, Problem>) {
        if let Some(job) = self.list().iter_mut().find(|job| job.id == id) {
            match ended {
                Ok(removed) => (job.state, job.removed) = (State::Done, removed),
                Err(problem) => (job.state, job.problem) = (State::Failed, Some(Box::new(problem))),
            }
        }
    }

    /// A job.
    pub fn get(&self, id: i64) -> Option<Job> {
        self.list().iter().find(|job| job.id == id).cloned()
    }
}
