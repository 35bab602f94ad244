//! Journeys: events in; sessions, touchpoints, conversions and paths out.
//!
//! [`JourneyBuilder`] streams over events sorted by person and time and writes the rows of four tables by the
//! [`JourneyRules`] of a workspace.
//!
//! Invariant: one person's rows depend on that person's events and the rules alone, so that late events and changed
//! identities are rebuilt person by person (bucket by bucket) with the result of a rebuild from scratch. Orders that several
//! people told of, and their refunds, are the one exception, and come in by name ([`SharedOrders`], found by [`OrderReader`]).
mod anyorder;
mod builder;
mod conditions;
mod convert;
pub mod counts;
mod error;
pub mod explorer;
mod findings;
pub mod funnel;
mod input;
mod lookback;
mod orders;
mod output;
mod refund;
pub mod retention;
mod rules;
mod session;

pub use builder::JourneyBuilder;
pub use conditions::{CONDITIONS_MOST, Conditions, page_label, step_label};
pub use error::Error;
pub use findings::{Findings, OrphanRefund};
pub use input::INPUT_COLUMNS;
pub use orders::{FoundOrders, OrderReader, SharedOrder, SharedOrders, TELLERS_MOST};
pub use refund::GivenBack;
pub use rules::{
    Count, DEFAULT_PURCHASE_EVENTS, DEFAULT_REFUND_EVENTS, FieldTest, Goal, JourneyRules, Must, NullPaths,
    SessionPreset, SessionRules, Windows,
};

use arrow::array::RecordBatch;
use safar_engine::Extensions;
use std::sync::Arc;

/// What this crate teaches a query engine: the aggregate `journey_paths`, and the plan step of [`counts::path_counts`]
/// with its codec.
#[must_use]
pub fn extensions() -> Extensions {
    Extensions {
        scalar: vec![],
        aggregate: vec![Arc::new(counts::journey_paths())],
        planners: vec![counts::planner()],
        codec: Some(counts::codec()),
    }
}

/// What became of events: rows of four tables, each in the table's schema and sorted by its sort columns, and each event's place.
#[derive(Clone, Debug, PartialEq)]
pub struct JourneyBatches {
    /// One row `step, session_id` for each event, in the order in which they were pushed; columns of
    /// [`safar_model::Table::PersonEvents`].
    pub places: RecordBatch,
    /// [`safar_model::Table::Sessions`].
    pub sessions: RecordBatch,
    /// [`safar_model::Table::Touchpoints`].
    pub touchpoints: RecordBatch,
    /// [`safar_model::Table::Conversions`].
    pub conversions: RecordBatch,
    /// [`safar_model::Table::Paths`].
    pub paths: RecordBatch,
}
