//! Klaviyo: the list of campaigns with their counts.
//!
//! Traps: counts written as `121401.0`, rates as `48.43%`; nobody is named, so they are counts of impressions (opens) and
//! clicks of a day, not events; e-mails and text messages in one list (the channel is the medium); the revenue is by
//! Klaviyo's own rule and is not taken. Source: help.klaviyo.com (export campaign data).
use super::{
    Shape,
    column::{maybe, need},
    cost_report,
};

pub(super) static CAMPAIGNS: Shape = Shape {
    name: "klaviyo-campaigns",
    title: "Klaviyo campaigns (counts)",
    hint: "export the campaigns with all metrics as CSV",
    columns: &[
        need("campaign", &["Campaign Name"]),
        need("date", &["Send Time", "Send Date"]),
        need("impressions", &["Total Opens", "Unique Opens"]),
        need("clicks", &["Total Clicks", "Unique Clicks"]),
        maybe("campaign_id", &["Campaign ID"]),
        maybe("medium", &["Campaign Channel"]),
        maybe("account", &["Account"]),
    ],
    marks: &["Unique Placed Order", "Campaign Channel", "Send Weekday"],
    platform: Some(("klaviyo", "email")),
    row: cost_report::row,
    ..Shape::PLAIN
};
