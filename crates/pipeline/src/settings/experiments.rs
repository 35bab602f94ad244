//! `[[experiments]]`
use jiff::civil::Date;
use serde::{Deserialize, Deserializer, de::Error as _};
use std::collections::BTreeSet;

/// `[[experiments]]`: by chance people, or all people of some regions, were kept from channels, and events tell who was.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExperimentSettings {
    /// What `safar experiment` calls it.
    pub name: String,
    /// The channels that the control arm was kept from.
    pub channels: Vec<String>,
    /// What chance assigned.
    #[serde(default)]
    pub unit: Unit,
    /// The name of the events that tell a person's arm or region; any event otherwise. The first one of a person counts.
    #[serde(default)]
    pub event: Option<String>,
    /// The property of these events that holds the arm or the region; `country` is the column of that name.
    pub property: String,
    /// Its value for people who were treated as usual, or the regions that were.
    #[serde(deserialize_with = "one_or_more")]
    pub treated: Vec<String>,
    /// Its value for people who were kept from the channels, or the regions that were.
    #[serde(deserialize_with = "one_or_more")]
    pub control: Vec<String>,
    /// Of regions: when the experiment began, in the workspace's time zone. People's begins with the event that tells the arm.
    #[serde(default, deserialize_with = "day")]
    pub from: Option<Date>,
    /// Outcomes before this day count, in the workspace's time zone; all otherwise.
    #[serde(default, deserialize_with = "day")]
    pub until: Option<Date>,
    /// The part of all people that was meant to be treated, so that the sizes of the arms can be checked.
    #[serde(default)]
    pub treated_share: Option<f64>,
    /// Days before the assignment whose conversions and value sharpen the comparison; 0: none.
    #[serde(default)]
    pub days_before: u32,
}

/// What chance assigns to an arm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Each person by itself.
    #[default]
    Person,
    /// Everybody in a region together.
    Region,
}

/// What cannot be in `[[experiments]]`, and what is allowed.
pub(super) fn fault(experiments: &[ExperimentSettings]) -> Option<String> {
    let mut names = BTreeSet::new();
    experiments.iter().find_map(|experiment| {
        let name = &experiment.name;
        let texts = [("name", Some(name)), ("event", experiment.event.as_ref()), ("property", Some(&experiment.property))];
        let arms = [("treated", &experiment.treated), ("control", &experiment.control)];
        let empty = |value: &String| value.trim().is_empty();
        let bare = texts.iter().find(|(_, value)| value.is_some_and(empty)).map(|(setting, _)| *setting);
        let bare = bare.or(arms.iter().find(|(_, all)| all.is_empty() || all.iter().any(empty)).map(|(arm, _)| *arm));
        if let Some(setting) = bare {
            return Some(format!("`{setting}` of an experiment is empty; write what it is"));
        }
        if !names.insert(name) {
            return Some(format!("`{name}` is the name of two experiments; give each one of its own"));
        }
        if experiment.channels.is_empty() || experiment.channels.iter().any(empty) {
            return Some(format!("`{name}` names no channels; list those that the control arm was kept from"));
        }
        if let Some(both) = experiment.treated.iter().find(|value| experiment.control.contains(value)) {
            return Some(format!(
                "`{both}` is both `treated` and `control` of the experiment {name}; the arms need two values"
            ));
        }
        let share = experiment.treated_share.filter(|share| !(*share > 0.0 && *share < 1.0));
        if let Some(share) = share {
            return Some(format!("`{share}` cannot be the treated_share of the experiment {name}; write a part between 0 and 1, such as 0.5"));
        }
        match experiment.unit {
            Unit::Person if experiment.from.is_some() => Some(format!(
                "`{name}` has a day `from`, but a person's experiment begins with the event that tells the arm; leave it out"
            )),
            Unit::Region if experiment.from.is_none() => Some(format!(
                "`{name}` is of regions and does not say when it began; write from = \"2026-03-01\" with the day"
            )),
            Unit::Region if experiment.until.is_some() && experiment.until <= experiment.from => {
                Some(format!("`{name}` ends before it begins; write an `until` after `from`"))
            }
            Unit::Region if experiment.treated_share.is_some() => Some(format!(
                "`{name}` is of regions, whose number is given by `treated` and `control`; leave treated_share out"
            )),
            _ => None,
        }
    })
}

fn day<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Date>, D::Error> {
    let text = String::deserialize(from)?;
    let day =
        text.parse().map_err(|_| D::Error::custom(format!("`{text}` is no day; write it like \"2026-03-31\"")))?;
    Ok(Some(day))
}

/// `"a"` or `["a", "b"]`.
fn one_or_more<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "write one value, \"a\", or several, [\"a\", \"b\"]")]
    enum Values {
        One(String),
        More(Vec<String>),
    }
    Ok(match Values::deserialize(from)? {
        Values::One(value) => vec![value],
        Values::More(values) => values,
    })
}
