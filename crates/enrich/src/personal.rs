//! Personal data in the addresses of pages, replaced by marks before anything is stored.
use crate::{
    shapes::{Shape, marked, phone},
    url::{escape, unescape},
};
use hashbrown::HashSet;
use std::borrow::Cow;
use url::Url;

/// What stands in the place of the value of a personal parameter.
pub const REMOVED: &str = "(removed)";

/// Names of parameters whose values are personal or secret, where safar.toml names no others.
pub const PARAMETERS: [&str; 58] = [
    "email",
    "e-mail",
    "mail",
    "email_address",
    "user_email",
    "useremail",
    "customer_email",
    "contact_email",
    "login_hint",
    "username",
    "user_name",
    "login",
    "phone",
    "phone_number",
    "telephone",
    "tel",
    "mobile",
    "msisdn",
    "name",
    "first_name",
    "last_name",
    "full_name",
    "given_name",
    "family_name",
    "surname",
    "fname",
    "lname",
    "nickname",
    "birthday",
    "birthdate",
    "date_of_birth",
    "dob",
    "address",
    "street",
    "postcode",
    "postal_code",
    "zip_code",
    "ssn",
    "iban",
    "card_number",
    "password",
    "passwd",
    "pwd",
    "pass",
    "secret",
    "client_secret",
    "token",
    "access_token",
    "id_token",
    "refresh_token",
    "auth_token",
    "reset_token",
    "api_key",
    "apikey",
    "jwt",
    "otp",
    "session_id",
    "signature",
];

/// How often an address may be encoded over: more is nothing that a browser does.
const LAYERS: usize = 16;
/// How deep addresses within addresses are looked at by the names of their parameters.
const DEPTH: usize = 3;

/// Longer names of parameters are nobody's; a number of 64 bits has one for each length.
const LONGEST: usize = 63;

/// The rules by which personal data are found.
#[derive(Clone, Debug)]
pub struct Personal {
    /// In lower case, without signs.
    names: HashSet<String, foldhash::fast::FixedState>,
    /// A bit for each length of a name that begins with the letter.
    lengths: [u64; 26],
    shapes: Vec<Shape>,
}

impl Default for Personal {
    fn default() -> Self {
        Self::new(PARAMETERS, vec![Shape::Email, Shape::Phone])
    }
}

/// A name without what does not matter: case and signs.
fn plain(name: &str) -> String {
    name.chars().filter(|sign| sign.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl Personal {
    /// Rules that take the values of these parameters (case and signs in their names do not matter) and these shapes.
    pub fn new<'a>(parameters: impl IntoIterator<Item = &'a str>, shapes: Vec<Shape>) -> Self {
        let names: HashSet<String, _> = parameters.into_iter().map(plain).filter(|name| !name.is_empty()).collect();
        let mut lengths = [0; 26];
        for name in &names {
            match name.as_bytes()[0] {
                letter @ b'a'..=b'z' => lengths[usize::from(letter - b'a')] |= 1 << name.len().min(LONGEST),
                _ => lengths = [u64::MAX; 26],
            }
        }
        Self { names, lengths, shapes }
    }

    /// An address, absolute or relative, without personal data: the same text where there are none. Cleaning again changes
    /// nothing, and an address that can be read stays one.
    ///
    /// ```
    /// let personal = safar_enrich::Personal::default();
    /// let url = "https://shop.example/u/jane%40mail.example?email=jane&utm_source=ada#top";
    /// assert_eq!(personal.url(url), "https://shop.example/u/(email)?email=(removed)&utm_source=ada#top");
    /// ```
    #[must_use]
    pub fn url<'a>(&self, url: &'a str) -> Cow<'a, str> {
        if self.may_hold(url) {
            self.cleaned(url, 0).map_or(Cow::Borrowed(url), Cow::Owned)
        } else {
            Cow::Borrowed(url)
        }
    }

    /// A text without the shapes of personal data.
    #[must_use]
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let suspect = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'@' | b'%' | b'+');
        if !text.bytes().any(suspect) {
            return Cow::Borrowed(text);
        }
        self.part(text).map_or(Cow::Borrowed(text), |part| part.shown().into())
    }

    /// A quick look: most addresses hold nothing that is worth a closer one.
    fn may_hold(&self, url: &str) -> bool {
        let bytes = url.as_bytes();
        let mut pairs = false;
        for (at, byte) in bytes.iter().enumerate() {
            let after = |step: usize| bytes.get(at + step).copied().unwrap_or(0);
            let suspect = match byte {
                b'@' => true,
                b'%' => match [after(1), after(2).to_ascii_uppercase()] {
                    // An @, a plus sign, an equals sign, or a sign that was encoded twice.
                    [b'4', b'0'] | [b'2', b'B' | b'5'] | [b'3', b'D'] => true,
                    // What parts the digits of a number.
                    [b'2', b'0' | b'8' | b'9' | b'D' | b'E'] => {
                        after(3).is_ascii_digit() || at > 0 && bytes[at - 1].is_ascii_digit()
                    }
                    _ => false,
                },
                b'+' => matches!(after(1), b'0'..=b'9' | b'('),
                b'(' | b'0'..=b'9' => phone(bytes, 0, at).is_some(),
                b'=' => {
                    pairs = true;
                    false
                }
                _ => false,
            };
            if suspect {
                return true;
            }
        }
        let personal = |pair: &str| {
            let name = &pair[..pair.find('=').unwrap_or(0)];
            name.contains('%') || self.is_personal(name)
        };
        pairs && url[url.find(['?', '#']).map_or(url.len(), |at| at + 1)..].split(['&', '#', '?']).any(personal)
    }

    /// Whether the value of a parameter is personal by its name, also within `customer[email]` or `user.email`.
    fn is_personal(&self, name: &str) -> bool {
        if name.is_empty() || name.len() > LONGEST {
            return false;
        }
        let known = |name: &str| {
            let letters = name.bytes().filter(u8::is_ascii_alphanumeric);
            let first = name.bytes().find(u8::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase());
            let fits = match first {
                Some(letter @ b'a'..=b'z') => self.lengths[usize::from(letter - b'a')] >> letters.count() & 1 != 0,
                _ => true,
            };
            (fits || !name.is_ascii()) && self.names.contains(&plain(name))
        };
        let inner = || name.trim_end_matches(']').rsplit(['[', '.']).next().unwrap_or_default();
        known(name) || name.contains(['[', '.']) && known(inner())
    }

    /// `None`: nothing in it changes.
    fn cleaned(&self, url: &str, depth: usize) -> Option<String> {
        let text = url.trim();
        match Url::parse(text) {
            Ok(parsed) => self.parsed(parsed, depth),
            Err(_) => {
                let (rest, fragment) = text.split_once('#').map_or((text, None), |(rest, part)| (rest, Some(part)));
                let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
                let user = path.split_once("//").filter(|(front, rest)| !front.contains('/') && rest.contains('@'));
                let without_user = user.map(|(front, rest)| {
                    let end = rest.find(['/', '\\']).unwrap_or(rest.len());
                    let host = rest[..end].rfind('@').map_or(0, |at| at + 1);
                    format!("{front}//{}", &rest[host..])
                });
                let whole = without_user.as_deref().unwrap_or(path);
                let new_path = self.path(whole).or(without_user.clone());
                let new_query = query.and_then(|query| self.query(query, depth));
                let new_fragment = fragment.and_then(|fragment| self.fragment(fragment, depth));
                if new_path.is_none() && new_query.is_none() && new_fragment.is_none() {
                    return None;
                }
                let mut out = new_path.unwrap_or_else(|| path.to_owned());
                for (sign, new, old) in [('?', new_query, query), ('#', new_fragment, fragment)] {
                    if let Some(part) = new.as_deref().or(old) {
                        out.push(sign);
                        out.push_str(part);
                    }
                }
                Some(out)
            }
        }
    }

    /// An address that has been read stays one: its parts are replaced within it.
    fn parsed(&self, mut url: Url, depth: usize) -> Option<String> {
        if url.host_str().is_some_and(|host| self.part(host).is_some()) {
            // Only hosts of schemes that nobody browses may hold such signs.
            return Some(format!("{}:{REMOVED}", url.scheme()));
        }
        let mut changed = false;
        if !url.username().is_empty() || url.password().is_some() {
            // Only addresses without a host refuse, and those have no user.
            changed = url.set_username("").is_ok() & url.set_password(None).is_ok();
        }
        if let Some(query) = url.query().and_then(|query| self.query(query, depth)) {
            url.set_query(Some(&query));
            changed = true;
        }
        if let Some(fragment) = url.fragment().and_then(|fragment| self.fragment(fragment, depth)) {
            url.set_fragment(Some(&fragment));
            changed = true;
        }
        let path = self.path(url.path());
        if url.cannot_be_a_base() {
            // `mailto:` and the like: the path is all there is.
            let Some(path) = path else { return changed.then(|| url.into()) };
            let (query, fragment) = (url.query().map(str::to_owned), url.fragment().map(str::to_owned));
            let tail = |sign: char, part: Option<String>| part.map(|part| format!("{sign}{part}")).unwrap_or_default();
            return Some(format!("{}:{path}{}{}", url.scheme(), tail('?', query), tail('#', fragment)));
        }
        if let Some(path) = path {
            url.set_path(&path);
            changed = true;
        }
        changed.then(|| url.into())
    }

    fn path(&self, path: &str) -> Option<String> {
        let parts: Vec<_> = path.split('/').map(|part| (part, self.part(part))).collect();
        if parts.iter().all(|(_, new)| new.is_none()) {
            return None;
        }
        let shown = parts.into_iter().map(|(old, new)| new.map_or_else(|| old.to_owned(), Part::encoded));
        Some(shown.collect::<Vec<_>>().join("/"))
    }

    fn query(&self, query: &str, depth: usize) -> Option<String> {
        let mut changed = false;
        let mut out = String::with_capacity(query.len());
        for (number, pair) in query.split('&').enumerate() {
            if number > 0 {
                out.push('&');
            }
            let (name, value) = pair.split_once('=').map_or((pair, None), |(name, value)| (name, Some(value)));
            let new_name = self.part(name).map(Part::encoded);
            let personal = new_name.is_some() || decoded(name).is_none_or(|name| self.is_personal(&name));
            let new_value = value.and_then(|value| self.value(personal, value, depth));
            changed |= new_name.is_some() || new_value.is_some();
            out.push_str(new_name.as_deref().unwrap_or(name));
            if let Some(value) = value {
                out.push('=');
                out.push_str(new_value.as_deref().unwrap_or(value));
            }
        }
        changed.then_some(out)
    }

    /// A fragment is a place on the page, or parameters (OAuth's tokens), or a route with parameters.
    fn fragment(&self, fragment: &str, depth: usize) -> Option<String> {
        let (route, query) = fragment.split_once('?').map_or((fragment, None), |(route, query)| (route, Some(query)));
        let new_route = if route.contains('=') { self.query(route, depth) } else { self.path(route) };
        let new_query = query.and_then(|query| self.query(query, depth));
        if new_route.is_none() && new_query.is_none() {
            return None;
        }
        let mut out = new_route.unwrap_or_else(|| route.to_owned());
        if let Some(query) = new_query.as_deref().or(query) {
            out.push('?');
            out.push_str(query);
        }
        Some(out)
    }

    /// `personal`: the parameter's name says that all of it is.
    fn value(&self, personal: bool, value: &str, depth: usize) -> Option<String> {
        if personal && !value.is_empty() {
            return (value != REMOVED).then(|| REMOVED.to_owned());
        }
        let marked = self.part(value).map(Part::shown);
        // An address within the address, such as the page to go back to.
        let inner = marked.as_deref().map_or_else(|| unescape(value), Cow::Borrowed);
        let is_address = inner.contains('=') && inner.contains(['?', '&', '#']);
        let cleaned = if depth < DEPTH && is_address { self.cleaned(&inner, depth + 1) } else { None };
        cleaned.or(marked).map(|text| escape(&text))
    }

    /// A part of an address, marked; `None`: nothing in it is personal.
    fn part(&self, part: &str) -> Option<Part> {
        let Some(text) = decoded(part) else { return Some(Part(REMOVED.to_owned())) };
        marked(&text, &self.shapes).map(Part)
    }
}

/// A part of an address, decoded and marked.
struct Part(String);

impl Part {
    fn shown(self) -> String {
        self.0
    }

    fn encoded(self) -> String {
        escape(&self.0)
    }
}

/// A text without any percent-encoding, however often it was encoded over; `None`: more often than [`LAYERS`].
fn decoded(text: &str) -> Option<Cow<'_, str>> {
    let mut text = Cow::Borrowed(text);
    for _ in 0..LAYERS {
        if !text.contains('%') {
            return Some(text);
        }
        let next = unescape(&text).into_owned();
        if next == *text {
            return Some(text);
        }
        text = Cow::Owned(next);
    }
    None
}
