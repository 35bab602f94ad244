//! Markets in which it is known what advertising did.
//!
//! People have an intent to buy that nobody sees. It makes them convert without any advertising, and it makes them search,
//! visit and be shown advertisements: whoever credits advertising with every conversion that follows it credits it with
//! what intent did. Here the same people, with the same luck, live in every world of channels switched on and off, so the
//! conversions that each channel really caused are counted, not modelled.
//!
//! The process is of the kind of Du, Zhong, Nair, Cui and Shou (2019) and Barajas et al. (2016): a hazard with fading
//! stocks of touches, driven by a hidden intent.
mod draws;
mod events;
mod life;
mod observed;
mod process;
mod scenario;
mod truth;

pub use events::market_events;
pub use observed::Observed;
pub use process::{Clicks, Devices, HoldOut, Intent, PerAd, Process, Season};
pub use scenario::{Scenario, further, scenario, standard};
pub use truth::Truth;

/// How many channels can be switched off.
pub const ADS: usize = 6;

/// The channels of the markets; all but the last, direct visits, can be switched off.
pub const CHANNELS: [&str; ADS + 1] =
    ["display", "social", "search_generic", "search_brand", "email", "retargeting", "direct"];

/// The index of the channel that other channels lift.
const BRAND: usize = 3;
/// The index of direct visits.
const DIRECT: usize = ADS;
