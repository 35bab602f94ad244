//! The words of Safar: event, touchpoint, session, path, conversion, channel, and each table's schema.
//!
//! Everything else in the house speaks in these terms. The crate does no I/O and knows no query engine.
pub mod about;
pub mod consent;
mod interaction;
mod key;
pub mod path;
mod reason;
pub mod sum;
pub mod table;
mod timeline;

pub use interaction::Interaction;
pub use key::{BUCKETS, bucket_of, key_of};
pub use path::{ChannelId, PathRef, Paths, PathsBuilder};
pub use table::Table;
pub use timeline::{TimelineError, TimelineRef, Timelines};

/// Microseconds since the Unix epoch, UTC: the only clock that is stored.
pub type Micros = i64;

/// Microseconds in a day of 24 hours.
pub const DAY_US: Micros = 86_400_000_000;
