//! Receipts of a till: purchases in a store, and what was brought back.
//!
//! Traps: a receipt of several items repeats its total with each (or leaves it out after the first row), amounts below nothing
//! are returns, a receipt without a customer is nobody's (it is stored and joins no journey), numbers that begin anew in every
//! store (the store is part of the number). Source: the common columns of exports of Square, Lightspeed and Shopify POS.
use super::{
    Shape,
    column::{maybe, need},
    event::Event,
    orders::{self, add_item, begin, flush, goes_on, item},
};
use crate::import::reason;

pub(super) static RECEIPTS: Shape = Shape {
    name: "store-receipts",
    title: "receipts of a store",
    hint: "export receipts with number, time, store and total",
    columns: &[
        need("id", &["Receipt ID", "Receipt number", "Receipt no", "Receipt"]),
        need("sold_at", &["Time of sale", "Sold at", "Receipt time", "Date and time", "Date"]),
        maybe("clock", &["Time", "Time of day"]),
        need("total", &["Receipt total", "Total", "Total collected", "Amount"]),
        need("store", &["Store", "Store ID", "Location", "Shop"]),
        maybe("currency", &["Currency"]),
        maybe("email", &["Email", "Customer email", "E-mail"]),
        maybe("phone", &["Phone", "Customer phone", "Mobile"]),
        maybe("customer", &["Customer ID", "Loyalty card", "Loyalty number", "Card number"]),
        maybe("original", &["Original receipt", "Returned receipt", "Refund of"]),
        maybe("sku", &["SKU", "Item SKU"]),
        maybe("item", &["Item", "Item name", "Product"]),
        maybe("price", &["Price", "Item price"]),
        maybe("quantity", &["Quantity", "Qty"]),
    ],
    never: &["page_url", "event", "event_name"],
    row: |reading, row| {
        let (id, store) = (row.get("id"), row.get("store"));
        if id.is_empty() {
            return Err(super::reading::Fault::of("id", reason::NO_RECEIPT_NUMBER));
        }
        let key = format!("{store}/{id}");
        let line =
            item(&row.get("sku"), &row.get("item"), reading.amount(row, "price")?, reading.amount(row, "quantity")?);
        if goes_on(reading, &key) {
            add_item(reading, line);
            return Ok(());
        }
        let at = reading.need_time_of_day(row, "sold_at", "clock")?;
        let (total, currency) = reading.need_money(row, "total")?;
        let returned = total < 0.0;
        let of = match &*row.get("original") {
            "" => key.clone(),
            original => format!("{store}/{original}"),
        };
        let event = if returned {
            orders::refund(format!("receipt:{key}"), &of, at, -total, &currency, row.line)
        } else {
            Event::new("purchase", format!("receipt:{key}"), at, row.line)
                .set("order_id", &key)
                .set("interaction", "store")
                .set("currency", &currency)
                .value(Some(total))
        };
        let event = event
            .set("email", &row.get("email"))
            .set("phone", &row.get("phone"))
            .set("user_id", &row.get("customer"))
            .property("store", store.clone().into_owned());
        begin(reading, &key, Some(event), Vec::new())?;
        if !row.get("item").is_empty() {
            add_item(reading, line);
        }
        Ok(())
    },
    end: flush,
    ..Shape::PLAIN
};
