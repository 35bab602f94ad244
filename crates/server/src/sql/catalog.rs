//! The tables of Postgres' catalog: those of the library, and what it leaves out.
use super::{descriptions, functions::SETTINGS};
use async_trait::async_trait;
use datafusion::{
    arrow::{
        array::{ArrayRef, RecordBatch, StringArray, new_null_array},
        datatypes::{DataType, Field},
    },
    catalog::{CatalogProvider, MemTable, SchemaProvider, TableProvider, view::ViewTable},
    common::{DataFusionError, Result, ScalarValue},
    datasource::provider_as_source,
    logical_expr::{LogicalPlanBuilder, lit},
    prelude::{Expr, SessionContext, ident},
};
use datafusion_postgres::datafusion_pg_catalog::{pg_catalog::context::EmptyContextProvider, setup_pg_catalog};
use safar_engine::CATALOG;
use std::{collections::HashMap, sync::Arc};

/// The name of the catalog's schema.
const SCHEMA: &str = "pg_catalog";

/// Columns of lists, mostly of who may do what, that no row has anything in.
const LISTS: &[(&str, &[&str])] = &[
    ("pg_attribute", &["attacl", "attoptions", "attfdwoptions"]),
    ("pg_class", &["relacl", "reloptions"]),
    ("pg_language", &["lanacl"]),
    ("pg_namespace", &["nspacl"]),
    ("pg_proc", &["proacl"]),
    ("pg_tablespace", &["spcacl", "spcoptions"]),
    ("pg_type", &["typacl"]),
];

/// The catalog of a connection, for as long as this value lives. Its schema holds all catalogs, and these hold it: it must be
/// taken out of them, or the memory of a connection outlives it.
pub struct Registered(Arc<dyn CatalogProvider>);

impl Drop for Registered {
    fn drop(&mut self) {
        if let Err(error) = self.0.deregister_schema(SCHEMA, true) {
            tracing::warn!(%error, "a connection leaves its catalog behind");
        }
    }
}

/// Makes the catalog known to a connection.
///
/// # Errors
/// When the library's tables cannot be read.
pub async fn register(context: &SessionContext) -> Result<Registered> {
    setup_pg_catalog(context, CATALOG, EmptyContextProvider).map_err(|error| *error)?;
    let catalog = context.catalog(CATALOG).and_then(|all| Some((all.schema(SCHEMA)?, Registered(all))));
    let Some((tables, registered)) = catalog else {
        return Err(DataFusionError::Internal(format!("there is no schema {SCHEMA}")));
    };
    let own: [(&str, Arc<dyn TableProvider>); 2] =
        [("pg_settings", Arc::new(settings()?)), ("pg_description", Arc::new(descriptions::table(context).await?))];
    registered.0.register_schema(SCHEMA, Arc::new(Catalog { tables, own: own.into() }))?;
    Ok(registered)
}

#[derive(Debug)]
struct Catalog {
    tables: Arc<dyn SchemaProvider>,
    /// In the place of the library's.
    own: HashMap<&'static str, Arc<dyn TableProvider>>,
}

#[async_trait]
impl SchemaProvider for Catalog {
    fn table_names(&self) -> Vec<String> {
        self.tables.table_names()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if let Some(table) = self.own.get(name) {
            return Ok(Some(Arc::clone(table)));
        }
        let table = self.tables.table(name).await?;
        match (table, LISTS.iter().find(|(of, _)| *of == name)) {
            (Some(table), Some((_, lists))) => Ok(Some(Arc::new(with_lists(name, table, lists)?))),
            (table, _) => Ok(table),
        }
    }

    fn table_exist(&self, name: &str) -> bool {
        self.tables.table_exist(name)
    }
}

fn with_lists(name: &str, table: Arc<dyn TableProvider>, lists: &[&str]) -> Result<ViewTable> {
    let kind = DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)));
    let nothing = ScalarValue::try_new_null(&kind)?;
    let schema = table.schema();
    let kept = schema.fields().iter().map(|field| field.name().as_str()).filter(|name| !lists.contains(name));
    let columns: Vec<Expr> =
        kept.map(ident).chain(lists.iter().map(|name| lit(nothing.clone()).alias(*name))).collect();
    let plan = LogicalPlanBuilder::scan(name, provider_as_source(table), None)?.project(columns)?.build()?;
    Ok(ViewTable::new(plan, None))
}

/// `pg_settings`, where JDBC reads how many columns a key may have.
fn settings() -> Result<MemTable> {
    let texts = |of: fn(&(&'static str, &'static str)) -> &'static str| -> ArrayRef {
        Arc::new(SETTINGS.iter().map(|setting| Some(of(setting))).collect::<StringArray>())
    };
    let (names, values) = (texts(|(name, _)| name), texts(|(_, value)| value));
    let same = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text; SETTINGS.len()])) };
    let none = || new_null_array(&DataType::Utf8, SETTINGS.len());
    let batch = RecordBatch::try_from_iter_with_nullable([
        ("name", names, false),
        ("setting", Arc::clone(&values), false),
        ("unit", none(), true),
        ("category", none(), true),
        ("short_desc", none(), true),
        ("extra_desc", none(), true),
        ("context", same("internal"), false),
        ("vartype", same("string"), false),
        ("source", same("default"), false),
        ("min_val", none(), true),
        ("max_val", none(), true),
        ("enumvals", none(), true),
        ("boot_val", Arc::clone(&values), false),
        ("reset_val", values, false),
        ("sourcefile", none(), true),
        ("sourceline", new_null_array(&DataType::Int32, SETTINGS.len()), true),
        ("pending_restart", new_null_array(&DataType::Boolean, SETTINGS.len()), true),
    ])?;
    MemTable::try_new(batch.schema(), vec![vec![batch]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::{catalog::MemoryCatalogProvider, prelude::SessionConfig};

    #[tokio::test]
    async fn nothing_outlives_the_connection() {
        let config = SessionConfig::new().with_default_catalog_and_schema(CATALOG, "data");
        let context = SessionContext::new_with_config(config);
        context.register_catalog(CATALOG, Arc::new(MemoryCatalogProvider::new()));
        let catalogs = Arc::downgrade(context.state().catalog_list());
        let registered = register(&context).await.unwrap();
        assert!(context.catalog(CATALOG).unwrap().schema(SCHEMA).is_some());
        drop(context);
        assert!(catalogs.upgrade().is_some(), "the tables hold the catalogs");
        drop(registered);
        assert!(catalogs.upgrade().is_none());
    }
}
