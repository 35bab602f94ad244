//! Why something is refused, beyond what kind of problem it is: for programs, and for screens that speak other languages.
use super::accounts::Role;
use safar_attribution::{experiment::ExperimentError, validation::ValidationError};
use safar_pipeline::Error;
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
    /// Only the server's log says more.
    SeeLog,
}

impl Reason {
    /// Why the pipeline refused, where that is one of the reasons.
    pub fn of(error: &Error) -> Option<Self> {
        Some(match error {
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
