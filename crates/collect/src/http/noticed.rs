//! What a running collector notices, for whoever looks after it: who sends, who is turned away and why.
//!
//! Anybody can be turned away under any name, so that little is kept of strangers: so many of them, so much of each, no e-mail
//! addresses and telephone numbers, and of paths only words of clients' paths.
use super::paths::in_known_words;
use crate::Refusal;
use safar_enrich::Personal;
use safar_model::Micros;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// Strangers that are told apart.
const STRANGERS: usize = 100;
/// Paths that are told apart.
const PATHS: usize = 20;
/// The most that is kept of what a stranger calls itself, in characters.
const LONGEST: usize = 100;

/// Since the collector was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noticed {
    /// In the order of the settings.
    pub sources: Vec<SourceNoticed>,
    /// Requests that were turned away, by the reason.
    pub refused: BTreeMap<String, u64>,
    /// What could not be kept although nobody sends it again, by the reason.
    #[serde(default)]
    pub not_kept: BTreeMap<String, u64>,
    /// Those whose key, secret or page is not known, the most frequent first.
    pub strangers: Vec<Stranger>,
    /// Requests of strangers beyond those that are listed.
    pub other_strangers: u64,
    /// Paths that events were sent to and that no client is known for, with how often: their words that are of clients' paths, `…`
    /// for all else.
    #[serde(default)]
    pub paths: BTreeMap<String, u64>,
    /// Requests to paths beyond those that are listed.
    #[serde(default)]
    pub other_paths: u64,
    /// Accepted requests that named an address they were forwarded for, where no proxy is expected (`proxies` = 0).
    #[serde(default)]
    pub forwarded: u64,
    /// Accepted requests that came by fewer proxies than are expected, so that nobody knows who sent them.
    #[serde(default)]
    pub unforwarded: u64,
}

/// What came for a source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceNoticed {
    /// Its name.
    pub name: String,
    /// Requests with events that were made safe.
    pub requests: u64,
    /// When the last one came, microseconds UTC.
    pub last_at: Option<Micros>,
}

/// A key and a page that may not send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stranger {
    /// The key that it named.
    pub key: Option<String>,
    /// The page that it came from.
    pub origin: Option<String>,
    /// How many requests.
    pub requests: u64,
    /// When the last one came, microseconds UTC.
    pub last_at: Micros,
}

type Names = (Option<String>, Option<String>);

#[derive(Debug, Default)]
pub(super) struct Notices {
    counts: Mutex<Counts>,
    personal: Personal,
}

#[derive(Debug, Default)]
struct Counts {
    refused: BTreeMap<&'static str, u64>,
    not_kept: BTreeMap<&'static str, u64>,
    strangers: Few<Names, STRANGERS>,
    paths: Few<String, PATHS>,
    forwarded: u64,
    unforwarded: u64,
}

/// How often something came, and when last, of so many things. The rarest makes room for another one; of several, that which was
/// seen longest ago.
#[derive(Debug)]
struct Few<T, const MOST: usize> {
    counted: BTreeMap<T, (u64, Micros)>,
    /// How often those came that made room.
    others: u64,
}

impl<T, const MOST: usize> Default for Few<T, MOST> {
    fn default() -> Self {
        Self { counted: BTreeMap::new(), others: 0 }
    }
}

impl<T: Ord + Clone, const MOST: usize> Few<T, MOST> {
    fn count(&mut self, one: T, now: Micros) {
        let rarest = || self.counted.iter().min_by_key(|(_, seen)| **seen).map(|(rarest, _)| rarest.clone());
        if self.counted.len() == MOST
            && !self.counted.contains_key(&one)
            && let Some((requests, _)) = rarest().and_then(|rarest| self.counted.remove(&rarest))
        {
            self.others += requests;
        }
        let (requests, last_at) = self.counted.entry(one).or_default();
        (*requests, *last_at) = (*requests + 1, now);
    }
}

/// In a few words, so that they can be counted.
fn reason(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Unreadable(_) => "the body cannot be read",
        Refusal::Damaged => "the compressed body is damaged",
        Refusal::Bomb | Refusal::TooLarge => "too large",
        Refusal::NotSigned => "a link that was not signed here",
        Refusal::Unauthorised => "unknown key, secret or page",
        Refusal::TooMany(_) => "more than the source may send",
        Refusal::Busy(_) => "no space, memory or time",
    }
}

impl Notices {
    /// What may be kept of what a stranger calls itself.
    fn name(&self, told: &str) -> String {
        self.personal.text(told).chars().take(LONGEST).collect()
    }

    pub fn refused(&self, refusal: &Refusal) {
        *self.counts().refused.entry(reason(refusal)).or_default() += 1;
    }

    pub fn not_kept(&self, reason: &'static str) {
        *self.counts().not_kept.entry(reason).or_default() += 1;
    }

    pub fn stranger(&self, key: Option<&str>, origin: Option<&str>, now: Micros) {
        let names = [key, origin].map(|told| told.map(|told| self.name(told)));
        self.counts().strangers.count(names.into(), now);
    }

    pub fn path(&self, path: &str, now: Micros) {
        self.counts().paths.count(in_known_words(path), now);
    }

    /// An accepted request whose way through proxies is not what the settings say.
    pub fn forwarded(&self, expected: bool) {
        let counts = &mut *self.counts();
        *(if expected { &mut counts.unforwarded } else { &mut counts.forwarded }) += 1;
    }

    pub fn tell(&self, sources: Vec<SourceNoticed>) -> Noticed {
        let counts = self.counts();
        let stranger = |((key, origin), (requests, last_at)): (&Names, &(u64, Micros))| Stranger {
            key: key.clone(),
            origin: origin.clone(),
            requests: *requests,
            last_at: *last_at,
        };
        let mut strangers: Vec<Stranger> = counts.strangers.counted.iter().map(stranger).collect();
        strangers.sort_by_key(|stranger| std::cmp::Reverse(stranger.requests));
        let named = |counts: &BTreeMap<&str, u64>| -> BTreeMap<String, u64> {
            counts.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect()
        };
        let (refused, not_kept) = (named(&counts.refused), named(&counts.not_kept));
        Noticed {
            sources,
            refused,
            not_kept,
            strangers,
            other_strangers: counts.strangers.others,
            paths: counts.paths.counted.iter().map(|(path, (requests, _))| (path.clone(), *requests)).collect(),
            other_paths: counts.paths.others,
            forwarded: counts.forwarded,
            unforwarded: counts.unforwarded,
        }
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_are_counted_and_bounded() {
        let notices = Notices::default();
        let key = |number: usize| format!("{number:03}{}", "x".repeat(200));
        for number in 0..STRANGERS {
            notices.stranger(Some(&key(number)), None, 1 + number as Micros);
        }
        notices.stranger(Some(&key(0)), None, 900);
        // They make room one after the other; who comes often stays.
        for number in 500..505 {
            notices.stranger(Some(&key(number)), None, number as Micros);
        }
        let told = notices.tell(vec![]);
        assert_eq!((told.strangers.len(), told.other_strangers), (STRANGERS, 5));
        assert_eq!((told.strangers[0].requests, told.strangers[0].last_at), (2, 900));
        assert!(told.strangers.iter().all(|stranger| stranger.key.as_ref().unwrap().chars().count() == LONGEST));
        let named = |number: usize| {
            let key = key(number);
            told.strangers.iter().any(|stranger| stranger.key.as_deref() == Some(&key[..LONGEST]))
        };
        assert_eq!([0, 1, 5, 6, 500, 504].map(named), [true, false, false, true, true, true]);
    }

    #[test]
    fn nobody_is_named_by_what_strangers_call_themselves() {
        let notices = Notices::default();
        notices.stranger(Some("ada@mail.example"), Some("https://+491512555918267.example"), 1);
        notices.path("/users/ada/v1/batch", 1);
        let told = notices.tell(vec![]);
        assert_eq!(told.strangers[0].key.as_deref(), Some("(email)"));
        assert_eq!(told.strangers[0].origin.as_deref(), Some("https://(phone).example"));
        assert_eq!(told.paths, [("/…/v1/batch".to_owned(), 1)].into());
    }

    #[test]
    fn paths_are_counted_and_bounded() {
        let notices = Notices::default();
        let paths =
            ["a", "b", "e", "g", "i"].map(|first| ["v0", "v1", "v2", "v3", "j"].map(|last| format!("/{first}/{last}")));
        for path in paths.iter().flatten().chain(&paths[4]) {
            notices.path(path, 1);
        }
        let told = notices.tell(vec![]);
        assert_eq!((told.paths.len(), told.paths["/i/j"]), (PATHS, 2));
        assert_eq!(told.paths.values().sum::<u64>() + told.other_paths, 30);
    }
}
