//! Every note in English, as the command line says it.
use super::Note;
use safar_attribution::{
    MODELS,
    experiment::Warning,
    validation::{Gap, Reason, Recommendation, Shift},
};
use std::fmt;

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Goal { goal } => write!(f, "goal {goal}"),
            Self::GoalByDay { goal, zone } => write!(f, "goal {goal}; days of {zone}"),
            Self::GoalAtEachChannel { goal } => {
                write!(f, "goal {goal}; a conversion counts at each channel of its path, a credit once")
            }
            Self::GoalByQuarters { goal } => write!(
                f,
                "goal {goal}; early and late are the first and the last quarter of a path's touches, rounded up; an only touch is late"
            ),
            Self::GoalWithoutDays { goal, untouched, untimed } => write!(
                f,
                "goal {goal}; without days: {untouched} conversions that no touch preceded, {untimed} of paths without times"
            ),
            Self::Periods { from, to, before_from, before_to } => {
                write!(f, "{from} to {to}, against {before_from} to {before_to} (the last day not included)")
            }
            Self::PeriodAlone { from, to } => {
                write!(f, "{from} to {to} (the last day not included); there are no earlier data to compare with")
            }
            Self::AllData { from, to } => {
                write!(f, "all of the data, {from} to {to} (the last day not included); name days to compare")
            }
            Self::DataBegin { first } => write!(f, "the data begin on {first}: the days before are not all there"),
            Self::CostsLeftOut { currency, cost } => {
                write!(f, "{cost} {currency} of costs are left out: they are in another currency")
            }
            Self::SpentWithoutCredit { model, cost, rows } => write!(
                f,
                "{cost} was spent on {rows} rows to which {model} credits no conversion: they have no cost per conversion. Look whether their links carry the names that the platform's report has"
            ),
            Self::CreditWithoutCost { model, conversions, rows } => write!(
                f,
                "{model} credits {} conversions to {rows} rows whose cost is not known: they have neither CPA nor ROAS",
                exact(*conversions)
            ),
            Self::OtherCurrency { currency, conversions } => write!(
                f,
                "{conversions} conversions in {currency}, another currency than the workspace's, are among these; their value is added as it stands"
            ),
            Self::Association => f.write_str("credit is association, not cause, unless it is calibrated by an experiment"),
            Self::Refused { model, why } => write!(f, "{model} is not computed: {why}"),
            Self::Uncalibrated { model, why } => write!(f, "{model} cannot be calibrated: {why}"),
            Self::Intervals { level, resamples } => {
                write!(f, "intervals: {} % of {resamples} resamples of people", level * 100.0)
            }
            Self::Settled { goal, people, waiting, days } => write!(
                f,
                "goal {goal}, {people} people; {waiting} more were active within {days} days of the end of the data and may still go on"
            ),
            Self::HeldAgainst { alone } => write!(
                f,
                "people who left are held against people of the same first channel who went on; {alone} have none such and are at stake with nothing"
            ),
            Self::GoesTogether => f.write_str("this is what goes together, not what causes it"),
            Self::Segments { a, b, both, level } => write!(
                f,
                "a: {a}; b: {b}; {both} people are in both and left out; intervals of {} %; what differs need not be the cause",
                level * 100.0
            ),
            Self::SegmentSizes { goal, a, b } => {
                write!(f, "goal {goal}; {a} people in a, {b} in b, with and without a path")
            }
            Self::Explored { people, step, way, depth, width } => write!(
                f,
                "{people} people met {step}; {depth} steps {way} their first such event, the {width} most frequent at each are named"
            ),
            Self::Transitions => f.write_str("transitions count every such event as a beginning, people the first of each"),
            Self::Funnel { order, open, days } => {
                let order = match *order {
                    "ordered" => "steps in order, other events may lie between",
                    "strict" => "steps in order, no event between",
                    _ => "steps in any order",
                };
                let open = match open {
                    true => "open: people may enter at any step",
                    false => "closed: everybody enters at the first step",
                };
                write!(f, "{order}; {open}; within {days} days of an attempt's start")
            }
            Self::Dropped { people, step } => write!(f, "{people} people dropped after {step}"),
            Self::ComesByTouch => f.write_str(
                "coming is a session or another contact, impressions left out; a period that is not complete can still grow",
            ),
            Self::ComesByConversion { goal } => {
                write!(f, "coming is a conversion of {goal}; a period that is not complete can still grow")
            }
            Self::People { shown, all } => write!(f, "{shown} of {all} people"),
            Self::Unchecked => f.write_str(
                "rows that were stored already are dropped by the import and kept nowhere; bots that pretend to be browsers are not found",
            ),
            Self::NoneRecommended { gain, gain_error } => {
                let gain = Gap { mean: *gain, error: *gain_error };
                f.write_str(&Reason::NothingBeatsTheBaseRate { gain }.said(""))
            }
            Self::Recommended { model, gain, gain_error } => {
                let gain = Gap { mean: *gain, error: *gain_error };
                f.write_str(&Reason::Best { gain, ahead: None }.said(model))
            }
            Self::Ahead { ahead, ahead_error } => {
                write!(f, "its log-loss is below that of the next model by {ahead:.5} ± {ahead_error:.5}")
            }
            Self::RecommendedAsSimplest { model, within, behind, behind_error, gain, gain_error } => {
                let [gain, behind] = [(gain, gain_error), (behind, behind_error)]
                    .map(|(mean, error)| Gap { mean: *mean, error: *error });
                let within = usize::try_from(*within).unwrap_or(usize::MAX);
                f.write_str(&Reason::SimplestWithinOneError { gain, behind, within }.said(model))
            }
            Self::LearnedFrom { goal, from, split, to, weeks } => write!(
                f,
                "goal {goal}: learned from paths that began from {from} to {split}, tested on those up to {to}; steadiness over {weeks} full weeks"
            ),
            Self::Shift { earlier, later, p } => Shift { earlier: *earlier, later: *later, p: *p }.fmt(f),
            Self::CausesByTouch => f.write_str(
                "models of cause are compared by what each touch earned them, as the others are: log-loss says who predicts, not who leaves to nobody what nobody caused (docs/truth.md)",
            ),
            Self::PredictionIsNotCause => f.write_str(Recommendation::CAVEAT),
            Self::Experiment { name, channels, property, control, goal, level } => write!(
                f,
                "experiment {name}: {} withheld where `{property}` is {control}; goal {goal}; {} % intervals",
                channels.join(", "),
                level * 100.0
            ),
            Self::AssignedBy { event } => write!(f, "the event `{event}` tells it"),
            Self::CountedByPerson => f.write_str("everyone counts in the arm that chance put them in"),
            Self::CountedByRegion { treated, ways } => write!(
                f,
                "everyone counts in the region that they were first seen in; intervals hold the lifts that all {ways} ways to choose {treated} of these regions do not refuse"
            ),
            Self::CountedByDrawnRegions { treated, ways } => write!(
                f,
                "everyone counts in the region that they were first seen in; intervals hold the lifts that {ways} drawn ways to choose {treated} of these regions do not refuse"
            ),
            Self::UnevenArms { p } => Warning::SampleRatioMismatch { p: *p }.fmt(f),
            Self::FewConverters { expected } => Warning::FewConverters { expected: *expected }.fmt(f),
            Self::ControlExposed { share } => Warning::ControlExposed { share: *share }.fmt(f),
            Self::TooFewAssignments { p } => Warning::TooFewAssignments { smallest_p: *p }.fmt(f),
            Self::InBothArms { people } => {
                write!(f, "{people} people were put in both arms; they count in their first")
            }
            Self::Untransformed { transforms } => write!(
                f,
                "of paths as they were walked: [attribution] of safar.toml transforms them first ({}), so the report's number may differ",
                transforms.join(", ")
            ),
            Self::Explained { by, label, conversions, value } => {
                write!(f, "{by} {label}: {} conversions, value {}", exact(*conversions), exact(*value))
            }
            Self::ExplainedBy { goal, model } => {
                let name = model.split(':').next().unwrap_or_default();
                let meaning = MODELS.iter().find(|info| info.name == name).map_or("", |info| info.meaning);
                write!(f, "goal {goal}, model {model}: {meaning}")
            }
            Self::Balance { conversions, value, unattributed, unattributed_value } => write!(
                f,
                "all conversions {} (value {}) = credits + unattributed {} (value {})",
                exact(*conversions),
                exact(*value),
                exact(*unattributed),
                exact(*unattributed_value)
            ),
            Self::Unearned { conversions } => write!(
                f,
                "{conversions} conversions that no touch earned: none lies in the look-back window, or the model keeps a part back; a refund that found no order is value alone"
            ),
            Self::RemovalEffect { label, chance, order, states, effect } => write!(
                f,
                "a path converts with probability {chance}; without {label} the chain of order {order} ({states} states) loses {:.2} % of that: its removal effect is {effect}",
                effect * 100.0
            ),
            Self::RemovalCredit { effect, sum, conversions } => write!(
                f,
                "credit = removal effect ÷ sum of removal effects × conversions with a touch = {effect} ÷ {sum} × {}",
                exact(*conversions)
            ),
            Self::WeightsRank => f.write_str(
                "the weights below share each conversion by removal effects; they rank touches and do not add up to the credit",
            ),
            Self::Shares { conversions, sum } => {
                write!(f, "{conversions} conversions gave it a share; the shares sum to {}", exact(*sum))
            }
            Self::MostShown { shown, all } => {
                write!(f, "the {shown} conversions that gave most are shown of {all}")
            }
        }
    }
}

/// A number for reading: what is a hair off whole cents by the adding up is shown as these.
fn exact(number: f64) -> f64 {
    let cents = (number * 100.0).round() / 100.0;
    if (number - cents).abs() < 1e-9 * number.abs().max(1.0) { cents } else { number }
}
