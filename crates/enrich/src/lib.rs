//! What a visit says about itself: UTM tags, click ids, referrers, channels, browsers, languages, countries.
//!
//! ```
//! use safar_enrich::{EnrichSettings, Enricher, Touch};
//!
//! let enricher = Enricher::new(&EnrichSettings::default())?;
//! let mut enricher = enricher.cached(); // one for each thread
//! let visit = enricher.enrich(&Touch {
//!     page_url: Some("https://shop.example/?utm_source=Spring+News&utm_medium=email&utm_id=7"),
//!     referrer: Some("https://mail.google.com/"),
//!     ..Touch::default()
//! });
//! assert_eq!((&*visit.source, &*visit.medium, &*visit.channel), ("Spring News", "email", "Email"));
//! assert_eq!(visit.utm_custom, [("utm_id".to_owned(), "7".to_owned())]);
//! # Ok::<(), safar_enrich::RuleError>(())
//! ```
//!
//! # Where source and medium come from
//!
//! The first that says something wins; a tag that is missing beside one that is there is `(not set)`.
//!
//! 1. **Tags**: source and medium given with the row, else `utm_source` and `utm_medium` given with the row, else those in
//!    the page's address. Kept verbatim: comparisons ignore case, rows keep it. A campaign alone says nothing about the source.
//! 2. **Click ids** that prove a paid click (`gclid`, `msclkid` …) or a display or affiliate click; they fill a source or
//!    medium that tags leave open. `fbclid`, `igshid`, `srsltid` come with unpaid links too: stored, but they prove nothing.
//! 3. **The referrer**, as Google Analytics names it: results of a search engine are `google / organic`; an AI assistant is
//!    `chatgpt.com / ai-assistant`; everything else, social networks too, is `host / referral` without `www.`, and the list
//!    of sources then makes `m.facebook.com / referral` Organic Social.
//! 4. **Nothing**: `(direct) / (none)`. So for a page of one's own and for payment and log-in pages, with
//!    [`Enriched::continues_session`] set.
//!
//! Touches outside a visit (a call, a meeting) without a source are `(not set)` rather than direct, and their missing
//! medium is the kind of contact (`call`, `email`, `sms` …; `cpm` for an impression, since advertisements are bought).
//!
//! # Channels
//!
//! [`ChannelRules`]: own rules, then the default channel groups of Google Analytics 4 (with `AI Assistant`), then `Phone`,
//! `Store`, `Sales`, `Print` and `Chat` for offline touches that none of Google's rules takes, then `Unassigned`.
//!
//! # Visitors
//!
//! [`Visitors`] reads what a request or a row says about who sent it: [`Agent`] and [`Hints`] (browser, system, device),
//! [`is_bot`], [`Countries`] (by a file that the user brings), [`language`], and [`Personal`], the rules by which personal data
//! are taken out of addresses before anything is stored. [`page::canonical`] gives one spelling to one page.
pub mod address;
mod agent;
mod bot;
mod cache;
mod click_id;
mod condition;
mod country;
mod enricher;
mod ga4;
mod hints;
mod language;
pub mod page;
mod personal;
mod rules;
mod settings;
mod shapes;
mod sources;
mod tags;
mod url;
mod visitor;
mod withheld;

pub use agent::Agent;
pub use bot::is_bot;
pub use cache::CachedEnricher;
pub use condition::When;
pub use country::{Countries, CountryError};
pub use enricher::{Enriched, Enricher, Touch};
pub use hints::Hints;
pub use language::language;
pub use personal::{PARAMETERS, Personal, REMOVED};
pub use rules::{ChannelRule, ChannelRules, Traffic};
pub use settings::{EnrichSettings, RuleError};
pub use shapes::Shape;
pub use sources::{Category, category_of};
pub use visitor::{Told, Visitor, VisitorSettings, Visitors};
pub use withheld::{withhold_click_ids, withhold_member, without_click_ids};
