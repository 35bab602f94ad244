//! What a query can die of, in words for the person who wrote it.
use crate::Fault;
use datafusion::common::{DataFusionError, SchemaError};

/// The result of an engine operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a query gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The query is wrong: syntax, an unknown name, types that do not fit.
    #[error("{message}{}", hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default())]
    Query {
        /// What is wrong.
        message: String,
        /// What would be right, where that can be said.
        hint: Option<String>,
        /// The same in parts, where people often get it wrong.
        fault: Option<Box<Fault>>,
    },
    /// The query would change something.
    #[error("queries only read: {0}")]
    ReadOnly(String),
    /// The query needs more memory than it was given, even with spilling.
    #[error(
        "the query needs more memory than it may use{}; raise the limit, or ask for less at once ({message})",
        limit_mib.map(|limit| format!(", which is {limit} MiB")).unwrap_or_default()
    )]
    Memory {
        /// The limit, where it is known.
        limit_mib: Option<usize>,
        /// Which part of the query asked for how much.
        message: String,
    },
    /// No worker machine answers.
    #[error("none of the workers answers: {0}; start them with this version of Safar, or run without workers")]
    NoWorkers(String),
    /// A worker was lost, again and again or after a part of the result was given out.
    #[error("a worker was lost ({message}) and the query could not be run again: {why}")]
    WorkerLost {
        /// What was seen.
        message: String,
        /// Why it is not tried again.
        why: &'static str,
    },
    /// A table could not be read.
    #[error(transparent)]
    Store(#[from] safar_store::Error),
    /// The engine could not be set up.
    #[error("cannot {action}: {source}")]
    Setup {
        /// What was being done.
        action: String,
        /// What stopped it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Anything else, as the query engine said it.
    #[error("the query failed: {0}")]
    Execution(Box<DataFusionError>),
}

impl Error {
    /// What is wrong with the query, where that is one of the things that people get wrong.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        match self {
            Self::Query { fault, .. } => fault.as_deref().cloned(),
            Self::Execution(error) => Fault::of_execution(error),
            _ => None,
        }
    }

    /// A wrong query, in the planner's words or better ones.
    fn planned(message: &str) -> Self {
        let message = tidy(message);
        let fault = Fault::of_plan(&message);
        let (message, hint) = fault.as_ref().and_then(Fault::said).unwrap_or((message, None));
        Self::Query { message, hint, fault: fault.map(Box::new) }
    }
}

impl From<DataFusionError> for Error {
    fn from(error: DataFusionError) -> Self {
        let query = |message: String, hint, fault: Option<Fault>| Self::Query {
            message: tidy(&message),
            hint,
            fault: fault.map(Box::new),
        };
        match error {
            DataFusionError::External(inner) => match inner.downcast::<Self>() {
                Ok(own) => *own,
                Err(inner) => match inner.downcast::<safar_store::Error>() {
                    Ok(store) => Self::Store(*store),
                    Err(inner) => Self::Execution(Box::new(DataFusionError::External(inner))),
                },
            },
            DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => Self::from(*inner),
            // Of several, the first is as good as any: they are of one query.
            DataFusionError::Collection(errors) if !errors.is_empty() => errors
                .into_iter()
                .next()
                .map_or_else(|| query("no reason was given".to_owned(), None, None), Self::from),
            DataFusionError::SQL(error, _) => {
                let message = error.to_string();
                let fault = Fault::of_parser(&message);
                query(message, None, fault)
            }
            DataFusionError::NotImplemented(message) => query(message, None, None),
            DataFusionError::Plan(message) => Self::planned(&message),
            DataFusionError::SchemaError(error, _) => match *error {
                SchemaError::FieldNotFound { field, valid_fields } => {
                    let names: Vec<_> = valid_fields.iter().map(|column| column.name.as_str()).collect();
                    let near = closest(&field.name, &names);
                    let fault = Fault::NoColumn {
                        column: field.name.clone(),
                        near: near.map(str::to_owned),
                        known: names.iter().map(|name| (*name).to_owned()).collect(),
                    };
                    let hint = match near {
                        Some(name) => Some(format!("did you mean `{name}`?")),
                        None if names.is_empty() => None,
                        None => Some(format!("the columns are {}", names.join(", "))),
                    };
                    query(format!("there is no column `{}`", field.name), hint, Some(fault))
                }
                SchemaError::AmbiguousReference { field } => {
                    let hint = format!("write its table before it: `TABLE.{}`", field.name);
                    let fault = Fault::Ambiguous { column: field.name.clone() };
                    query(format!("several tables have a column `{}`", field.name), Some(hint), Some(fault))
                }
                error => query(error.to_string(), None, None),
            },
            DataFusionError::ResourcesExhausted(message) => Self::Memory { limit_mib: None, message },
            DataFusionError::Shared(error) => match error.as_ref() {
                DataFusionError::ResourcesExhausted(message) => {
                    Self::Memory { limit_mib: None, message: message.clone() }
                }
                DataFusionError::Plan(message) => Self::planned(message),
                _ => Self::Execution(Box::new(DataFusionError::Shared(error))),
            },
            error => Self::Execution(Box::new(error)),
        }
    }
}

/// Takes the names of our one catalog and schema out of a message.
fn tidy(message: &str) -> String {
    message.replace(&format!("{}.{}.", crate::tables::CATALOG, crate::tables::SCHEMA), "")
}

/// The name that differs least from `wrong`, if it differs little.
pub(crate) fn closest<'a>(wrong: &str, names: &[&'a str]) -> Option<&'a str> {
    let distance = |name: &str| datafusion::common::utils::datafusion_strsim::levenshtein(wrong, name);
    let best = names.iter().min_by_key(|name| distance(name))?;
    (distance(best) <= wrong.chars().count() / 3 + 1).then_some(best)
}
