//! Probable matches: records that likely speak of one person though no identifier says so.
//!
//! The model is that of Fellegi and Sunter ("A Theory for Record Linkage", Journal of the American Statistical
//! Association 64, 1969): two records are compared field by field, each comparison falls on a level (equal, nearly
//! equal, different), and each level has two probabilities: `m` among pairs of one person, `u` among pairs of two. Its
//! evidence is log₂(m / u) bits; the bits of all fields and of the prior add up to the log-odds that both are one person.
//!
//! In the order in which data walks:
//!
//! 1. [`Records`] holds who is compared, by what. A missing value is evidence for nothing.
//! 2. [`Blocking`] says which pairs are looked at: all that agree in the fields of one rule.
//! 3. [`Comparison`]s put each field of a pair on a level of [`Similarity`].
//! 4. [`find`] estimates `u` from random pairs, `m` by expectation–maximisation within the blocks, and scores each pair.
//! 5. [`Matches::people`] makes groups, [`Matches::links`] makes links of the kind `match`, with their probability as
//!    confidence. They join nobody as long as `min_confidence` of the settings is higher, which it is unless somebody
//!    lowers it.
//!
//! The fields of a person are taken as independent of each other, as the model has it: fields that say the same twice
//! (postcode and suburb) count twice. Nothing here depends on the number of threads or on hash order.
//!
//! ```
//! use safar_identity::matching::{MatchSettings, Records, find};
//!
//! let settings: MatchSettings = MatchSettings {
//!     comparisons: vec![
//!         "name: exact, jaro_winkler 0.88".parse()?,
//!         "born: exact, damerau 1".parse()?,
//!         "town: exact".parse()?,
//!     ],
//!     blocks: vec!["name".parse()?, "born".parse()?],
//!     ..MatchSettings::default()
//! };
//! let mut records = Records::new(["name", "born", "town"]);
//! for number in 0..200_u32 {
//!     let name = format!("{:08x}", number.wrapping_mul(2_654_435_761));
//!     let born = format!("19{:02}-{:02}-{:02}", number % 60, number % 12 + 1, number % 28 + 1);
//!     let town = ["Hull", "York", "Leeds"][number as usize % 3];
//!     for system in ["shop", "crm"] {
//!         records.push(system, &number.to_string(), &[Some(&name), Some(&born), Some(town)])?;
//!     }
//! }
//! let matches = find(&records, &settings)?;
//! assert!(matches.accepted().all(|pair| records.id(pair.a).1 == records.id(pair.b).1));
//! assert_eq!(matches.accepted().count(), 200);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
mod block;
mod compare;
mod estimate;
mod groups;
mod model;
mod pairs;
mod records;
mod settings;
mod similarity;

pub use block::{Blocking, Skipped};
pub use groups::Grouping;
pub use model::{Evidence, LevelWeights, Model};
pub use pairs::{Matches, Pair, find};
pub use records::Records;
pub use settings::{Comparison, MatchError, MatchSettings};
pub use similarity::{Similarity, UnknownSimilarity};
