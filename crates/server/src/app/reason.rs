//! Why something is refused, beyond what kind of problem it is: for programs, and for screens that speak other languages.
use super::accounts::Role;
use safar_attribution::{experiment::ExperimentError, validation::ValidationError};
use safar_engine::Fault as QueryFault;
use safar_pipeline::{
    Error,
    settings::{Fault, SettingsError, ValueKind},
};
use serde::Serialize;
use utoipa::ToSchema;

/// Why, where it is one of the reasons that people meet; `detail` and `hint` say the same in English.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "code", content = "values", rename_all = "snake_case")]
pub enum Reason {
    /// Another role is needed.
    NeedsRole {
        /// Which.
        role: Role,
    },
    /// Conditions in SQL need another role.
    ConditionNeedsRole {
        /// Which.
        role: Role,
    },
    /// It can tell single people apart.
    SinglesOut {
        /// The column or property.
        what: String,
        /// The role that may.
        role: Role,
    },
    /// Too many failed attempts.
    TooManyAttempts {
        /// After how many minutes to try again.
        minutes: u64,
    },
    /// A build is running already.
    BuildRunning,
    /// The settings were changed meanwhile.
    SettingsChanged,
    /// The first account was made already.
    SetUpAlready,
    /// That is not the set-up code.
    WrongCode,
    /// Address and password do not go together.
    WrongPassword,
    /// The account was deleted.
    AccountGone,
    /// The password is too short or too long.
    PasswordLength {
        /// The fewest letters.
        least: u64,
        /// The most bytes.
        most: u64,
    },
    /// Somebody has an account with this address.
    AddressTaken {
        /// The address.
        email: String,
    },
    /// That is no e-mail address.
    NoAddress {
        /// What was written.
        email: String,
    },
    /// Nobody would be administrator.
    LastAdmin,
    /// A name is missing or too long.
    NameLength {
        /// The most bytes.
        most: u64,
    },
    /// The answer is too large.
    AnswerTooLarge {
        /// More than so many.
        megabytes: u64,
    },
    /// There is no such goal.
    NoGoal {
        /// What was asked for.
        goal: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// Nothing was built yet.
    NoPaths,
    /// There is no such person.
    NoPerson {
        /// The number, as a text.
        id: String,
    },
    /// A group is too small to be compared.
    TooFew {
        /// How many it has.
        got: f64,
        /// How many it takes.
        least: f64,
    },
    /// Models cannot be tested on paths of one outcome.
    Untestable {
        /// Conversions of these paths.
        conversions: f64,
        /// People without.
        nulls: f64,
    },
    /// There is nothing to test models on.
    NothingToTest,
    /// A model credits nothing, so it has no shares to compare.
    NothingEarned {
        /// The model.
        model: String,
    },
    /// Only the server's log says more.
    SeeLog,
    /// A setting that is not there.
    UnknownSetting {
        /// What was written.
        setting: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The value of a setting is none of few.
    UnknownValue {
        /// The setting, with its section.
        setting: String,
        /// The value.
        value: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// A setting is missing.
    MissingSetting {
        /// Its name.
        setting: String,
        /// The line where it should stand.
        found: String,
    },
    /// The value of a setting is of another kind.
    WrongKind {
        /// The setting, with its section.
        setting: String,
        /// The kind that is wanted.
        wanted: ValueKind,
        /// The line.
        found: String,
    },
    /// The value of a setting cannot be used; `detail` says why.
    BadSetting {
        /// The setting, with its section.
        setting: String,
        /// The line.
        found: String,
    },
    /// A line of the settings is no TOML; `detail` says what it lacks.
    NotToml {
        /// The line.
        found: String,
    },
    /// The drop folder is not within the workspace.
    DropOutside {
        /// The folder.
        folder: String,
    },
    /// A query names a column that is not there.
    NoColumn {
        /// What was written.
        column: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The same, and one is named nearly so.
    ColumnNear {
        /// What was written.
        column: String,
        /// What may be meant.
        near: String,
    },
    /// A query names a table that is not there.
    NoTable {
        /// What was written.
        table: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// A query calls a function that is not there.
    NoFunction {
        /// What was written.
        function: String,
    },
    /// Several tables of a query have the column.
    AmbiguousColumn {
        /// The column.
        column: String,
    },
    /// A column of a query stands beside an aggregate without being grouped by.
    NotGrouped {
        /// The column.
        column: String,
    },
    /// A function of a query does not take values of this type.
    WrongTypes {
        /// The function and the types.
        call: String,
    },
    /// A query ends too early.
    QueryUnfinished,
    /// A query is no SQL from a word on.
    NotUnderstood {
        /// The word.
        found: String,
        /// Its line, from 1.
        line: u32,
        /// Its column, from 1.
        column: u32,
    },
    /// A query makes a value one of a type that it cannot become.
    NotOfType {
        /// The value.
        value: String,
        /// The type.
        kind: String,
    },
    /// A query divides by 0.
    DivisionByZero,
}

impl Reason {
    /// What is wrong with a query, where that is one of the reasons.
    pub fn of_query(error: &safar_engine::Error) -> Option<Self> {
        Some(match error.fault()? {
            QueryFault::NoColumn { column, near: Some(near), .. } => Self::ColumnNear { column, near },
            QueryFault::NoColumn { column, near: None, known } => Self::NoColumn { column, known },
            QueryFault::NoTable { table, known } => Self::NoTable { table, known },
            QueryFault::NoFunction { function, .. } => Self::NoFunction { function },
            QueryFault::Ambiguous { column } => Self::AmbiguousColumn { column },
            QueryFault::NotGrouped { column } => Self::NotGrouped { column },
            QueryFault::WrongTypes { call } => Self::WrongTypes { call },
            QueryFault::Unfinished => Self::QueryUnfinished,
            QueryFault::NotUnderstood { found, line, column } => Self::NotUnderstood { found, line, column },
            QueryFault::NotOfType { value, kind } => Self::NotOfType { value, kind },
            QueryFault::DivisionByZero => Self::DivisionByZero,
            _ => return None,
        })
    }

    /// What is wrong with a line of the settings.
    fn of_settings(fault: &Fault, found: &str) -> Self {
        let found = found.to_owned();
        match fault.clone() {
            Fault::NotToml => Self::NotToml { found },
            Fault::NoSetting { setting, known } => Self::UnknownSetting { setting, known },
            Fault::Missing { setting } => Self::MissingSetting { setting, found },
            Fault::NotOneOf { setting, value, known } => Self::UnknownValue { setting, value, known },
            Fault::WrongKind { setting, wanted } => Self::WrongKind { setting, wanted, found },
            Fault::Unusable { setting } => Self::BadSetting { setting, found },
        }
    }

    /// Why the pipeline refused, where that is one of the reasons.
    pub fn of(error: &Error) -> Option<Self> {
        Some(match error {
            Error::Settings(SettingsError::Bad { fault, found, .. }) => Self::of_settings(fault, found),
            Error::NoGoal { goal, known } => Self::NoGoal { goal: goal.clone(), known: known.clone() },
            Error::NoPaths => Self::NoPaths,
            Error::NoPerson { id } => Self::NoPerson { id: id.to_string() },
            Error::NothingToTest => Self::NothingToTest,
            Error::Experiment(ExperimentError::TooFew { got, least, .. }) => Self::TooFew { got: *got, least: *least },
            Error::Validation(ValidationError::OneOutcome { conversions, nulls, .. }) => {
                Self::Untestable { conversions: *conversions, nulls: *nulls }
            }
            _ => return None,
        })
    }
}
