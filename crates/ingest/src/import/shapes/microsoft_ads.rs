//! Microsoft Advertising: reports of its screens, and performance tables of connectors.
//!
//! Traps: about ten lines before the header, dates as M/D/YYYY, a copyright line at the end, one table for each level of
//! detail. Source: help.ads.microsoft.com (reports), learn.microsoft.com/advertising/reporting-service.
use super::{
    Shape,
    column::{maybe, need},
    cost_report,
};
use crate::import::time::DateOrder;

pub(super) static REPORT: Shape = Shape {
    name: "microsoft-ads",
    title: "Microsoft Advertising costs",
    hint: "choose the unit of time Day and add the columns Campaign name and Spend",
    columns: &[
        need("date", &["Gregorian date", "Time period", "Day", "Date"]),
        need("campaign", &["Campaign name", "Campaign"]),
        need("cost", &["Spend"]),
        maybe("campaign_id", &["Campaign ID"]),
        maybe("account", &["Account number", "Account ID", "Account name"]),
        maybe("content", &["Ad group", "Ad group name"]),
        maybe("term", &["Keyword"]),
        maybe("impressions", &["Impressions"]),
        maybe("clicks", &["Clicks"]),
        maybe("currency", &["Currency code", "Currency"]),
    ],
    marks: &[
        "Gregorian date",
        "Time period",
        "Account number",
        "Account name",
        "Currency code",
        "Delivered match type",
    ],
    never: &["date_stop", "inline_link_clicks"],
    platform: Some(("bing", "cpc")),
    date_order: Some(DateOrder::Mdy),
    row: cost_report::row,
    end: cost_report::end,
    ..Shape::PLAIN
};

pub(super) static TABLE: Shape = Shape {
    name: "microsoft-ads-table",
    title: "Microsoft Advertising costs of a connector",
    columns: &[
        need("date", &["date", "time_period"]),
        need("cost", &["spend"]),
        need("account", &["account_id"]),
        maybe("campaign", &["campaign_name"]),
        maybe("campaign_id", &["campaign_id"]),
        maybe("currency", &["currency_code"]),
        maybe("impressions", &["impressions"]),
        maybe("clicks", &["clicks"]),
    ],
    marks: &["device_os", "top_vs_other", "delivered_match_type", "bid_match_type"],
    platform: Some(("bing", "cpc")),
    family: Some("microsoft-ads"),
    row: cost_report::row,
    end: cost_report::end,
    ..Shape::PLAIN
};
