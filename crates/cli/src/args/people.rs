//! The arguments of `safar people` and what it can do.
use super::{ModelChoice, ScopeArgs, model_choice};
use crate::output::Format;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct People {
    #[command(subcommand)]
    pub act: Option<PeopleAct>,
    #[command(flatten)]
    pub list: PeopleList,
}

#[derive(Debug, Args)]
pub struct PeopleList {
    /// A person's id, or any part of an identifier; e-mail addresses and telephone numbers in full.
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,
    /// How many people to show, who was seen last first; 0 shows all.
    #[arg(long, default_value_t = 50)]
    pub limit: usize,
    #[command(flatten)]
    pub scope: ScopeArgs,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Subcommand)]
pub enum PeopleAct {
    /// Show the links that make two identifiers one person, or what keeps them apart.
    Why(PeopleWhy),
    /// List the links that join nobody because they would break a rule.
    Conflicts(PeopleConflicts),
    /// Decide that two identifiers are one person; the next build obeys, and every later one.
    Join(PeopleDecision),
    /// Decide that two identifiers are not one person, whatever links say; the next build obeys, and every later one.
    Split(PeopleDecision),
    /// Show what other identity rules would make of people and credits, and store nothing.
    Preview(PeoplePreview),
    /// Find records that are probably one person, by [identity.matching] of safar.toml.
    Match(PeopleMatch),
}

#[derive(Debug, Args)]
pub struct PeopleWhy {
    /// NAMESPACE:VALUE, such as user:ada or email:ada@example.com.
    pub one: String,
    /// The other one.
    pub other: String,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct PeopleConflicts {
    /// How many to show, the oldest first; 0 shows all.
    #[arg(long, default_value_t = 50)]
    pub limit: usize,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct PeopleDecision {
    /// NAMESPACE:VALUE, such as user:ada or email:ada@example.com.
    pub one: String,
    /// The other one.
    pub other: String,
    /// Why, in words: kept with the decision, and shown by `safar people why`.
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// For a device and a person: only from this day on (YYYY-MM-DD, the workspace's time zone).
    #[arg(long, value_name = "DAY")]
    pub from: Option<String>,
    /// For a device and a person: only before this day.
    #[arg(long, value_name = "DAY")]
    pub to: Option<String>,
}

#[derive(Debug, Args)]
pub struct PeoplePreview {
    /// The settings file whose [identity] is tried against the last build; the workspace's own safar.toml otherwise.
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// What to show.
    #[arg(long, value_enum, default_value_t)]
    pub show: PreviewShown,
    /// The goal of the credits; the first of safar.toml otherwise.
    #[arg(long)]
    pub goal: Option<String>,
    /// A model of the credits, or `all`; repeats. Those of safar.toml otherwise.
    #[arg(long, value_name = "MODEL", value_parser = model_choice)]
    pub model: Vec<ModelChoice>,
    /// How many examples of each kind of change to show; 0 shows all.
    #[arg(long, default_value_t = 5)]
    pub examples: usize,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// What `safar people preview` shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PreviewShown {
    /// People, then credits; formats other than a table show people.
    #[default]
    Both,
    /// Who would be merged, split or moved, and which devices.
    People,
    /// Credits by model and channel, before and after.
    Credits,
}

#[derive(Debug, Args)]
pub struct PeopleMatch {
    /// What to show.
    #[arg(long, value_enum, default_value_t)]
    pub show: MatchShown,
    /// How many pairs to show, the most probable first; 0 shows all.
    #[arg(long, default_value_t = 50)]
    pub limit: usize,
    /// Store the accepted pairs as links of the kind `match`; they join people where `min_confidence` of [identity] allows it.
    #[arg(long)]
    pub store: bool,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// What `safar people match` shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum MatchShown {
    /// Pairs that somebody should look at, with the evidence of each field.
    #[default]
    Review,
    /// Pairs that are probable enough.
    Accepted,
    /// What each level of each field says, in bits.
    Model,
}
