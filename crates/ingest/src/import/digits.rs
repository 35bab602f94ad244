//! Digits of other scripts, as Persian and Arabic writers have them.

/// The same text with ASCII digits, an apostrophe between groups and `decimal` before the fraction; `None`: it has no such digits.
pub(crate) fn latin(text: &str, decimal: char) -> Option<String> {
    let digit = |c: char| match c {
        '٠'..='٩' => Some(c as u32 - '٠' as u32),
        '۰'..='۹' => Some(c as u32 - '۰' as u32),
        _ => None,
    };
    if text.is_ascii() || !text.contains(|c| digit(c).is_some()) {
        return None;
    }
    let ascii = |c: char| match c {
        '٫' => decimal,
        '٬' => '\'',
        other => digit(other).and_then(|value| char::from_digit(value, 10)).unwrap_or(other),
    };
    Some(text.chars().map(ascii).collect())
}
