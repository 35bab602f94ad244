//! `cargo xtask sdks`: unchanged SDKs send to a running `safar serve`, and every event is found once in the tables.
//!
//! A second pass goes through a proxy that answers 503 with Retry-After at first, with those SDKs that send again.
//!
//! The programs in tests/sdk/ print, for each thing that they sent, a line of JSON: which client, what, and the SQL condition
//! that one event must fit. Browsers' SDKs run in Chromium on a page of another site than the collector's.
use crate::{
    run::{Outcome, cache, cargo, command, output, python, root, run, target},
    serving::Serving,
};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

const PYTHON: [&str; 5] =
    ["segment-analytics-python", "rudder-sdk-python", "posthog", "snowplow-tracker", "umami-analytics"];

/// Debian's Chromium, installed where it is missing.
fn chromium() -> Outcome {
    let there =
        command("chromium").arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success());
    if there {
        return Ok(());
    }
    run(command("apt-get").args(["update", "--quiet"]))?;
    run(command("apt-get").args(["install", "--quiet", "--yes", "--no-install-recommends", "chromium"]))
}

pub fn sdks(words: &[&str]) -> Outcome {
    run(cargo().args(["build", "--quiet", "--workspace", "--bins"]))?;
    chromium()?;
    let clients = Clients { node: node()?, python: python("sdks-venv", &PYTHON)? };
    clients.pass(words, false)?;
    // Once more those that send again (fixtures/sdk/retry_matrix.jsonl), to a collector that is busy at first.
    let fits = |client: &&&str| words.is_empty() || words.iter().any(|word| client.contains(word));
    let resending: Vec<&str> = RESENDING.iter().filter(fits).copied().collect();
    if resending.is_empty() { Ok(()) } else { clients.pass(&resending, true) }
}

/// Those of the clients that send again after 503, by what their names hold.
const RESENDING: [&str; 8] = [
    "segment-node",
    "segment-python",
    "segment-browser",
    "rudder-node",
    "rudder-python",
    "rudder-browser",
    "snowplow-browser-post",
    "posthog",
];

/// The programs that drive the SDKs.
struct Clients {
    node: PathBuf,
    python: PathBuf,
}

impl Clients {
    /// All of them, to a collector of their own, which is busy at first or not.
    fn pass(&self, words: &[&str], busy: bool) -> Outcome {
        let folder = std::env::temp_dir().join(format!("safar-sdks-{}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let shop = folder.join("shop");
        let safar = target().join("debug/safar");
        run(command(&safar).args(["--quiet", "init"]).arg(&shop))?;
        let server = Serving::start(&safar, &shop)?;
        let collector = format!("http://{}", server.collector);
        let flaky = if busy { Some(Flaky::before(&self.node, &collector)?) } else { None };
        let address = flaky.as_ref().map_or(collector.as_str(), |flaky| flaky.address.as_str());
        let drive = |program: &mut Command| {
            program.current_dir(&self.node).arg(address).args(words);
            program.env("PATIENCE", if busy { "4" } else { "1" }).stdout_lines()
        };
        let mut sent: Vec<Value> = vec![];
        for text in [
            drive(command("node").arg(self.node.join("node.mjs")))?,
            drive(command("node").arg(self.node.join("browser.mjs")))?,
            drive(command(&self.python).arg(root().join("tests/sdk/python.py")))?,
        ] {
            sent.extend(text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()));
        }
        drop(flaky);
        server.stop()?;
        if busy {
            eprintln!("first answered 503 with Retry-After:");
        }
        check(&safar, &shop, &sent)?;
        fs::remove_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))
    }
}

/// The proxy that answers 503 at first; killed when it is dropped.
struct Flaky {
    child: Child,
    address: String,
}

impl Flaky {
    fn before(node: &Path, collector: &str) -> Outcome<Self> {
        let mut start = command("node");
        start.arg(node.join("flaky.mjs")).arg(collector).stdout(Stdio::piped());
        let mut child = start.spawn().map_err(|e| format!("node flaky.mjs: {e}"))?;
        let mut address = String::new();
        let said = child.stdout.take().map(BufReader::new);
        let read = said.map_or(Ok(0), |mut said| said.read_line(&mut address));
        let flaky = Self { child, address: address.trim().to_owned() };
        match read {
            Ok(length) if length > 0 => Ok(flaky),
            _ => Err("node flaky.mjs says no address".to_owned()),
        }
    }
}

impl Drop for Flaky {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Standard output of a program that is run to its end.
trait Lines {
    fn stdout_lines(&mut self) -> Outcome<String>;
}

impl Lines for Command {
    fn stdout_lines(&mut self) -> Outcome<String> {
        Ok(String::from_utf8_lossy(&output(self)?).into_owned())
    }
}

/// The folder with the Node programs and what they need.
fn node() -> Outcome<PathBuf> {
    let (from, folder) = (root().join("tests/sdk"), cache()?.join("sdks-node"));
    let problem = |e: std::io::Error| format!("{}: {e}", folder.display());
    fs::create_dir_all(&folder).map_err(problem)?;
    let fresh = fs::read(from.join("package.json")).map_err(problem)?;
    let installed = fs::read(folder.join("installed.json")).is_ok_and(|have| have == fresh);
    for entry in fs::read_dir(&from).map_err(problem)? {
        let path = entry.map_err(problem)?.path();
        if let Some(name) = path.file_name().filter(|_| path.is_file()) {
            fs::copy(&path, folder.join(name)).map_err(problem)?;
        }
    }
    if !installed {
        run(command("npm").current_dir(&folder).args(["install", "--no-audit", "--no-fund", "--loglevel=error"]))?;
        fs::write(folder.join("installed.json"), fresh).map_err(problem)?;
    }
    Ok(folder)
}

/// Every condition holds for one event, and nothing was refused.
fn check(safar: &Path, shop: &Path, sent: &[Value]) -> Outcome {
    if sent.is_empty() {
        return Err("no SDK sent anything".to_owned());
    }
    let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let counts: Vec<String> =
        sent.iter().map(|line| format!("count(*) filter (where {})", text(line, "where"))).collect();
    let query = format!("select {} from events", counts.join(", "));
    let ask = |query: &str| -> Outcome<String> {
        let mut ask = command(safar);
        ask.arg("--workspace").arg(shop).args(["sql", query, "--format", "csv"]);
        let text = String::from_utf8_lossy(&output(&mut ask)?).into_owned();
        Ok(text.lines().skip(1).collect::<Vec<_>>().join("\n"))
    };
    let answer = ask(&query)?;
    let mut wrong = 0;
    for (line, count) in sent.iter().zip(answer.split(',')) {
        let fits = count == "1";
        wrong += usize::from(!fits);
        let sign = if fits { "ok   " } else { "WRONG" };
        eprintln!("{sign} {:<22} {:<28} {count}", text(line, "client"), text(line, "what"));
    }
    let rejects = ask("select reason, raw from rejects")?;
    if !rejects.is_empty() {
        return Err(format!("dead letters: {rejects}"));
    }
    eprintln!("{} of {} events of the SDKs are in the tables once", sent.len() - wrong, sent.len());
    if wrong == 0 { Ok(()) } else { Err(format!("{wrong} events are missing or doubled")) }
}
