//! Which paths a report looks at, and what it credits.
use super::NOT_SET;
use crate::{Error, Result, Workspace, settings::Settings};
use jiff::{civil::Date, tz::TimeZone};
use safar_engine::{Session, quoted};
use safar_model::Micros;
use std::{fmt, str::FromStr};

/// What gets the credit: a column of `touchpoints`, or a property of the events behind them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Dimension {
    /// The channel.
    #[default]
    Channel,
    /// Another one of [`Dimension::NAMES`].
    Column(&'static str),
    /// A name inside `properties`.
    Property(String),
    /// Another one, of touches of one value of a column; every other touch is [`ELSEWHERE`].
    Within(Box<Self>, &'static str, String),
}

/// How reports name touches outside of what they look into.
pub const ELSEWHERE: &str = "(elsewhere)";

impl Dimension {
    /// The columns: the channel, what a visit says of where it came from, and what it says of the visitor.
    pub const NAMES: [&str; 11] = [
        "channel", "source", "medium", "campaign", "content", "term", "country", "language", "device", "browser", "os",
    ];

    /// The same, looking only into the touches for which `condition`, such as `channel=Paid Search`, holds.
    ///
    /// # Errors
    /// When the condition does not name a column.
    pub fn within(self, condition: &str) -> Result<Self, String> {
        let (name, value) = condition
            .split_once('=')
            .ok_or_else(|| format!("`{condition}` is nothing to look into; write for example channel=Paid Search"))?;
        match name.parse()? {
            Self::Channel => Ok(Self::Within(Box::new(self), "channel", value.to_owned())),
            Self::Column(name) => Ok(Self::Within(Box::new(self), name, value.to_owned())),
            _ => Err(format!("`{name}` is no column; look into {}", Self::NAMES.join(", "))),
        }
    }

    /// The name inside `properties`, where it is one.
    #[must_use]
    pub fn property(&self) -> Option<&str> {
        match self {
            Self::Channel | Self::Column(_) => None,
            Self::Property(name) => Some(name),
            Self::Within(of, ..) => of.property(),
        }
    }

    /// The columns of `touchpoints` that it reads: its own, and those that it looks into.
    pub(super) fn columns(&self) -> Vec<&'static str> {
        match self {
            Self::Within(of, name, _) => [of.columns(), vec![*name]].concat(),
            own => vec![own.sql().0],
        }
    }

    /// The column of `touchpoints` that holds it, and an SQL condition for touches outside of it.
    pub(super) fn sql(&self) -> (&'static str, String) {
        match self {
            Self::Channel => ("channel", "FALSE".to_owned()),
            Self::Column(name) => (name, "FALSE".to_owned()),
            Self::Property(_) => ("properties", "FALSE".to_owned()),
            Self::Within(of, name, value) => {
                let (column, outside) = of.sql();
                (column, format!("{outside} OR coalesce({name}, '{NOT_SET}') <> {}", quoted(value)))
            }
        }
    }
}

impl FromStr for Dimension {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix("property:").filter(|name| !name.is_empty()) {
            return Ok(Self::Property(name.to_owned()));
        }
        match Self::NAMES.into_iter().find(|name| *name == text) {
            Some("channel") => Ok(Self::Channel),
            Some(name) => Ok(Self::Column(name)),
            None => Err(format!("`{text}` is nothing to report by; use {} or property:NAME", Self::NAMES.join(", "))),
        }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel => f.pad("channel"),
            Self::Column(name) => f.pad(name),
            Self::Property(name) => write!(f, "property:{name}"),
            Self::Within(of, name, value) => write!(f, "{of} within {name}={value}"),
        }
    }
}

/// Which paths a report looks at.
#[derive(Clone, Debug, Default)]
pub struct PathQuery {
    /// The goal; the workspace's first one that has paths otherwise.
    pub goal: Option<String>,
    /// First day of the outcomes, in the workspace's time zone.
    pub from: Option<Date>,
    /// The day after the last.
    pub to: Option<Date>,
    /// An SQL condition over the columns of `paths`.
    pub condition: Option<String>,
}

impl PathQuery {
    /// The goal of the report: the one asked for if it has paths, or the first of the settings that has, or the
    /// first by name of imported ready paths.
    ///
    /// # Errors
    /// When there is no such goal, or none at all.
    pub async fn goal(&self, workspace: &Workspace, session: &Session) -> Result<String> {
        let found = session.sql("SELECT DISTINCT goal FROM paths ORDER BY goal").await?.collect().await?;
        let mut goals = vec![];
        for batch in &found {
            goals.extend(super::names::strings(batch, 0)?.into_iter().flatten());
        }
        let all = self::goals(workspace.settings(), &goals);
        match &self.goal {
            Some(goal) if all.contains(goal) => Ok(goal.clone()),
            None | Some(_) if goals.is_empty() => Err(Error::NoPaths),
            Some(goal) => Err(Error::NoGoal { goal: goal.clone(), known: goals }),
            None => all.into_iter().next().ok_or(Error::NoPaths),
        }
    }

    /// When the day after the last begins, where there is one.
    pub(super) fn until(&self, workspace: &Workspace) -> Result<Option<Micros>> {
        self.to.map(|day| midnight(day, &workspace.settings().workspace.time_zone)).transpose()
    }

    /// The SQL condition over `paths` for `goal`.
    pub(super) fn sql(&self, goal: &str, zone: &str) -> Result<String> {
        let mut parts = vec![format!("goal = {}", quoted(goal))];
        parts.extend(day_bounds("occurred_at", self.from, self.to, zone)?);
        if let Some(condition) = &self.condition {
            parts.push(format!("({condition})"));
        }
        Ok(parts.join(" AND "))
    }
}

/// The goals of safar.toml and the others that have paths (ready paths); first those that have some. The first is the one of which
/// reports are where none is named.
#[must_use]
pub fn goals(settings: &Settings, walked: &[String]) -> Vec<String> {
    let mut goals: Vec<String> = settings.journey_rules().goals.into_iter().map(|goal| goal.name).collect();
    let others: Vec<String> = walked.iter().filter(|goal| !goals.contains(goal)).cloned().collect();
    goals.extend(others);
    goals.sort_by_key(|goal| !walked.contains(goal));
    goals
}

/// SQL conditions that hold `column` between two days.
pub(super) fn day_bounds(column: &str, from: Option<Date>, to: Option<Date>, zone: &str) -> Result<Vec<String>> {
    let mut parts = vec![];
    for (day, sign) in [(from, ">="), (to, "<")] {
        if let Some(day) = day {
            parts.push(format!("{column} {sign} to_timestamp_micros({})", midnight(day, zone)?));
        }
    }
    Ok(parts)
}

/// When `day` begins in `zone`.
pub(super) fn midnight(day: Date, zone: &str) -> Result<Micros> {
    let zone = TimeZone::get(zone).map_err(|e| Error::Request(e.to_string()))?;
    let start = day.to_zoned(zone).map_err(|e| Error::Request(format!("{day}: {e}")))?;
    Ok(start.timestamp().as_microsecond())
}
