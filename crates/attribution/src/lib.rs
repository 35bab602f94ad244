//! Who gets the credit: weighted paths in, credits out.
//!
//! Pure numbers: no input or output but a reader of text, no clock, no async, no query engine.
//!
//! ```
//! use safar_attribution::{ReadOptions, attribute, read_paths};
//! let text = "path;total_conversions;total_conversion_value;total_null\n\
//!             Ads > Mail;2;50;1\nMail;1;10;0\n;1;5;0\n";
//! let (paths, channels) = read_paths(text.as_bytes(), &ReadOptions::default()).unwrap();
//! let result = attribute(&"linear".parse().unwrap(), &paths, &channels).unwrap();
//! assert_eq!(channels, ["Ads", "Mail"]);
//! assert_eq!(result.credits[0].conversions, 1.0);
//! assert_eq!(result.credits[1].value, 35.0);
//! assert_eq!(result.unattributed.conversions, 1.0); // the path with no touch
//! ```
//!
//! Paths come from a file ([`read_paths`]) or are built ([`PathsBuilder`]); [`attribute`] shares their conversions by any of
//! [`MODELS`], [`credits_by_place`] also by place, and [`agreement`] says how far models differ. [`transform`] changes paths
//! first. [`uncertainty`] says how sure credits are, [`validation`] which model foretells best, [`experiment`] what a channel
//! adds, measured instead of modelled. Models of cause read [`Timelines`] and are in [`hazard`]. What may take long has a second form
//! that ends when a [`Stop`] asks for it.
//!
//! Invariant: credits + unattributed = conversions, and the same for value, whatever the model but participation.
//! Invariant: results do not depend on the number of threads, nor on any hash order; logarithms and powers are those of
//! `libm`, so that they do not depend on the machine either.
mod agreement;
mod attribute;
mod error;
pub mod experiment;
pub mod hazard;
pub mod models;
mod names;
mod philox;
mod poisson;
mod random;
mod read;
mod spec;
mod stop;
mod transform;
pub mod uncertainty;
pub mod validation;
mod weights;

pub use agreement::{Agreement, AgreementError, Compared, Pair, Spread, agreement};
pub use attribute::{
    Attribution, AttributionModel, Credit, Diagnostics, FittedModel, LogisticDiagnostics, MarkovDiagnostics,
    OrderChoice, PlaceCredit, SampledDiagnostics, Solver, attribute, attribute_fitted, attribute_until,
    attribute_with_places, credits_by_place, total,
};
pub use error::{Error, Result, SpecError};
pub use read::{ReadError, ReadOptions, read_paths};
pub use spec::{
    CustomWeights, MODELS, ModelInfo, ModelSpec, Order, PRESETS, PresetInfo, SettingInfo, SolverChoice, all_models,
    causal_models,
};
pub use stop::{Stop, Waiting};
pub use transform::{Transform, transform, transform_until};

// What models read and how it is made, so that this crate is all that is needed.
use safar_model::sum;
pub use safar_model::{ChannelId, DAY_US, Micros, PathRef, Paths, PathsBuilder, TimelineError, TimelineRef, Timelines};

/// Counts and values go up to here, so that sums and products of them stay finite.
pub const WEIGHT_MAX: f64 = 1e100;

/// The examples of `docs/conventions.md`.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/conventions.md")]
struct Conventions;
