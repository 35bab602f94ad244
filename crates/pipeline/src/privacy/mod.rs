//! People's rights over what is known of them: everything of one person to a file, and everything of one person gone.
//!
//! [`Target`] says who is meant, [`find`] finds them, [`Traces`] tells what is theirs: in the tables, in rejected rows, in requests
//! that are kept.
mod audit;
mod erase;
mod export;
mod files;
mod mentions;
mod rejects;
mod requests;
mod retain;
mod rows;
mod traces;
mod who;

pub use audit::{Act, Audit, Entry};
pub use erase::{Erasure, erase};
pub use export::{Exported, export};
pub use retain::{Retention, retain};
pub use traces::Traces;
pub use who::{Found, Target, find};
