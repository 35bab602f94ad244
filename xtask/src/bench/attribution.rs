//! `cargo xtask bench attribution`: every model that other packages have too, on the same files of distinct paths.
use super::{lines, print, seconds, text};
use crate::run::{Outcome, cache, cargo, command, python, root, run};
use serde_json::{Value, json};
use std::{collections::HashMap, fs, path::PathBuf};

/// What is compared: a case, what Safar computes for it (the rules share one reading of the file, as they do in
/// ChannelAttribution's one call), and who else can.
const CASES: [(&str, &str, &[&str]); 8] = [
    ("rules", "first+last+linear", &["ChannelAttribution", "marketing_attribution_models", "shapley-attribution"]),
    ("markov:order=1", "", &["ChannelAttribution", "marketing_attribution_models", "do-attribution"]),
    ("markov:order=2", "", &["ChannelAttribution", "do-attribution"]),
    ("markov:order=3", "", &["ChannelAttribution", "do-attribution"]),
    ("markov:order=4", "", &["ChannelAttribution"]),
    ("shapley", "", &["shapley-attribution", "do-attribution"]),
    ("shapley_rate:most=4", "", &["marketing_attribution_models"]),
    ("leave_one_out", "", &["fractribution"]),
];

const PACKAGES: [&str; 8] = [
    "ChannelAttribution",
    "do-attribution",
    "marketing_attribution_models",
    "matplotlib",
    "pandas",
    "polars",
    "pyarrow",
    "shapley-attribution",
];

const USAGE: &str = "bench attribution [--rows N,N…] [--channels N,N…] [--cases CASE,CASE…] [--limit SECONDS] [--no-peers] [--out FOLDER]";

struct Options {
    rows: Vec<u64>,
    channels: Vec<u64>,
    /// All where empty.
    cases: Vec<String>,
    /// Of each case of a peer.
    limit: u64,
    peers: bool,
    out: PathBuf,
}

impl Options {
    fn parse(words: &[&str]) -> Outcome<Self> {
        let mut options = Self {
            rows: vec![10_000, 100_000, 1_000_000],
            channels: vec![50],
            cases: vec![],
            limit: 60,
            peers: true,
            out: cache()?.join("bench-attribution"),
        };
        let number = |text: &str| text.parse().map_err(|_| format!("`{text}` is no whole number; {USAGE}"));
        let list = |text: &str| text.split(',').map(number).collect::<Outcome<Vec<u64>>>();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if *word == "--no-peers" {
                options.peers = false;
                continue;
            }
            let value = words.next().ok_or_else(|| format!("`{word}` needs a value; {USAGE}"))?;
            match *word {
                "--rows" => options.rows = list(value)?,
                "--channels" => options.channels = list(value)?,
                "--cases" => options.cases = value.split(',').map(str::to_owned).collect(),
                "--limit" => options.limit = number(value)?,
                "--out" => options.out = value.into(),
                _ => return Err(format!("no option `{word}`; {USAGE}")),
            }
        }
        if let Some(unknown) = options.cases.iter().find(|case| CASES.iter().all(|known| known.0 != **case)) {
            let known = CASES.map(|case| case.0).join(", ");
            return Err(format!("no case `{unknown}`; cases are {known}"));
        }
        options.rows.sort_unstable();
        Ok(options)
    }
}

pub fn bench(words: &[&str]) -> Outcome {
    let options = Options::parse(words)?;
    let ours = || {
        let mut command = cargo();
        command.args(["bench", "--quiet", "--package", "safar-attribution", "--bench", "models", "--"]);
        command
    };
    let benches = root().join("crates/attribution/benches");
    let python = python("bench-venv", &PACKAGES)?;
    fs::create_dir_all(&options.out).map_err(|e| format!("{}: {e}", options.out.display()))?;
    let sheet = options.out.join("attribution.csv");
    let (mut results, mut table) = (vec![], vec![]);
    for channels in &options.channels {
        // By case and peer: why it could not do with fewer rows.
        let mut missing = HashMap::<(&str, &str), String>::new();
        for rows in &options.rows {
            let file = cache()?.join(format!("paths-{rows}-{channels}.csv"));
            if !file.exists() {
                // Under another name until it is whole.
                let part = file.with_extension("part");
                run(ours().args(["generate", &rows.to_string(), &channels.to_string()]).arg(&part))?;
                fs::rename(&part, &file).map_err(|e| format!("{}: {e}", file.display()))?;
            }
            let wanted = |case: &str| options.cases.is_empty() || options.cases.iter().any(|wanted| wanted == case);
            for (case, our_case, peers) in CASES.into_iter().filter(|(case, ..)| wanted(case)) {
                let our_case = if our_case.is_empty() { case } else { our_case };
                let mine = lines(ours().arg("run").arg(&file).arg(our_case))?;
                let mut mine = mine.into_iter().next().ok_or_else(|| format!("Safar did not run {case}"))?;
                mine["tool"] = json!(concat!("Safar ", env!("CARGO_PKG_VERSION")));
                table.push(format!("{rows:>9} rows {channels:>3} channels  {case:<20}{}", measures(&mine)));
                let asked = if options.peers { peers } else { &[] };
                let mut found = vec![];
                for peer in asked {
                    let answer = if let Some(reason) = missing.get(&(case, *peer)) {
                        json!({ "tool": peer, "missing": reason })
                    } else {
                        let mut timed = command(&python);
                        timed.arg(benches.join("peer.py")).arg(&file);
                        timed.args([&options.limit.to_string(), case, peer]);
                        lines(&mut timed)?.into_iter().next().ok_or_else(|| format!("{peer} did not say anything"))?
                    };
                    if answer["missing"].is_string() {
                        let reason = text(&answer, "missing");
                        let reason = if missing.contains_key(&(case, *peer)) {
                            reason.to_owned()
                        } else {
                            format!("{reason} at {rows} rows")
                        };
                        missing.insert((case, *peer), reason);
                    }
                    table.push(against(&mine, &answer));
                    found.push(answer);
                }
                results.extend([mine].into_iter().chain(found).map(|line| csv(*rows, *channels, case, &line)));
                // After each case, so that a run that is cut short leaves what it found.
                let head = "rows,channels,case,tool,cpu_s,wall_s,peak_mb,missing\n";
                fs::write(&sheet, head.to_owned() + &results.concat())
                    .map_err(|e| format!("{}: {e}", sheet.display()))?;
            }
        }
    }
    print("Safar beside its peers, reading the file included", &table);
    let plot = options.out.join("attribution.svg");
    run(command(&python).arg(benches.join("plot.py")).arg(&sheet).arg(&plot))?;
    eprintln!("written: {} and {}", sheet.display(), plot.display());
    Ok(())
}

fn measures(line: &Value) -> String {
    let [cpu, wall, peak] = ["cpu_s", "wall_s", "peak_mb"].map(|key| seconds(line, key));
    format!("CPU {cpu:>8.2} s  wall {wall:>8.2} s  peak {peak:>5.0} MB")
}

/// A peer's line of the table.
fn against(mine: &Value, peer: &Value) -> String {
    let name = text(peer, "tool");
    if peer["missing"].is_string() {
        return format!("{:>9} {name:<37} {}", "", text(peer, "missing"));
    }
    let times = |key: &str| seconds(peer, key) / seconds(mine, key);
    let (measures, cpu, wall) = (measures(peer), times("cpu_s"), times("wall_s"));
    format!("{:>9} {name:<37} {measures}: {cpu:>6.1}× the CPU, {wall:>6.1}× the time", "")
}

fn csv(rows: u64, channels: u64, case: &str, line: &Value) -> String {
    let number = |key: &str| line[key].as_f64().map_or(String::new(), |number| number.to_string());
    let [tool, missing] = ["tool", "missing"].map(|key| text(line, key).replace(['"', '\n'], " "));
    let [cpu, wall, peak] = ["cpu_s", "wall_s", "peak_mb"].map(number);
    format!("{rows},{channels},{case},\"{tool}\",{cpu},{wall},{peak},\"{missing}\"\n")
}
