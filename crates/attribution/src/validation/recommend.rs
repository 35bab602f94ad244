//! Which model to use, and why.
use super::{Gap, Predictions, Score, ValidationError};
use crate::{Diagnostics, ModelSpec};
use serde::{Deserialize, Serialize};

/// How much a model learns from data; less is simpler and comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "class")]
pub enum Class {
    /// Shares by rule.
    Rule,
    /// Compares counts of paths or of sets of channels.
    Counts,
    /// A Markov chain.
    Chain {
        /// How many touches a state remembers.
        order: u32,
    },
    /// Anything that is fitted otherwise.
    Fitted,
}

/// One model that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The model.
    pub model: ModelSpec,
    /// How much it learns.
    pub class: Class,
    /// On the later paths.
    pub score: Score,
    /// By how much the best model's log-loss is below its own; 0 for the best one.
    pub behind: Gap,
    /// Mean distance of its shares from week to week, where that is known.
    pub distance: Option<f64>,
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum Reason {
    /// No model predicts later conversions better than the plain conversion rate does by more than one standard error:
    /// the paths say nothing about who converts, and no model is to be preferred for what it predicts.
    NothingBeatsTheBaseRate {
        /// By how much the best model's log-loss is below that of the base rate.
        gain: Gap,
    },
    /// It has the lowest log-loss, and no simpler or steadier model comes within one standard error.
    Best {
        /// By how much its log-loss is below that of the base rate.
        gain: Gap,
        /// By how much it is below that of the second; `None` where there is no other.
        ahead: Option<Gap>,
    },
    /// It is the simplest, and of these the steadiest, of the models within one standard error of the best.
    SimplestWithinOneError {
        /// By how much its log-loss is below that of the base rate.
        gain: Gap,
        /// By how much the best one's log-loss is below its own.
        behind: Gap,
        /// How many models are within one standard error, the best one included.
        within: usize,
    },
}

/// Which model to use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recommendation {
    /// Index among the candidates; `None` where none is better than the base rate.
    pub choice: Option<usize>,
    /// Why.
    pub reason: Reason,
    /// All models tried, by log-loss, best first.
    pub candidates: Vec<Candidate>,
}

impl Recommendation {
    /// To be shown with every recommendation.
    pub const CAVEAT: &str = "Credit is association unless an experiment calibrates it: a model that predicts who \
                              converts need not know why.";
}

/// Recommends one of the models that were `tried`: each with what it predicted of the same later people and, where known, the
/// mean distance of its shares from week to week ([`Stability::distance`](super::Stability::distance)).
///
/// The rule is that of one standard error (Breiman, Friedman, Olshen, Stone 1984), on differences person by person:
/// 1. If the best model's log-loss is not below that of the base rate by more than one standard error of the
///    difference, none is recommended.
/// 2. Models count as being as good as the best one if they are behind it by at most one standard error of the
///    difference, and before the base rate by more than one.
/// 3. Of these the simplest [`Class`]; then the one whose shares move least from week to week, where that is known of
///    both; then the one with the lowest log-loss; then the one named first.
///
/// # Errors
/// No models.
pub fn recommend(tried: &[(ModelSpec, Predictions, Option<f64>)]) -> Result<Recommendation, ValidationError> {
    let mut scored: Vec<_> = tried.iter().map(|tried| (tried, tried.1.score())).collect();
    scored.sort_by(|a, b| a.1.log_loss.total_cmp(&b.1.log_loss));
    let Some(((_, best, _), _)) = scored.first() else { return Err(ValidationError::NoCandidates) };
    let candidate =
        |((model, predictions, distance), score): &(&(ModelSpec, Predictions, Option<f64>), Score)| Candidate {
            model: model.clone(),
            class: predictions.class,
            score: *score,
            behind: best.below(predictions),
            distance: *distance,
        };
    let candidates: Vec<_> = scored.iter().map(candidate).collect();
    let (choice, reason) = choose(&candidates);
    Ok(Recommendation { choice, reason, candidates })
}

/// Picks from candidates in order of log-loss.
fn choose(candidates: &[Candidate]) -> (Option<usize>, Reason) {
    let beats_base = |candidate: &Candidate| candidate.score.gain.mean > candidate.score.gain.error;
    let best = &candidates[0];
    if !beats_base(best) {
        return (None, Reason::NothingBeatsTheBaseRate { gain: best.score.gain });
    }
    let as_good = |candidate: &Candidate| candidate.behind.mean <= candidate.behind.error && beats_base(candidate);
    let within: Vec<_> = (0..candidates.len()).filter(|index| as_good(&candidates[*index])).collect();
    let mut choice = 0;
    for &index in &within {
        let (own, chosen) = (&candidates[index], &candidates[choice]);
        let steadier = own.distance.zip(chosen.distance).is_some_and(|(own, chosen)| own < chosen);
        if own.class < chosen.class || (own.class == chosen.class && steadier) {
            choice = index;
        }
    }
    let Candidate { score, behind, .. } = candidates[choice];
    let reason = if choice == 0 {
        Reason::Best { gain: score.gain, ahead: candidates.get(1).map(|second| second.behind) }
    } else {
        Reason::SimplestWithinOneError { gain: score.gain, behind, within: within.len() }
    };
    (Some(choice), reason)
}

impl Class {
    /// Of the model of that name, fitted.
    pub(super) fn of(name: &str, diagnostics: &Diagnostics) -> Self {
        match (name, &diagnostics.markov) {
            (_, Some(markov)) => Self::Chain { order: markov.order },
            ("shapley" | "shapley_rate" | "leave_one_out" | "shao_li", _) => Self::Counts,
            ("first" | "last" | "last_non_direct" | "linear" | "position" | "position_decay" | "time_decay", _)
            | ("custom" | "amplitude_j" | "participation" | "w_shaped", _) => Self::Rule,
            _ => Self::Fitted,
        }
    }
}
