//! Who there is, and who comes back.
use super::{Arguments, Kind, Parameter, Report, SCOPE, Table, goal};
use crate::app::{accounts::Role, problem::Problem};
use futures::FutureExt;
use safar_pipeline::{
    Workspace,
    report::{self, Activity},
};

const PERIODS: &[Parameter] = &[
    Parameter::new("every", Kind::Choice(&["week", "day", "month"]), "How long a period is; weeks begin on Monday."),
    Parameter::new(
        "conversions",
        Kind::Flag,
        "Whether coming is a conversion of the goal, not any touch: who buys again.",
    ),
];
const SEARCH: &[Parameter] = &[Parameter::new(
    "search",
    Kind::Text,
    "A person's id, or any part of an identifier; e-mail addresses and telephone numbers in full.",
)];

pub const RETENTION: Report = Report {
    name: "retention",
    about: "Of the people who came first in a period, how many came in later ones: cohort, period, people, size, share, is_complete.",
    role: Role::Viewer,
    parameters: &[PERIODS, SCOPE],
    run: |workspace, arguments| retention(workspace, arguments).boxed(),
};

pub const PEOPLE: Report = Report {
    name: "people",
    about: "People, who was seen last first: person_id, first_seen, last_seen, sessions, conversions, value (both of all \
            goals), last_channel.",
    role: Role::Analyst,
    parameters: &[SEARCH, SCOPE],
    run: |workspace, arguments| people(workspace, arguments).boxed(),
};

async fn retention(workspace: &Workspace, arguments: &Arguments) -> Result<Table, Problem> {
    let session = report::session(workspace).await?;
    let activity = if arguments.flag("conversions") { Activity::Conversion } else { Activity::Touch };
    let every = arguments.word("every")?;
    let table = Table::from(report::retention(workspace, &session, &arguments.scope(), every, activity).await?);
    // Who comes back at all is no question of a goal.
    let goal = if activity == Activity::Conversion { goal(workspace, &session, arguments).await? } else { None };
    Ok(table.goal(goal))
}

async fn people(workspace: &Workspace, arguments: &Arguments) -> Result<Table, Problem> {
    let session = report::session(workspace).await?;
    Ok(report::people(workspace, &session, &arguments.scope(), arguments.text("search"), 0).await?.into())
}
