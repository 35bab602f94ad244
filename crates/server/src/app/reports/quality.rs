//! What deserves attention in the data.
use super::{Arguments, Report, SCOPE, Table};
use crate::app::{accounts::Role, problem::Problem};
use futures::FutureExt;
use safar_pipeline::{Workspace, report};

pub const QUALITY: Report = Report {
    name: "quality",
    about: "What each check found over all of the data, and what to do: check, count, share, what_to_do, code (the check for programs; it stays).",
    role: Role::Viewer,
    parameters: &[],
    run: |workspace, arguments| quality(workspace, arguments).boxed(),
};

pub const REJECTS: Report = Report {
    name: "rejects",
    about: "Rows that could not be read, the latest import first: origin, line, column, value, reason, rejected_at, code (the reason for programs; it stays).",
    role: Role::Analyst,
    parameters: &[],
    run: |workspace, arguments| rejects(workspace, arguments).boxed(),
};

pub const REASONS: Report = Report {
    name: "reject-reasons",
    about: "Rejected rows by reason: reason, rows, files, first_file, first_line, code (the reason for programs; it stays).",
    role: Role::Viewer,
    parameters: &[],
    run: |workspace, arguments| reasons(workspace, arguments).boxed(),
};

pub const SOURCES: Report = Report {
    name: "sources",
    about: "Touches by source and medium, those of no known channel first: source, medium, channel, events, people.",
    role: Role::Viewer,
    parameters: &[SCOPE],
    run: |workspace, arguments| sources(workspace, arguments).boxed(),
};

async fn quality(workspace: &Workspace, _: &Arguments) -> Result<Table, Problem> {
    let session = report::session(workspace).await?;
    Ok(report::quality(workspace, &session).await?.into())
}

async fn rejects(workspace: &Workspace, _: &Arguments) -> Result<Table, Problem> {
    let session = report::session(workspace).await?;
    Ok(report::rejects(&session).await?.into())
}

async fn reasons(workspace: &Workspace, _: &Arguments) -> Result<Table, Problem> {
    let session = report::session(workspace).await?;
    Ok(report::reject_reasons(&session).await?.into())
}

async fn sources(workspace: &Workspace, arguments: &Arguments) -> Result<Table, Problem> {
    let session = report::session(workspace).await?;
    Ok(report::sources(workspace, &session, &arguments.scope()).await?.into())
}
