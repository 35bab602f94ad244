//! Visits.
use super::{Arguments, Kind, Parameter, Report, Table};
use crate::app::{accounts::Role, problem::Problem};
use futures::FutureExt;
use safar_pipeline::{Workspace, report};

pub const REPORT: Report = Report {
    name: "sessions",
    about: "Sessions by a column, the most first: the column, sessions, people, engagement_rate (engaged sessions ÷ sessions), \
            pages_per_session, seconds_per_session, conversions, value (both of all goals, of what was reached within the sessions).",
    role: Role::Viewer,
    parameters: &[PARAMETERS],
    run: |workspace, arguments| run(workspace, arguments).boxed(),
};

const PARAMETERS: &[Parameter] = &[
    Parameter::new(
        "by",
        Kind::Choice(&[
            "channel",
            "source",
            "medium",
            "campaign",
            "content",
            "term",
            "landing_page",
            "country",
            "language",
            "device",
            "browser",
            "os",
            "day",
        ]),
        "The column.",
    ),
    Parameter::new("from", Kind::Day, "First day on which sessions start, in the workspace's time zone."),
    Parameter::new("to", Kind::Day, "The day after the last."),
];

async fn run(workspace: &Workspace, arguments: &Arguments) -> Result<Table, Problem> {
    let (from, to) = (arguments.day("from"), arguments.day("to"));
    let (schema, batches) = report::sessions(workspace, arguments.choice("by"), from, to).await?;
    let currency = &workspace.settings().workspace.currency;
    Ok(Table::new(schema, batches)
        .unit(currency, &["value"])
        .unit("percent", &["engagement_rate"])
        .unit("seconds", &["seconds_per_session"])
        .unit("people", &["people"]))
}
