//! `cargo xtask bench …`: Safar beside its peers, on the same files, in one run. Timings depend on the machine; ratios less so.
mod attribution;
mod identity;
mod serve;

use crate::run::{Outcome, cache, cargo, command, output, python, root};
use serde_json::Value;
use std::{path::Path, process::Command};

pub fn bench(words: &[&str]) -> Outcome {
    match words {
        ["journeys", rest @ ..] => journeys(rest),
        ["attribution", rest @ ..] => attribution::bench(rest),
        ["identity", rest @ ..] => identity::bench(rest),
        ["import"] => import(),
        ["collect", rest @ ..] => collect(rest),
        ["serve", rest @ ..] => serve::bench(rest),
        _ => Err("name a benchmark: journeys, attribution, identity, import, collect, serve".to_owned()),
    }
}

/// Lines of JSON that a command prints, shown while they are read.
fn lines(command: &mut Command) -> Outcome<Vec<Value>> {
    let text = output(command)?;
    let mut found = vec![];
    for line in String::from_utf8_lossy(&text).lines() {
        eprintln!("  {line}");
        found.extend(serde_json::from_str(line));
    }
    Ok(found)
}

fn text<'a>(line: &'a Value, key: &str) -> &'a str {
    line[key].as_str().unwrap_or_default()
}

fn seconds(line: &Value, key: &str) -> f64 {
    line[key].as_f64().unwrap_or(f64::NAN)
}

fn journeys(rest: &[&str]) -> Outcome {
    let folder = cache()?.join("bench-journeys");
    let options = |command: &mut Command, folder: &Path| {
        command.arg("--dir").arg(folder).args(rest);
    };
    let mut safar = cargo();
    safar.args(["bench", "--workspace", "--bench", "journeys", "--"]);
    options(&mut safar, &folder);
    let mine = lines(&mut safar)?;
    let python = python("journeys-venv", &["chdb", "duckdb", "polars", "pyarrow"])?;
    let mut peers = command(&python);
    peers.arg(root().join("crates/journey/benches/peers.py"));
    options(&mut peers, &folder);
    let others = lines(&mut peers)?;
    let mut table = vec![];
    for layout in ["clustered", "arrival"] {
        let of = |lines: &'_ [Value], wanted: &dyn Fn(&Value) -> bool| -> Option<Value> {
            let fits =
                lines.iter().filter(|line| text(line, "layout") == layout && wanted(line) && line["cpu_s"].is_f64());
            fits.min_by(|a, b| seconds(a, "cpu_s").total_cmp(&seconds(b, "cpu_s"))).cloned()
        };
        let best = of(&mine, &|line| text(line, "case") == "operator").ok_or("the operator did not run")?;
        let once = of(&mine, &|line| text(line, "case") == "once").ok_or("the operator did not run once")?;
        let row = |name: &str, line: &Value| {
            let asked = if text(line, "case") == "aggregate" { &once } else { &best };
            let same = if line["checksum"] == asked["checksum"] { "same answer" } else { "ANOTHER ANSWER" };
            format!(
                "{layout:<10} {name:<22} CPU {:>7.2} s ({:>5.2}× ours)  wall {:>7.2} s ({:>5.2}×)  peak {:>6.0} MB  {same}",
                seconds(line, "cpu_s"),
                seconds(line, "cpu_s") / seconds(&best, "cpu_s"),
                seconds(line, "wall_s"),
                seconds(line, "wall_s") / seconds(&best, "wall_s"),
                seconds(line, "peak_mb"),
            )
        };
        table.push(row("Safar, operator", &best));
        for case in ["aggregate", "ceiling"] {
            table.extend(
                of(&mine, &|line| text(line, "case") == case).map(|line| row(&format!("Safar, {case}"), &line)),
            );
        }
        for engine in ["chdb", "duckdb", "polars"] {
            table.extend(
                of(&others, &|line| text(line, "engine") == engine)
                    .map(|line| row(&format!("{engine}, its best SQL"), &line)),
            );
        }
    }
    print("paths from 20 M events", &table);
    Ok(())
}

fn import() -> Outcome {
    let folder = cache()?.join("bench-import");
    let found = lines(cargo().args(["bench", "--workspace", "--bench", "import", "--", "5000000"]).arg(&folder))?;
    let rows: Vec<String> = found
        .iter()
        .map(|line| {
            format!(
                "{:.0} rows: {:.0} a second a core (CPU), {:.0} a second (wall), peak {:.0} MB",
                seconds(line, "rows"),
                seconds(line, "rows") / seconds(line, "cpu_s"),
                seconds(line, "rows") / seconds(line, "wall_s"),
                seconds(line, "peak_mb")
            )
        })
        .collect();
    print("import from CSV", &rows);
    Ok(())
}

/// What the collector promises on two cores with the load on the same machine: requests a second, the 99th percentile in
/// milliseconds, and CPU as a multiple of a server that stores nothing.
const PROMISED: (f64, f64, f64) = (12_000.0, 50.0, 2.0);

/// The collector beside a server that answers 204 and stores nothing.
fn collect(rest: &[&str]) -> Outcome {
    let mut bench = cargo();
    bench.args(["bench", "--quiet", "--package", "safar-collect", "--bench", "collect", "--"]).args(rest);
    let found = lines(&mut bench)?;
    let nothing = found.iter().find(|line| text(line, "server") == "nothing").ok_or("the empty server did not run")?;
    let (least, slowest, dearest) = PROMISED;
    let rows: Vec<String> = found
        .iter()
        .map(|line| {
            let (rate, p99, cpu) = (seconds(line, "requests_per_s"), seconds(line, "p99_ms"), seconds(line, "cpu_us"));
            let times = cpu / seconds(nothing, "cpu_us");
            let missed: Vec<String> = [
                (rate < least, format!("fewer than {least:.0} requests/s")),
                (p99 > slowest, format!("a p99 beyond {slowest:.0} ms")),
                (times > dearest, format!("more than {dearest:.1}× the CPU")),
            ]
            .into_iter()
            .filter_map(|(misses, what)| misses.then_some(what))
            .collect();
            let kept = if line == nothing {
                String::new()
            } else if missed.is_empty() {
                "as promised".to_owned()
            } else {
                format!("NOT AS PROMISED: {}", missed.join(", "))
            };
            format!(
                "{:<14} {rate:>7.0} requests/s of 7 events  p50 {:>5.1} ms  p99 {p99:>5.1} ms  max {:>6.1} ms  CPU {cpu:>5.1} µs a request ({times:.2}×)  {kept}",
                text(line, "server"),
                seconds(line, "p50_ms"),
                seconds(line, "max_ms"),
            )
        })
        .collect();
    print("durable batches, beside a server that answers 204 and stores nothing", &rows);
    Ok(())
}

fn print(title: &str, rows: &[String]) {
    eprintln!("\n{title}");
    for row in rows {
        eprintln!("{row}");
    }
}
