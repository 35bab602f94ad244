//! How collected events and rejects name where they come from: `collect/SOURCE/LOG/SEGMENT.PART`.
//!
//! SOURCE is the name of the source, `unknown` for what came for none; LOG the first eight digits of the log's identity; so
//! the request lies in `collect/published/SEGMENT.log` as long as it is kept.

use std::{fs, path::Path};

/// What all of them begin with.
pub(super) const PREFIX: &str = "collect/";
/// The source of what came for none.
const UNKNOWN: &str = "unknown";

/// Digits of a log's identity that tell it from others.
fn short(log: &str) -> &str {
    log.get(..8).unwrap_or(log)
}

/// The first digits of the identity of the log in a folder; none before its first run.
pub(super) fn of_log(folder: &Path) -> String {
    short(&fs::read_to_string(folder.join("lock")).unwrap_or_default()).to_owned()
}

/// The origin of a part.
pub(super) fn of_part(source: &str, log: &str, segment: u64, number: u32) -> String {
    let source = if source.is_empty() { UNKNOWN } else { source };
    format!("{PREFIX}{source}/{}/{segment:06}.{number}", short(log))
}

/// The origin of what is read once more: the same place, for the source that it is known to be of now.
pub(super) fn again(origin: &str, source: &str) -> String {
    let place = origin.strip_prefix(PREFIX).and_then(|rest| rest.split_once('/')).map_or(origin, |(_, place)| place);
    format!("{PREFIX}{source}/{place}")
}

/// Source, log and number of the segment.
pub(super) fn read(origin: &str) -> Option<(&str, &str, u64)> {
    let mut parts = origin.strip_prefix(PREFIX)?.splitn(3, '/');
    let (source, log, place) = (parts.next()?, parts.next()?, parts.next()?);
    let number = place.split_once('.').map_or(place, |(number, _)| number);
    Some((source, log, number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let origin = of_part("web", "0123456789abcdef", 12, 3);
        assert_eq!(origin, "collect/web/01234567/000012.3");
        assert_eq!(read(&origin), Some(("web", "01234567", 12)));
        assert_eq!(again(&of_part("", "0123456789abcdef", 12, 3), "web"), origin);
        assert_eq!(read("events.csv"), None);
        assert_eq!(read("collect/web"), None);
    }
}
