//! Why something that came in was not taken: a text that is stored with it, and a code for programs and other languages.

/// Makes a constant of each text, and the list `REASONS` of codes and texts. A code stays; so does a text, by which what is stored
/// is told its code.
///
/// ```
/// mod reason {
///     safar_model::reasons! {
///         NO_TIME, "no_time", "no time";
///         NO_DAY, "no_day", "no day";
///     }
/// }
/// assert_eq!(reason::REASONS[1], ("no_day", reason::NO_DAY));
/// # assert_eq!(reason::NO_TIME, "no time");
/// ```
#[macro_export]
macro_rules! reasons {
    ($($name:ident, $code:literal, $text:literal;)*) => {
        $(pub(crate) const $name: &str = $text;)*

        /// Code and text of each reason.
        pub const REASONS: &[(&str, &str)] = &[$(($code, $text)),*];
    };
}
