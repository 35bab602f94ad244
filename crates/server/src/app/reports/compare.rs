//! Two groups of people side by side.
use super::{Arguments, Kind, Parameter, Report, SCOPE, Table, funnel, goal};
use crate::app::{
    accounts::Role,
    problem::{Code, Problem},
};
use futures::FutureExt;
use safar_pipeline::{
    Workspace,
    report::{self, Segments},
};

const GROUPS: &[Parameter] = &[
    Parameter::new(
        "a",
        Kind::Condition,
        "The first group: people with a touch for which this SQL condition over touchpoints holds.",
    ),
    Parameter::new("b", Kind::Condition, "The second group."),
    Parameter::new("level", Kind::Part(0.95), "Of the intervals."),
];

pub const REPORT: Report = Report {
    name: "compare",
    about: "The same figures of two groups, or how far each comes through steps: metric, a, b, difference, low, high, unit.",
    role: Role::Analyst,
    parameters: &[GROUPS, funnel::STEPS, SCOPE],
    run: |workspace, arguments| run(workspace, arguments).boxed(),
};

pub const FLOW: Report = Report {
    name: "compare-flow",
    about: "Where two groups go, the people of `compare`: from, to, people_a, people_b, a, b (parts of the group), difference, low, \
            high. Rows without `to` are places, with how many came there; the others are steps from touch to touch.",
    role: Role::Analyst,
    parameters: &[GROUPS, SCOPE],
    run: |workspace, arguments| flow(workspace, arguments).boxed(),
};

/// The two groups.
fn segments(arguments: &Arguments) -> Result<Segments, Problem> {
    let (Some(a), Some(b)) = (arguments.text("a"), arguments.text("b")) else {
        return Err(Problem::new(Code::BadRequest, "name both groups, `a` and `b`"));
    };
    Ok(Segments { a: a.to_owned(), b: b.to_owned(), level: arguments.part("level") })
}

async fn flow(workspace: &Workspace, arguments: &Arguments) -> Result<Table, Problem> {
    let segments = segments(arguments)?;
    let session = report::session(workspace).await?;
    let found = Table::from(report::compare_transitions(workspace, &session, &arguments.scope(), &segments).await?);
    Ok(found.goal(goal(workspace, &session, arguments).await?))
}

async fn run(workspace: &Workspace, arguments: &Arguments) -> Result<Table, Problem> {
    let segments = segments(arguments)?;
    let session = report::session(workspace).await?;
    let query = funnel::query(arguments)?;
    if query.steps.is_empty() {
        let found = Table::from(report::compare(workspace, &session, &arguments.scope(), &segments).await?);
        return Ok(found.goal(goal(workspace, &session, arguments).await?));
    }
    Ok(report::compare_funnels(workspace, &session, &query, &segments).await?.into())
}
