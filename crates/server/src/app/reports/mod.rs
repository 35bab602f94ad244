//! The reports of the API: each a name, parameters and a function to a table. Everything else (paging, formats, caching,
//! roles, documentation) is done for all of them in one place.
mod agreement;
mod arguments;
mod attribution;
mod backtest;
mod channels;
mod compare;
mod customers;
mod experiment;
mod explain;
mod flow;
mod funnel;
mod overview;
mod paths;
mod quality;
mod sessions;
mod shapes;
mod table;

pub use arguments::{Arguments, Kind, Parameter, SHARED, VISITOR};
pub use table::{Table, UNIT};

use super::{accounts::Role, problem::Problem};
use futures::future::BoxFuture;
use safar_engine::Session;
use safar_pipeline::Workspace;

/// A report.
#[derive(Clone, Copy)]
pub struct Report {
    /// Its path below `/reports/`.
    pub name: &'static str,
    /// What it tells, with its columns.
    pub about: &'static str,
    /// Who may see it.
    pub role: Role,
    /// What it can be asked with, in groups that several reports share.
    pub parameters: &'static [&'static [Parameter]],
    /// Computes it, from one version of the data.
    pub run: for<'a> fn(&'a Workspace, &'a Arguments) -> BoxFuture<'a, Result<Table, Problem>>,
}

/// Which outcomes: the parameters of every report over paths.
pub const SELECTION: &[Parameter] = &[
    Parameter::new("goal", Kind::Text, "The goal; the first of the workspace otherwise."),
    Parameter::new("from", Kind::Day, "First day, in the workspace's time zone."),
    Parameter::new("to", Kind::Day, "The day after the last."),
    Parameter::new("where", Kind::Condition, "Only rows for which this SQL condition holds; needs the role analyst."),
];

/// Whom and which days: the parameters of every report over people.
const SCOPE: &[Parameter] = &[
    Parameter::new("goal", Kind::Text, "The goal; the first of the workspace otherwise."),
    Parameter::new("from", Kind::Day, "First day, in the workspace's time zone."),
    Parameter::new("to", Kind::Day, "The day after the last."),
    Parameter::new(
        "where",
        Kind::Condition,
        "Only people with a touch for which this SQL condition over touchpoints holds; needs the role analyst.",
    ),
];

/// What steps are called.
const NODES: Parameter = Parameter::new(
    "nodes",
    Kind::Choice(&["steps", "events", "pages"]),
    "What steps are called: pages by their path and other events by name, every event by its name, or pages alone.",
);

/// What gets the credit.
const BY: &[Parameter] = &[
    Parameter::new(
        "by",
        Kind::Text,
        "channel (the default), source, medium, campaign, content, term, country, language, device, browser, os, or property:NAME, which needs the role analyst.",
    ),
    Parameter::new(
        "within",
        Kind::Within,
        "Look only into touches of one value, such as channel=Paid Search; all others are (elsewhere). Repeats.",
    ),
];

/// The goal that a report looks at: the one asked for, or the workspace's first one that has paths.
async fn goal(workspace: &Workspace, session: &Session, arguments: &Arguments) -> Result<Option<String>, Problem> {
    Ok(Some(arguments.selection().goal(workspace, session).await?))
}

/// Every report, in the order of the documentation.
pub const REPORTS: &[Report] = &[
    overview::OVERVIEW,
    overview::TREND,
    attribution::REPORT,
    agreement::REPORT,
    backtest::REPORT,
    experiment::REPORT,
    explain::REPORT,
    channels::REPORT,
    paths::REPORT,
    shapes::NULLS,
    shapes::LENGTHS,
    shapes::LAGS,
    shapes::POSITIONS,
    flow::TRANSITIONS,
    flow::EXPLORER,
    funnel::FUNNEL,
    funnel::DROPOUTS,
    funnel::DROPPED,
    flow::OBSTACLES,
    customers::RETENTION,
    customers::PEOPLE,
    compare::REPORT,
    compare::FLOW,
    sessions::REPORT,
    quality::QUALITY,
    quality::REJECTS,
    quality::REASONS,
    quality::SOURCES,
];
