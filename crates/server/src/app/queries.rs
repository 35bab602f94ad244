//! Where reports are computed: on threads of their own, so many at once, and no longer than somebody waits for the answer.
use super::problem::{Code, Problem};
use safar_attribution::Waiting;
use safar_pipeline::Stop;
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    runtime::{Builder, Runtime},
    sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch},
};

/// How many reports are computed at once; others wait for their turn.
const AT_ONCE: usize = 4;

/// Threads and turns.
#[derive(Debug)]
pub struct Queries {
    reports: Option<Runtime>,
    /// Connections of the SQL server: they have threads of their own, so that neither they nor reports stand still for the others.
    sql: Option<Runtime>,
    turns: Arc<Semaphore>,
    closed: watch::Sender<bool>,
    running: Arc<AtomicUsize>,
    connections: Arc<AtomicUsize>,
}

impl Queries {
    /// For reports and for SQL as many threads as the machine has cores, and one more for each report while it is computed.
    ///
    /// # Errors
    /// When they cannot be started.
    pub fn new() -> std::io::Result<Self> {
        let runtime = |name: &str| Builder::new_multi_thread().thread_name(name).enable_all().build();
        Ok(Self {
            reports: Some(runtime("query")?),
            sql: Some(runtime("sql")?),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            closed: watch::Sender::new(false),
            running: Arc::default(),
            connections: Arc::default(),
        })
    }

    /// How many reports are being computed now.
    pub fn running(&self) -> usize {
        self.running.load(Ordering::SeqCst)
    }

    /// How many connections of the SQL server there are now.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The result of `work`; when nobody waits for it any more, the work is stopped where it next waits for data. Its turn ends
    /// with it, not before: what computes on without waiting keeps others waiting.
    ///
    /// # Errors
    /// Those of the work; [`Code::Internal`] when it panicked, or when the server stops.
    pub async fn run<T, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Problem>> + Send + 'static,
    {
        self.run_until(Stop::default(), work).await
    }

    /// The same of work that looks at `stop`, which is asked for when nobody waits any more.
    ///
    /// # Errors
    /// As [`Queries::run`].
    pub async fn run_until<T, F>(&self, stop: Stop, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Problem>> + Send + 'static,
    {
        let mut closed = self.closed.subscribe();
        let answer = async {
            let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(Problem::internal)?;
            self.begin(Some(turn), stop, work).await
        };
        tokio::select! {
            biased;
            _ = closed.wait_for(|closed| *closed) => Err(stopping()),
            answer = answer => answer,
        }
    }

    /// Ends reports as if nobody waited any more.
    pub fn close(&self) {
        self.closed.send_replace(true);
    }

    /// The same outside of turns, for work that goes on for as long as the server does.
    pub async fn spawn<T, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Problem>> + Send + 'static,
    {
        self.begin(None, Stop::default(), work).await
    }

    async fn begin<T, F>(&self, turn: Option<OwnedSemaphorePermit>, stop: Stop, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Problem>> + Send + 'static,
    {
        let Some(runtime) = &self.reports else { return Err(stopping()) };
        let running = Running::new(&self.running);
        // Dropped with this function, when nobody waits any more.
        let (leave, left) = oneshot::channel::<()>();
        let _waiting = (leave, Waiting(stop));
        let handle = runtime.handle().clone();
        // A thread of its own: models compute for minutes without a pause, and would keep queries from the threads they share.
        let task = runtime.spawn_blocking(move || {
            let _held = (turn, running);
            handle.block_on(async move {
                tokio::select! {
                    biased;
                    _ = left => Err(Problem::new(Code::Internal, "nobody waits for the answer")),
                    done = work => done,
                }
            })
        });
        task.await.unwrap_or_else(|error| Err(Problem::internal(error)))
    }

    /// Work that nobody waits for, on the threads of the SQL server: a connection.
    pub fn detach(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.sql {
            let counted = Running::new(&self.connections);
            runtime.spawn(async move {
                let _counted = counted;
                work.await;
            });
        }
    }
}

impl Drop for Queries {
    /// Without waiting: the runtime that drops this may not be blocked.
    fn drop(&mut self) {
        for runtime in [self.reports.take(), self.sql.take()].into_iter().flatten() {
            runtime.shutdown_background();
        }
    }
}

fn stopping() -> Problem {
    Problem::internal("the server is stopping")
}

/// Counts a report or a connection for as long as its work lives.
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::atomic::AtomicBool, thread, time::Duration};

    const SOON: Duration = Duration::from_millis(5);

    /// Work that computes without a pause keeps its turn when whoever asked for it leaves, and the one after it waits.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_turn_ends_with_the_work_and_not_with_the_wait() {
        let queries = Arc::new(Queries::new().unwrap());
        let (busy, may_end) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let ask = || {
            let (queries, busy, may_end) = (Arc::clone(&queries), Arc::clone(&busy), Arc::clone(&may_end));
            tokio::spawn(async move {
                let work = async move {
                    busy.fetch_add(1, Ordering::SeqCst);
                    while !may_end.load(Ordering::SeqCst) {
                        thread::sleep(SOON);
                    }
                    Ok(())
                };
                queries.run(work).await
            })
        };
        for begun in 1..=AT_ONCE {
            let asked = ask();
            while busy.load(Ordering::SeqCst) < begun {
                tokio::time::sleep(SOON).await;
            }
            asked.abort();
            assert!(asked.await.unwrap_err().is_cancelled());
        }
        let next = ask();
        tokio::time::sleep(20 * SOON).await;
        assert_eq!(busy.load(Ordering::SeqCst), AT_ONCE, "the next one waits for its turn");
        assert_eq!(queries.running(), AT_ONCE);
        may_end.store(true, Ordering::SeqCst);
        next.await.unwrap().unwrap();
        assert_eq!(busy.load(Ordering::SeqCst), AT_ONCE + 1);
    }

    /// What computes without a pause, but looks whether somebody waits, ends soon after nobody does.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_looks_up_is_told_that_nobody_waits() {
        let queries = Queries::new().unwrap();
        let (stop, begun) = (Stop::default(), Arc::new(AtomicBool::new(false)));
        let work = until_stopped(stop.clone(), Arc::clone(&begun));
        {
            let asked = queries.run_until(stop, work);
            tokio::pin!(asked);
            while !begun.load(Ordering::SeqCst) {
                assert!(tokio::time::timeout(SOON, &mut asked).await.is_err());
            }
        }
        while queries.running() > 0 {
            tokio::time::sleep(SOON).await;
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_server_that_stops_ends_what_is_waited_for() {
        let queries = Arc::new(Queries::new().unwrap());
        let (stop, begun) = (Stop::default(), Arc::new(AtomicBool::new(false)));
        let work = until_stopped(stop.clone(), Arc::clone(&begun));
        let running = Arc::clone(&queries);
        let asked = tokio::spawn(async move { running.run_until(stop, work).await });
        while !begun.load(Ordering::SeqCst) {
            tokio::time::sleep(SOON).await;
        }
        queries.close();
        assert!(asked.await.unwrap().is_err());
        assert!(queries.run(async { Ok(()) }).await.is_err(), "and begins nothing");
        while queries.running() > 0 {
            tokio::time::sleep(SOON).await;
        }
    }

    /// Computes without a pause, but looks.
    async fn until_stopped(stop: Stop, begun: Arc<AtomicBool>) -> Result<(), Problem> {
        begun.store(true, Ordering::SeqCst);
        while !stop.is_stopped() {
            thread::sleep(SOON);
        }
        Ok(())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn work_stops_where_it_waits_once_nobody_asks_and_a_panic_is_told() {
        let queries = Queries::new().unwrap();
        let endless = queries.run(std::future::pending::<Result<(), Problem>>());
        assert!(tokio::time::timeout(Duration::from_millis(50), endless).await.is_err());
        for _ in 0..100 {
            if queries.running() == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(queries.running(), 0);
        let broken: Result<(), Problem> = queries.run(async { panic!("a fault of the program") }).await;
        assert!(broken.is_err());
    }
}
