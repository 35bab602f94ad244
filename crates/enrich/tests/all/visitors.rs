//! Browsers, systems, devices and bots: agents as vendors document them and as clients sent them.
use crate::source_table::shared;
use safar_enrich::{Agent, Hints, Told, Visitors, is_bot};
use serde_json::{Value, json};

/// `browser version / system / device`.
fn seen(agent: &str, hints: Option<&Value>) -> String {
    let visitor = Visitors::default().read(&Told { agent, hints, ..Told::default() });
    let browser = visitor.browser.as_deref().unwrap_or("-");
    let version = visitor.browser_version.as_deref().unwrap_or("-");
    format!("{browser} {version} / {} / {}", visitor.os.unwrap_or("-"), visitor.device.unwrap_or("-"))
}

/// Agents of vendors' own pages: Chrome's (chromium.org/updates/ua-reduction), Apple's and Mozilla's (MDN's pages on
/// User-Agent and on Firefox's agents), Microsoft's (learn.microsoft.com, user-agent guidance), Samsung's
/// (developer.samsung.com), Amazon's (developer.amazon.com, Fire TV and Silk), Meta's in-app browser as it is widely logged.
#[test]
fn documented_agents_are_read() {
    for (agent, wanted) in [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
            "Chrome 124 / Windows / desktop",
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36",
            "Chrome 124 / Android / mobile",
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
            "Chrome 124 / Android / tablet",
        ),
        (
            "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
            "Chrome 124 / Chrome OS / desktop",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/124.0.6367.88 Mobile/15E148 Safari/604.1",
            "Chrome 124 / iOS / mobile",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 13_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.1.1 Mobile/15E148 Safari/604.1",
            "Safari 13 / iOS / mobile",
        ),
        (
            "Mozilla/5.0 (iPad; CPU OS 12_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Mobile/15E148 Safari/604.1",
            "Safari 12 / iOS / tablet",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15",
            "Safari 17 / macOS / desktop",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
            "Safari (in-app) - / iOS / mobile",
        ),
        ("Mozilla/5.0 (X11; Linux i686; rv:124.0) Gecko/20100101 Firefox/124.0", "Firefox 124 / Linux / desktop"),
        ("Mozilla/5.0 (Android 13; Mobile; rv:124.0) Gecko/124.0 Firefox/124.0", "Firefox 124 / Android / mobile"),
        ("Mozilla/5.0 (Android 13; Tablet; rv:124.0) Gecko/124.0 Firefox/124.0", "Firefox 124 / Android / tablet"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 13_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/28.0 Mobile/15E148 Safari/605.1.15",
            "Firefox 28 / iOS / mobile",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36 Edg/124.0.2478.51",
            "Edge 124 / Windows / desktop",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox One) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/64.0.3282.140 Safari/537.36 Edge/18.17763",
            "Edge 18 / Xbox / console",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
            "Internet Explorer 11 / Windows / desktop",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 OPR/106.0.0.0",
            "Opera 106 / Windows / desktop",
        ),
        (
            "Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/21.0 Chrome/110.0.5481.154 Mobile Safari/537.36",
            "Samsung Internet 21 / Android / mobile",
        ),
        (
            "Mozilla/5.0 (Linux; Android 12; SM-T870) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/110.0.0.0 Safari/537.36",
            "Chrome 110 / Android / tablet",
        ),
        (
            "Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) 76.0.3809.146/6.0 TV Safari/537.36",
            "- - / Tizen / tv",
        ),
        (
            "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/79.0.3945.79 Safari/537.36 WebAppManager",
            "Chrome 79 / webOS / tv",
        ),
        (
            "Mozilla/5.0 (Linux; Android 7.1.2; AFTMM Build/NS6265; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/70.0.3538.110 Mobile Safari/537.36",
            "Android WebView 70 / Android / tv",
        ),
        (
            "Mozilla/5.0 (PlayStation; PlayStation 5/2.26) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.0 Safari/605.1.15",
            "- - / PlayStation / console",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21E219 Instagram 327.0.6.33.90 (iPhone14,5; iOS 17_4)",
            "Instagram 327 / iOS / mobile",
        ),
        (
            "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/UD1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/124.0.6367.54 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/459.0.0.44.109;]",
            "Facebook 459 / Android / mobile",
        ),
        ("", "- - / - / -"),
    ] {
        assert_eq!(seen(agent, None), wanted, "{agent}");
        assert!(!is_bot(agent), "{agent}");
    }
}

/// The header's examples of <https://wicg.github.io/ua-client-hints/> and those of Matomo's and Segment's clients.
#[test]
fn client_hints_say_more_than_frozen_agents() {
    let frozen = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36";
    let desktop = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36";
    for (agent, hints, wanted) in [
        (
            desktop,
            json!({ "brands": "\"Chromium\";v=\"124\", \"Brave\";v=\"124\", \"Not-A.Brand\";v=\"99\"", "mobile": "?0", "platform": "\"macOS\"" }),
            "Brave 124 / macOS / desktop",
        ),
        (
            desktop,
            json!({ "brands": [{ "brand": "Not:A-Brand", "version": "8" }, { "brand": "Chromium", "version": "124" }, { "brand": "Microsoft Edge", "version": "125" }], "mobile": false, "platform": "Windows" }),
            "Edge 125 / Windows / desktop",
        ),
        (
            frozen,
            json!({ "mobile": "?1", "platform": "\"Android\"", "model": "\"SM-X700\"" }),
            "Chrome 124 / Android / tablet",
        ),
        (
            "",
            json!({ "fullVersionList": [{ "brand": "Google Chrome", "version": "124.0.6367.60" }], "formFactors": ["Tablet"], "platform": "Android" }),
            "Chrome 124 / Android / tablet",
        ),
        (
            "Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/124.0.0.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/459.0;]",
            json!({ "brands": "\"Chromium\";v=\"124\", \"Android WebView\";v=\"124\"", "mobile": "?1" }),
            "Facebook 459 / Android / mobile",
        ),
        (desktop, json!({ "brands": 7, "mobile": "perhaps", "platform": [] }), "Chrome 124 / Windows / desktop"),
        (desktop, json!("nothing"), "Chrome 124 / Windows / desktop"),
    ] {
        assert_eq!(seen(agent, Some(&hints)), wanted, "{hints}");
    }
    let hints = json!({ "brands": [{ "brand": "HeadlessChrome", "version": "156" }] });
    let visitor = Visitors::default().read(&Told { agent: desktop, hints: Some(&hints), ..Told::default() });
    assert_eq!((visitor.bot, visitor.device), (true, Some("bot")));
    assert!(Hints::read(&hints).headless);
}

/// What each says of itself, from its own page: Google's and Bing's lists of crawlers, GPTBot's, and the names of libraries.
#[test]
fn programs_that_say_so_are_bots() {
    for agent in [
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Googlebot/2.1; +http://www.google.com/bot.html) Chrome/124.0.0.0 Safari/537.36",
        "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36 (compatible; Google-InspectionTool/1.0;)",
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.1; +https://openai.com/gptbot)",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "curl/8.5.0",
        "python-requests/2.31.0",
        "Go-http-client/2.0",
    ] {
        assert!(is_bot(agent), "{agent}");
        assert!(seen(agent, None).ends_with(" / bot"), "{agent}");
    }
    for agent in [
        "Mozilla/5.0 (Linux; Android 9; CUBOT X19) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36",
        "MyShop/7.1 (com.shop.app; build:12; iOS 17.4.0) Alamofire/5.8.0",
        "okhttp/4.12.0",
    ] {
        assert!(!is_bot(agent), "{agent}");
    }
}

/// Lists of agents kept beside the project: of bots nine in ten are found, of others hardly one in four hundred is taken for one.
#[test]
fn lists_of_agents_are_told_apart() {
    let (Some(bots), Some(others)) = (shared("bots.txt"), shared("humans.txt")) else { return };
    let count = |text: &str| {
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        lines.fold((0, 0), |(found, all), line| (found + usize::from(is_bot(line)), all + 1))
    };
    let ((found, bots), (wrong, others)) = (count(&bots), count(&others));
    println!("bots: {found} of {bots}; others: {wrong} of {others}");
    assert!(bots > 2_000 && others > 8_000);
    assert!(found * 10 >= bots * 9, "{found} of {bots}");
    assert!(wrong * 400 <= others, "{wrong} of {others}");
}

#[test]
fn agents_of_any_kind_are_read_without_surprise() {
    for agent in ["Chrome/", "Version/", "Mozilla/5.0 (", "MSIE ", "Chrome/99999999999", "é; wv) Chrome/1"] {
        let read = Agent::read(agent, &Hints::default());
        assert!(read.version.is_none_or(|version| version.len() <= 6), "{agent}");
    }
}
