//! LinkedIn Ads: performance reports of the Campaign Manager, and analytics tables of connectors.
//!
//! Traps: UTF-16 with tabs and some lines before the header, days of UTC whatever the account's zone, dates as M/D/YYYY,
//! costs in the account's currency beside the same in US dollars (not taken), tables by campaign, creative and member.
//! Source: linkedin.com/help/lms (export reports), learn.microsoft.com/linkedin/marketing (adAnalytics).
use super::{
    Shape,
    column::{maybe, need},
    cost_report,
};
use crate::import::time::DateOrder;

pub(super) static REPORT: Shape = Shape {
    name: "linkedin-ads",
    title: "LinkedIn Ads costs",
    hint: "choose the time breakdown Daily and the report Campaign Performance",
    columns: &[
        need("date", &["Start Date (in UTC)", "Start Date", "Date"]),
        need("campaign", &["Campaign Name", "Campaign Group Name"]),
        need("cost", &["Total Spent", "Total Spent (…)"]),
        maybe("campaign_id", &["Campaign ID"]),
        maybe("account", &["Account ID", "Account Name"]),
        maybe("content", &["Creative Name", "Ad Name"]),
        maybe("impressions", &["Impressions"]),
        maybe("clicks", &["Clicks"]),
        maybe("currency", &["Currency"]),
    ],
    platform: Some(("linkedin", "cpc")),
    date_order: Some(DateOrder::Mdy),
    row: cost_report::row,
    end: cost_report::end,
    ..Shape::PLAIN
};

pub(super) static TABLE: Shape = Shape {
    name: "linkedin-ads-table",
    title: "LinkedIn Ads costs of a connector",
    columns: &[
        need("date", &["day", "start_date"]),
        need("cost", &["cost_in_local_currency"]),
        maybe("campaign", &["campaign_name"]),
        maybe("campaign_id", &["campaign_id", "sponsored_campaign"]),
        maybe("currency", &["currency"]),
        maybe("impressions", &["impressions"]),
        maybe("clicks", &["clicks"]),
    ],
    platform: Some(("linkedin", "cpc")),
    family: Some("linkedin-ads"),
    row: cost_report::row,
    end: cost_report::end,
    ..Shape::PLAIN
};
