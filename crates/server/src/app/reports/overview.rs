//! The figures of a period, and of each of its days.
use super::{Arguments, Report, SCOPE, Table, goal};
use crate::app::{accounts::Role, problem::Problem};
use futures::FutureExt;
use safar_pipeline::{Workspace, report};

pub const OVERVIEW: Report = Report {
    name: "overview",
    about: "The figures of the days, beside those of as many days before: kpi, value, previous, change (value ÷ previous − 1), unit. \
            People are those with a touch other than an impression or a conversion; ready paths know none, so they have no conversion_rate.",
    role: Role::Viewer,
    parameters: &[SCOPE],
    run: |workspace, arguments| overview(workspace, arguments).boxed(),
};

pub const TREND: Report = Report {
    name: "trend",
    about: "Every day from the first to the last: day, sessions, people, conversions, value.",
    role: Role::Viewer,
    parameters: &[SCOPE],
    run: |workspace, arguments| trend(workspace, arguments).boxed(),
};

async fn overview(workspace: &Workspace, arguments: &Arguments) -> Result<Table, Problem> {
    let session = report::session(workspace).await?;
    let table = Table::from(report::overview(workspace, &session, &arguments.scope()).await?);
    Ok(table.goal(goal(workspace, &session, arguments).await?))
}

async fn trend(workspace: &Workspace, arguments: &Arguments) -> Result<Table, Problem> {
    let session = report::session(workspace).await?;
    let table = Table::from(report::trend(workspace, &session, &arguments.scope()).await?);
    Ok(table.goal(goal(workspace, &session, arguments).await?))
}
