//! How a model and its settings are spelled: `name` or `name:setting=value,setting=value`.
//!
//! Case and the difference between `-` and `_` do not matter in names. Inside a value, `\` takes the next
//! character as it is, so that a channel whose name holds a comma can be written `a\,b`.
use crate::{error::SpecError, models};
use safar_model::{DAY_US, Micros};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The choice of a model and its settings, as the command line, the API and a settings file spell it.
///
/// ```
/// use safar_attribution::ModelSpec;
/// let spec: ModelSpec = "position:first=0.3".parse().unwrap();
/// assert_eq!(spec, ModelSpec::Position { first: 0.3, last: 0.4 });
/// assert_eq!(spec.to_string(), "position:first=0.3,last=0.4");
/// let error = "position:frist=0.3".parse::<ModelSpec>().unwrap_err();
/// assert_eq!(error.to_string(), "`position:frist=0.3`: no setting `frist`; `position` takes first, last");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
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
        /// At least 1.
        order: u32,
    },
    /// Weights by hand.
    Custom(CustomWeights),
    /// Amplitude's J.
    AmplitudeJ,
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
    },
    /// What a path's conversion rate loses without the touch.
    LeaveOneOut,
    /// Shao and Li's second-order probabilistic model.
    ShaoLi,
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

/// One setting of a model, for help texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettingInfo {
    /// As spelled.
    pub name: &'static str,
    /// What it is when it is left out; empty where it has no default of its own.
    pub default: &'static str,
    /// In one line.
    pub meaning: &'static str,
}

/// One model, for help texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelInfo {
    /// As spelled.
    pub name: &'static str,
    /// In one line.
    pub meaning: &'static str,
    /// What can be set.
    pub settings: &'static [SettingInfo],
}

const fn model(name: &'static str, meaning: &'static str, settings: &'static [SettingInfo]) -> ModelInfo {
    ModelInfo { name, meaning, settings }
}

const fn setting(name: &'static str, default: &'static str, meaning: &'static str) -> SettingInfo {
    SettingInfo { name, default, meaning }
}

/// Every model by name, in the order of the documentation.
pub const MODELS: &[ModelInfo] = &[
    model("first", "all credit to the first touch", &[]),
    model("last", "all credit to the last touch, direct included", &[]),
    model(
        "last_non_direct",
        "all credit to the last touch that is not direct; direct only where the whole path is",
        &[setting("direct", "Direct", "names that count as direct, separated by |, case ignored")],
    ),
    model("linear", "equal credit to every touch", &[]),
    model(
        "position",
        "fixed shares for the first and the last touch, the rest shared by the touches between",
        &[
            setting("first", "0.4", "share of the first touch, 0 to 1"),
            setting("last", "0.4", "share of the last touch, 0 to 1; first + last at most 1"),
        ],
    ),
    model("position_decay", "touch i of n weighs i, so the last weighs most", &[]),
    model(
        "time_decay",
        "a touch's weight halves with every half-life before the outcome",
        &[setting("half_life", "7d", "a number with d, h, m or s; without times, touches count as one day apart")],
    ),
    model(
        "markov",
        "removal effects in a Markov chain, solved exactly",
        &[setting("order", "1", "how many touches a state remembers, 1 or more")],
    ),
    model(
        "custom",
        "your own weights, normalised on each path",
        &[
            setting("first", "0", "weight of the first touch"),
            setting("middle", "0", "weight of all touches between, together"),
            setting("last", "0", "weight of the last touch"),
            setting("weights", "", "instead of the three above: one weight for each place, separated by /"),
            setting("from", "first", "places of `weights` count from the `first` or from the `last` touch"),
        ],
    ),
    model("amplitude_j", "60 % last, 20 % the one before, 20 % the rest; 30/70 on two touches", &[]),
    model("participation", "the whole conversion to every channel that took part: sums to over 100 %", &[]),
    model("shapley", "Shapley values of covered conversions: equal credit to a path's distinct channels", &[]),
    model(
        "shapley_rate",
        "Shapley values of conversion rates within each set of channels that converts; can be negative",
        &[setting("most", "", "paths of more distinct channels stay unattributed; no limit where left out")],
    ),
    model(
        "shapley_markov",
        "Shapley values of what a Markov chain converts with some channels only; exact, up to 20 channels",
        &[setting("order", "1", "how many touches a state remembers, 1 or more")],
    ),
    model("leave_one_out", "what the conversion rate of equal paths loses without the touch", &[]),
    model("shao_li", "second-order probabilistic model of Shao and Li, scaled to conversions", &[]),
];

/// A named choice of settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PresetInfo {
    /// As spelled in place of a model; it takes no settings.
    pub name: &'static str,
    /// What it stands for; shown in its place, so that the weights are always in sight.
    pub spec: &'static str,
    /// Where the weights come from.
    pub source: &'static str,
}

/// Every preset. Vendors use the same words for different weights, so each name says whose it is.
pub const PRESETS: &[PresetInfo] = &[
    PresetInfo {
        name: "google_position",
        spec: "position:first=0.4,last=0.4",
        source: "Google Ads and Universal Analytics, position-based model, until 2023",
    },
    PresetInfo {
        name: "adobe_j",
        spec: "custom:first=20,middle=20,last=60",
        source: "Adobe Analytics, J curve: 20/20/60, 25/75 on two touches",
    },
    PresetInfo {
        name: "adobe_inverse_j",
        spec: "custom:first=60,middle=20,last=20",
        source: "Adobe Analytics, inverse J: 60/20/20, 75/25 on two touches",
    },
];

impl ModelSpec {
    /// The name without settings, an entry of [`MODELS`].
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
        }
    }

    /// The model, ready to be fitted.
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
            Self::Markov { order } => Box::new(models::Markov { order }),
            Self::Custom(weights) => Box::new(models::Custom { weights }),
            Self::AmplitudeJ => Box::new(models::AmplitudeJ),
            Self::Participation => Box::new(models::Participation),
            Self::Shapley => Box::new(models::Shapley),
            Self::ShapleyRate { most } => Box::new(models::ShapleyRate { most }),
            Self::ShapleyMarkov { order } => Box::new(models::ShapleyMarkov { order }),
            Self::LeaveOneOut => Box::new(models::LeaveOneOut),
            Self::ShaoLi => Box::new(models::ShaoLi),
        }
    }
}

impl FromStr for ModelSpec {
    type Err = SpecError;

    fn from_str(spec: &str) -> Result<Self, SpecError> {
        let preset = PRESETS.iter().find(|preset| preset.name == normal(spec));
        let mut settings = Settings::split(preset.map_or(spec, |preset| preset.spec))?;
        let parsed = match settings.model.name {
            "first" => Self::First,
            "last" => Self::Last,
            "linear" => Self::Linear,
            "position_decay" => Self::PositionDecay,
            "last_non_direct" => Self::LastNonDirect { direct: settings.names("direct")? },
            "position" => {
                let first = settings.number("first", 0.4)?;
                let last = settings.number("last", 0.4)?;
                if first + last > 1.0 + 1e-12 || first + last == 0.0 {
                    let part = format!("first + last = {}", first + last);
                    return Err(settings.error(
                        &part,
                        format!("{part} is out of range"),
                        "it must be above 0 and at most 1",
                    ));
                }
                Self::Position { first, last }
            }
            "time_decay" => Self::TimeDecay { half_life: settings.duration("half_life", 7 * DAY_US)? },
            "markov" => Self::Markov { order: settings.whole("order")?.unwrap_or(1) },
            "custom" => Self::Custom(settings.weights()?),
            "amplitude_j" => Self::AmplitudeJ,
            "participation" => Self::Participation,
            "shapley" => Self::Shapley,
            "shapley_rate" => Self::ShapleyRate { most: settings.whole("most")?.map(|most| most as usize) },
            "shapley_markov" => Self::ShapleyMarkov { order: settings.whole("order")?.unwrap_or(1) },
            "leave_one_out" => Self::LeaveOneOut,
            "shao_li" => Self::ShaoLi,
            name => unreachable!("`{name}` is in MODELS"),
        };
        settings.finish()?;
        Ok(parsed)
    }
}

impl fmt::Display for ModelSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::First | Self::Last | Self::Linear | Self::PositionDecay | Self::AmplitudeJ | Self::Participation => {
                Ok(())
            }
            Self::Shapley | Self::ShapleyRate { most: None } | Self::LeaveOneOut | Self::ShaoLi => Ok(()),
            Self::ShapleyRate { most: Some(most) } => write!(f, ":most={most}"),
            Self::LastNonDirect { direct } => {
                write!(f, ":direct={}", spell_names(direct))
            }
            Self::Position { first, last } => write!(f, ":first={first},last={last}"),
            Self::TimeDecay { half_life } => write!(f, ":half_life={}", spell_duration(*half_life)),
            Self::Markov { order } | Self::ShapleyMarkov { order } => write!(f, ":order={order}"),
            Self::Custom(CustomWeights::Ends { first, middle, last }) => {
                write!(f, ":first={first},middle={middle},last={last}")
            }
            Self::Custom(CustomWeights::Places { weights, from_last }) => {
                let weights: Vec<_> = weights.iter().map(f64::to_string).collect();
                write!(f, ":weights={}{}", weights.join("/"), if *from_last { ",from=last" } else { "" })
            }
        }
    }
}

impl TryFrom<String> for ModelSpec {
    type Error = SpecError;
    fn try_from(spec: String) -> Result<Self, SpecError> {
        spec.parse()
    }
}

impl From<ModelSpec> for String {
    fn from(spec: ModelSpec) -> Self {
        spec.to_string()
    }
}

/// The settings of one spelling, taken one by one; what is left at the end was not known.
struct Settings<'a> {
    spec: &'a str,
    model: &'static ModelInfo,
    left: Vec<(String, &'a str)>,
}

impl<'a> Settings<'a> {
    fn split(spec: &'a str) -> Result<Self, SpecError> {
        let (name, rest) = spec.split_once(':').unwrap_or((spec, ""));
        let name = normal(name);
        let Some(model) = MODELS.iter().find(|model| model.name == name) else {
            let presets = PRESETS.iter().map(|preset| preset.name);
            let names: Vec<_> = MODELS.iter().map(|model| model.name).chain(presets).collect();
            return Err(SpecError {
                spec: spec.into(),
                problem: if name.is_empty() { "no model is named".into() } else { format!("no model `{name}`") },
                part: name,
                hint: format!("models are {}", names.join(", ")),
            });
        };
        let mut settings = Self { spec, model, left: vec![] };
        for part in split_unescaped(rest, ',').into_iter().filter(|part| !part.trim().is_empty()) {
            let Some((key, value)) = part.split_once('=') else {
                return Err(settings.error(part, format!("`{part}` is no setting"), "write setting=value"));
            };
            let key = normal(key);
            if settings.left.iter().any(|(known, _)| *known == key) {
                return Err(settings.error(&key, format!("`{key}` is set twice"), "set it once"));
            }
            settings.left.push((key, value.trim()));
        }
        settings.check_names()?;
        Ok(settings)
    }

    fn check_names(&self) -> Result<(), SpecError> {
        let allowed: Vec<_> = self.model.settings.iter().map(|setting| setting.name).collect();
        match self.left.iter().find(|(key, _)| !allowed.contains(&key.as_str())) {
            None => Ok(()),
            Some((key, _)) => {
                let name = self.model.name;
                let hint = if allowed.is_empty() {
                    format!("`{name}` takes no settings")
                } else {
                    format!("`{name}` takes {}", allowed.join(", "))
                };
                Err(self.error(key, format!("no setting `{key}`"), &hint))
            }
        }
    }

    fn error(&self, part: &str, problem: String, hint: &str) -> SpecError {
        SpecError { spec: self.spec.into(), part: part.into(), problem, hint: hint.into() }
    }

    fn bad(&self, key: &str, value: &str, hint: &str) -> SpecError {
        self.error(value, format!("`{value}` is no {key}"), hint)
    }

    fn take(&mut self, key: &str) -> Option<&'a str> {
        let index = self.left.iter().position(|(known, _)| known == key)?;
        Some(self.left.swap_remove(index).1)
    }

    fn number(&mut self, key: &str, default: f64) -> Result<f64, SpecError> {
        match self.take(key) {
            None => Ok(default),
            Some(text) => weight(text).ok_or_else(|| self.bad(key, text, "it must be a number, 0 or more")),
        }
    }

    fn names(&mut self, key: &str) -> Result<Vec<String>, SpecError> {
        let text = self.take(key).unwrap_or("Direct");
        list_of_names(text).ok_or_else(|| self.bad(key, text, "write one or more channel names, separated by |"))
    }

    fn duration(&mut self, key: &str, default: Micros) -> Result<Micros, SpecError> {
        let Some(text) = self.take(key) else { return Ok(default) };
        let micros = (|| {
            let unit = text.chars().next_back()?;
            let (_, micros) = UNITS.into_iter().find(|(letter, _)| *letter == unit)?;
            let number = weight(&text[..text.len() - unit.len_utf8()])?;
            #[expect(clippy::cast_precision_loss, reason = "a unit is a small whole number")]
            let micros = (number * micros as f64).round();
            #[expect(clippy::cast_possible_truncation, reason = "checked against 2^53 first")]
            (1.0..=9_007_199_254_740_992.0).contains(&micros).then_some(micros as Micros)
        })();
        micros.ok_or_else(|| self.bad(key, text, "write a positive number with d, h, m or s, such as 7d"))
    }

    fn whole(&mut self, key: &str) -> Result<Option<u32>, SpecError> {
        let Some(text) = self.take(key) else { return Ok(None) };
        let number = text.parse().ok().filter(|number| *number >= 1);
        number.map(Some).ok_or_else(|| self.bad(key, text, "it must be a whole number, 1 or more"))
    }

    fn weights(&mut self) -> Result<CustomWeights, SpecError> {
        let Some(text) = self.take("weights") else {
            let first = self.number("first", 0.0)?;
            let middle = self.number("middle", 0.0)?;
            let last = self.number("last", 0.0)?;
            if first + middle + last == 0.0 {
                return Err(self.error("weights", "every weight is 0".into(), "set first, middle, last or weights"));
            }
            return Ok(CustomWeights::Ends { first, middle, last });
        };
        let weights: Option<Vec<f64>> = text.split('/').map(weight).collect();
        let Some(weights) = weights.filter(|weights| weights.iter().sum::<f64>() > 0.0) else {
            return Err(self.bad("weights", text, "write numbers, 0 or more and not all 0, such as 0.5/0.3/0.2"));
        };
        let from_last = match self.take("from") {
            None => false,
            Some(from) if from.eq_ignore_ascii_case("first") => false,
            Some(from) if from.eq_ignore_ascii_case("last") => true,
            Some(from) => return Err(self.bad("from", from, "it must be first or last")),
        };
        Ok(CustomWeights::Places { weights, from_last })
    }

    fn finish(self) -> Result<(), SpecError> {
        match self.left.first() {
            None => Ok(()),
            Some((key, _)) => Err(self.error(
                key,
                format!("`{key}` does not go with the other settings"),
                "set either first, middle and last, or weights and from",
            )),
        }
    }
}

const UNITS: [(char, Micros); 4] = [('d', DAY_US), ('h', DAY_US / 24), ('m', 60_000_000), ('s', 1_000_000)];

fn spell_duration(micros: Micros) -> String {
    match UNITS.into_iter().find(|(_, unit)| micros % unit == 0) {
        Some((letter, unit)) => format!("{}{letter}", micros / unit),
        None => format!("{}.{:06}s", micros / 1_000_000, micros % 1_000_000),
    }
}

/// A finite number that is not negative. Weights past 1e100 are refused so that sums of them stay finite.
fn weight(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| (0.0..=1e100).contains(number)).map(f64::abs)
}

fn normal(name: &str) -> String {
    name.trim().to_ascii_lowercase().replace('-', "_")
}

/// Names separated by `|`; `None` where one is empty.
pub(crate) fn list_of_names(text: &str) -> Option<Vec<String>> {
    let names: Vec<_> = split_unescaped(text, '|').into_iter().map(|name| unescape(name.trim())).collect();
    names.iter().all(|name| !name.is_empty()).then_some(names)
}

/// What [`list_of_names`] reads.
pub(crate) fn spell_names(names: &[String]) -> String {
    let escaped: Vec<_> = names.iter().map(|name| escape(name)).collect();
    escaped.join("|")
}

fn escape(name: &str) -> String {
    name.chars().flat_map(|c| ['\\', c].into_iter().skip(usize::from(!matches!(c, '\\' | ',' | '|')))).collect()
}

fn unescape(text: &str) -> String {
    let mut chars = text.chars();
    std::iter::from_fn(|| chars.next().map(|c| if c == '\\' { chars.next().unwrap_or(c) } else { c })).collect()
}

fn split_unescaped(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut start, mut escaped) = (vec![], 0, false);
    for (at, c) in text.char_indices() {
        if !escaped && c == separator {
            parts.push(&text[start..at]);
            start = at + c.len_utf8();
        }
        escaped = !escaped && c == '\\';
    }
    parts.push(&text[start..]);
    parts
}
