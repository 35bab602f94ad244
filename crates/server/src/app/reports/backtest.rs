//! Models learned on earlier outcomes and tested on later ones.
use super::{Arguments, Kind, Parameter, Report, SELECTION, Table};
use crate::app::{accounts::Role, problem::Problem};
use futures::FutureExt;
use safar_attribution::validation::StabilitySettings;
use safar_pipeline::{
    Workspace,
    report::{self, Note},
};

pub const REPORT: Report = Report {
    name: "backtest",
    about: "How models that learned from earlier outcomes predict later ones. `show` names the table: scores (log-loss, AUC and \
            steadiness, best first, with the recommended one), calibration, roc, or weeks (smallest and largest shares).",
    role: Role::Viewer,
    parameters: &[PARAMETERS, SELECTION],
    run: |workspace, arguments| run(workspace, arguments).boxed(),
};

const PARAMETERS: &[Parameter] = &[
    Parameter::new("model", Kind::Models, "A model, or all; repeats. Those of safar.toml otherwise."),
    Parameter::new(
        "split",
        Kind::Day,
        "Learn from paths that began before this day; three quarters of the time otherwise.",
    ),
    Parameter::new(
        "resamples",
        Kind::Whole(19, 19, 1000),
        "How many times weeks are drawn anew to tell change from chance.",
    ),
    Parameter::new("show", Kind::Choice(&["scores", "calibration", "roc", "weeks"]), "Which table."),
];

async fn run(workspace: &Workspace, arguments: &Arguments) -> Result<Table, Problem> {
    let resamples = usize::try_from(arguments.whole("resamples")).unwrap_or(usize::MAX);
    let models = arguments.models("model", &workspace.settings().attribution.models);
    let found = report::backtest(workspace, &models, &arguments.selection(), arguments.day("split"), resamples).await?;
    let rows = match arguments.choice("show") {
        "calibration" => found.calibration(),
        "roc" => found.roc(),
        "weeks" => found.weeks(),
        _ => found.scores(),
    }?;
    let notes = found.reason().into_iter().chain([found.facts()]).chain(found.causes()).chain(found.cautions());
    let notes: Vec<Note> = notes.collect();
    let mut table = Table::from(rows)
        .unit("people", &["people"])
        .unit("percent", &["predicted", "observed", "observed_low", "observed_high", "share_low", "share_high"])
        .unit("percent", &["true_positive_rate", "false_positive_rate"])
        .goal(Some(found.goal.clone()))
        .notes(notes)
        .notes([Note::PredictionIsNotCause]);
    let chosen = found.recommendation.choice.map(|choice| found.recommendation.candidates[choice].model.to_string());
    // The weeks are drawn by the library's own seed.
    table.seed = Some(StabilitySettings::default().seed);
    table.extra.insert("recommended".to_owned(), chosen.into());
    Ok(table)
}
