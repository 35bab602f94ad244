//! From text to a model and its settings.
use super::info::{MODELS, ModelInfo, PRESETS};
use super::text::{UNITS, list_of_names, normal, split_unescaped, weight};
use super::{CustomWeights, ModelSpec, Order, SolverChoice};
use crate::error::SpecError;
use safar_model::{DAY_US, Micros};
use std::{ops::RangeInclusive, str::FromStr};

/// The seed where none is given.
pub(super) const SEED: u64 = 1;

impl FromStr for ModelSpec {
    type Err = SpecError;

    fn from_str(spec: &str) -> Result<Self, SpecError> {
        if let Some(preset) = PRESETS.iter().find(|preset| preset.name == normal(spec)) {
            return Ok(Self::Preset { name: preset.name, model: Box::new(preset.spec.parse()?) });
        }
        let mut settings = Settings::split(spec)?;
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
            "markov" => Self::Markov { order: settings.order()?, solver: settings.solver()? },
            "custom" => Self::Custom(settings.weights()?),
            "amplitude_j" => Self::AmplitudeJ,
            "participation" => Self::Participation,
            "shapley" => Self::Shapley,
            "w_shaped" => Self::WShaped,
            "shapley_rate" => {
                Self::ShapleyRate { most: settings.whole("most", 1..=u32::MAX)?.map(|most| most as usize) }
            }
            "shapley_markov" => Self::ShapleyMarkov {
                order: settings.whole("order", 1..=u32::MAX)?.unwrap_or(1),
                samples: settings.whole("samples", 4..=1_000_000)?,
                seed: settings.seed()?,
            },
            "leave_one_out" => Self::LeaveOneOut,
            "shao_li" => Self::ShaoLi,
            "logistic" => Self::Logistic {
                bags: settings.whole("bags", 1..=10_000)?.unwrap_or(100),
                l2: settings.l2()?,
                seed: settings.seed()?,
            },
            "hazard" => Self::Hazard { rounds: settings.whole("rounds", 1..=100_000)?.unwrap_or(60) },
            "intent_hazard" => Self::IntentHazard {
                levels: settings.whole("levels", 1..=31)?.unwrap_or(7),
                moods: settings.whole("moods", 1..=9)?.unwrap_or(3),
                seasons: settings.whole("seasons", 1..=1_000)?.unwrap_or(1),
                rounds: settings.whole("rounds", 1..=100_000)?.unwrap_or(60),
            },
            name => unreachable!("`{name}` is in MODELS"),
        };
        settings.finish()?;
        Ok(parsed)
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

    fn whole(&mut self, key: &str, range: RangeInclusive<u32>) -> Result<Option<u32>, SpecError> {
        let Some(text) = self.take(key) else { return Ok(None) };
        let number = text.parse().ok().filter(|number| range.contains(number));
        let (least, most) = range.into_inner();
        let up_to = if most == u32::MAX { "or more".to_string() } else { format!("to {most}") };
        number.map(Some).ok_or_else(|| self.bad(key, text, &format!("it must be a whole number, {least} {up_to}")))
    }

    fn seed(&mut self) -> Result<u64, SpecError> {
        let Some(text) = self.take("seed") else { return Ok(SEED) };
        text.parse().map_err(|_| self.bad("seed", text, "it must be a whole number, 0 or more"))
    }

    fn l2(&mut self) -> Result<f64, SpecError> {
        let Some(text) = self.take("l2") else { return Ok(1.0) };
        let l2 = weight(text).filter(|l2| *l2 >= 1e-9);
        l2.ok_or_else(|| self.bad("l2", text, "it must be a number, 1e-9 or more"))
    }

    fn order(&mut self) -> Result<Order, SpecError> {
        if self.left.iter().any(|(key, text)| key == "order" && text.eq_ignore_ascii_case("auto")) {
            self.take("order");
            return Ok(Order::Auto { most: self.whole("most", 1..=32)?.unwrap_or(4), seed: self.seed()? });
        }
        Ok(Order::Fixed(self.whole("order", 1..=u32::MAX)?.unwrap_or(1)))
    }

    fn solver(&mut self) -> Result<SolverChoice, SpecError> {
        let Some(text) = self.take("solver") else { return Ok(SolverChoice::Auto) };
        match normal(text).as_str() {
            "auto" => Ok(SolverChoice::Auto),
            "exact" => Ok(SolverChoice::Exact),
            "iterative" => Ok(SolverChoice::Iterative),
            _ => Err(self.bad("solver", text, "it must be auto, exact or iterative")),
        }
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
            Some((key, _)) => {
                let hint = match self.model.name {
                    "markov" => "most and seed go with order=auto",
                    _ => "set either first, middle and last, or weights and from",
                };
                Err(self.error(key, format!("`{key}` does not go with the other settings"), hint))
            }
        }
    }
}
