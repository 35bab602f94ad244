//! Questions in SQL.
use crate::app::{
    App,
    answer::{Meta, Paging},
    extract::{Body, Given},
    guard::Caller,
    problem::{Code, Problem},
    reason::Reason,
    reports::Table,
};
use arrow::datatypes::SchemaRef;
use axum::{Extension, extract::State, response::Response};
use futures::TryStreamExt;
use safar_pipeline::{Workspace, privacy::Act, report};
use serde::Deserialize;
use serde_json::json;
use std::{sync::Arc, time::Instant};
use utoipa::ToSchema;

/// The most that an answer may use in memory. Larger tables go over the SQL server, row by row.
const MOST_BYTES: usize = 512 << 20;

/// A query.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// In SQL; it sees every table and changes nothing.
    query: String,
}

/// Answers a query. Answers are not kept: a query can tell the time.
pub async fn ask(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Given(given): Given,
    Body(question): Body<Question>,
) -> Result<Response, Problem> {
    let paging = Paging::check(given)?;
    let started = Instant::now();
    let opened = app.current.get().await?;
    let (workspace, data_version) = opened.pinned().await?;
    let table = app.queries.run(async move { rows(&workspace, &question.query).await }).await?;
    if paging.is_download() {
        app.note(&caller.user()?.email, Act::Download, json!({ "what": "sql", "rows": table.rows() }))?;
    }
    let meta = Meta {
        report: "sql".to_owned(),
        data_version,
        settings_version: opened.settings_version.clone(),
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        seed: None,
        took_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        cached: false,
        from: None,
        to: None,
        goal: None,
        notes: vec![],
    };
    paging.write(Arc::new(table), meta).await
}

async fn rows(workspace: &Workspace, query: &str) -> Result<Table, Problem> {
    let session = report::sql_session(workspace).await?;
    let frame = session.sql(query).await?;
    let schema = SchemaRef::new(frame.schema().as_arrow().clone());
    let mut stream = frame.execute_stream().await?;
    let (mut batches, mut bytes) = (vec![], 0);
    while let Some(batch) = stream.try_next().await? {
        bytes += batch.get_array_memory_size();
        if bytes > MOST_BYTES {
            return Err(Problem::new(Code::OutOfMemory, format!("the answer is larger than {} MiB", MOST_BYTES >> 20))
                .hint("ask for fewer rows or columns, or use the SQL server, which sends rows as they come")
                .because(Reason::AnswerTooLarge { megabytes: (MOST_BYTES >> 20) as u64 }));
        }
        batches.push(batch);
    }
    Ok(Table::new(schema, batches))
}
