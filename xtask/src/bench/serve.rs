//! `cargo xtask bench serve`: people who ask for reports while events arrive.
use crate::{
    run::{Outcome, command, run, target},
    serving::{Answer, Serving, request},
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// What is measured, and how much of it.
struct Plan {
    users: u64,
    seconds: u64,
    /// Events a second.
    rate: u64,
    people: u64,
    days: u64,
}

/// What people ask for, as often as it stands here.
const MIX: [(&str, &str); 14] = [
    ("overview", ""),
    ("trend", ""),
    ("attribution", "model=last&model=linear&model=markov"),
    ("overview", ""),
    ("channels", ""),
    ("paths", ""),
    ("path-lengths", ""),
    ("time-lags", ""),
    ("transitions", ""),
    ("funnel", "step=event:view_item&step=event:add_to_cart&step=goal:purchase"),
    ("obstacles", ""),
    ("retention", ""),
    ("people", "limit=50"),
    ("sources", ""),
];

/// Events of one request of the load.
const BATCH: u64 = 50;

/// How many connections bring them.
const SENDERS: u64 = 4;

/// By report and whether it was computed before: milliseconds.
type Times = BTreeMap<(&'static str, bool), Vec<f64>>;

pub fn bench(words: &[&str]) -> Outcome {
    let mut plan = Plan { users: 50, seconds: 60, rate: 5_000, people: 2_000, days: 730 };
    for pair in words.chunks(2) {
        let [name, value] = pair else { return Err(format!("`{}` needs a number", pair[0])) };
        let number: u64 = value.parse().map_err(|_| format!("`{value}` is no whole number"))?;
        match *name {
            "--users" => plan.users = number,
            "--seconds" => plan.seconds = number,
            "--rate" => plan.rate = number,
            "--people" => plan.people = number,
            "--days" => plan.days = number,
            _ => return Err(format!("`{name}` is no option; there are --users, --seconds, --rate, --people, --days")),
        }
    }
    let safar = program();
    let folder = std::env::temp_dir().join(format!("safar-bench-serve-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let done = measure(&plan, &safar, &folder);
    fs::remove_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    done
}

/// The release program where it is built, the one for trying out otherwise.
fn program() -> PathBuf {
    let release = target().join("release/safar");
    if release.exists() {
        return release;
    }
    eprintln!(
        "the release program is not built (`cargo build --release --workspace --bins`): these are times of the slow one"
    );
    target().join("debug/safar")
}

fn measure(plan: &Plan, safar: &Path, folder: &Path) -> Outcome {
    let step = |words: &[&str]| run(command(safar).current_dir(folder).arg("--quiet").args(words));
    let (people, days) = (plan.people.to_string(), plan.days.to_string());
    step(&["init", "shop", "--sample"])?;
    step(&["simulate", "--people", &people, "--days", &days, "--start", "2024-11-22", "--out", "events.csv"])?;
    step(&["-C", "shop", "import", "events.csv"])?;
    step(&["-C", "shop", "build"])?;
    let serving = Serving::start(safar, &folder.join("shop"))?;
    let bearer = format!("Bearer {}", serving.set_up()?.secret);

    let stop = AtomicBool::new(false);
    let (sent, refused, failed) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let times: Mutex<Times> = Mutex::default();
    let end = Instant::now() + Duration::from_secs(plan.seconds);
    std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            let (serving, stop, sent, refused) = (&serving, &stop, &sent, &refused);
            scope.spawn(move || send(&serving.collector, plan.rate, sender, stop, sent, refused));
        }
        let users: Vec<_> = (0..plan.users)
            .map(|user| {
                let (serving, bearer, failed, times) = (&serving, &bearer, &failed, &times);
                scope.spawn(move || {
                    let mine = ask(&serving.app, bearer, user, plan.days, end, failed);
                    let mut all = times.lock().unwrap_or_else(PoisonError::into_inner);
                    mine.into_iter().for_each(|(key, more)| all.entry(key).or_default().extend(more));
                })
            })
            .collect();
        users.into_iter().for_each(|user| drop(user.join()));
        stop.store(true, Ordering::Relaxed);
    });
    serving.stop()?;

    let times = times.into_inner().unwrap_or_else(PoisonError::into_inner);
    let rows = times.into_iter().map(|((report, cached), mut ms)| {
        ms.sort_by(f64::total_cmp);
        let of = |part: f64| ms[((ms.len() as f64 * part).ceil() as usize).clamp(1, ms.len()) - 1];
        let kept = if cached { "kept" } else { "computed" };
        format!("{report:<14} {kept:<9} {:>6} answers  p50 {:>8.1} ms  p95 {:>8.1} ms", ms.len(), of(0.5), of(0.95))
    });
    let (sent, refused, failed) = (sent.into_inner(), refused.into_inner(), failed.into_inner());
    let title = format!(
        "{} people ask for {} s while {:.0} events a second arrive ({} wanted; {refused} requests told to come back); {failed} answers were refusals",
        plan.users,
        plan.seconds,
        sent as f64 / plan.seconds as f64,
        plan.rate,
    );
    super::print(&title, &rows.collect::<Vec<_>>());
    if failed == 0 { Ok(()) } else { Err(format!("{failed} reports were refused")) }
}

/// Sends batches at a pace until `stop`.
fn send(collector: &str, rate: u64, sender: u64, stop: &AtomicBool, sent: &AtomicU64, refused: &AtomicU64) {
    let pause = Duration::from_secs_f64((BATCH * SENDERS) as f64 / rate.max(1) as f64);
    let mut next = Instant::now();
    for round in 0_u64.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let event = |at: u64| {
            let id = (round * SENDERS + sender) * BATCH + at;
            format!(
                r#"{{"type":"page","messageId":"b-{id}","anonymousId":"v-{}","context":{{"page":{{"url":"https://shop.example/tea?utm_source=google&utm_medium=cpc"}}}}}}"#,
                id % 20_000
            )
        };
        let body = format!(r#"{{"batch":[{}]}}"#, (0..BATCH).map(event).collect::<Vec<_>>().join(","));
        match request(collector, "POST", "/v1/batch", &[], &body) {
            Ok(Answer { status: 200, .. }) => _ = sent.fetch_add(BATCH, Ordering::Relaxed),
            _ => _ = refused.fetch_add(1, Ordering::Relaxed),
        }
        next += pause;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}

/// One person: report after report, every other one of days that nobody asked for before.
fn ask(app: &str, bearer: &str, user: u64, days: u64, end: Instant, failed: &AtomicU64) -> Times {
    let mut times = Times::new();
    for turn in 0.. {
        if Instant::now() >= end {
            break;
        }
        let (report, query) = MIX[((user * 5 + turn) % MIX.len() as u64) as usize];
        let number = user * 10_007 + turn;
        let span = if turn % 2 == 0 { 90 } else { 30 + number % days.saturating_sub(31).max(1) };
        let from = day(days - span.min(days));
        let path = format!("/api/v1/reports/{report}?{query}&from={from}");
        let began = Instant::now();
        match request(app, "GET", &path, &[("authorization", bearer)], "") {
            Ok(answer) if answer.status == 200 => {
                let cached = answer.json()["meta"]["cached"] == true;
                times.entry((report, cached)).or_default().push(began.elapsed().as_secs_f64() * 1_000.0);
            }
            Ok(answer) => {
                failed.fetch_add(1, Ordering::Relaxed);
                eprintln!("  {path}: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
            }
            Err(problem) => {
                failed.fetch_add(1, Ordering::Relaxed);
                eprintln!("  {problem}");
            }
        }
    }
    times
}

/// The day so many days after 22 November 2024, on which the shop opens (days of the Gregorian calendar, after Howard Hinnant's
/// `civil_from_days`).
fn day(after: u64) -> String {
    let days = 20_049 + 719_468 + after;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * shifted + 2) / 5 + 1, if shifted < 10 { shifted + 3 } else { shifted - 9 });
    format!("{}-{month:02}-{day:02}", year_of_era + era * 400 + u64::from(month <= 2))
}

#[cfg(test)]
mod tests {
    use super::day;

    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(
            [day(0), day(39), day(40), day(98), day(99), day(730)],
            ["2024-11-22", "2024-12-31", "2025-01-01", "2025-02-28", "2025-03-01", "2026-11-22"]
        );
    }
}
