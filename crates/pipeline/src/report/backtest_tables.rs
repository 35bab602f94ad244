//! A backtest as tables and sentences.
use super::{Backtest, Note, attribute::refused, table};
use crate::Result;
use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use safar_attribution::validation::Reason;
use std::sync::Arc;

impl Backtest {
    /// Which model to use and why.
    #[must_use]
    pub fn reason(&self) -> Vec<Note> {
        let found = &self.recommendation;
        let model = found.choice.map(|choice| found.candidates[choice].model.to_string()).unwrap_or_default();
        match found.reason {
            Reason::NothingBeatsTheBaseRate { gain } => {
                vec![Note::NoneRecommended { gain: gain.mean, gain_error: gain.error }]
            }
            Reason::Best { gain, ahead } => {
                let ahead = ahead.map(|ahead| Note::Ahead { ahead: ahead.mean, ahead_error: ahead.error });
                let best = Note::Recommended { model, gain: gain.mean, gain_error: gain.error };
                [best].into_iter().chain(ahead).collect()
            }
            Reason::SimplestWithinOneError { gain, behind, within } => vec![Note::RecommendedAsSimplest {
                model,
                within: within as u64,
                behind: behind.mean,
                behind_error: behind.error,
                gain: gain.mean,
                gain_error: gain.error,
            }],
        }
    }

    /// What was learned from and tested on.
    #[must_use]
    pub fn facts(&self) -> Note {
        let at = |micros: i64| {
            jiff::Timestamp::from_microsecond(micros).map_or_else(|_| micros.to_string(), |at| at.to_string())
        };
        Note::LearnedFrom {
            goal: self.goal.clone(),
            from: at(self.span.0),
            split: at(self.split),
            to: at(self.span.1),
            weeks: self.weeks as u64,
        }
    }

    /// Which models could not be tested, and that the later paths are not like the earlier ones, where they are not.
    pub fn cautions(&self) -> impl Iterator<Item = Note> {
        let shift = self.recommendation.shift;
        let shift = shift.map(|shift| Note::Shift { earlier: shift.earlier, later: shift.later, p: shift.p });
        self.refused.iter().map(|(model, why)| refused(model, why)).chain(shift)
    }

    /// How models of cause are compared with the others, where they take part.
    #[must_use]
    pub fn causes(&self) -> Option<Note> {
        let causal = self.recommendation.candidates.iter().any(|one| one.model.is_causal());
        causal.then_some(Note::CausesByTouch)
    }

    /// Rows `model, log_loss, base_log_loss, gain, gain_error, auc, brier, people, week_distance, week_noise, week_p,
    /// recommended`, best first.
    ///
    /// # Errors
    /// Never in practice: the columns are as long as each other.
    pub fn scores(&self) -> Result<RecordBatch> {
        let all = || self.recommendation.candidates.iter();
        let steady = || self.stabilities.iter().map(Option::as_ref);
        let chosen = self.recommendation.choice;
        table([
            ("model", texts(all().map(|one| one.model.to_string()))),
            ("log_loss", numbers(all().map(|one| Some(one.score.log_loss)))),
            ("base_log_loss", numbers(all().map(|one| Some(one.score.base.log_loss)))),
            ("gain", numbers(all().map(|one| Some(one.score.gain.mean)))),
            ("gain_error", numbers(all().map(|one| Some(one.score.gain.error)))),
            ("auc", numbers(all().map(|one| Some(one.score.auc)))),
            ("brier", numbers(all().map(|one| Some(one.score.brier)))),
            ("people", numbers(all().map(|one| Some(one.score.people)))),
            ("week_distance", numbers(steady().map(|one| one.map(|one| one.distance)))),
            ("week_noise", numbers(steady().map(|one| one.map(|one| one.noise_floor)))),
            ("week_p", numbers(steady().map(|one| one.map(|one| one.p)))),
            (
                "recommended",
                texts((0..self.stabilities.len()).map(|at| if chosen == Some(at) { "yes" } else { "" }.to_owned())),
            ),
        ])
    }

    /// One row for each entry of each model's list.
    fn spread<T>(&self, lists: &[Vec<T>]) -> Vec<(String, usize)> {
        let names = self.recommendation.candidates.iter().map(|one| one.model.to_string());
        names.zip(lists).flat_map(|(name, list)| (0..list.len()).map(move |at| (name.clone(), at))).collect()
    }

    /// Rows `model, bin, people, conversions, predicted, observed, observed_low, observed_high`: tenths of the later people.
    ///
    /// # Errors
    /// Never in practice: the columns are as long as each other.
    pub fn calibration(&self) -> Result<RecordBatch> {
        let rows = self.spread(&self.calibrations);
        let bins = || self.calibrations.iter().flatten();
        table([
            ("model", texts(rows.iter().map(|(name, _)| name.clone()))),
            ("bin", numbers(rows.iter().map(|(_, at)| Some(*at as f64 + 1.0)))),
            ("people", numbers(bins().map(|bin| Some(bin.people)))),
            ("conversions", numbers(bins().map(|bin| Some(bin.conversions)))),
            ("predicted", numbers(bins().map(|bin| Some(bin.predicted)))),
            ("observed", numbers(bins().map(|bin| Some(bin.observed)))),
            ("observed_low", numbers(bins().map(|bin| Some(bin.low)))),
            ("observed_high", numbers(bins().map(|bin| Some(bin.high)))),
        ])
    }

    /// Rows `model, threshold, true_positive_rate, false_positive_rate`.
    ///
    /// # Errors
    /// Never in practice: the columns are as long as each other.
    pub fn roc(&self) -> Result<RecordBatch> {
        let rows = self.spread(&self.rocs);
        let points = || self.rocs.iter().flatten();
        table([
            ("model", texts(rows.iter().map(|(name, _)| name.clone()))),
            ("threshold", numbers(points().map(|point| Some(point.threshold)))),
            ("true_positive_rate", numbers(points().map(|point| Some(point.found)))),
            ("false_positive_rate", numbers(points().map(|point| Some(point.alarmed)))),
        ])
    }

    /// Rows `model, channel, share_low, share_high` over the weeks.
    ///
    /// # Errors
    /// Never in practice: the columns are as long as each other.
    pub fn weeks(&self) -> Result<RecordBatch> {
        let ranges: Vec<Vec<_>> =
            self.stabilities.iter().map(|one| one.as_ref().map_or(vec![], |one| one.ranges.clone())).collect();
        let rows = self.spread(&ranges);
        table([
            ("model", texts(rows.iter().map(|(name, _)| name.clone()))),
            ("channel", texts(rows.iter().map(|(_, at)| self.labels[*at].clone()))),
            ("share_low", numbers(ranges.iter().flatten().map(|range| Some(range.low)))),
            ("share_high", numbers(ranges.iter().flatten().map(|range| Some(range.high)))),
        ])
    }
}

fn numbers(values: impl Iterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(values.collect::<Float64Array>())
}

fn texts(values: impl Iterator<Item = String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}
