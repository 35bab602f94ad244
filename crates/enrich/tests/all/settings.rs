//! Settings: what is refused and how, aliases, fingerprints.
use crate::{enricher, page, seen, with};
use safar_enrich::{EnrichSettings, Enricher, RuleError};

fn refused(text: &str) -> String {
    match toml::from_str::<EnrichSettings>(text) {
        Err(error) => error.to_string(),
        Ok(settings) => Enricher::new(&settings).expect_err("the settings are wrong").to_string(),
    }
}

#[test]
fn wrong_settings_name_the_place_and_what_is_allowed() {
    for (text, parts) in [
        ("rules = [{ channel = 'X', when = { sauce = 'x' } }]", &["line 1", "sauce", "source_category"] as &[_]),
        ("\n[[rules]]\nchannel = 'X'\nwhen = { source = { has = 'x' } }", &["line 4", "has", "contains"]),
        ("[[rules]]\nchannel = 'X'\nwhen = { interaction = 'fax' }", &["line 3", "fax", "meeting"]),
        ("[[rules]]\nchannel = 'X'\nwhen = { source_category = 'ads' }", &["ads", "social"]),
        ("[[rules]]\nchannel = 'X'\nwhen = { source = { matches = '(' } }", &["line 3", "unclosed group"]),
        ("[[rules]]\nchannel = 'X'\nwhen = {}", &["empty"]),
        ("[[rules]]\nchannel = 'X'\nwhen = []", &["never apply"]),
        ("[[rules]]\nchannel = 'X'\nwhen = { source = [] }", &["empty list"]),
        ("[[rules]]\nchannel = 'X'\nwhen = { source = { contains = [] } }", &["empty"]),
        ("[[rules]]\nchannel = 'X'\nwhen = { source = 3 }", &["line 3", "a list of texts"]),
        ("[[rules]]\nchannel = 'X'", &["when"]),
        ("[[rules]]\nchannel = ' '\nwhen = { source = 'x' }", &["rule 1", "names no channel"]),
        ("own_domain = ['x']", &["own_domain", "own_domains"]),
        ("own_domains = ['shop.example/path']", &["shop.example/path", "own_domains", "without a path"]),
        ("ignored_referrers = ['']", &["ignored_referrers"]),
        ("[aliases]\nfacebook = ['fb']\nmeta = ['FB']", &["`fb`", "facebook", "meta"]),
        ("[aliases]\nfacebook = ['']", &["facebook", "empty"]),
    ] {
        let error = refused(text);
        for part in parts {
            assert!(error.contains(part), "{text}\ngives {error}\nwithout {part}");
        }
    }
}

#[test]
fn domains_may_be_written_in_many_ways() {
    for own in [
        "shop-two.example",
        "https://www.shop-two.example/",
        ".shop-two.example",
        "*.Shop-Two.example",
        "a.b.shop-two.example.",
    ] {
        let enricher = with(&format!("own_domains = ['{own}']"));
        assert!(enricher.enrich(&page("", "https://pay.shop-two.example/x")).continues_session, "{own}");
    }
    let error = RuleError::Host { setting: "own_domains", value: "a b".to_owned() };
    assert_eq!(refused("own_domains = ['a b']"), error.to_string());
}

#[test]
fn spellings_are_one_only_where_an_alias_says_so() {
    let enricher = with("[aliases]\nfacebook = ['FB', 'm.facebook.com']\nShop = []");
    for (url, referrer, expected) in [
        ("/?utm_source=fb&utm_medium=cpc", "", "facebook / cpc = Paid Social"),
        ("/?utm_source=FaceBook&utm_medium=cpc", "", "facebook / cpc = Paid Social"),
        ("/", "https://m.facebook.com/", "facebook / referral = Organic Social"),
        ("/", "https://l.facebook.com/", "l.facebook.com / referral = Organic Social"),
        ("/?utm_source=sHOP&utm_medium=email", "", "Shop / email = Email"),
        ("/?utm_source=Google&utm_medium=cpc", "", "Google / cpc = Paid Search"),
    ] {
        let enriched = enricher.enrich(&page(url, referrer));
        assert_eq!(seen(&enriched), expected, "{url} {referrer}");
    }
    assert_eq!(enricher.enrich(&page("/?utm_source=fb", "")).utm_source.as_deref(), Some("fb"));
}

#[test]
fn fingerprints_follow_the_settings() {
    let texts = [
        "",
        "own_domains = ['a.example']",
        "ignored_referrers = ['a.example']",
        "[aliases]\na = ['b']",
        "[[rules]]\nchannel = 'A'\nwhen = { source = 'x' }",
        "[[rules]]\nchannel = 'A'\nwhen = { source = { not = 'x' } }",
        "[[rules]]\nchannel = 'B'\nwhen = { source = 'x' }",
        "[[rules]]\nchannel = 'A'\nwhen = [{ source = 'x' }, { medium = 'y' }]",
        "[[rules]]\nchannel = 'A'\nwhen = { source = 'x', medium = 'y' }",
    ];
    let mut prints: Vec<_> = texts.iter().map(|text| with(text).fingerprint()).collect();
    assert_eq!(prints[0], enricher().fingerprint());
    prints.sort_unstable();
    prints.dedup();
    assert_eq!(prints.len(), texts.len());
    let order = |text| with(text).fingerprint();
    assert_eq!(
        order("own_domains = ['a.example', 'b.example']"),
        order("own_domains = ['B.example', 'www.a.example']")
    );
}
