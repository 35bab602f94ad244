//! What was collected is read again in many commits, and that is killed between them: every event and every dead letter is there
//! once, before it is run again and after.
use super::{kept, open, publish, replay, settle, status::now};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use safar_collect::{Request, Stored};
use safar_ingest::{HandOver, Lines, Rules, import_lines};
use safar_pipeline::{Workspace, build, report};
use safar_store::CommitKey;
use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

const FOLDER: &str = "SAFAR_TEST_REPLAY";
const SEGMENTS: usize = 4;
/// Two rules for addresses, by which the same requests tell different things.
const RULES: [&str; 2] = ["other", "code"];

/// Not a test by itself: the process that the other starts.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        again(&Workspace::open(Path::new(&folder)).await.unwrap()).await;
    }
}

/// As `safar collect replay --kept`, with a commit for each segment and for each letter.
async fn again(workspace: &Workspace) {
    let lock = workspace.store().lock().unwrap();
    kept::in_batches(workspace, &lock, 1).await.unwrap();
    replay::in_parts(workspace, &lock, 1).await.unwrap();
}

async fn shop(root: &Path, rule: &str) -> Workspace {
    let settings =
        format!("[enrich]\npersonal_parameters = [\"{rule}\"]\n[[collect.sources]]\nname = \"web\"\nkeys = [\"k\"]\n");
    fs::write(root.join("safar.toml"), settings).unwrap();
    Workspace::open(root).await.unwrap()
}

/// Segments of batches: events of their own, one that all of them repeat, and what is no event; and lines of another log that the
/// import refuses.
async fn collect(workspace: &Workspace) {
    let collector = open(workspace).unwrap();
    for segment in 0..SEGMENTS {
        let page = |id: &str| {
            format!(
                r#"{{"type":"page","messageId":"{id}","anonymousId":"d-{id}","userId":"u{segment}","properties":{{"url":"https://shop.example/?code=c-{id}"}}}}"#
            )
        };
        let pages = [page("all"), page(&format!("{segment}-a")), page(&format!("{segment}-b"))].join(",");
        let body = format!(r#"{{"writeKey":"k","batch":[{pages},{{"type":"dance{segment}"}}]}}"#);
        let request = Request {
            method: "POST",
            path: "/v1/batch",
            query: "",
            headers: &[],
            body: body.as_bytes(),
            remote: None,
            https: false,
            received_at: now(),
        };
        collector.log().append(&Stored::encode(&request, "web", false)).await.unwrap();
        collector.log().seal().await;
    }
    drop(collector);
    settle(workspace).await.unwrap();
    let (settings, enricher) = (workspace.import_settings(), workspace.enricher().unwrap());
    let rules = Rules { import: &settings, enricher: &enricher, identity: &workspace.settings().identity };
    let line = |number: usize| Lines {
        origin: format!("collect/web/00000000/{number:06}.0"),
        text: format!("{{\"event_id\":\"odd-{number}\",\"name\":\"e\",\"occurred_at\":\"yesterday\"}}\n").into_bytes(),
    };
    let told = HandOver { lines: (0..SEGMENTS).map(line).collect(), ..HandOver::default() };
    let (lock, key) = (workspace.store().lock().unwrap(), CommitKey::new("test", "odd"));
    let done = import_lines(workspace.store(), &lock, rules, told, key, &publish::options()).await.unwrap();
    assert_eq!(done.rejected_total(), SEGMENTS as u64);
}

async fn rows(workspace: &Workspace, query: &str) -> Vec<String> {
    let session = report::session(workspace).await.unwrap();
    let options = FormatOptions::default();
    let mut rows = vec![];
    for batch in session.sql(query).await.unwrap().collect().await.unwrap() {
        let columns = batch.columns().iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap());
        let columns: Vec<_> = columns.collect();
        let row = |row: usize| columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join(",");
        rows.extend((0..batch.num_rows()).map(row));
    }
    rows
}

/// Events and rejects, without when they came to the tables.
async fn told(workspace: &Workspace) -> [Vec<String>; 2] {
    [
        rows(workspace, "select event_id, page_url, anonymous_id, user_id, origin from events order by 1").await,
        rows(workspace, "select origin, line, reason, raw from rejects order by 1, 2, 4").await,
    ]
}

async fn journeys(workspace: &Workspace, full: bool) -> Vec<String> {
    build(workspace, full, &|_| {}).await.unwrap();
    let mut all =
        rows(workspace, "select namespace, identifier, person_id, valid_from, valid_to from persons order by 1, 2, 4")
            .await;
    all.extend(rows(workspace, "select * from person_events order by person_id, step").await);
    all.extend(rows(workspace, "select * from touchpoints order by person_id, occurred_at, event_id").await);
    all
}

/// How many commits there were to `rejects`: each of these has one.
fn commits(root: &Path) -> usize {
    let log = fs::read_dir(root.join("data/rejects/_delta_log")).unwrap();
    log.filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|kind| kind == "json")).count()
}

/// Begins to read again in a process of its own, and kills that after so many commits.
fn cut_off(root: &Path, after: usize) {
    let before = commits(root);
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--exact", "collect::killed::child"]).env(FOLDER, root);
    let mut child = program.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    while commits(root) < before + after {
        let ended = child.try_wait().unwrap().is_some();
        assert!(!ended || commits(root) >= before + after, "it came to its end before {after} commits");
        assert!(began.elapsed() < Duration::from_secs(60), "{after} commits take too long");
        sleep(Duration::from_millis(1));
    }
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_commits_it_loses_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("shop");
    Workspace::init(&root, true).await.unwrap();
    let workspace = shop(&root, RULES[0]).await;
    collect(&workspace).await;
    journeys(&workspace, false).await;
    let before = commits(&root);
    again(&workspace).await;
    let all = commits(&root) - before;
    assert!(all > SEGMENTS, "a commit for each segment and for each letter: {all}");
    let mut by_rule = vec![told(&workspace).await];
    let workspace = shop(&root, RULES[1]).await;
    again(&workspace).await;
    by_rule.push(told(&workspace).await);
    assert!(by_rule[0][0][0].contains("code=c-") && !by_rule[1][0].iter().any(|event| event.contains("code=c-")));
    let id = |event: &String| event.split(',').next().unwrap().to_owned();
    let ids: Vec<String> = by_rule[0][0].iter().map(id).collect();
    assert_eq!(ids.len(), 1 + 2 * SEGMENTS);

    for (round, after) in (1..all).step_by(2).enumerate() {
        let rule = round % 2;
        let workspace = shop(&root, RULES[rule]).await;
        cut_off(&root, after);
        let [events, rejects] = told(&workspace).await;
        assert_eq!(events.iter().map(id).collect::<Vec<_>>(), ids, "after {after} of {all} commits");
        let known: BTreeSet<&String> = by_rule.iter().flat_map(|told| &told[0]).collect();
        assert!(events.iter().all(|event| known.contains(event)), "after {after} of {all} commits: {events:?}");
        assert_eq!(rejects, by_rule[rule][1], "after {after} of {all} commits");
        if round % 2 == 0 {
            assert_eq!(
                journeys(&workspace, false).await,
                journeys(&workspace, true).await,
                "after {after} of {all} commits"
            );
        }
        again(&workspace).await;
        assert_eq!(told(&workspace).await, by_rule[rule], "after {after} of {all} commits, and once more");
    }
}
