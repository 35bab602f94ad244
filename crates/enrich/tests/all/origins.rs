//! Where source and medium come from, and every shape of address.
use crate::{enricher, page, seen, with};
use safar_enrich::Touch;

const SHOP: &str = "https://www.shop.example/";

#[test]
fn referrers() {
    let enricher = enricher();
    for (referrer, expected) in [
        ("", "(direct) / (none) = Direct"),
        ("   ", "(direct) / (none) = Direct"),
        ("https://www.google.com/", "google / organic = Organic Search"),
        ("https://www.google.co.uk/search?q=x", "google / organic = Organic Search"),
        ("HTTPS://WWW.GOOGLE.COM", "google / organic = Organic Search"),
        ("https://www.google.com:443/url?utm_source=evil", "google / organic = Organic Search"),
        (
            "android-app://com.google.android.googlequicksearchbox/https/www.google.com",
            "google / organic = Organic Search",
        ),
        ("google.com", "google / organic = Organic Search"),
        ("https://news.google.com/", "news.google.com / referral = Organic Search"),
        ("https://play.google.com/store", "play.google.com / referral = Organic Search"),
        ("https://docs.google.com/", "docs.google.com / referral = Referral"),
        ("https://google.github.io/", "google.github.io / referral = Referral"),
        ("https://www.bing.com/", "bing / organic = Organic Search"),
        ("https://uk.search.yahoo.com/", "yahoo / organic = Organic Search"),
        ("https://duckduckgo.com/", "duckduckgo / organic = Organic Search"),
        ("https://www.ecosia.org/", "ecosia.org / organic = Organic Search"),
        ("https://yandex.com.tr/", "yandex / organic = Organic Search"),
        ("https://m.facebook.com/", "m.facebook.com / referral = Organic Social"),
        ("https://l.instagram.com/", "l.instagram.com / referral = Organic Social"),
        ("https://lm.facebook.com/l.php?u=x", "lm.facebook.com / referral = Organic Social"),
        ("https://t.co/abc", "t.co / referral = Organic Social"),
        ("https://old.reddit.com/r/x", "old.reddit.com / referral = Organic Social"),
        ("android-app://com.reddit.frontpage/", "com.reddit.frontpage / referral = Organic Social"),
        ("android-app://com.slack/", "com.slack / referral = Referral"),
        ("https://www.youtube.com/", "youtube.com / referral = Organic Video"),
        ("https://www.amazon.co.jp/", "amazon.co.jp / referral = Organic Shopping"),
        ("https://chatgpt.com/", "chatgpt.com / ai-assistant = AI Assistant"),
        ("https://www.perplexity.ai/search/x", "perplexity.ai / ai-assistant = AI Assistant"),
        ("https://copilot.microsoft.com/", "copilot.microsoft.com / ai-assistant = AI Assistant"),
        ("https://gemini.google.com/", "gemini.google.com / ai-assistant = AI Assistant"),
        ("https://claude.ai/", "claude.ai / ai-assistant = AI Assistant"),
        ("https://x.com/i/grok", "grok.com / ai-assistant = AI Assistant"),
        ("https://blog.example.org:8080/post", "blog.example.org / referral = Referral"),
        ("http://93.184.216.34/x", "93.184.216.34 / referral = Referral"),
        ("http://[2001:db8::1]/", "[2001:db8::1] / referral = Referral"),
        ("https://bücher.example.de/", "xn--bcher-kva.example.de / referral = Referral"),
        ("http://localhost:3000/", "localhost / referral = Referral"),
        ("about:blank", "(direct) / (none) = Direct"),
        ("/inside?x=1", "(direct) / (none) = Direct"),
        ("not a url", "(direct) / (none) = Direct"),
        ("https://", "(direct) / (none) = Direct"),
        ("file:///C:/mail.html", "(direct) / (none) = Direct"),
        ("chrome-extension://abcdef/page.html", "(direct) / (none) = Direct"),
    ] {
        let enriched = enricher.enrich(&page(SHOP, referrer));
        assert_eq!(seen(&enriched), expected, "{referrer}");
        assert!(!enriched.continues_session, "{referrer}");
    }
}

#[test]
fn own_pages_and_pages_passed_through_are_no_source() {
    let enricher = with("own_domains = ['other.example.co.uk']\nignored_referrers = ['pay.bank.example']");
    let none = "(direct) / (none) = Direct";
    for referrer in [
        "https://shop.example/cart",
        "https://help.shop.example/",
        "https://www.example.co.uk/",
        "https://pay.bank.example/3ds",
        "https://x.pay.bank.example/",
        "https://www.paypal.com/checkoutnow",
        "https://checkout.stripe.com/c/pay",
        "https://www.klarna.com/",
        "https://accounts.google.com/o/oauth2",
        "https://accounts.google.de/",
        "https://login.live.com/",
        "https://login.microsoftonline.com/common",
        "https://tenant.okta.com/",
    ] {
        let enriched = enricher.enrich(&page(SHOP, referrer));
        assert_eq!((seen(&enriched).as_str(), enriched.continues_session), (none, true), "{referrer}");
    }
    let tagged = enricher.enrich(&page("https://shop.example/?utm_source=a&utm_medium=email", "https://paypal.com/"));
    assert_eq!((seen(&tagged).as_str(), tagged.continues_session), ("a / email = Email", false));
    let sibling = enricher.enrich(&page("https://a.github.io/", "https://b.github.io/"));
    assert_eq!(seen(&sibling), "b.github.io / referral = Referral");
    let bank = enricher.enrich(&page(SHOP, "https://bank.example/"));
    assert_eq!(seen(&bank), "bank.example / referral = Referral");
}

#[test]
fn tags_win_over_click_ids_which_win_over_referrers() {
    let enricher = enricher();
    let google = "https://www.google.com/";
    for (query, referrer, expected) in [
        ("gclid=1", "", "google / cpc = Paid Search"),
        ("gclid=1", "https://blog.example.org/", "google / cpc = Paid Search"),
        ("GCLID=1", "", "google / cpc = Paid Search"),
        ("gbraid=1", "", "google / cpc = Paid Search"),
        ("wbraid=1", google, "google / cpc = Paid Search"),
        ("msclkid=1", "", "bing / cpc = Paid Search"),
        ("yclid=1", "", "yandex / cpc = Paid Search"),
        ("dclid=1", "", "google / display = Display"),
        ("dclid=1&gclid=2", "", "google / cpc = Paid Search"),
        ("ttclid=1", "", "tiktok / cpc = Paid Social"),
        ("twclid=1", "", "twitter / cpc = Paid Social"),
        ("li_fat_id=1", "", "linkedin / cpc = Paid Social"),
        ("epik=1", "", "pinterest / cpc = Paid Social"),
        ("rdt_cid=1", "", "reddit / cpc = Paid Social"),
        ("ScCid=1", "", "snapchat / cpc = Paid Social"),
        ("qclid=1", "", "quora / cpc = Paid Social"),
        ("fbclid=1", "", "(direct) / (none) = Direct"),
        ("fbclid=1", "https://l.facebook.com/", "l.facebook.com / referral = Organic Social"),
        ("fbclid=1&utm_source=facebook&utm_medium=paid", "", "facebook / paid = Paid Social"),
        ("igshid=1", "https://l.instagram.com/", "l.instagram.com / referral = Organic Social"),
        ("srsltid=1", google, "google / organic = Organic Search"),
        ("fbclid=1&gclid=2", "", "google / cpc = Paid Search"),
        ("gclid=", google, "google / organic = Organic Search"),
        ("gclid=1&utm_source=newsletter&utm_medium=email", google, "newsletter / email = Email"),
        ("gclid=1&utm_source=Google", "", "Google / cpc = Paid Search"),
        ("gclid=1&utm_campaign=spring", "", "google / cpc = Paid Search"),
        ("utm_campaign=spring", google, "google / organic = Organic Search"),
        ("utm_source=partner", google, "partner / (not set) = Unassigned"),
        ("utm_medium=email", google, "(not set) / email = Email"),
        ("utm_source=chatgpt.com", "https://chatgpt.com/", "chatgpt.com / (not set) = Unassigned"),
        ("utm_source=FaceBook&utm_medium=CPC", "", "FaceBook / CPC = Paid Social"),
        ("utm_source=&utm_medium=+", google, "google / organic = Organic Search"),
    ] {
        let url = format!("{SHOP}?{query}");
        assert_eq!(seen(&enricher.enrich(&page(&url, referrer))), expected, "{query} {referrer}");
    }
}

#[test]
fn what_the_row_gives_wins_over_the_address() {
    let enricher = enricher();
    let url = "https://shop.example/?utm_source=a&utm_medium=email&utm_term=t&gclid=9";
    let touch = Touch { page_url: Some(url), utm_source: Some(" B "), utm_medium: Some(" "), ..Touch::default() };
    let enriched = enricher.enrich(&touch);
    assert_eq!(enriched.utm_source.as_deref(), Some(" B "));
    assert_eq!(enriched.utm_medium.as_deref(), Some("email"));
    assert_eq!(enriched.utm_term.as_deref(), Some("t"));
    let given = enricher.enrich(&Touch { source: Some("Facebook"), medium: Some("cpc"), ..touch });
    assert_eq!(seen(&given), "Facebook / cpc = Paid Social");
    assert_eq!(given.utm_source.as_deref(), Some(" B "));

    let click = |id, kind| {
        let enriched = enricher.enrich(&Touch { click_id: id, click_id_type: kind, ..touch });
        (enriched.click_id, enriched.click_id_type.map(|kind| kind.into_owned()))
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(click(None, None), (text("9"), text("gclid")));
    assert_eq!(click(Some("5"), None), (text("5"), None));
    assert_eq!(click(Some("9"), None), (text("9"), text("gclid")));
    assert_eq!(click(Some("5"), Some("MSCLKID")), (text("5"), text("msclkid")));
    assert_eq!(click(Some("5"), Some("Own_id")), (text("5"), text("Own_id")));
}

#[test]
fn every_shape_of_address() {
    let enricher = enricher();
    for (url, source, campaign) in [
        ("https://s.example/?utm_source=a%20b+c&utm_campaign=%D9%81%D8%A7", Some("a b c"), Some("فا")),
        ("https://s.example/?utm_source=a#utm_campaign=no", Some("a"), None),
        ("https://s.example/#/route?utm_source=no", None, None),
        ("https://s.example/?utm_source=first&utm_source=second", Some("first"), None),
        ("https://s.example/?utm_source=&utm_source=second", Some("second"), None),
        ("https://s.example/?UTM_Source=a&Utm%5FCampaign=b", Some("a"), Some("b")),
        ("https://s.example/?utm_source=%FF%FEx", Some("\u{fffd}\u{fffd}x"), None),
        ("https://s.example/?utm_source=100%&utm_campaign=%zz", Some("100%"), Some("%zz")),
        ("https://s.example/?x=1&amp;utm_source=a&amp;utm_campaign=b", Some("a"), Some("b")),
        ("/relative?utm_source=a", Some("a"), None),
        ("?utm_source=a&utm_campaign=b=c", Some("a"), Some("b=c")),
        ("https://пример.рф:8080/?utm_source=a", Some("a"), None),
        ("http://10.0.0.1/?utm_source=a", Some("a"), None),
        ("s.example/?u=https://other.example/?utm_source=nested", None, None),
        ("https://s.example/?utm_source", None, None),
        ("https://s.example/?utm_=x&utm=y", None, None),
    ] {
        let enriched = enricher.enrich(&page(url, ""));
        assert_eq!((enriched.utm_source.as_deref(), enriched.campaign()), (source, campaign), "{url}");
        assert!(enriched.utm_custom.is_empty(), "{url}");
    }
    let custom = enricher.enrich(&page("/?utm_id=2&UTM_Audience=x+y&utm_id=3&utm_creative_format=", ""));
    let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    assert_eq!(custom.utm_custom, [("utm_audience", "x y"), ("utm_id", "2")].map(text));
    assert_eq!(seen(&custom), "(direct) / (none) = Direct");
}

#[test]
fn huge_addresses_are_read_to_the_end() {
    let enricher = enricher();
    let mut cached = enricher.cached();
    for filler in ["x=1&", "utm_x=1&", "%", "utm_", "&", "a.", "/", "é", "gclid=&"] {
        let long = filler.repeat(100_000 / filler.len());
        let url = format!("https://s.example/?{long}&utm_source=end");
        let touch = page(&url, &long);
        let enriched = enricher.enrich(&touch);
        assert_eq!(enriched.utm_source.as_deref(), Some("end"), "{filler}");
        assert_eq!(*cached.enrich(&touch), enriched, "{filler}");
        let host = format!("https://{long}/");
        assert_eq!(enricher.enrich(&page(&host, &host)).utm_source, None, "{filler}");
    }
}
