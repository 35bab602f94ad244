//! How far people come through steps, and what they do who do not.
use super::{Arguments, Kind, NODES, Parameter, Report, SCOPE, Table};
use crate::app::{accounts::Role, problem::Problem};
use futures::FutureExt;
use safar_pipeline::{
    Workspace,
    report::{self, FunnelQuery},
};

/// The parameters of a list of steps.
pub(super) const STEPS: &[Parameter] = &[
    Parameter::new(
        "step",
        Kind::Steps,
        "A step, in order: event:NAME, page:/path*, goal:NAME or JSON in the words of [[goals]]; repeats.",
    ),
    Parameter::new("exclude", Kind::Steps, "Events that end an attempt under way, written like a step; repeats."),
    Parameter::new(
        "order",
        Kind::Choice(&["ordered", "strict", "any"]),
        "How steps must follow each other; strict: no other event between.",
    ),
    Parameter::new("open", Kind::Flag, "Whether people may enter at any step."),
    Parameter::new(
        "window_days",
        Kind::Whole(14, 1, 3_650),
        "The longest time from an attempt's first step to its last, in days.",
    ),
];
const AFTER: Parameter =
    Parameter::new("after", Kind::Whole(1, 1, 100), "The step after which people dropped, from 1.");

pub const FUNNEL: Report = Report {
    name: "funnel",
    about: "One row a step: step, people, entered, share_of_first, share_of_previous, median_seconds, dropped.",
    role: Role::Viewer,
    parameters: &[STEPS, SCOPE],
    run: |workspace, arguments| funnel(workspace, arguments).boxed(),
};

pub const DROPOUTS: Report = Report {
    name: "dropouts",
    about: "What those who dropped after a step did next, the most people first: next, people, share.",
    role: Role::Viewer,
    parameters: &[STEPS, &[AFTER, NODES], SCOPE],
    run: |workspace, arguments| dropouts(workspace, arguments).boxed(),
};

pub const DROPPED: Report = Report {
    name: "dropped-people",
    about: "Who dropped after a step: person_id, ascending.",
    role: Role::Analyst,
    parameters: &[STEPS, &[AFTER], SCOPE],
    run: |workspace, arguments| dropped(workspace, arguments).boxed(),
};

/// The funnel that is asked for.
pub(super) fn query(arguments: &Arguments) -> Result<FunnelQuery, Problem> {
    Ok(FunnelQuery {
        scope: arguments.scope(),
        steps: arguments.steps("step"),
        exclude: arguments.steps("exclude"),
        order: arguments.word("order")?,
        open: arguments.flag("open"),
        window_days: u32::try_from(arguments.whole("window_days")).unwrap_or(u32::MAX),
    })
}

async fn funnel(workspace: &Workspace, arguments: &Arguments) -> Result<Table, Problem> {
    let session = report::session(workspace).await?;
    Ok(report::funnel(workspace, &session, &query(arguments)?).await?.into())
}

async fn dropouts(workspace: &Workspace, arguments: &Arguments) -> Result<Table, Problem> {
    let session = report::session(workspace).await?;
    let after = usize::try_from(arguments.whole("after")).unwrap_or(usize::MAX);
    let found = report::dropouts(workspace, &session, &query(arguments)?, after, arguments.word("nodes")?).await?;
    Ok(found.into())
}

async fn dropped(workspace: &Workspace, arguments: &Arguments) -> Result<Table, Problem> {
    let session = report::session(workspace).await?;
    let after = usize::try_from(arguments.whole("after")).unwrap_or(usize::MAX);
    Ok(report::dropped_people(workspace, &session, &query(arguments)?, after).await?.into())
}
