//! What a query can die of, in words for the person who wrote it.
use datafusion::common::{DataFusionError, SchemaError};
use safar_model::Table;

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

impl From<DataFusionError> for Error {
    fn from(error: DataFusionError) -> Self {
        let query = |message: String, hint| Self::Query { message: tidy(&message), hint };
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
            DataFusionError::Collection(errors) if !errors.is_empty() => {
                errors.into_iter().next().map_or_else(|| query("no reason was given".to_owned(), None), Self::from)
            }
            DataFusionError::SQL(error, _) => query(error.to_string(), None),
            DataFusionError::NotImplemented(message) => query(message, None),
            DataFusionError::Plan(message) => {
                let unknown_table = message.starts_with("table ") && message.contains("not found");
                let hint = unknown_table.then(|| {
                    let names: Vec<_> = Table::ALL.iter().map(|table| table.name()).collect();
                    format!("the tables are {}", names.join(", "))
                });
                query(message, hint)
            }
            DataFusionError::SchemaError(error, _) => match *error {
                SchemaError::FieldNotFound { field, valid_fields } => {
                    let names: Vec<_> = valid_fields.iter().map(|column| column.name.as_str()).collect();
                    let hint = match closest(&field.name, &names) {
                        Some(name) => Some(format!("did you mean `{name}`?")),
                        None if names.is_empty() => None,
                        None => Some(format!("the columns are {}", names.join(", "))),
                    };
                    query(format!("there is no column `{}`", field.name), hint)
                }
                error => query(error.to_string(), None),
            },
            DataFusionError::ResourcesExhausted(message) => Self::Memory { limit_mib: None, message },
            DataFusionError::Shared(error) => match error.as_ref() {
                DataFusionError::ResourcesExhausted(message) => {
                    Self::Memory { limit_mib: None, message: message.clone() }
                }
                DataFusionError::Plan(message) => query(message.clone(), None),
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
fn closest<'a>(wrong: &str, names: &[&'a str]) -> Option<&'a str> {
    let distance = |name: &str| datafusion::common::utils::datafusion_strsim::levenshtein(wrong, name);
    let best = names.iter().min_by_key(|name| distance(name))?;
    (distance(best) <= wrong.chars().count() / 3 + 1).then_some(best)
}
