//! Looking at what came to the tables in the last day.
use super::{super::CollectError, Check};
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use safar_pipeline::Workspace;

async fn ask(workspace: &Workspace, query: &str) -> Result<Vec<RecordBatch>, CollectError> {
    let snapshot = workspace.store().snapshot().await?;
    let session = workspace.engine()?.session(&snapshot)?;
    Ok(session.sql(query).await?.collect().await?)
}

fn cannot(name: &'static str, error: &CollectError) -> Check {
    Check::bad(name, format!("the tables cannot be asked: {error}"), "put that right and look again")
}

/// How many clients' clocks are wrong. Their events are put right, so this is worth knowing and no more.
pub(super) async fn clients_clocks(workspace: &Workspace) -> Check {
    const NAME: &str = "clients' clocks";
    const QUERY: &str = r#"
        select count(*), count(*) filter (where abs(date_part('epoch', received_at) - date_part('epoch', sent)) > 3600)
        from (
            select received_at, try_cast(regexp_match(properties, '"\$clock":\{[^}]*"sent":"([^"]+)"')[1] as timestamp) as sent
            from events where origin like 'collect/%' and received_at > now() - interval '1 day'
        ) where sent is not null"#;
    let batches = match ask(workspace, QUERY).await {
        Ok(batches) => batches,
        Err(error) => return cannot(NAME, &error),
    };
    let number =
        |column: usize| batches.first().map_or(0, |batch| batch.column(column).as_primitive::<Int64Type>().value(0));
    let (all, wrong) = (number(0), number(1));
    let found = format!(
        "{wrong} of {all} events of the last day that tell their time of sending came from clocks that are more than an hour off; their times are put right"
    );
    if wrong * 10 > all {
        let to_do = "that is more than usual: where one server sends them, set its clock by NTP";
        return Check::look(NAME, found, to_do);
    }
    Check::good(NAME, found)
}

/// The most frequent reasons of the last day among the rejects whose origin fits, each with its number.
async fn reasons(workspace: &Workspace, origin: &str) -> Result<Vec<String>, CollectError> {
    let query = format!(
        "select reason, count(*) as number from rejects where {origin} and rejected_at > now() - interval '1 day' group by reason order by number desc, reason limit 5"
    );
    let mut found = vec![];
    for batch in &ask(workspace, &query).await? {
        let reasons = arrow::compute::cast(batch.column(0), &arrow::datatypes::DataType::Utf8)?;
        let (reasons, counts) = (reasons.as_string::<i32>(), batch.column(1).as_primitive::<Int64Type>());
        found.extend((0..batch.num_rows()).map(|row| format!("{} × {}", counts.value(row), reasons.value(row))));
    }
    Ok(found)
}

/// What was sent and was no event.
pub(super) async fn rejects(workspace: &Workspace) -> Check {
    const NAME: &str = "rejects";
    match reasons(workspace, "origin like 'collect/%'").await {
        Err(error) => cannot(NAME, &error),
        Ok(found) if found.is_empty() => Check::good(NAME, "nothing that came in the last day was no event"),
        Ok(found) => Check::look(
            NAME,
            format!("in the last day, the most frequent first: {}", found.join(", ")),
            "`safar sql \"select * from rejects\"` shows each with its text; once the cause is mended, `safar collect replay` reads them again",
        ),
    }
}

/// Rows of files that could not be read; nothing where there are none.
pub(super) async fn rejected_rows(workspace: &Workspace) -> Option<Check> {
    const NAME: &str = "rejected rows";
    match reasons(workspace, "origin not like 'collect/%'").await {
        Err(error) => Some(cannot(NAME, &error)),
        Ok(found) => (!found.is_empty()).then(|| {
            Check::look(
                NAME,
                format!("of files imported in the last day, the most frequent first: {}", found.join(", ")),
                "`safar sql \"select * from rejects where origin not like 'collect/%'\"` shows each with its file and line; mend the files and import them again: what is stored stays once",
            )
        }),
    }
}
