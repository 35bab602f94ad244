//! `[[experiments]]`
use serde::{Deserialize, Deserializer, de::Error as _};
use std::collections::BTreeSet;

/// `[[experiments]]`: people were assigned by chance to be kept from a channel or not, and events tell who was.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExperimentSettings {
    /// What `safar experiment` calls it.
    pub name: String,
    /// The channels that the control arm was kept from.
    pub channels: Vec<String>,
    /// The name of the events that tell a person's arm; the first one of a person counts.
    pub event: String,
    /// The property of these events that holds the arm.
    pub property: String,
    /// Its value for people who were treated as usual.
    pub treated: String,
    /// Its value for people who were kept from the channels.
    pub control: String,
    /// Outcomes before this day count, in the workspace's time zone; all otherwise.
    #[serde(default, deserialize_with = "day")]
    pub until: Option<jiff::civil::Date>,
    /// The part of all people that was meant to be treated, so that the sizes of the arms can be checked.
    #[serde(default)]
    pub treated_share: Option<f64>,
    /// Days before the assignment whose conversions and value sharpen the comparison; 0: none.
    #[serde(default)]
    pub days_before: u32,
}

/// What cannot be in `[[experiments]]`, and what is allowed.
pub(super) fn fault(experiments: &[ExperimentSettings]) -> Option<String> {
    let mut names = BTreeSet::new();
    experiments.iter().find_map(|experiment| {
        let name = &experiment.name;
        let wanted = [
            ("name", name),
            ("event", &experiment.event),
            ("property", &experiment.property),
            ("treated", &experiment.treated),
            ("control", &experiment.control),
        ];
        if let Some((setting, _)) = wanted.iter().find(|(_, value)| value.trim().is_empty()) {
            return Some(format!("`{setting}` of an experiment is empty; write what it is"));
        }
        if !names.insert(name) {
            return Some(format!("`{name}` is the name of two experiments; give each one of its own"));
        }
        if experiment.channels.is_empty() || experiment.channels.iter().any(|channel| channel.trim().is_empty()) {
            return Some(format!("`{name}` names no channels; list those that the control arm was kept from"));
        }
        if experiment.treated == experiment.control {
            return Some(format!(
                "`{}` is both `treated` and `control` of the experiment {name}; the arms need two values",
                experiment.treated
            ));
        }
        let share = experiment.treated_share.filter(|share| !(*share > 0.0 && *share < 1.0));
        share.map(|share| {
            format!("`{share}` cannot be the treated_share of the experiment {name}; write a part between 0 and 1, such as 0.5")
        })
    })
}

fn day<'de, D: Deserializer<'de>>(from: D) -> Result<Option<jiff::civil::Date>, D::Error> {
    let text = String::deserialize(from)?;
    let day =
        text.parse().map_err(|_| D::Error::custom(format!("`{text}` is no day; write it like \"2026-03-31\"")))?;
    Ok(Some(day))
}
