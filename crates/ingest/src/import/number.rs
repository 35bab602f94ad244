//! Amounts as people and programs write them → `f64`, and the currency that stands beside them.
use super::{currency, digits, reason};
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
    /// A number, and beside it something else than a currency.
    Beside,
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
            Self::Beside => reason::NO_CURRENCY_BESIDE,
            Self::Ambiguous => reason::COMMA_UNCLEAR,
            Self::AmbiguousPoint => reason::POINT_UNCLEAR,
            Self::Otherwise => reason::OTHER_DECIMAL_SIGN,
            Self::TooLarge => reason::AMOUNT_TOO_LARGE,
        }
    }
}

/// What a text tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Amount<'t> {
    pub value: f64,
    /// The code or sign of a currency beside it; empty where there is none.
    pub mark: &'t str,
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
    pub(crate) fn read(self, text: &str) -> Result<Amount<'_>, NumberError> {
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

/// The whole number that a program's number is. Tables of numbers with gaps hold 7 as 7.0, and an identifier must not change by
/// that.
pub(crate) fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = (1_u64 << 53) as f64;
    (number.fract() == 0.0 && number.abs() < EXACT).then_some(number as i64)
}

/// A text that is a whole number with nothing behind its point, as tables with gaps are written to CSV.
pub(crate) fn whole_text(text: &str) -> &str {
    match text.strip_suffix(".0") {
        Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => digits,
        _ => text,
    }
}

/// Whether a spreadsheet has left only the first digits of a long number: `5.55E+12`. Other numbers became the same text.
pub(crate) fn is_shortened(text: &str) -> bool {
    let Some((digits, power)) = text.split_once("E+").or_else(|| text.split_once("e+")) else { return false };
    let digits = digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','));
    digits && text.starts_with(|first: char| first.is_ascii_digit()) && power.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads an amount and the currency before or behind it; brackets mean minus.
///
/// Without a stated sign, a comma is read only where it can mean one thing: `12,50`, `1,234.56`, `1,234,567`.
pub(crate) fn read(text: &str, stated: Option<Decimal>) -> Result<Amount<'_>, NumberError> {
    let plain = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-'));
    let amount = match text.parse() {
        Ok(value) if plain && (stated != Some(Decimal::Comma) || !text.contains('.')) => Amount { value, mark: "" },
        _ => marked(text, stated).or_else(|error| of_another_script(text, stated).unwrap_or(Err(error)))?,
    };
    if amount.value.abs() > LARGEST { Err(NumberError::TooLarge) } else { Ok(amount) }
}

/// An amount in other digits than ASCII's, if it has any.
fn of_another_script(text: &str, stated: Option<Decimal>) -> Option<Result<Amount<'_>, NumberError>> {
    let latin = digits::latin(text, if stated == Some(Decimal::Comma) { ',' } else { '.' })?;
    Some(marked(&latin, stated).map(|Amount { value, mark }| {
        // A currency has no digits, so it stands in the text as well.
        let mark = text.find(mark).map_or("", |at| &text[at..at + mark.len()]);
        Amount { value, mark }
    }))
}

fn marked(text: &str, stated: Option<Decimal>) -> Result<Amount<'_>, NumberError> {
    let bare = text.trim();
    if matches!(stated, None | Some(Decimal::Point))
        && bare.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'))
        && let Ok(value) = bare.parse::<f64>()
    {
        return if value.is_finite() { Ok(Amount { value, mark: "" }) } else { Err(NumberError::TooLarge) };
    }
    let (bare, mut minus) = match bare.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => (inner.trim(), true),
        None => (bare, false),
    };
    let start = bare.find(|c: char| c.is_ascii_digit()).ok_or(NumberError::NotANumber)?;
    let end = bare.rfind(|c: char| c.is_ascii_digit()).map_or(start, |at| at + 1);
    let (before, after) = (&bare[..start], bare[end..].trim());
    let short = before.trim_end_matches(['.', ',']);
    // The point in `Rs.5` shortens a word, that in `$.5` begins a fraction.
    let body = if is_word(short) { &bare[start..end] } else { &bare[short.len()..end] };
    let after = after.strip_suffix('.').filter(|word| is_word(word)).unwrap_or(after);
    // A minus stands before or behind the currency.
    let mut before = short.trim();
    for sign in ['-', '−', '+'] {
        if let Some(rest) = before.strip_prefix(sign).or_else(|| before.strip_suffix(sign)) {
            (before, minus) = (rest.trim(), minus != (sign != '+'));
            break;
        }
    }
    let value = number_of(body, stated)?;
    let mark = match (before, after) {
        (mark, "") | ("", mark) => mark,
        _ => return Err(NumberError::NotANumber),
    };
    if !mark.is_empty() && currency::named(mark).is_empty() {
        let says = mark.chars().any(|c| !matches!(c, '.' | ',' | '-' | '−' | '+'));
        return Err(if says { NumberError::Beside } else { NumberError::NotANumber });
    }
    Ok(Amount { value: if minus { -value } else { value }, mark })
}

fn is_word(text: &str) -> bool {
    text.ends_with(char::is_alphabetic)
}

/// Digits with signs between them that part thousands and decimals.
fn number_of(body: &str, stated: Option<Decimal>) -> Result<f64, NumberError> {
    if !body.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '\'' | '’') || c.is_whitespace()) {
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
    format!("{}.{fraction}0", groups.concat()).parse().map_err(|_| NumberError::NotANumber)
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

    fn value(text: &str, stated: Option<Decimal>) -> Result<f64, NumberError> {
        read(text, stated).map(|amount| amount.value)
    }

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
    #[case("۱۲۳۴", 1234.0)]
    #[case("۱۲٬۳۴۵٫۵", 12_345.5)]
    #[case("١٢٫٥", 12.5)]
    #[case("۲۵۰٬۰۰۰ ریال", 250_000.0)]
    #[case("−۵ €", -5.0)]
    #[case("12.50 USD", 12.5)]
    #[case("$1,259.80", 1259.8)]
    #[case("-$5.00", -5.0)]
    #[case("(5.00)", -5.0)]
    #[case("0,125", 0.125)]
    #[case("1'234.50", 1234.5)]
    #[case("12.50 kr.", 12.5)]
    #[case("Rs.500", 500.0)]
    #[case("$.50", 0.5)]
    #[case("- 5 €", -5.0)]
    #[case("€ -5", -5.0)]
    #[case("($5.00)", -5.0)]
    fn amounts(#[case] text: &str, #[case] expected: f64) {
        assert_eq!(value(text, None), Ok(expected), "{text}");
    }

    #[rstest::rstest]
    #[case("NaN")]
    #[case("inf")]
    #[case("-inf")]
    #[case("abc")]
    #[case("--")]
    #[case("1.2.3")]
    #[case("1,23,4")]
    #[case("€")]
    #[case("12-5")]
    #[case("")]
    fn no_amounts(#[case] text: &str) {
        assert_eq!(value(text, None), Err(NumberError::NotANumber), "{text}");
    }

    #[test]
    fn what_stands_beside_an_amount() {
        let mark = |text| read(text, None).map(|amount| amount.mark);
        for (text, expected) in [
            ("12 USD", "USD"),
            ("EUR 12.50", "EUR"),
            ("-$5.00", "$"),
            ("1\u{202f}234,56\u{a0}zł", "zł"),
            ("12 kr.", "kr"),
            ("(€5)", "€"),
            ("12", ""),
        ] {
            assert_eq!(mark(text), Ok(expected), "{text}");
        }
        for text in ["12abc", "12 apples", "12 kg", "12%", "x12", "Top 10", "#12", "12 Usd", "12 US D"] {
            assert_eq!(mark(text), Err(NumberError::Beside), "{text}");
        }
        assert_eq!(mark("$12 USD"), Err(NumberError::NotANumber));
    }

    #[test]
    fn the_stated_sign_decides() {
        assert_eq!(value("1,204", None), Err(NumberError::Ambiguous));
        assert_eq!(value("1,204", Some(Decimal::Point)), Ok(1204.0));
        assert_eq!(value("1,204", Some(Decimal::Comma)), Ok(1.204));
        assert_eq!(value("1.204", None), Ok(1.204));
        assert_eq!(value("1.204", Some(Decimal::Comma)), Ok(1204.0));
        assert_eq!(value("1e13", None), Err(NumberError::TooLarge));
        assert_eq!(value("1e999", None), Err(NumberError::TooLarge));
    }

    #[test]
    fn a_column_has_one_sign() {
        let of = |sample: &[&str]| {
            let amounts = Amounts::of(None, sample.iter().copied());
            move |text: &'static str| amounts.read(text).map(|amount| amount.value)
        };
        let comma = of(&["12,50", "7", "-3,0 €"]);
        assert_eq!(comma("1.204"), Ok(1204.0));
        assert_eq!(comma("1,204"), Ok(1.204));
        for otherwise in ["12.50", "0.125", "1234.567", "1,204.50"] {
            assert_eq!(comma(otherwise), Err(NumberError::Otherwise), "{otherwise}");
        }
        let point = of(&["USD 12.50", "1,204"]);
        assert_eq!((point("1,204"), point("1.204")), (Ok(1204.0), Ok(1.204)));
        assert_eq!(point("12,50"), Err(NumberError::Otherwise));
        assert_eq!(point("twelve"), Err(NumberError::NotANumber));
        for grouped in [&["1.204.000"][..], &["1.204,5"], &["1 204,500"]] {
            assert!(Amounts::of(None, grouped.iter().copied()).is_comma(), "{grouped:?}");
        }
        for both in [&["12,50", "12.50"][..], &["1.204", "1,204"]] {
            assert_eq!(of(both)("1.204"), Err(NumberError::AmbiguousPoint));
            assert_eq!(of(both)("1,204"), Err(NumberError::Ambiguous));
            assert_eq!((of(both)("12,5"), of(both)("12.5")), (Ok(12.5), Ok(12.5)));
        }
        // Points that are not sure are what programs write; nothing else may follow then.
        let likely = of(&["1.204", "12.375"]);
        assert_eq!((likely("1.204"), likely("12.5")), (Ok(1.204), Ok(12.5)));
        assert_eq!(likely("12,50"), Err(NumberError::Otherwise));
        let open = of(&["12", "1,204", "x"]);
        assert_eq!((open("12,50"), open("1,204")), (Ok(12.5), Err(NumberError::Ambiguous)));
        // What is stated wins over what the column shows.
        let stated = Amounts::of(Some(Decimal::Point), ["12,50"].into_iter());
        assert_eq!(stated.read("1.204").map(|amount| amount.value), Ok(1.204));
    }

    proptest! {
        #[test]
        fn programs_numbers_come_back(value in -1e12f64..1e12) {
            let text = value.to_string();
            prop_assert_eq!(read(&text, None), Ok(Amount { value, mark: "" }));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,20}") {
            for stated in [None, Some(Decimal::Point), Some(Decimal::Comma)] {
                if let Ok(amount) = read(&text, stated) {
                    prop_assert!(amount.value.abs() <= LARGEST);
                    prop_assert!(amount.mark.is_empty() || !currency::named(amount.mark).is_empty());
                }
                let _ = Amounts::of(stated, [text.as_str()].into_iter()).read(&text);
            }
        }
    }
}
