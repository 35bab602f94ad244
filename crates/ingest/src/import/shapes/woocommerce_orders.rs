//! WooCommerce: exports of orders with a row for each item, and the orders of its REST API (files, Airbyte, dlt).
//!
//! Traps: the rows of an order repeat its totals with each item; states with `wc-` before them, unpaid ones among them; times
//! with and without `_gmt`; a guest is the customer 0; refunds are told as less than nothing and without a date (dated as the
//! order). Source: woocommerce.github.io/woocommerce-rest-api-docs (orders).
use super::{
    Shape,
    column::{maybe, need},
    event::Event,
    orders::{self, add_item, begin, flush, goes_on, is_paid, item},
    reading::{Fault, Reading},
    record::{Record, text_of},
};
use crate::import::reason;
use serde_json::Value;

pub(super) static ORDERS: Shape = Shape {
    name: "woocommerce-orders",
    title: "WooCommerce orders",
    hint: "export orders with the columns Order Number, Order Date, Order Status, Order Total Amount and Email (Billing)",
    columns: &[
        need("id", &["Order Number", "number", "Order ID", "id"]),
        need("created_at", &["date_created_gmt", "Order Date", "date_created"]),
        need("state", &["status", "Order Status"]),
        need("total", &["Order Total Amount", "Order Total", "total"]),
        maybe("email", &["Email (Billing)", "Billing Email", "billing.email", "Customer Email"]),
        maybe("phone", &["Phone (Billing)", "Billing Phone", "billing.phone"]),
        maybe("customer", &["Customer User ID", "Customer ID", "customer_id"]),
        maybe("currency", &["Order Currency", "currency"]),
        maybe("refunded", &["Order Refund Amount", "Refunded Amount"]),
        maybe("refunds", &["refunds"]),
        maybe("items", &["line_items"]),
        maybe("discount", &["Coupon Code"]),
        maybe("sku", &["SKU"]),
        maybe("item", &["Item Name"]),
        maybe("price", &["Item Cost", "Item Price"]),
        maybe("quantity", &["Quantity", "Quantity (- Refund)"]),
    ],
    marks: &["Email (Billing)", "Order Total Amount", "billing.email", "billing_email", "date_created_gmt"],
    row: order,
    end: flush,
    ..Shape::PLAIN
};

fn order(reading: &mut Reading<'_>, row: &Record<'_>) -> Result<(), Fault> {
    let id = row.get("id").trim_start_matches('#').to_owned();
    if id.is_empty() {
        return Err(Fault::of("id", reason::NO_ORDER_NUMBER));
    }
    let line = item(&row.get("sku"), &row.get("item"), reading.amount(row, "price")?, reading.amount(row, "quantity")?);
    if goes_on(reading, &id) {
        add_item(reading, line);
        return Ok(());
    }
    let at = reading.need_time(row, "created_at")?;
    let (total, currency) = reading.need_money(row, "total")?;
    if !is_paid(&row.get("state")) {
        reading.leave("orders that are not paid");
        return begin(reading, &id, None, Vec::new());
    }
    let event = Event::new("purchase", format!("woocommerce:{id}"), at, row.line)
        .set("order_id", &id)
        .set("user_id", &row.get("customer"))
        .set("email", &row.get("email"))
        .set("phone", &row.get("phone"))
        .set("currency", &currency)
        .value(Some(total))
        .json("items", row.json("items").map_or(Value::Null, |list| orders::items(&list)))
        .property("discount_code", row.get("discount").into_owned());
    let mut refunds = Vec::new();
    if let Some(amount) = reading.amount(row, "refunded")?.map(f64::abs).filter(|amount| *amount > 0.0) {
        refunds.push(orders::refund(format!("woocommerce:{id}:refunded"), &id, at, amount, &currency, row.line));
    }
    for refund in row.json("refunds").iter().flat_map(|list| list.as_array().into_iter().flatten()) {
        let text = |name: &str| refund.get(name).map(|value| text_of(value).into_owned()).unwrap_or_default();
        let amount = text("total").parse::<f64>().map_err(|_| Fault::of("refunds", reason::NO_REFUND_AMOUNT))?.abs();
        let id_of = format!("woocommerce:refund:{}", text("id"));
        refunds.push(orders::refund(id_of, &id, at, amount, &currency, row.line));
    }
    begin(reading, &id, Some(event), refunds)?;
    if !row.get("item").is_empty() {
        add_item(reading, line);
    }
    Ok(())
}
