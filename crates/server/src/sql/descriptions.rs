//! `pg_description`: what docs/reference/tables.md says of tables and columns, where psql's `\d+` and BI tools show it.
use datafusion::{catalog::view::ViewTable, common::Result, prelude::SessionContext};
use safar_engine::quoted;
use safar_model::{Table, about};
use std::iter::once;

/// The table; the other tables of the catalog must be known already.
///
/// # Errors
/// Those of the query engine.
pub async fn table(context: &SessionContext) -> Result<ViewTable> {
    let told: Vec<String> = Table::ALL.into_iter().flat_map(of).collect();
    let query = format!(
        "SELECT c.oid AS objoid, k.oid AS classoid, coalesce(a.attnum, CAST(0 AS SMALLINT)) AS objsubid, d.description \
         FROM (VALUES {}) AS d (relation, attribute, description) \
         JOIN pg_catalog.pg_class AS c ON c.relname = d.relation \
         JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = 'data' \
         JOIN pg_catalog.pg_class AS k ON k.relname = 'pg_class' \
         LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attname = d.attribute",
        told.join(", ")
    );
    let plan = context.sql(&query).await?.into_unoptimized_plan();
    Ok(ViewTable::new(plan, None))
}

/// A table, and each of its columns.
fn of(table: Table) -> impl Iterator<Item = String> {
    let row = move |attribute: &str, text: &str| format!("('{}', '{attribute}', {})", table.name(), quoted(text));
    let columns: Vec<String> = table.schema().fields().iter().map(|field| field.name().clone()).collect();
    let columns = columns.into_iter().map(move |column| row(&column, about::of_column(table, &column)));
    once(row("", about::of_table(table))).chain(columns)
}
