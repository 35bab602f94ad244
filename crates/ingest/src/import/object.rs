//! Objects of JSON, written member by member.

pub(super) fn is_json(text: &str) -> bool {
    text.starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// Writes an object of texts; nothing where there is no member.
pub(super) fn write<N: AsRef<str>, T: AsRef<str>>(out: &mut String, members: impl IntoIterator<Item = (N, T)>) {
    out.clear();
    for (name, text) in members {
        if out.is_empty() {
            out.push('{');
        }
        member(out, name.as_ref());
        quote(out, text.as_ref());
    }
    if !out.is_empty() {
        out.push('}');
    }
}

/// The name of the next member of a JSON object, and what parts it from the one before.
pub(super) fn member(out: &mut String, name: &str) {
    if out.len() > 1 {
        out.push(',');
    }
    quote(out, name);
    out.push(':');
}

/// A JSON string.
pub(crate) fn quote(out: &mut String, text: &str) {
    if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::Value::from(text).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_json() {
        let mut out = String::from("{");
        member(&mut out, "a");
        out.push('{');
        out.push('}');
        member(&mut out, "b\"");
        quote(&mut out, "x\ny");
        out.push('}');
        assert_eq!(out, "{\"a\":{},\"b\\\"\":\"x\\ny\"}");
    }
}
