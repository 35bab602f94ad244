//! Shopify: the export of orders, and the tables of its API as connectors store them.
//!
//! Traps: an order of several items has further rows that carry only items; texts guarded by `'`; unpaid, voided and test
//! orders; a refunded amount without a date (dated by the cancellation, else as the order); refunds in tables of their own,
//! by item and by adjustment. Orders are known by the number of the API (`Id`), by their name where that is missing.
//! Source: help.shopify.com/manual/fulfillment/managing-orders/exporting-orders, shopify.dev/docs/api/admin-rest (order).
use super::{
    Shape,
    column::{maybe, need},
    event::Event,
    lookup,
    orders::{self, add_item, begin, flush, goes_on, is_paid, item},
    reading::{Fault, Reading},
    record::{Record, bare, text_of},
};
use serde_json::Value;

/// Customer id → e-mail, telephone.
const CUSTOMER: &str = "shopify customer";
/// Order id → customer id, currency.
const ORDER: &str = "shopify order";
/// Refund id → amount.
const REFUND: &str = "shopify refund";

pub(super) static EXPORT: Shape = Shape {
    name: "shopify-orders",
    title: "Shopify orders",
    hint: "export orders from the Orders page as CSV for spreadsheets, with all columns",
    columns: &[
        need("name", &["Name"]),
        need("created_at", &["Created at"]),
        need("total", &["Total"]),
        need("state", &["Financial Status"]),
        maybe("id", &["Id"]),
        maybe("email", &["Email"]),
        maybe("phone", &["Phone"]),
        maybe("billing_phone", &["Billing Phone"]),
        maybe("shipping_phone", &["Shipping Phone"]),
        maybe("currency", &["Currency"]),
        maybe("refunded", &["Refunded Amount"]),
        maybe("cancelled_at", &["Cancelled at"]),
        maybe("discount", &["Discount Code"]),
        maybe("accepts", &["Accepts Marketing"]),
        maybe("source", &["Source"]),
        maybe("sku", &["Lineitem sku"]),
        maybe("item", &["Lineitem name"]),
        maybe("price", &["Lineitem price"]),
        maybe("quantity", &["Lineitem quantity"]),
    ],
    row: export,
    end: flush,
    ..Shape::PLAIN
};

fn export(reading: &mut Reading<'_>, row: &Record<'_>) -> Result<(), Fault> {
    let name = row.get("name");
    let line =
        item(bare(&row.get("sku")), &row.get("item"), reading.amount(row, "price")?, reading.amount(row, "quantity")?);
    if goes_on(reading, &name) && row.get("total").is_empty() {
        add_item(reading, line);
        return Ok(());
    }
    let at = reading.need_time(row, "created_at")?;
    let (total, currency) = reading.need_money(row, "total")?;
    let id = match &*row.get("id") {
        "" => bare(&name).trim_start_matches('#').to_owned(),
        id => id.to_owned(),
    };
    if !is_paid(&row.get("state")) {
        reading.leave("orders that are not paid");
        return begin(reading, &name, None, Vec::new());
    }
    let store = if row.is("source", "pos") { "store" } else { "" };
    let phones = ["phone", "billing_phone", "shipping_phone"].map(|key| row.get(key));
    let phone = phones.iter().find(|phone| !phone.is_empty()).map_or("", |phone| phone);
    let event = Event::new("purchase", format!("shopify:{id}"), at, row.line)
        .set("order_id", &id)
        .set("email", &row.get("email"))
        .set("phone", phone)
        .set("interaction", store)
        .set("currency", &currency)
        .value(Some(total))
        .json("consent", super::marketing(&row.get("accepts")))
        .property("order_name", name.clone().into_owned())
        .property("discount_code", row.get("discount").into_owned())
        .property("sold_by", row.get("source").into_owned());
    let mut refunds = Vec::new();
    if let Some(amount) = reading.amount(row, "refunded")?.filter(|amount| *amount > 0.0) {
        let when = reading.time(row, "cancelled_at")?.unwrap_or(at);
        refunds.push(orders::refund(format!("shopify:{id}:refunded"), &id, when, amount, &currency, row.line));
    }
    begin(reading, &name, Some(event), refunds)?;
    if !row.get("item").is_empty() {
        add_item(reading, line);
    }
    Ok(())
}

pub(super) static TABLE: Shape = Shape {
    name: "shopify-orders-table",
    title: "Shopify orders of a connector",
    columns: &[
        need("id", &["id"]),
        need("created_at", &["created_at"]),
        need("total", &["total_price_set_shop_amount", "total_price"]),
        need("state", &["financial_status", "display_financial_status"]),
        maybe("currency", &["total_price_set_shop_currency_code", "currency", "currency_code"]),
        maybe("email", &["email", "contact_email"]),
        maybe("phone", &["phone", "billing_address_phone", "billing_address.phone"]),
        maybe("customer", &["customer_id", "customer.id"]),
        maybe("name", &["name"]),
        maybe("test", &["test"]),
        maybe("accepts", &["buyer_accepts_marketing", "customer_accepts_marketing"]),
        maybe("source", &["source_name"]),
        maybe("items", &["line_items"]),
        maybe("refunds", &["refunds"]),
    ],
    utc: true,
    turn: 1,
    row: table,
    ..Shape::PLAIN
};

fn table(reading: &mut Reading<'_>, row: &Record<'_>) -> Result<(), Fault> {
    let at = reading.need_time(row, "created_at")?;
    let (total, currency) = reading.need_money(row, "total")?;
    let id = row.get("id").into_owned();
    if row.is("test", "true") || row.is("test", "1") {
        reading.leave("test orders");
        return Ok(());
    }
    if !is_paid(&row.get("state")) {
        reading.leave("orders that are not paid");
        return Ok(());
    }
    let customer = row.get("customer");
    reading.lookups.put(ORDER, &id, 0, vec![customer.clone().into_owned(), currency.clone()])?;
    let known = reading.lookups.get(CUSTOMER, &customer).to_vec();
    let or_known = |told: &str, at: usize| match told {
        "" => known.get(at).cloned().unwrap_or_default(),
        told => told.to_owned(),
    };
    let store = if row.is("source", "pos") { "store" } else { "" };
    let event = Event::new("purchase", format!("shopify:{id}"), at, row.line)
        .set("order_id", &id)
        .set("user_id", &customer)
        .set("email", &or_known(&row.get("email"), 0))
        .set("phone", &or_known(&row.get("phone"), 1))
        .set("interaction", store)
        .set("currency", &currency)
        .value(Some(total))
        .json("items", row.json("items").map_or(Value::Null, |list| orders::items(&list)))
        .json("consent", super::marketing(&row.get("accepts")))
        .property("order_name", row.get("name").into_owned())
        .property("sold_by", row.get("source").into_owned());
    reading.tell(event)?;
    // The API lists refunds within the order.
    for refund in row.json("refunds").iter().flat_map(|list| list.as_array().into_iter().flatten()) {
        let text = |name: &str| refund.get(name).map(|value| text_of(value).into_owned()).unwrap_or_default();
        let paid = refund.get("transactions").and_then(Value::as_array).into_iter().flatten();
        let paid = paid.filter(|one| one.get("kind").is_none_or(|kind| kind == "refund"));
        let paid = paid.filter(|one| one.get("status").is_none_or(|status| status == "success"));
        let amount: f64 = paid.filter_map(|one| text_of(one.get("amount")?).parse::<f64>().ok()).sum();
        let when = reading.times.read(&text("created_at")).unwrap_or(at);
        if amount > 0.0 {
            let refund =
                orders::refund(format!("shopify:refund:{}", text("id")), &id, when, amount, &currency, row.line);
            reading.tell(refund)?;
        }
    }
    Ok(())
}

pub(super) static CUSTOMERS: Shape = Shape {
    name: "shopify-customers-table",
    title: "Shopify customers, for the orders beside them",
    columns: &[
        need("id", &["id"]),
        need("email", &["email"]),
        need("orders", &["orders_count", "number_of_orders"]),
        maybe("phone", &["phone"]),
        maybe("changed_at", &["updated_at", "_fivetran_synced"]),
    ],
    turn: 0,
    utc: true,
    row: |reading, row| lookup::keep(reading, row, CUSTOMER, &["email", "phone"]),
    ..Shape::PLAIN
};

pub(super) static REFUND_LINES: Shape = Shape {
    name: "shopify-refund-lines-table",
    title: "Shopify refunds by item, for the refunds beside them",
    columns: &[
        need("id", &["id"]),
        need("refund", &["refund_id"]),
        need("amount", &["subtotal_set_shop_amount", "subtotal"]),
        maybe("tax", &["total_tax_set_shop_amount", "total_tax"]),
    ],
    never: &["order_id"],
    turn: 0,
    row: |reading, row| refunded(reading, row, "line"),
    ..Shape::PLAIN
};

pub(super) static REFUND_ADJUSTMENTS: Shape = Shape {
    name: "shopify-refund-adjustments-table",
    title: "Shopify adjustments of refunds, for the refunds beside them",
    columns: &[
        need("id", &["id"]),
        need("refund", &["refund_id"]),
        need("amount", &["amount_set_shop_amount", "amount"]),
        need("kind", &["kind", "reason"]),
        maybe("tax", &["tax_amount_set_shop_amount", "tax_amount"]),
    ],
    never: &["gateway", "authorization"],
    turn: 0,
    row: |reading, row| refunded(reading, row, "adjustment"),
    ..Shape::PLAIN
};

/// Adds to what a refund gives back: lines add, adjustments are told as less than nothing.
fn refunded(reading: &mut Reading<'_>, row: &Record<'_>, kind: &str) -> Result<(), Fault> {
    let amount = reading.amount(row, "amount")?.unwrap_or(0.0) + reading.amount(row, "tax")?.unwrap_or(0.0);
    let amount = if kind == "line" { amount } else { -amount };
    reading.lookups.add_amount(REFUND, &row.get("refund"), &format!("{kind} {}", row.get("id")), amount)
}

pub(super) static REFUNDS: Shape = Shape {
    name: "shopify-refunds-table",
    title: "Shopify refunds of a connector",
    columns: &[
        need("id", &["id"]),
        need("created_at", &["created_at"]),
        need("order", &["order_id"]),
        maybe("total", &["total_refunded_set_shop_amount"]),
        maybe("currency", &["total_refunded_set_shop_currency_code"]),
    ],
    marks: &["restock", "return_id", "total_duties_set", "total_refunded_set_shop_amount"],
    utc: true,
    row: |reading, row| {
        let id = row.get("id");
        let at = reading.need_time(row, "created_at")?;
        let amount = match reading.amount(row, "total")? {
            Some(amount) => amount,
            None => reading.lookups.amount(REFUND, &id),
        };
        if amount <= 0.0 {
            reading.leave("refunds that give no money back, or whose items are not in this import");
            return Ok(());
        }
        let order = row.get("order");
        let (customer, currency) = match reading.lookups.get(ORDER, &order) {
            [customer, currency] => (customer.clone(), currency.clone()),
            _ => (String::new(), reading.currency(row, "total")?),
        };
        let refund = orders::refund(format!("shopify:refund:{id}"), &order, at, amount, &currency, row.line);
        reading.tell(refund.set("user_id", &customer))
    },
    ..Shape::PLAIN
};

pub(super) static VISITS: Shape = Shape {
    name: "shopify-visits-table",
    title: "visits that Shopify saw before its orders",
    columns: &[
        need("id", &["id"]),
        need("order", &["order_id"]),
        need("happened_at", &["occurred_at"]),
        need("page_url", &["landing_page"]),
        maybe("referrer", &["referrer_url"]),
        maybe("utm_source", &["utm_parameters_source"]),
        maybe("utm_medium", &["utm_parameters_medium"]),
        maybe("utm_campaign", &["utm_parameters_campaign"]),
        maybe("utm_term", &["utm_parameters_term"]),
        maybe("utm_content", &["utm_parameters_content"]),
    ],
    utc: true,
    row: |reading, row| {
        let at = reading.need_time(row, "happened_at")?;
        let customer = reading.lookups.get(ORDER, &row.get("order")).first().cloned().unwrap_or_default();
        if customer.is_empty() {
            reading.leave("visits of orders whose customer is not in this import");
            return Ok(());
        }
        let mut event = Event::new("page_view", format!("shopify:visit:{}", row.get("id")), at, row.line);
        event.put("user_id", &customer);
        for field in ["page_url", "referrer", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"] {
            event.put(field, &row.get(field));
        }
        reading.tell(event)
    },
    ..Shape::PLAIN
};
