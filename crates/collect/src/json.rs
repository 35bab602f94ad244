//! Taking members out of JSON objects: what is understood is taken, what stays is kept elsewhere.
use serde::Serialize;
use serde_json::{Map, Value};

/// An object of JSON.
pub(crate) type Object = Map<String, Value>;

/// A text that says something, from a text or a number.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// As [`text`], without a copy where it can be; else the value.
pub(crate) fn into_text(value: Value) -> Result<String, Value> {
    match value {
        Value::String(text) if !text.is_empty() && text.trim().len() == text.len() => Ok(text),
        other => text(&other).ok_or(other),
    }
}

/// Takes a text or number as text. A member of another kind stays, an empty one goes.
pub(crate) fn take_text(object: &mut Object, name: &str) -> Option<String> {
    into_text(object.remove(name)?).map_err(|other| leave(object, name, other)).ok()
}

/// Takes the first of several members that has a text; the others stay.
pub(crate) fn take_first(object: &mut Object, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| take_text(object, name))
}

/// Takes an object; an empty one where there is none. A member of another kind stays.
pub(crate) fn take_object(object: &mut Object, name: &str) -> Object {
    match object.remove(name) {
        Some(Value::Object(found)) => found,
        Some(other) => {
            leave(object, name, other);
            Object::new()
        }
        None => Object::new(),
    }
}

/// Takes a member that `read` understands.
pub(crate) fn take<T>(object: &mut Object, name: &str, read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
    let value = object.remove(name)?;
    let found = read(&value);
    if found.is_none() {
        leave(object, name, value);
    }
    found
}

/// Puts a member back that was not understood, if it says something.
fn leave(object: &mut Object, name: &str, value: Value) {
    if !says_nothing(&value) {
        object.insert(name.to_owned(), value);
    }
}

/// Null and empty text.
pub(crate) fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

/// A value as JSON: maps with text keys always serialise.
pub(crate) fn written(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
