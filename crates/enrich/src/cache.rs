//! A bounded memory of touches that were seen before.
use crate::enricher::{Enriched, Enricher, Touch};
use foldhash::fast::FixedState;
use memchr::{memchr, memchr3};
use safar_model::Interaction;
use std::hash::{BuildHasher, Hasher};

/// Real traffic repeats a few thousand combinations of host, query, referrer and tags; 8,192 of them are kept.
const SETS: usize = 2048;

/// Places that a touch can have in its set, so that a few that fall on one set do not drive each other out.
const WAYS: usize = 4;

/// Longer touches (in bytes) are not kept, which bounds the memory: about 4 MB in use, 20 MB at worst.
const KEY_LEN_MAX: usize = 1024;

/// An [`Enricher`] for one thread that remembers touches, of bounded size. Gives exactly what the enricher gives.
#[derive(Debug)]
pub struct CachedEnricher<'e> {
    enricher: &'e Enricher,
    sets: Vec<Set>,
    /// All texts of the touch that is looked for, one after the other.
    key: Vec<u8>,
    /// Holds the answer for a touch that is too long to keep.
    last: Option<Enriched>,
}

#[derive(Debug, Default)]
struct Set {
    hashes: [u64; WAYS],
    entries: [Option<Box<Entry>>; WAYS],
    /// The place that is taken next.
    next: u8,
}

#[derive(Debug)]
struct Entry {
    interaction: Interaction,
    /// One more than each text's length; 0 for none.
    lens: [u16; TEXTS],
    /// All texts, one after the other.
    key: Box<[u8]>,
    value: Enriched,
}

const TEXTS: usize = 12;

impl<'e> CachedEnricher<'e> {
    /// How many answers are kept; those that are not are told at the place of this number.
    pub const PLACES: usize = SETS * WAYS;

    /// The enricher behind it.
    #[must_use]
    pub fn enricher(&self) -> &'e Enricher {
        self.enricher
    }

    pub(crate) fn new(enricher: &'e Enricher) -> Self {
        Self { enricher, sets: std::iter::repeat_with(Set::default).take(SETS).collect(), key: Vec::new(), last: None }
    }

    /// As [`Enricher::enrich`].
    pub fn enrich(&mut self, touch: &Touch<'_>) -> &Enriched {
        self.enrich_at(touch).0
    }

    /// As [`Enricher::enrich`], with the place of the answer, at most [`Self::PLACES`], and whether it is new there: for
    /// callers that keep beside it what they make of it.
    pub fn enrich_at(&mut self, touch: &Touch<'_>) -> (&Enriched, usize, bool) {
        let texts = texts(touch, self.enricher.rules().read_page_paths());
        if texts.iter().flatten().map(|text| text.len()).sum::<usize>() > KEY_LEN_MAX {
            return (self.last.insert(self.enricher.enrich(touch)), Self::PLACES, true);
        }
        let key = &mut self.key;
        let mut lens = [0_u16; TEXTS];
        key.clear();
        for (text, len) in texts.iter().zip(&mut lens) {
            if let Some(text) = text {
                *len = text.len() as u16 + 1;
                key.extend_from_slice(text.as_bytes());
            }
        }
        let mut hasher = FixedState::with_seed(0).build_hasher();
        hasher.write(key);
        hasher.write_u8(touch.interaction as u8);
        let hash = hasher.finish();
        let at = hash as usize % SETS;
        let set = &mut self.sets[at];
        let found = (0..WAYS).find(|&way| {
            set.hashes[way] == hash
                && set.entries[way].as_ref().is_some_and(|entry| entry.is_for(touch.interaction, &lens, key))
        });
        let way = found.unwrap_or(usize::from(set.next));
        let entry = &mut set.entries[way];
        if found.is_none() {
            *entry = None;
            set.hashes[way] = hash;
            set.next = (set.next + 1) % WAYS as u8;
        }
        let fresh = || {
            let value = self.enricher.enrich(touch);
            Box::new(Entry { interaction: touch.interaction, lens, key: key.as_slice().into(), value })
        };
        (&entry.get_or_insert_with(fresh).value, at * WAYS + way, found.is_none())
    }
}

impl Entry {
    fn is_for(&self, interaction: Interaction, lens: &[u16; TEXTS], key: &[u8]) -> bool {
        self.interaction == interaction && self.lens == *lens && *self.key == *key
    }
}

/// The texts of a touch, in a fixed order. Destructured, so that a new field cannot be forgotten.
fn texts<'a>(touch: &Touch<'a>, with_path: bool) -> [Option<&'a str>; TEXTS] {
    let Touch {
        page_url,
        referrer,
        utm_source,
        utm_medium,
        utm_campaign,
        utm_term,
        utm_content,
        click_id,
        click_id_type,
        source,
        medium,
        interaction: _,
    } = *touch;
    let (page, query) = page(page_url, with_path);
    [
        page,
        query,
        referrer,
        utm_source,
        utm_medium,
        utm_campaign,
        utm_term,
        utm_content,
        click_id,
        click_id_type,
        source,
        medium,
    ]
}

/// What an answer depends on of the page's address: everything up to the path, and the query. Sites have thousands of pages
/// but few hosts and campaigns, so leaving out the path where no rule reads it is what makes most touches known ones.
fn page(url: Option<&str>, with_path: bool) -> (Option<&str>, Option<&str>) {
    let Some(url) = url.filter(|url| !with_path && memchr(b'\\', url.as_bytes()).is_none()) else { return (url, None) };
    let Some(host) = memchr(b':', url.as_bytes()).filter(|at| url[*at..].starts_with("://")).map(|at| at + 3) else {
        return (Some(url), None);
    };
    let Some(path) = memchr3(b'/', b'?', b'#', &url.as_bytes()[host..]) else { return (Some(url), None) };
    let (head, rest) = url.split_at(host + path);
    let rest = &rest[..memchr(b'#', rest.as_bytes()).unwrap_or(rest.len())];
    (Some(head), memchr(b'?', rest.as_bytes()).map(|at| &rest[at..]))
}
