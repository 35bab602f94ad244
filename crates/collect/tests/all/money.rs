//! Orders by the names of each client.
use crate::sent::{Sent, told};
use serde_json::{Value, json};

/// Name, order, value, currency, number of items.
fn order(sent: &Sent) -> [String; 5] {
    let event = sent.event();
    let items = event.get("items").and_then(Value::as_array).map_or(0, Vec::len);
    let [name, order, value, currency] = ["name", "order_id", "value", "currency"].map(|column| told(&event, column));
    [name, order, value, currency, items.to_string()]
}

#[test]
fn orders_and_refunds_of_every_client() {
    let track = |event: &str, properties: Value| {
        Sent::json("/v1/track", &json!({"type": "track", "event": event, "properties": properties}))
    };
    let sold = track(
        "Order Completed",
        json!({"order_id": "o", "total": 12.5, "revenue": 10, "currency": "EUR", "products": [{}]}),
    );
    assert_eq!(order(&sold), ["Order Completed", "o", "10", "EUR", "1"]);
    assert_eq!(told(&sold.event(), "total"), "12.5", "the others stay");
    let back = track("Order Refunded", json!({"order_id": 7, "total": "3.50", "currency": "EUR"}));
    assert_eq!(order(&back), ["Order Refunded", "7", "3.50", "EUR", "0"]);

    let google = |name: &str| {
        let params = json!({"transaction_id": "o", "value": 12.5, "currency": "EUR", "items": [{"item_id": "a"}]});
        Sent::json("/mp/collect", &json!({"client_id": "c", "events": [{"name": name, "params": params}]}))
    };
    assert_eq!(order(&google("purchase")), ["purchase", "o", "12.5", "EUR", "1"]);
    assert_eq!(order(&google("refund")), ["refund", "o", "12.5", "EUR", "1"]);
    let tag = Sent::get(
        "/g/collect?en=purchase&ep.transaction_id=o&epn.value=12.50&cu=EUR&pr1=idA~nmT%25C3%25ABst+1~~2~pr1~qt2~k0size~v0XL",
    );
    assert_eq!(order(&tag), ["purchase", "o", "12.50", "EUR", "1"]);
    assert_eq!(
        told(&tag.event(), "items"),
        r#"[{"item_id":"A","item_name":"Tëst 1~2","price":1,"quantity":2,"size":"XL"}]"#
    );

    let matomo = Sent::get(
        "/matomo.php?idsite=1&idgoal=0&ec_id=o&revenue=12.5&ec_items=[[%22A%22,%22Shoe%22,%22Shoes%22,6.25,2]]",
    );
    assert_eq!(order(&matomo), ["purchase", "o", "12.5", "-", "1"]);
    assert_eq!(order(&Sent::get("/matomo.php?idsite=1&idgoal=3&revenue=5")), ["goal_3", "-", "5", "-", "0"]);
    assert_eq!(order(&Sent::get("/matomo.php?idsite=1&idgoal=0&revenue=5")), ["cart_update", "-", "5", "-", "0"]);

    assert_eq!(order(&Sent::get("/i?e=tr&tr_id=o&tr_tt=12.5&tr_cu=EUR")), ["purchase", "o", "12.5", "EUR", "0"]);
    let plausible =
        json!({"n": "Purchase", "d": "a.example", "$": {"amount": "12.5", "currency": "EUR"}, "p": {"order_id": "o"}});
    assert_eq!(order(&Sent::json("/api/event", &plausible)), ["Purchase", "o", "12.5", "EUR", "0"]);
    let umami = json!({"type": "event", "payload": {"website": "w", "name": "purchase", "data": {"revenue": 12.5, "currency": "EUR"}}});
    assert_eq!(order(&Sent::json("/api/send", &umami)), ["purchase", "-", "12.5", "EUR", "0"]);
}

#[test]
fn snowplow_takes_orders_from_entities() {
    let entity = |name: &str, data: Value| json!({"schema": format!("iglu:com.snowplowanalytics.snowplow.ecommerce/{name}/jsonschema/1-0-0"), "data": data});
    let sent = |kind: &str, entities: Value| {
        let action = entity("snowplow_ecommerce_action", json!({ "type": kind }));
        let payload = json!({
            "e": "ue",
            "ue_pr": json!({"schema": "s", "data": action}).to_string(),
            "co": json!({"schema": "s", "data": entities}).to_string(),
        });
        Sent::json("/com.snowplowanalytics.snowplow/tp2", &json!({ "data": [payload] }))
    };
    let transaction = entity("transaction", json!({"transaction_id": "o", "revenue": 12.5, "currency": "EUR"}));
    let product = entity("product", json!({"id": "A", "price": 6.25}));
    assert_eq!(
        order(&sent("transaction", json!([transaction, product, product]))),
        ["purchase", "o", "12.5", "EUR", "2"]
    );
    let refund = entity("refund", json!({"transaction_id": "o", "refund_amount": 5, "currency": "EUR"}));
    assert_eq!(order(&sent("refund", json!([refund]))), ["refund", "o", "5", "EUR", "0"]);
    assert_eq!(order(&sent("product_view", json!([product]))), ["product_view", "-", "-", "-", "1"]);
}

#[test]
fn what_only_looks_like_an_amount_does_not_cost_the_event() {
    for wrong in [json!("free"), json!(true), json!(1e300), json!("1,5"), json!("1e3"), json!("NaN")] {
        let event = Sent::json(
            "/v1/t",
            &json!({"type": "track", "event": "e", "properties": {"revenue": wrong, "Total": "x"}}),
        )
        .event();
        assert_eq!((event.get("value"), event.property("revenue"), event.property("Total")), (None, None, None));
        assert_eq!(event.property("$unread"), Some(&json!({"revenue": wrong, "Total": "x"})));
    }
}
