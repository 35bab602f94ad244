//! `cargo xtask bench identity`: links from strings beside networkx and SciPy, updates of a large graph, people whose truth is
//! known, and probable matches beside Splink.
use super::{lines, print, seconds, text};
use crate::run::{Outcome, cache, cargo, command, output, python, root};
use serde_json::Value;
use std::{path::Path, process::Command};

const PACKAGES: [&str; 7] = ["duckdb", "networkx", "pandas", "polars", "recordlinkage", "scipy", "splink"];
/// CPU seconds in which ten million links are to be people.
const PROMISED_CPU_S: f64 = 12.0;
const USAGE: &str = "bench identity [--links N] [--people N] [--no-peers]";

struct Options {
    links: u64,
    people: u64,
    peers: bool,
}

impl Options {
    fn parse(words: &[&str]) -> Outcome<Self> {
        let mut options = Self { links: 10_000_000, people: 20_000, peers: true };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut number = || {
                let value = words.next().ok_or_else(|| format!("`{word}` needs a number; {USAGE}"))?;
                value.parse().map_err(|_| format!("`{value}` is no whole number; {USAGE}"))
            };
            match *word {
                "--links" => options.links = number()?,
                "--people" => options.people = number()?,
                "--no-peers" => options.peers = false,
                _ => return Err(format!("no option `{word}`; {USAGE}")),
            }
        }
        Ok(options)
    }
}

fn ours() -> Command {
    let mut command = cargo();
    command.args(["bench", "--quiet", "--package", "safar-identity", "--bench", "identity", "--"]);
    command
}

pub fn bench(words: &[&str]) -> Outcome {
    let options = Options::parse(words)?;
    let python = if options.peers { Some(python("identity-venv", &PACKAGES)?) } else { None };
    let peer = |case: &str, file: &Path| -> Outcome<Option<Value>> {
        let Some(python) = &python else { return Ok(None) };
        let mut peer = command(python);
        peer.arg(root().join("crates/identity/benches/peer.py")).arg(case).arg(file);
        Ok(Some(lines(&mut peer)?.into_iter().next().ok_or_else(|| format!("{case} did not say anything"))?))
    };
    links(&options, &peer)?;
    crowd(options.people)?;
    let febrl = cache()?.join("febrl3.csv");
    if python.is_some() && !febrl.exists() {
        peer("febrl", &febrl)?;
    }
    if febrl.exists() {
        matches(&febrl, peer("splink", &febrl)?)?;
    }
    Ok(())
}

type Peer<'a> = &'a dyn Fn(&str, &Path) -> Outcome<Option<Value>>;

fn links(options: &Options, peer: Peer<'_>) -> Outcome {
    let file = cache()?.join(format!("links-{}.tsv", options.links));
    if !file.exists() {
        output(ours().args(["generate", &options.links.to_string()]).arg(&file))?;
    }
    let mine = lines(ours().arg("links").arg(&file))?;
    let whole = mine.iter().find(|line| text(line, "case") == "links").ok_or("Safar did not resolve the links")?;
    let cpu = seconds(whole, "cpu_s");
    let kept = if options.links > 10_000_000 || cpu <= PROMISED_CPU_S { "" } else { "NOT AS PROMISED" };
    let mut rows = vec![format!("{:<28}{}  {kept}", "Safar, with its rules", measures(whole))];
    for case in ["scipy", "networkx"] {
        let Some(answer) = peer(case, &file)? else { continue };
        if answer["missing"].is_string() {
            rows.push(format!("{:<28}{}", text(&answer, "tool"), text(&answer, "missing")));
            continue;
        }
        let same = if answer["people"] == whole["people"] { "same people" } else { "OTHER PEOPLE" };
        let times = seconds(&answer, "cpu_s") / cpu;
        rows.push(format!("{:<28}{}: {times:.1}× the CPU, {same}", text(&answer, "tool"), measures(&answer)));
    }
    print(&format!("people from {} links, from strings", options.links), &rows);
    let updates = lines(ours().arg("updates").arg(&file))?;
    let rows: Vec<String> = updates
        .iter()
        .map(|line| match text(line, "case") {
            "update" => format!(
                "{:>8} more links    {}  {:>6.2} µs a link, {} people changed",
                line["links"],
                measures(line),
                1e6 * seconds(line, "cpu_s") / seconds(line, "links"),
                line["changed"]
            ),
            "add" => format!("{:>8} links taken     {}", line["links"], measures(line)),
            "compare" => format!("who changed, in all     {}", measures(line)),
            _ => format!("{:>8} links resolved  {}", line["links"], measures(line)),
        })
        .collect();
    print("updates, beside what a build does: all links taken, resolved and compared (the same people)", &rows);
    Ok(())
}

/// What pairwise and B-cubed precision are to reach.
const PROMISED_PRECISION: f64 = 0.99;

fn crowd(people: u64) -> Outcome {
    let found = lines(ours().args(["crowd", &people.to_string()]))?;
    let shares =
        |line: &Value| ["precision", "recall", "cubed_precision", "cubed_recall"].map(|key| seconds(line, key));
    let is_ours = |line: &Value| text(line, "tool").starts_with("Safar");
    let is_naive = |line: &Value| text(line, "tool").starts_with("connected");
    let head = format!("{:<44}{:>9}{:>9}{:>9}{:>9}", "", "pairs P", "pairs R", "B³ P", "B³ R");
    let of_one = |x: &Value, y: &Value| ["seed", "careless", "list"].iter().all(|key| x[key] == y[key]);
    for crowd in found.chunk_by(of_one) {
        let naive = crowd.iter().filter(|line| is_naive(line)).map(shares);
        let [_, most, _, most_cubed] = naive.reduce(|x, y| [0, 1, 2, 3].map(|at| x[at].max(y[at]))).unwrap_or_default();
        let row = |line: &Value| {
            let [precision, recall, cubed, cubed_recall] = shares(line);
            let precise = precision.min(cubed) >= PROMISED_PRECISION;
            let recalls = recall >= most && cubed_recall >= most_cubed;
            let verdict = match (is_ours(line), precise, recalls) {
                (false, ..) => "",
                (_, true, true) => "  precise, and recalls as much",
                (_, true, false) => "  precise",
                (_, false, _) => "  NOT PRECISE",
            };
            let tool = text(line, "tool");
            format!("{tool:<44}{precision:>9.4}{recall:>9.4}{cubed:>9.4}{cubed_recall:>9.4}{verdict}")
        };
        let rows: Vec<String> = std::iter::once(head.clone()).chain(crowd.iter().map(row)).collect();
        let about = |key: &str| crowd.first().map_or(0.0, |line| seconds(line, key));
        let with_list = crowd.first().is_some_and(|line| line["list"] == true);
        let title = format!(
            "{people} people{} (seed {}, {} % of takeovers careless), {} events: precision P and recall R",
            if with_list { " with a customer list" } else { "" },
            about("seed"),
            about("careless"),
            about("events")
        );
        print(&title, &rows);
    }
    Ok(())
}

const SHARES: [(&str, &str); 4] = [
    ("half", "probability at least 0.5"),
    ("most", "probability at least 0.95"),
    ("best", "best threshold"),
    ("groups", "groups at 0.95"),
];

fn matches(febrl: &Path, peer: Option<Value>) -> Outcome {
    let mine = lines(ours().arg("matches").arg(febrl))?;
    let mut rows = vec![];
    for line in mine.iter().chain(&peer) {
        if line["missing"].is_string() {
            rows.push(format!("{:<14}{}", text(line, "tool"), text(line, "missing")));
            continue;
        }
        rows.push(format!("{:<14}{}", text(line, "tool"), measures(line)));
        for (name, what) in SHARES {
            let share = &line["shares"][name];
            let [precision, recall, f1] = ["precision", "recall", "f1"].map(|key| seconds(share, key));
            rows.push(format!("    {what:<28}precision {precision:.4}  recall {recall:.4}  F1 {f1:.4}"));
        }
    }
    if let (Some(mine), Some(peer)) = (mine.first(), peer.filter(|peer| !peer["missing"].is_string())) {
        let f1 = |line: &Value, name: &str| seconds(&line["shares"][name], "f1");
        for (name, what) in SHARES {
            let (ours, theirs) = (f1(mine, name), f1(&peer, name));
            let verdict = if ours >= theirs { "at least as good" } else { "WORSE" };
            rows.push(format!("    {what:<28}F1 {ours:.4} beside {theirs:.4}: {verdict}"));
        }
    }
    print("FEBRL 3: pairs found of 5,000 records, with the fields and rules of Splink's example", &rows);
    Ok(())
}

fn measures(line: &Value) -> String {
    let [cpu, wall, peak] = ["cpu_s", "wall_s", "peak_mb"].map(|key| seconds(line, key));
    format!("CPU {cpu:>8.3} s  wall {wall:>8.3} s  peak {peak:>6.0} MB")
}
