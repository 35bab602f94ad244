//! The most common ways to a goal.
use super::{Arguments, Report, SELECTION, Table};
use crate::app::{accounts::Role, problem::Problem};
use futures::FutureExt;
use safar_pipeline::{Workspace, report};

pub const REPORT: Report = Report {
    name: "paths",
    about: "Paths to the goal, the most conversions first: path, length, conversions, value, nulls (people who came this way and \
            did not convert), conversion_rate, people (who walked it, converted or not; null for ready paths).",
    role: Role::Viewer,
    parameters: &[SELECTION],
    run: |workspace, arguments| run(workspace, arguments).boxed(),
};

async fn run(workspace: &Workspace, arguments: &Arguments) -> Result<Table, Problem> {
    let (goal, schema, batches) = report::common_paths(workspace, &arguments.selection(), 0).await?;
    let currency = &workspace.settings().workspace.currency;
    let table = Table::new(schema, batches).unit(currency, &["value"]).unit("percent", &["conversion_rate"]);
    Ok(table.goal(Some(goal)))
}
