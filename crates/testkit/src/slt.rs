//! SQL logic files (sqllogictest) over a session.
use arrow::util::display::{ArrayFormatter, FormatOptions};
use safar_engine::Session;
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};
use std::{fmt, path::Path};

/// Runs every statement and query of `file`.
///
/// # Errors
/// The first that does not hold, with its place.
pub async fn run_logic_file(session: &Session, file: &Path) -> Result<(), String> {
    let mut runner = Runner::new(|| async { Ok(Db(session.clone())) });
    runner.run_file_async(file).await.map_err(|error| format!("{}: {error}", file.display()))
}

/// A session as the logic tests want it.
struct Db(Session);

#[derive(Debug)]
struct Failed(String);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failed {}

#[async_trait::async_trait]
impl AsyncDB for Db {
    type Error = Failed;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, Failed> {
        let failed = |error: &dyn fmt::Display| Failed(error.to_string());
        let frame = self.0.sql(sql).await.map_err(|e| failed(&e))?;
        let types = frame.schema().fields().iter().map(|_| DefaultColumnType::Any).collect();
        let mut rows = vec![];
        for batch in frame.collect().await.map_err(|e| failed(&e))? {
            let options = FormatOptions::default().with_null("NULL");
            let columns = batch.columns().iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &options));
            let columns = columns.collect::<Result<Vec<_>, _>>().map_err(|e| failed(&e))?;
            for row in 0..batch.num_rows() {
                rows.push(columns.iter().map(|column| cell(&column.value(row).to_string())).collect());
            }
        }
        Ok(DBOutput::Rows { types, rows })
    }

    async fn shutdown(&mut self) {}
}

/// Whole floats without their point, empty texts named.
fn cell(text: &str) -> String {
    match text.strip_suffix(".0") {
        Some(whole) => whole.to_owned(),
        None if text.is_empty() => "(empty)".to_owned(),
        None => text.to_owned(),
    }
}
