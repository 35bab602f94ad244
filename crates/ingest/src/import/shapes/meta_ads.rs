//! Meta (Facebook, Instagram): exports of the Ads Manager, and insights as connectors store them.
//!
//! Traps: the currency stands in the header, a byte order mark, headers in the language of the user with `;` and `1 234,56`,
//! a row without campaign that sums up, totals of a period where days are needed (refused unless told), campaign ids too long
//! for spreadsheets. Clicks are link clicks where the file has them, else all clicks.
//! Source: facebook.com/business/help (Ads reporting, breakdown by day), developers.facebook.com/docs/marketing-api/insights.
use super::{
    Shape,
    column::{maybe, need},
    cost_report,
};

pub(super) static REPORT: Shape = Shape {
    name: "meta-ads",
    title: "Meta Ads costs",
    hint: "break the report down by day and add the column Amount spent",
    columns: &[
        need(
            "date",
            &[
                "Day",
                "Reporting starts",
                "Jour",
                "Début des rapports",
                "Tag",
                "Berichtsstart",
                "Día",
                "Inicio del informe",
                "Dzień",
                "Początek raportowania",
            ],
        ),
        maybe("end", &["Reporting ends", "Fin des rapports", "Berichtsende", "Fin del informe", "Koniec raportowania"]),
        need(
            "cost",
            &[
                "Amount spent (…)",
                "Montant dépensé (…)",
                "Ausgegebener Betrag (…)",
                "Importe gastado (…)",
                "Wydana kwota (…)",
            ],
        ),
        maybe(
            "campaign",
            &["Campaign name", "Nom de la campagne", "Kampagnenname", "Nombre de la campaña", "Nazwa kampanii"],
        ),
        maybe("campaign_id", &["Campaign ID", "ID de campagne", "Kampagnen-ID"]),
        maybe("account", &["Account ID", "Account name"]),
        maybe("content", &["Ad set name", "Nom de l’ensemble de publicités", "Anzeigengruppenname", "Ad name"]),
        maybe("impressions", &["Impressions", "Impressionen", "Impresiones", "Wyświetlenia"]),
        maybe("clicks", &["Link clicks", "Clics sur un lien", "Clicks (all)", "Clics (tous)"]),
    ],
    platform: Some(("facebook", "cpc")),
    row: cost_report::row,
    end: cost_report::end,
    ..Shape::PLAIN
};

pub(super) static TABLE: Shape = Shape {
    name: "meta-ads-table",
    title: "Meta Ads costs of a connector",
    columns: &[
        need("date", &["date", "date_start"]),
        maybe("end", &["date_stop"]),
        need("cost", &["spend"]),
        maybe("campaign", &["campaign_name"]),
        maybe("campaign_id", &["campaign_id"]),
        maybe("ad", &["ad_id"]),
        maybe("account", &["account_id"]),
        maybe("currency", &["account_currency"]),
        maybe("content", &["adset_name"]),
        maybe("impressions", &["impressions"]),
        maybe("clicks", &["inline_link_clicks", "clicks"]),
    ],
    marks: &["inline_link_clicks", "date_stop", "account_currency"],
    platform: Some(("facebook", "cpc")),
    family: Some("meta-ads"),
    row: cost_report::row,
    end: cost_report::end,
    ..Shape::PLAIN
};
