//! How a model and its settings are spelled: `name` or `name:setting=value,setting=value`.
//!
//! Case and the difference between `-` and `_` do not matter in names. Inside a value, `\` takes the next
//! character as it is, so that a channel whose name holds a comma can be written `a\,b`.
mod info;
mod parse;
mod text;

pub use info::{MODELS, ModelInfo, PRESETS, PresetInfo, SettingInfo};
pub(crate) use text::{list_of_names, spell_names};

use crate::{error::SpecError, models};
use safar_model::Micros;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::fmt;

/// The choice of a model and its settings, as the command line, the API and a settings file spell it.
///
/// ```
/// use safar_attribution::ModelSpec;
/// let spec: ModelSpec = "position:first=0.3".parse().unwrap();
/// assert_eq!(spec, ModelSpec::Position { first: 0.3, last: 0.4 });
/// assert_eq!(spec.to_string(), "position:first=0.3,last=0.4");
/// let error = "position:frist=0.3".parse::<ModelSpec>().unwrap_err();
/// assert_eq!(error.to_string(), "`position:frist=0.3`: no setting `frist`; `position` takes first, last");
/// // A preset keeps its name, and its weights can be printed beside it.
/// let preset: ModelSpec = "adobe_j".parse().unwrap();
/// assert_eq!((preset.to_string(), preset.weights(4)), ("adobe_j".into(), Some(vec![0.2, 0.1, 0.1, 0.6])));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(into = "String")]
#[non_exhaustive]
pub enum ModelSpec {
    /// All to the first touch.
    First,
    /// All to the last touch.
    Last,
    /// All to the last touch that is not direct; to the last one where all are.
    LastNonDirect {
        /// Channels that count as direct, compared without case.
        direct: Vec<String>,
    },
    /// Equal shares.
    Linear,
    /// Fixed shares for the ends; the rest is shared by the middle.
    Position {
        /// Share of the first touch.
        first: f64,
        /// Share of the last touch.
        last: f64,
    },
    /// Touch i of n weighs i.
    PositionDecay,
    /// A touch's weight halves with every half-life before the outcome.
    TimeDecay {
        /// Microseconds; positive.
        half_life: Micros,
    },
    /// Removal effects in a Markov chain of windows of `order` touches.
    Markov {
        /// How many touches a state remembers.
        order: Order,
        /// How removal effects are found.
        solver: SolverChoice,
    },
    /// Weights by hand.
    Custom(CustomWeights),
    /// Amplitude's J.
    AmplitudeJ,
    /// Three tenths each to the first, the middle and the last touch.
    WShaped,
    /// The whole conversion to every channel that took part.
    Participation,
    /// Shapley values of covered conversions.
    Shapley,
    /// Shapley values of conversion rates.
    ShapleyRate {
        /// Paths of more distinct channels stay unattributed; no limit where not given.
        most: Option<usize>,
    },
    /// Shapley values of a Markov chain.
    ShapleyMarkov {
        /// At least 1.
        order: u32,
        /// Orders of the channels that are drawn, at least 4. Where not given: exact, or as many as
        /// [`models::ShapleyMarkov::SAMPLES`] where that is out of reach.
        samples: Option<u32>,
        /// Of the draws.
        seed: u64,
    },
    /// What a path's conversion rate loses without the touch.
    LeaveOneOut,
    /// Shao and Li's second-order probabilistic model.
    ShaoLi,
    /// Shao and Li's bagged logistic regression.
    Logistic {
        /// Regressions, at least 1.
        bags: u32,
        /// Penalty on half the squared coefficients, in people; above 0.
        l2: f64,
        /// Of the draws.
        seed: u64,
    },
    /// A model with the settings of one of [`PRESETS`], which goes by the preset's name.
    Preset {
        /// As spelled.
        name: &'static str,
        /// What it stands for.
        model: Box<Self>,
    },
    /// Additive hazard (Zhang, Wei and Ren 2014) with fading learned; read from timelines, see [`crate::hazard`].
    Hazard {
        /// Most rounds of learning.
        rounds: u32,
    },
    /// Additive hazard with hidden intent; read from timelines, see [`crate::hazard`].
    IntentHazard {
        /// Levels of lasting intent.
        levels: u32,
        /// Levels of passing intent.
        moods: u32,
        /// Equal stretches of the calendar with rates of their own.
        seasons: u32,
        /// Most rounds of learning.
        rounds: u32,
    },
}

/// How many touches a state of a Markov chain remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// So many, at least 1.
    Fixed(u32),
    /// From 1 to `most` the order that foretells best how held-out paths end; see [`models::Markov`].
    Auto {
        /// At least 1.
        most: u32,
        /// Deals people to folds.
        seed: u64,
    },
}

/// How the removal effects of a Markov chain are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SolverChoice {
    /// The cheaper one.
    #[default]
    Auto,
    /// By elimination, exact up to rounding; up to 4,096 states.
    Exact,
    /// By sweeps until rounding; [`Solver::Iterative`](crate::Solver::Iterative) says how near they came.
    Iterative,
}

/// The weights of [`ModelSpec::Custom`]: non-negative, normalised on each path.
#[derive(Clone, Debug, PartialEq)]
pub enum CustomWeights {
    /// Ends and middle. On one touch: 1. On two: the ends renormalised (halves where both are 0). From three on:
    /// `middle` is shared equally by the inner touches.
    Ends {
        /// Weight of the first touch.
        first: f64,
        /// Weight of all inner touches together.
        middle: f64,
        /// Weight of the last touch.
        last: f64,
    },
    /// One weight for each place. A shorter path uses the weights of the places it has; places beyond the list
    /// weigh 0. Where all places of a path weigh 0, its touches share equally.
    Places {
        /// Weight of the first place, the second, …
        weights: Vec<f64>,
        /// Places are counted from the last touch backwards instead of from the first touch onwards.
        from_last: bool,
    },
}

impl ModelSpec {
    /// The name without settings, an entry of [`MODELS`] or of [`PRESETS`].
    ///
    /// ```
    /// let model: safar_attribution::ModelSpec = "markov:order=2".parse().unwrap();
    /// assert_eq!(model.name(), "markov");
    /// ```
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Last => "last",
            Self::LastNonDirect { .. } => "last_non_direct",
            Self::Linear => "linear",
            Self::Position { .. } => "position",
            Self::PositionDecay => "position_decay",
            Self::TimeDecay { .. } => "time_decay",
            Self::Markov { .. } => "markov",
            Self::Custom(_) => "custom",
            Self::AmplitudeJ => "amplitude_j",
            Self::Participation => "participation",
            Self::Shapley => "shapley",
            Self::ShapleyRate { .. } => "shapley_rate",
            Self::ShapleyMarkov { .. } => "shapley_markov",
            Self::LeaveOneOut => "leave_one_out",
            Self::ShaoLi => "shao_li",
            Self::WShaped => "w_shaped",
            Self::Preset { name, .. } => name,
            Self::Logistic { .. } => "logistic",
            Self::Hazard { .. } => "hazard",
            Self::IntentHazard { .. } => "intent_hazard",
        }
    }

    /// Whether it is a model of cause that reads whole timelines ([`crate::hazard::attribute_timelines`]), not paths.
    ///
    /// ```
    /// let is_causal = |model: &str| model.parse::<safar_attribution::ModelSpec>().unwrap().is_causal();
    /// assert!(is_causal("hazard") && !is_causal("markov"));
    /// ```
    #[must_use]
    pub fn is_causal(&self) -> bool {
        matches!(self, Self::Hazard { .. } | Self::IntentHazard { .. })
    }

    /// The model, ready to be fitted.
    ///
    /// ```
    /// use safar_attribution::ModelSpec;
    /// # use safar_attribution::{ReadOptions, read_paths};
    /// # let file = "path;conversions;value;null\nA > B;8;80;20\nB;4;60;46\nA;2;10;98\n";
    /// # let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
    /// let fitted = "position_decay".parse::<ModelSpec>().unwrap().build().fit(&paths, &channels).unwrap();
    /// let mut shares = [0.0; 2];
    /// fitted.shares(paths.get(0), &mut shares);
    /// assert_eq!(shares, [1.0 / 3.0, 2.0 / 3.0]);
    /// ```
    #[must_use]
    pub fn build(&self) -> Box<dyn crate::AttributionModel> {
        match self.clone() {
            Self::First => Box::new(models::First),
            Self::Last => Box::new(models::Last),
            Self::LastNonDirect { direct } => Box::new(models::LastNonDirect { direct }),
            Self::Linear => Box::new(models::Linear),
            Self::Position { first, last } => Box::new(models::Position { first, last }),
            Self::PositionDecay => Box::new(models::PositionDecay),
            Self::TimeDecay { half_life } => Box::new(models::TimeDecay { half_life }),
            Self::Markov { order, solver } => Box::new(models::Markov { order, solver }),
            Self::Custom(weights) => Box::new(models::Custom { weights }),
            Self::AmplitudeJ => Box::new(models::AmplitudeJ),
            Self::Participation => Box::new(models::Participation),
            Self::Shapley => Box::new(models::Shapley),
            Self::ShapleyRate { most } => Box::new(models::ShapleyRate { most }),
            Self::ShapleyMarkov { order, samples, seed } => Box::new(models::ShapleyMarkov { order, samples, seed }),
            Self::LeaveOneOut => Box::new(models::LeaveOneOut),
            Self::ShaoLi => Box::new(models::ShaoLi),
            Self::WShaped => Box::new(models::WShaped),
            Self::Preset { model, .. } => model.build(),
            Self::Logistic { bags, l2, seed } => Box::new(models::Logistic { bags, l2, seed }),
            Self::Hazard { .. } | Self::IntentHazard { .. } => {
                Box::new(crate::hazard::OfTimelines { model: self.name() })
            }
        }
    }
}

impl fmt::Display for ModelSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::First | Self::Last | Self::Linear | Self::PositionDecay => Ok(()),
            Self::AmplitudeJ | Self::WShaped | Self::Participation | Self::Preset { .. } => Ok(()),
            Self::Shapley | Self::ShapleyRate { most: None } | Self::LeaveOneOut | Self::ShaoLi => Ok(()),
            Self::ShapleyRate { most: Some(most) } => write!(f, ":most={most}"),
            Self::LastNonDirect { direct } => write!(f, ":direct={}", spell_names(direct)),
            Self::Position { first, last } => write!(f, ":first={first},last={last}"),
            Self::TimeDecay { half_life } => write!(f, ":half_life={}", text::spell_duration(*half_life)),
            Self::Markov { order, solver } => {
                match order {
                    Order::Fixed(order) => write!(f, ":order={order}")?,
                    Order::Auto { most, seed } => write!(f, ":order=auto,most={most},seed={seed}")?,
                }
                f.write_str(match solver {
                    SolverChoice::Auto => "",
                    SolverChoice::Exact => ",solver=exact",
                    SolverChoice::Iterative => ",solver=iterative",
                })
            }
            Self::ShapleyMarkov { order, samples, seed } => {
                write!(f, ":order={order}")?;
                samples.map_or(Ok(()), |samples| write!(f, ",samples={samples}"))?;
                // Where the game can be solved exactly, the seed goes unused: only a chosen one is spelled out.
                if samples.is_some() || *seed != parse::SEED { write!(f, ",seed={seed}") } else { Ok(()) }
            }
            Self::Custom(CustomWeights::Ends { first, middle, last }) => {
                write!(f, ":first={first},middle={middle},last={last}")
            }
            Self::Custom(CustomWeights::Places { weights, from_last }) => {
                let weights: Vec<_> = weights.iter().map(f64::to_string).collect();
                write!(f, ":weights={}{}", weights.join("/"), if *from_last { ",from=last" } else { "" })
            }
            Self::Hazard { rounds } => write!(f, ":rounds={rounds}"),
            Self::IntentHazard { levels, moods, seasons, rounds } => {
                write!(f, ":levels={levels},moods={moods},rounds={rounds}")?;
                if *seasons == 1 { Ok(()) } else { write!(f, ",seasons={seasons}") }
            }
            Self::Logistic { bags, l2, seed } => write!(f, ":bags={bags},l2={l2},seed={seed}"),
        }
    }
}

/// Every model of paths with its defaults, in the order of the documentation. `custom` has no default weights and is left out;
/// models of whole timelines are in [`causal_models`].
///
/// ```
/// let names: Vec<_> = safar_attribution::all_models().iter().map(|model| model.name()).collect();
/// assert_eq!(names[..3], ["first", "last", "last_non_direct"]);
/// assert_eq!(names.last(), Some(&"logistic"));
/// ```
#[must_use]
pub fn all_models() -> Vec<ModelSpec> {
    MODELS.iter().filter_map(|model| model.name.parse().ok()).filter(|model: &ModelSpec| !model.is_causal()).collect()
}

/// Every model of whole timelines, with its defaults.
///
/// ```
/// let names: Vec<_> = safar_attribution::causal_models().iter().map(|model| model.name()).collect();
/// assert_eq!(names, ["hazard", "intent_hazard"]);
/// ```
#[must_use]
pub fn causal_models() -> Vec<ModelSpec> {
    ["hazard", "intent_hazard"].iter().filter_map(|name| name.parse().ok()).collect()
}

impl TryFrom<String> for ModelSpec {
    type Error = SpecError;
    fn try_from(spec: String) -> Result<Self, SpecError> {
        spec.parse()
    }
}

impl<'de> Deserialize<'de> for ModelSpec {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

impl From<ModelSpec> for String {
    fn from(spec: ModelSpec) -> Self {
        spec.to_string()
    }
}
