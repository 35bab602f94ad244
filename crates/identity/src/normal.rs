//! Raw identifiers to their stored form: an import calls this for every row.
use crate::{EMAIL, IdentitySettings, PHONE, phone};
use sha2::{Digest, Sha256};
use std::{borrow::Cow, sync::LazyLock};

/// The longest identifier, bytes: whatever is longer is a payload in the wrong column.
const LENGTH_MAX: usize = 1_024;

/// What [`normalise`] made of a raw identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Normalised<'a> {
    /// The form to store and to link; borrowed where nothing had to be hashed.
    Id(Cow<'a, str>),
    /// The raw value stands for "nobody": treat it as absent.
    Blocked(Blocked),
    /// The raw value cannot be an identifier of this namespace.
    Invalid(Invalid),
}

impl<'a> Normalised<'a> {
    /// The identifier, if there is one.
    #[must_use]
    pub fn id(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Id(id) => Some(id),
            Self::Blocked(_) | Self::Invalid(_) => None,
        }
    }
}

/// Why a value is never an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Blocked {
    /// Nothing, or only blanks and quotes.
    #[error("the value is empty")]
    Empty,
    /// Zeros and hyphens: `0`, `00000000-0000-0000-0000-000000000000`.
    #[error("the value is only zeros and hyphens")]
    Zeros,
    /// A word that programs write where they know nobody: `null`, `undefined`, `guest` …
    #[error("the value is a placeholder that programs write where they know nobody")]
    Placeholder,
    /// A value of the workspace's own list.
    #[error("the value is blocked by the workspace's settings")]
    Settings,
}

/// Why a value cannot be an identifier of its namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// No address.
    #[error("an e-mail address has the form name@domain, without blanks")]
    Email,
    /// No number.
    #[error("a telephone number has 7 to 15 digits with its calling code, and may hold blanks and ( ) . - /")]
    Phone,
    /// No calling code, neither written nor set.
    #[error("the telephone number has no calling code; write +… or set phone_country")]
    PhoneCountry,
    /// Too long.
    #[error("an identifier has at most 1024 bytes")]
    TooLong,
}

/// Turns a raw identifier into its stored form.
///
/// * every namespace: blanks around it and pairs of quotes are dropped, placeholders are [`Normalised::Blocked`];
/// * `email`: lower case, then SHA-256 as 64 lower-case hex digits;
/// * `phone`: E.164 (`+` and digits), then SHA-256 likewise;
/// * an e-mail or phone that already has 64 hex digits is kept, in lower case;
/// * everything else is kept as it is, case included.
///
/// ```
/// use safar_identity::{IdentitySettings, Normalised, normalise};
/// let settings = IdentitySettings { phone_country: Some("49".into()), ..IdentitySettings::default() };
/// assert_eq!(normalise("email", " Ada@Example.com", &settings), normalise("email", "ada@example.com", &settings));
/// assert_eq!(normalise("phone", "030 123456", &settings), normalise("phone", "+49 30 123456", &settings));
/// assert_eq!(normalise("user", "Ada", &settings), Normalised::Id("Ada".into()));
/// assert!(matches!(normalise("user", "\"null\"", &settings), Normalised::Blocked(_)));
/// ```
#[must_use]
pub fn normalise<'a>(namespace: &str, raw: &'a str, settings: &IdentitySettings) -> Normalised<'a> {
    let text = unquote(raw);
    if let Some(why) = blocked(text, settings) {
        return Normalised::Blocked(why);
    }
    if text.len() > LENGTH_MAX {
        return Normalised::Invalid(Invalid::TooLong);
    }
    match namespace {
        EMAIL | PHONE if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            let hash = text.to_ascii_lowercase();
            if PLACEHOLDER_HASHES.contains(&hash) {
                return Normalised::Blocked(Blocked::Placeholder);
            }
            Normalised::Id(hash.into())
        }
        EMAIL => email(text, settings)
            .map_or(Normalised::Invalid(Invalid::Email), |address| Normalised::Id(hex(&address).into())),
        PHONE => match phone::e164(text, settings.phone_country.as_deref()) {
            Ok(number) => Normalised::Id(hex(number.as_str()).into()),
            Err(why) => Normalised::Invalid(why),
        },
        _ => Normalised::Id(text.into()),
    }
}

/// Drops blanks and pairs of quotes around a value: clients store identifiers as JSON text.
fn unquote(raw: &str) -> &str {
    let mut text = raw.trim();
    while let [first @ (b'"' | b'\'' | b'`'), .., last] = text.as_bytes() {
        if first != last {
            break;
        }
        text = text[1..text.len() - 1].trim();
    }
    text
}

const PLACEHOLDERS: [&str; 10] =
    ["-1", "null", "undefined", "anonymous", "guest", "nan", "none", "n/a", "(not set)", "[object object]"];

/// Hashes of the placeholders: some pipelines hash before they look.
static PLACEHOLDER_HASHES: LazyLock<Vec<String>> =
    LazyLock::new(|| PLACEHOLDERS.iter().chain(&["", "0"]).map(|word| hex(word)).collect());

/// Whether a normalised value is never an identifier by these settings.
#[must_use]
pub fn is_blocked(text: &str, settings: &IdentitySettings) -> bool {
    blocked(text, settings).is_some()
}

/// Why an unquoted value is never an identifier; `None` where it may be one.
pub(crate) fn blocked(text: &str, settings: &IdentitySettings) -> Option<Blocked> {
    // A lone quote remains of a quoted empty value.
    if text.is_empty() || matches!(text, "\"" | "'" | "`") {
        return Some(Blocked::Empty);
    }
    if text.bytes().all(|byte| matches!(byte, b'0' | b'-')) {
        return Some(Blocked::Zeros);
    }
    let longest = PLACEHOLDERS[9].len();
    if text.len() <= longest && PLACEHOLDERS.iter().any(|word| word.eq_ignore_ascii_case(text)) {
        return Some(Blocked::Placeholder);
    }
    let own = &settings.blocked;
    own.iter().any(|word| word.eq_ignore_ascii_case(text)).then_some(Blocked::Settings)
}

/// The address in lower case, or `None` where it is no address.
fn email<'a>(text: &'a str, settings: &IdentitySettings) -> Option<Cow<'a, str>> {
    let (local, domain) = text.rsplit_once('@')?;
    if local.is_empty() || domain.is_empty() || text.contains(char::is_whitespace) {
        return None;
    }
    let lower = if text.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
        Cow::Owned(text.to_lowercase())
    } else {
        Cow::Borrowed(text)
    };
    if settings.ignore_gmail_dots && (lower.ends_with("@gmail.com") || lower.ends_with("@googlemail.com")) {
        let (local, domain) = lower.rsplit_once('@')?;
        return Some(Cow::Owned(format!("{}@{domain}", local.replace('.', ""))));
    }
    Some(lower)
}

fn hex(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let hash = Sha256::digest(text.as_bytes());
    let mut out = String::with_capacity(64);
    for byte in hash {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn of<'a>(namespace: &str, raw: &'a str) -> Normalised<'a> {
        normalise(namespace, raw, &IdentitySettings::default())
    }

    #[rstest]
    #[case("")]
    #[case("   ")]
    #[case("''")]
    #[case("\"")]
    #[case("0")]
    #[case("-")]
    #[case("00000000-0000-0000-0000-000000000000")]
    #[case("-1")]
    #[case("NULL")]
    #[case("\"null\"")]
    #[case("'undefined'")]
    #[case("\"'guest'\"")]
    #[case("Anonymous")]
    #[case("NaN")]
    #[case(" None ")]
    #[case("[object Object]")]
    #[case("`[OBJECT OBJECT]`")]
    fn junk_is_blocked_in_every_namespace(#[case] raw: &str) {
        for namespace in ["anonymous", "user", "email", "phone", "crm", "loyalty"] {
            assert!(matches!(of(namespace, raw), Normalised::Blocked(_)), "{namespace} {raw:?}");
        }
    }

    #[test]
    fn values_that_only_resemble_junk_pass() {
        for raw in ["10", "0a", "guest1", "nullable", "-2", "anonymous@", "'a"] {
            assert_eq!(of("user", raw), Normalised::Id(raw.into()));
        }
    }

    #[test]
    fn own_blocked_values() {
        let settings = IdentitySettings { blocked: vec!["Test".into()], ..IdentitySettings::default() };
        assert_eq!(normalise("user", "'tEST'", &settings), Normalised::Blocked(Blocked::Settings));
    }

    /// The hash of `test@example.com`, as `printf test@example.com | sha256sum` prints it.
    #[test]
    fn an_address_is_hashed_after_trimming_and_lowering() {
        let want = "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b";
        assert_eq!(of("email", "\t Test@Example.COM "), Normalised::Id(want.into()));
        assert_eq!(of("email", &want.to_uppercase()), Normalised::Id(want.into()));
        for raw in ["ada", "ada@", "@example.com", "a da@example.com"] {
            assert_eq!(of("email", raw), Normalised::Invalid(Invalid::Email), "{raw}");
        }
    }

    #[test]
    fn hashes_of_junk_are_junk() {
        // sha256 of nothing, the commonest of all.
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(of("email", empty), Normalised::Blocked(Blocked::Placeholder));
        assert_eq!(of("user", empty), Normalised::Id(empty.into()));
    }

    #[test]
    fn gmail_dots_count_unless_told_otherwise() {
        assert_ne!(of("email", "a.da@gmail.com"), of("email", "ada@gmail.com"));
        let settings = IdentitySettings { ignore_gmail_dots: true, ..IdentitySettings::default() };
        let of = |raw| normalise("email", raw, &settings);
        assert_eq!(of("A.d.a@Gmail.com"), of("ada@gmail.com"));
        assert_ne!(of("a.da@example.com"), of("ada@example.com"));
    }
}
