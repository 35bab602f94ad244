//! The arguments of reports about people and what they did.
use super::{Intervals, Labels};
use crate::output::Format;
use clap::{Args, ValueEnum};
use safar_attribution::ModelSpec;
use safar_pipeline::report::{Every, Nodes, Order, Step};

/// Whom and which days a report looks at.
#[derive(Debug, Args)]
pub struct ScopeArgs {
    /// The goal; the first of safar.toml otherwise.
    #[arg(long)]
    pub goal: Option<String>,
    /// Only what happened on or after this day (YYYY-MM-DD, the workspace's time zone).
    #[arg(long, value_name = "DAY")]
    pub from: Option<String>,
    /// Only what happened before this day.
    #[arg(long, value_name = "DAY")]
    pub to: Option<String>,
    /// Only people with a touch for which this SQL condition over `touchpoints` holds, for example "campaign = 'spring'".
    #[arg(long, value_name = "CONDITION")]
    pub people: Option<String>,
}

#[derive(Debug, Args)]
pub struct Overview {
    /// What to show.
    #[arg(long, value_enum, default_value_t)]
    pub show: OverviewShown,
    #[command(flatten)]
    pub scope: ScopeArgs,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Which table of an overview.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OverviewShown {
    /// Figures of the days, beside those of as many days before.
    #[default]
    Figures,
    /// Figures of every day.
    Trend,
}

/// Which table of paths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PathsShown {
    /// The most common paths to the goal.
    #[default]
    Common,
    /// What people walked who did not convert.
    Nulls,
    /// Conversions by how many touches came before.
    Lengths,
    /// Conversions by days since the first touch.
    Lags,
    /// How early or late each channel stands on converting paths.
    Positions,
}

#[derive(Debug, Args)]
pub struct Flow {
    #[command(flatten)]
    pub selection: crate::args::Selection,
    /// How many steps to show, the most frequent first; 0 shows all.
    #[arg(long, default_value_t = 30)]
    pub limit: usize,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct Explore {
    /// What came after the first event that is this STEP: event:NAME, page:/path*, goal:NAME, or JSON in the words of [[goals]].
    #[arg(long, value_name = "STEP", required_unless_present = "end", conflicts_with = "end")]
    pub start: Option<Step>,
    /// What came before the first event that is this STEP, nearest first.
    #[arg(long, value_name = "STEP")]
    pub end: Option<Step>,
    /// What steps are called: steps (pages by their path, other events by name), events or pages.
    #[arg(long, value_name = "WHAT", default_value = "steps")]
    pub by: Nodes,
    /// How many steps to follow.
    #[arg(long, default_value_t = 3)]
    pub depth: usize,
    /// How many steps to name at each distance; all others are (others).
    #[arg(long, default_value_t = 5)]
    pub width: usize,
    #[command(flatten)]
    pub scope: ScopeArgs,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// A list of steps.
#[derive(Debug, Args)]
pub struct Steps {
    /// A step, in order: event:NAME, page:/path*, goal:NAME, or JSON in the words of [[goals]]; repeats.
    #[arg(long = "step", value_name = "STEP")]
    pub steps: Vec<Step>,
    /// Events that end an attempt under way, written like a step; repeats.
    #[arg(long, value_name = "STEP")]
    pub exclude: Vec<Step>,
    /// How steps must follow each other: ordered, strict (no other event between) or any.
    #[arg(long, default_value = "ordered")]
    pub order: Order,
    /// Let people enter at any step.
    #[arg(long)]
    pub open: bool,
    /// The longest time from an attempt's first step to its last, in days.
    #[arg(long, value_name = "N", default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..))]
    pub window_days: u32,
}

#[derive(Debug, Args)]
pub struct Funnel {
    #[command(flatten)]
    pub steps: Steps,
    /// Show what people did next who dropped after the N-th step.
    #[arg(long, value_name = "N")]
    pub dropped: Option<usize>,
    /// Show who they are instead.
    #[arg(long, requires = "dropped")]
    pub who: bool,
    #[command(flatten)]
    pub scope: ScopeArgs,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct Obstacles {
    /// What places are: steps (pages by their path, other events by name), events or pages.
    #[arg(long, value_name = "WHAT", default_value = "steps")]
    pub by: Nodes,
    /// Leave out people who were active within so many days of the end of the data: they may still go on.
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub settle_days: u32,
    /// How many places to show; 0 shows all.
    #[arg(long, default_value_t = 20)]
    pub limit: usize,
    #[command(flatten)]
    pub scope: ScopeArgs,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct Retention {
    /// How long a period is: day, week (from Monday) or month.
    #[arg(long, value_name = "PERIOD", default_value = "week")]
    pub every: Every,
    /// Coming is a conversion of the goal, not any touch: who buys again.
    #[arg(long)]
    pub conversions: bool,
    #[command(flatten)]
    pub scope: ScopeArgs,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct Person {
    /// The person's id, as `safar people` shows it.
    pub id: i64,
    /// One table instead of all; formats other than a table show the timeline unless told otherwise.
    #[arg(long, value_enum)]
    pub show: Option<PersonShown>,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Which table of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PersonShown {
    /// First and last seen, sessions, conversions, value.
    Card,
    /// Identifiers, and why they are this person's.
    Identifiers,
    /// Sessions.
    Sessions,
    /// Every event.
    Timeline,
    /// Conversions.
    Conversions,
}

#[derive(Debug, Args)]
pub struct Quality {
    /// What to show.
    #[arg(long, value_enum, default_value_t)]
    pub show: QualityShown,
    #[command(flatten)]
    pub scope: ScopeArgs,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Which table of the quality of data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum QualityShown {
    /// What deserves attention, and what to do about it; over all of the data.
    #[default]
    Checks,
    /// Touches by source and medium, those of no known channel first.
    Sources,
    /// Rows that could not be read.
    Rejects,
    /// Rejected rows by reason.
    Reasons,
}

#[derive(Debug, Args)]
pub struct Channels {
    #[command(flatten)]
    pub labels: Labels,
    /// A model; repeats. Those of safar.toml otherwise.
    #[arg(long, value_name = "MODEL")]
    pub model: Vec<ModelSpec>,
    #[command(flatten)]
    pub intervals: Intervals,
    #[command(flatten)]
    pub scope: ScopeArgs,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct Compare {
    /// The first group: people with a touch for which this SQL condition over `touchpoints` holds.
    #[arg(value_name = "CONDITION_A")]
    pub a: String,
    /// The second group.
    #[arg(value_name = "CONDITION_B")]
    pub b: String,
    /// Of the intervals.
    #[arg(long, default_value_t = 0.95)]
    pub level: f64,
    /// Compare where the groups go instead: how many came to each channel, and from which to which.
    #[arg(long, conflicts_with = "steps")]
    pub flow: bool,
    /// How many rows of --flow to show, places and the largest differences first; 0 shows all.
    #[arg(long, default_value_t = 30)]
    pub limit: usize,
    /// With steps, compare how far the groups get through them.
    #[command(flatten)]
    pub steps: Steps,
    #[command(flatten)]
    pub scope: ScopeArgs,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}
