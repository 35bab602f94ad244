//! What a build says. Each kind of sentence has a code that stays, and typed values to fill it with, as the notes of reports have;
//! [`Display`](fmt::Display) says it in English.
use crate::report::Refusal;
use serde::Serialize;
use std::fmt;
use utoipa::ToSchema;

/// What is being done now: by a build, or by what erases and removes, which build at their end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Collected events go to the tables.
    Collected,
    /// Identifiers become people.
    People,
    /// Whose new events are.
    NewEvents,
    /// Sources and channels by changed rules.
    ChannelRules,
    /// Orders that several people told of.
    Orders,
    /// Sessions, touchpoints, conversions, paths.
    Journeys,
    /// Credits of the models.
    Credits,
    /// Small files become larger ones.
    SmallFiles,
    /// Who is to be erased.
    WhoItIs,
    /// Kept requests and rejected rows of somebody.
    RequestsAndRejects,
    /// Files that were brought.
    Files,
    /// Rows of tables.
    Tables,
    /// Kept requests.
    Requests,
    /// Rejected rows.
    Rejects,
    /// Events.
    Events,
    /// What is derived from what was removed.
    Derived,
    /// Files of earlier versions of tables.
    OldFiles,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Collected => "what was collected goes to the tables",
            Self::People => "people",
            Self::NewEvents => "new events",
            Self::ChannelRules => "channel rules",
            Self::Orders => "orders",
            Self::Journeys => "journeys",
            Self::Credits => "credits",
            Self::SmallFiles => "small files",
            Self::WhoItIs => "who it is",
            Self::RequestsAndRejects => "requests and rejects",
            Self::Files => "files",
            Self::Tables => "tables",
            Self::Requests => "requests",
            Self::Rejects => "rejects",
            Self::Events => "events",
            Self::Derived => "what is derived",
            Self::OldFiles => "old files",
        })
    }
}

/// Why something was built, and what was found while building. Models as they are spelled in safar.toml.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "code", content = "values", rename_all = "snake_case")]
#[schema(as = BuildNoteKind)]
pub enum BuildNote {
    /// What is being done now.
    Step {
        /// Which.
        step: Step,
    },
    /// The last build did not come to its end.
    CutOff,
    /// Events came.
    NewEvents {
        /// How many.
        events: u64,
        /// Of so many people.
        people: u64,
    },
    /// Events have another source, channel or device.
    RulesChanged {
        /// How many.
        events: u64,
        /// Of so many people.
        people: u64,
    },
    /// People gained or lost identifiers.
    IdentifiersChanged {
        /// How many.
        people: u64,
    },
    /// Others told of the same order or refund.
    OrdersShared {
        /// How many people are concerned.
        people: u64,
    },
    /// It is the first.
    FirstBuild,
    /// Everything was asked for.
    Full,
    /// This build of the program makes journeys in another way.
    MadeOtherwise,
    /// Other identifiers go first.
    PriorityChanged,
    /// Another version of the program.
    ProgramChanged {
        /// The version before.
        before: String,
        /// The version now.
        now: String,
    },
    /// Tables have other columns.
    ColumnsChanged,
    /// Settings that journeys follow changed.
    SettingsChanged,
    /// Other models are asked for, or they take another channel for direct.
    ModelsChanged,
    /// Ready paths came.
    ReadyPaths,
    /// Links that would break a rule.
    KeptApart {
        /// How many pairs of identifiers.
        pairs: u64,
        /// The first of them.
        namespace: String,
        /// Its identifier.
        identifier: String,
        /// What it was not joined with.
        other_namespace: String,
        /// Its identifier.
        other_identifier: String,
        /// The rule, in English.
        rule: String,
    },
    /// Links of identifiers that settings take for none.
    Blocked {
        /// How many.
        links: u64,
    },
    /// Orders that several people told of.
    OrdersOfSeveral {
        /// How many.
        orders: u64,
    },
    /// Values of `order_id` that are no orders' numbers.
    Crowded {
        /// How many.
        values: u64,
        /// More people than so many gave each.
        most: u64,
        /// The first of them.
        example: String,
    },
    /// Events that told of an order again.
    OrdersAgain {
        /// How many.
        events: u64,
        /// How many of them named another value.
        differing: u64,
    },
    /// Events that told of an order of somebody else's.
    OrdersOfOthers {
        /// How many.
        events: u64,
    },
    /// Events that told of a refund again.
    RefundsAgain {
        /// How many.
        events: u64,
    },
    /// Orders that were given back more than they were worth.
    RefundsAboveValue {
        /// How many.
        orders: u64,
    },
    /// Conversions of value below 0.
    WorthLessThanNothing {
        /// How many.
        conversions: u64,
    },
    /// Conversions in another currency.
    OtherCurrency {
        /// How many.
        conversions: u64,
        /// The currency.
        currency: String,
    },
    /// Refunds of orders that nobody knows.
    RefundsOfNothing {
        /// How many.
        refunds: u64,
    },
    /// Models of cause are not kept.
    CausesNotKept {
        /// Which.
        models: Vec<String>,
    },
    /// A model that the table of credits lacks.
    NotCredited {
        /// The model.
        model: String,
        /// The goal.
        goal: String,
        /// Why.
        why: Refusal,
    },
}

impl fmt::Display for BuildNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step { step } => step.fmt(f),
            Self::CutOff => f.write_str("the last build was cut off"),
            Self::NewEvents { events, people } => write!(f, "{events} new events of {people} people"),
            Self::RulesChanged { events, people } => write!(
                f,
                "the channel rules changed, or more can be told of visitors: {events} events of {people} people have another source, channel or device"
            ),
            Self::IdentifiersChanged { people } => write!(f, "{people} people gained or lost identifiers"),
            Self::OrdersShared { people } => {
                write!(f, "{people} people told of an order or a refund that others told of, too")
            }
            Self::FirstBuild => f.write_str("there was no build before"),
            Self::Full => f.write_str("--full was asked for"),
            Self::MadeOtherwise => f.write_str("this build of Safar makes journeys in another way"),
            Self::PriorityChanged => f.write_str("the priority of identifiers changed in [identity]"),
            Self::ProgramChanged { before, now } => write!(f, "Safar went from version {before} to {now}"),
            Self::ColumnsChanged => f.write_str("this build of Safar keeps other columns of journeys"),
            Self::SettingsChanged => {
                f.write_str("sessions, goals, windows, time zone or currency changed in safar.toml")
            }
            Self::ModelsChanged => {
                f.write_str("the models of [attribution] changed, or which channel they take for direct")
            }
            Self::ReadyPaths => f.write_str("ready paths were imported"),
            Self::KeptApart { pairs, namespace, identifier, other_namespace, other_identifier, rule } => write!(
                f,
                "{pairs} pairs of identifiers were kept apart because joining them would break a rule; the first: {namespace} `{identifier}` and {other_namespace} `{other_identifier}` ({rule})"
            ),
            Self::Blocked { links } => {
                write!(f, "{links} links join nobody because `blocked` of [identity] names an identifier of theirs")
            }
            Self::OrdersOfSeveral { orders } => write!(
                f,
                "{orders} orders were told of by several people without an identifier in common (a cookie and an account, say): each counts once, for who told of it first"
            ),
            Self::Crowded { values, most, example } => write!(
                f,
                "{values} values of order_id come from more than {most} people each: they are taken for no orders' numbers, and count for everyone; the first: `{example}`"
            ),
            Self::OrdersAgain { events, differing } => write!(
                f,
                "{events} events told of an order that already counted (the browser and the server, say): each order counts once; {differing} of them named another value, the first stands"
            ),
            Self::OrdersOfOthers { events } => {
                write!(f, "{events} events told of an order that somebody else had told of first: they count nothing")
            }
            Self::RefundsAgain { events } => write!(
                f,
                "{events} events told of a refund again (the same number, or the same amount of the same order within a day): each refund counts once"
            ),
            Self::RefundsAboveValue { orders } => {
                write!(f, "{orders} orders had more given back than they were worth")
            }
            Self::WorthLessThanNothing { conversions } => write!(
                f,
                "{conversions} conversions are worth less than nothing: they count as they are; name returns in `refunds` of the goal instead"
            ),
            Self::OtherCurrency { conversions, currency } => write!(
                f,
                "{conversions} conversions are in {currency}: their values count as they are, without conversion"
            ),
            Self::RefundsOfNothing { refunds } => write!(
                f,
                "{refunds} refunds name no order that is known: their amounts are taken off as unattributed conversions of value below 0"
            ),
            Self::CausesNotKept { models } => write!(
                f,
                "{} is not in the table credits: a model of cause looks at everything that everyone did, and is fitted by `safar attribute`",
                models.join(", ")
            ),
            Self::NotCredited { model, goal, why } => {
                write!(f, "the table credits has no {model} of the goal {goal}: {why}")
            }
        }
    }
}
