//! The command line, as clap reads it and `safar reference cli` prints it.
mod people;
mod privacy;
mod reports;

use crate::output::Format;
use clap::{Args, Parser, Subcommand};
use jiff::civil::Date;
use safar_attribution::{ModelSpec, Transform, uncertainty::Bootstrap};
use safar_ingest::{DateOrder, Decimal, Encoding, Format as InputFormat};
use safar_pipeline::report::Note;
use serde::de::{DeserializeOwned, IntoDeserializer};
use std::{net::SocketAddr, path::PathBuf};

pub use people::*;
pub use privacy::*;
pub use reports::*;

/// Reads a word as `safar.toml` spells it.
fn word<T: DeserializeOwned>(text: &str) -> Result<T, serde::de::value::Error> {
    T::deserialize(text.to_owned().into_deserializer())
}

/// What `--model` takes.
#[derive(Clone, Debug)]
pub enum ModelChoice {
    /// Every model of the library.
    All,
    /// One of them.
    One(ModelSpec),
}

fn model_choice(text: &str) -> Result<ModelChoice, safar_attribution::SpecError> {
    if text.eq_ignore_ascii_case("all") { Ok(ModelChoice::All) } else { text.parse().map(ModelChoice::One) }
}

/// Open customer-journey and marketing-attribution system: one binary, one folder, no services.
#[derive(Debug, Parser)]
#[command(name = "safar", version, max_term_width = 110, arg_required_else_help = true, disable_help_subcommand = true)]
pub struct Cli {
    /// The workspace: a folder with safar.toml and data/.
    #[arg(
        long,
        short = 'C',
        global = true,
        value_name = "FOLDER",
        env = "SAFAR_WORKSPACE",
        default_value = ".",
        hide_env_values = true
    )]
    pub workspace: PathBuf,
    /// Say nothing but results and errors.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Say also why.
    #[arg(long, short, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a workspace: a folder with a commented safar.toml and empty tables.
    Init(Init),
    /// Import events, costs or ready paths from CSV, NDJSON or Parquet files; exports of known tools are read as what they are.
    Import(Import),
    /// Rebuild people, sessions, touchpoints, conversions, paths and credits where data or rules changed.
    Build(Build),
    /// Serve the application, its API and SQL; collect events of websites, apps and servers, and keep journeys up to date.
    Serve(Serve),
    /// What can be done with collected events.
    #[command(subcommand)]
    Collect(Collect),
    /// Check the running collector: keys, pages, clocks, lag, rejects, unknown sources; say what to do.
    Doctor,
    /// Share the credit for conversions by several models, side by side.
    ///
    /// With --intervals, beneath a table stands in which part of the resamples each of the first labels is above the next
    /// one. Other formats have columns: the ends of each interval (…_low, …_high), conversions_rank (1 has the most) with its
    /// ends, and conversions_above_next, the part of the resamples in which a label has more conversions than that of the
    /// next row. Up to 1,000 labels are ranked, those with the most credit.
    Attribute(Attribute),
    /// Show people, sessions, conversions and value, against the days before or day by day.
    Overview(Overview),
    /// Show what each channel brought, what models credit it with, and what it cost.
    ///
    /// --by and --within take channel, source, medium, campaign, content and term here: by these costs are told.
    Channels(Channels),
    /// Show the most common paths to a goal, or how long and how slow they are.
    Paths(PathsArgs),
    /// Show from which channel people go to which, with loops and the time between.
    Flow(Flow),
    /// Show what people did after a start, or before they reached a goal.
    Explore(Explore),
    /// Show how many people get through a list of steps, and where the others go.
    Funnel(Funnel),
    /// Show where people leave, ranked by the conversions at stake there.
    Obstacles(Obstacles),
    /// Compare two groups of people, with intervals.
    Compare(Compare),
    /// Show who comes back, by week or month of the first time.
    Retention(Retention),
    /// Show sessions by channel or another column.
    Sessions(Sessions),
    /// List people, or find them by their identifiers; say why identifiers are one person, join, split, try other rules.
    People(People),
    /// Show one person: identifiers and why they belong together, sessions, events, conversions.
    Person(Person),
    /// Show what in the data deserves attention: rejected rows, unknown channels, late events.
    Quality(Quality),
    /// Show what made one number of an attribution report: conversions, touches, weights and rules.
    Explain(Explain),
    /// Learn models from earlier outcomes, test them on later ones, and recommend one.
    Backtest(Backtest),
    /// Evaluate a randomised hold-out of safar.toml, and calibrate credits by it; or plan one.
    Experiment(Experiment),
    /// Judge models on simulated markets in which it is known what advertising really caused.
    Validate(Validate),
    /// Write everything that is known of one person to a file or folder.
    Export(Export),
    /// Erase people: from all tables and their old files, from rejects, and from requests that are kept.
    Erase(Erase),
    /// Remove what is older than the limits of [privacy] in safar.toml; `safar serve` does so every day.
    Retain(Retain),
    /// Show who erased, handed out, changed and downloaded what, and when.
    Audit(AuditArgs),
    /// Ask the tables in SQL (read only).
    Sql(Sql),
    /// Write events of an imaginary shop whose truth is known, in a format that `import` reads.
    Simulate(Simulate),
    /// Print a page of the reference, as Markdown.
    Reference(Reference),
}

#[derive(Debug, Args)]
pub struct Init {
    /// The folder to make.
    pub folder: PathBuf,
    /// Settings that fit the sample data of `safar simulate`.
    #[arg(long)]
    pub sample: bool,
}

#[derive(Debug, Args)]
pub struct Import {
    /// Files, folders or glob patterns; `-` reads standard input.
    #[arg(required = true)]
    pub files: Vec<String>,
    /// Take FIELD from COLUMN; repeats.
    #[arg(long, value_name = "FIELD=COLUMN")]
    pub map: Vec<String>,
    /// Show the mapping and the first rows, store nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Give FIELD the same VALUE in every row; repeats. `goal=NAME` names what ready paths lead to.
    #[arg(long, value_name = "FIELD=VALUE")]
    pub set: Vec<String>,
    /// The saved mapping of safar.toml to use, by its name; the one whose `files` fit otherwise.
    #[arg(long, value_name = "NAME")]
    pub mapping: Option<String>,
    /// What the files are exports of, where their columns do not tell (google-ads, shopify-orders …; docs/imports.md lists
    /// all); `events` for none of them.
    #[arg(long = "as", value_name = "NAME", conflicts_with_all = ["map", "mapping"])]
    pub shape: Option<String>,
    /// Spread costs that a row tells of several days evenly over them, instead of refusing the file.
    #[arg(long)]
    pub spread_totals: bool,
    /// What the files are, where their content does not tell: csv, ndjson, json, parquet.
    #[arg(long, value_name = "FORMAT", value_parser = word::<InputFormat>)]
    pub input_format: Option<InputFormat>,
    /// The character between CSV fields, where it cannot be guessed.
    #[arg(long)]
    pub delimiter: Option<char>,
    /// The character encoding, where there is no byte-order mark: utf8, utf16le, utf16be, latin1.
    #[arg(long, value_parser = word::<Encoding>)]
    pub encoding: Option<Encoding>,
    /// Time zone of local times in the files (IANA name); safar.toml's otherwise.
    #[arg(long)]
    pub zone: Option<String>,
    /// Order of day and month in dates such as 3/4/2026: dmy or mdy.
    #[arg(long, value_name = "ORDER", value_parser = word::<DateOrder>)]
    pub date_order: Option<DateOrder>,
    /// The decimal sign of amounts: point (1,204.50) or comma (1.204,50); told by their column otherwise.
    #[arg(long, value_name = "SIGN", value_parser = word::<Decimal>)]
    pub decimal: Option<Decimal>,
    /// Where to write rejected rows as CSV; WORKSPACE/rejects/… otherwise.
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Build {
    /// Rebuild everything, whatever changed.
    #[arg(long)]
    pub full: bool,
}

#[derive(Debug, Args)]
pub struct Serve {
    /// Where the application and its API listen; `listen` of [server] in safar.toml otherwise.
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Where the collector listens; `listen` of [collect] in safar.toml otherwise.
    #[arg(long, value_name = "ADDRESS")]
    pub collect: Option<SocketAddr>,
}

#[derive(Debug, Args)]
pub struct Replay {
    /// Read all requests again that are kept (keep_days and keep_megabytes of [collect.log]), and put what they tell now in the
    /// place of what they told: after an update, other rules, or another file of countries. `safar build` then takes it up.
    #[arg(long)]
    pub kept: bool,
}

#[derive(Debug, Subcommand)]
pub enum Collect {
    /// Read again what was no event when it came: after an update, or after [collect] or [import] changed.
    Replay(Replay),
    /// Print the OpenAPI description of the JSON API for servers and apps.
    Openapi,
    /// Print a signed link that counts a click and leads on, and the pixels that count what was opened and what was seen.
    Link(Link),
}

#[derive(Debug, Args)]
pub struct Link {
    /// Where the link leads on: an absolute http or https address. It is signed with `link_key` of [collect] in safar.toml.
    #[arg(value_name = "URL")]
    pub to: String,
    /// The collector's public address.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8090")]
    pub at: String,
    /// What the link and the pixels tell beside it, such as utm_campaign=spring or user_id={{id}}: an e-mail program's
    /// placeholder stays as it is. Repeatable.
    #[arg(long = "tell", value_name = "NAME=VALUE")]
    pub tell: Vec<String>,
}

/// What gets the credit.
#[derive(Debug, Args)]
pub struct Labels {
    /// What to credit: channel, source, medium, campaign, content, term, country, language, device, browser, os, or
    /// property:NAME.
    #[arg(long, default_value = "channel")]
    pub by: String,
    /// Look only into touches of one value, for example "channel=Paid Search"; all others are (elsewhere). Repeats.
    #[arg(long, value_name = "COLUMN=VALUE")]
    pub within: Vec<String>,
}

/// Which paths a report looks at.
#[derive(Debug, Args)]
pub struct Selection {
    /// The goal; the first of safar.toml otherwise.
    #[arg(long)]
    pub goal: Option<String>,
    /// Only outcomes on or after this day (YYYY-MM-DD, the workspace's time zone).
    #[arg(long, value_name = "DAY")]
    pub from: Option<String>,
    /// Only outcomes before this day.
    #[arg(long, value_name = "DAY")]
    pub to: Option<String>,
    /// Only outcomes for which this SQL condition over `paths` holds, for example "value > 100".
    #[arg(long = "where", value_name = "CONDITION")]
    pub condition: Option<String>,
}

/// Whether and how a report says how sure its numbers are.
#[derive(Debug, Args)]
pub struct Intervals {
    /// Give intervals of every credit and of what is reckoned from it, by a bootstrap over people; costs are taken as known.
    #[arg(long)]
    pub intervals: bool,
    /// How many times people are drawn anew for intervals.
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub resamples: u32,
    /// The same seed gives the same intervals.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Of the intervals.
    #[arg(long, default_value_t = 0.95)]
    pub level: f64,
}

impl Intervals {
    /// The bootstrap that was asked for.
    pub fn bootstrap(&self) -> Option<Bootstrap> {
        self.intervals.then_some(Bootstrap { replicates: self.resamples, seed: self.seed, level: self.level })
    }

    /// What intervals are of, where they were asked for.
    pub fn note(&self) -> Option<String> {
        let Bootstrap { replicates, seed, level } = self.bootstrap()?;
        let note = Note::Intervals { level, resamples: replicates };
        Some(format!("{note}, seed {seed}, safar {}", env!("CARGO_PKG_VERSION")))
    }
}

#[derive(Debug, Args)]
pub struct Attribute {
    /// A file of ready paths (path;total_conversions;total_conversion_value;total_null); `-` reads standard
    /// input. Needs no workspace.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["goal", "from", "to", "condition", "by", "within"])]
    pub paths: Option<PathBuf>,
    /// A model, or `all`; repeats. Those of safar.toml otherwise. See `safar reference models`.
    #[arg(long, value_name = "MODEL", value_parser = model_choice)]
    pub model: Vec<ModelChoice>,
    /// Change paths before models see them: exposure, unique, first, frequency, remove_direct:direct=NAME,
    /// remove_last_direct:direct=NAME; repeats, and is done in order. That of safar.toml otherwise.
    #[arg(long, value_name = "TRANSFORM")]
    pub transform: Vec<Transform>,
    #[command(flatten)]
    pub intervals: Intervals,
    /// Show how far each pair of models agrees, instead of their credits.
    #[arg(long)]
    pub agreement: bool,
    /// Show what was earned at each place of paths (1 is the first touch), instead of in all; by `shapley` these are ordered
    /// Shapley values. Models that give no credit touch by touch are left out.
    #[arg(long, conflicts_with_all = ["agreement", "intervals"])]
    pub places: bool,
    #[command(flatten)]
    pub labels: Labels,
    #[command(flatten)]
    pub selection: Selection,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct PathsArgs {
    /// What to show.
    #[arg(long, value_enum, default_value_t)]
    pub show: PathsShown,
    #[command(flatten)]
    pub selection: Selection,
    /// How many paths to show; 0 shows all.
    #[arg(long, default_value_t = 20)]
    pub limit: usize,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct Sessions {
    /// The column to group by: channel, source, medium, campaign, content, term, landing_page, country, language, device,
    /// browser, os or day.
    #[arg(long, default_value = "channel")]
    pub by: String,
    /// Only sessions that started on or after this day (YYYY-MM-DD, the workspace's time zone).
    #[arg(long, value_name = "DAY")]
    pub from: Option<String>,
    /// Only sessions that started before this day.
    #[arg(long, value_name = "DAY")]
    pub to: Option<String>,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct Explain {
    /// The model of the cell.
    #[arg(long, value_name = "MODEL")]
    pub model: ModelSpec,
    /// The row of the cell: a channel, or a value of --by.
    pub label: String,
    #[command(flatten)]
    pub labels: Labels,
    #[command(flatten)]
    pub selection: Selection,
    /// How many conversions to show, the most credited first; 0 shows all.
    #[arg(long, default_value_t = 10)]
    pub limit: usize,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct Backtest {
    /// A model, or `all` (the default); repeats.
    #[arg(long, value_name = "MODEL", value_parser = model_choice)]
    pub model: Vec<ModelChoice>,
    /// Learn from paths that began before this day (YYYY-MM-DD) and test on the rest; three quarters of the time otherwise.
    #[arg(long, value_name = "DAY")]
    pub split: Option<String>,
    /// How many times weeks are drawn anew to tell change from chance, at least 19.
    #[arg(long, value_name = "N", default_value_t = 19)]
    pub resamples: usize,
    /// What to show.
    #[arg(long, value_enum, default_value_t)]
    pub show: Shown,
    #[command(flatten)]
    pub selection: Selection,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Which table of a backtest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Shown {
    /// Log-loss, AUC and steadiness of every model.
    #[default]
    Scores,
    /// Predicted against observed, by tenths of the later people.
    Calibration,
    /// Who is found at each threshold.
    Roc,
    /// Each channel's smallest and largest share over the weeks.
    Weeks,
}

#[derive(Debug, Args)]
pub struct Experiment {
    /// The name of the experiment in safar.toml.
    #[arg(required_unless_present = "plan")]
    pub name: Option<String>,
    /// A model to calibrate; repeats. Those of safar.toml otherwise.
    #[arg(long, value_name = "MODEL")]
    pub model: Vec<ModelSpec>,
    /// Show calibrated credits instead of lifts (in a table, both are shown).
    #[arg(long)]
    pub calibrated: bool,
    /// Of the intervals.
    #[arg(long, default_value_t = 0.95)]
    pub level: f64,
    /// Plan an experiment instead: how many people it takes to find that everybody's conversions rise by this part, such as
    /// 0.05, judged by the days --from to --to (the last 28 otherwise).
    #[arg(long, value_name = "LIFT", conflicts_with_all = ["name", "model", "calibrated"])]
    pub plan: Option<f64>,
    /// Plan for regions, each a value of this property of events, or of `country`.
    #[arg(long, value_name = "PROPERTY", requires = "plan")]
    pub region: Option<String>,
    /// The part of people or regions to be treated.
    #[arg(long, default_value_t = 0.5, requires = "plan")]
    pub treated_share: f64,
    /// Chance to find the lift.
    #[arg(long, default_value_t = 0.8, requires = "plan")]
    pub power: f64,
    /// Days before whose conversions and value are to sharpen the comparison.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "plan")]
    pub days_before: u32,
    #[command(flatten)]
    pub selection: Selection,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct Validate {
    /// A market by its name or the part of it before `_`; repeats. S0 to S5 otherwise; `further` adds the others.
    #[arg(long, value_name = "NAME")]
    pub scenario: Vec<String>,
    /// A model; repeats. All that markets are usually judged with otherwise.
    #[arg(long, value_name = "MODEL")]
    pub model: Vec<ModelSpec>,
    /// How many people live in each market.
    #[arg(long, default_value_t = 20_000)]
    pub people: u32,
    /// The same seed gives the same people; repeats.
    #[arg(long, default_value = "7")]
    pub seed: Vec<u64>,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct Sql {
    /// The query; `-` reads standard input.
    pub query: String,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct Simulate {
    /// How many people.
    #[arg(long, default_value_t = 2000)]
    pub people: u32,
    /// How many days.
    #[arg(long, default_value_t = 90)]
    pub days: u32,
    /// The first day (UTC).
    #[arg(long, value_name = "DAY", default_value = "2026-06-01")]
    pub start: Date,
    /// The same seed gives the same events.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// A market of `safar validate` instead of the shop; what its advertising really caused is written beside, to
    /// FILE.truth.json.
    #[arg(long, value_name = "NAME", requires = "out", conflicts_with_all = ["days", "start", "costs"])]
    pub scenario: Option<String>,
    /// A file for what the shop's advertising costs, by day and campaign, as CSV.
    #[arg(long, value_name = "FILE")]
    pub costs: Option<PathBuf>,
    /// The file to write, CSV or (by its ending) .ndjson; standard output otherwise.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Reference {
    /// cli, tables, models or settings.
    pub page: String,
}
