//! What readers must be told beside the numbers. Each kind of sentence has a code that stays, and typed values to fill it with, so
//! that every language can say it; [`Display`](std::fmt::Display) says it in English.
mod english;
mod refusal;

pub use refusal::Refusal;

use serde::Serialize;
use utoipa::ToSchema;

/// A sentence. Parts of a whole are 0 to 1, instants and days RFC 3339, models as they are spelled in safar.toml.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "code", content = "values", rename_all = "snake_case")]
#[schema(as = NoteKind)]
pub enum Note {
    /// The goal that was looked at.
    Goal {
        /// Its name.
        goal: String,
    },
    /// The goal, and whose days rows are of.
    GoalByDay {
        /// Its name.
        goal: String,
        /// The time zone.
        zone: String,
    },
    /// A conversion counts at each channel of its path, a credit once.
    GoalAtEachChannel {
        /// The goal.
        goal: String,
    },
    /// What early and late are.
    GoalByQuarters {
        /// The goal.
        goal: String,
    },
    /// Conversions without a number of days.
    GoalWithoutDays {
        /// The goal.
        goal: String,
        /// Conversions that no touch preceded.
        untouched: f64,
        /// Conversions of paths without times.
        untimed: f64,
    },
    /// A period and the one before; last days are not included.
    Periods {
        /// First day.
        from: String,
        /// The day after the last.
        to: String,
        /// First day before.
        before_from: String,
        /// The day after the last before.
        before_to: String,
    },
    /// A period that nothing comes before.
    PeriodAlone {
        /// First day.
        from: String,
        /// The day after the last.
        to: String,
    },
    /// Nobody named a period.
    AllData {
        /// First day.
        from: String,
        /// The day after the last.
        to: String,
    },
    /// The period before begins before the data do.
    DataBegin {
        /// The first day of the data.
        first: String,
    },
    /// Costs in another currency than the workspace's are left out.
    CostsLeftOut {
        /// The currency.
        currency: String,
        /// How much.
        cost: f64,
    },
    /// Money was spent where a model credits nothing.
    SpentWithoutCredit {
        /// The model.
        model: String,
        /// How much, in the workspace's currency.
        cost: f64,
        /// On how many rows.
        rows: u64,
    },
    /// A model credits conversions where no cost is known.
    CreditWithoutCost {
        /// The model.
        model: String,
        /// How many.
        conversions: f64,
        /// In how many rows.
        rows: u64,
    },
    /// Conversions in another currency are among these; their value is added as it stands.
    OtherCurrency {
        /// The currency.
        currency: String,
        /// How many.
        conversions: u64,
    },
    /// Credit is association.
    Association,
    /// A model that is not among the answers.
    Refused {
        /// The model.
        model: String,
        /// Why.
        why: Refusal,
    },
    /// A model whose credits an experiment cannot calibrate.
    Uncalibrated {
        /// The model.
        model: String,
        /// Why.
        why: Refusal,
    },
    /// What intervals are.
    Intervals {
        /// Their level.
        level: f64,
        /// How many times people were drawn anew.
        resamples: u32,
    },
    /// Who is among the obstacles.
    Settled {
        /// The goal.
        goal: String,
        /// Who is.
        people: u64,
        /// Who is not, since they may still go on.
        waiting: u64,
        /// Who was active within so many days of the end of the data.
        days: u32,
    },
    /// Whom leavers are held against.
    HeldAgainst {
        /// Leavers without anybody like them.
        alone: u64,
    },
    /// What goes together need not be cause.
    GoesTogether,
    /// Two segments.
    Segments {
        /// The condition of the first.
        a: String,
        /// The condition of the second.
        b: String,
        /// Who is in both, and left out.
        both: u64,
        /// Of the intervals.
        level: f64,
    },
    /// How many people the segments have.
    SegmentSizes {
        /// The goal.
        goal: String,
        /// In the first.
        a: u64,
        /// In the second.
        b: u64,
    },
    /// What was explored.
    Explored {
        /// Who met the step.
        people: u64,
        /// The step.
        step: String,
        /// `after` or `before` it.
        way: &'static str,
        /// How many steps.
        depth: u64,
        /// How many are named at each distance.
        width: u64,
    },
    /// What transitions count beside people.
    Transitions,
    /// The rules of a funnel.
    Funnel {
        /// `ordered`, `strict` or `any`.
        order: &'static str,
        /// Whether people may enter at any step.
        open: bool,
        /// Within how many days of an attempt's start.
        days: u32,
    },
    /// Who dropped.
    Dropped {
        /// How many.
        people: u64,
        /// After which step.
        step: String,
    },
    /// Coming again is to be in touch again.
    ComesByTouch,
    /// Coming again is to convert again.
    ComesByConversion {
        /// The goal.
        goal: String,
    },
    /// How many people there are.
    People {
        /// In the rows.
        shown: u64,
        /// In all.
        all: u64,
    },
    /// What checks of the data cannot see.
    Unchecked,
    /// No model tells who converts.
    NoneRecommended {
        /// By how much the best log-loss is below that of the plain conversion rate.
        gain: f64,
        /// One standard error of it.
        gain_error: f64,
    },
    /// The model that predicts best, and no other is near.
    Recommended {
        /// The model.
        model: String,
        /// By how much its log-loss is below that of the plain conversion rate.
        gain: f64,
        /// One standard error of it.
        gain_error: f64,
    },
    /// By how much the recommended model is ahead.
    Ahead {
        /// Of log-loss, to the next model.
        ahead: f64,
        /// One standard error of it.
        ahead_error: f64,
    },
    /// The simplest of the models that predict about equally well.
    RecommendedAsSimplest {
        /// The model.
        model: String,
        /// How many are within one standard error of the best.
        within: u64,
        /// By how much log-loss is behind that of the best.
        behind: f64,
        /// One standard error of it.
        behind_error: f64,
        /// By how much it is below that of the plain conversion rate.
        gain: f64,
        /// One standard error of it.
        gain_error: f64,
    },
    /// What models learned from and were tested on.
    LearnedFrom {
        /// The goal.
        goal: String,
        /// When the first path began.
        from: String,
        /// From when on paths were for testing.
        split: String,
        /// When the last ended.
        to: String,
        /// Full weeks that steadiness is of.
        weeks: u64,
    },
    /// Later paths are not like earlier ones.
    Shift {
        /// The conversion rate before.
        earlier: f64,
        /// The conversion rate after.
        later: f64,
        /// Chance of a difference as large.
        p: f64,
    },
    /// How models of cause are compared with others.
    CausesByTouch,
    /// What a good prediction does not say.
    PredictionIsNotCause,
    /// What an experiment compared.
    Experiment {
        /// Its name.
        name: String,
        /// What was withheld.
        channels: Vec<String>,
        /// The property that tells the arm.
        property: String,
        /// Its values in the control arm.
        control: String,
        /// The goal.
        goal: String,
        /// Of the intervals.
        level: f64,
    },
    /// Which event tells the arm, where one does and not any.
    AssignedBy {
        /// Its name.
        event: String,
    },
    /// Chance assigned people.
    CountedByPerson,
    /// Chance assigned regions, and intervals are of all ways to do so.
    CountedByRegion {
        /// How many regions were treated.
        treated: u64,
        /// The ways to choose so many.
        ways: u64,
    },
    /// Chance assigned regions, and intervals are of some ways to do so.
    CountedByDrawnRegions {
        /// How many regions were treated.
        treated: u64,
        /// The ways that were drawn.
        ways: u64,
    },
    /// The arms are not of the sizes they were meant to be.
    UnevenArms {
        /// Chance of sizes as far off.
        p: f64,
    },
    /// Few converters make the p-value rough.
    FewConverters {
        /// Expected in the smallest cell.
        expected: f64,
    },
    /// Part of the control arm met the channels.
    ControlExposed {
        /// Which part.
        share: f64,
    },
    /// Too few regions for any result.
    TooFewAssignments {
        /// The smallest p-value that they can give.
        p: f64,
    },
    /// People in both arms, who count in their first.
    InBothArms {
        /// How many.
        people: u64,
    },
    /// The explanation leaves out what safar.toml does to paths before models see them.
    Untransformed {
        /// What it does, in order.
        transforms: Vec<String>,
    },
    /// The number that is explained.
    Explained {
        /// What the label is of.
        by: String,
        /// Its label.
        label: String,
        /// Conversions.
        conversions: f64,
        /// Their value.
        value: f64,
    },
    /// By which goal and model.
    ExplainedBy {
        /// The goal.
        goal: String,
        /// The model.
        model: String,
    },
    /// All conversions are credits and what is unattributed.
    Balance {
        /// All conversions.
        conversions: f64,
        /// Their value.
        value: f64,
        /// Those that no touch earned.
        unattributed: f64,
        /// Their value.
        unattributed_value: f64,
    },
    /// Why no touch earned them.
    Unearned {
        /// How many.
        conversions: u64,
    },
    /// A removal effect.
    RemovalEffect {
        /// Whose.
        label: String,
        /// With which chance a path converts.
        chance: f64,
        /// Order of the chain.
        order: u64,
        /// Its states.
        states: u64,
        /// Which part of the chance is lost.
        effect: f64,
    },
    /// How credit follows from removal effects.
    RemovalCredit {
        /// The removal effect.
        effect: f64,
        /// The sum of all.
        sum: f64,
        /// Conversions with a touch.
        conversions: f64,
    },
    /// What the weights of a chain say.
    WeightsRank,
    /// How credit follows from shares.
    Shares {
        /// How many gave one.
        conversions: u64,
        /// Their sum.
        sum: f64,
    },
    /// The most credited conversions are shown.
    MostShown {
        /// How many.
        shown: u64,
        /// Of how many.
        all: u64,
    },
}
