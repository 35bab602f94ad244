//! How far models agree.
use super::{Arguments, BY, Kind, Parameter, Report, SELECTION, Table, attribution::notes};
use crate::app::{
    accounts::Role,
    problem::{Code, Problem},
    reason::Reason,
};
use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use futures::FutureExt;
use safar_attribution::{AgreementError, Pair, agreement, uncertainty::Measure};
use safar_pipeline::{
    Workspace,
    report::{self, Modelling},
};
use std::sync::Arc;

pub const REPORT: Report = Report {
    name: "agreement",
    about: "How far each pair of models agrees on conversions: model_a, model_b, distance (the part of the credit that changes \
            hands, 0 to 1), spearman and kendall (rank correlation; null where it is not defined).",
    role: Role::Viewer,
    parameters: &[BY, PARAMETERS, SELECTION],
    run: |workspace, arguments| run(workspace, arguments).boxed(),
};

const PARAMETERS: &[Parameter] =
    &[Parameter::new("model", Kind::Models, "A model, or all; repeats. Those of safar.toml otherwise.")];

fn refusal(error: AgreementError) -> Problem {
    let problem = Problem::new(Code::NotComputable, error.to_string());
    match error {
        AgreementError::NothingEarned { model, .. } => {
            problem.because(Reason::NothingEarned { model: model.to_string() })
        }
        _ => problem,
    }
}

async fn run(workspace: &Workspace, arguments: &Arguments) -> Result<Table, Problem> {
    let rules = &workspace.settings().attribution;
    let models = arguments.models("model", &rules.models);
    let modelling = Modelling { models, transforms: rules.transform.clone(), ..Modelling::default() };
    let report = report::attribute(workspace, &modelling, &arguments.dimension()?, &arguments.selection()).await?;
    let nothing = report.models.iter().all(|model| model.credits.iter().all(|credit| credit.conversions == 0.0));
    // Where there is nothing to share, there is nothing to agree on: no rows, and no refusal.
    let pairs = if nothing { vec![] } else { agreement(&report.models, Measure::Conversions).map_err(refusal)?.pairs };
    let name = |index: usize| report.models[index].model.to_string();
    let texts =
        |of: &dyn Fn(&Pair) -> String| -> ArrayRef { Arc::new(StringArray::from_iter_values(pairs.iter().map(of))) };
    let numbers =
        |of: &dyn Fn(&Pair) -> Option<f64>| -> ArrayRef { Arc::new(pairs.iter().map(of).collect::<Float64Array>()) };
    let batch = RecordBatch::try_from_iter([
        ("model_a", texts(&|pair| name(pair.a))),
        ("model_b", texts(&|pair| name(pair.b))),
        ("distance", numbers(&|pair| Some(pair.distance))),
        ("spearman", numbers(&|pair| pair.spearman)),
        ("kendall", numbers(&|pair| pair.kendall)),
    ])?;
    let notes = notes(&report, None);
    Ok(Table::from(batch).unit("percent", &["distance"]).goal(report.goal).notes(notes))
}
