//! Channels, what they brought and what they cost.
use super::{Arguments, Kind, Parameter, Report, SCOPE, Table, goal};
use crate::app::{accounts::Role, problem::Problem};
use futures::FutureExt;
use safar_pipeline::{Workspace, report};

const PARAMETERS: &[Parameter] =
    &[Parameter::new("model", Kind::Models, "A model; repeats. Those of safar.toml otherwise.")];

pub const REPORT: Report = Report {
    name: "channels",
    about: "Channels with sessions, people, conversions, value, cost, and for each model credit, value, cpa and roas.",
    role: Role::Viewer,
    parameters: &[PARAMETERS, SCOPE],
    run: |workspace, arguments| run(workspace, arguments).boxed(),
};

async fn run(workspace: &Workspace, arguments: &Arguments) -> Result<Table, Problem> {
    let session = report::session(workspace).await?;
    let chosen = arguments.models("model", &workspace.settings().attribution.models);
    let table = Table::from(report::channels(workspace, &session, &arguments.scope(), &chosen).await?);
    Ok(table.goal(goal(workspace, &session, arguments).await?))
}
