//! Amounts as people and programs write them → `f64`.
use super::reason;
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
    /// The same of a point, in a column that has both signs.
    AmbiguousPoint,
    /// An amount in its own right, but not as the rest of its column is written.
    Otherwise,
    TooLarge,
}

impl NumberError {
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::NotANumber => reason::NOT_A_NUMBER,
            Self::Ambiguous => reason::COMMA_UNCLEAR,
            Self::AmbiguousPoint => reason::POINT_UNCLEAR,
            Self::Otherwise => reason::OTHER_DECIMAL_SIGN,
            Self::TooLarge => reason::AMOUNT_TOO_LARGE,
        }
    }
}

/// How the amounts of one column are read: one sign parts the decimals of all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Amounts {
    decimal: Option<Decimal>,
    known: Known,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// Somebody says it, or nothing does: then each amount tells it, or is refused.
    Stated,
    /// Some amount of the sample can be read in one way only.
    Shown,
    /// The sample has points only, none of which is sure: programs write so.
    Likely,
    /// The sample shows both signs.
    Both,
}

impl Amounts {
    /// Numbers that a program wrote as such.
    pub(crate) const PROGRAMS: Self = Self::stated(Some(Decimal::Point));

    /// What the command, a mapping or the workspace says.
    pub(crate) const fn stated(decimal: Option<Decimal>) -> Self {
        Self { decimal, known: Known::Stated }
    }

    /// What is stated, or what a sample of the column shows.
    pub(crate) fn of<'a>(stated: Option<Decimal>, sample: impl Iterator<Item = &'a str>) -> Self {
        if stated.is_some() {
            return Self::stated(stated);
        }
        let (mut point, mut comma, mut open_point, mut open_comma) = (false, false, false, false);
        for cell in sample {
            match sign_of(cell) {
                Some((b'.', true)) => point = true,
                Some((_, true)) => comma = true,
                Some((b'.', false)) => open_point = true,
                Some((_, false)) => open_comma = true,
                None => {}
            }
        }
        let (decimal, known) = match (point, comma) {
            (true, true) => (None, Known::Both),
            (true, false) => (Some(Decimal::Point), Known::Shown),
            (false, true) => (Some(Decimal::Comma), Known::Shown),
            (false, false) if open_point && open_comma => (None, Known::Both),
            (false, false) if open_point => (None, Known::Likely),
            (false, false) => (None, Known::Stated),
        };
        Self { decimal, known }
    }

    pub(crate) fn is_comma(self) -> bool {
        self.decimal == Some(Decimal::Comma)
    }

    /// Reads an amount of the column.
    #[inline]
    pub(crate) fn read(self, text: &str) -> Result<f64, NumberError> {
        match self.known {
            Known::Stated => read(text, self.decimal),
            Known::Shown => match read(text, self.decimal) {
                Err(NumberError::NotANumber) if read(text, None).is_ok() => Err(NumberError::Otherwise),
                outcome => outcome,
            },
            Known::Likely if sign_of(text).is_some_and(|(sign, _)| sign == b',') => Err(NumberError::Otherwise),
            Known::Both if sign_of(text) == Some((b'.', false)) => Err(NumberError::AmbiguousPoint),
            Known::Likely | Known::Both => read(text, None),
        }
    }
}

/// The sign that parts the decimals of an amount, and whether it can do nothing else. `None`: there is none, or the text is
/// no amount.
fn sign_of(text: &str) -> Option<(u8, bool)> {
    let body = text.trim_matches(|c: char| !c.is_ascii_digit());
    let grouping = |c: char| c.is_whitespace() || matches!(c, '\'' | '’');
    if !body.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',') || grouping(c)) {
        return None;
    }
    let last = body.rfind(['.', ','])?;
    let sign = body.as_bytes()[last];
    let other = if sign == b'.' { b',' } else { b'.' };
    let (whole, digits) = (&body[..last], body.len() - last - 1);
    if whole.as_bytes().contains(&other) {
        return Some((sign, true));
    }
    if whole.as_bytes().contains(&sign) {
        // It parts groups, so decimals would stand behind the other one.
        let grouped = body.split(char::from(sign)).skip(1).all(|group| group.len() == 3);
        return grouped.then_some((other, true));
    }
    let may_group = digits == 3 && whole.len() <= 3 && !whole.starts_with('0') && !whole.contains(grouping);
    Some((sign, !may_group))
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
    // `1234.567` and `0.567` have no groups: a sign there parts decimals.
    let first_of_groups = (1..=3).contains(&groups[0].len()) && !groups[0].starts_with('0');
    let well_grouped = groups.len() == 1 || (first_of_groups && groups[1..].iter().all(|group| group.len() == 3));
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

    #[test]
    fn a_column_has_one_sign() {
        let of = |sample: &[&str]| Amounts::of(None, sample.iter().copied());
        let comma = of(&["12,50", "7", "-3,0 €"]);
        assert_eq!(comma.read("1.204"), Ok(1204.0));
        assert_eq!(comma.read("1,204"), Ok(1.204));
        for otherwise in ["12.50", "0.125", "1234.567", "1,204.50"] {
            assert_eq!(comma.read(otherwise), Err(NumberError::Otherwise), "{otherwise}");
        }
        let point = of(&["USD 12.50", "1,204"]);
        assert_eq!((point.read("1,204"), point.read("1.204")), (Ok(1204.0), Ok(1.204)));
        assert_eq!(point.read("12,50"), Err(NumberError::Otherwise));
        assert_eq!(point.read("twelve"), Err(NumberError::NotANumber));
        for grouped in [&["1.204.000"][..], &["1.204,5"], &["1 204,500"]] {
            assert!(of(grouped).is_comma(), "{grouped:?}");
        }
        for both in [&["12,50", "12.50"][..], &["1.204", "1,204"]] {
            assert_eq!(of(both).read("1.204"), Err(NumberError::AmbiguousPoint));
            assert_eq!(of(both).read("1,204"), Err(NumberError::Ambiguous));
            assert_eq!((of(both).read("12,5"), of(both).read("12.5")), (Ok(12.5), Ok(12.5)));
        }
        // Points that are not sure are what programs write; nothing else may follow then.
        let likely = of(&["1.204", "12.375"]);
        assert_eq!((likely.read("1.204"), likely.read("12.5")), (Ok(1.204), Ok(12.5)));
        assert_eq!(likely.read("12,50"), Err(NumberError::Otherwise));
        let open = of(&["12", "1,204", "x"]);
        assert_eq!((open.read("12,50"), open.read("1,204")), (Ok(12.5), Err(NumberError::Ambiguous)));
        // What is stated wins over what the column shows.
        let stated = Amounts::of(Some(Decimal::Point), ["12,50"].into_iter());
        assert_eq!(stated.read("1.204"), Ok(1.204));
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
                let _ = Amounts::of(stated, [text.as_str()].into_iter()).read(&text);
            }
        }
    }
}
