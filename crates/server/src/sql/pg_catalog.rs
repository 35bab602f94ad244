//! The tables `pg_catalog` of a connection.
use datafusion::{
    catalog::CatalogProvider,
    error::{DataFusionError, Result},
    prelude::SessionContext,
};
use datafusion_postgres::datafusion_pg_catalog::{pg_catalog::context::EmptyContextProvider, setup_pg_catalog};
use safar_engine::CATALOG;
use std::sync::Arc;

const SCHEMA: &str = "pg_catalog";

/// The schema holds the catalogs, and these hold it: it must be taken out of them, or the memory of a connection outlives it.
pub struct PgCatalog(Arc<dyn CatalogProvider>);

impl PgCatalog {
    /// Adds it to a session, for as long as this value lives.
    ///
    /// # Errors
    /// When the session has no catalog of tables.
    pub fn of(context: &SessionContext) -> Result<Self> {
        setup_pg_catalog(context, CATALOG, EmptyContextProvider).map_err(|error| *error)?;
        let catalog = context.catalog(CATALOG);
        catalog.map(Self).ok_or_else(|| DataFusionError::Internal(format!("there is no catalog {CATALOG}")))
    }
}

impl Drop for PgCatalog {
    fn drop(&mut self) {
        if let Err(error) = self.0.deregister_schema(SCHEMA, true) {
            tracing::warn!(%error, "a connection leaves its catalog behind");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::catalog::MemoryCatalogProvider;

    #[test]
    fn nothing_outlives_the_connection() {
        let context = SessionContext::new();
        context.register_catalog(CATALOG, Arc::new(MemoryCatalogProvider::new()));
        let catalogs = Arc::downgrade(context.state().catalog_list());
        let catalog = PgCatalog::of(&context).unwrap();
        assert!(context.catalog(CATALOG).unwrap().schema(SCHEMA).is_some());
        drop(context);
        assert!(catalogs.upgrade().is_some(), "the tables hold the catalogs");
        drop(catalog);
        assert!(catalogs.upgrade().is_none());
    }
}
