//! Laws that hold for every input.
use crate::{enricher, with};
use proptest::{option, prelude::*};
use safar_enrich::{Enricher, Touch};
use safar_model::Interaction;

type Texts = Vec<Option<String>>;

/// Arbitrary text, and pieces that mean something so that branches are reached.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("https://"),
        Just("www.google."),
        Just("co.uk"),
        Just("com"),
        Just("/"),
        Just("?"),
        Just("&"),
        Just("="),
        Just("utm_source"),
        Just("utm_medium"),
        Just("utm_x"),
        Just("utm_campaign"),
        Just("gclid"),
        Just("fbclid"),
        Just("cpc"),
        Just("email"),
        Just("Facebook"),
        Just("shop"),
        Just("%"),
        Just("%41"),
        Just("%C3"),
        Just("+"),
        Just("#"),
        Just("."),
        Just(":"),
        Just("@"),
        Just("["),
        Just("]"),
        Just("é"),
        Just("paypal.com"),
        Just("m.facebook.com"),
        Just(" "),
    ];
    // Built once: a pattern given as a text is parsed anew for every value.
    let any = prop::string::string_regex(".{0,40}").expect("a valid pattern");
    prop_oneof![any, prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())]
}

/// ASCII, since other scripts may lose something between their cases.
fn plain() -> impl Strategy<Value = String> {
    let word =
        prop_oneof![Just("google"), Just("fb"), Just("cpc"), Just("social"), Just("shop"), Just("Email"), Just(".com")];
    prop_oneof!["[ -~]{0,12}", prop::collection::vec(word, 1..3).prop_map(|words| words.concat())]
}

fn touch() -> impl Strategy<Value = (Texts, usize)> {
    (prop::collection::vec(option::of(text()), 11), 0..Interaction::ALL.len())
}

fn as_touch((texts, interaction): &(Texts, usize)) -> Touch<'_> {
    let text = |at: usize| texts[at].as_deref();
    Touch {
        page_url: text(0),
        referrer: text(1),
        utm_source: text(2),
        utm_medium: text(3),
        utm_campaign: text(4),
        utm_term: text(5),
        utm_content: text(6),
        click_id: text(7),
        click_id_type: text(8),
        source: text(9),
        medium: text(10),
        interaction: Interaction::ALL[*interaction],
    }
}

fn own_rules(channels: &[u8]) -> Enricher {
    let rule = |n: &u8| match n % 4 {
        0 => "{ medium = 'cpc' }",
        1 => "{ source = { contains = ['a', 'o'] } }",
        2 => "{ campaign = { is_set = true } }",
        _ => "{ referrer = { matches = 'goo+gle' } }",
    };
    let rules =
        channels.iter().enumerate().map(|(at, n)| format!("[[rules]]\nchannel = 'own {at}'\nwhen = {}\n", rule(n)));
    with(&rules.collect::<String>())
}

proptest! {
    // Cases that once failed become examples in the other modules.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn never_panics_and_is_deterministic(touches in prop::collection::vec(touch(), 1..6)) {
        let (first, second) = (enricher(), enricher());
        let mut cached = first.cached();
        prop_assert_eq!(first.fingerprint(), second.fingerprint());
        // Twice, so that every touch is also met in the cache.
        for touch in touches.iter().chain(&touches).map(as_touch) {
            let enriched = first.enrich(&touch);
            prop_assert_eq!(&enriched, &second.enrich(&touch));
            prop_assert_eq!(&enriched, cached.enrich(&touch));
            prop_assert!(!enriched.source.trim().is_empty() && !enriched.medium.trim().is_empty());
            prop_assert!(enriched.utm_custom.is_sorted_by(|a, b| a.0 < b.0));
            let name = first.rules().describe(enriched.rule).to_string();
            prop_assert!(name.starts_with(&*enriched.channel), "{name} {}", enriched.channel);
        }
    }

    #[test]
    fn given_tags_are_kept_verbatim(touch in touch()) {
        let touch = as_touch(&touch);
        let enriched = enricher().enrich(&touch);
        let given = |text: Option<&str>| text.is_some_and(|text| !text.trim().is_empty());
        for (tag, kept) in [
            (touch.utm_source, &enriched.utm_source),
            (touch.utm_medium, &enriched.utm_medium),
            (touch.utm_campaign, &enriched.utm_campaign),
            (touch.utm_term, &enriched.utm_term),
            (touch.utm_content, &enriched.utm_content),
            (touch.click_id, &enriched.click_id),
        ] {
            prop_assert!(!given(tag) || kept.as_deref() == tag, "{tag:?} {kept:?}");
        }
        match (given(touch.source), given(touch.utm_source)) {
            (true, _) => prop_assert_eq!(Some(&*enriched.source), touch.source),
            (false, true) => prop_assert_eq!(Some(&*enriched.source), touch.utm_source),
            _ => {}
        }
    }

    #[test]
    fn tags_in_the_address_are_the_tags_that_were_encoded(value in "\\PC{1,30}") {
        prop_assume!(!value.trim().is_empty());
        let query: String = value.bytes().map(|b| format!("%{b:02X}")).collect();
        let url = format!("https://s.example/?a=b&utm_campaign={query}&c=d#e");
        prop_assert_eq!(enricher().enrich(&crate::page(&url, "")).utm_campaign, Some(value));
    }

    #[test]
    fn case_never_changes_a_channel(source in plain(), medium in plain(), campaign in plain()) {
        let enricher = enricher();
        let channel = |source: &str, medium: &str, campaign: &str| {
            let touch = Touch { source: Some(source), medium: Some(medium), utm_campaign: Some(campaign), ..Touch::default() };
            enricher.enrich(&touch).channel
        };
        prop_assert_eq!(
            channel(&source, &medium, &campaign),
            channel(&source.to_uppercase(), &medium.to_uppercase(), &campaign.to_uppercase())
        );
    }

    #[test]
    fn the_first_rule_that_holds_wins(touch in touch(), channels in prop::collection::vec(any::<u8>(), 1..6)) {
        let touch = as_touch(&touch);
        let all = own_rules(&channels).enrich(&touch);
        // Alone, no rule before the winner holds, and the winner does.
        for (at, rule) in channels.iter().enumerate().take(all.rule + 1) {
            let alone = own_rules(&[*rule]).enrich(&touch);
            prop_assert_eq!(alone.rule == 0, at == all.rule, "{}", at);
        }
        if all.rule >= channels.len() {
            prop_assert_eq!(all.channel, enricher().enrich(&touch).channel);
        }
    }
}

#[test]
fn a_full_cache_still_gives_what_the_enricher_gives() {
    let enricher = enricher();
    let mut cached = enricher.cached();
    // More than it holds, then again from the start, with some that are too long to keep.
    for n in (0..20_000).chain(0..20_000) {
        let url = format!("https://s.example/{n}?utm_source=s{n}&utm_medium=cpc{}", "x".repeat(n % 1500));
        let touch = crate::page(&url, "");
        assert_eq!(cached.enrich(&touch).utm_source, Some(format!("s{n}")));
    }
    // Texts that run into one another, or lie in another field, are other touches.
    let a = Touch { utm_source: Some("ab"), utm_medium: Some("c"), ..Touch::default() };
    let b = Touch { utm_source: Some("a"), utm_medium: Some("bc"), ..Touch::default() };
    let c = Touch { utm_source: Some("ab"), utm_medium: Some("c"), interaction: Interaction::Call, ..Touch::default() };
    let d = Touch { source: Some("ab"), medium: Some("c"), ..Touch::default() };
    for touch in [a, b, c, d, a] {
        assert_eq!(*cached.enrich(&touch), enricher.enrich(&touch));
    }
}

#[test]
fn threads_share_one_enricher() {
    let enricher = enricher();
    let channel = || enricher.cached().enrich(&crate::page("/?gclid=1", "")).channel.clone();
    let channels =
        std::thread::scope(|scope| [scope.spawn(channel), scope.spawn(channel)].map(|thread| thread.join().ok()));
    assert!(channels.iter().all(|channel| channel.as_deref() == Some("Paid Search")));
}
