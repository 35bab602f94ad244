//! Nanoseconds per call of enrichment, cached and not: `cargo bench -p safar-enrich --bench enrich`.
#![allow(clippy::print_stdout, reason = "a program for people to read")]
use safar_enrich::{EnrichSettings, Enricher, Touch};
use std::{hint::black_box, time::Instant};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let enricher = Enricher::new(&EnrichSettings::default())?;
    let campaigns = (0..1_000).map(|n| {
        let url = format!("https://www.shop.example/products/{n}?utm_source=Google&utm_medium=cpc&utm_campaign=spring%20{n}&utm_term=red+shoes");
        (url, "https://www.google.co.uk/".to_owned())
    });
    let referrals = (0..1_000)
        .map(|n| (format!("https://www.shop.example/p/{n}?ref=1"), format!("https://blog{n}.example.org/post")));
    let inside =
        (0..1_000).map(|n| (format!("https://www.shop.example/p/{n}"), "https://www.shop.example/".to_owned()));
    let clicks = (0..1_000).map(|n| {
        (format!("https://www.shop.example/?gclid=Cj0KCQjw{n}&fbclid=x"), "https://www.google.com/".to_owned())
    });
    let sets: [(&str, Vec<(String, String)>); 4] = [
        ("tagged", campaigns.collect()),
        ("referral", referrals.collect()),
        ("own page", inside.collect()),
        ("click id", clicks.collect()),
    ];
    println!("{:<10} {:>12} {:>12}", "touches", "uncached ns", "cached ns");
    for (name, set) in &sets {
        let touches: Vec<_> = set
            .iter()
            .map(|(page, referrer)| Touch { page_url: Some(page), referrer: Some(referrer), ..Touch::default() })
            .collect();
        let mut cached = enricher.cached();
        let plain = nanos(&touches, |touch| drop(black_box(enricher.enrich(touch))));
        let fast = nanos(&touches, |touch| {
            black_box(cached.enrich(touch));
        });
        println!("{name:<10} {plain:>12.0} {fast:>12.0}");
    }
    Ok(())
}

fn nanos<'a>(touches: &[Touch<'a>], mut call: impl FnMut(&Touch<'a>)) -> f64 {
    // The best of many short rounds is what the code costs when nothing else runs.
    let round = || {
        let start = Instant::now();
        touches.iter().for_each(&mut call);
        start.elapsed().as_nanos()
    };
    let best = std::iter::repeat_with(round).take(500).min().unwrap_or(0);
    best as f64 / touches.len() as f64
}
