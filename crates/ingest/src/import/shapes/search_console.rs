//! Google Search Console: performance by day.
//!
//! Traps: the export by query has no days, so it cannot be laid over time (refused with the way out); queries of few people are
//! left out by Google, so queries add up to less than the day: `Dates.csv` is the better one. Days are those of the Pacific
//! coast. Source: support.google.com/webmasters/answer/7576553.
use super::{
    Shape,
    column::{maybe, need},
    cost_report,
};

pub(super) static PERFORMANCE: Shape = Shape {
    name: "search-console",
    title: "Google Search Console performance",
    hint: "take Dates.csv of the same export, or rows by date and query of the API",
    columns: &[
        need("date", &["Date", "Datum", "Fecha", "Data", "Dagsetning", "التاريخ"]),
        need(
            "clicks",
            &["Clicks", "Klicks", "Clics", "Clic", "Klikken", "Cliques", "Kliknięcia", "Smellir", "النقرات"],
        ),
        need(
            "impressions",
            &[
                "Impressions",
                "Impressionen",
                "Impresiones",
                "Impressioni",
                "Vertoningen",
                "Impressões",
                "Wyświetlenia",
                "Birtingar",
                "مرات الظهور",
            ],
        ),
        need("position", &["Position", "Posición", "Posizione", "Positie", "Posição", "Pozycja", "Staða", "الموضع"]),
        maybe("term", &["Query", "Top queries"]),
        maybe("account", &["Site", "Property", "site_url"]),
    ],
    never: &["Campaign", "Campaign name", "Cost", "Spend"],
    platform: Some(("google", "organic")),
    row: cost_report::row,
    ..Shape::PLAIN
};
