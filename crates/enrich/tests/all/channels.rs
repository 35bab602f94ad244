//! Every default rule and its traps. Google's definition: <https://support.google.com/analytics/answer/9756891>.
use crate::with;
use safar_enrich::{ChannelRules, Enricher, Touch, Traffic};
use safar_model::Interaction;

/// Source, medium, campaign, channel.
const CASES: &[(&str, &str, &str, &str)] = &[
    ("(direct)", "(none)", "", "Direct"),
    ("(direct)", "(not set)", "", "Direct"),
    ("(Direct)", "(NONE)", "", "Direct"),
    ("(direct)", "email", "", "Email"),
    ("google", "cpc", "EU Cross-Network 7", "Cross-network"),
    ("anything", "anything", "cross-network", "Cross-network"),
    ("(direct)", "(none)", "cross-network", "Direct"),
    ("amazon", "cpc", "", "Paid Shopping"),
    ("checkout.stripe.com", "paid", "", "Paid Shopping"),
    ("google", "cpc", "shopping 2026", "Paid Shopping"),
    ("google", "cpc", "DE_Shop_brand", "Paid Shopping"),
    ("google", "cpc", "eshop", "Paid Shopping"),
    ("google", "cpc", "workshop", "Paid Search"),
    ("google", "cpc", "barbershop", "Paid Search"),
    ("google", "cpc", "workshops and shopping", "Paid Shopping"),
    ("google", "cpc", "", "Paid Search"),
    ("google", "cpm", "", "Paid Search"),
    ("Google", "CPC", "", "Paid Search"),
    ("bing", "ppc", "", "Paid Search"),
    ("news.google.com", "paid-something", "", "Paid Search"),
    ("yahoo", "retargeting", "", "Paid Search"),
    ("facebook", "cpc", "", "Paid Social"),
    ("FB", "paid_social", "", "Paid Social"),
    ("m.facebook.com", "cpm", "", "Paid Social"),
    ("43things", "xcpx", "", "Paid Social"),
    ("t.co", "paid", "", "Paid Social"),
    ("youtube", "cpv", "", "Paid Video"),
    ("youtube.com", "cpc", "", "Paid Video"),
    ("netflix", "paidvideo", "", "Paid Video"),
    ("example.com", "display", "", "Display"),
    ("example.com", "banner", "", "Display"),
    ("example.com", "expandable", "", "Display"),
    ("example.com", "interstitial", "", "Display"),
    ("example.com", "cpm", "", "Display"),
    ("google", "display", "", "Display"),
    ("example.com", "cpc", "", "Paid Other"),
    ("newsletter", "ppc", "", "Paid Other"),
    ("example.com", "retargeting", "", "Paid Other"),
    ("example.com", "unpaid", "", "Unassigned"),
    ("ebay.de", "referral", "", "Organic Shopping"),
    ("example.com", "email", "winter shopping", "Organic Shopping"),
    ("facebook", "referral", "", "Organic Social"),
    ("facebook", "email", "", "Organic Social"),
    ("example.com", "social", "", "Organic Social"),
    ("example.com", "social-network", "", "Organic Social"),
    ("example.com", "social-media", "", "Organic Social"),
    ("example.com", "SM", "", "Organic Social"),
    ("example.com", "Social Network", "", "Organic Social"),
    ("example.com", "social media", "", "Organic Social"),
    ("example.com", "paidsocial", "", "Paid Other"),
    ("vimeo.com", "referral", "", "Organic Video"),
    ("example.com", "my-video-ad", "", "Organic Video"),
    ("google", "organic", "", "Organic Search"),
    ("google", "(not set)", "", "Organic Search"),
    ("google", "email", "", "Organic Search"),
    ("kagi.com", "organic", "", "Organic Search"),
    ("unknown-engine.example", "organic", "", "Organic Search"),
    ("news.google.com", "referral", "", "Organic Search"),
    ("example.com", "referral", "", "Referral"),
    ("example.com", "app", "", "Referral"),
    ("example.com", "link", "", "Referral"),
    ("docs.google.com", "referral", "", "Referral"),
    ("newsletter", "email", "", "Email"),
    ("newsletter", "E-Mail", "", "Email"),
    ("newsletter", "e_mail", "", "Email"),
    ("newsletter", "e mail", "", "Email"),
    ("email", "anything", "", "Email"),
    ("newsletter", "newsletter", "", "Unassigned"),
    ("partner", "affiliate", "", "Affiliates"),
    ("partner", "affiliates", "", "Unassigned"),
    ("podcast", "audio", "", "Audio"),
    ("sms", "x", "", "SMS"),
    ("x", "SMS", "", "SMS"),
    ("x", "web-push", "", "Mobile Push"),
    ("x", "mobile-app", "", "Mobile Push"),
    ("x", "notifications", "", "Mobile Push"),
    ("firebase", "x", "", "Mobile Push"),
    ("x", "pusher", "", "Unassigned"),
    ("chatgpt.com", "ai-assistant", "", "AI Assistant"),
    ("chatgpt.com", "(not set)", "", "Unassigned"),
    ("chatgpt.com", "referral", "", "Referral"),
    ("", "", "", "Unassigned"),
];

#[test]
fn default_channel_groups() {
    let rules = ChannelRules::default();
    for (source, medium, campaign, channel) in CASES {
        let traffic = Traffic { source, medium, campaign: Some(campaign), ..Traffic::default() };
        assert_eq!(rules.decide(&traffic).0, *channel, "{source} / {medium} / {campaign}");
    }
}

#[test]
fn every_default_rule_can_win_and_is_described() {
    let rules = ChannelRules::default();
    let mut won = vec![false; rules.count()];
    for (source, medium, campaign, _) in CASES {
        won[rules.decide(&Traffic { source, medium, campaign: Some(campaign), ..Traffic::default() }).1] = true;
    }
    for interaction in Interaction::ALL {
        won[rules
            .decide(&Traffic { source: "(not set)", medium: interaction.as_str(), interaction, ..Traffic::default() })
            .1] = true;
    }
    let never = (0..rules.count()).filter(|&rule| !won[rule]).map(|rule| rules.describe(rule).to_string());
    assert_eq!(never.collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn offline_touches_have_a_channel() {
    let enricher = crate::enricher();
    for (interaction, expected) in [
        (Interaction::Call, "(not set) / call = Phone"),
        (Interaction::Store, "(not set) / store = Store"),
        (Interaction::Meeting, "(not set) / meeting = Sales"),
        (Interaction::Print, "(not set) / print = Print"),
        (Interaction::Chat, "(not set) / chat = Chat"),
        (Interaction::Email, "(not set) / email = Email"),
        (Interaction::Sms, "(not set) / sms = SMS"),
        (Interaction::Push, "(not set) / push = Mobile Push"),
        (Interaction::Impression, "(not set) / cpm = Display"),
        (Interaction::Other, "(not set) / other = Unassigned"),
        (Interaction::Visit, "(direct) / (none) = Direct"),
        (Interaction::Click, "(direct) / (none) = Direct"),
        (Interaction::None, "(direct) / (none) = Direct"),
    ] {
        assert_eq!(crate::seen(&enricher.enrich(&Touch { interaction, ..Touch::default() })), expected);
    }
    let banner = Touch {
        utm_source: Some("Times"),
        utm_medium: Some("display"),
        interaction: Interaction::Impression,
        ..Touch::default()
    };
    assert_eq!(crate::seen(&enricher.enrich(&banner)), "Times / display = Display");
    let social = Touch { source: Some("facebook"), interaction: Interaction::Impression, ..Touch::default() };
    assert_eq!(crate::seen(&enricher.enrich(&social)), "facebook / cpm = Paid Social");
    let call =
        Touch { page_url: Some("https://shop.example/?gclid=1"), interaction: Interaction::Call, ..Touch::default() };
    assert_eq!(crate::seen(&enricher.enrich(&call)), "google / cpc = Paid Search");
}

fn own_rules() -> Enricher {
    with(
        r#"
        [[rules]]
        channel = "Influencer"
        when = { medium = "Influencer" }
        [[rules]]
        channel = "Never reached"
        when = { medium = ["influencer"] }
        [[rules]]
        channel = "Brand"
        when = { source = ["google", "bing"], campaign = { starts = "brand", not = { ends = ["-test", "-old"] } } }
        [[rules]]
        channel = "Partners"
        when = [{ referrer = { contains = "partner.example/x" } }, { page_path = { matches = '^/p/\d+$' } }]
        [[rules]]
        channel = "AI Assistant"
        when = { source_category = "ai" }
        [[rules]]
        channel = "Hotline"
        when = { interaction = "call", term = { is_set = false } }
        [[rules]]
        channel = "Facebook clicks"
        when = { click_id_type = "fbclid", source = { is_set = false } }
        [[rules]]
        channel = "Help"
        when = { page_host = { starts = "help." }, content = { not = "x" } }
        "#,
    )
}

#[test]
fn own_rules_come_first_and_in_order() {
    let enricher = own_rules();
    for (url, referrer, channel) in [
        ("https://s.example/?utm_source=x&utm_medium=INFLUENCER", "", "Influencer"),
        ("https://s.example/?utm_source=Google&utm_medium=cpc&utm_campaign=BRAND-uk", "", "Brand"),
        ("https://s.example/?utm_source=Google&utm_medium=cpc&utm_campaign=brand-uk-OLD", "", "Paid Search"),
        ("https://s.example/?utm_source=yahoo&utm_medium=cpc&utm_campaign=brand", "", "Paid Search"),
        ("https://s.example/", "https://Partner.example/X/1", "Partners"),
        ("https://s.example/P/12?utm_source=google", "", "Partners"),
        ("https://s.example/p/12a", "", "Direct"),
        ("https://s.example/?utm_source=chatgpt.com", "", "AI Assistant"),
        ("https://s.example/?fbclid=1", "", "Facebook clicks"),
        ("https://s.example/?fbclid=1", "https://l.facebook.com/", "Organic Social"),
        ("https://help.s.example/?utm_source=a&utm_content=b", "", "Help"),
        ("https://help.s.example/?utm_source=a&utm_content=X", "", "Unassigned"),
    ] {
        assert_eq!(enricher.enrich(&crate::page(url, referrer)).channel, channel, "{url} {referrer}");
    }
    let call = Touch { interaction: Interaction::Call, ..Touch::default() };
    assert_eq!(enricher.enrich(&call).channel, "Hotline");
    assert_eq!(enricher.enrich(&Touch { utm_term: Some("x"), ..call }).channel, "Phone");
    assert_eq!(
        enricher.rules().describe(2).to_string(),
        r#"Brand: source is "google" or "bing" and campaign starts with "brand" and campaign not (ends with "-test" or "-old")"#
    );
}
