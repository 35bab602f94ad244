//! Click ids: what an advertising platform appends to a landing page's address, and what that proves.

/// What a click id says about the visit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ClickId {
    /// The parameter, which is also the type that is stored.
    pub name: &'static str,
    /// Source and medium that it proves; none where it comes with unpaid links too.
    pub implies: Option<(&'static str, &'static str)>,
}

const fn paid(name: &'static str, source: &'static str) -> ClickId {
    ClickId { name, implies: Some((source, "cpc")) }
}

const fn affiliate(name: &'static str, source: &'static str) -> ClickId {
    ClickId { name, implies: Some((source, "affiliate")) }
}

/// Facebook, Instagram and Google Shopping put these on unpaid links as well.
const fn unproven(name: &'static str) -> ClickId {
    ClickId { name, implies: None }
}

/// In order of precedence, for addresses that carry several.
pub(crate) static CLICK_IDS: [ClickId; 22] = [
    paid("gclid", "google"),
    paid("gbraid", "google"),
    paid("wbraid", "google"),
    paid("msclkid", "bing"),
    paid("yclid", "yandex"),
    paid("ttclid", "tiktok"),
    paid("twclid", "twitter"),
    paid("li_fat_id", "linkedin"),
    paid("epik", "pinterest"),
    paid("rdt_cid", "reddit"),
    paid("sccid", "snapchat"), // Snapchat writes `ScCid`; case never matters here.
    paid("qclid", "quora"),
    paid("tblci", "taboola"),
    paid("dicbo", "outbrain"),
    // The display network's own id comes after the paid clicks that may share the address.
    ClickId { name: "dclid", implies: Some(("google", "display")) },
    affiliate("awc", "awin"),
    affiliate("cjevent", "cj"),
    affiliate("irclickid", "impact"),
    unproven("fbclid"),
    unproven("igshid"),
    unproven("igsh"),
    unproven("srsltid"),
];

/// The place in [`CLICK_IDS`] of a parameter or type; case does not matter.
pub(crate) fn find(name: &str) -> Option<usize> {
    if !(3..=9).contains(&name.len()) {
        return None;
    }
    CLICK_IDS.iter().position(|id| id.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_once() {
        for (at, id) in CLICK_IDS.iter().enumerate() {
            assert_eq!(find(&id.name.to_ascii_uppercase()), Some(at), "{}", id.name);
        }
        assert_eq!(find("gcl"), None);
    }
}
