//! What paths look like: those that led nowhere, how long they are, how much time they take, who stands where.
use super::{Arguments, Report, SELECTION, Table, goal};
use crate::app::{accounts::Role, problem::Problem};
use futures::FutureExt;
use safar_pipeline::{Workspace, report};

pub const NULLS: Report = Report {
    name: "null-paths",
    about: "What people walked who did not convert, the most people first: path, length, people, conversions, conversion_rate.",
    role: Role::Viewer,
    parameters: &[SELECTION],
    run: |workspace, arguments| nulls(workspace, arguments).boxed(),
};

pub const LENGTHS: Report = Report {
    name: "path-lengths",
    about: "Paths by how many touches they have: touches, conversions, value, nulls, conversion_rate.",
    role: Role::Viewer,
    parameters: &[SELECTION],
    run: |workspace, arguments| lengths(workspace, arguments).boxed(),
};

pub const LAGS: Report = Report {
    name: "time-lags",
    about: "Conversions by whole days since the first touch of their path: days, conversions, value.",
    role: Role::Viewer,
    parameters: &[SELECTION],
    run: |workspace, arguments| lags(workspace, arguments).boxed(),
};

pub const POSITIONS: Report = Report {
    name: "positions",
    about: "Which parts of a channel's touches on converting paths came early, in the middle and late: channel, touches, early, mid, late.",
    role: Role::Viewer,
    parameters: &[SELECTION],
    run: |workspace, arguments| positions(workspace, arguments).boxed(),
};

async fn nulls(workspace: &Workspace, arguments: &Arguments) -> Result<Table, Problem> {
    let session = report::session(workspace).await?;
    let table = Table::from(report::null_paths(workspace, &session, &arguments.selection()).await?);
    Ok(table.goal(goal(workspace, &session, arguments).await?))
}

async fn lengths(workspace: &Workspace, arguments: &Arguments) -> Result<Table, Problem> {
    let session = report::session(workspace).await?;
    let table = Table::from(report::path_lengths(workspace, &session, &arguments.selection()).await?);
    Ok(table.goal(goal(workspace, &session, arguments).await?))
}

async fn lags(workspace: &Workspace, arguments: &Arguments) -> Result<Table, Problem> {
    let session = report::session(workspace).await?;
    let table = Table::from(report::time_lags(workspace, &session, &arguments.selection()).await?);
    Ok(table.goal(goal(workspace, &session, arguments).await?))
}

async fn positions(workspace: &Workspace, arguments: &Arguments) -> Result<Table, Problem> {
    let session = report::session(workspace).await?;
    let table = Table::from(report::positions(workspace, &session, &arguments.selection()).await?);
    Ok(table.goal(goal(workspace, &session, arguments).await?))
}
