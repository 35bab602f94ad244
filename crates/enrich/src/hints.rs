//! User-agent client hints, as headers carry them or as `navigator.userAgentData` gives them.
//!
//! <https://wicg.github.io/ua-client-hints/>: `Sec-CH-UA`, `-Mobile`, `-Platform`, `-Model`, and the members `brands`,
//! `fullVersionList`, `mobile`, `platform`, `model`, `formFactors`. One brand of every list is made up, so that nobody relies on
//! the list.
use serde_json::Value;
use std::borrow::Cow;

/// What the hints say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// The browser's name and major version.
    pub browser: Option<(Cow<'static, str>, Option<String>)>,
    /// The operating system.
    pub os: Option<&'static str>,
    /// Whether pages for telephones are preferred.
    pub mobile: Option<bool>,
    /// `desktop`, `mobile` or `tablet`, where the model or the form factor tells.
    pub device: Option<&'static str>,
    /// A browser that nobody looks at.
    pub headless: bool,
}

/// Brands and what reports call them.
const BRANDS: [(&str, &str); 12] = [
    ("Google Chrome", "Chrome"),
    ("HeadlessChrome", "Chrome"),
    ("Microsoft Edge", "Edge"),
    ("Microsoft Edge WebView2", "Edge"),
    ("Opera", "Opera"),
    ("Opera GX", "Opera"),
    ("OperaMobile", "Opera"),
    ("Yandex", "Yandex Browser"),
    ("YaBrowser", "Yandex Browser"),
    ("Samsung Internet", "Samsung Internet"),
    ("Android WebView", "Android WebView"),
    ("Chromium", "Chromium"),
];

const PLATFORMS: [(&str, &str); 9] = [
    ("Windows", "Windows"),
    ("macOS", "macOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
    ("Android", "Android"),
    ("iOS", "iOS"),
    ("Chrome OS", "Chrome OS"),
    ("Chromium OS", "Chrome OS"),
    ("Fuchsia", "Fuchsia"),
];

/// Longer names are no browser's.
const NAME_MAX: usize = 40;

impl Hints {
    /// Reads hints kept as an object; members that are not understood say nothing.
    #[must_use]
    pub fn read(hints: &Value) -> Self {
        let list = |name: &str| hints.get(name).map(brands).filter(|list| !list.is_empty());
        let brands = list("brands").or_else(|| list("fullVersionList")).unwrap_or_default();
        let text = |name: &str| hints.get(name).and_then(Value::as_str).map(|text| text.trim().trim_matches('"'));
        let mobile =
            ["mobile", "isMobile"].into_iter().find_map(|name| hints.get(name)).and_then(|value| match value {
                Value::Bool(yes) => Some(*yes),
                Value::String(text) if text == "?1" => Some(true),
                Value::String(text) if text == "?0" => Some(false),
                _ => None,
            });
        let platform = text("platform").unwrap_or_default();
        let form = hints.get("formFactors").and_then(|forms| forms.get(0)).and_then(Value::as_str);
        let device = form.and_then(|form| match form {
            "Desktop" => Some("desktop"),
            "Mobile" => Some("mobile"),
            "Tablet" => Some("tablet"),
            _ => None,
        });
        Self {
            headless: brands.iter().any(|(name, _)| name == "HeadlessChrome"),
            browser: browser(brands),
            os: PLATFORMS.iter().find(|(name, _)| name.eq_ignore_ascii_case(platform)).map(|(_, os)| *os),
            mobile,
            device: device.or_else(|| text("model").and_then(by_model)),
        }
    }
}

/// The brand that says most: one that is neither made up nor what all of its kind are built of.
fn browser(brands: Vec<(String, String)>) -> Option<(Cow<'static, str>, Option<String>)> {
    let real = brands.into_iter().filter(|(name, _)| !is_made_up(name) && (1..=NAME_MAX).contains(&name.len()));
    let (name, version) = real.min_by_key(|(name, _)| name == "Chromium")?;
    let known = BRANDS.iter().find(|(brand, _)| *brand == name);
    let digits = version.split('.').next().filter(|text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()));
    let version = digits.map(str::to_owned);
    Some((known.map_or(Cow::Owned(name), |(_, ours)| Cow::Borrowed(*ours)), version))
}

/// `Not:A-Brand`, `Not A;Brand`, `Not/A)Brand` …
fn is_made_up(name: &str) -> bool {
    name.contains("Not") && name.contains("Brand")
}

fn by_model(model: &str) -> Option<&'static str> {
    let tablet = ["Tab", "Pad", "SM-T", "SM-X"].iter().any(|word| model.contains(word));
    tablet.then_some("tablet")
}

/// Names and versions of `"Chromium";v="118", "Not:A-Brand";v="8"` or of `[{"brand": …, "version": …}]`.
fn brands(list: &Value) -> Vec<(String, String)> {
    match list {
        Value::Array(items) => {
            let pair = |item: &Value| {
                let text = |name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
                Some((text("brand")?, text("version").unwrap_or_default()))
            };
            items.iter().filter_map(pair).collect()
        }
        Value::String(header) => {
            // Names hold commas and semicolons, but no quotes: every second part between quotes is a text.
            let texts: Vec<&str> = header.split('"').skip(1).step_by(2).collect();
            texts.chunks_exact(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned())).collect()
        }
        _ => Vec::new(),
    }
}
