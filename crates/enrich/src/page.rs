//! One spelling for one page, so that its visits are counted together.
use crate::click_id;
use std::borrow::Cow;

/// Parameters that say how somebody came or who they are to a tool, and not which page they see; beside every `utm_*`, the
/// click ids, and what begins with one of [`PREFIXES`].
const TRACKING: [&str; 32] = [
    "_ga",
    "_gl",
    "_gac",
    "gad_source",
    "gad_campaignid",
    "gclsrc",
    "mc_cid",
    "mc_eid",
    "_hsenc",
    "_hsmi",
    "__hssc",
    "__hstc",
    "__hsfp",
    "hsctatracking",
    "mkt_tok",
    "oly_enc_id",
    "oly_anon_id",
    "vero_id",
    "vero_conv",
    "_openstat",
    "ysclid",
    "fb_action_ids",
    "fb_action_types",
    "fb_source",
    "igsh",
    "wickedid",
    "irclickid",
    "_kx",
    "dm_i",
    "ml_subscriber",
    "ml_subscriber_hash",
    "cjevent",
];
const PREFIXES: [&str; 5] = ["utm_", "mtm_", "pk_", "piwik_", "hsa_"];

/// The page that an address shows: scheme and host in lower case, without the usual port, without parameters that only say how
/// somebody came, the others in the order of their names, without a slash behind the path, and without a place on the page
/// (routes such as `#/cart` stay). Doing it again changes nothing.
///
/// ```
/// use safar_enrich::page::canonical;
/// let url = "HTTPS://Shop.Example:443/tea/?utm_source=ada&size=2&colour=red&gclid=Cj0#reviews";
/// assert_eq!(canonical(url), "https://shop.example/tea?colour=red&size=2");
/// ```
#[must_use]
pub fn canonical(url: &str) -> Cow<'_, str> {
    let text = url.trim();
    let (rest, fragment) = text.split_once('#').map_or((text, ""), |(rest, fragment)| (rest, fragment));
    let (rest, query) = rest.split_once('?').map_or((rest, ""), |(rest, query)| (rest, query));
    let is_scheme = |front: &str| front.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let host_from = rest.find("://").filter(|at| is_scheme(&rest[..*at])).map_or(0, |at| at + 3);
    let host_to = rest[host_from..].find('/').map_or(rest.len(), |at| host_from + at);
    // Without a scheme, everything is a path.
    let (origin, path) = if host_from > 0 { rest.split_at(host_to) } else { ("", rest) };
    let origin = origin_of(origin);
    let bare = path.trim_end_matches(|sign: char| sign == '/' || sign.is_whitespace());
    let path = match bare {
        "" if origin.is_empty() && path.is_empty() => "",
        "" => "/",
        bare => bare,
    };
    let pairs = query.split('&').map(str::trim).filter(|pair| !pair.is_empty() && !is_tracking(pair));
    let mut pairs: Vec<&str> = pairs.collect();
    pairs.sort_unstable();
    let route = fragment.starts_with('/') || fragment.starts_with("!/");
    let size = origin.len() + path.len();
    if pairs.is_empty() && !route && size == url.len() && matches!(origin, Cow::Borrowed(_)) {
        return Cow::Borrowed(url);
    }
    let mut out = String::with_capacity(url.len() + 1);
    out.push_str(&origin);
    out.push_str(path);
    for (number, pair) in pairs.iter().enumerate() {
        out.push(if number == 0 { '?' } else { '&' });
        out.push_str(pair);
    }
    if route {
        out.push('#');
        out.push_str(fragment);
    }
    Cow::Owned(out)
}

fn origin_of(origin: &str) -> Cow<'_, str> {
    let lower = if origin.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(origin.to_ascii_lowercase())
    } else {
        Cow::Borrowed(origin)
    };
    for (scheme, port) in [("https://", ":443"), ("http://", ":80")] {
        if let Some(bare) = lower.strip_prefix(scheme).and_then(|_| lower.strip_suffix(port)) {
            return Cow::Owned(bare.to_owned());
        }
    }
    lower
}

fn is_tracking(pair: &str) -> bool {
    let name = &pair[..pair.find('=').unwrap_or(pair.len())];
    let begins = |prefix: &&str| name.get(..prefix.len()).is_some_and(|front| front.eq_ignore_ascii_case(prefix));
    PREFIXES.iter().any(begins)
        || TRACKING.iter().any(|known| known.eq_ignore_ascii_case(name))
        || click_id::find(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_have_one_spelling() {
        for (url, page) in [
            ("https://shop.example", "https://shop.example/"),
            ("https://shop.example/", "https://shop.example/"),
            ("https://shop.example/a/b", "https://shop.example/a/b"),
            ("http://Shop.example:80/A/", "http://shop.example/A"),
            ("https://shop.example:8443/?b=2&a=1&&", "https://shop.example:8443/?a=1&b=2"),
            ("https://shop.example/?UTM_Source=x&mtm_kwd=y&fbclid=z&_gl=1*2", "https://shop.example/"),
            ("https://shop.example/#/cart?x=1", "https://shop.example/#/cart?x=1"),
            ("https://shop.example/#top", "https://shop.example/"),
            ("https://shop.example?q=/x/", "https://shop.example/?q=/x/"),
            ("/tea/?utm_id=1", "/tea"),
            ("/", "/"),
            ("", ""),
            ("app://cart/", "app://cart/"),
        ] {
            assert_eq!(canonical(url), page, "{url}");
            assert_eq!(canonical(page), page, "{url}");
        }
    }
}
