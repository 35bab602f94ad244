//! Who is one person and why, and what other rules would make of it.
mod preview;
mod why;

pub use preview::{Preview, preview};
pub use why::why;
