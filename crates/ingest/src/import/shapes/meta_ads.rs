//! Meta (Facebook, Instagram): exports of the Ads Manager, and insights as connectors store them.
//!
//! Traps: the currency stands in the header, a byte order mark, headers in the language of the user with `;` and `1 234,56`,
//! a row without campaign that sums up, the period of the whole report beside the day of the row, totals of a period where
//! days are needed (refused unless told), campaign ids too long for spreadsheets. Clicks are link clicks where the file has
//! them, else all clicks.
//! Source: facebook.com/business/help (Ads reporting, breakdown by day), developers.facebook.com/docs/marketing-api/insights.
use super::{
    Shape,
    column::{maybe, need},
    cost_report,
};

/// Where a report is broken down by day, the day has a column of its own.
const DATE: &[&str] = &[
    "Day",
    "Jour",
    "Tag",
    "Día",
    "Giorno",
    "Dag",
    "Dia",
    "Dzień",
    "Reporting starts",
    "Début des rapports",
    "Berichtsstart",
    "Inicio del informe",
    "Inizio dei report",
    "Start rapportage",
    "Início dos relatórios",
    "Początek raportowania",
];

/// Where the period of a row, or of the whole report, begins: what stands behind the names of days.
const STARTS: &[&str] = DATE.split_at(8).1;

pub(super) static REPORT: Shape = Shape {
    name: "meta-ads",
    title: "Meta Ads costs",
    hint: "break the report down by day and add the column Amount spent",
    columns: &[
        need("date", DATE),
        maybe("start", STARTS),
        maybe(
            "end",
            &[
                "Reporting ends",
                "Fin des rapports",
                "Berichtsende",
                "Fin del informe",
                "Fine dei report",
                "Einde rapportage",
                "Término dos relatórios",
                "Koniec raportowania",
            ],
        ),
        need(
            "cost",
            &[
                "Amount spent (…)",
                "Montant dépensé (…)",
                "Ausgegebener Betrag (…)",
                "Importe gastado (…)",
                "Importo speso (…)",
                "Besteed bedrag (…)",
                "Valor usado (…)",
                "Wydana kwota (…)",
            ],
        ),
        maybe(
            "campaign",
            &[
                "Campaign name",
                "Nom de la campagne",
                "Kampagnenname",
                "Nombre de la campaña",
                "Nome della campagna",
                "Campagnenaam",
                "Nome da campanha",
                "Nazwa kampanii",
            ],
        ),
        maybe(
            "campaign_id",
            &[
                "Campaign ID",
                "ID de campagne",
                "ID de la campagne",
                "Kampagnen-ID",
                "Identificador de la campaña",
                "ID de la campaña",
                "ID della campagna",
                "Campagne-ID",
                "Identificação da campanha",
                "Identyfikator kampanii",
            ],
        ),
        maybe("account", &["Account ID", "Account name"]),
        maybe("currency", &["Currency", "Devise", "Währung", "Divisa", "Valuta", "Moeda", "Waluta"]),
        maybe("content", &["Ad set name", "Nom de l’ensemble de publicités", "Anzeigengruppenname", "Ad name"]),
        maybe(
            "impressions",
            &["Impressions", "Impressionen", "Impresiones", "Impression", "Weergaven", "Impressões", "Wyświetlenia"],
        ),
        maybe(
            "clicks",
            &[
                "Link clicks",
                "Clics sur un lien",
                "Link-Klicks",
                "Linkklicks",
                "Clics en el enlace",
                "Clic sul link",
                "Klikken op link",
                "Cliques no link",
                "Kliknięcia linku",
                "Clicks (all)",
                "Clics (tous)",
                "Klicks (alle)",
                "Clics (todos)",
                "Clic (tutti)",
                "Klikken (alle)",
                "Cliques (todos)",
                "Kliknięcia (wszystkie)",
            ],
        ),
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
