//! Costs in the project's own words: what no platform exports (radio, print, an agency's fee), one row a day and campaign.
use super::{
    Shape,
    column::{maybe, need},
    cost_report,
};

pub(super) static COSTS: Shape = Shape {
    name: "costs",
    title: "advertising costs",
    hint: "add the column, state one value for all rows, such as `--set source=radio`, or say whose report it is, such as `--as google-ads`",
    columns: &[
        need("date", &["date", "day"]),
        maybe("end", &["end", "end_date"]),
        need("cost", &["cost", "cost (…)", "spend", "spend (…)"]),
        need("source", &["source", "utm_source"]),
        maybe("medium", &["medium", "utm_medium"]),
        maybe("campaign", &["campaign", "utm_campaign"]),
        maybe("campaign_id", &["campaign_id", "utm_id"]),
        maybe("account", &["account"]),
        maybe("content", &["content", "utm_content"]),
        maybe("term", &["term", "utm_term"]),
        maybe("impressions", &["impressions"]),
        maybe("clicks", &["clicks"]),
        maybe("currency", &["currency"]),
    ],
    never: &[
        "user_id",
        "customer_id",
        "anonymous_id",
        "cookie",
        "visitor_id",
        "email",
        "event",
        "event_name",
        "name",
        "page_url",
        "url",
        "order_id",
        "conversion",
        "timestamp",
    ],
    row: cost_report::row,
    end: cost_report::end,
    ..Shape::PLAIN
};
