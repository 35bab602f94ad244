//! What people get wrong in queries, in parts that every language can say; the query engine's own sentences tell the rest.
use crate::error::closest;
use datafusion::{arrow::error::ArrowError, common::DataFusionError};
use safar_model::Table;

/// What is wrong with a query, where that is one of the things that people get wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// There is no such column.
    NoColumn {
        /// What was written.
        column: String,
        /// The column that differs little from it.
        near: Option<String>,
        /// Those that there are.
        known: Vec<String>,
    },
    /// There is no such table.
    NoTable {
        /// What was written.
        table: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// There is no such function.
    NoFunction {
        /// What was written.
        function: String,
        /// The function that differs little from it.
        near: Option<String>,
    },
    /// Several tables of the query have the column.
    Ambiguous {
        /// The column.
        column: String,
    },
    /// A column stands beside an aggregate without being grouped by.
    NotGrouped {
        /// The column.
        column: String,
    },
    /// A function does not take values of this type.
    WrongTypes {
        /// The function and the types, as in `sum(Utf8)`.
        call: String,
    },
    /// The query ends too early.
    Unfinished,
    /// This is no SQL from here on.
    NotUnderstood {
        /// The word.
        found: String,
        /// Its line, from 1.
        line: u32,
        /// Its column, from 1.
        column: u32,
    },
    /// A value that cannot become one of the type.
    NotOfType {
        /// The value.
        value: String,
        /// The type.
        kind: String,
    },
    /// Something is divided by 0.
    DivisionByZero,
}

/// The text between two others.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0)
}

impl Fault {
    /// What the planner says, in parts.
    pub(crate) fn of_plan(message: &str) -> Option<Self> {
        let part = |before, after| between(message, before, after).map(str::to_owned);
        if let Some(table) = message.strip_prefix("table '").and_then(|rest| rest.strip_suffix("' not found")) {
            let known = Table::ALL.iter().map(|table| table.name().to_owned()).collect();
            Some(Self::NoTable { table: table.to_owned(), known })
        } else if message.starts_with("Invalid function ") {
            let function = part("function '", "'")?;
            // The planner names one even where none is near.
            let near = part("Did you mean '", "'").filter(|near| closest(&function, &[near]).is_some());
            Some(Self::NoFunction { function, near })
        } else if message.contains("must appear in the GROUP BY clause") {
            Some(Self::NotGrouped { column: part("column \"", "\"")? })
        } else if message.contains("No function matches the given name") {
            Some(Self::WrongTypes { call: part("argument types '", "'")? })
        } else {
            None
        }
    }

    /// What the parser says, in parts.
    pub(crate) fn of_parser(message: &str) -> Option<Self> {
        let (_, found) = message.split_once("found: ")?;
        let Some((found, place)) = found.rsplit_once(" at Line: ") else {
            return (found == "EOF").then_some(Self::Unfinished);
        };
        let (line, column) = place.split_once(", Column: ")?;
        Some(Self::NotUnderstood { found: found.to_owned(), line: line.parse().ok()?, column: column.parse().ok()? })
    }

    /// What stopped a query that was planned well.
    pub(crate) fn of_execution(error: &DataFusionError) -> Option<Self> {
        match error.find_root() {
            DataFusionError::ArrowError(error, _) => match &**error {
                ArrowError::DivideByZero => Some(Self::DivisionByZero),
                ArrowError::CastError(message) => Some(Self::NotOfType {
                    value: between(message, "Cannot cast string '", "' to value of ")?.to_owned(),
                    kind: between(message, "' to value of ", " type")?.to_owned(),
                }),
                _ => None,
            },
            _ => None,
        }
    }

    /// The sentence in English, and the way out, of what the planner says at length.
    pub(crate) fn said(&self) -> Option<(String, Option<String>)> {
        let said = |message: String, hint: &str| Some((message, Some(hint.to_owned())));
        match self {
            Self::NoTable { table, known } => {
                said(format!("table '{table}' not found"), &format!("the tables are {}", known.join(", ")))
            }
            Self::NoFunction { function, near } => Some((
                format!("there is no function `{function}`"),
                near.as_ref().map(|near| format!("did you mean `{near}`?")),
            )),
            Self::NotGrouped { column } => said(
                format!("`{column}` stands beside an aggregate and is not grouped by"),
                "name it in GROUP BY, or take one value of it, such as min",
            ),
            Self::WrongTypes { call } => {
                said(format!("there is no `{call}`"), "cast to another type, such as CAST(value AS DOUBLE)")
            }
            _ => None,
        }
    }
}
