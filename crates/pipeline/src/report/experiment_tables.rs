//! An experiment as tables and sentences.
use super::{ExperimentReport, Note, UNATTRIBUTED, attribute::refused, table};
use crate::{Result, settings::ExperimentSettings};
use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use safar_attribution::experiment::{Estimate, Lift, Standing, Warning};
use std::sync::Arc;

impl ExperimentReport {
    /// Rows `measure, treated_mean, control_mean, incremental, incremental_low, incremental_high, relative_lift, relative_lift_low,
    /// relative_lift_high, p, detectable_lift`.
    ///
    /// # Errors
    /// Never in practice: the columns are as long as each other.
    pub fn lifts(&self) -> Result<RecordBatch> {
        let outcome = &self.outcome;
        let rows =
            [("converters", &outcome.converters), ("conversions", &outcome.conversions), ("value", &outcome.value)];
        let of = |of: &dyn Fn(&Lift) -> Option<f64>| numbers(&rows, |(_, lift)| of(lift));
        table([
            ("measure", Arc::new(StringArray::from_iter_values(rows.iter().map(|(name, _)| *name)))),
            ("treated_mean", of(&|lift| Some(lift.treated))),
            ("control_mean", of(&|lift| Some(lift.control))),
            ("incremental", of(&|lift| Some(lift.total.value))),
            ("incremental_low", of(&|lift| Some(lift.total.low))),
            ("incremental_high", of(&|lift| Some(lift.total.high))),
            ("relative_lift", of(&|lift| lift.relative.map(|lift| lift.value))),
            ("relative_lift_low", of(&|lift| lift.relative.map(|lift| lift.low))),
            ("relative_lift_high", of(&|lift| lift.relative.map(|lift| lift.high))),
            ("p", of(&|lift| lift.p)),
            ("detectable_lift", of(&Lift::detectable_part)),
        ])
    }

    /// Rows `model, channel, conversions, calibrated_conversions, low, high, standing`.
    ///
    /// # Errors
    /// Never in practice: the columns are as long as each other.
    pub fn calibrated(&self) -> Result<RecordBatch> {
        let mut rows = vec![];
        for (fitted, calibrated) in self.attribution.models.iter().zip(&self.calibrated) {
            let Ok((_, calibrated)) = calibrated else { continue };
            let model = fitted.model.to_string();
            for index in self.attribution.order() {
                let credit = calibrated.credits[index];
                let interval = match credit.standing {
                    Standing::Calibrated { conversions, .. } => Some(conversions),
                    Standing::Association => None,
                };
                let channel = self.attribution.labels[index].clone();
                let before = fitted.credits[index].conversions;
                rows.push(Row { model: model.clone(), channel, before, after: credit.conversions, interval });
            }
            let rest = calibrated.unattributed_conversions;
            let before = fitted.unattributed.conversions;
            rows.push(Row { model, channel: UNATTRIBUTED.into(), before, after: rest.value, interval: Some(rest) });
        }
        let texts =
            |of: &dyn Fn(&Row) -> &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(rows.iter().map(of))) };
        let standing = |row: &Row| if row.interval.is_some() { "calibrated" } else { "association" };
        table([
            ("model", texts(&|row| &row.model)),
            ("channel", texts(&|row| &row.channel)),
            ("conversions", numbers(&rows, |row| Some(row.before))),
            ("calibrated_conversions", numbers(&rows, |row| Some(row.after))),
            ("low", numbers(&rows, |row| row.interval.map(|interval| interval.low))),
            ("high", numbers(&rows, |row| row.interval.map(|interval| interval.high))),
            ("standing", Arc::new(StringArray::from_iter_values(rows.iter().map(standing)))),
        ])
    }

    /// What was compared.
    #[must_use]
    pub fn facts(&self, level: f64) -> Note {
        let ExperimentSettings { name, channels, property, control, event, .. } = self.settings.clone();
        Note::Experiment { name, channels, property, control, event, goal: self.goal.clone(), level }
    }

    /// Which models are not calibrated, and why.
    pub fn uncalibrated(&self) -> impl Iterator<Item = Note> {
        let failed = self.attribution.models.iter().zip(&self.calibrated).filter_map(|(fitted, calibrated)| {
            let why = calibrated.as_ref().err()?.clone();
            Some(Note::Uncalibrated { model: fitted.model.to_string(), why })
        });
        self.attribution.refused.iter().map(|(model, why)| refused(model, why)).chain(failed)
    }

    /// What weakens the comparison.
    pub fn warnings(&self) -> impl Iterator<Item = Note> {
        let found = self.outcome.warnings.iter().map(|warning| match *warning {
            Warning::SampleRatioMismatch { p } => Note::UnevenArms { p },
            Warning::FewConverters { expected } => Note::FewConverters { expected },
            Warning::ControlExposed { share } => Note::ControlExposed { share },
            Warning::TooFewAssignments { smallest_p } => Note::TooFewAssignments { p: smallest_p },
        });
        found.chain((self.in_both > 0).then_some(Note::InBothArms { people: self.in_both }))
    }
}

/// Model, channel, credit before and after, and the interval that the experiment leaves.
struct Row {
    model: String,
    channel: String,
    before: f64,
    after: f64,
    interval: Option<Estimate>,
}

fn numbers<T>(rows: &[T], of: impl Fn(&T) -> Option<f64>) -> ArrayRef {
    Arc::new(rows.iter().map(of).collect::<Float64Array>())
}
