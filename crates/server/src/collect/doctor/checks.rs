//! Looking at the settings, the log's folder and what the running collector says of itself.
use super::{Check, Status, status};
use safar_collect::{http::CollectSettings, log::Waiting};
use safar_model::Micros;
use std::{
    fs::{File, TryLockError},
    net::{IpAddr, SocketAddr},
    path::Path,
    time::{Duration, SystemTime},
};

const SECOND: Micros = 1_000_000;
const HOUR: Micros = 3_600 * SECOND;
const DAY: Micros = 24 * HOUR;
/// Beyond the age at which a segment is sealed, publishing may take so long.
const PUBLISHING: Micros = 60 * SECOND;
/// A connection on the same machine.
const PATIENCE: Duration = Duration::from_secs(2);

/// "3 s", "5 min", "2.5 h".
fn span(micros: Micros) -> String {
    match micros {
        ..120_000_000 => format!("{} s", micros / SECOND),
        120_000_000..7_200_000_000 => format!("{} min", micros / (60 * SECOND)),
        _ => format!("{:.1} h", micros as f64 / HOUR as f64),
    }
}

/// Whether a process writes the log.
pub(super) fn is_running(folder: &Path) -> bool {
    File::open(folder.join("lock")).is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Whether it is there and answers.
pub(super) async fn running(running: bool, told: Option<&Status>, settings: &CollectSettings) -> Check {
    const NAME: &str = "running";
    if !running {
        let ended = match told {
            Some(told) if told.stopped => "it was stopped",
            Some(_) => {
                "it ended without being stopped; what it acknowledged is in the log and goes to the tables when it starts"
            }
            None => "it never ran",
        };
        return Check::bad(NAME, format!("no collector runs: {ended}"), "start `safar serve`");
    }
    let address = told.map_or(settings.listen, |told| told.listening);
    let near = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => IpAddr::from([127, 0, 0, 1]),
        IpAddr::V6(_) => IpAddr::from(std::net::Ipv6Addr::LOCALHOST),
    };
    let connect = tokio::net::TcpStream::connect(SocketAddr::new(near, address.port()));
    match tokio::time::timeout(PATIENCE, connect).await {
        Ok(Ok(_)) => Check::good(NAME, format!("listens on {address}")),
        _ => Check::bad(
            NAME,
            format!("a collector runs, and nobody answers on {address}"),
            "look at what it says; where the machine is out of connections or memory, raise max_connections or give it more",
        ),
    }
}

/// Whether the settings are those that the collector read.
pub(super) fn current(told: &Status, settings: &CollectSettings) -> Check {
    if told.settings == status::fingerprint(settings) {
        return Check::good("settings", "the collector runs with the [collect] of safar.toml");
    }
    Check::look(
        "settings",
        "[collect] of safar.toml changed since the collector started",
        "start `safar serve` again: it reads [collect] once",
    )
}

pub(super) fn keys(settings: &CollectSettings) -> Vec<Check> {
    const NAME: &str = "keys";
    if settings.sources.is_empty() {
        return vec![Check::look(
            NAME,
            "there are no sources: everybody may send, under any key, as `default`",
            "name them as [[collect.sources]] of safar.toml, each with its keys",
        )];
    }
    let keyless = settings.sources.iter().skip(1).filter(|source| source.keys.is_empty());
    let mut found: Vec<Check> = keyless
        .map(|source| {
            let found = format!("the source `{}` has no keys, so nothing is ever for it", source.name);
            Check::look(NAME, found, "give it the write key, site id, domain or measurement id that its clients name")
        })
        .collect();
    if found.is_empty() {
        let keys: usize = settings.sources.iter().map(|source| source.keys.len()).sum();
        found.push(Check::good(NAME, format!("{} sources with {keys} keys", settings.sources.len())));
    }
    found
}

pub(super) fn origins(settings: &CollectSettings) -> Vec<Check> {
    const NAME: &str = "origins";
    let mut found = vec![];
    if !settings.listen.ip().is_loopback() && settings.proxies == 0 {
        found.push(Check::look(
            NAME,
            format!("it listens on {} for everybody, without TLS", settings.listen),
            "put a proxy that speaks TLS before it, listen on 127.0.0.1 and set proxies = 1",
        ));
    }
    let open: Vec<&str> =
        settings.sources.iter().filter(|source| source.origins.is_empty()).map(|source| source.name.as_str()).collect();
    if !open.is_empty() {
        found.push(Check::look(
            NAME,
            format!("pages of any site may send for {}", open.join(", ")),
            "list your own in `origins`, unless only programs on servers and apps send for it",
        ));
    }
    if found.is_empty() && !settings.sources.is_empty() {
        found.push(Check::good(NAME, "only listed pages may send"));
    }
    found
}

/// Our own clock: no segment was made in the future.
pub(super) fn clock(waiting: &Waiting, now: Micros) -> Check {
    match waiting.newest.filter(|made| *made > now + SECOND) {
        None => Check::good("clock", "this machine's clock did not go back"),
        Some(made) => Check::bad(
            "clock",
            format!("the log was begun {} from now: this machine's clock went back", span(made - now)),
            "set the clock by NTP; events are dated by it",
        ),
    }
}

/// How long events wait for the tables.
pub(super) fn lag(waiting: &Waiting, settings: &CollectSettings, told: Option<&Status>, now: Micros) -> Check {
    const NAME: &str = "lag";
    let bytes = waiting.bytes;
    let written = waiting.since.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    let age = written.map_or(0, |since| (now - since.as_micros() as Micros).max(0));
    let limit = u64::from(settings.log.megabytes) << 20;
    let found = format!(
        "{:.1} of {} MB of the log wait{}",
        bytes as f64 / 1_048_576.0,
        settings.log.megabytes,
        if written.is_some() { format!(", the oldest for {}", span(age)) } else { String::new() }
    );
    let problem = told.and_then(|told| told.problem.as_deref());
    let late = age > Micros::from(settings.log.segment_seconds) * SECOND + PUBLISHING;
    match problem {
        Some(problem) => {
            Check::bad(NAME, format!("{found}; the last try failed: {problem}"), "put that right; it is tried again")
        }
        None if late && told.is_none() => Check::bad(NAME, found, "start `safar serve`: it takes up where it ended"),
        None if late => Check::bad(
            NAME,
            found,
            "another command may be writing the tables, or the machine is too slow: raise segment_seconds and build_seconds",
        ),
        None if bytes > limit / 2 => {
            Check::look(NAME, found, "raise megabytes of [collect.log], or find out what slows the tables")
        }
        None => Check::good(NAME, found),
    }
}

/// Whether journeys follow.
pub(super) fn journeys(told: &Status, settings: &CollectSettings, now: Micros) -> Check {
    const NAME: &str = "journeys";
    if settings.build_seconds == 0 {
        return Check::look(
            NAME,
            "the collector does not build journeys (build_seconds = 0)",
            "run `safar build` from time to time",
        );
    }
    match &told.built {
        None => Check::good(NAME, "the first build is under way"),
        Some(built) => match &built.problem {
            Some(problem) => {
                Check::bad(NAME, format!("the last build failed: {problem}"), "put that right; it is tried again")
            }
            None => Check::good(NAME, format!("built {} ago in {:.1} s", span(now - built.at), built.seconds)),
        },
    }
}

pub(super) fn refused(told: &Status) -> Check {
    const NAME: &str = "refused";
    if told.noticed.refused.is_empty() {
        return Check::good(NAME, "no request was turned away since the collector started");
    }
    let found: Vec<String> = told.noticed.refused.iter().map(|(reason, count)| format!("{count} × {reason}")).collect();
    let mut to_do: Vec<&str> = told.noticed.refused.keys().map(|reason| against(reason)).collect();
    to_do.dedup();
    Check::look(
        NAME,
        format!("requests turned away since the collector started: {}", found.join(", ")),
        to_do.join("; "),
    )
}

/// What to do about a reason for which requests are turned away ([`safar_collect::http::Noticed::refused`]).
fn against(reason: &str) -> &'static str {
    match reason {
        "too large" => "let clients send smaller batches: 4 MB and 2,500 events are the most",
        "a link that was not signed here" => "make links with `safar collect link` and today's link_key",
        "unknown key, secret or page" => "see unknown sources",
        "more than the source may send" => "where that is no abuse, raise requests_per_second of the source",
        "no space, memory or time" => "see lag and disk, or raise memory_megabytes",
        _ => {
            "`safar sql \"select reason, raw from rejects where origin like 'collect/unknown/%'\"` shows what could not be read, one request a second of them"
        }
    }
}

/// What is lost, because nobody sends it again.
pub(super) fn not_kept(told: &Status) -> Option<Check> {
    let lost = &told.noticed.not_kept;
    let found: Vec<String> = lost.iter().map(|(reason, count)| format!("{count} × {reason}")).collect();
    (!found.is_empty()).then(|| {
        Check::look(
            "not kept",
            format!("not kept since the collector started: {}", found.join(", ")),
            "clicks are lost where the log or the disk is full or slow, or the source sends more than it may: see lag, disk and requests_per_second",
        )
    })
}

/// Sources that nobody knows.
pub(super) fn strangers(told: &Status, settings: &CollectSettings, now: Micros) -> Check {
    const NAME: &str = "unknown sources";
    /// So many are named.
    const NAMED: usize = 5;
    let noticed = &told.noticed;
    if noticed.strangers.is_empty() {
        return Check::good(NAME, "every request named a source that is known");
    }
    let known = |key: &String| settings.sources.iter().any(|source| source.keys.contains(key));
    let name = |stranger: &safar_collect::http::Stranger| {
        let key = match &stranger.key {
            Some(key) if known(key) => format!("the known key `{key}`"),
            Some(key) => format!("the key `{key}`"),
            None => "no key".to_owned(),
        };
        let origin = stranger.origin.as_ref().map_or(String::new(), |origin| format!(" from {origin}"));
        format!("{} × {key}{origin}", stranger.requests)
    };
    let mut found: Vec<String> = noticed.strangers.iter().take(NAMED).map(name).collect();
    let more =
        noticed.strangers.iter().skip(NAMED).map(|stranger| stranger.requests).sum::<u64>() + noticed.other_strangers;
    if more > 0 {
        found.push(format!("{more} × others"));
    }
    let found = format!("turned away since the collector started: {}", found.join(", "));
    let to_do = "where they are yours, add the key to `keys`, or the page to `origins`, of a source of [[collect.sources]]; where the key is known, its page or its secret is not";
    // Whoever went away a day ago loses nothing more.
    let lately = noticed.strangers.iter().any(|stranger| now - stranger.last_at < DAY);
    if lately { Check::bad(NAME, found, to_do) } else { Check::look(NAME, found, to_do) }
}

/// Clients that are set to another path than theirs.
pub(super) fn paths(told: &Status) -> Option<Check> {
    let (paths, others) = (&told.noticed.paths, told.noticed.other_paths);
    let mut found: Vec<String> = paths.iter().map(|(path, count)| format!("{count} × {path}")).collect();
    if others > 0 {
        found.push(format!("{others} × others"));
    }
    (!found.is_empty()).then(|| {
        Check::look(
            "paths",
            format!("sent to paths that no client is known for: {}", found.join(", ")),
            "where it is a client of yours, give it the address of docs/collect.md, without a path of its own; where it is Snowplow's `postPath`, add it to snowplow_paths; words that clients do not use are not kept, your proxy's log has them",
        )
    })
}

/// Whether visitors' addresses are theirs.
pub(super) fn proxies(told: &Status, settings: &CollectSettings) -> Option<Check> {
    const NAME: &str = "proxies";
    let (noticed, expected) = (&told.noticed, settings.proxies);
    let all: u64 = noticed.sources.iter().map(|source| source.requests).sum();
    // Anybody may send such a header, or find the way around a proxy.
    let most = |some: u64| some > all / 2 && some > 0;
    if expected == 0 && most(noticed.forwarded) {
        return Some(Check::look(
            NAME,
            format!(
                "{} requests came through a proxy, and proxies = 0: all visitors seem to have its address",
                noticed.forwarded
            ),
            "where the proxy is yours, set `proxies` of [collect] to how many there are one behind the other, mostly 1",
        ));
    }
    (expected > 0 && most(noticed.unforwarded)).then(|| {
        Check::look(
            NAME,
            format!(
                "{} requests came by fewer proxies than proxies = {expected}: nobody knows their visitors' addresses",
                noticed.unforwarded
            ),
            "let the proxy send X-Forwarded-For, or set `proxies` of [collect] to how many there are",
        )
    })
}

/// Sources that nothing comes from.
pub(super) fn silent(told: &Status, now: Micros) -> Vec<Check> {
    const NAME: &str = "sources";
    let one = |source: &safar_collect::http::SourceNoticed| match source.last_at {
        Some(last) if now - last < DAY => Check::good(
            NAME,
            format!("`{}`: {} requests, the last {} ago", source.name, source.requests, span(now - last)),
        ),
        Some(last) => Check::look(
            NAME,
            format!("`{}`: {} requests, the last {} ago", source.name, source.requests, span(now - last)),
            "see whether its site, app or server still sends here",
        ),
        None => Check::look(
            NAME,
            format!("`{}`: nothing came for {} since the collector started", source.name, span(now - told.started_at)),
            "see whether its client sends to this address, with one of its keys (docs/collect.md)",
        ),
    };
    told.noticed.sources.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::State, *};
    use safar_collect::http::{Noticed, SourceNoticed, SourceSettings, Stranger};

    fn shop() -> CollectSettings {
        let source = |name: &str, keys: &[&str], origins: &[&str]| SourceSettings {
            name: name.to_owned(),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            origins: origins.iter().map(|origin| (*origin).to_owned()).collect(),
            ..SourceSettings::default()
        };
        CollectSettings {
            sources: vec![source("web", &["k"], &["https://shop.example"]), source("app", &[], &[])],
            ..CollectSettings::default()
        }
    }

    #[test]
    fn settings_are_looked_at() {
        let states = |found: Vec<Check>| found.iter().map(|check| check.state).collect::<Vec<_>>();
        assert_eq!(states(keys(&CollectSettings::default())), [State::Look]);
        assert_eq!(states(keys(&shop())), [State::Look]);
        let mut good = shop();
        good.sources.truncate(1);
        assert_eq!(states(keys(&good)), [State::Good]);
        assert_eq!(states(origins(&good)), [State::Good]);
        assert!(origins(&shop())[0].found.ends_with("for app"));
        good.listen = SocketAddr::from(([0, 0, 0, 0], 80));
        assert_eq!(states(origins(&good)), [State::Look]);
    }

    #[test]
    fn what_the_collector_noticed_is_told() {
        let listening = SocketAddr::from(([127, 0, 0, 1], 1));
        let mut told = Status::begin(listening, &shop());
        assert_eq!(current(&told, &shop()).state, State::Good);
        assert_eq!(current(&told, &CollectSettings::default()).state, State::Look);
        assert_eq!(
            (refused(&told).state, strangers(&told, &shop(), told.started_at).state),
            (State::Good, State::Good)
        );
        let now = told.started_at + 2 * DAY;
        let source = |name: &str, last_at| SourceNoticed { name: name.to_owned(), requests: 1, last_at };
        let stranger = |key: &str| Stranger {
            key: Some(key.to_owned()),
            origin: Some("https://other.example".to_owned()),
            requests: 3,
            last_at: now,
        };
        told.noticed = Noticed {
            sources: vec![source("web", Some(now - SECOND)), source("app", Some(now - DAY)), source("old", None)],
            refused: [("too large".to_owned(), 2)].into(),
            not_kept: [("a click".to_owned(), 3)].into(),
            strangers: vec![stranger("who"), stranger("k")],
            other_strangers: 4,
            paths: [("/collect".to_owned(), 5)].into(),
            other_paths: 6,
            forwarded: 2,
            unforwarded: 0,
        };
        assert!(paths(&told).is_some_and(|check| check.found.ends_with("5 × /collect, 6 × others")));
        assert_eq!(paths(&Status::begin(listening, &shop())), None);
        assert!(proxies(&told, &shop()).is_some_and(|check| check.to_do.contains("mostly 1")));
        assert_eq!(proxies(&told, &CollectSettings { proxies: 1, ..shop() }), None);
        told.noticed.forwarded = 1;
        assert_eq!(proxies(&told, &shop()), None, "one of three may have made it up");
        let states: Vec<_> = silent(&told, now).iter().map(|check| check.state).collect();
        assert_eq!(states, [State::Good, State::Look, State::Look]);
        assert!(refused(&told).found.ends_with("2 × too large") && refused(&told).to_do.contains("smaller batches"));
        assert!(not_kept(&told).is_some_and(|check| check.found.ends_with("3 × a click")));
        assert_eq!(not_kept(&Status::begin(listening, &shop())), None);
        assert_eq!(strangers(&told, &shop(), now).state, State::Bad);
        assert_eq!(strangers(&told, &shop(), now + DAY).state, State::Look);
        let found = strangers(&told, &shop(), now).found;
        assert!(found.ends_with("3 × the key `who` from https://other.example, 3 × the known key `k` from https://other.example, 4 × others"), "{found}");
    }

    #[test]
    fn what_waits_is_looked_at() {
        let now = 1_000 * HOUR;
        let since = |age: Micros| {
            let written = SystemTime::UNIX_EPOCH + Duration::from_micros((now - age) as u64);
            Waiting { bytes: 100, since: Some(written), newest: Some(now) }
        };
        let state = |waiting: &Waiting, told: Option<&Status>| lag(waiting, &shop(), told, now).state;
        assert_eq!(state(&Waiting::default(), None), State::Good);
        assert_eq!(state(&since(10 * SECOND), None), State::Good);
        assert_eq!(state(&since(HOUR), None), State::Bad);
        let mut told = Status::begin(SocketAddr::from(([127, 0, 0, 1], 1)), &shop());
        told.problem = Some("the disk is full".to_owned());
        assert_eq!(state(&since(0), Some(&told)), State::Bad);
        assert_eq!(state(&Waiting { bytes: 3 << 30, ..Waiting::default() }, None), State::Look);
        assert_eq!(clock(&since(0), now).state, State::Good);
        assert_eq!(clock(&since(0), now - HOUR).state, State::Bad);
    }
}
