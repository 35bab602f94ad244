//! Yes and no, as programs and banners write them.

/// Yes or no, as programs write it.
pub(crate) fn flag(text: &str) -> Option<bool> {
    match text {
        "1" | "1.0" | "true" | "TRUE" | "True" | "yes" | "t" | "y" => Some(true),
        "0" | "0.0" | "false" | "FALSE" | "False" | "no" | "f" | "n" => Some(false),
        _ => text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0).map(|number| number > 0.0),
    }
}

/// Consent in a word.
pub(crate) fn agreed(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "granted" | "all" | "accepted" | "accept" | "opt-in" => Some(true),
        "denied" | "none" | "rejected" | "reject" | "opt-out" => Some(false),
        _ => None,
    }
}
