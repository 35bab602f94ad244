//! Currencies as people write them beside amounts: codes of ISO 4217, and signs.
use super::reason;
use std::borrow::Cow;

/// ISO 4217, and withdrawn codes that the history of shops still holds. Source: www.six-group.com, lists one and three.
const CODES: [&str; 173] = [
    "AED", "AFN", "ALL", "AMD", "ANG", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN", "BHD", "BIF",
    "BMD", "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BYR", "BZD", "CAD", "CDF", "CHF", "CLP", "CNY", "COP",
    "CRC", "CUC", "CUP", "CVE", "CZK", "DEM", "DJF", "DKK", "DOP", "DZD", "EEK", "EGP", "ERN", "ESP", "ETB", "EUR",
    "FJD", "FKP", "FRF", "GBP", "GEL", "GHS", "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HRK", "HTG", "HUF",
    "IDR", "ILS", "INR", "IQD", "IRR", "ISK", "ITL", "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KPW", "KRW",
    "KWD", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD", "LSL", "LTL", "LVL", "LYD", "MAD", "MDL", "MGA", "MKD", "MMK",
    "MNT", "MOP", "MRO", "MRU", "MUR", "MVR", "MWK", "MXN", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD",
    "OMR", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "PYG", "QAR", "RON", "RSD", "RUB", "RWF", "SAR", "SBD", "SCR",
    "SDG", "SEK", "SGD", "SHP", "SKK", "SLE", "SLL", "SOS", "SRD", "SSP", "STD", "STN", "SVC", "SYP", "SZL", "THB",
    "TJS", "TMT", "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "UYU", "UZS", "VED", "VEF", "VES",
    "VND", "VUV", "WST", "XAF", "XCD", "XCG", "XOF", "XPF", "YER", "ZAR", "ZMW", "ZWG", "ZWL",
];

const DOLLARS: &[&str] = &[
    "USD", "CAD", "AUD", "NZD", "MXN", "SGD", "HKD", "TWD", "ARS", "CLP", "COP", "UYU", "DOP", "CUP", "BBD", "BMD",
    "BND", "BSD", "BZD", "FJD", "GYD", "JMD", "KYD", "LRD", "NAD", "SBD", "SRD", "TTD", "XCD",
];

/// Signs and short words, and the currencies that each may be.
const SIGNS: &[(&str, &[&str])] = &[
    ("$", DOLLARS),
    ("US$", &["USD"]),
    ("CA$", &["CAD"]),
    ("C$", &["CAD", "NIO"]),
    ("AU$", &["AUD"]),
    ("A$", &["AUD"]),
    ("NZ$", &["NZD"]),
    ("HK$", &["HKD"]),
    ("NT$", &["TWD"]),
    ("MX$", &["MXN"]),
    ("S$", &["SGD"]),
    ("R$", &["BRL"]),
    ("€", &["EUR"]),
    ("£", &["GBP"]),
    ("¥", &["JPY", "CNY"]),
    ("円", &["JPY"]),
    ("元", &["CNY"]),
    ("zł", &["PLN"]),
    ("Kč", &["CZK"]),
    ("Ft", &["HUF"]),
    ("kr", &["SEK", "NOK", "DKK", "ISK"]),
    ("lei", &["RON", "MDL"]),
    ("лв", &["BGN"]),
    ("₽", &["RUB"]),
    ("₴", &["UAH"]),
    ("₺", &["TRY"]),
    ("TL", &["TRY"]),
    ("₼", &["AZN"]),
    ("₾", &["GEL"]),
    ("֏", &["AMD"]),
    ("₸", &["KZT"]),
    ("₪", &["ILS"]),
    ("﷼", &["IRR"]),
    ("ریال", &["IRR"]),
    ("ريال", &["SAR", "OMR", "QAR", "YER"]),
    ("؋", &["AFN"]),
    ("₹", &["INR"]),
    ("Rs", &["INR", "PKR", "LKR", "NPR", "MUR", "SCR"]),
    ("৳", &["BDT"]),
    ("₩", &["KRW"]),
    ("₫", &["VND"]),
    ("฿", &["THB"]),
    ("₱", &["PHP"]),
    ("Rp", &["IDR"]),
    ("RM", &["MYR"]),
    ("₦", &["NGN"]),
    ("₵", &["GHS"]),
    ("R", &["ZAR"]),
    ("₲", &["PYG"]),
    ("₡", &["CRC"]),
];

/// The currencies that a mark beside an amount may name; none where it names no currency.
pub(crate) fn named(mark: &str) -> &'static [&'static str] {
    if let Ok(letters) = <[u8; 3]>::try_from(mark.as_bytes()) {
        // `Top 10` is no amount in Tonga's currency.
        let one_case = letters.iter().all(u8::is_ascii_uppercase) || letters.iter().all(u8::is_ascii_lowercase);
        let code = letters.map(|letter| letter.to_ascii_uppercase());
        if let (true, Ok(at)) = (one_case, CODES.binary_search_by(|known| known.as_bytes().cmp(&code))) {
            return &CODES[at..=at];
        }
    }
    match mark {
        "" => &[],
        _ => SIGNS.iter().find(|(sign, _)| *sign == mark).map_or(&[], |(_, codes)| codes),
    }
}

/// Whether a text may name a currency: any three letters, since new ones come, or a sign.
pub(crate) fn is_one(text: &str) -> bool {
    let text = text.trim();
    text.len() == 3 && text.bytes().all(|letter| letter.is_ascii_alphabetic()) || !named(text).is_empty()
}

/// The currency of an amount with this mark beside it (empty: none) in a row that tells `told` (empty: nothing), else `default`;
/// an error where they contradict each other, or the mark leaves it open. What a row tells is otherwise taken as it stands.
pub(crate) fn of<'t>(mark: &str, told: &'t str, default: &'t str) -> Result<Cow<'t, str>, &'static str> {
    let own: Cow<'t, str> = match named(told) {
        _ if told.is_empty() => Cow::Borrowed(default),
        [code] => Cow::Borrowed(*code),
        codes if codes.contains(&default) => Cow::Borrowed(default),
        _ if told.bytes().any(|byte| byte.is_ascii_lowercase()) => Cow::Owned(told.to_ascii_uppercase()),
        _ => Cow::Borrowed(told),
    };
    match named(mark) {
        [] => Ok(own),
        codes if codes.contains(&&*own) => Ok(own),
        _ if !told.is_empty() => Err(reason::OTHER_CURRENCY),
        [code] => Ok(Cow::Borrowed(*code)),
        _ => Err(reason::UNCLEAR_CURRENCY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_and_signs_name_them() {
        assert!(CODES.is_sorted());
        for (sign, codes) in SIGNS {
            assert!(!codes.is_empty() && codes.iter().all(|code| CODES.contains(code)), "{sign}");
            assert!(!CODES.contains(sign));
        }
    }

    #[test]
    fn marks_beside_amounts() {
        for (mark, told, expected) in [
            ("", "", Ok("EUR")),
            ("", "usd", Ok("USD")),
            ("", "€", Ok("EUR")),
            ("", "BTC", Ok("BTC")),
            ("USD", "", Ok("USD")),
            ("usd", "USD", Ok("USD")),
            ("€", "EUR", Ok("EUR")),
            ("zł", "", Ok("PLN")),
            ("$", "CAD", Ok("CAD")),
            ("$", "", Err(reason::UNCLEAR_CURRENCY)),
            ("kr", "", Err(reason::UNCLEAR_CURRENCY)),
            ("USD", "EUR", Err(reason::OTHER_CURRENCY)),
            ("$", "EUR", Err(reason::OTHER_CURRENCY)),
            ("€", "BTC", Err(reason::OTHER_CURRENCY)),
        ] {
            assert_eq!(of(mark, told, "EUR").as_deref(), expected.as_ref().map(|code| *code), "{mark} {told}");
        }
        assert_eq!(of("$", "", "USD").as_deref(), Ok("USD"));
        assert_eq!(of("kr", "", "ISK").as_deref(), Ok("ISK"));
    }
}
