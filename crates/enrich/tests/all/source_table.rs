//! The project's table of sources against published lists, read from outside the project where they are present.
use crate::{enricher, page};
use safar_enrich::{Category, category_of};
use std::{collections::BTreeMap, fs, path::PathBuf};

pub fn shared(file: &str) -> Option<String> {
    let root = std::env::var_os("SAFAR_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = root.join("data/enrich").join(file);
    let text = fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("skipped: {} is absent", path.display());
    }
    text
}

#[test]
fn every_source_of_googles_list_has_googles_category() {
    let Some(text) = shared("ga4_source_categories.csv") else { return };
    let mut found = BTreeMap::<String, (usize, usize)>::new();
    let mut missing = Vec::new();
    for row in csv::Reader::from_reader(text.as_bytes()).records() {
        let row = row.expect("the list is a table");
        let wanted = row[1].trim_start_matches("SOURCE_CATEGORY_").to_lowercase();
        let is = category_of(&row[0]).map(Category::as_str);
        let (hits, all) = found.entry(wanted.clone()).or_default();
        *all += 1;
        if is == Some(wanted.as_str()) {
            *hits += 1;
        } else {
            missing.push(format!("{} is {is:?}, not {wanted}", &row[0]));
        }
    }
    println!("GA4 sources found: {found:?}");
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(found.values().map(|(_, all)| all).sum::<usize>() > 800);
}

/// The host names of one of Matomo's lists: items of `urls`, or of the only list under a name. `{}` is any country.
fn matomo(text: &str) -> Vec<String> {
    let mut hosts = Vec::new();
    let mut in_urls = true;
    for line in text.lines() {
        let line = line.trim();
        let item = line.strip_prefix("- ").filter(|item| !item.ends_with(':'));
        if let Some(item) = item {
            if in_urls {
                let host = item.trim_matches('\'').trim_start_matches("android-app//");
                hosts.push(match host.strip_prefix("{}.") {
                    Some(rest) => format!("de.{rest}"),
                    None => host.replace("{}", "de"),
                });
            }
        } else if let Some(word) = line.trim_start_matches("- ").strip_suffix(':') {
            in_urls = !matches!(word, "params" | "charsets" | "backlink" | "hiddenkeyword");
        }
    }
    hosts
}

/// The share of hosts that the table knows as one of `wanted`, of all that it does not put elsewhere on purpose.
fn coverage(file: &str, wanted: Category, floor: f64) {
    let Some(text) = shared(file) else { return };
    let hosts = matomo(&text);
    let enricher = enricher();
    let mut missing = Vec::new();
    let mut elsewhere = Vec::new();
    for host in &hosts {
        let referrer = format!("https://{host}");
        let visit = enricher.enrich(&page("https://shop.example/", &referrer));
        let found = match &*visit.medium {
            "organic" => Some(Category::Search),
            "ai-assistant" => Some(Category::Ai),
            _ => category_of(&visit.source),
        };
        match found {
            Some(category) if category == wanted => {}
            // Google's categories and the assistants' own come first; log-in pages are no source.
            Some(_) => elsewhere.push(host.as_str()),
            None if visit.continues_session => elsewhere.push(host.as_str()),
            None => missing.push(host.as_str()),
        }
    }
    let share = 1.0 - missing.len() as f64 / hosts.len() as f64;
    println!(
        "{file}: {} hosts, {:.1} % known; elsewhere {elsewhere:?}; unknown {missing:?}",
        hosts.len(),
        share * 100.0
    );
    assert!(elsewhere.len() * 20 < hosts.len().max(100), "{file}: too many in another category: {elsewhere:?}");
    assert!(share >= floor, "{file}: {share}");
}

#[test]
fn search_engines() {
    coverage("matomo-SearchEngines.yml", Category::Search, 0.95);
}

#[test]
fn social_networks() {
    coverage("matomo-Socials.yml", Category::Social, 0.95);
}

#[test]
fn ai_assistants() {
    coverage("matomo-AIAssistants.yml", Category::Ai, 1.0);
}
