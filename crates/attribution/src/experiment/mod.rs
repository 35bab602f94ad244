//! Randomised hold-outs: what a channel adds, measured instead of modelled.
//!
//! Some people ([`hold_out`]) or some regions ([`geo_hold_out`]) are picked at random and kept from a channel. The
//! comparison is by intent to treat: everybody counts in the arm that chance put them in, whether or not they were
//! exposed, since who gets exposed is not random (Gordon, Zettelmeyer, Bhargava, Chapsky 2019). How many were exposed
//! is reported beside the lift and never conditioned on.
//!
//! [`calibrate`] then scales the credits of any model to what the experiments found.
//!
//! ```
//! use safar_attribution::experiment::{Arm, Measure, Settings, hold_out};
//! let arm = |people, converters| Arm {
//!     people,
//!     exposed: None,
//!     converters,
//!     conversions: Measure { sum: converters, squares: converters, before: None },
//!     value: Measure { sum: 20.0 * converters, squares: 400.0 * converters, before: None },
//! };
//! let found = hold_out(&arm(9_000.0, 540.0), &arm(1_000.0, 45.0), &Settings::default()).unwrap();
//! assert!((found.converters.absolute.value - 0.015).abs() < 1e-12); // 6 % instead of 4.5 %
//! assert!((found.converters.total.value - 135.0).abs() < 1e-9); // of the 540
//! assert!(found.converters.absolute.low < 0.003 && found.converters.p.unwrap() > 0.05); // and chance may be all of it
//! ```
mod calibrate;
mod cuped;
mod distribution;
mod geo;
mod geo_plan;
mod lift;
mod means;
mod people;
mod permute;
mod power;
mod proportions;
mod ratio;
mod sums;

pub use calibrate::{
    Calibrated, CalibratedCredit, Calibration, CalibrationError, Measured, Standing, ValueFrom, calibrate,
};
pub use cuped::Cuped;
pub use geo::{Geo, GeoOutcome, geo_hold_out, geo_hold_out_until};
pub use geo_plan::{GeoPlan, GeoPower, geo_plan, geo_plan_until};
pub use lift::{Estimate, ExperimentError, Lift, Method, Settings, Warning};
pub use people::{Exposure, Outcome, hold_out};
pub use permute::Assignments;
pub use power::Design;
pub use proportions::wilson;
pub use ratio::Mismatch;
pub use sums::{Arm, Before, Measure};

pub(crate) use proportions::{Proportion, p_of_no_difference};
