//! `cargo xtask test`, `lint` and `docs`.
use crate::{
    run::{Outcome, Steps, cache, cargo, command, output, python, root, run, target, without_cargo},
    serving::Serving,
    ui,
};
use std::{env, fs, path::Path, process::Stdio};

pub fn test(words: &[&str]) -> Outcome {
    let mut steps = Steps::default();
    steps.step("formatting", || run(cargo().args(["fmt", "--all", "--check"])))?;
    steps.step("build the screens", ui::build)?;
    steps.step("build the program and its tests", || run(cargo().args(["test", "--workspace", "--no-run"])))?;
    steps.step("Rust tests", || run(cargo().args(["test", "--workspace", "--no-fail-fast", "--"]).args(words)))?;
    if words.is_empty() {
        steps.step("the reference in docs/ is up to date", || docs(true))?;
        steps.step("tables read by delta-rs and DuckDB for Python", readers)?;
        steps.step("the Python package", package)?;
        steps.step("the API and SQL as other programs meet them", tools)?;
        steps.step("tests of the screens", ui::test)?;
    }
    steps.print();
    Ok(())
}

pub fn lint() -> Outcome {
    run(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

/// Writes docs/reference from what the program says of itself, or checks that it says the same.
pub fn docs(check: bool) -> Outcome {
    run(cargo().args(["build", "--quiet", "--workspace", "--bins"]))?;
    let folder = root().join("docs/reference");
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for page in ["cli", "tables", "models", "settings"] {
        let fresh = output(command(target().join("debug/safar")).args(["reference", page]).env("NO_COLOR", "1"))?;
        let path = folder.join(format!("{page}.md"));
        if check {
            if fs::read(&path).unwrap_or_default() != fresh {
                return Err(format!("{} is out of date: run `cargo xtask docs` and commit it", path.display()));
            }
        } else {
            fs::write(&path, fresh).map_err(|e| format!("{}: {e}", path.display()))?;
        }
    }
    Ok(())
}

/// Builds and tests the Python package, with its environment and its build under the cache folder.
fn package() -> Outcome {
    let folder = cache()?;
    let mut script = without_cargo(command("sh"));
    script.arg(root().join("python/test.sh"));
    run(script.env("CARGO_TARGET_DIR", folder.join("python-target")).env("SAFAR_CACHE", folder))
}

/// What of the API is not tried at random: it would end the session, take away the account, or build for long.
const LEFT_OUT: &str = "/api/v1/(live|setup|login|logout|password|build|users|users/{id}|tokens|tokens/{id})$";

/// What Schemathesis looks for. That every route refuses those below its role, the Rust tests know better; and a request may fit
/// the document and yet ask for a goal that does not exist.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance,negative_data_rejection,unsupported_method";

/// Serves a small workspace to Schemathesis, which tries what the OpenAPI document allows and what it does not, and to psycopg.
fn tools() -> Outcome {
    let python = python("api-venv", &["schemathesis", "psycopg[binary]", "sqlalchemy", "asyncpg"])?;
    let folder = env::temp_dir().join(format!("safar-tools-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let safar = target().join("debug/safar");
    let step = |words: &[&str]| run(command(&safar).current_dir(&folder).arg("--quiet").args(words));
    step(&["init", "shop", "--sample"])?;
    step(&["simulate", "--people", "60", "--days", "60", "--start", "2025-11-01", "--out", "events.csv"])?;
    step(&["-C", "shop", "import", "events.csv"])?;
    step(&["-C", "shop", "build"])?;
    let settings = folder.join("shop/safar.toml");
    let text = fs::read_to_string(&settings).map_err(|e| format!("{}: {e}", settings.display()))?;
    fs::write(&settings, format!("{text}\n[server.sql]\nlisten = \"127.0.0.1:0\"\n"))
        .map_err(|e| format!("{}: {e}", settings.display()))?;
    let serving = Serving::start(&safar, &folder.join("shop"))?;
    let token = serving.set_up()?;
    let sql = serving.sql.as_deref().ok_or("safar serve does not say where SQL listens")?;
    for script in ["postgres.py", "catalog.py"] {
        run(command(&python).arg(root().join("tests/tools").join(script)).args([sql, &token.sql_user, &token.secret]))?;
    }
    jdbc([sql, &token.sql_user, &token.secret])?;
    let viewer = serving.viewer(&token)?;
    // An administrator gets furthest, so most is tried as one; the others must be refused without a fault.
    for (secret, phases) in [(Some(&token.secret), "coverage,fuzzing"), (Some(&viewer), "fuzzing"), (None, "fuzzing")] {
        let mut tries = command(python.with_file_name("schemathesis"));
        tries.current_dir(&folder).arg("run").arg(root().join("docs/reference/openapi.json"));
        tries.args(["--url", &format!("http://{}", serving.app), "--checks", CHECKS, "--exclude-path-regex", LEFT_OUT]);
        if let Some(secret) = secret {
            tries.args(["--header", &format!("Authorization: Bearer {secret}")]);
        }
        // One worker: Python 3.11 may fail to parse when two threads do (its issue 106905).
        tries.args(["--phases", phases, "--max-examples", "2", "--seed", "1", "--workers", "1"]);
        // Models are fitted by a program that is not optimised, on a machine that may be busy.
        tries.args(["--request-timeout", "120"]);
        tries.args(["--no-shrink", "--continue-on-failure", "--suppress-health-check", "all", "--warnings", "off"]);
        run(&mut tries)?;
    }
    serving.stop()?;
    fs::remove_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))
}

/// Where Debian's package `libpostgresql-jdbc-java` puts the driver.
const JDBC: &str = "/usr/share/java/postgresql.jar";

/// Asks as tools in Java do; where there is no Java or no driver, it is said that this is skipped, which fails in continuous integration.
fn jdbc(login: [&str; 3]) -> Outcome {
    let has_java = command("java").arg("-version").stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if has_java && Path::new(JDBC).exists() {
        let program = root().join("tests/tools/Jdbc.java");
        return run(command("java").args(["-Xmx256m", "-cp", JDBC]).arg(program).args(login));
    }
    if env::var_os("CI").is_some_and(|ci| ci == "true") {
        return Err("there is no Java, or no JDBC driver: see .ci/run".into());
    }
    println!("skipped: there is no java, or no {JDBC}");
    Ok(())
}

/// Builds a small workspace and reads its tables with other people's readers.
fn readers() -> Outcome {
    let python = python("readers-venv", &["deltalake", "duckdb", "pyarrow"])?;
    let folder = env::temp_dir().join(format!("safar-readers-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let safar = target().join("debug/safar");
    let step = |words: &[&str]| run(command(&safar).current_dir(&folder).args(words));
    step(&["init", "shop"])?;
    step(&["simulate", "--people", "200", "--days", "30", "--seed", "7", "--out", "events.csv"])?;
    step(&["--workspace", "shop", "--quiet", "import", "events.csv"])?;
    step(&["--workspace", "shop", "--quiet", "build"])?;
    let mut check = command(&python);
    check.arg(root().join("crates/store/tests/readers.py")).arg(folder.join("shop/data"));
    for table in [
        "events",
        "identity_links",
        "persons",
        "sessions",
        "touchpoints",
        "conversions",
        "paths",
        "credits",
        "costs",
        "rejects",
    ] {
        let query = format!("select count(*) as n from {table}");
        let answer = output(command(&safar).current_dir(&folder).args([
            "--workspace",
            "shop",
            "sql",
            &query,
            "--format",
            "csv",
        ]))?;
        let text = String::from_utf8_lossy(&answer).into_owned();
        let count = text.lines().nth(1).ok_or_else(|| format!("no count of {table}: {text}"))?.to_owned();
        check.arg(format!("{table}={count}"));
    }
    run(&mut check)?;
    fs::remove_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))
}
