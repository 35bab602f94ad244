//! Journeys with known truth: what imports, people and models are tried on.
//!
//! * [`Shop`]: the events of a tea shop, as its tags, its servers, its mailing tool and its tills would tell them, and what
//!   it pays for advertising.
//! * [`Crowd`]: sightings of identifiers of people who share devices, hand them over and leave junk behind.
//! * [`Register`]: a customer list in which people are more than once, with typing errors.
//! * [`causal`]: markets in which it is known which conversions each channel caused.
//!
//! Everything comes from one seeded generator, ChaCha8, by sums, products and comparisons of IEEE numbers only (no
//! `exp`, no `ln` of the system, whose last digit differs; [`causal`] takes them from `libm`, which computes them alike
//! everywhere): the same seed gives the same bytes on every machine.
mod calendar;
mod catalogue;
pub mod causal;
mod costs;
mod crowd;
mod customers;
mod dice;
mod event;
mod naive;
mod person;
mod persona;
mod register;
mod score;
mod session;
mod shop;
mod tale;
mod write;

pub use costs::{COST_COLUMNS, Cost, write_costs_csv};
pub use crowd::{Crowd, Sighting};
pub use customers::Customers;
pub use event::{STAGES, SimEvent};
pub use naive::components;
pub use register::{Entry, REGISTER_FIELDS, Register};
pub use score::Score;
pub use shop::{Events, Shop, ShopError};
pub use write::{COLUMNS, write_csv, write_events_csv, write_events_ndjson, write_ndjson};
