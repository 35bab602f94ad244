//! The SQL server as psql meets it.
use crate::support::{PASSWORD, Server};
use axum::http::Method;
use safar_pipeline::{Workspace, build, settings::SqlSettings};
use safar_server::sql::{SqlError, SqlServer};
use serde_json::json;
use std::{
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
};
use tokio::net::TcpListener;

/// Whether a program is here. Where it is not, the test says that it is skipped, and fails in continuous integration.
fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    assert!(found || std::env::var_os("CI").is_none_or(|ci| ci != "true"), "there is no {program}: see .ci/run");
    if !found {
        eprintln!("skipped: there is no {program}");
    }
    found
}

fn has_psql() -> bool {
    has("psql")
}

struct Client {
    address: SocketAddr,
    user: String,
    secret: String,
    options: String,
}

impl Client {
    /// psql with one statement, as it runs.
    fn spawn(&self, statement: &str) -> Child {
        let mut command = Command::new("psql");
        let (port, user) = (self.address.port(), &self.user);
        command.args(["-X", "-c", statement, &format!("host=127.0.0.1 port={port} user={user} dbname=safar")]);
        command.env("PGPASSWORD", &self.secret).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// The same as [`Client::ask`], of a script.
    async fn ask_file(&self, script: &str) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("script.sql");
        std::fs::write(&file, script).unwrap();
        self.run(&["-f", &file.display().to_string()]).await
    }

    /// Rows without headings, or the error; several statements go over one connection.
    async fn ask(&self, statements: &[&str]) -> Result<String, String> {
        let words: Vec<&str> = statements.iter().flat_map(|statement| ["-c", statement]).collect();
        self.run(&words).await
    }

    async fn run(&self, words: &[&str]) -> Result<String, String> {
        let mut command = Command::new("psql");
        let (host, port, user) = (self.address.ip(), self.address.port(), &self.user);
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]);
        command.arg(format!("host={host} port={port} user={user} dbname=safar connect_timeout=20 {}", self.options));
        command.args(words);
        command.env("PGPASSWORD", &self.secret).stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    async fn one(&self, statement: &str) -> String {
        self.ask(&[statement]).await.unwrap_or_else(|error| panic!("{statement}: {error}"))
    }

    async fn fails(&self, statement: &str) -> String {
        self.ask(&[statement]).await.expect_err(statement)
    }
}

/// Serves SQL of `server` with a certificate or without, for whoever has the `role`.
async fn client(server: &Server, settings: &SqlSettings, secret: (&str, &str)) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let sql = SqlServer::new(Arc::clone(&server.app), &server.root(), settings, address).unwrap();
    tokio::spawn(sql.serve(listener, std::future::pending()));
    let (user, secret) = (secret.0.to_owned(), secret.1.to_owned());
    Client { address, user, secret, options: String::new() }
}

fn plain() -> SqlSettings {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    SqlSettings { listen, certificate: None, key: None, statement_timeout_seconds: 3600 }
}

async fn served() -> (Server, Client) {
    let (server, mut admin) = Server::with_admin().await;
    let token = admin.post("/tokens", json!({"name": "psql"})).await.json();
    let secret = (token["sql_user"].as_str().unwrap(), token["secret"].as_str().unwrap());
    let client = client(&server, &plain(), secret).await;
    (server, client)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_tokens_of_those_who_may_ask_get_in() {
    if !has_psql() {
        return;
    }
    let (server, mut admin) = Server::with_admin().await;
    let token = admin.post("/tokens", json!({"name": "psql"})).await.json();
    let user = token["sql_user"].as_str().unwrap().to_owned();
    let mut psql = client(&server, &plain(), (&user, token["secret"].as_str().unwrap())).await;
    assert_eq!(psql.one("SELECT 1").await, "1");
    let right = std::mem::replace(&mut psql.secret, "safar_guess".to_owned());
    let refused = psql.fails("SELECT 1").await;
    assert!(refused.contains("assword authentication failed"), "{refused}");
    psql.secret = right.clone();
    psql.user = "token_99".to_owned();
    assert!(psql.fails("SELECT 1").await.contains("assword authentication failed"));
    let viewer = server.user(&mut admin, "viewer").await.post("/tokens", json!({"name": "psql"})).await.json();
    psql.user = viewer["sql_user"].as_str().unwrap().to_owned();
    psql.secret = viewer["secret"].as_str().unwrap().to_owned();
    assert!(psql.fails("SELECT 1").await.contains("assword authentication failed"), "viewers see no single people");
    (psql.user, psql.secret) = (user, right);
    admin.send(Method::DELETE, &format!("/tokens/{}", token["id"]), None).await;
    assert!(psql.fails("SELECT 1").await.contains("assword authentication failed"), "the token was taken away");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_reading_can_be_done() {
    if !has_psql() {
        return;
    }
    let (server, psql) = served().await;
    let before = psql.one("SELECT count(*) FROM events").await;
    for statement in [
        "CREATE TABLE t AS SELECT 1",
        "CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '/etc'",
        "CREATE VIEW v AS SELECT 1",
        "SELECT 1 AS x INTO t",
        "INSERT INTO events SELECT * FROM events",
        "UPDATE events SET name = 'x'",
        "DELETE FROM events",
        "TRUNCATE events",
        "DROP TABLE events",
        "COPY events TO 'stolen.csv'",
        "COPY (SELECT 1) TO PROGRAM 'cat'",
        "COPY events FROM STDIN",
        "SET datafusion.runtime.memory_limit = '100G'",
        "EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1",
        "BEGIN; DECLARE c CURSOR FOR SELECT 1 AS x INTO t",
        "SELECT * FROM '/etc/passwd'",
    ] {
        let refused = psql.fails(statement).await;
        assert!(refused.contains("ERROR"), "{statement}: {refused}");
    }
    assert_eq!(psql.one("SELECT count(*) FROM events").await, before);
    assert_eq!(psql.one("SELECT count(*) FROM pg_class WHERE relname IN ('t', 'v')").await, "0");
    assert!(!server.root().join("stolen.csv").exists() && !Path::new("stolen.csv").exists());
}

/// What psql and BI tools send, and what must come back.
#[tokio::test(flavor = "multi_thread")]
async fn tools_get_what_they_ask_for() {
    if !has_psql() {
        return;
    }
    let (_server, psql) = served().await;
    for (statement, wanted) in [
        // SQLAlchemy, which Superset speaks through.
        ("SELECT pg_catalog.version() LIKE 'PostgreSQL 16%'", "t"),
        ("SELECT current_schema()", "data"),
        ("SELECT current_setting('server_version_num')", "160006"),
        ("SELECT current_setting('nothing', true) IS NULL", "t"),
        ("SHOW TRANSACTION ISOLATION LEVEL", "read committed"),
        ("SHOW server_version", "16.6"),
        ("SHOW search_path", "data"),
        ("SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname NOT LIKE 'pg/_' || '%' ESCAPE '/'", "data"),
        ("SELECT count(*) FROM sessions WHERE landing_page LIKE '%' || 'no/_page' || '%' ESCAPE '/'", "0"),
        ("SELECT t.oid::regtype::text FROM pg_type t WHERE t.oid = to_regtype('int8')", "bigint"),
        ("SELECT to_regclass('data.events') = 'events'::regclass, to_regclass('nothing') IS NULL", "t|t"),
        ("SELECT current_schemas(false), pg_typeof(now())", "{data}|timestamp with time zone"),
        (
            "SELECT date_trunc('hour', t) + INTERVAL '5 minutes' * FLOOR(EXTRACT(MINUTE FROM t) / 5) FROM (SELECT TIMESTAMP '2026-03-04 05:14:07' AS t) AS s",
            "2026-03-04 05:10:00.000000",
        ),
        (
            "SELECT count(*) FROM sessions WHERE started_at >= TO_TIMESTAMP('2000-01-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') \
             AND started_at < TO_TIMESTAMP('2000-01-02 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US')",
            "0",
        ),
        ("SELECT to_char(TIMESTAMP '2026-03-04 05:06:07', 'YYYY-MM-DD HH24:MI:SS')", "2026-03-04 05:06:07"),
        // Grafana.
        ("SELECT floor(extract(epoch FROM TIMESTAMP '1970-01-01 01:00:07') / 60) * 60 AS time", "3600.0"),
        ("SELECT quote_ident(table_name) FROM information_schema.tables WHERE table_name = 'sessions'", "sessions"),
        (
            "SELECT data_type FROM information_schema.columns WHERE table_name = 'sessions' AND column_name IN ('started_at', 'session_id') ORDER BY 1",
            "bigint\ntimestamp with time zone",
        ),
        ("BEGIN; SAVEPOINT a; SELECT 5; RELEASE a; COMMIT", "5"),
        ("SELECT timezone('Asia/Tehran', TIMESTAMPTZ '2026-01-31 22:00:00Z')", "2026-02-01 01:30:00.000000"),
        // Metabase, through JDBC.
        ("SET extra_float_digits = 3", ""),
        ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", ""),
        (
            "SELECT n.nspname, c.relname, c.relkind FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND c.relname = 'sessions'",
            "data|sessions|r",
        ),
        (
            "SELECT \"data\".\"sessions\".\"engaged\" AS \"engaged\", COUNT(*) > 0 AS \"count\" FROM \"data\".\"sessions\" \
             GROUP BY \"data\".\"sessions\".\"engaged\" ORDER BY \"data\".\"sessions\".\"engaged\" DESC LIMIT 1",
            "t|t",
        ),
        ("SELECT sum(1), sum(2), 1, 1", "1|2|1|1"),
        ("SELECT count(*) FROM pg_settings WHERE name = 'max_index_keys'", "1"),
        (
            "SELECT count(*) > 0 FROM pg_type t WHERE (t.typrelid = 0 OR (SELECT c.relkind = 'c' FROM pg_class c WHERE c.oid = t.typrelid))",
            "t",
        ),
        (
            "SELECT a.attname FROM pg_class c JOIN pg_index i ON c.oid = i.indrelid JOIN pg_attribute a ON a.attnum = ANY (i.indkey)",
            "",
        ),
        // What the reference says of tables and columns.
        ("SELECT obj_description('events'::regclass, 'pg_class') LIKE 'Everything that happened%'", "t"),
        (
            "SELECT count(*) FROM pg_attribute a JOIN pg_description d ON d.objoid = a.attrelid AND d.objsubid = a.attnum \
             WHERE a.attrelid = 'events'::regclass AND a.attname = 'properties' AND d.classoid = 'pg_catalog.pg_class'::regclass",
            "1",
        ),
        // The drivers of ADBC, of .NET and asyncpg's, as they come and go.
        (
            "SELECT count(*) > 100 FROM pg_type WHERE (typreceive != 0 OR typsend != 0) AND typreceive::TEXT != 'array_recv'",
            "t",
        ),
        ("SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET ALL", ""),
        ("SELECT current_setting('jit')", "off"),
        ("SELECT localtimestamp <= now(), pg_typeof(localtimestamp)", "t|timestamp without time zone"),
        // Properties are texts of JSON.
        ("SELECT '{\"a\": {\"b\": 2}}'::json -> 'a' ->> 'b'", "2"),
        ("SELECT properties ->> 'nothing' FROM events LIMIT 1", ""),
        // psql lists neither roles nor functions: those of Postgres are not here.
        ("\\du", ""),
        ("\\df", ""),
        ("\\df to_char", ""),
        (
            "SELECT array_length(ARRAY(SELECT table_name FROM information_schema.tables WHERE table_name = 'sessions'), 1)",
            "1",
        ),
        // Conflicts of identity are a table like the others.
        ("SELECT count(*) >= 0, count(DISTINCT rule) >= 0 FROM identity_conflicts", "t|t"),
        ("SELECT table_type FROM information_schema.tables WHERE table_name = 'identity_conflicts'", "VIEW"),
        // Others.
        ("SELECT set_config('search_path', '', false)", ""),
        ("SELECT sum(i) FROM generate_series(1, 3) AS i", "6"),
        ("SELECT i FROM generate_series(1, 2) AS i ORDER BY i", "1\n2"),
        ("DISCARD ALL", ""),
        ("BEGIN; DECLARE c CURSOR FOR SELECT 7 AS x; FETCH 1 FROM c; CLOSE c; COMMIT", "7"),
        (
            "BEGIN; DECLARE c CURSOR FOR SELECT to_char(DATE '2026-03-04', 'YYYY'), 1, 1; FETCH ALL FROM c; COMMIT",
            "2026|1|1",
        ),
    ] {
        assert_eq!(psql.one(statement).await, wanted, "{statement}");
    }
    let tables = psql.one("\\d").await;
    for table in ["events", "person_events", "sessions", "touchpoints", "conversions", "paths", "credits"] {
        assert!(tables.contains(&format!("data|{table}|table")), "{tables}");
    }
    for table in ["\\d sessions", "\\d+ sessions", "\\d+ identity_conflicts"] {
        assert!(psql.one(table).await.contains("|bigint||"), "{table}");
    }
    for list in ["\\dt+", "\\dv+", "\\dp", "\\z", "\\dn+", "\\l+", "\\df+", "\\du+", "\\di+", "\\dT+", "\\db+"] {
        psql.one(list).await;
    }
    assert!(psql.fails("SELECT to_char(now(), 'Q')").await.contains("not known here"), "better than a wrong answer");
    let wrong = psql.fails("SELECT colour FROM events").await;
    assert!(wrong.contains("there is no column `colour`"), "{wrong}");
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_to_standard_output_are_whole() {
    if !has_psql() {
        return;
    }
    let (_server, psql) = served().await;
    let rows = "SELECT 1 AS n, 'a,\"b\"' AS t UNION ALL SELECT NULL, '' ORDER BY n";
    let csv = psql.one(&format!("COPY ({rows}) TO STDOUT WITH (FORMAT csv, HEADER true)")).await;
    assert_eq!(csv, "n,t\n1,\"a,\"\"b\"\"\"\n,\"\"");
    assert_eq!(psql.one(&format!("COPY ({rows}) TO STDOUT")).await, "1\ta,\"b\"\n\\N");
    assert_eq!(psql.one(&format!("\\copy ({rows}) TO STDOUT WITH CSV HEADER")).await, csv);
    let copied = psql.one("COPY sessions (session_id) TO STDOUT").await;
    assert_eq!(copied.lines().count().to_string(), psql.one("SELECT count(*) FROM sessions").await);
    assert!(psql.fails("COPY sessions TO STDOUT WITH (QUOTE 'x')").await.contains("QUOTE"));
    assert!(psql.fails("COPY sessions TO STDOUT WITH (FORMAT binary, HEADER)").await.contains("no meaning"));
}

/// Whole tables that leave are in the audit log, whichever way they go.
#[tokio::test(flavor = "multi_thread")]
async fn copies_are_in_the_audit_log() {
    if !has_psql() {
        return;
    }
    let (server, psql) = served().await;
    psql.one("SELECT count(*) FROM sessions").await;
    let log = || std::fs::read_to_string(server.root().join("audit.ndjson")).unwrap();
    assert!(!log().contains("download"));
    psql.one("COPY sessions TO STDOUT").await;
    let downloads: Vec<_> = log().lines().filter(|line| line.contains("download")).map(str::to_owned).collect();
    assert_eq!(downloads.len(), 1, "{downloads:?}");
    assert!(downloads[0].contains("account:ana@example.com") && downloads[0].contains("copy"), "{downloads:?}");
}

/// Takes what ends a connection in the middle: a token taken away, a role that became too low.
#[tokio::test(flavor = "multi_thread")]
async fn an_open_connection_ends_with_its_token() {
    if !has_psql() {
        return;
    }
    let (server, mut admin) = Server::with_admin().await;
    let mut analyst = server.user(&mut admin, "analyst").await;
    let id = analyst.get("/session").await.json()["user"]["id"].clone();
    for by_role in [true, false] {
        let token = analyst.post("/tokens", json!({"name": "psql"})).await.json();
        let secret = (token["sql_user"].as_str().unwrap(), token["secret"].as_str().unwrap());
        let psql = client(&server, &plain(), secret).await;
        let path = server.folder.path().join(format!("ready-{by_role}"));
        let wait = format!("\\! touch {0}; while [ ! -e {0}.go ]; do sleep 0.1; done", path.display());
        let (mut by, mut owner, user) = (admin.clone(), analyst.clone(), id.clone());
        let revoking = tokio::spawn(async move {
            while !path.exists() {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            if by_role {
                by.send(Method::PATCH, &format!("/users/{user}"), Some(json!({"role": "viewer"}))).await;
            } else {
                owner.send(Method::DELETE, &format!("/tokens/{}", token["id"]), None).await;
            }
            std::fs::write(path.with_extension("go"), "").unwrap();
        });
        let refused = psql.ask(&["SELECT 'before'", &wait, "SELECT 'after'"]).await;
        revoking.await.unwrap();
        let refused = refused.expect_err("the connection goes on");
        assert!(refused.contains("the token has ended"), "{refused}");
        admin.send(Method::PATCH, &format!("/users/{id}"), Some(json!({"role": "analyst"}))).await;
        analyst.post("/login", json!({"email": "analyst@example.com", "password": PASSWORD})).await;
    }
}

/// What is sent behind a login that failed, or instead of one, is not answered.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_answered_before_a_login() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (server, mut admin) = Server::with_admin().await;
    let token = admin.post("/tokens", json!({"name": "psql"})).await.json();
    let psql = client(&server, &plain(), (token["sql_user"].as_str().unwrap(), "wrong")).await;
    let message = |kind: Option<u8>, body: &[u8]| {
        let length = i32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [kind.as_slice(), &length, body].concat()
    };
    let startup = [&196_608_i32.to_be_bytes()[..], b"user\0", psql.user.as_bytes(), b"\0\0"].concat();
    let query = message(Some(b'Q'), b"SELECT 'told' || ' anyway'\0");
    let first = b"n,,n=,r=abcdefghijklmnop";
    let first = [&b"SCRAM-SHA-256\0"[..], &i32::try_from(first.len()).unwrap().to_be_bytes(), first].concat();
    for between in [
        vec![],
        message(Some(b'p'), b"nonsense\0"),
        [message(Some(b'p'), &first), message(Some(b'p'), b"c=biws,r=x,p=AAAA")].concat(),
    ] {
        let mut socket = tokio::net::TcpStream::connect(psql.address).await.unwrap();
        let sent = [message(None, &startup), between, query.clone(), message(Some(b'X'), b"")].concat();
        socket.write_all(&sent).await.unwrap();
        let mut answer = vec![];
        let read = tokio::time::timeout(std::time::Duration::from_secs(30), socket.read_to_end(&mut answer)).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(!answer.contains("told"), "{read:?} {answer:?}");
    }
}

/// A hundred million times a hundred million rows.
const ENDLESS: &str = "SELECT count(*) FROM generate_series(1, 100000000) AS a(x) \
                       JOIN generate_series(1, 100000000) AS b(y) ON a.x % 7 <= b.y % 9";

#[tokio::test(flavor = "multi_thread")]
async fn statements_end_with_their_time() {
    if !has_psql() {
        return;
    }
    let (server, mut psql) = served().await;
    assert_eq!(psql.one("SHOW statement_timeout").await, "3600000ms");
    let refused = psql.ask(&["SET statement_timeout = '500ms'", ENDLESS]).await.expect_err("it ends");
    assert!(refused.contains("statement timeout"), "{refused}");
    // Also while rows come, and in a copy.
    let rows = format!("{};", ENDLESS.replace("count(*)", "a.x, b.y"));
    for statement in [rows, format!("COPY ({ENDLESS}) TO STDOUT;")] {
        let refused = psql.ask_file(&format!("SET statement_timeout = '500ms';\n{statement}\n")).await;
        assert!(refused.as_ref().expect_err("it ends").contains("statement timeout"), "{statement}: {refused:?}");
    }
    assert_eq!(psql.ask(&["SET statement_timeout = '1min'", "SELECT 1"]).await.unwrap(), "1");
    assert!(psql.fails("SET statement_timeout = 'soon'").await.contains("is no value"));
    // No connection can have more than the server allows.
    let limited = SqlSettings { statement_timeout_seconds: 2, ..plain() };
    psql.address = client(&server, &limited, (&psql.user, &psql.secret)).await.address;
    for lifted in ["0", "'1h'", "DEFAULT"] {
        let set = format!("SET statement_timeout = {lifted}");
        assert_eq!(psql.ask(&[&set, "SHOW statement_timeout"]).await.unwrap(), "2000ms");
    }
    assert!(psql.fails(ENDLESS).await.contains("statement timeout"));
    assert_eq!(psql.one("SHOW statement_timeout").await, "2000ms");
    let none = SqlSettings { statement_timeout_seconds: 0, ..plain() };
    psql.address = client(&server, &none, (&psql.user, &psql.secret)).await.address;
    assert_eq!(psql.one("SHOW statement_timeout").await, "0");
}

/// Days are those of UTC: a connection that wants others is told so, and how to have them.
#[tokio::test(flavor = "multi_thread")]
async fn other_time_zones_are_named_in_the_query() {
    if !has_psql() {
        return;
    }
    let (_server, psql) = served().await;
    for zone in ["SET TIME ZONE 'UTC'", "SET timezone TO 'Etc/UTC'", "SELECT set_config('TimeZone', 'UTC', false)"] {
        psql.one(zone).await;
    }
    for zone in [
        "SET TIME ZONE 'Asia/Tehran'",
        "SET timezone = 'Asia/Tehran'",
        "SELECT set_config('timezone', 'Asia/Tehran', false)",
    ] {
        let refused = psql.fails(zone).await;
        assert!(refused.contains("AT TIME ZONE 'Asia/Tehran'"), "{zone}: {refused}");
    }
    let at = "arrow_cast('2026-01-31T22:00:00Z', 'Timestamp(Microsecond, Some(\"UTC\"))')";
    for (zone, day) in [("Asia/Tehran", "2026-02-01"), ("UTC", "2026-01-31")] {
        let query = format!("SELECT to_char(date_trunc('day', {at} AT TIME ZONE '{zone}'), 'YYYY-MM-DD')");
        assert_eq!(psql.one(&query).await, day);
    }
}

/// The statement of a client that is gone is not computed on.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_query_of_a_killed_client_ends() {
    if !has_psql() {
        return;
    }
    let (server, psql) = served().await;
    let mut child = psql.spawn(ENDLESS);
    while server.app.sql_connections() == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    assert_eq!(server.app.sql_connections(), 1);
    child.kill().unwrap();
    child.wait().unwrap();
    for _ in 0..600 {
        if server.app.sql_connections() == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the query goes on");
}

/// A query that would run for hours ends when psql is interrupted.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_query_ends() {
    if !has_psql() {
        return;
    }
    let (_server, psql) = served().await;
    let child = psql.spawn(ENDLESS);
    let id = child.id().to_string();
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let ended = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap());
    let Ok(ended) = tokio::time::timeout(std::time::Duration::from_secs(120), ended).await else {
        Command::new("kill").args(["-KILL", &id]).status().unwrap();
        panic!("the query goes on");
    };
    let said = String::from_utf8_lossy(&ended.unwrap().stderr).into_owned();
    assert!(said.contains("canceling statement"), "{said}");
}

/// A connection that stays open sees what is published, but not in the middle of a transaction.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_moves_on_between_transactions() {
    if !has_psql() {
        return;
    }
    let (server, psql) = served().await;
    let path = server.folder.path().join("ready");
    let wait = format!("\\! touch {0}; while [ ! -e {0}.go ]; do sleep 0.1; done", path.display());
    let root = server.root();
    let rebuilding = tokio::spawn(async move {
        while !path.exists() {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        // A goal that nobody reaches: no conversions are left.
        let file = root.join("safar.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{text}\n[[goals]]\nname = \"never\"\nevents = [\"never happens\"]\n")).unwrap();
        build(&Workspace::open(&root).await.unwrap(), false, &|_| {}).await.unwrap();
        std::fs::write(path.with_extension("go"), "").unwrap();
    });
    let conversions = "SELECT count(*) > 0 FROM conversions WHERE value > 0";
    let statements = [conversions, "BEGIN", conversions, &wait, conversions, "COMMIT", conversions];
    let answers = psql.ask(&statements).await.unwrap();
    rebuilding.await.unwrap();
    assert_eq!(answers, "t\nt\nt\nf");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_certificate_nothing_travels_in_the_clear() {
    if !has_psql() || !has("openssl") {
        return;
    }
    let (server, mut admin) = Server::with_admin().await;
    let token = admin.post("/tokens", json!({"name": "psql"})).await.json();
    let secret = (token["sql_user"].as_str().unwrap(), token["secret"].as_str().unwrap());
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.crt"])
        .current_dir(server.root())
        .output();
    assert!(made.is_ok_and(|made| made.status.success()), "openssl makes a certificate");
    let settings = SqlSettings { certificate: Some("server.crt".into()), key: Some("server.key".into()), ..plain() };
    let mut psql = client(&server, &settings, secret).await;
    psql.options = "sslmode=require".to_owned();
    assert_eq!(psql.one("SELECT 1").await, "1");
    psql.options = "sslmode=disable".to_owned();
    let refused = psql.fails("SELECT 1").await;
    assert!(refused.contains("must be encrypted"), "{refused}");

    let open = |settings: &SqlSettings, address: [u8; 4]| {
        SqlServer::new(Arc::clone(&server.app), &server.root(), settings, SocketAddr::from((address, 5433))).map(drop)
    };
    assert!(matches!(open(&plain(), [0, 0, 0, 0]), Err(SqlError::Open(_))), "others could listen");
    let half = SqlSettings { key: None, ..settings.clone() };
    assert!(matches!(open(&half, [127, 0, 0, 1]), Err(SqlError::Half)));
    let gone = SqlSettings { certificate: Some("gone.crt".into()), ..settings.clone() };
    assert!(matches!(open(&gone, [127, 0, 0, 1]), Err(SqlError::Certificate { .. })), "no falling back to plain text");
    let swapped = SqlSettings { certificate: settings.key.clone(), key: settings.certificate.clone(), ..settings };
    assert!(matches!(open(&swapped, [127, 0, 0, 1]), Err(SqlError::Certificate { .. })));
}

/// Drivers tell errors apart by their codes.
#[tokio::test(flavor = "multi_thread")]
async fn errors_have_the_codes_of_postgres() {
    if !has_psql() {
        return;
    }
    let (_server, psql) = served().await;
    for (statement, code) in [
        ("SELEC 1", "42601"),
        ("SELECT colour FROM events", "42703"),
        ("SELECT * FROM nowhere", "42P01"),
        ("SELECT nothing(1)", "42883"),
        ("SELECT 1 / 0", "22012"),
        ("SELECT CAST('x' AS INT)", "22P02"),
        ("SELECT 'no' ->> 'json'", "22000"),
        ("DROP TABLE events", "25006"),
        ("SHOW nothing", "42704"),
        ("FETCH 1 FROM nothing", "34000"),
        ("BEGIN; SELECT colour FROM events", "42703"),
    ] {
        let refused = psql.run(&["-v", "VERBOSITY=verbose", "-c", statement]).await.expect_err(statement);
        assert!(refused.contains(code), "{statement}: {refused}");
    }
    let script = "\\set ON_ERROR_STOP 0\n\\set VERBOSITY verbose\nBEGIN;\nSELECT colour FROM events;\n\\set ON_ERROR_STOP 1\nSELECT 1;\n";
    let refused = psql.ask_file(script).await.unwrap_err();
    assert!(refused.contains("25P02"), "{refused}");
}
