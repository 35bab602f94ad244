//! Changes to paths before a model sees them, in words that Snowplow and Google's fractribution made common.
use crate::{Result, Stop, attribute::check, error::SpecError, spec::list_of_names};
use hashbrown::HashMap;
use safar_model::{ChannelId, PathRef, Paths, PathsBuilder};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// One change. Counts and values stay as they are; equal paths may arise and stay apart. The examples apply to
/// D > A > B > B > C > D > C > C.
///
/// ```
/// # use safar_attribution::{ReadOptions, Transform, read_paths, transform};
/// # let changed = |name: &str, path: &str| {
/// #     let text = format!("path;conversions\n{path};1\n");
/// #     let (paths, names) = read_paths(text.as_bytes(), &ReadOptions::default()).unwrap();
/// #     let (paths, names) = transform(&[name.parse::<Transform>().unwrap()], &paths, &names).unwrap();
/// #     let touches: Vec<_> = paths.touches().iter().map(|channel| names[channel.0 as usize].as_str()).collect();
/// #     touches.join(" > ")
/// # };
/// let path = "D > A > B > B > C > D > C > C";
/// assert_eq!(changed("exposure", path), "D > A > B > C > D > C");
/// assert_eq!(changed("unique", path), "A > B > D > C");
/// assert_eq!(changed("first", path), "D > A > B > C");
/// assert_eq!(changed("frequency", path), "D(2) > A(1) > B(2) > C(3)");
/// assert_eq!(changed("remove_direct:direct=D", path), "A > B > B > C > C > C");
/// assert_eq!(changed("remove_direct:direct=D|C", "D > C > C"), "D > C > C"); // nothing else is there
/// assert_eq!(changed("remove_last_direct:direct=C", path), "D > A > B > B > C > D");
/// assert_eq!(changed("remove_last_direct:direct=D", path), path);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum Transform {
    /// Repeats in a row become one touch, the last of the row: D > A > B > C > D > C. (Snowplow: `exposure_path`.)
    Exposure,
    /// Each channel once, at its last place: A > B > D > C. (Snowplow's own `unique_path` changes nothing; for that,
    /// use no transform.)
    Unique,
    /// Each channel once, at its first place: D > A > B > C. (Snowplow: `first_path`.)
    First,
    /// Direct touches are dropped, unless the whole path is direct: with D direct, A > B > B > C > C > C. (Snowplow:
    /// `remove_if_not_all`.)
    RemoveDirect {
        /// Names that count as direct, compared without case.
        direct: Vec<String>,
    },
    /// Direct touches at the end are dropped, unless the whole path is direct: with C direct, D > A > B > B > C > D.
    /// (Snowplow: `remove_if_last_and_not_all`.)
    RemoveLastDirect {
        /// Names that count as direct, compared without case.
        direct: Vec<String>,
    },
    /// Each channel once, at its first place, named with the number of its touches: D(2) > A(1) > B(2) > C(3).
    /// (Snowplow: `frequency_path`.)
    Frequency,
}

impl TryFrom<String> for Transform {
    type Error = SpecError;
    fn try_from(spec: String) -> Result<Self, SpecError> {
        spec.parse()
    }
}

impl From<Transform> for String {
    fn from(transform: Transform) -> Self {
        transform.to_string()
    }
}

const ALLOWED: &str =
    "transforms are exposure, unique, first, frequency, remove_direct:direct=NAME, remove_last_direct:direct=NAME";

impl FromStr for Transform {
    type Err = SpecError;

    fn from_str(spec: &str) -> Result<Self, SpecError> {
        let error = |part: &str, problem: String, hint: &str| SpecError {
            spec: spec.into(),
            part: part.into(),
            problem,
            hint: hint.into(),
        };
        let (name, setting) = spec.split_once(':').map_or((spec, None), |(name, setting)| (name, Some(setting)));
        let name = name.trim().to_ascii_lowercase().replace('-', "_");
        let simple = match name.as_str() {
            "exposure" => Some(Self::Exposure),
            "unique" => Some(Self::Unique),
            "first" => Some(Self::First),
            "frequency" => Some(Self::Frequency),
            "remove_direct" | "remove_last_direct" => None,
            _ => return Err(error(&name, format!("no transform `{name}`"), ALLOWED)),
        };
        if let Some(simple) = simple {
            return match setting {
                None => Ok(simple),
                Some(setting) => Err(error(setting, format!("`{name}` takes no settings"), ALLOWED)),
            };
        }
        let names = match setting {
            None => Some(vec!["Direct".to_string()]),
            Some(setting) => setting.trim().strip_prefix("direct=").and_then(list_of_names),
        };
        let Some(direct) = names else {
            let setting = setting.unwrap_or_default();
            return Err(error(setting, format!("`{setting}` is no setting"), "write direct=NAME or direct=NAME|NAME"));
        };
        Ok(if name == "remove_direct" { Self::RemoveDirect { direct } } else { Self::RemoveLastDirect { direct } })
    }
}

impl fmt::Display for Transform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, direct) = match self {
            Self::Exposure => ("exposure", None),
            Self::Unique => ("unique", None),
            Self::First => ("first", None),
            Self::Frequency => ("frequency", None),
            Self::RemoveDirect { direct } => ("remove_direct", Some(direct)),
            Self::RemoveLastDirect { direct } => ("remove_last_direct", Some(direct)),
        };
        f.write_str(name)?;
        direct.map_or(Ok(()), |direct| write!(f, ":direct={}", crate::spec::spell_names(direct)))
    }
}

/// Applies `steps` in order. Returns the changed paths and the names of their channels.
///
/// # Errors
/// A channel without a name, or an unsound weight, as in [`attribute`](crate::attribute).
///
/// ```
/// use safar_attribution::{ReadOptions, read_paths, transform};
/// let file = "path;conversions\nA > A > Direct;1\nDirect;1\n";
/// let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// let steps = ["exposure", "remove_direct"].map(|step| step.parse().unwrap());
/// let (paths, channels) = transform(&steps, &paths, &channels).unwrap();
/// assert_eq!((paths.get(0).channels.len(), paths.get(1).channels.len()), (1, 1)); // A and Direct
/// assert_eq!(channels, ["A", "Direct"]);
/// ```
pub fn transform(steps: &[Transform], paths: &Paths, channels: &[String]) -> Result<(Paths, Vec<String>)> {
    transform_until(steps, paths, channels, &Stop::default())
}

/// The same, until `stop` is asked for.
///
/// # Errors
/// As [`transform`]; [`Error::Stopped`](crate::Error::Stopped).
///
/// ```
/// use safar_attribution::{Error, ReadOptions, Stop, Transform, read_paths, transform_until};
/// let (paths, channels) = read_paths("path;conversions\nA > A;1\n".as_bytes(), &ReadOptions::default()).unwrap();
/// let stop = Stop::default();
/// assert_eq!(transform_until(&[Transform::Exposure], &paths, &channels, &stop).unwrap().0.touchpoints(), 1);
/// stop.stop();
/// assert_eq!(transform_until(&[Transform::Exposure], &paths, &channels, &stop), Err(Error::Stopped));
/// ```
pub fn transform_until(
    steps: &[Transform],
    paths: &Paths,
    channels: &[String],
    stop: &Stop,
) -> Result<(Paths, Vec<String>)> {
    check(paths, channels.len())?;
    let (mut paths, mut channels) = (paths.clone(), channels.to_vec());
    for step in steps {
        paths = apply(step, &paths, &mut channels, stop)?;
    }
    Ok((paths, channels))
}

fn apply(step: &Transform, paths: &Paths, channels: &mut Vec<String>, stop: &Stop) -> Result<Paths> {
    let is_direct: Vec<bool> = match step {
        Transform::RemoveDirect { direct } | Transform::RemoveLastDirect { direct } => {
            let direct: Vec<_> = direct.iter().map(|name| name.to_lowercase()).collect();
            channels.iter().map(|name| direct.contains(&name.to_lowercase())).collect()
        }
        _ => vec![],
    };
    let is_direct = |channel: &ChannelId| is_direct[channel.0 as usize];
    let names = std::mem::take(channels);
    // With `frequency`: (channel, number of touches) → new channel.
    let mut counted = HashMap::<(ChannelId, usize), ChannelId, foldhash::fast::FixedState>::default();
    let mut builder = PathsBuilder::default();
    // By channel: its touches on the path at hand that are yet to be looked at; 0 between paths.
    let mut ahead = vec![0_usize; names.len()];
    let is_once = matches!(step, Transform::Unique | Transform::First | Transform::Frequency);
    let (mut kept, mut touches, mut ages) = (vec![], vec![], vec![]);
    for path in paths.iter() {
        stop.check()?;
        let all = path.channels;
        if is_once {
            all.iter().for_each(|channel| ahead[channel.0 as usize] += 1);
        }
        let not_direct = match step {
            Transform::RemoveLastDirect { .. } => all.iter().rposition(|channel| !is_direct(channel)),
            _ => None,
        };
        // Each place that stays, and how many touches it stands for where a channel comes once.
        kept.clear();
        kept.extend(all.iter().enumerate().filter_map(|(place, channel)| {
            let ahead = &mut ahead[channel.0 as usize];
            let times = match step {
                Transform::Exposure => usize::from(all.get(place + 1) != Some(channel)),
                Transform::Unique => {
                    *ahead -= 1;
                    usize::from(*ahead == 0)
                }
                Transform::First | Transform::Frequency => std::mem::take(ahead),
                Transform::RemoveDirect { .. } => usize::from(!is_direct(channel)),
                Transform::RemoveLastDirect { .. } => usize::from(not_direct.is_some_and(|last| place <= last)),
            };
            (times > 0).then_some((place, times))
        }));
        if kept.is_empty() {
            kept.extend((0..all.len()).map(|place| (place, 1)));
        }
        touches.clear();
        touches.extend(kept.iter().map(|(place, times)| match step {
            Transform::Frequency => *counted.entry((all[*place], *times)).or_insert_with(|| {
                channels.push(format!("{}({times})", names[all[*place].0 as usize]));
                #[expect(clippy::cast_possible_truncation, reason = "fewer names than touches in memory")]
                ChannelId(channels.len() as u32 - 1)
            }),
            _ => all[*place],
        }));
        ages.clear();
        ages.extend(kept.iter().filter_map(|(place, _)| path.ages.map(|ages| ages[*place])));
        builder.push(PathRef { channels: &touches, ages: path.ages.map(|_| ages.as_slice()), ..path });
    }
    if *step != Transform::Frequency {
        *channels = names;
    }
    Ok(builder.finish())
}
