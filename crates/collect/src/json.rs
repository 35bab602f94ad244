//! Taking members out of JSON objects: what is understood is taken, what stays is kept elsewhere.
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

/// Takes a text or number as text. A member of another kind stays, an empty one goes.
pub(crate) fn take_text(object: &mut Object, name: &str) -> Option<String> {
    match object.get_mut(name)? {
        Value::String(text) if text.trim().len() == text.len() && !text.is_empty() => {
            let text = std::mem::take(text);
            object.remove(name);
            Some(text)
        }
        _ => take(object, name, text),
    }
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
            if !says_nothing(&other) {
                object.insert(name.to_owned(), other);
            }
            Object::new()
        }
        None => Object::new(),
    }
}

/// Takes a member that `read` understands.
pub(crate) fn take<T>(object: &mut Object, name: &str, read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
    let value = object.get(name)?;
    let found = read(value);
    if found.is_some() || says_nothing(value) {
        object.remove(name);
    }
    found
}

/// Null and empty text.
pub(crate) fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        _ => false,
    }
}
