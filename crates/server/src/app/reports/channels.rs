//! Channels, what they brought and what they cost.
use super::{Arguments, BY, Kind, Parameter, Report, SCOPE, Table, attribution::bootstrap, goal};
use crate::app::{accounts::Role, problem::Problem};
use futures::FutureExt;
use safar_pipeline::{Workspace, report};

const PARAMETERS: &[Parameter] = &[
    Parameter::new("model", Kind::Models, "A model; repeats. Those of safar.toml otherwise."),
    Parameter::new(
        "intervals",
        Kind::Flag,
        "Whether to give intervals of cpa and roas, by a bootstrap over people; costs are taken as known.",
    ),
    Parameter::new("resamples", Kind::Whole(200, 19, 10_000), "How many times people are drawn anew for intervals."),
    Parameter::new("seed", Kind::Whole(1, 0, u64::MAX), "The same seed gives the same intervals."),
    Parameter::new("level", Kind::Part(0.95), "Of the intervals."),
];

pub const REPORT: Report = Report {
    name: "channels",
    about: "Channels (or sources, mediums, campaigns, contents, terms) with sessions, people, conversions, value, impressions, \
            clicks and cost of the table costs, and for each model credit, value, cpa and roas, with the ends of the two where \
            intervals are asked for. Costs know no people: under `where` they are those of everybody.",
    role: Role::Viewer,
    parameters: &[BY, PARAMETERS, SCOPE],
    run: |workspace, arguments| run(workspace, arguments).boxed(),
};

async fn run(workspace: &Workspace, arguments: &Arguments) -> Result<Table, Problem> {
    let session = report::session(workspace).await?;
    let chosen = arguments.models("model", &workspace.settings().attribution.models);
    let intervals = bootstrap(arguments);
    let by = arguments.dimension()?;
    let found = report::channels(workspace, &session, &arguments.scope(), &by, &chosen, intervals).await?;
    let mut table = Table::from(found);
    table.seed = intervals.map(|settings| settings.seed);
    Ok(table.goal(goal(workspace, &session, arguments).await?))
}
