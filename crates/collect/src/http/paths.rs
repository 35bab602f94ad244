//! Paths that no client is known for, as far as they may be kept: a path can name a person or hold a secret.

/// The words that clients' paths are made of: those of [`crate::route`], and of versions that nobody ships any more.
const WORDS: [&str; 42] = [
    "a",
    "alias",
    "analytics",
    "api",
    "b",
    "batch",
    "beacon",
    "capture",
    "collect",
    "com.snowplowanalytics.snowplow",
    "debug",
    "decide",
    "e",
    "engage",
    "event",
    "events",
    "flags",
    "g",
    "group",
    "i",
    "identify",
    "import",
    "j",
    "js",
    "matomo.php",
    "mp",
    "p",
    "page",
    "piwik.php",
    "pixel",
    "s",
    "s2s",
    "screen",
    "send",
    "t",
    "tp1",
    "tp2",
    "track",
    "v0",
    "v1",
    "v2",
    "v3",
];
/// Words that are kept of a path: one more than any client's has.
const MOST: usize = 6;

/// A path in words of clients' paths; `…` stands for all else.
pub(super) fn in_known_words(path: &str) -> String {
    let known = |part| WORDS.into_iter().find(|word| *word == part);
    let (mut out, mut words, mut hidden) = (String::new(), 0, false);
    for part in path.trim_matches('/').split('/') {
        let word = known(part).filter(|_| words < MOST);
        words += usize::from(word.is_some());
        if word.is_some() || !hidden {
            out.push('/');
            out.push_str(word.unwrap_or("…"));
        }
        hidden = word.is_none();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_tells_a_client_stays_and_what_may_tell_a_person_goes() {
        for (path, kept) in [
            ("/analytics/v1/batch/", "/analytics/v1/batch"),
            ("/our-proxy/e/", "/…/e"),
            ("/com.acme/track", "/…/track"),
            ("/api/ada@mail.example/1234/send", "/api/…/send"),
            ("/reset/eyJhbGciOi", "/…"),
            ("/", "/…"),
            ("/a/a/a/a/a/a/a/a", "/a/a/a/a/a/a/…"),
        ] {
            assert_eq!(in_known_words(path), kept, "{path}");
        }
    }

    proptest! {
        #[test]
        fn only_known_words_are_kept(path in "(/(v1|batch|[a-z@0-9é%…]{0,9})){0,9}") {
            let kept = in_known_words(&path);
            prop_assert!(kept.split('/').skip(1).all(|part| part == "…" || WORDS.contains(&part)), "{kept}");
            prop_assert!(kept.matches('/').count() <= 2 * MOST + 1, "{kept}");
            prop_assert_eq!(in_known_words(&kept), kept);
        }
    }
}
