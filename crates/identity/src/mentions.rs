//! What in a text may be somebody's address or number, or an identifier: for finding people where no column says who is meant.

/// Parts of a text that look like e-mail addresses: what stands around each `@`.
pub fn addresses(text: &str) -> impl Iterator<Item = &str> {
    let name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '\'');
    let domain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-');
    text.match_indices('@').filter_map(move |(at, _)| {
        let start = text[..at].char_indices().rev().take_while(|(_, c)| name(*c)).last()?.0;
        let length: usize = text[at + 1..].chars().take_while(|c| domain(*c)).map(char::len_utf8).sum();
        let found = text[start..at + 1 + length].trim_end_matches(['.', '-']).trim_start_matches(['.', '\'']);
        (!found.ends_with('@')).then_some(found)
    })
}

/// Parts of a text that may be telephone numbers: runs of digits and what is written between them, and the words of such runs.
pub fn numbers(text: &str) -> impl Iterator<Item = &str> {
    const DIGITS: std::ops::RangeInclusive<usize> = 7..=19;
    let part = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '\u{a0}' | '(' | ')' | '.' | '-' | '/');
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    let runs = text.split_inclusive(move |c: char| !part(c)).enumerate().scan(0, move |at, (_, piece)| {
        // A plus that ended the piece before belongs to this one.
        let start = *at - usize::from(text[..*at].ends_with('+'));
        *at += piece.len();
        Some(text[start..*at].trim_end_matches(move |c: char| !c.is_ascii_digit()).trim_start())
    });
    runs.flat_map(move |run| {
        let words = run.split_whitespace().filter(move |word| word.len() < run.len());
        std::iter::once(run).chain(words)
    })
    .filter(move |found| DIGITS.contains(&digits(found)))
}

/// The words of a row as its format parts them: cells of delimited text, names and texts of JSON, parts of addresses of pages.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    const BETWEEN: &str = "\",;\t\r\n{}[]<>&=?|' ";
    text.split(|c| BETWEEN.contains(c)).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_found_wherever_they_stand() {
        for (text, found) in [
            ("a,Ada.L+x@example.com,2", vec!["Ada.L+x@example.com"]),
            ("mail <ada@x.de>. or \"b@c.d\"", vec!["ada@x.de", "b@c.d"]),
            ("ü@x.de.", vec!["ü@x.de"]),
            ("@ at@ @b", vec![]),
        ] {
            assert_eq!(addresses(text).collect::<Vec<_>>(), found, "{text}");
        }
    }

    #[test]
    fn numbers_are_found_wherever_they_stand() {
        for (text, wanted) in [
            ("1;+354 555 1234;x", "+354 555 1234"),
            (r#"{"phone":"(030) 123-456 7"}"#, "(030) 123-456 7"),
            ("tel:+3545551234", "+3545551234"),
            ("17 +3545551234 18", "+3545551234"),
            ("a 3545551234", "3545551234"),
        ] {
            assert!(numbers(text).any(|found| found == wanted), "{text}: {:?}", numbers(text).collect::<Vec<_>>());
        }
        assert_eq!(numbers("12 34 a 56").count(), 0);
    }

    proptest! {
        #[test]
        fn what_is_planted_is_found(before in "[a-z ,;]{0,9}", after in "[ ,;\"][a-z ,;]{0,9}") {
            let text = format!("{before} ada@x.example{after}{before},+3545551234{after}");
            prop_assert!(addresses(&text).any(|found| found == "ada@x.example"));
            prop_assert!(numbers(&text).any(|found| found == "+3545551234"), "{:?}", numbers(&text).collect::<Vec<_>>());
            prop_assert!(words(&text).any(|found| found == "+3545551234"));
        }

        #[test]
        fn any_text_is_read(text in "\\PC{0,60}") {
            let _ = addresses(&text).count() + numbers(&text).count() + words(&text).count();
        }
    }
}
