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

/// Of the languages in which the screens write reports.
const CURRENCY: &[&str] = &[
    "Currency code",
    "Currency",
    "Währungscode",
    "Währung",
    "Code de devise",
    "Devise",
    "Código de moneda",
    "Código de divisa",
    "Codice valuta",
    "Valutacode",
    "Código da moeda",
    "Kod waluty",
    "رمز العملة",
];

pub(super) static REPORT: Shape = Shape {
    name: "google-ads",
    title: "Google Ads costs",
    hint: "segment the report by day (Segment, Time, Day) and add the columns Campaign and Cost",
    columns: &[
        need("date", &["Day", "Tag", "Jour", "Día", "Giorno", "Dag", "Dia", "Dzień", "Dagur", "اليوم"]),
        need(
            "campaign",
            &[
                "Campaign",
                "Campaign name",
                "Kampagne",
                "Campagne",
                "Campaña",
                "Campagna",
                "Campanha",
                "Kampania",
                "Herferð",
                "الحملة",
            ],
        ),
        need(
            "cost",
            &["Cost", "Cost (…)", "Kosten", "Coût", "Coste", "Costo", "Custo", "Koszt", "Kostnaður", "التكلفة"],
        ),
        maybe(
            "campaign_id",
            &[
                "Campaign ID",
                "Kampagnen-ID",
                "ID de campagne",
                "ID de la campagne",
                "Identifiant de campagne",
                "ID de campaña",
                "ID de la campaña",
                "ID campagna",
                "Campagne-ID",
                "ID da campanha",
                "Identyfikator kampanii",
                "رقم تعريف الحملة",
            ],
        ),
        maybe("account", &["Customer ID", "Account"]),
        maybe(
            "content",
            &[
                "Ad group",
                "Ad group name",
                "Anzeigengruppe",
                "Groupe d'annonces",
                "Grupo de anuncios",
                "Gruppo di annunci",
                "Advertentiegroep",
                "Grupo de anúncios",
                "Grupa reklam",
            ],
        ),
        maybe("term", &["Search keyword", "Keyword"]),
        maybe(
            "impressions",
            &["Impr.", "Impressions", "Impressionen", "Wyświetlenia", "Wyśw.", "Vert.", "Birtingar", "مرات الظهور"],
        ),
        maybe(
            "clicks",
            &["Clicks", "Klicks", "Clics", "Clic", "Klikken", "Cliques", "Kliknięcia", "Smellir", "النقرات"],
        ),
        maybe("currency", CURRENCY),
    ],
    marks: &[
        "Impr.",
        "Wyśw.",
        "Vert.",
        "Campaign type",
        "Campaign ID",
        "Avg. CPC",
        "Conv. value",
        "Currency code",
        "Währungscode",
        "Code de devise",
        "Código de moneda",
        "Código de divisa",
        "Codice valuta",
        "Valutacode",
        "Código da moeda",
        "Kod waluty",
        "رمز العملة",
    ],
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
