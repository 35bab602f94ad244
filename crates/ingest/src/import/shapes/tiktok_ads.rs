//! TikTok Ads: reports of its Ads Manager, and report tables of connectors.
//!
//! Traps: a row `Total of N results` with `-` for nothing, tables by the hour (added up to days of the advertiser's time
//! zone), headers in capitals, the same money by campaign, ad group, ad and country.
//! Source: ads.tiktok.com/help (reporting), business-api.tiktok.com (report/integrated/get).
use super::{
    Shape,
    column::{maybe, need},
    cost_report,
};

pub(super) static REPORT: Shape = Shape {
    name: "tiktok-ads",
    title: "TikTok Ads costs",
    hint: "add the dimension By Day and the columns Campaign name and Cost",
    columns: &[
        need("campaign", &["Campaign name"]),
        need("date", &["By Day", "Date", "Day"]),
        need("cost", &["Cost", "Total cost", "Cost (…)"]),
        maybe("campaign_id", &["Campaign ID"]),
        maybe("account", &["Account ID", "Account name"]),
        maybe("content", &["Ad group name", "Ad name"]),
        maybe("impressions", &["Impressions", "Impression"]),
        maybe("clicks", &["Clicks (destination)", "Destination clicks", "Clicks"]),
        maybe("currency", &["Currency"]),
    ],
    marks: &["By Day", "Clicks (destination)", "CPC (destination)", "CTR (destination)", "Destination clicks"],
    platform: Some(("tiktok", "cpc")),
    row: cost_report::row,
    end: cost_report::end,
    ..Shape::PLAIN
};

pub(super) static TABLE: Shape = Shape {
    name: "tiktok-ads-table",
    title: "TikTok Ads costs of a connector",
    columns: &[
        need("date", &["stat_time_hour", "stat_time_day"]),
        need("cost", &["spend"]),
        maybe("campaign", &["campaign_name"]),
        maybe("campaign_id", &["campaign_id"]),
        maybe("account", &["advertiser_id"]),
        maybe("currency", &["currency"]),
        maybe("impressions", &["impressions"]),
        maybe("clicks", &["clicks"]),
    ],
    platform: Some(("tiktok", "cpc")),
    family: Some("tiktok-ads"),
    row: cost_report::row,
    end: cost_report::end,
    ..Shape::PLAIN
};
