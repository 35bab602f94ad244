//! Answers that were given before, by report, parameters, data and settings.
use super::reports::Table;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// How much memory answers may use together.
const MOST_BYTES: usize = 128 << 20;

/// What an answer is a function of. Nothing else may enter a report that is cached.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The version of the data.
    pub data: String,
    /// The version of the settings.
    pub settings: String,
    /// The report.
    pub report: &'static str,
    /// Its parameters, spelled one way.
    pub arguments: String,
}

#[derive(Debug, Default)]
struct Kept {
    answers: HashMap<Key, (Arc<Table>, u64)>,
    bytes: usize,
    clock: u64,
}

/// The answers that were asked for last.
#[derive(Debug, Default)]
pub struct Cache {
    kept: Mutex<Kept>,
}

impl Cache {
    /// The answer, where it was given before.
    pub fn get(&self, key: &Key) -> Option<Arc<Table>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clock += 1;
        let clock = kept.clock;
        let (table, used) = kept.answers.get_mut(key)?;
        *used = clock;
        Some(Arc::clone(table))
    }

    /// Keeps an answer, and forgets those that were not asked for the longest. A quarter of the memory is the most for one.
    pub fn put(&self, key: Key, table: &Arc<Table>) {
        let size = table.bytes();
        if size > MOST_BYTES / 4 {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clock += 1;
        let clock = kept.clock;
        if let Some((old, _)) = kept.answers.insert(key, (Arc::clone(table), clock)) {
            kept.bytes -= old.bytes();
        }
        kept.bytes += size;
        while kept.bytes > MOST_BYTES {
            let oldest = kept.answers.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| key.clone());
            let Some((old, _)) = oldest.and_then(|key| kept.answers.remove(&key)) else { break };
            kept.bytes -= old.bytes();
        }
    }

    /// Forgets every answer.
    pub fn clear(&self) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Kept::default();
    }
}
