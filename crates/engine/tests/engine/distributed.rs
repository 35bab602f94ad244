//! Workers on loopback ports, each in a runtime of its own that ends like a killed process.
use crate::{
    node::{self, with_node},
    support::{block_on, text, workspace},
};
use datafusion::{
    arrow::datatypes::DataType,
    common::DataFusionError,
    logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf},
    physical_plan::displayable,
};
use safar_engine::{Engine, EngineOptions, Error, Extensions, Session, serve_worker};
use std::{
    net::TcpListener,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::runtime::Runtime;
use url::Url;

const QUERIES: [&str; 4] = [
    "SELECT channel, count(*) AS n, sum(pass(person_id) % 1000) AS s FROM touchpoints GROUP BY channel ORDER BY channel",
    "SELECT person_id, count(*) AS n, max(pass(touchpoint_id)) AS t FROM touchpoints GROUP BY person_id ORDER BY person_id",
    "SELECT count(*) AS n, sum(value) AS v FROM touchpoints t JOIN conversions c ON t.person_id = pass(c.person_id)",
    "SELECT touchpoint_id, row_number() OVER (PARTITION BY person_id ORDER BY occurred_at) AS r \
     FROM touchpoints WHERE pass(person_id) % 5 = 1 ORDER BY touchpoint_id",
];

type Runtimes = Arc<Mutex<Vec<Option<Runtime>>>>;

/// A function that hands its argument on, and does something else as well.
fn pass(also: impl Fn() -> Result<(), DataFusionError> + Send + Sync + 'static) -> Extensions {
    let run = move |arguments: &[ColumnarValue]| {
        also()?;
        Ok(arguments[0].clone())
    };
    let function: ScalarUDF =
        create_udf("pass", vec![DataType::Int64], DataType::Int64, Volatility::Volatile, Arc::new(run));
    with_node(Extensions { scalar: vec![Arc::new(function)], ..Extensions::default() })
}

fn options() -> EngineOptions {
    EngineOptions { threads: 2, ..EngineOptions::default() }
}

fn start(runtimes: &Runtimes, extensions: Extensions) -> Url {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    runtime.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        serve_worker(options(), extensions, listener, std::future::pending()).await.unwrap();
    });
    runtimes.lock().unwrap().push(Some(runtime));
    url
}

fn kill(runtimes: &Runtimes, worker: usize) {
    let runtime = runtimes.lock().unwrap()[worker].take();
    if let Some(runtime) = runtime {
        runtime.shutdown_background();
    }
}

/// Small tables are shared out too.
fn shared_out(session: Session) -> Session {
    let state = session.context().state_ref();
    let mut state = state.write();
    state.config_mut().options_mut().set("distributed.file_scan_config_bytes_per_partition", "1").unwrap();
    drop(state);
    session
}

async fn answers(session: &Session) -> Result<Vec<String>, Error> {
    let mut answers = vec![];
    for query in QUERIES {
        answers.push(text(session, session.sql(query).await?).await?);
    }
    answers.push(node::answer(session).await?);
    Ok(answers)
}

#[test]
fn answers_are_the_same_before_during_and_after_a_worker_dies() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let store = workspace(folder.path(), 2_000).await;
        let snapshot = store.snapshot().await.unwrap();
        let embedded = Engine::embedded(store.clone(), options(), pass(|| Ok(()))).unwrap();
        let expected = answers(&embedded.session(&snapshot).unwrap()).await.unwrap();
        // Three touches each, numbered in order: no person is split.
        assert_eq!(expected[4].matches("| 3      |").count(), 2_000);

        let runtimes = Runtimes::default();
        let calls: Arc<[AtomicUsize; 2]> = Arc::default();
        let deadly = Arc::new(AtomicUsize::new(usize::MAX));
        let urls: Vec<_> = (0..2)
            .map(|worker| {
                let (calls, deadly, mine) = (Arc::clone(&calls), Arc::clone(&deadly), Arc::clone(&runtimes));
                let also = move || {
                    calls[worker].fetch_add(1, Ordering::SeqCst);
                    if deadly.load(Ordering::SeqCst) == worker {
                        // In the middle of the query the worker is gone.
                        kill(&mine, worker);
                        return Err(DataFusionError::Execution("nobody will read this".to_owned()));
                    }
                    Ok(())
                };
                start(&runtimes, pass(also))
            })
            .collect();
        let engine = Engine::distributed(store, options(), pass(|| Ok(())), urls).unwrap();
        let session = shared_out(engine.session(&snapshot).unwrap());

        for query in QUERIES {
            let plan = session.sql(query).await.unwrap().create_physical_plan().await.unwrap();
            let plan = displayable(plan.as_ref()).indent(false).to_string();
            assert!(plan.contains("DistributedExec"), "{plan}");
        }
        assert_eq!(answers(&session).await.unwrap(), expected, "before");
        assert!(calls.iter().all(|calls| calls.load(Ordering::SeqCst) > 0), "both have worked: {calls:?}");

        deadly.store(1, Ordering::SeqCst);
        assert_eq!(answers(&session).await.unwrap(), expected, "during");
        assert!(runtimes.lock().unwrap()[1].is_none(), "it was killed");

        let before = calls[1].load(Ordering::SeqCst);
        assert_eq!(answers(&session).await.unwrap(), expected, "after");
        assert_eq!(calls[1].load(Ordering::SeqCst), before);

        kill(&runtimes, 0);
        let error = answers(&session).await.unwrap_err();
        assert!(matches!(error, Error::NoWorkers(_)), "{error}");
    });
}

#[test]
fn an_error_of_the_query_is_not_a_lost_worker() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let store = workspace(folder.path(), 500).await;
        let snapshot = store.snapshot().await.unwrap();
        let runtimes = Runtimes::default();
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let also = move || {
            counted.fetch_add(1, Ordering::SeqCst);
            Err(DataFusionError::Execution("pass does not like this".to_owned()))
        };
        let also = Arc::new(also);
        let urls = (0..2).map(|_| {
            let also = Arc::clone(&also);
            start(&runtimes, pass(move || also()))
        });
        let engine = Engine::distributed(store, options(), pass(|| Ok(())), urls.collect()).unwrap();
        let session = shared_out(engine.session(&snapshot).unwrap());
        let frame =
            session.sql("SELECT channel, sum(pass(person_id)) FROM touchpoints GROUP BY channel").await.unwrap();
        let error = text(&session, frame).await.unwrap_err();
        assert!(error.to_string().contains("pass does not like this"), "{error}");
        assert!(!matches!(error, Error::WorkerLost { .. }));
        (0..2).for_each(|worker| kill(&runtimes, worker));
    });
}
