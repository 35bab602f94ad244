//! Google Ads: campaign reports of its screens, and tables of its API as connectors store them.
//!
//! Traps: two lines before the header, ` --` for nothing, `1,204`, currency signs, several rows of totals, UTF-16 with tabs;
//! amounts in millionths (`cost_micros`), the same money at the level of account, campaign, ad group, ad and keyword.
//! Sources: support.google.com/google-ads/answer/2404176 (reports), developers.google.com/google-ads/api/fields (metrics).
use super::{
    Shape,
    column::{maybe, need},
    cost_report,
};

pub(super) static REPORT: Shape = Shape {
    name: "google-ads",
    title: "Google Ads costs",
    hint: "segment the report by day (Segment, Time, Day) and add the columns Campaign and Cost",
    columns: &[
        need("date", &["Day", "Tag", "Jour", "Día", "Dzień", "Dagur"]),
        need("campaign", &["Campaign", "Campaign name", "Kampagne", "Campagne", "Campaña", "Kampania"]),
        need("cost", &["Cost", "Cost (…)", "Kosten", "Coût", "Coste", "Costo", "Koszt"]),
        maybe("campaign_id", &["Campaign ID", "Kampagnen-ID", "Identifiant de campagne"]),
        maybe("account", &["Customer ID", "Account"]),
        maybe("content", &["Ad group", "Ad group name", "Anzeigengruppe"]),
        maybe("term", &["Search keyword", "Keyword"]),
        maybe("impressions", &["Impr.", "Impressions", "Impressionen", "Wyświetlenia"]),
        maybe("clicks", &["Clicks", "Klicks", "Clics", "Kliknięcia"]),
        maybe("currency", &["Currency code", "Currency", "Währungscode", "Währung", "Code de devise", "Devise"]),
    ],
    marks: &["Impr.", "Campaign type", "Campaign ID", "Currency code", "Avg. CPC", "Conv. value", "Währungscode"],
    never: &["By Day", "Amount spent", "Total Spent", "Gregorian date"],
    platform: Some(("google", "cpc")),
    row: cost_report::row,
    end: cost_report::end,
    ..Shape::PLAIN
};

pub(super) static TABLE: Shape = Shape {
    name: "google-ads-table",
    title: "Google Ads costs of a connector",
    columns: &[
        need("date", &["date", "segments.date"]),
        need("cost", &["cost_micros", "metrics.cost_micros"]),
        maybe("campaign_id", &["campaign_id", "campaign.id"]),
        maybe("own_campaign", &["base_campaign", "campaign.resource_name"]),
        maybe("id", &["id"]),
        maybe("campaign", &["campaign_name", "campaign.name"]),
        maybe("account", &["customer_id", "customer.id"]),
        maybe("currency", &["currency_code", "customer.currency_code"]),
        maybe("impressions", &["impressions", "metrics.impressions"]),
        maybe("clicks", &["clicks", "metrics.clicks"]),
    ],
    platform: Some(("google", "cpc")),
    family: Some("google-ads"),
    row: cost_report::row,
    end: cost_report::end,
    ..Shape::PLAIN
};
