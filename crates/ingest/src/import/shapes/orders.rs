//! What the orders of every shop system have in common: a purchase, its items, and what was given back.
//!
//! A purchase carries what does not change any more; states that do (fulfilment, tags) are left out, so that an order that is
//! exported again is the same event. Its worth is the order's total, with taxes and shipping, before refunds.
use super::{
    event::Event,
    reading::{Fault, Reading},
    record::text_of,
};
use safar_model::Micros;
use serde_json::{Value, json};

/// An order whose rows are not all read.
pub(crate) struct Pending {
    key: String,
    /// `None`: the order does not count.
    event: Option<Event>,
    items: Vec<Value>,
    refunds: Vec<Event>,
}

/// States of orders that nobody has paid, in the words of Shopify and WooCommerce.
const UNPAID: [&str; 12] = [
    "pending",
    "unpaid",
    "voided",
    "expired",
    "on-hold",
    "on hold",
    "failed",
    "cancelled",
    "canceled",
    "checkout-draft",
    "draft",
    "trash",
];

/// Whether an order of this state counts as a purchase; so does one without a state.
pub(super) fn is_paid(state: &str) -> bool {
    let state = state.trim().to_lowercase();
    !UNPAID.contains(&state.strip_prefix("wc-").unwrap_or(&state))
}

/// A line of an order.
pub(super) fn item(id: &str, name: &str, price: Option<f64>, quantity: Option<f64>) -> Value {
    json!({"item_id": id, "item_name": name, "price": price, "quantity": quantity})
}

/// Lines of an order as its API lists them.
pub(super) fn items(list: &Value) -> Value {
    let number = |value: Option<&Value>| value.and_then(|value| text_of(value).parse::<f64>().ok());
    let text = |value: &Value, names: [&str; 2]| {
        names.iter().find_map(|name| value.get(*name)).map(|found| text_of(found).into_owned()).unwrap_or_default()
    };
    let Some(list) = list.as_array() else { return Value::Null };
    let lines = list.iter().map(|line| {
        let id = text(line, ["sku", "product_id"]);
        item(&id, &text(line, ["name", "title"]), number(line.get("price")), number(line.get("quantity")))
    });
    Value::Array(lines.collect())
}

/// A refund: of an order, over an amount.
pub(super) fn refund(id: String, order: &str, at: Micros, amount: f64, currency: &str, line: u64) -> Event {
    Event::new("refund", id, at, line).set("order_id", order).value(Some(amount)).set("currency", currency)
}

/// Whether the row goes on with the order before it.
pub(super) fn goes_on(reading: &Reading<'_>, key: &str) -> bool {
    reading.pending.as_ref().is_some_and(|pending| pending.key == key)
}

/// Begins an order; what follows may add to it.
pub(super) fn begin(
    reading: &mut Reading<'_>,
    key: &str,
    event: Option<Event>,
    refunds: Vec<Event>,
) -> Result<(), Fault> {
    flush(reading)?;
    reading.pending = Some(Pending { key: key.to_owned(), event, items: Vec::new(), refunds });
    Ok(())
}

pub(super) fn add_item(reading: &mut Reading<'_>, item: Value) {
    if let Some(pending) = &mut reading.pending {
        pending.items.push(item);
    }
}

/// Tells the order that was read.
pub(super) fn flush(reading: &mut Reading<'_>) -> Result<(), Fault> {
    let Some(pending) = reading.pending.take() else { return Ok(()) };
    if let Some(event) = pending.event {
        let items = if pending.items.is_empty() { Value::Null } else { Value::Array(pending.items) };
        reading.tell(event.json("items", items))?;
    }
    pending.refunds.into_iter().try_for_each(|refund| reading.tell(refund))
}
