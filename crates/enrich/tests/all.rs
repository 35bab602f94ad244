//! What enrichment promises: Google's rules, the laws, the table of sources against published lists.
#![allow(clippy::print_stdout, reason = "coverage is printed for people who extend the table")]
use safar_enrich::{EnrichSettings, Enriched, Enricher, Touch};

#[path = "all/channels.rs"]
mod channels;
#[path = "all/countries.rs"]
mod countries;
#[path = "all/laws.rs"]
mod laws;
#[path = "all/origins.rs"]
mod origins;
#[path = "all/personal.rs"]
mod personal;
#[path = "all/settings.rs"]
mod settings;
#[path = "all/source_table.rs"]
mod source_table;
#[path = "all/visitors.rs"]
mod visitors;

fn enricher() -> Enricher {
    Enricher::new(&EnrichSettings::default()).expect("the defaults are valid")
}

fn with(settings: &str) -> Enricher {
    let settings: EnrichSettings = toml::from_str(settings).expect("the settings can be read");
    Enricher::new(&settings).expect("the settings are valid")
}

fn page<'a>(url: &'a str, referrer: &'a str) -> Touch<'a> {
    Touch { page_url: Some(url), referrer: Some(referrer), ..Touch::default() }
}

/// Source, medium and channel in one text.
fn seen(enriched: &Enriched) -> String {
    format!("{} / {} = {}", enriched.source, enriched.medium, enriched.channel)
}
