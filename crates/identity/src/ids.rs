//! Interned identifiers: a dense number for each (namespace, identifier), and its key.
use safar_model::{Micros, key_of};
use xxhash_rust::xxh3::xxh3_64;

/// Identifiers longer than this take the slow road to their key.
const STACK_BYTES: usize = 128;

/// Look-ups warmed together: more than the processor can wait for at once, few enough to stay in its cache.
pub(crate) const WARM: usize = 64;

/// [`key_of`] without an allocation: it runs for each event of a rebuild.
pub(crate) fn key(namespace: &str, identifier: &str) -> i64 {
    let split = namespace.len();
    let len = split + 1 + identifier.len();
    let mut stack = [0_u8; STACK_BYTES];
    let Some(bytes) = stack.get_mut(..len) else { return key_of(namespace, identifier) };
    bytes[..split].copy_from_slice(namespace.as_bytes());
    bytes[split + 1..].copy_from_slice(identifier.as_bytes());
    (xxh3_64(bytes) >> 1) as i64
}

/// One identifier; 32 bytes, so that a look-up reads one line of memory for it.
#[derive(Clone, Copy, Debug)]
struct Id {
    key: i64,
    start: u64,
    /// When it was first observed.
    first_seen: Micros,
    len: u32,
    space: u16,
}

/// Every identifier ever linked; numbers are given in the order of arrival and never leave the crate.
///
/// The table is open addressing in one array: a look-up among millions costs three lines of memory (slot, identifier,
/// text), and [`Ids::warm`] lets the processor fetch those of many look-ups at once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ids {
    /// Power of two, at most 5/8 full: 32 bits of the hash above, number + 1 below; 0 is free.
    slots: Vec<u64>,
    ids: Vec<Id>,
    text: String,
    spaces: Vec<String>,
}

/// Keys are hashes, but xxh3's lowest bit is cut off: spread them again.
fn spread(key: i64) -> u64 {
    (key as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

impl Ids {
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn spaces(&self) -> &[String] {
        &self.spaces
    }

    pub(crate) fn space(&self, id: u32) -> u16 {
        self.ids[id as usize].space
    }

    pub(crate) fn key(&self, id: u32) -> i64 {
        self.ids[id as usize].key
    }

    pub(crate) fn first_seen(&self, id: u32) -> Micros {
        self.ids[id as usize].first_seen
    }

    /// Namespace and identifier.
    pub(crate) fn get(&self, id: u32) -> (&str, &str) {
        let id = &self.ids[id as usize];
        (&self.spaces[usize::from(id.space)], self.text_of(id))
    }

    fn text_of(&self, id: &Id) -> &str {
        let start = id.start as usize;
        &self.text[start..start + id.len as usize]
    }

    /// The number of a namespace.
    pub(crate) fn space_of(&self, namespace: &str) -> Option<u16> {
        self.spaces.iter().position(|name| name == namespace).map(|at| at as u16)
    }

    pub(crate) fn find(&self, namespace: &str, identifier: &str) -> Option<u32> {
        self.find_in(self.space_of(namespace)?, namespace, identifier)
    }

    /// As [`Ids::find`], the namespace's number known.
    pub(crate) fn find_in(&self, space: u16, namespace: &str, identifier: &str) -> Option<u32> {
        self.find_key(space, key(namespace, identifier), identifier)
    }

    /// As [`Ids::find_in`], the key known.
    pub(crate) fn find_key(&self, space: u16, key: i64, identifier: &str) -> Option<u32> {
        self.slot(space, key, identifier).ok()
    }

    /// Where a hash starts to look; `slots` is not empty.
    fn home(&self, hash: u64) -> usize {
        (hash >> (64 - self.slots.len().trailing_zeros())) as usize
    }

    /// The number of an identifier, or the slot where it belongs.
    fn slot(&self, space: u16, key: i64, identifier: &str) -> Result<u32, usize> {
        if self.slots.is_empty() {
            return Err(0);
        }
        let hash = spread(key);
        let mut at = self.home(hash);
        loop {
            let slot = self.slots[at];
            let Some(id) = (slot as u32).checked_sub(1) else { return Err(at) };
            if slot >> 32 == hash & u64::from(u32::MAX) {
                let known = &self.ids[id as usize];
                if known.key == key && known.space == space && self.text_of(known) == identifier {
                    return Ok(id);
                }
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    /// Reads what look-ups of these keys will read, stage by stage, so that the waits for memory overlap.
    pub(crate) fn warm(&self, keys: &[i64]) {
        if self.slots.is_empty() {
            return;
        }
        let mut known = [0_u32; WARM];
        let mut starts = [0_u64; WARM];
        let mut sum = 0_u8;
        for keys in keys.chunks(WARM) {
            for (known, &key) in known.iter_mut().zip(keys) {
                *known = self.slots[self.home(spread(key))] as u32;
            }
            for (start, &known) in starts.iter_mut().zip(&known).take(keys.len()) {
                *start = self.ids.get((known as usize).wrapping_sub(1)).map_or(0, |id| id.start);
            }
            for &start in &starts[..keys.len()] {
                sum ^= self.text.as_bytes().get(start as usize).copied().unwrap_or_default();
            }
        }
        std::hint::black_box(sum);
    }

    /// The number of a namespace, new or known; `None` when 2¹⁶ are taken.
    pub(crate) fn intern_space(&mut self, namespace: &str) -> Option<u16> {
        self.space_of(namespace).or_else(|| {
            let space = u16::try_from(self.spaces.len()).ok()?;
            self.spaces.push(namespace.to_owned());
            Some(space)
        })
    }

    /// The number of an identifier, new or known, observed at an instant; `None` when 2³² − 1 are taken. `key` is that
    /// of (the namespace with this number, `identifier`).
    pub(crate) fn intern(&mut self, space: u16, key: i64, identifier: &str, at: Micros) -> Option<u32> {
        if self.ids.len() >= self.slots.len() / 8 * 5 {
            self.grow();
        }
        match self.slot(space, key, identifier) {
            Ok(id) => {
                let first = &mut self.ids[id as usize].first_seen;
                *first = at.min(*first);
                Some(id)
            }
            Err(slot) => {
                let id = u32::try_from(self.ids.len()).ok().filter(|&id| id < u32::MAX)?;
                let len = u32::try_from(identifier.len()).ok()?;
                self.slots[slot] = spread(key) << 32 | u64::from(id + 1);
                self.ids.push(Id { key, start: self.text.len() as u64, first_seen: at, len, space });
                self.text.push_str(identifier);
                Some(id)
            }
        }
    }

    fn grow(&mut self) {
        let len = (self.slots.len() * 2).max(16);
        self.slots = vec![0; len];
        for (id, number) in self.ids.iter().zip(1_u64..) {
            let hash = spread(id.key);
            let mut at = (hash >> (64 - len.trailing_zeros())) as usize;
            while self.slots[at] != 0 {
                at = (at + 1) & (len - 1);
            }
            self.slots[at] = hash << 32 | number;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_are_those_of_the_model(namespace in "[a-z]{0,9}", identifier in ".{0,250}") {
            prop_assert_eq!(key(&namespace, &identifier), key_of(&namespace, &identifier));
        }
    }
}
