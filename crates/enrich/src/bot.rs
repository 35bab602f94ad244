//! Whether an agent is a program that is nobody's browser: crawlers, monitors, previews, headless browsers, libraries.
//!
//! Programs that say what they are follow a few habits: a name that ends in bot, crawler or spider, the address of a page that
//! explains them ([RFC 9309](https://www.rfc-editor.org/rfc/rfc9309#section-2.2.1) asks for a product token that crawlers
//! publish), or the name of the library that they are made with. Programs that pretend to be browsers are not found.
//!
//! The words stand in `bots/*.txt`, one a line.
use std::sync::LazyLock;

static SURE: LazyLock<Vec<&str>> = LazyLock::new(|| words(include_str!("bots/sure.txt")));
static LIKELY: LazyLock<Vec<&str>> = LazyLock::new(|| words(include_str!("bots/likely.txt")));

fn words(text: &'static str) -> Vec<&'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// Whether the agent is such a program; one that says nothing is not taken for one.
#[must_use]
pub fn is_bot(agent: &str) -> bool {
    // CUBOT makes telephones.
    let agent = agent.to_ascii_lowercase().replace("cubot", "");
    let any = |words: &[&str]| words.iter().any(|word| agent.contains(word));
    let with_somebody = ["msie", "; wv)", " mobile/"].iter().any(|word| agent.contains(word));
    any(&SURE) || !with_somebody && any(&LIKELY)
}
