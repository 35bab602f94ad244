//! What a randomised hold-out found.
use super::{Arguments, Kind, Parameter, Report, SELECTION, Table};
use crate::app::{accounts::Role, problem::Problem};
use futures::FutureExt;
use safar_pipeline::{
    Workspace,
    report::{self, Note},
};

pub const REPORT: Report = Report {
    name: "experiment",
    about: "A randomised hold-out of safar.toml by intent to treat. `show` names the table: lifts (what the treatment changed) or \
            calibrated (credits of models before and after).",
    role: Role::Viewer,
    parameters: &[PARAMETERS, SELECTION],
    run: |workspace, arguments| run(workspace, arguments).boxed(),
};

const PARAMETERS: &[Parameter] = &[
    Parameter::new("name", Kind::Needed, "The experiment in safar.toml."),
    Parameter::new("model", Kind::Models, "A model to calibrate; repeats. Those of safar.toml otherwise."),
    Parameter::new("level", Kind::Part(0.95), "Of the intervals."),
    Parameter::new("show", Kind::Choice(&["lifts", "calibrated"]), "Which table."),
];

async fn run(workspace: &Workspace, arguments: &Arguments) -> Result<Table, Problem> {
    let name = arguments.text("name").unwrap_or_default();
    let level = arguments.part("level");
    let models = arguments.models("model", &[]);
    let found = report::experiment(workspace, name, &models, &arguments.selection(), level).await?;
    let rows = if arguments.choice("show") == "calibrated" { found.calibrated() } else { found.lifts() }?;
    let notes: Vec<Note> = found.facts(level).chain(found.warnings()).chain(found.uncalibrated()).collect();
    Ok(Table::from(rows)
        .unit("percent", &["relative_lift", "relative_lift_low", "relative_lift_high", "detectable_lift"])
        .goal(Some(found.goal.clone()))
        .notes(notes))
}
