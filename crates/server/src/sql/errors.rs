//! Errors in the words of Safar and the codes of Postgres, by which drivers tell them apart
//! (<https://www.postgresql.org/docs/16/errcodes-appendix.html>).
use datafusion::{
    arrow::error::ArrowError,
    common::{DataFusionError, SchemaError},
    sql::sqlparser::parser::ParserError,
};
use datafusion_postgres::pgwire::{
    api::{ClientInfo, ErrorHandler},
    error::{ErrorInfo, PgWireError},
};
use safar_engine::Error;

/// An error that leaves the connection as it is.
pub fn error(code: &str, message: impl Into<String>) -> PgWireError {
    PgWireError::UserError(Box::new(ErrorInfo::new("ERROR".to_owned(), code.to_owned(), message.into())))
}

/// An error of the query engine.
pub fn of_query(problem: DataFusionError) -> PgWireError {
    let code = code(&problem);
    error(code, Error::from(problem).to_string())
}

fn code(problem: &DataFusionError) -> &'static str {
    match problem {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => code(inner),
        DataFusionError::Shared(inner) => code(inner),
        DataFusionError::Collection(all) => all.first().map_or("XX000", code),
        DataFusionError::SQL(..) => "42601",
        DataFusionError::SchemaError(inner, _) => match inner.as_ref() {
            SchemaError::FieldNotFound { .. } => "42703",
            SchemaError::AmbiguousReference { .. } => "42702",
            _ => "42701",
        },
        DataFusionError::NotImplemented(_) => "0A000",
        DataFusionError::Plan(message) => planning(message),
        DataFusionError::ArrowError(inner, _) => match inner.as_ref() {
            ArrowError::DivideByZero => "22012",
            ArrowError::ArithmeticOverflow(_) => "22003",
            ArrowError::CastError(_) | ArrowError::ParseError(_) => "22P02",
            _ => "XX000",
        },
        DataFusionError::Execution(_) => "22000",
        DataFusionError::ResourcesExhausted(_) => "53200",
        _ => "XX000",
    }
}

/// What the planner only says in words.
fn planning(message: &str) -> &'static str {
    const WORDS: [(&str, &str); 6] = [
        ("Invalid function", "42883"),
        ("failed to match any signature", "42883"),
        ("No function matches", "42883"),
        ("GROUP BY", "42803"),
        ("Invalid statement", "42601"),
        ("have the same name", "42701"),
    ];
    if message.starts_with("table ") && message.contains("not found") {
        return "42P01";
    }
    WORDS.iter().find(|(words, _)| message.contains(words)).map_or("42000", |(_, code)| code)
}

/// Sees every error before it is sent: the protocol's library says little of those of the query engine.
pub struct Errors;

impl ErrorHandler for Errors {
    fn on_error<C: ClientInfo>(&self, _: &C, problem: &mut PgWireError) {
        let told = match std::mem::replace(problem, PgWireError::QueryCanceled) {
            PgWireError::ApiError(inner) => match inner.downcast::<DataFusionError>() {
                Ok(inner) => of_query(*inner),
                Err(inner) => match inner.downcast::<ParserError>() {
                    Ok(inner) => error("42601", inner.to_string()),
                    Err(inner) => PgWireError::ApiError(inner),
                },
            },
            // After an error in a transaction: the library's code is that of no transaction at all.
            PgWireError::UserError(mut info) if info.code == "25P01" => {
                info.code = "25P02".to_owned();
                PgWireError::UserError(info)
            }
            other => other,
        };
        *problem = told;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::prelude::SessionContext;

    #[tokio::test]
    async fn drivers_can_tell_errors_apart() {
        let context = SessionContext::new();
        for (sql, wanted) in [
            ("selec 1", "42601"),
            ("SELECT a", "42703"),
            ("SELECT * FROM nowhere", "42P01"),
            ("SELECT nothing(1)", "42883"),
            ("SELECT 1 / 0", "22012"),
            ("SELECT CAST('x' AS INT)", "22P02"),
            ("SELECT a FROM (SELECT 1 AS a, 2 AS b) GROUP BY b", "42803"),
        ] {
            let problem = match context.sql(sql).await {
                Ok(frame) => frame.collect().await.unwrap_err(),
                Err(problem) => problem,
            };
            assert_eq!(code(&problem), wanted, "{sql}: {problem}");
        }
    }
}
