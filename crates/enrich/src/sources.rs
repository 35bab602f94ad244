//! The project's table of known places: search engines, social networks, shops, video sites, AI assistants, and
//! the payment and log-in pages that a visitor only passes through.
//!
//! The table holds every source of Google's list of source categories (the one behind the default channel groups of
//! Google Analytics 4, <https://support.google.com/analytics/answer/9756891>) in Google's category, written as domains
//! and brands, and adds newer networks, country domains and smaller engines. Patterns in `sources/*.tsv`:
//!
//! | pattern | matches |
//! |---|---|
//! | `word` | the bare source name |
//! | `a.b` | the host and everything below it |
//! | `=a.b` | that host only |
//! | `a.*` | any public suffix of ICANN's: `a.de`, `a.co.uk` |
//! | `word\|.com` | `word` and `word.com` |
//! | `a.b/path` | paths below it |
//!
//! `www.`, `m.` and `mobile.` in front of a host never matter; the longest match wins.
use crate::url::icann_prefix;
use hashbrown::HashMap;
use std::sync::LazyLock;

/// What kind of place a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    /// Search engines.
    Search,
    /// Social networks, forums, blogs, messengers.
    Social,
    /// Shops and marketplaces.
    Shopping,
    /// Video sites.
    Video,
    /// AI assistants.
    Ai,
}

impl Category {
    /// Every category.
    pub const ALL: [Self; 5] = [Self::Search, Self::Social, Self::Shopping, Self::Video, Self::Ai];

    /// The word that rules use (`source_category = "ai"`).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::Social => "social",
            Self::Shopping => "shopping",
            Self::Video => "video",
            Self::Ai => "ai",
        }
    }
}

const FILES: [(Category, &str); 5] = [
    (Category::Search, include_str!("sources/search.tsv")),
    (Category::Social, include_str!("sources/social.tsv")),
    (Category::Shopping, include_str!("sources/shopping.tsv")),
    (Category::Video, include_str!("sources/video.tsv")),
    (Category::Ai, include_str!("sources/ai.tsv")),
];

const RETURNING_FILE: &str = include_str!("sources/returning.tsv");

/// What the table knows of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// What kind of place it is.
    pub category: Category,
    /// The name that reports show; none for the host itself.
    pub name: Option<&'static str>,
    /// Whether a visit from there came from a list of search results.
    pub organic: bool,
}

/// A value by name, and whether it holds for hosts below that name.
type Map<V> = HashMap<&'static str, (V, bool), foldhash::fast::FixedState>;

struct Sources<V> {
    words: Map<V>,
    hosts: Map<V>,
    /// By what stands before the public suffix.
    any_suffix: Map<V>,
    /// By host: a path and what lies below it.
    paths: HashMap<&'static str, Vec<(&'static str, V)>, foldhash::fast::FixedState>,
}

static SOURCES: LazyLock<Sources<Place>> = LazyLock::new(|| {
    let mut sources = Sources::default();
    for (category, file) in FILES {
        for line in lines(file) {
            let (name, patterns) = line.split_once('\t').unwrap_or(("host", line));
            let place = Place {
                category,
                name: Some(name).filter(|name| !matches!(*name, "host" | "referral")),
                organic: category == Category::Search && name != "referral",
            };
            patterns.split(", ").for_each(|pattern| sources.add(pattern, place));
        }
    }
    sources
});

static RETURNING: LazyLock<Sources<()>> = LazyLock::new(|| {
    let mut sources = Sources::default();
    for line in lines(RETURNING_FILE) {
        line.split(", ").for_each(|pattern| sources.add(pattern, ()));
    }
    sources
});

fn lines(file: &'static str) -> impl Iterator<Item = &'static str> {
    file.lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}

impl<V> Default for Sources<V> {
    fn default() -> Self {
        Self { words: Map::default(), hosts: Map::default(), any_suffix: Map::default(), paths: HashMap::default() }
    }
}

impl<V: Copy> Sources<V> {
    fn add(&mut self, pattern: &'static str, value: V) {
        let (pattern, below) = match pattern.strip_prefix('=') {
            Some(pattern) => (pattern, false),
            None => (pattern, true),
        };
        if let Some((word, ending)) = pattern.split_once('|') {
            self.words.insert(word, (value, below));
            if ending == ".*" {
                self.any_suffix.insert(word, (value, below));
            } else {
                // The table is built once and lives as long as the program.
                self.hosts.insert(format!("{word}{ending}").leak(), (value, below));
            }
        } else if let Some((host, path)) = pattern.split_once('/') {
            self.paths.entry(host).or_default().push((path, value));
        } else if let Some(prefix) = pattern.strip_suffix(".*") {
            self.any_suffix.insert(prefix, (value, below));
        } else if pattern.contains('.') {
            self.hosts.insert(pattern, (value, below));
        } else {
            self.words.insert(pattern, (value, below));
        }
    }

    fn host(&self, host: &str) -> Option<V> {
        let prefix_len = icann_prefix(host).map(str::len);
        let mut from = 0;
        loop {
            let name = &host[from..];
            let known = self.hosts.get(name).or_else(|| self.any_suffix.get(host.get(from..prefix_len?)?));
            if let Some((value, below)) = known
                && (from == 0 || *below)
            {
                return Some(*value);
            }
            from += name.find('.')? + 1;
            if !host[from..].contains('.') {
                return None;
            }
        }
    }

    /// As [`Self::host`], whatever stands in front.
    fn any_front(&self, host: &str) -> Option<V> {
        let host = host.strip_prefix("www.").unwrap_or(host);
        self.host(host).or_else(|| self.host(host.strip_prefix("m.").or_else(|| host.strip_prefix("mobile."))?))
    }

    fn host_and_path(&self, host: &str, path: &str) -> Option<V> {
        if let (Some(paths), Some(path)) =
            (self.paths.get(host.strip_prefix("www.").unwrap_or(host)), path.strip_prefix('/'))
        {
            let starts =
                |start: &str| path.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            if let Some((_, value)) = paths.iter().find(|(start, _)| starts(start)) {
                return Some(*value);
            }
        }
        self.any_front(host)
    }
}

/// What is known of a host (lower case) and path, as they stand in a referrer.
pub(crate) fn place(host: &str, path: &str) -> Option<Place> {
    SOURCES.host_and_path(host, path)
}

/// Whether it is a payment or log-in page, from which visitors return to the visit that they were in.
pub(crate) fn is_returning(host: &str, path: &str) -> bool {
    RETURNING.host_and_path(host, path).is_some()
}

/// The category of a source as it stands in a tag or report: a name (`google`) or a host (`m.facebook.com`).
/// Case does not matter.
///
/// ```
/// use safar_enrich::{Category, category_of};
/// assert_eq!(category_of("Google"), Some(Category::Search));
/// assert_eq!(category_of("google.co.uk"), Some(Category::Search));
/// assert_eq!(category_of("docs.google.com"), None);
/// assert_eq!(category_of("lm.facebook.com"), Some(Category::Social));
/// assert_eq!(category_of("chatgpt.com"), Some(Category::Ai));
/// assert_eq!(category_of("example.com"), None);
/// ```
#[must_use]
pub fn category_of(source: &str) -> Option<Category> {
    if source.bytes().any(|b| b.is_ascii_uppercase()) {
        return category_of(&source.to_ascii_lowercase());
    }
    let word = SOURCES.words.get(source).map(|(place, _)| *place);
    word.or_else(|| SOURCES.any_front(source)).map(|place| place.category)
}

/// Hash of the whole table: derived columns are stale when it changes.
pub(crate) fn version() -> u64 {
    let files = FILES.iter().map(|(_, text)| *text).chain([RETURNING_FILE]);
    files.fold(0, |hash, text| xxhash_rust::xxh3::xxh3_64_with_seed(text.as_bytes(), hash))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn no_pattern_is_written_twice_and_each_is_found() {
        let mut seen = BTreeMap::new();
        for (category, file) in FILES {
            for line in lines(file) {
                let patterns = line.split_once('\t').map_or(line, |(_, patterns)| patterns);
                for pattern in patterns.split(',').map(str::trim) {
                    assert!(!pattern.is_empty() && pattern == pattern.to_lowercase(), "{pattern:?} in {line}");
                    let key = pattern.trim_start_matches('=').replace('|', "");
                    let before = seen.insert(key, category);
                    assert!(before.is_none(), "{pattern} is written twice: {before:?}, {category:?}");
                }
            }
        }
        assert!(seen.len() > 900);
    }

    #[test]
    fn the_longest_match_wins() {
        let category = |host: &str| place(host, "/").map(|place| place.category);
        assert_eq!(category("m.facebook.com"), Some(Category::Social));
        assert_eq!(category("www.google.co.jp"), Some(Category::Search));
        assert_eq!(category("gemini.google.com"), Some(Category::Ai));
        assert_eq!(category("groups.google.com"), Some(Category::Social));
        assert_eq!(category("drive.google.com"), None);
        assert_eq!(category("google.github.io"), None);
        assert_eq!(category("notfacebook.com"), None);
        assert_eq!(category("accounts.google.com"), None);
        assert!(is_returning("accounts.google.com", "/") && !is_returning("www.google.com", "/"));
        assert!(is_returning("www.facebook.com", "/dialog/oauth") && !is_returning("facebook.com", "/"));
        assert_eq!(place("x.com", "/i/grok/1").map(|p| p.category), Some(Category::Ai));
        assert_eq!(place("x.com", "/i/groks").map(|p| p.category), Some(Category::Social));
        assert_eq!(category_of("checkout.stripe.com"), Some(Category::Shopping));
    }
}
