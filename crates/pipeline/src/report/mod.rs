//! Answers to the questions people ask: who gets the credit, by which paths, and what made a number.
mod answer;
mod attribute;
mod backtest;
mod backtest_tables;
mod channels;
mod direct;
mod events;
mod experiment;
mod experiment_arms;
mod experiment_plan;
mod experiment_tables;
mod explain;
mod explain_touches;
mod explorer;
mod funnel;
mod group;
mod identity;
mod lengths;
mod load;
mod median;
mod names;
mod newest;
mod note;
mod obstacles;
mod overview;
mod paths;
mod people;
mod person;
mod positions;
mod quality;
mod retention;
mod scope;
mod segments;
mod select;
mod sessions;
mod sources;
mod steps;
mod timelines;
mod transitions;
mod trend;
mod walks;

pub use answer::{Answer, UNIT};
pub use attribute::{AttributionReport, Measure, Modelling, attribute, of_paths};
pub use backtest::{Backtest, backtest};
pub use channels::channels;
pub use experiment::{ExperimentReport, HoldOut, experiment};
pub use experiment_arms::Region;
pub use experiment_plan::{Plan, plan};
pub use explain::{Explanation, explain};
pub use explorer::{Direction, END, ExplorerQuery, OTHERS, explorer};
pub use funnel::{FunnelQuery, NOTHING_MORE, dropouts, dropped_people, funnel};
pub use group::Group;
pub use identity::{Found, Preview, add_conflicts, conflicts, matches, preview, sql_session, store_matches, why};
pub use lengths::{path_lengths, time_lags};
pub use newest::newest_events;
pub use note::{Note, Refusal};
pub use obstacles::obstacles;
pub use overview::overview;
pub use paths::{common_paths, null_paths};
pub use people::people;
pub use person::{PersonPage, person};
pub use positions::positions;
pub use quality::quality;
pub use retention::{Activity, Every, retention};
pub use safar_journey::funnel::Order;
pub use scope::Scope;
pub use segments::{Segments, compare, compare_funnels, compare_transitions};
pub use select::{Dimension, ELSEWHERE, PathQuery, goals};
pub use sessions::sessions;
pub use sources::{reject_reasons, rejects, sources};
pub use steps::{Nodes, Step};
pub use transitions::{CONVERSION, NO_CONVERSION, START, transitions};
pub use trend::trend;

pub(crate) use direct::by_own_rules;
pub(crate) use group::Groups;
pub(crate) use load::{load_paths, needs_ages};
pub(crate) use names::strings;
pub(crate) use trend::each;

/// How reports name conversions and value that no touch earned.
pub const UNATTRIBUTED: &str = "(unattributed)";

/// How reports name a touch that has no value in the dimension asked for.
pub const NOT_SET: &str = "(not set)";

/// A session over the newest snapshot of a workspace, for the reports that are made in one.
///
/// # Errors
/// When the tables cannot be read.
pub async fn session(workspace: &crate::Workspace) -> crate::Result<safar_engine::Session> {
    let snapshot = workspace.store().snapshot().await?;
    Ok(workspace.engine()?.session(&snapshot)?)
}

/// Columns by name.
fn table<const N: usize>(columns: [(&str, arrow::array::ArrayRef); N]) -> crate::Result<arrow::array::RecordBatch> {
    let columns = columns.map(|(name, column)| (name, column, true));
    Ok(arrow::array::RecordBatch::try_from_iter_with_nullable(columns)?)
}
