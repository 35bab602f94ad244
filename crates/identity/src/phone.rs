//! Telephone numbers to E.164 (ITU-T Recommendation E.164: a calling code and the national number, 15 digits at most).
//!
//! National numbers lose the trunk prefix that is dialled only inside the country: 0 nearly everywhere, 06 in Hungary,
//! 8 in the +7 plan, none in Italy, where the 0 is part of the number (ITU national numbering plans).
use crate::Invalid;

const DIGITS_MIN: usize = 7;
const DIGITS_MAX: usize = 15;

/// `+` and the digits, on the stack.
pub(crate) struct Number {
    bytes: [u8; DIGITS_MAX + 1],
    len: usize,
}

impl Number {
    pub(crate) fn as_str(&self) -> &str {
        // Only ASCII is ever written to `bytes`.
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }

    fn push(&mut self, digit: u8) -> Result<(), Invalid> {
        *self.bytes.get_mut(self.len).ok_or(Invalid::Phone)? = digit;
        self.len += 1;
        Ok(())
    }
}

/// The number in E.164; `country` is the calling code of numbers written without one.
pub(crate) fn e164(text: &str, country: Option<&str>) -> Result<Number, Invalid> {
    // Room for 00 or a trunk prefix before the 15 digits.
    let mut digits = [0_u8; DIGITS_MAX + 4];
    let mut len = 0;
    let mut plus = false;
    let text = text.strip_prefix("tel:").unwrap_or(text);
    let mut rest = text.char_indices();
    while let Some((at, letter)) = rest.next() {
        match letter {
            '+' | '＋' if len == 0 && !plus => plus = true,
            // "(0)" after the calling code is the trunk prefix, shown but not dialled.
            '(' if (plus || digits.starts_with(b"00")) && text[at..].starts_with("(0)") => {
                rest.nth(1);
            }
            ' ' | '\u{a0}' | '(' | ')' | '.' | '-' | '/' | '\u{2010}'..='\u{2015}' | '\u{200e}' | '\u{200f}' => {}
            'x' | 'X' | '#' | ';' | ',' if len > 0 => break, // an extension is no part of the number
            'e' | 'E' if len > 0 && text[at..].to_ascii_lowercase().starts_with("ext") => break,
            _ => {
                *digits.get_mut(len).ok_or(Invalid::Phone)? = digit(letter).ok_or(Invalid::Phone)?;
                len += 1;
            }
        }
    }
    let digits = &digits[..len];
    let (code, national) = match (plus, digits.strip_prefix(b"00")) {
        (true, _) => ("", digits),
        (false, Some(international)) => ("", international),
        (false, None) => {
            let code = country.ok_or(Invalid::PhoneCountry)?;
            (code, strip_trunk(code, digits))
        }
    };
    let mut number = Number { bytes: [0; DIGITS_MAX + 1], len: 0 };
    number.push(b'+')?;
    for &digit in code.as_bytes().iter().chain(national) {
        number.push(digit)?;
    }
    // No calling code starts with 0.
    if number.len <= DIGITS_MIN || number.bytes[1] == b'0' { Err(Invalid::Phone) } else { Ok(number) }
}

fn strip_trunk<'a>(code: &str, digits: &'a [u8]) -> &'a [u8] {
    let stripped = match (code, digits.len()) {
        ("39", _) => None,
        // National numbers have ten digits in these two plans, so an eleventh in front is the prefix.
        ("1", 11) => digits.strip_prefix(b"1"),
        ("7", 11) => digits.strip_prefix(b"8").or_else(|| digits.strip_prefix(b"7")),
        ("36", _) => digits.strip_prefix(b"06"),
        _ => digits.strip_prefix(b"0"),
    };
    stripped.unwrap_or(digits)
}

/// Digits as people type them in English, Arabic and Persian.
fn digit(letter: char) -> Option<u8> {
    let value = match letter {
        '0'..='9' => u32::from(letter) - u32::from('0'),
        '٠'..='٩' => u32::from(letter) - u32::from('٠'),
        '۰'..='۹' => u32::from(letter) - u32::from('۰'),
        _ => return None,
    };
    u8::try_from(value).ok().map(|value| b'0' + value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    // Numbers reserved for fiction: Ofcom 020 7946 0xxx, NANP 555-01xx.
    #[rstest]
    #[case("+44 20 7946 0958", None, "+442079460958")]
    #[case("+44 (0)20 7946 0958", None, "+442079460958")]
    #[case("0044 20 7946 0958", None, "+442079460958")]
    #[case("020 7946 0958", Some("44"), "+442079460958")]
    #[case("(415) 555-0132", Some("1"), "+14155550132")]
    #[case("1-415-555-0132", Some("1"), "+14155550132")]
    #[case("415.555.0132 x12", Some("1"), "+14155550132")]
    #[case("415 555 0132 ext. 12", Some("1"), "+14155550132")]
    #[case("8 (912) 345-67-89", Some("7"), "+79123456789")]
    #[case("06 698 12345", Some("39"), "+3906 69812345")]
    #[case("06 1 234 5678", Some("36"), "+3612345678")]
    #[case("۰۹۱۲ ۳۴۵ ۶۷۸۹", Some("98"), "+989123456789")]
    #[case("tel:+14155550132", None, "+14155550132")]
    fn written_in_many_ways(#[case] raw: &str, #[case] country: Option<&str>, #[case] want: &str) {
        assert_eq!(e164(raw, country).map(|number| number.as_str().to_owned()), Ok(want.replace(' ', "")));
    }

    #[rstest]
    #[case("4155550132", None, Invalid::PhoneCountry)]
    #[case("call me", Some("1"), Invalid::Phone)]
    #[case("+12", None, Invalid::Phone)]
    #[case("+1234567890123456", None, Invalid::Phone)]
    #[case("12345678901234567890123456789", Some("1"), Invalid::Phone)]
    #[case("+0123456789", None, Invalid::Phone)]
    fn what_is_no_number(#[case] raw: &str, #[case] country: Option<&str>, #[case] want: Invalid) {
        assert_eq!(e164(raw, country).map(|number| number.as_str().to_owned()), Err(want));
    }
}
