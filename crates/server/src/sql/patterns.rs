//! Patterns of Postgres: of times in `to_char`, and of texts in `LIKE`.
use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Value};
use safar_engine::quoted;

/// A pattern of Postgres' `to_char` and `to_timestamp` as the query engine spells it. Longer parts stand before shorter ones.
pub fn of_time(text: &str) -> Result<String, String> {
    const PARTS: [(&str, &str); 24] = [
        ("FMMonth", "%B"),
        ("FMDay", "%A"),
        ("FMMM", "%-m"),
        ("FMDD", "%-d"),
        ("IYYY", "%G"),
        ("YYYY", "%Y"),
        ("HH24", "%H"),
        ("HH12", "%I"),
        ("DDD", "%j"),
        ("Mon", "%b"),
        (".US", "%.f"),
        (".MS", "%.3f"),
        ("YY", "%y"),
        ("MM", "%m"),
        ("DD", "%d"),
        ("Dy", "%a"),
        ("IW", "%V"),
        ("ID", "%u"),
        ("HH", "%I"),
        ("MI", "%M"),
        ("SS", "%S"),
        ("AM", "%p"),
        ("PM", "%p"),
        ("OF", "%:::z"),
    ];
    let (mut out, mut rest, mut quoted) = (String::new(), text, false);
    while let Some(letter) = rest.chars().next() {
        if letter == '"' {
            quoted = !quoted;
            rest = &rest[1..];
        } else if let Some((from, to)) = PARTS.iter().find(|(from, _)| !quoted && rest.starts_with(from)) {
            out.push_str(to);
            rest = &rest[from.len()..];
        } else if letter.is_ascii_alphabetic() && !quoted {
            return Err(format!(
                "the pattern '{text}' holds `{rest}`, which is not known here; use parts such as YYYY, MM, DD, HH24, MI, SS, Mon, FMMonth, Dy, FMDay, IYYY, IW, and put other letters in double quotes"
            ));
        } else {
            out.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    Ok(out)
}

/// A pattern of `LIKE … ESCAPE escape` as one whose escape is the backslash. Whatever is computed is told how to do the same.
pub fn of_like(pattern: Expr, escape: char, parse: impl FnOnce(&str) -> Option<Expr>) -> Option<Expr> {
    match literal(&pattern) {
        Some(text) => parse(&quoted(&escaped_by_backslash(&text, escape))),
        None => {
            let (escape, twice) = (quoted(&escape.to_string()), quoted(&format!("{escape}{escape}")));
            parse(&format!(
                "replace(replace(replace(replace({pattern}, '\\', '\\\\'), {twice}, chr(1)), {escape}, '\\'), chr(1), {escape})"
            ))
        }
    }
}

fn escaped_by_backslash(text: &str, escape: char) -> String {
    let (mut out, mut letters) = (String::new(), text.chars());
    while let Some(letter) = letters.next() {
        if letter == escape {
            match letters.next() {
                Some(wild @ ('%' | '_' | '\\')) => out.extend(['\\', wild]),
                Some(plain) => out.push(plain),
                None => {}
            }
        } else if letter == '\\' {
            out.push_str("\\\\");
        } else {
            out.push(letter);
        }
    }
    out
}

/// The text that an expression of texts alone makes.
fn literal(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Nested(inner) => literal(inner),
        Expr::BinaryOp { left, op: BinaryOperator::StringConcat, right } => Some(literal(left)? + &literal(right)?),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_time_are_translated_or_refused() {
        assert_eq!(of_time("FMMonth \"of\" YYYY").as_deref(), Ok("%B of %Y"));
        assert_eq!(of_time("IYYY-IW").as_deref(), Ok("%G-%V"));
        assert!(of_time("Q").is_err() && of_time("Month").is_err(), "a quarter and a padded month cannot be said");
    }

    #[test]
    fn escapes_become_backslashes() {
        for (pattern, wanted) in
            [("pg/_%", "pg\\_%"), ("a//b", "a/b"), ("a\\b", "a\\\\b"), ("/\\", "\\\\"), ("///_", "/\\_")]
        {
            assert_eq!(escaped_by_backslash(pattern, '/'), wanted);
        }
    }
}
