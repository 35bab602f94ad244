//! Orders and money, by the names that clients share.
use crate::{Collected, json::Object, json::take, json::take_first, json::take_text};
use serde_json::Value;

/// Larger amounts are mistakes, to the import as well.
const LARGEST: f64 = 1e12;

/// An amount, as told: a number, or a text that is nothing but a number.
pub(crate) fn amount(value: &Value) -> Option<Value> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok().filter(|_| !text.contains(['e', 'E', 'n', 'N']))?,
        _ => return None,
    };
    (number.abs() <= LARGEST).then(|| value.clone())
}

/// Moves an order, its worth and its items from an event's own properties to their columns. Of `revenue`, `total` and
/// `value` the first that is an amount counts, as in the import; the others stay.
pub(crate) fn take_order(properties: &mut Object, event: &mut Collected) {
    if let Some(order) = take_first(properties, &["order_id", "orderId", "transaction_id", "order_number"]) {
        event.set_if_none("order_id", order);
    }
    if event.get("value").is_none()
        && let Some(value) = ["revenue", "total", "value"].iter().find_map(|name| take(properties, name, amount))
    {
        event.set("value", value);
    }
    if let Some(currency) = take_text(properties, "currency") {
        event.set_if_none("currency", currency);
    }
    let list = |value: &Value| value.as_array().is_some_and(|list| !list.is_empty()).then(|| value.clone());
    if let Some(items) = take(properties, "products", list).or_else(|| take(properties, "items", list)) {
        event.set_if_none("items", items);
    }
}

/// Moves an e-mail address and a telephone number from what is told about a person to their columns.
pub(crate) fn take_contact(traits: &mut Object, event: &mut Collected) {
    if let Some(email) = take_first(traits, &["email", "$email"]) {
        event.set_if_none("email", email);
    }
    if let Some(phone) = take_first(traits, &["phone", "$phone"]) {
        event.set_if_none("phone", phone);
    }
}
