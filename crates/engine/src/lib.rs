//! Query sessions over a snapshot, in this process or on worker machines, behind one door.
//!
//! ```text
//! Engine::embedded(store, options, extensions)            queries run here
//! Engine::distributed(store, options, extensions, urls)   queries run on workers (serve_worker)
//!        └─ session(&snapshot) ─ sql("select …") / table(Table::Events) → DataFrame
//! ```
//!
//! Invariants:
//! - No words of journeys here: functions, plan nodes and their codec come in as [`Extensions`].
//! - A session reads one snapshot and nothing newer, and SQL never changes anything.
//! - Memory is bounded by [`EngineOptions::memory_bytes`]; what does not fit is spilled to disk.
//! - A distributed query gives the answer of the embedded one or an error: when a worker is lost, the whole query runs
//!   again on those that are left.
//! - No other crate knows the distributed engine.

mod distributed;
mod error;
mod exact_sum;
mod fault;
mod in_order;
mod options;
mod planner;
mod quoted;
mod retry;
mod session;
mod tables;

pub use distributed::serve_worker;
pub use error::{Error, Result};
pub use fault::Fault;
pub use options::{EngineOptions, Extensions};
pub use quoted::quoted;
pub use session::{Engine, Session};
pub use tables::CATALOG;
