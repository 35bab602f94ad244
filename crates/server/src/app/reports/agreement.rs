//! How far models agree.
use super::{Arguments, BY, Kind, Parameter, Report, SELECTION, Table, attribution::notes};
use crate::app::{
    accounts::Role,
    problem::{Code, Problem},
};
use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use futures::FutureExt;
use safar_attribution::{Pair, agreement, uncertainty::Measure};
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

async fn run(workspace: &Workspace, arguments: &Arguments) -> Result<Table, Problem> {
    let rules = &workspace.settings().attribution;
    let models = arguments.models("model", &rules.models);
    let modelling = Modelling { models, transforms: rules.transform.clone(), ..Modelling::default() };
    let report = report::attribute(workspace, &modelling, &arguments.dimension()?, &arguments.selection()).await?;
    let found = agreement(&report.models, Measure::Conversions)
        .map_err(|error| Problem::new(Code::NotComputable, error.to_string()))?;
    let name = |index: usize| report.models[index].model.to_string();
    let texts = |of: &dyn Fn(&Pair) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(found.pairs.iter().map(of)))
    };
    let numbers = |of: &dyn Fn(&Pair) -> Option<f64>| -> ArrayRef {
        Arc::new(found.pairs.iter().map(of).collect::<Float64Array>())
    };
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
