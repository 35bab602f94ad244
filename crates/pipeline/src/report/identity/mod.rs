//! Who is one person and why, what other rules would make of it, and who probably is.
mod conflicts;
mod matches;
mod preview;
mod why;

pub use conflicts::{add_conflicts, sql_session};
pub use matches::{Found, matches, store_matches};
pub use preview::{Preview, preview};
pub use why::{conflicts, why};
