//! Attribution models judged against what advertising really did.
//!
//! Markets of [`safar_simulate::causal`] tell for every channel how many conversions it caused. Here each model sees what an
//! analyst would see of such a market and its credits are held against that.
//!
//! ```
//! use safar_simulate::causal::scenario;
//! use safar_truth::validate;
//! let market = scenario("S0").unwrap();
//! let rows = validate(&[market], 300, 1, &["last".parse()?])?;
//! assert!(rows[0].over_credit.unwrap() > 1.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
mod judge;
mod paths;

pub use judge::{Row, standard_models, validate};
pub use paths::{aged_paths_of, paths_of};
