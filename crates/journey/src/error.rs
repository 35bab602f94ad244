//! What can go wrong on the way from events to journeys.

/// Why journeys could not be built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input lacks a column.
    #[error("the events have no column `{name}`; journeys need the columns {}", crate::INPUT_COLUMNS.join(", "))]
    MissingColumn {
        /// Which.
        name: &'static str,
    },
    /// A column cannot be read as the type that the table `events` gives it.
    #[error("column `{name}` of the events is {found}: {source}")]
    WrongType {
        /// Which.
        name: &'static str,
        /// Its Arrow type.
        found: String,
        /// Why it cannot be converted.
        source: arrow::error::ArrowError,
    },
    /// A column that every event needs has an empty cell.
    #[error("column `{name}` of the events is empty in some rows; every event needs a person and a time")]
    Null {
        /// Which.
        name: &'static str,
    },
    /// Rows are not sorted by person and time.
    #[error(
        "events are out of order: person {person} at {at} µs follows person {previous_person} at {previous_at} µs; sort them by (person_id, occurred_at)"
    )]
    Unsorted {
        /// Of the row.
        person: i64,
        /// Microseconds since 1970, UTC.
        at: i64,
        /// Of the row before.
        previous_person: i64,
        /// Of the row before.
        previous_at: i64,
    },
    /// No such time zone.
    #[error("`{name}` is no time zone; use an IANA name such as \"UTC\", \"Atlantic/Reykjavik\" or \"Asia/Tehran\"")]
    TimeZone {
        /// What the rules say.
        name: String,
    },
    /// Two goals share a name, or one has none.
    #[error("goal name `{name}` is empty or used twice; give every goal a name of its own")]
    GoalName {
        /// Which.
        name: String,
    },
    /// A goal that every event would reach.
    #[error("goal `{name}` has no condition; say at least one of events, pages, interactions, where")]
    GoalWithoutCondition {
        /// Which.
        name: String,
    },
    /// More conditions than an event can be asked for.
    #[error("{found} conditions are too many; at most {most} can be asked for at once")]
    TooManyConditions {
        /// The limit.
        most: usize,
        /// How many there are.
        found: usize,
    },
    /// A funnel without steps, with too many, or without time.
    #[error("a funnel has 1 to {most} steps, here are {steps}, and a window longer than 0")]
    Funnel {
        /// How many there are.
        steps: usize,
        /// The limit.
        most: usize,
    },
    /// Arrow refused to make the output.
    #[error("journeys could not be written: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
}
