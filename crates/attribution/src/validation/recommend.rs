//! Which model to use, and why.
use super::{Gap, Predictions, Score, ValidationError, predict::converted};
use crate::{Diagnostics, ModelSpec, PRESETS, experiment::p_of_no_difference};
use safar_model::Paths;
use serde::{Deserialize, Serialize};
use std::fmt;

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
    /// By how much the first candidate's log-loss is below its own; 0 for the first one.
    pub behind: Gap,
    /// Mean distance of its shares from week to week, where that is known.
    pub distance: Option<f64>,
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum Reason {
    /// No model predicts later conversions better than the plain conversion rate does: what they learned from paths
    /// says nothing about who converts, and none is to be preferred for what it predicts.
    NothingBeatsTheBaseRate {
        /// By how much the lowest log-loss is below that of the base rate.
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
    /// All models tried: those that beat the base rate, then the others, each by log-loss, best first.
    pub candidates: Vec<Candidate>,
    /// Set where the later people convert at another rate than the earlier ones, by more than chance. Then the two
    /// periods are not alike, and log-losses tell as much about that as about models; often the later paths are cut
    /// off by the end of the data.
    pub shift: Option<Shift>,
}

/// Another conversion rate than before.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shift {
    /// The rate of the earlier paths.
    pub earlier: f64,
    /// The rate of the later paths.
    pub later: f64,
    /// Two-sided, of equal rates; below 0.001.
    pub p: f64,
}

impl Recommendation {
    /// To be shown with every recommendation.
    pub const CAVEAT: &str = "Credit is association unless an experiment calibrates it: a model that predicts who \
                              converts need not know why.";
}

impl Reason {
    /// Which model to use and why, in one sentence; `model` is what the recommended one is called.
    ///
    /// ```
    /// use safar_attribution::validation::{Gap, Reason};
    /// let reason = Reason::Best { gain: Gap { mean: 0.1, error: 0.01 }, ahead: None };
    /// assert!(reason.said("linear").starts_with("recommended: linear. It predicts later outcomes best"));
    /// ```
    #[must_use]
    pub fn said(&self, model: &str) -> String {
        match self {
            Self::NothingBeatsTheBaseRate { gain } => format!(
                "recommended: none. No model's log-loss is below that of the plain conversion rate by more than one \
                 standard error (the best: {gain}): these paths do not tell who converts"
            ),
            Self::Best { gain, ahead } => {
                let ahead = ahead.map_or_else(String::new, |ahead| format!(", and below the next model by {ahead}"));
                format!(
                    "recommended: {model}. It predicts later outcomes best: log-loss below the plain conversion rate by {gain}{ahead}"
                )
            }
            Self::SimplestWithinOneError { gain, behind, within } => format!(
                "recommended: {model}. Of the {within} models within one standard error of the best it is the simplest \
                 (and steadiest): behind by {behind}, below the plain conversion rate by {gain}"
            ),
        }
    }
}

/// Which model to use and why, in one sentence.
impl fmt::Display for Recommendation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let model = self.choice.map(|choice| self.candidates[choice].model.to_string()).unwrap_or_default();
        f.write_str(&self.reason.said(&model))
    }
}

/// What the shift means, in one sentence.
impl fmt::Display for Shift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the conversion rate went from {:.2} % to {:.2} % (p = {:.1e}): the later paths are not like the earlier ones, \
             so scores compare models but do not foretell the future",
            self.earlier * 100.0,
            self.later * 100.0,
            self.p
        )
    }
}

/// Recommends one of the models that were `tried`: each with what it predicted of the same later people and, where known, the
/// mean distance of its shares from week to week ([`Stability::distance`](super::Stability::distance)).
///
/// The rule is that of one standard error (Breiman, Friedman, Olshen, Stone 1984), on differences person by person:
/// 1. A model beats the base rate if its log-loss is lower by more than one standard error of the difference, and if it
///    ranks people better than blindly (AUC above 0.5); without the latter it only happens to meet a rate that has
///    changed. If none does, none is recommended.
/// 2. Of those that do, models count as being as good as the one with the lowest log-loss if they are behind it by at
///    most one standard error of the difference.
/// 3. Of these the simplest [`Class`]; then the one whose shares move least from week to week, where that is known of
///    both; then the one with the lowest log-loss; then the one named first.
///
/// # Errors
/// No models.
///
/// ```
/// use safar_attribution::{ReadOptions, read_paths, validation::Predictions};
/// let file = "path;conversions;null\nMail;30;70\nAds;5;95\n";
/// let (earlier, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// let later = earlier.clone(); // in real life: the weeks after
/// use safar_attribution::validation::{Recommendation, recommend};
/// let tried = ["markov", "linear"].map(|model| {
///     let model = model.parse().unwrap();
///     let predictions = Predictions::make(&model, &earlier, &later, &channels).unwrap();
///     (model, predictions, None)
/// });
/// let found = recommend(&tried, &earlier, &later).unwrap();
/// // Both foretell as well; the rule learns less.
/// assert_eq!(found.candidates[found.choice.unwrap()].model.name(), "linear");
/// assert!(found.to_string().starts_with("recommended: linear. Of the 2 models within one standard error of the best"));
/// assert!(Recommendation::CAVEAT.contains("association"));
/// ```
pub fn recommend(
    tried: &[(ModelSpec, Predictions, Option<f64>)],
    earlier: &Paths,
    later: &Paths,
) -> Result<Recommendation, ValidationError> {
    let mut scored: Vec<_> = tried.iter().map(|tried| (tried, tried.1.score())).collect();
    scored.sort_by(|a, b| beats_base(&b.1).cmp(&beats_base(&a.1)).then_with(|| a.1.log_loss.total_cmp(&b.1.log_loss)));
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
    let [before, after] = [earlier, later].map(converted);
    let p = p_of_no_difference(before, after).filter(|p| *p < 0.001);
    let shift = p.map(|p| Shift { earlier: before.rate(), later: after.rate(), p });
    Ok(Recommendation { choice, reason, candidates, shift })
}

fn beats_base(score: &Score) -> bool {
    score.gain.mean > score.gain.error && score.auc > 0.5
}

/// Picks from candidates in the order of a recommendation.
fn choose(candidates: &[Candidate]) -> (Option<usize>, Reason) {
    if !beats_base(&candidates[0].score) {
        return (None, Reason::NothingBeatsTheBaseRate { gain: candidates[0].score.gain });
    }
    let as_good = |Candidate { behind, score, .. }: &Candidate| behind.mean <= behind.error && beats_base(score);
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
            (name, _) if PRESETS.iter().any(|preset| preset.name == name) => Self::Rule,
            _ => Self::Fitted,
        }
    }
}
