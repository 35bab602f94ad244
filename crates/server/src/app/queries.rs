//! Where reports are computed: on threads of their own, so many at once, and no longer than somebody waits for the answer.
use super::problem::Problem;
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    runtime::{Builder, Runtime},
    sync::Semaphore,
    task::JoinHandle,
};

/// How many reports are computed at once; others wait for their turn.
const AT_ONCE: usize = 4;

/// Threads and turns.
#[derive(Debug)]
pub struct Queries {
    runtime: Option<Runtime>,
    turns: Semaphore,
    running: Arc<AtomicUsize>,
}

impl Queries {
    /// As many threads as the machine has cores.
    ///
    /// # Errors
    /// When they cannot be started.
    pub fn new() -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread().thread_name("query").enable_all().build()?;
        Ok(Self { runtime: Some(runtime), turns: Semaphore::new(AT_ONCE), running: Arc::default() })
    }

    /// How many reports are being computed now.
    pub fn running(&self) -> usize {
        self.running.load(Ordering::SeqCst)
    }

    /// The result of `work`; when nobody waits for it any more, the work is stopped where it next waits for data.
    ///
    /// # Errors
    /// Those of the work; [`Code::Internal`](super::problem::Code) when it panicked.
    pub async fn run<T, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Problem>> + Send + 'static,
    {
        let _turn = self.turns.acquire().await.map_err(Problem::internal)?;
        self.spawn(work).await
    }

    /// The same outside of turns, for work that goes on for as long as the server does.
    pub async fn spawn<T, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Problem>> + Send + 'static,
    {
        let Some(runtime) = &self.runtime else { return Err(Problem::internal("the server is stopping")) };
        let running = Running::new(&self.running);
        let task = runtime.spawn(async move {
            let _running = running;
            work.await
        });
        Stopped(task).join().await
    }

    /// Work that nobody waits for, such as a connection of the SQL server.
    pub fn detach(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.runtime {
            runtime.spawn(work);
        }
    }
}

impl Drop for Queries {
    /// Without waiting: the runtime that drops this may not be blocked.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Counts a report for as long as its work lives.
struct Running(Arc<AtomicUsize>);

impl Running {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A task that stops when nobody waits for it.
struct Stopped<T>(JoinHandle<T>);

impl<T> Stopped<Result<T, Problem>> {
    async fn join(mut self) -> Result<T, Problem> {
        match (&mut self.0).await {
            Ok(result) => result,
            Err(error) => Err(Problem::internal(error)),
        }
    }
}

impl<T> Drop for Stopped<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
