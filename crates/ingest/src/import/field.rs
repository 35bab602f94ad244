//! What a column can become, and the well-known names by which that is told.
use super::error::Error;
use std::fmt;

macro_rules! fields {
    ($($(#[$doc:meta])* $field:ident $name:literal [$($synonym:literal)*])*) => {
        /// A field of an event that a column can become.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Field {
            $($(#[$doc])* $field,)*
        }

        impl Field {
            /// Every field, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$field),*];

            /// The word used in `--map` and `safar.toml`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$field => $name,)* }
            }

            /// Column names that are taken for this field, the surest first; case, blanks and signs do not matter.
            #[must_use]
            pub const fn synonyms(self) -> &'static [&'static str] {
                match self { $(Self::$field => &[$name, $($synonym),*],)* }
            }
        }
    };
}

fields! {
    /// Makes a repeated event known as one.
    EventId "event_id" ["messageId" "event_uuid" "insert_id" "uuid" "id"]
    /// What happened.
    Name "name" ["event_name" "event" "event_type" "action"]
    /// When it happened.
    OccurredAt "occurred_at" ["event_timestamp" "event_time" "original_timestamp" "timestamp" "ts" "time" "datetime" "event_date" "date" "order_date"]
    /// The time of day, where `occurred_at` holds the day alone.
    TimeOfDay "time_of_day" []
    /// When it reached whoever wrote the file; the time of the import where that is not told.
    ReceivedAt "received_at" ["server_timestamp" "server_time" "server_received_time" "received_time" "received_timestamp" "ingested_at" "collector_tstamp"]
    /// A device or browser.
    AnonymousId "anonymous_id" ["cookie_id" "cookie" "device_id" "client_id" "visitor_id" "visitor" "full_visitor_id" "user_pseudo_id" "distinct_id" "context.device.id"]
    /// A person, as the shop's own system names them.
    UserId "user_id" ["customer_id" "account_id" "person_id" "profile_id" "uid" "client_user" "client_user_id" "member_id" "customer" "user"]
    /// An e-mail address; only its hash is stored.
    Email "email" ["email_address" "customer_email" "user_email" "traits.email" "context.traits.email"]
    /// An e-mail address that is hashed already (SHA-256 of the trimmed address in lower case).
    EmailHash "email_hash" ["hashed_email" "email_sha256" "sha256_email"]
    /// A telephone number; only its hash is stored.
    Phone "phone" ["phone_number" "telephone" "mobile" "traits.phone" "context.traits.phone"]
    /// A telephone number that is hashed already (SHA-256 of its E.164 form).
    PhoneHash "phone_hash" ["hashed_phone" "phone_sha256" "sha256_phone"]
    /// A record of a CRM.
    CrmId "crm_id" ["contact_id" "lead_id"]
    /// The page seen.
    PageUrl "page_url" ["url" "page_location" "landing_page" "landing_page_url" "page" "href" "context.page.url" "properties.url"]
    /// Its title.
    PageTitle "page_title" ["title" "context.page.title" "properties.title"]
    /// Where the visitor came from.
    Referrer "referrer" ["referer" "page_referrer" "referrer_url" "http_referer" "context.page.referrer" "properties.referrer"]
    /// `utm_source`
    UtmSource "utm_source" ["context.campaign.source"]
    /// `utm_medium`
    UtmMedium "utm_medium" ["context.campaign.medium"]
    /// `utm_campaign`
    UtmCampaign "utm_campaign" ["context.campaign.name"]
    /// `utm_term`
    UtmTerm "utm_term" ["context.campaign.term"]
    /// `utm_content`
    UtmContent "utm_content" ["context.campaign.content"]
    /// The value of a click parameter such as gclid.
    ClickId "click_id" []
    /// Which parameter it was.
    ClickIdType "click_id_type" []
    /// Source as given: wins over every rule.
    Source "source" ["traffic_source"]
    /// Medium as given.
    Medium "medium" ["traffic_medium"]
    /// Campaign as given.
    Campaign "campaign" ["campaign_name"]
    /// Channel as given.
    Channel "channel" ["channel_group" "marketing_channel" "default_channel_group"]
    /// The kind of contact.
    Interaction "interaction" ["interaction_type" "touch_type"]
    /// The order it belongs to.
    OrderId "order_id" ["transaction_id" "order_number" "order" "invoice_id" "ecommerce.transaction_id" "properties.order_id"]
    /// What it was worth.
    Value "value" ["revenue" "conversion_value" "amount" "order_total" "total" "ecommerce.purchase_revenue" "properties.revenue" "properties.total" "properties.value"]
    /// ISO 4217 code of the value.
    Currency "currency" ["currency_code" "properties.currency"]
    /// Things bought or seen: JSON array.
    Items "items" ["line_items" "products" "properties.products"]
    /// Purposes agreed to: JSON object, or one word for all of them.
    Consent "consent" ["consents"]
    /// The browser's user agent: tells device, browser, system, and whether it is a bot.
    UserAgent "user_agent" ["http_user_agent" "browser_user_agent" "context.userAgent" "properties.$user_agent"]
    /// Client hints: JSON object.
    ClientHints "client_hints" ["context.userAgentData" "properties.$client_hints"]
    /// The visitor's address: tells the country; only its network is stored.
    Ip "ip" ["ip_address" "client_ip" "user_ip" "remote_addr" "remote_ip" "context.ip" "properties.$ip"]
    /// The visitor's country, as an ISO 3166-1 code.
    Country "country" ["country_code" "geo_country" "geo.country" "visitor_country"]
    /// The browser's language.
    Language "language" ["locale" "accept_language" "browser_language" "br_lang" "device.language" "context.locale" "properties.$language"]
    /// The kind of device.
    Device "device" ["device_category" "device_type" "dvce_type" "device_class" "device.category"]
    /// The browser.
    Browser "browser" ["browser_name" "br_name" "device.web_info.browser" "device.browser"]
    /// Its version.
    BrowserVersion "browser_version" ["br_version" "device.web_info.browser_version" "device.browser_version"]
    /// The operating system.
    Os "os" ["operating_system" "os_name" "device_operating_system" "device.operating_system" "context.os.name"]
    /// Whether it is a program that is nobody's browser: 1 or 0.
    Bot "bot" ["is_bot"]
    /// Whether the row is a conversion: 1 or 0.
    Conversion "conversion" ["converted" "is_conversion"]
    /// JSON object of further properties.
    Properties "properties" ["props" "event_properties" "event_params"]
}

/// How many fields there are.
pub(crate) const FIELDS: usize = Field::ALL.len();

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Click parameters that may be columns of their own.
pub(crate) const CLICK_PARAMETERS: [&str; 16] = [
    "gclid",
    "gbraid",
    "wbraid",
    "dclid",
    "msclkid",
    "ttclid",
    "twclid",
    "li_fat_id",
    "epik",
    "rdt_cid",
    "sccid",
    "qclid",
    "yclid",
    "fbclid",
    "igshid",
    "srsltid",
];

/// What a column becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A field of the event.
    Field(Field),
    /// `click_id`, with this as its `click_id_type`.
    Click(&'static str),
    /// A member of `utm_custom`, by the whole name of the tag.
    Utm(String),
    /// A member of `properties` under the column's own name.
    Property,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => field.fmt(f),
            Self::Click(parameter) => write!(f, "click_id ({parameter})"),
            Self::Utm(tag) => write!(f, "utm_custom ({tag})"),
            Self::Property => f.write_str("properties"),
        }
    }
}

/// A name without what does not matter: case, blanks and signs. Dots part the levels of nested JSON.
pub(crate) fn plain(name: &str) -> String {
    letters(name).collect()
}

/// Whether two names are the same but for what does not matter.
pub(crate) fn alike(one: &str, other: &str) -> bool {
    letters(one).eq(letters(other))
}

fn letters(name: &str) -> impl Iterator<Item = char> + '_ {
    name.chars().filter(|c| c.is_alphanumeric() || *c == '.').flat_map(char::to_lowercase)
}

/// The well-known target of a column name, and how sure that is (0 is surest).
pub(crate) fn well_known(column: &str) -> Option<(Target, usize)> {
    let name = plain(column);
    for field in Field::ALL {
        if let Some(rank) = field.synonyms().iter().position(|synonym| plain(synonym) == name) {
            return Some((Target::Field(*field), rank));
        }
    }
    if let Some(parameter) = CLICK_PARAMETERS.into_iter().find(|parameter| plain(parameter) == name) {
        return Some((Target::Click(parameter), 0));
    }
    let lower = column.trim().to_ascii_lowercase();
    (lower.starts_with("utm_") && lower.len() > 4).then_some((Target::Utm(lower), 0))
}

/// The target that a user names.
pub(crate) fn named(field: &str) -> Result<Target, Error> {
    let exact = Field::ALL.iter().find(|known| known.as_str() == field).map(|known| Target::Field(*known));
    let click = || CLICK_PARAMETERS.into_iter().find(|known| *known == field).map(Target::Click);
    let utm = || (field.starts_with("utm_") && field.len() > 4).then(|| Target::Utm(field.to_owned()));
    exact.or_else(click).or_else(utm).ok_or_else(|| {
        let allowed: Vec<_> = Field::ALL.iter().map(|known| known.as_str()).collect();
        Error::UnknownField { field: field.to_owned(), allowed: allowed.join(", ") }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn no_name_means_two_fields() {
        let mut seen = BTreeMap::new();
        for field in Field::ALL {
            for synonym in field.synonyms() {
                assert_eq!(seen.insert(plain(synonym), field), None, "{synonym}");
            }
            assert_eq!(named(field.as_str()).unwrap(), Target::Field(*field));
        }
    }

    #[test]
    fn case_blanks_and_signs_do_not_matter() {
        for name in ["User ID", "userId", "USER_ID", "user-id", " user id "] {
            assert_eq!(well_known(name), Some((Target::Field(Field::UserId), 0)), "{name}");
        }
        assert_eq!(well_known("GCLID"), Some((Target::Click("gclid"), 0)));
        assert_eq!(well_known("utm_id"), Some((Target::Utm("utm_id".into()), 0)));
        assert_eq!(well_known("shoe size"), None);
        assert!(named("shoe_size").unwrap_err().to_string().contains("occurred_at"));
    }
}
