//! Browser, operating system and kind of device, by the user agent and the client hints.
//!
//! User agents are read by the words that vendors document: [Chrome's reduced
//! agents](https://www.chromium.org/updates/ua-reduction/), [Firefox's](https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/User-Agent/Firefox),
//! [Samsung's](https://developer.samsung.com/internet/user-agent-string-format.html), [Fire
//! TV's](https://developer.amazon.com/docs/fire-tv/user-agent-strings.html). Client hints win where they say more: browsers
//! freeze what their agents say. An iPad that asks for desktop pages calls itself a Macintosh, and is one here.
use crate::hints::Hints;
use std::borrow::Cow;

/// What somebody uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agent {
    /// The browser, or the application around the page: `Chrome`, `Safari`, `Instagram` …
    pub browser: Option<Cow<'static, str>>,
    /// Its major version.
    pub version: Option<String>,
    /// The operating system.
    pub os: Option<&'static str>,
    /// `desktop`, `mobile`, `tablet`, `tv` or `console`.
    pub device: Option<&'static str>,
}

/// What stands in front of the version, and the browser's name; the first that is found decides. Applications that show pages
/// come first, then browsers that also name the one they are built of.
const BROWSERS: [(&str, &str); 63] = [
    ("Instagram ", "Instagram"),
    ("FBAV/", "Facebook"),
    ("FBAN/", "Facebook"),
    ("FB_IAB/", "Facebook"),
    ("musical_ly", "TikTok"),
    ("trill_", "TikTok"),
    ("BytedanceWebview", "TikTok"),
    ("LinkedInApp", "LinkedIn"),
    ("Pinterest/", "Pinterest"),
    ("[Pinterest", "Pinterest"),
    ("Snapchat/", "Snapchat"),
    ("Twitter for ", "X"),
    ("MicroMessenger/", "WeChat"),
    ("KAKAOTALK", "KakaoTalk"),
    (" Line/", "LINE"),
    ("GSA/", "Google App"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("Ddg/", "DuckDuckGo"),
    ("EdgiOS/", "Edge"),
    ("EdgA/", "Edge"),
    ("Edg/", "Edge"),
    ("Edge/", "Edge"),
    ("OPR/", "Opera"),
    ("OPT/", "Opera"),
    ("OPX/", "Opera"),
    ("OPiOS/", "Opera Mini"),
    ("Opera Mini/", "Opera Mini"),
    ("Opera Mobi", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("YaBrowser/", "Yandex Browser"),
    ("Vivaldi/", "Vivaldi"),
    ("UCBrowser/", "UC Browser"),
    ("UCWEB", "UC Browser"),
    ("Whale/", "Whale"),
    ("MiuiBrowser/", "MIUI Browser"),
    ("HuaweiBrowser/", "Huawei Browser"),
    ("VivoBrowser/", "Vivo Browser"),
    ("HeyTapBrowser/", "HeyTap Browser"),
    ("MQQBrowser/", "QQ Browser"),
    ("QQBrowser/", "QQ Browser"),
    ("coc_coc_browser/", "Cốc Cốc"),
    ("Brave/", "Brave"),
    ("Silk/", "Silk"),
    ("Puffin/", "Puffin"),
    ("Maxthon/", "Maxthon"),
    ("Iron/", "Iron"),
    ("Electron/", "Electron"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("SeaMonkey/", "SeaMonkey"),
    ("PaleMoon/", "Pale Moon"),
    ("Waterfox/", "Waterfox"),
    ("Camino/", "Camino"),
    ("Firefox/", "Firefox"),
    ("MSIE ", "Internet Explorer"),
    ("Konqueror/", "Konqueror"),
    ("Epiphany/", "Epiphany"),
    ("Chromium/", "Chromium"),
    ("HeadlessChrome/", "Chrome"),
    ("NetFront/", "NetFront"),
    ("BB10", "BlackBerry"),
    ("BlackBerry", "BlackBerry"),
    ("Nintendo", "Nintendo Browser"),
];

/// Words of an agent and the operating system; the first that is found decides.
const SYSTEMS: [(&str, &str); 34] = [
    ("Windows Phone", "Windows Phone"),
    ("IEMobile", "Windows Phone"),
    ("Windows CE", "Windows Mobile"),
    ("Xbox", "Xbox"),
    ("PlayStation", "PlayStation"),
    ("PLAYSTATION", "PlayStation"),
    ("Nintendo", "Nintendo"),
    ("Tizen", "Tizen"),
    ("Web0S", "webOS"),
    ("webOS", "webOS"),
    ("hpwOS", "webOS"),
    ("KAIOS", "KaiOS"),
    ("HarmonyOS", "HarmonyOS"),
    ("OpenHarmony", "HarmonyOS"),
    ("Roku", "Roku"),
    ("AppleTV", "tvOS"),
    ("Apple TV", "tvOS"),
    ("tvOS", "tvOS"),
    ("iPhone", "iOS"),
    ("iPad", "iOS"),
    ("iPod", "iOS"),
    ("Android", "Android"),
    ("CrOS", "Chrome OS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Mac OS X", "macOS"),
    ("Mac_PowerPC", "macOS"),
    ("BlackBerry", "BlackBerry"),
    ("BB10", "BlackBerry"),
    ("Symbian", "Symbian"),
    ("Linux", "Linux"),
    ("X11", "Linux"),
    ("BSD", "BSD"),
    ("SunOS", "Solaris"),
];

const CONSOLES: [&str; 4] = ["PlayStation", "PLAYSTATION", "Nintendo", "Xbox"];
const TELEVISIONS: [&str; 19] = [
    "SmartTV",
    "Smart-TV",
    "SMART-TV",
    "Smart TV",
    "AppleTV",
    "Apple TV",
    "tvOS",
    "GoogleTV",
    "Google TV",
    "Android TV",
    "HbbTV",
    "CrKey",
    "BRAVIA",
    "Roku",
    "; AFT",
    "Web0S",
    "NetCast",
    "VIDAA",
    "DTV",
];
const TABLETS: [&str; 5] = ["iPad", "PlayBook", "Kindle", "SM-T", "SM-X"];
const PHONES: [&str; 11] = [
    "Mobi",
    "iPhone",
    "iPod",
    "Windows Phone",
    "Opera Mini",
    "BlackBerry",
    "BB10",
    "Symbian",
    "KAIOS",
    "Windows CE",
    "J2ME",
];
const COMPUTERS: [&str; 6] = ["Windows", "Macintosh", "Mac OS X", "CrOS", "X11", "Linux"];

impl Agent {
    /// Reads a user agent (empty: there is none) and client hints.
    #[must_use]
    pub fn read(agent: &str, hints: &Hints) -> Self {
        let (browser, version) = browser_of(agent);
        let mut read = Self {
            browser: browser.map(Cow::Borrowed),
            version,
            os: SYSTEMS.iter().find(|(word, _)| agent.contains(word)).map(|(_, name)| *name),
            device: device_of(agent),
        };
        read.hear(hints);
        read
    }

    /// Lets client hints say what they know better.
    fn hear(&mut self, hints: &Hints) {
        if let Some((name, version)) = &hints.browser {
            // An application that shows pages tells its name in the agent only.
            let shell = matches!(&**name, "Android WebView" | "Chromium");
            if self.browser.is_none() || !shell && self.browser.as_deref() != Some("Electron") {
                (self.browser, self.version) = (Some(name.clone()), version.clone());
            }
        }
        self.os = hints.os.or(self.os);
        let large = matches!(self.device, Some("tablet" | "tv" | "console"));
        let by_hints = match (hints.device, hints.mobile) {
            (Some(device), _) => Some(device),
            (None, Some(true)) if !large => Some("mobile"),
            (None, Some(false)) if !large => match self.os {
                Some("Android") => Some("tablet"),
                Some("Windows" | "macOS" | "Linux" | "Chrome OS") => Some("desktop"),
                _ => None,
            },
            _ => None,
        };
        self.device = by_hints.or(self.device);
    }
}

fn browser_of(agent: &str) -> (Option<&'static str>, Option<String>) {
    let has = |word: &str| agent.contains(word);
    let at = |word: &str| agent.find(word).and_then(|at| major(&agent[at + word.len()..]));
    if has("Trident/") && !has("Edge/") {
        return (Some("Internet Explorer"), at("MSIE ").or_else(|| at("rv:")));
    }
    if let Some((word, name)) = BROWSERS.iter().find(|(word, _)| has(word)) {
        return (Some(name), at(word));
    }
    if has("Chrome/") {
        let name = if has("; wv)") { "Android WebView" } else { "Chrome" };
        return (Some(name), at("Chrome/"));
    }
    if has("Opera") {
        return (Some("Opera"), at("Version/").or_else(|| at("Opera/")).or_else(|| at("Opera ")));
    }
    if has("Android") && has("Version/") {
        return (Some("Android Browser"), at("Version/"));
    }
    if has("AppleWebKit") && ["iPhone", "iPad", "iPod", "Macintosh"].into_iter().any(has) {
        let name = if has("Safari/") { "Safari" } else { "Safari (in-app)" };
        return (Some(name), at("Version/"));
    }
    (None, None)
}

/// The digits in front.
fn major(text: &str) -> Option<String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    (1..=6).contains(&digits).then(|| text[..digits].to_owned())
}

fn device_of(agent: &str) -> Option<&'static str> {
    let any = |words: &[&str]| words.iter().any(|word| agent.contains(word));
    let is_tablet = || any(&TABLETS) || agent.contains("Tablet") && !agent.contains("Tablet PC");
    // Android's own rule: what does not say Mobile is no telephone.
    let is_android = agent.contains("Android") && !agent.contains("Windows Phone");
    if any(&CONSOLES) {
        Some("console")
    } else if any(&TELEVISIONS) || agent.contains("Tizen") && agent.contains("TV") {
        Some("tv")
    } else if is_tablet() || is_android && !agent.contains("Mobi") && !agent.contains("Opera Mini") {
        Some("tablet")
    } else if any(&PHONES) {
        Some("mobile")
    } else if any(&COMPUTERS) || agent.contains("BSD") {
        Some("desktop")
    } else {
        None
    }
}
