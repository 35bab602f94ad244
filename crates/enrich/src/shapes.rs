//! E-mail addresses and telephone numbers in texts, by their shape.
//!
//! An **e-mail address** is letters, digits and `._%+-` and the like, an `@`, and a name of at least two parts of which one
//! after the first is all letters. A **telephone number** is a plus sign that follows no letter or digit and 8 to 15 digits
//! (ITU-T E.164), singly parted by blanks, dots, hyphens or parentheses, or ten digits written 555-555-0100, 555.555.0100 or
//! (555) 555-0100. Bare runs of digits are left alone: they are orders, times and articles far more often.
use serde::{Deserialize, Serialize};

/// What is looked for in addresses of pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
}

impl Shape {
    /// What stands in the place of what was found.
    #[must_use]
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Email => "(email)",
            Self::Phone => "(phone)",
        }
    }

    /// The first of its kind in a text, from a place on: where it begins and ends.
    fn find(self, text: &[u8], from: usize) -> Option<(usize, usize)> {
        let mut places = from..text.len();
        match self {
            Self::Email => places.find_map(|at| if text[at] == b'@' { email(text, from, at) } else { None }),
            Self::Phone => places.find_map(|at| Some((at, phone(text, from, at)?))),
        }
    }
}

/// The text with marks in the place of every shape; `None`: it holds none.
pub(crate) fn marked(text: &str, shapes: &[Shape]) -> Option<String> {
    let mut done: Option<String> = None;
    for shape in shapes {
        let before = done.as_deref().unwrap_or(text);
        let (mut out, mut from) = (String::new(), 0);
        // Bounds are ASCII signs or the ends of runs of whole characters.
        while let Some((start, end)) = shape.find(before.as_bytes(), from) {
            out.push_str(&before[from..start]);
            out.push_str(shape.mark());
            from = end;
        }
        if from > 0 {
            out.push_str(&before[from..]);
            done = Some(out);
        }
    }
    done
}

fn in_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80 || b"._%+-'~!#$^*{}|`".contains(&byte)
}

fn in_domain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80 || matches!(byte, b'.' | b'-')
}

/// The e-mail address around the `@` at `at`; nothing before `from` belongs to it.
fn email(text: &[u8], from: usize, at: usize) -> Option<(usize, usize)> {
    let start = at - text[from..at].iter().rev().take_while(|byte| in_local(**byte)).count();
    let run = text[at + 1..].iter().take_while(|byte| in_domain(**byte)).count();
    let domain = &text[at + 1..at + 1 + run];
    let (mut end, mut place) = (0, 0);
    for (number, label) in domain.split(|byte| *byte == b'.').enumerate() {
        let letters = label.iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte >= 0x80).count();
        if number > 0 && label.starts_with(b"xn--") {
            end = place + label.len();
        } else if number > 0 && letters >= 2 {
            end = place + letters;
        }
        place += label.len() + 1;
    }
    (start < at && end > 0 && domain[0] != b'.').then_some((start, at + 1 + end))
}

/// Where the telephone number that begins at `at` ends; nothing before `from` belongs to the text any more.
pub(crate) fn phone(text: &[u8], from: usize, at: usize) -> Option<usize> {
    let before = text[from..at].last();
    if before.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')) {
        return None;
    }
    match text[at] {
        b'+' => international(text, at),
        b'(' => american(text, at + 1, Some(b')')),
        byte if byte.is_ascii_digit() => american(text, at, None),
        _ => None,
    }
}

fn international(text: &[u8], at: usize) -> Option<usize> {
    let first = at + 1 + usize::from(text.get(at + 1) == Some(&b'('));
    if !text.get(first).is_some_and(|byte| matches!(byte, b'1'..=b'9')) {
        return None;
    }
    let (mut digits, mut end, mut place, mut parted) = (0, first, first, 0);
    while let Some(byte) = text.get(place) {
        match byte {
            b'0'..=b'9' => {
                digits += 1;
                parted = 0;
                end = place + 1;
            }
            // `) ` and ` (` are two signs at one place.
            b' ' | b'-' | b'.' | b'(' | b')' if parted < 2 => parted += 1,
            _ => break,
        }
        place += 1;
    }
    (8..=15).contains(&digits).then_some(end)
}

/// `555-555-0100`, `555.555.0100`, `(555) 555-0100`.
fn american(text: &[u8], at: usize, closing: Option<u8>) -> Option<usize> {
    let digits = |from: usize, count: usize| {
        text.get(from..from + count).is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    if !digits(at, 3) {
        return None;
    }
    let mut next = at + 3;
    let sign = match closing {
        Some(closing) => {
            if text.get(next) != Some(&closing) {
                return None;
            }
            next += 1;
            next += usize::from(matches!(text.get(next), Some(b' ' | b'-' | b'.')));
            None
        }
        None => {
            let sign = *text.get(next).filter(|byte| matches!(byte, b'-' | b'.' | b' '))?;
            next += 1;
            Some(sign)
        }
    };
    if !digits(next, 3) {
        return None;
    }
    let second = *text.get(next + 3).filter(|byte| matches!(byte, b'-' | b'.' | b' '))?;
    let end = next + 8;
    let same = sign.is_none_or(|sign| sign == second);
    let alone = !text.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    (same && digits(next + 4, 4) && alone).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_numbers_are_found_and_little_else() {
        let both = [Shape::Email, Shape::Phone];
        for (text, shown) in [
            ("jane.doe+news@shop.example", "(email)"),
            ("to:jane@mail.shop.co.uk.", "to:(email)."),
            ("a@b.com@c.com", "(email)@c.com"),
            ("<jan@münchen.de>", "<(email)>"),
            ("ann@xn--mnchen-3ya.xn--p1ai", "(email)"),
            ("vue@2.6.14", "vue@2.6.14"),
            ("@handle and a@b", "@handle and a@b"),
            ("52.1,21.0,15z@", "52.1,21.0,15z@"),
            ("+48 123 456 789", "(phone)"),
            ("+1 (555) 555-0100", "(phone)"),
            ("+354-555-0100", "(phone)"),
            ("+491701234567,+48123456789", "(phone),(phone)"),
            ("tel:(555) 555-0100", "tel:(phone)"),
            ("555-555-0100", "(phone)"),
            ("555.555.0100", "(phone)"),
            ("red+12345678", "red+12345678"),
            ("+1234567", "+1234567"),
            ("+1234567890123456", "+1234567890123456"),
            ("1767225600000", "1767225600000"),
            ("2026-11-22T10:00:00+0100", "2026-11-22T10:00:00+0100"),
            ("2026-11-22-100", "2026-11-22-100"),
            ("192.168.1.100", "192.168.1.100"),
        ] {
            assert_eq!(marked(text, &both).as_deref().unwrap_or(text), shown, "{text}");
        }
        assert_eq!(marked("a@b.com", &[Shape::Phone]), None);
    }
}
