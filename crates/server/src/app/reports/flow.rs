//! Where people go: from touch to touch, forwards and backwards, and where they leave.
use super::{Arguments, Kind, NODES, Parameter, Report, SCOPE, SELECTION, Table, goal};
use crate::app::{
    accounts::Role,
    problem::{Code, Problem},
};
use futures::FutureExt;
use safar_pipeline::{
    Workspace,
    report::{self, Direction, ExplorerQuery},
};

const EXPLORED: &[Parameter] = &[
    Parameter::new("start", Kind::Step, "What came after the first event that is this step."),
    Parameter::new(
        "end",
        Kind::Step,
        "What came before the first event that is this step, nearest first; instead of start.",
    ),
    NODES,
    Parameter::new("depth", Kind::Whole(3, 1, 20), "How many steps to follow."),
    Parameter::new(
        "width",
        Kind::Whole(5, 1, 100),
        "How many steps to name at each distance; all others are (others).",
    ),
];
const SETTLED: &[Parameter] = &[
    NODES,
    Parameter::new(
        "settle_days",
        Kind::Whole(7, 0, 3_650),
        "Leave out people who were active within so many days of the end of the data: they may still go on.",
    ),
];

pub const TRANSITIONS: Report = Report {
    name: "transitions",
    about: "Steps from touch to touch along the paths to the goal, the most frequent first: from, to, people, count, share, is_loop, returns, median_seconds.",
    role: Role::Viewer,
    parameters: &[SELECTION],
    run: |workspace, arguments| transitions(workspace, arguments).boxed(),
};

pub const EXPLORER: Report = Report {
    name: "explorer",
    about: "How many people went from one step to the next, and how often: from_step, from, to, people, transitions (every event that is \
            the step is a beginning; of people the first). Who did nothing more comes to (end); backwards, who did nothing before comes to \
            (start), and `to` came before `from`.",
    role: Role::Viewer,
    parameters: &[EXPLORED, SCOPE],
    run: |workspace, arguments| explorer(workspace, arguments).boxed(),
};

pub const OBSTACLES: Report = Report {
    name: "obstacles",
    about: "Places where people leave, by the conversions at stake: place, people_reaching, people_leaving, conversions_at_stake, value_at_stake and more.",
    role: Role::Viewer,
    parameters: &[SETTLED, SCOPE],
    run: |workspace, arguments| obstacles(workspace, arguments).boxed(),
};

async fn transitions(workspace: &Workspace, arguments: &Arguments) -> Result<Table, Problem> {
    let session = report::session(workspace).await?;
    let table = Table::from(report::transitions(workspace, &session, &arguments.selection()).await?);
    Ok(table.goal(goal(workspace, &session, arguments).await?))
}

async fn explorer(workspace: &Workspace, arguments: &Arguments) -> Result<Table, Problem> {
    let session = report::session(workspace).await?;
    let direction = match (arguments.step("start"), arguments.step("end")) {
        (Some(step), None) => Direction::From(step),
        (None, Some(step)) => Direction::Before(step),
        _ => return Err(Problem::new(Code::BadRequest, "give either `start` or `end`")),
    };
    let number = |name| usize::try_from(arguments.whole(name)).unwrap_or(usize::MAX);
    let query = ExplorerQuery {
        scope: arguments.scope(),
        direction,
        nodes: arguments.word("nodes")?,
        depth: number("depth"),
        width: number("width"),
    };
    Ok(report::explorer(workspace, &session, &query).await?.into())
}

async fn obstacles(workspace: &Workspace, arguments: &Arguments) -> Result<Table, Problem> {
    let session = report::session(workspace).await?;
    let days = u32::try_from(arguments.whole("settle_days")).unwrap_or(u32::MAX);
    let table =
        Table::from(report::obstacles(workspace, &session, &arguments.scope(), arguments.word("nodes")?, days).await?);
    Ok(table.goal(goal(workspace, &session, arguments).await?))
}
