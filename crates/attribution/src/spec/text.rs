//! Spelling of numbers, durations and names.
use safar_model::{DAY_US, Micros};

/// A letter for a unit, and its microseconds.
pub(super) const UNITS: [(char, Micros); 4] = [('d', DAY_US), ('h', DAY_US / 24), ('m', 60_000_000), ('s', 1_000_000)];

pub(super) fn spell_duration(micros: Micros) -> String {
    match UNITS.into_iter().find(|(_, unit)| micros % unit == 0) {
        Some((letter, unit)) => format!("{}{letter}", micros / unit),
        None => format!("{}.{:06}s", micros / 1_000_000, micros % 1_000_000),
    }
}

/// A finite number that is not negative. Weights past 1e100 are refused so that sums of them stay finite.
pub(super) fn weight(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| (0.0..=1e100).contains(number)).map(f64::abs)
}

pub(super) fn normal(name: &str) -> String {
    name.trim().to_ascii_lowercase().replace('-', "_")
}

/// Names separated by `|`; `None` where one is empty.
pub(crate) fn list_of_names(text: &str) -> Option<Vec<String>> {
    let names: Vec<_> = split_unescaped(text, '|').into_iter().map(|name| unescape(name.trim())).collect();
    names.iter().all(|name| !name.is_empty()).then_some(names)
}

/// What [`list_of_names`] reads.
pub(crate) fn spell_names(names: &[String]) -> String {
    let escaped: Vec<_> = names.iter().map(|name| escape(name)).collect();
    escaped.join("|")
}

fn escape(name: &str) -> String {
    name.chars().flat_map(|c| ['\\', c].into_iter().skip(usize::from(!matches!(c, '\\' | ',' | '|')))).collect()
}

fn unescape(text: &str) -> String {
    let mut chars = text.chars();
    std::iter::from_fn(|| chars.next().map(|c| if c == '\\' { chars.next().unwrap_or(c) } else { c })).collect()
}

pub(super) fn split_unescaped(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut start, mut escaped) = (vec![], 0, false);
    for (at, c) in text.char_indices() {
        if !escaped && c == separator {
            parts.push(&text[start..at]);
            start = at + c.len_utf8();
        }
        escaped = !escaped && c == '\\';
    }
    parts.push(&text[start..]);
    parts
}
