//! Which source a request is from, and whether it may send now.
use super::{CollectSettings, SourceNoticed, SourceSettings};
use crate::{Decoded, Protocol, Refusal};
use safar_model::Micros;
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Instant,
};

/// Seconds of a source's rate that may come at once.
const BURST: u64 = 10;
/// What is never sent again is taken at so many times the rate.
const ONCE: u32 = 10;

/// All sources, by their keys.
#[derive(Debug)]
pub(crate) struct Sources {
    all: Vec<Arc<Source>>,
    by_key: HashMap<String, Arc<Source>>,
    /// Where there are no sources.
    anyone: Option<Arc<Source>>,
}

#[derive(Debug)]
pub(crate) struct Source {
    pub settings: SourceSettings,
    rate: Rate,
    /// For requests that come once.
    hard: Rate,
    taken: AtomicU64,
    last_at: AtomicI64,
}

impl Source {
    fn new(settings: SourceSettings) -> Arc<Self> {
        let rate = Rate::new(settings.requests_per_second);
        let hard = Rate::new(settings.requests_per_second.saturating_mul(ONCE));
        Arc::new(Self { rate, hard, settings, taken: AtomicU64::new(0), last_at: AtomicI64::new(0) })
    }

    /// A source for its rate alone.
    pub fn limited(requests_per_second: u32) -> Arc<Self> {
        Self::new(SourceSettings { requests_per_second, ..SourceSettings::default() })
    }

    fn lets_in(&self, origin: &str) -> bool {
        self.settings.origins.is_empty() || self.settings.origins.iter().any(|known| matches(known, origin))
    }

    /// Takes one request off the rate, or says after how many seconds to come back. A request that comes once may go beyond
    /// the rate, as long as a higher one is kept to.
    pub fn admit(&self, once: bool) -> Result<(), Refusal> {
        let hard = self.hard.admit();
        let admitted = match self.rate.admit() {
            Err(_) if once => hard,
            other => other,
        };
        admitted.map_err(Refusal::TooMany)
    }

    /// A request with events was made safe.
    pub fn took(&self, now: Micros) {
        self.taken.fetch_add(1, Ordering::Relaxed);
        self.last_at.store(now, Ordering::Relaxed);
    }

    fn noticed(&self) -> SourceNoticed {
        let requests = self.taken.load(Ordering::Relaxed);
        let last_at = (requests > 0).then(|| self.last_at.load(Ordering::Relaxed));
        SourceNoticed { name: self.settings.name.clone(), requests, last_at }
    }
}

impl Sources {
    /// Of settings that were checked.
    pub fn new(settings: &CollectSettings) -> Self {
        let all: Vec<_> = settings.sources.iter().cloned().map(Source::new).collect();
        let keys = |source: &Arc<Source>| -> Vec<(String, Arc<Source>)> {
            source.settings.keys.iter().map(|key| (key.clone(), Arc::clone(source))).collect()
        };
        let by_key = all.iter().flat_map(keys).collect();
        let everything = || Source::new(SourceSettings { name: "default".to_owned(), ..SourceSettings::default() });
        Self { by_key, anyone: all.is_empty().then(everything), all }
    }

    pub fn noticed(&self) -> Vec<SourceNoticed> {
        self.anyone.iter().chain(&self.all).map(|source| source.noticed()).collect()
    }

    /// Whether a source keeps nobody's identifiers.
    pub fn is_cookieless(&self, name: &str) -> bool {
        self.all.iter().any(|source| source.settings.name == name && source.settings.cookieless)
    }

    /// Whether any source takes requests of pages of an origin. A browser asks before it says which source it means.
    pub fn let_in(&self, origin: Option<&str>) -> bool {
        let Some(origin) = origin else { return true };
        self.anyone.is_some() || self.all.iter().any(|source| source.lets_in(origin))
    }

    /// The source that a request names, if it may send.
    pub fn of(&self, protocol: Protocol, decoded: &Decoded, origin: Option<&str>) -> Result<&Arc<Source>, Refusal> {
        let keyless = matches!(protocol, Protocol::Pixel | Protocol::Redirect);
        let named = match &decoded.key {
            Some(key) => self.by_key.get(key),
            None => self.all.first().filter(|_| keyless),
        };
        let source = self.anyone.as_ref().or(named).ok_or(Refusal::Unauthorised)?;
        if origin.is_some_and(|origin| !source.lets_in(origin)) {
            return Err(Refusal::Unauthorised);
        }
        // Hashes differ at another place than the secrets do, so the time that comparing takes tells nothing.
        let hash = |secret: &String| Sha256::digest(secret.as_bytes());
        match (&source.settings.secret, &decoded.secret) {
            (Some(known), Some(told)) if hash(known) != hash(told) => Err(Refusal::Unauthorised),
            (Some(_), None) if source.settings.secret_required || protocol.is_of_servers() => {
                Err(Refusal::Unauthorised)
            }
            _ => Ok(source),
        }
    }
}

/// `https://shop.example`, or `https://*.shop.example` for all hosts below it. Case does not matter.
fn matches(known: &str, origin: &str) -> bool {
    let (known, origin) = (known.trim_end_matches('/').to_ascii_lowercase(), origin.to_ascii_lowercase());
    match known.split_once("*.") {
        Some((scheme, domain)) => origin
            .strip_prefix(scheme)
            .and_then(|host| host.strip_suffix(domain))
            .is_some_and(|host| host.ends_with('.')),
        None => known == origin,
    }
}

/// So many a second, in one number: the time until which the rate is used up (the "generic cell rate algorithm" of ATM
/// networks, ITU-T I.371).
#[derive(Debug)]
struct Rate {
    /// Nanoseconds that each takes; 0: none.
    each: u64,
    began: Instant,
    used_until: AtomicU64,
}

impl Rate {
    fn new(per_second: u32) -> Self {
        let each = 1_000_000_000_u64.checked_div(per_second.into()).unwrap_or(0);
        Self { each, began: Instant::now(), used_until: AtomicU64::new(0) }
    }

    fn admit(&self) -> Result<(), u32> {
        if self.each == 0 {
            return Ok(());
        }
        self.admit_at(self.began.elapsed().as_nanos() as u64)
    }

    /// Takes one at a time, or says how many whole seconds to wait.
    fn admit_at(&self, now: u64) -> Result<(), u32> {
        if self.each == 0 {
            return Ok(());
        }
        let furthest = now + BURST * 1_000_000_000;
        let take = |used: u64| Some(used.max(now) + self.each).filter(|until| *until <= furthest);
        match self.used_until.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take) {
            Ok(_) => Ok(()),
            Err(used) => Err(((used + self.each - furthest).div_ceil(1_000_000_000)) as u32),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_match_whole_hosts() {
        for (known, origin, fits) in [
            ("https://shop.example", "https://shop.example", true),
            ("https://Shop.example/", "https://shop.EXAMPLE", true),
            ("https://shop.example", "http://shop.example", false),
            ("https://shop.example", "https://shop.example.evil.example", false),
            ("https://*.shop.example", "https://a.b.shop.example", true),
            ("https://*.shop.example", "https://shop.example", false),
            ("https://*.shop.example", "https://evilshop.example", false),
        ] {
            assert_eq!(matches(known, origin), fits, "{known} {origin}");
        }
    }

    #[test]
    fn a_rate_is_kept_to() {
        let rate = Rate::new(2);
        let second = 1_000_000_000;
        assert_eq!((0..20).filter(|_| rate.admit_at(0).is_ok()).count(), 20, "ten seconds' worth at once");
        assert_eq!(rate.admit_at(0), Err(1));
        assert_eq!(rate.admit_at(second / 2), Ok(()));
        assert_eq!(rate.admit_at(second / 2), Err(1));
        let later =
            (1..=100).flat_map(|at| std::iter::repeat_n(at * second, 10)).filter(|at| rate.admit_at(*at).is_ok());
        assert_eq!(later.count(), 199);
        assert!((0..10_000).all(|_| Rate::new(0).admit_at(0).is_ok()));
    }
}
