//! Bytes to canonical events.
//!
//! [`import`] reads files into a workspace; [`preview`] shows how it would; [`reenrich`] derives sources and channels
//! again when the rules have changed.
mod import;

pub use import::*;
