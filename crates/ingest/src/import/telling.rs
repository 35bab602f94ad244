//! What kind of contact an event was, by its name alone.
use safar_model::Interaction;

/// Names that say what kind of contact an event was, whoever writes them. Case, blanks, `_` and `-` do not matter.
const TELLING: [(&str, Interaction); 27] = [
    ("visit", Interaction::Visit),
    ("page", Interaction::Visit),
    ("pageview", Interaction::Visit),
    ("screen", Interaction::Visit),
    ("adclick", Interaction::Click),
    ("impression", Interaction::Impression),
    ("adimpression", Interaction::Impression),
    ("adview", Interaction::Impression),
    ("email", Interaction::Email),
    ("emailopen", Interaction::Email),
    ("emailopened", Interaction::Email),
    ("emailclick", Interaction::Email),
    ("emailclicked", Interaction::Email),
    ("sms", Interaction::Sms),
    ("smsreceived", Interaction::Sms),
    ("textmessage", Interaction::Sms),
    ("pushopen", Interaction::Push),
    ("pushopened", Interaction::Push),
    ("pushreceived", Interaction::Push),
    ("pushnotification", Interaction::Push),
    ("call", Interaction::Call),
    ("phonecall", Interaction::Call),
    ("chat", Interaction::Chat),
    ("storevisit", Interaction::Store),
    ("instore", Interaction::Store),
    ("meeting", Interaction::Meeting),
    ("billboard", Interaction::Print),
];

/// Names that say it where the row says which source it came from: an app's own `click` or `view` comes from none.
const TELLING_OF_A_SOURCE: [(&str, Interaction); 2] =
    [("click", Interaction::Click), ("view", Interaction::Impression)];

/// The kind of contact that an event's name tells by itself. `open`, `text`, `post`, `print` and the like are anything in an
/// app, so they need the column `interaction`.
pub(super) fn told_by(name: &str, sourced: bool) -> Interaction {
    let letters =
        || name.bytes().filter(|byte| !matches!(byte, b' ' | b'_' | b'-')).map(|byte| byte.to_ascii_lowercase());
    let tells = |(word, _): &&(&str, Interaction)| letters().eq(word.bytes());
    let of_a_source = TELLING_OF_A_SOURCE.iter().filter(|_| sourced);
    TELLING.iter().chain(of_a_source).find(tells).map_or(Interaction::None, |(_, kind)| *kind)
}
