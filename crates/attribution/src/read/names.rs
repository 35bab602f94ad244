//! Gives names numbers in order of first appearance.
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use safar_model::ChannelId;
use std::hash::{BuildHasher, Hasher};

pub(super) struct Names {
    /// Short names that were met lately, by a cheap hash of their bytes.
    recent: Vec<Recent>,
    names: Vec<String>,
    table: HashTable<u32>,
    state: FixedState,
}

/// A name of up to 16 bytes, the rest 0.
#[derive(Clone, Copy)]
struct Recent {
    bytes: u128,
    length: usize,
    id: ChannelId,
}

const RECENT_BITS: u32 = 10;

impl Default for Names {
    fn default() -> Self {
        let none = Recent { bytes: 0, length: usize::MAX, id: ChannelId(0) };
        Self {
            recent: vec![none; 1 << RECENT_BITS],
            names: vec![],
            table: HashTable::new(),
            state: FixedState::default(),
        }
    }
}

impl Names {
    /// The number of `name`, with which `text` begins; `None` where it is not UTF-8.
    #[inline]
    pub(super) fn intern(&mut self, name: &[u8], text: &[u8]) -> Option<ChannelId> {
        // Sixteen bytes are read at once where the text goes on that far, and cut to the name.
        let head = text.first_chunk::<16>().filter(|_| (1..=16).contains(&name.len()));
        let Some(head) = head else { return self.find(name) };
        let bytes = u128::from_le_bytes(*head) & (u128::MAX >> (128 - 8 * name.len()));
        #[expect(clippy::cast_possible_truncation, reason = "a hash of both halves")]
        let mixed = (bytes as u64 ^ ((bytes >> 64) as u64).rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let slot = (mixed >> (64 - RECENT_BITS)) as usize;
        let recent = self.recent[slot];
        if recent.bytes == bytes && recent.length == name.len() {
            return Some(recent.id);
        }
        let id = self.find(name)?;
        self.recent[slot] = Recent { bytes, length: name.len(), id };
        Some(id)
    }

    /// As [`Self::intern`], for a name that stands alone.
    pub(super) fn find(&mut self, name: &[u8]) -> Option<ChannelId> {
        let hash = hash(&self.state, name);
        let known = self.table.find(hash, |id| self.names[*id as usize].as_bytes() == name);
        match known {
            Some(id) => Some(ChannelId(*id)),
            None => self.add(hash, name),
        }
    }

    #[cold]
    fn add(&mut self, hash_of_name: u64, name: &[u8]) -> Option<ChannelId> {
        let name = std::str::from_utf8(name).ok()?;
        let id = u32::try_from(self.names.len()).ok()?;
        self.names.push(name.into());
        let Self { names, table, state, .. } = self;
        table.insert_unique(hash_of_name, id, |id| hash(state, names[*id as usize].as_bytes()));
        Some(ChannelId(id))
    }

    pub(super) fn finish(self) -> Vec<String> {
        self.names
    }
}

#[inline]
fn hash(state: &FixedState, name: &[u8]) -> u64 {
    let mut hasher = state.build_hasher();
    hasher.write(name);
    hasher.finish()
}
