//! An experiment as tables and sentences.
use super::{
    ExperimentReport, HoldOut, Note, UNATTRIBUTED,
    answer::{counts, texts},
    attribute::refused,
    table,
};
use crate::{Result, settings::ExperimentSettings};
use arrow::array::{ArrayRef, Float64Array, RecordBatch};
use safar_attribution::experiment::{Assignments, Estimate, Lift, Standing, Warning};
use std::sync::Arc;

impl ExperimentReport {
    /// Rows `measure, treated_mean, control_mean, incremental, incremental_low, incremental_high, relative_lift, relative_lift_low,
    /// relative_lift_high, p, detectable_lift`.
    ///
    /// # Errors
    /// Never in practice: the columns are as long as each other.
    pub fn lifts(&self) -> Result<RecordBatch> {
        let rows = self.found.lifts();
        let of = |of: &dyn Fn(&Lift) -> Option<f64>| numbers(&rows, |(_, lift)| of(lift));
        table([
            ("measure", texts(rows.iter().map(|(name, _)| name))),
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

    /// The arms: rows `arm, people, exposed, converters, conversions, value`; of regions `arm, region, people, exposed, conversions,
    /// value`, where people are those seen before the experiment began.
    ///
    /// # Errors
    /// Never in practice: the columns are as long as each other.
    pub fn arms(&self) -> Result<RecordBatch> {
        let name = |treated: bool| if treated { "treated" } else { "control" };
        match &self.found {
            HoldOut::People { arms, .. } => table([
                ("arm", texts([name(true), name(false)])),
                ("people", whole(arms.iter().map(|arm| arm.people))),
                ("exposed", whole(arms.iter().map(|arm| arm.exposed.unwrap_or_default()))),
                ("converters", whole(arms.iter().map(|arm| arm.converters))),
                ("conversions", numbers(arms, |arm| Some(arm.conversions.sum))),
                ("value", numbers(arms, |arm| Some(arm.value.sum))),
            ]),
            HoldOut::Regions { regions, .. } => table([
                ("arm", texts(regions.iter().map(|region| name(region.geo.treated)))),
                ("region", texts(regions.iter().map(|region| &region.name))),
                ("people", whole(regions.iter().map(|region| region.geo.people))),
                ("exposed", whole(regions.iter().map(|region| region.exposed))),
                ("conversions", numbers(regions, |region| Some(region.geo.conversions))),
                ("value", numbers(regions, |region| Some(region.geo.value))),
            ]),
        }
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
        let standing = |row: &Row| if row.interval.is_some() { "calibrated" } else { "association" };
        table([
            ("model", texts(rows.iter().map(|row| &row.model))),
            ("channel", texts(rows.iter().map(|row| &row.channel))),
            ("conversions", numbers(&rows, |row| Some(row.before))),
            ("calibrated_conversions", numbers(&rows, |row| Some(row.after))),
            ("low", numbers(&rows, |row| row.interval.map(|interval| interval.low))),
            ("high", numbers(&rows, |row| row.interval.map(|interval| interval.high))),
            ("standing", texts(rows.iter().map(standing))),
        ])
    }

    /// What was compared.
    #[must_use]
    pub fn facts(&self, level: f64) -> impl Iterator<Item = Note> {
        let ExperimentSettings { name, channels, property, control, event, .. } = self.settings.clone();
        let control = control.join(", ");
        let compared = Note::Experiment { name, channels, property, control, goal: self.goal.clone(), level };
        let counted = match &self.found {
            HoldOut::People { .. } => Note::CountedByPerson,
            HoldOut::Regions { outcome, .. } => {
                let treated = outcome.treated as u64;
                match outcome.assignments {
                    Assignments::All(ways) => Note::CountedByRegion { treated, ways: ways as u64 },
                    Assignments::Drawn(ways) => Note::CountedByDrawnRegions { treated, ways: ways as u64 },
                }
            }
        };
        [compared].into_iter().chain(event.map(|event| Note::AssignedBy { event })).chain([counted])
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
        let found = self.found.cautions().iter().map(|warning| match *warning {
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

/// People, who come whole.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of people")]
fn whole(of: impl IntoIterator<Item = f64>) -> ArrayRef {
    counts(of.into_iter().map(|count| count as u64))
}
