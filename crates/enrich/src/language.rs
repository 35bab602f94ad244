//! The language of a browser, as a tag of [BCP 47](https://www.rfc-editor.org/rfc/bcp/bcp47.txt).

/// Longer tags are none of a browser's.
const LONGEST: usize = 35;

/// The first language of `Accept-Language`, `navigator.language` or a locale such as `en_US.UTF-8`, spelled as BCP 47 advises:
/// `en-GB`, `zh-Hant-TW`. None for what is no language.
///
/// ```
/// use safar_enrich::language;
/// assert_eq!(language("pl_PL,pl;q=0.9,en;q=0.8").as_deref(), Some("pl-PL"));
/// assert_eq!(language("ZH-hant-tw").as_deref(), Some("zh-Hant-TW"));
/// assert_eq!(language("*"), None);
/// ```
#[must_use]
pub fn language(text: &str) -> Option<String> {
    let first = text.split([',', ';']).next().unwrap_or_default().trim();
    let first = first.split(['.', '@']).next().unwrap_or_default();
    if first.is_empty() || first.len() > LONGEST || first.eq_ignore_ascii_case("posix") {
        return None;
    }
    let mut tag = String::with_capacity(first.len());
    let mut after_single = false;
    for (place, part) in first.split(['-', '_']).enumerate() {
        let letters = part.bytes().all(|byte| byte.is_ascii_alphabetic());
        let fits = part.bytes().all(|byte| byte.is_ascii_alphanumeric()) && (1..=8).contains(&part.len());
        if !fits || place == 0 && !(letters && matches!(part.len(), 2 | 3)) {
            return None;
        }
        if place > 0 {
            tag.push('-');
        }
        let part = part.to_ascii_lowercase();
        match part.len() {
            // What follows a single letter is private or an extension.
            2 if place > 0 && letters && !after_single => tag.push_str(&part.to_ascii_uppercase()),
            4 if place > 0 && letters && !after_single => {
                tag.push_str(&part[..1].to_ascii_uppercase());
                tag.push_str(&part[1..]);
            }
            _ => tag.push_str(&part),
        }
        after_single |= part.len() == 1;
    }
    Some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 5646, appendix A, in other letters.
    #[test]
    fn tags_are_spelled_as_advised() {
        for (text, tag) in [
            ("DE", "de"),
            ("zh-hant", "zh-Hant"),
            ("SR-latn-rs", "sr-Latn-RS"),
            ("es-419", "es-419"),
            ("de-ch-1901", "de-CH-1901"),
            ("en-us-u-islamcal", "en-US-u-islamcal"),
            ("en_GB.UTF-8", "en-GB"),
            ("fa-IR;q=0.8", "fa-IR"),
            ("is", "is"),
        ] {
            assert_eq!(language(text).as_deref(), Some(tag), "{text}");
        }
        for text in ["", "*", "C", "POSIX", "1en", "en--us", "i'm a text", "en-toolongapart", "-"] {
            assert_eq!(language(text), None, "{text}");
        }
    }
}
