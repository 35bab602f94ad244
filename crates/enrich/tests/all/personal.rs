//! Laws of addresses without personal data, and of one spelling for one page.
use proptest::{collection::vec, prelude::*, sample::select};
use safar_enrich::{PARAMETERS, Personal, Shape, page::canonical};
use std::borrow::Cow;
use url::Url;

/// E-mail addresses of all usual kinds.
fn email() -> impl Strategy<Value = String> {
    let local = prop_oneof!["[a-z]{1,8}", "[a-zA-Z0-9][a-zA-Z0-9._+-]{0,10}[a-z0-9]", Just("jánka.ö".to_owned())];
    let domain = prop_oneof![
        "[a-z]{1,8}\\.(com|is|pl|example)",
        "[a-z0-9]{1,5}-[a-z]{1,5}\\.co\\.uk",
        Just("münchen.de".to_owned())
    ];
    (local, domain).prop_map(|(local, domain)| format!("{local}@{domain}"))
}

fn phone() -> impl Strategy<Value = String> {
    prop_oneof!["\\+[1-9][0-9]{7,14}", "\\+48 [0-9]{3} [0-9]{3} [0-9]{3}", "[2-9][0-9]{2}-[0-9]{3}-[0-9]{4}"]
}

/// A text as it may stand in an address: as it is, or percent-encoded once, twice or in every letter.
fn written(text: &str, how: u8) -> String {
    let all = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    let once =
        |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20");
    match how % 4 {
        0 => text.replace(' ', "%20"),
        1 => once(text),
        2 => once(&once(text)),
        _ => all(text),
    }
}

/// Addresses with a text planted somewhere in them.
fn around(planted: impl Strategy<Value = String>) -> impl Strategy<Value = (String, String)> {
    let template = select(vec![
        "https://shop.example/{}",
        "https://shop.example/u/{}/orders?x=1",
        "https://shop.example/?q={}",
        "https://shop.example/?a=1&who={}&utm_source=ada#top",
        "https://shop.example/?{}=1",
        "https://shop.example/?{}",
        "https://shop.example/#/me/{}",
        "https://shop.example/#who={}",
        "https://shop.example/?back=%2Faccount%3Fwho%3D{}",
        "https://shop.example/?back=https://other.example/?who={}",
        "/account/{}?x",
        "?who={}",
        "shop.example/{}",
        "mailto:{}",
        "app://open/{}?who={}",
        "{}",
        "https://shop.example/a{}b?x=-{}-",
    ]);
    (template, planted, any::<u8>())
        .prop_map(|(template, planted, how)| (template.replace("{}", &written(&planted, how)), planted))
}

/// A text without any encoding.
fn bare(text: &str) -> String {
    let mut text = text.to_owned();
    loop {
        let next = text.replace('+', "%2B");
        let next = url::form_urlencoded::parse(format!("={}", next.replace(['&', ';'], "%26")).as_bytes())
            .map(|(_, value)| value.into_owned())
            .collect::<String>();
        if next == text {
            return text;
        }
        text = next;
    }
}

/// Pieces that mean something to addresses, in any order.
fn anything() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        select(vec![
            "https://",
            "shop.example",
            "/",
            "?",
            "&",
            "=",
            "#",
            "%40",
            "@",
            "%",
            "%2540",
            "+",
            "email",
            "token=",
            "x",
            "com",
            ".",
            "1",
            "555-555-0100",
            "\\",
            ":",
            "(",
            ")",
            " ",
            "user:pw@",
            "é",
            "[",
            "]",
            ";",
            "mailto:",
            "//",
        ])
        .prop_map(str::to_owned),
        email(),
        ".{0,3}",
    ];
    vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_planted_address_never_survives((url, planted) in around(email())) {
        let clean = Personal::default().url(&url).into_owned();
        prop_assert!(!bare(&clean).contains(&planted), "{} → {}", url, clean);
    }

    #[test]
    fn a_planted_number_never_survives((url, planted) in around(phone())) {
        // A letter or digit in front makes it another word.
        prop_assume!(!url.contains("/a"));
        let clean = Personal::default().url(&url).into_owned();
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        prop_assert!(!digits(&bare(&clean)).contains(&digits(&planted)), "{} → {}", url, clean);
    }

    #[test]
    fn cleaning_again_changes_nothing(url in anything()) {
        let personal = Personal::default();
        let once = personal.url(&url).into_owned();
        prop_assert_eq!(&*personal.url(&once), &*once, "{}", url);
        let text = personal.text(&url).into_owned();
        prop_assert_eq!(&*personal.text(&text), &*text, "{}", url);
    }

    #[test]
    fn an_address_that_can_be_read_stays_one(url in anything()) {
        let clean = Personal::default().url(&url).into_owned();
        if let Ok(before) = Url::parse(&url) {
            let after = Url::parse(&clean).ok();
            prop_assert!(after.is_some(), "{} → {}", url, clean);
            // Hosts of schemes that nobody browses may hold an address themselves.
            if !clean.ends_with(":(removed)") {
                prop_assert_eq!(after.as_ref().and_then(Url::host), before.host(), "{} → {}", url, clean);
            }
        }
    }

    #[test]
    fn pages_are_spelled_once(url in anything()) {
        let once = canonical(&url).into_owned();
        prop_assert_eq!(&*canonical(&once), &*once, "{}", url);
    }

    #[test]
    fn the_value_of_a_personal_parameter_never_survives(name in select(PARAMETERS.to_vec()), upper: bool, value in "[a-z]{12,20}", end in "(&x=1|#top|)") {
        let name = if upper { name.to_uppercase() } else { name.to_owned() };
        for url in [format!("https://shop.example/?a=1&{name}={value}{end}"), format!("/?customer[{name}]={value}{end}"), format!("https://shop.example/#{name}={value}")] {
            let clean = Personal::default().url(&url).into_owned();
            prop_assert!(!clean.contains(&value), "{} → {}", url, clean);
            prop_assert!(clean.contains("=(removed)"), "{} → {}", url, clean);
        }
    }

    /// What stays is what was told, byte for byte.
    #[test]
    fn harmless_addresses_are_left_alone(path in "(/[a-z]{1,8}){0,3}", campaign in "[a-zA-Z_]{1,12}", id in "[0-9]{1,20}", click in "[A-Za-z0-9_]{10,40}") {
        let url = format!("https://Shop.example{path}?utm_campaign={campaign}&id={id}&gclid={click}&page=2");
        prop_assert!(matches!(Personal::default().url(&url), Cow::Borrowed(_)), "{}", url);
    }
}

#[test]
fn examples_of_the_documentation_hold() {
    let personal = Personal::default();
    for (url, shown) in [
        (
            "https://shop.example/reset?token=abc&utm_source=mail",
            "https://shop.example/reset?token=(removed)&utm_source=mail",
        ),
        ("https://shop.example/u/jane@mail.example/orders", "https://shop.example/u/(email)/orders"),
        (
            "https://shop.example/?q=call%20%2B48%20123%20456%20789%20now",
            "https://shop.example/?q=call%20(phone)%20now",
        ),
        ("https://jane:secret@shop.example/", "https://shop.example/"),
        (
            "https://shop.example/?customer[email]=x&Last-Name=Doe",
            "https://shop.example/?customer[email]=(removed)&Last-Name=(removed)",
        ),
        (
            "https://shop.example/?next=%2Flogin%3Ftoken%3Dabc%26a%3D1",
            "https://shop.example/?next=%2Flogin%3Ftoken%3D(removed)%26a%3D1",
        ),
        ("https://shop.example/cb#access_token=abc&state=1", "https://shop.example/cb#access_token=(removed)&state=1"),
        ("/cart?e%6Dail=x", "/cart?e%6Dail=(removed)"),
        ("mailto:jane@mail.example?subject=Hi", "mailto:(email)?subject=Hi"),
        (
            "https://cdn.example/vue@2.6.14/vue.js?v=20261122101500",
            "https://cdn.example/vue@2.6.14/vue.js?v=20261122101500",
        ),
    ] {
        assert_eq!(personal.url(url), shown, "{url}");
    }
    for length in [62, 63, 64, 65, 200] {
        let url = format!("/?{}=1", "e".repeat(length));
        assert_eq!(personal.url(&url), url);
    }
    let own = Personal::new(["badge"], vec![Shape::Email]);
    assert_eq!(own.url("/?badge=7&token=abc&tel=555-555-0100"), "/?badge=(removed)&token=abc&tel=555-555-0100");
    let none = Personal::new([], vec![]);
    assert_eq!(none.url("/?email=a@b.example"), "/?email=a@b.example");
}
