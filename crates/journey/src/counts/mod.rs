//! Distinct paths straight from rows of touches and conversions: an operator for plans, and an aggregate for SQL.
//!
//! Data walks: [`labels`] numbers the channels, [`gather`] brings each person's rows together, [`walk`] makes and weighs
//! the paths, [`partial`] hands them on, [`merge`] adds equal ones up; [`node`] and [`exec`] are the steps of logical and physical
//! plans, [`codec`] their bytes.
mod aggregate;
mod codec;
mod exec;
mod gather;
mod labels;
mod merge;
mod node;
mod partial;
mod walk;

pub use aggregate::journey_paths;
pub use node::path_counts;
pub use walk::PathCountsOptions;

use datafusion::physical_planner::ExtensionPlanner;
use datafusion_proto::physical_plan::PhysicalExtensionCodec;
use std::sync::Arc;

/// What plans [`path_counts`]; for a session's query planner.
#[must_use]
pub fn planner() -> Arc<dyn ExtensionPlanner + Send + Sync> {
    Arc::new(node::PathCountsPlanner)
}

/// What sends its operators to other machines.
#[must_use]
pub fn codec() -> Arc<dyn PhysicalExtensionCodec> {
    Arc::new(codec::PathCountsCodec)
}
