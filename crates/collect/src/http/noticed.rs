//! What a running collector notices, for whoever looks after it: who sends, who is turned away and why.
use crate::Refusal;
use safar_model::Micros;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// Strangers that are told apart; further ones are counted together.
const STRANGERS: usize = 100;
/// Paths that are told apart; further ones are not counted.
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
    /// Paths that events were sent to and that no client is known for, with how often.
    #[serde(default)]
    pub paths: BTreeMap<String, u64>,
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
pub(super) struct Notices(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    refused: BTreeMap<&'static str, u64>,
    not_kept: BTreeMap<&'static str, u64>,
    strangers: BTreeMap<Names, (u64, Micros)>,
    other_strangers: u64,
    paths: BTreeMap<String, u64>,
    forwarded: u64,
    unforwarded: u64,
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

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

impl Notices {
    pub fn refused(&self, refusal: &Refusal) {
        *self.counts().refused.entry(reason(refusal)).or_default() += 1;
    }

    pub fn not_kept(&self, reason: &'static str) {
        *self.counts().not_kept.entry(reason).or_default() += 1;
    }

    pub fn stranger(&self, key: Option<&str>, origin: Option<&str>, now: Micros) {
        let counts = &mut *self.counts();
        let names = (key.map(cut), origin.map(cut));
        if let Some((requests, last_at)) = counts.strangers.get_mut(&names) {
            (*requests, *last_at) = (*requests + 1, now);
        } else if counts.strangers.len() < STRANGERS {
            counts.strangers.insert(names, (1, now));
        } else {
            counts.other_strangers += 1;
        }
    }

    pub fn path(&self, path: &str) {
        let (counts, path) = (&mut *self.counts(), cut(path));
        if counts.paths.len() < PATHS || counts.paths.contains_key(&path) {
            *counts.paths.entry(path).or_default() += 1;
        }
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
        let mut strangers: Vec<Stranger> = counts.strangers.iter().map(stranger).collect();
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
            other_strangers: counts.other_strangers,
            paths: counts.paths.clone(),
            forwarded: counts.forwarded,
            unforwarded: counts.unforwarded,
        }
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_are_counted_and_bounded() {
        let notices = Notices::default();
        for number in 0..STRANGERS + 5 {
            notices.stranger(Some(&format!("{number:03}{}", "x".repeat(200))), None, 1);
        }
        notices.stranger(Some(&format!("007{}", "x".repeat(97))), None, 9);
        let told = notices.tell(vec![]);
        assert_eq!((told.strangers.len(), told.other_strangers), (STRANGERS, 5));
        assert_eq!((told.strangers[0].requests, told.strangers[0].last_at), (2, 9));
        (0..PATHS + 5).chain([0]).for_each(|number| notices.path(&format!("/{number}")));
        let paths = notices.tell(vec![]).paths;
        assert_eq!((paths.len(), paths["/0"]), (PATHS, 2));
        assert!(told.strangers.iter().all(|stranger| stranger.key.as_ref().unwrap().chars().count() == LONGEST));
    }
}
