//! A request as the server hands it over, and what the server knows beside it.
use safar_model::Micros;
use std::{collections::BTreeMap, net::IpAddr};
use url::form_urlencoded;

/// One HTTP request. Nothing here is trusted.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `GET`, `POST` …, in upper case.
    pub method: &'a str,
    /// The path, without the query.
    pub path: &'a str,
    /// The query, without its question mark; empty where there is none.
    pub query: &'a str,
    /// Names in any case, values as bytes, in the order in which they came.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The body as sent, compressed or not.
    pub body: &'a [u8],
    /// Who sent it, once the server has looked through its own proxies.
    pub remote: Option<IpAddr>,
    /// Whether the client spoke TLS, to us or to our proxy.
    pub https: bool,
    /// When it came, microseconds UTC.
    pub received_at: Micros,
}

/// What the server knows that no request can be asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terms<'a> {
    /// A secret that is drawn every day and forgotten: visitors of clients without an identifier of their own are a hash of
    /// it with their address and browser. Without it such visitors have no identifier.
    pub day_salt: Option<&'a [u8]>,
    /// The `token_auth` that lets a Matomo client state other times and addresses than its own.
    pub matomo_token: Option<&'a str>,
    /// The secret that signs the destinations of redirects. Without it no redirect is followed.
    pub link_key: Option<&'a [u8]>,
}

/// Parameters of a query or form; of a repeated name the last value counts, as in PHP.
pub(crate) type Params = BTreeMap<String, String>;

/// Reads `a=1&b=2`; bytes that are no UTF-8 become U+FFFD.
pub(crate) fn params(text: &[u8]) -> Params {
    form_urlencoded::parse(text).into_owned().collect()
}

impl<'a> Request<'a> {
    /// The first header of a name that is not empty; case does not matter.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok().map(str::trim).filter(|value| !value.is_empty())
    }

    /// The user agent where it is a person's browser and not a program that speaks for many people.
    pub(crate) fn browser(&self) -> Option<&'a str> {
        // Umami's client for servers calls itself `Mozilla/5.0 Umami/…`.
        let fits = |agent: &&str| {
            ["Mozilla/", "Opera/"].iter().any(|start| agent.starts_with(start)) && !agent.contains(" Umami/")
        };
        self.header("user-agent").filter(fits)
    }

    /// User name and password of basic authentication, where write keys and perhaps their secrets are put.
    pub(crate) fn basic(&self) -> Option<(String, Option<String>)> {
        let (scheme, word) = self.header("authorization")?.split_once(' ')?;
        let mut user = crate::body::base64_text(word.trim()).filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
        let colon = user.find(':').unwrap_or(user.len());
        let password = user.split_off(colon).get(1..).filter(|password| !password.is_empty()).map(str::to_owned);
        (!user.is_empty()).then_some((user, password))
    }
}
