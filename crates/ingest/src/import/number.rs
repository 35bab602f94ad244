//! Amounts as people and programs write them → `f64`.
use serde::{Deserialize, Serialize};

/// Which sign parts the whole from the fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decimal {
    /// `1,234.56`
    Point,
    /// `1.234,56`
    Comma,
}

/// Larger amounts are taken for mistakes.
pub const LARGEST: f64 = 1e12;

/// Why a text is no amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberError {
    NotANumber,
    Ambiguous,
    TooLarge,
}

impl NumberError {
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::NotANumber => "not a number",
            Self::Ambiguous => "the comma may part thousands or decimals: state `decimal`",
            Self::TooLarge => "the amount is beyond ±10¹²",
        }
    }
}

/// Reads an amount; currency signs and codes around it are left out, brackets mean minus.
///
/// Without a stated sign, a comma is read only where it can mean one thing: `12,50`, `1,234.56`, `1,234,567`.
pub(crate) fn read(text: &str, stated: Option<Decimal>) -> Result<f64, NumberError> {
    let plain = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-'));
    let value = if plain && (stated != Some(Decimal::Comma) || !text.contains('.')) {
        match text.parse() {
            Ok(value) => value,
            Err(_) => grouped(text, stated)?,
        }
    } else {
        grouped(text, stated)?
    };
    if value.abs() > LARGEST { Err(NumberError::TooLarge) } else { Ok(value) }
}

fn grouped(text: &str, stated: Option<Decimal>) -> Result<f64, NumberError> {
    let bare = text.trim();
    if matches!(stated, None | Some(Decimal::Point))
        && bare.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'))
        && let Ok(value) = bare.parse::<f64>()
    {
        return if value.is_finite() { Ok(value) } else { Err(NumberError::TooLarge) };
    }
    let (bare, negative) = match bare.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => (inner, true),
        None => (bare, false),
    };
    // At most one currency, before or after: a sign, or a code of up to three letters.
    let is_mark = |c: char| !c.is_ascii_digit() && !matches!(c, '.' | ',' | '-' | '+' | '−') || c.is_whitespace();
    let start = bare.find(|c| !is_mark(c)).ok_or(NumberError::NotANumber)?;
    let end = bare.rfind(|c: char| c.is_ascii_digit()).map(|at| at + 1).ok_or(NumberError::NotANumber)?;
    let (before, after) = (&bare[..start.min(end)], &bare[end..]);
    let mark = |part: &str| part.chars().filter(|c| !c.is_whitespace()).count();
    if mark(before) > 3 || mark(after) > 3 || (mark(before) > 0 && mark(after) > 0) || after.contains(['.', ',', '-']) {
        return Err(NumberError::NotANumber);
    }
    let mut body = &bare[start.min(end)..end];
    let mut minus = negative;
    if let Some(rest) = body.strip_prefix(['-', '−']) {
        (body, minus) = (rest, !minus);
    } else if let Some(rest) = body.strip_prefix('+') {
        body = rest;
    }
    let body = body.trim_start_matches(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ','));
    if body.is_empty()
        || !body.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '\'' | '’') || c.is_whitespace())
    {
        return Err(NumberError::NotANumber);
    }
    let decimal = match stated {
        Some(Decimal::Point) => Some('.'),
        Some(Decimal::Comma) => Some(','),
        None => guess(body)?,
    };
    let (whole, fraction) = match decimal.and_then(|sign| body.rsplit_once(sign)) {
        Some((whole, fraction)) => (whole, fraction),
        None => (body, ""),
    };
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NumberError::NotANumber);
    }
    let groups: Vec<&str> = whole.split(|c: char| !c.is_ascii_digit()).collect();
    let well_grouped = groups.len() == 1 || (!groups[0].is_empty() && groups[1..].iter().all(|group| group.len() == 3));
    if !well_grouped || decimal.is_some_and(|sign| whole.contains(sign)) {
        return Err(NumberError::NotANumber);
    }
    let value: f64 = format!("{}.{fraction}0", groups.concat()).parse().map_err(|_| NumberError::NotANumber)?;
    Ok(if minus { -value } else { value })
}

/// The decimal sign of an amount whose writer is unknown; `None`: it has no fraction.
fn guess(body: &str) -> Result<Option<char>, NumberError> {
    let (points, commas) = (body.matches('.').count(), body.matches(',').count());
    let last = body.rfind(['.', ',']).map(|at| (body.as_bytes()[at] as char, body.len() - at - 1, &body[..at]));
    Ok(match (points, commas, last) {
        (0, 0, _) | (_, _, None) => None,
        (1.., 1.., Some((sign, ..))) => Some(sign),
        (0, 2.., _) | (2.., 0, _) => None, // repeated: it parts thousands
        (1, 0, _) => Some('.'),
        (0, 1, Some((_, digits, whole))) => {
            let spaced = whole.contains(|c: char| !c.is_ascii_digit());
            if digits != 3 || whole.len() > 3 || whole == "0" || whole.is_empty() || spaced {
                Some(',')
            } else {
                return Err(NumberError::Ambiguous);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[rstest::rstest]
    #[case("12", 12.0)]
    #[case("-3.5", -3.5)]
    #[case(".5", 0.5)]
    #[case("1e3", 1000.0)]
    #[case("12,50", 12.5)]
    #[case("1,234.56", 1234.56)]
    #[case("1.234,56", 1234.56)]
    #[case("1,234,567", 1_234_567.0)]
    #[case("1.234.567", 1_234_567.0)]
    #[case("1 234,56", 1234.56)]
    #[case("1\u{202f}234,56 €", 1234.56)]
    #[case("€12.50", 12.5)]
    #[case("EUR 12.50", 12.5)]
    #[case("12.50 USD", 12.5)]
    #[case("$1,259.80", 1259.8)]
    #[case("-$5.00", -5.0)]
    #[case("(5.00)", -5.0)]
    #[case("0,125", 0.125)]
    #[case("1'234.50", 1234.5)]
    fn amounts(#[case] text: &str, #[case] expected: f64) {
        assert_eq!(read(text, None), Ok(expected), "{text}");
    }

    #[rstest::rstest]
    #[case("NaN")]
    #[case("inf")]
    #[case("-inf")]
    #[case("abc")]
    #[case("--")]
    #[case("1.2.3")]
    #[case("12 apples")]
    #[case("1,23,4")]
    #[case("€")]
    #[case("12-5")]
    #[case("")]
    fn no_amounts(#[case] text: &str) {
        assert_eq!(read(text, None), Err(NumberError::NotANumber), "{text}");
    }

    #[test]
    fn the_stated_sign_decides() {
        assert_eq!(read("1,204", None), Err(NumberError::Ambiguous));
        assert_eq!(read("1,204", Some(Decimal::Point)), Ok(1204.0));
        assert_eq!(read("1,204", Some(Decimal::Comma)), Ok(1.204));
        assert_eq!(read("1.204", None), Ok(1.204));
        assert_eq!(read("1.204", Some(Decimal::Comma)), Ok(1204.0));
        assert_eq!(read("1e13", None), Err(NumberError::TooLarge));
        assert_eq!(read("1e999", None), Err(NumberError::TooLarge));
    }

    proptest! {
        #[test]
        fn programs_numbers_come_back(value in -1e12f64..1e12) {
            prop_assert_eq!(read(&value.to_string(), None), Ok(value));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,20}") {
            for stated in [None, Some(Decimal::Point), Some(Decimal::Comma)] {
                if let Ok(value) = read(&text, stated) {
                    prop_assert!(value.abs() <= LARGEST);
                }
            }
        }
    }
}
