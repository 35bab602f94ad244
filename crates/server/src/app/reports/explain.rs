//! What made one number of an attribution.
use super::{Arguments, BY, Kind, Parameter, Report, SELECTION, Table, goal};
use crate::app::{accounts::Role, answer::NoteView, problem::Problem};
use futures::FutureExt;
use safar_attribution::ModelSpec;
use safar_pipeline::{Workspace, report};

pub const REPORT: Report = Report {
    name: "explain",
    about: "The conversions that gave a label its credit by a model, the most credited first, with every touch, its weight and \
            its credit; weights of a conversion sum to 1. `extra.lines` tells how the number follows, in notes as those of `meta`.",
    role: Role::Analyst,
    parameters: &[BY, PARAMETERS, SELECTION],
    run: |workspace, arguments| run(workspace, arguments).boxed(),
};

const PARAMETERS: &[Parameter] = &[
    Parameter::new("model", Kind::Model, "The model of the number."),
    Parameter::new("label", Kind::Needed, "The row of the number: a channel, or a value of `by`."),
    Parameter::new("conversions", Kind::Whole(10, 0, u64::MAX), "How many conversions; 0: all."),
];

async fn run(workspace: &Workspace, arguments: &Arguments) -> Result<Table, Problem> {
    let model: ModelSpec = arguments
        .text("model")
        .unwrap_or_default()
        .parse()
        .map_err(|error: safar_attribution::SpecError| Problem::internal(error))?;
    let by = arguments.dimension()?;
    let label = arguments.text("label").unwrap_or_default();
    let limit = usize::try_from(arguments.whole("conversions")).unwrap_or(usize::MAX);
    let found = report::explain(workspace, &model, &by, label, &arguments.selection(), limit).await?;
    let currency = &workspace.settings().workspace.currency;
    let mut table = Table::from(found.touches)
        .unit(currency, &["conversion_value", "credit_value"])
        .unit("days", &["age_days"])
        .unit("percent", &["weight"]);
    let lines = found.lines.into_iter().map(|line| serde_json::to_value(NoteView::from(line)));
    table.extra.insert("lines".to_owned(), lines.collect::<Result<Vec<_>, _>>().map_err(Problem::internal)?.into());
    let session = report::session(workspace).await?;
    Ok(table.goal(goal(workspace, &session, arguments).await?))
}
