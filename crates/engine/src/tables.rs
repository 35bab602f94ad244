//! The tables of a snapshot as SQL sees them; each is opened when a query first names it.
use datafusion::{
    catalog::{MemorySchemaProvider, SchemaProvider, TableProvider},
    common::{DataFusionError, Result},
};
use safar_model::Table;
use safar_store::{Snapshot, Store};
use std::sync::Arc;

/// The catalog of every session; queries need not name it.
pub const CATALOG: &str = "safar";
/// The schema of every session's tables; queries need not name it.
pub(crate) const SCHEMA: &str = "data";

/// The tables of one snapshot, and views that the program adds to its own session.
#[derive(Debug)]
pub(crate) struct SnapshotTables {
    store: Store,
    snapshot: Snapshot,
    added: MemorySchemaProvider,
}

impl SnapshotTables {
    pub(crate) fn new(store: Store, snapshot: Snapshot) -> Self {
        Self { store, snapshot, added: MemorySchemaProvider::new() }
    }
}

#[async_trait::async_trait]
impl SchemaProvider for SnapshotTables {
    fn table_names(&self) -> Vec<String> {
        let own = Table::ALL.iter().map(|table| table.name().to_owned());
        let mut added = self.added.table_names();
        added.sort();
        own.chain(added).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let Ok(table) = name.parse::<Table>() else { return self.added.table(name).await };
        let opened = self.store.table(&self.snapshot, table).await;
        opened.map(|table| Some(table as _)).map_err(|error| DataFusionError::External(Box::new(error)))
    }

    fn register_table(&self, name: String, table: Arc<dyn TableProvider>) -> Result<Option<Arc<dyn TableProvider>>> {
        if name.parse::<Table>().is_ok() {
            return Err(DataFusionError::Plan(format!("`{name}` is a table of the workspace; choose another name")));
        }
        self.added.register_table(name, table)
    }

    fn deregister_table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        self.added.deregister_table(name)
    }

    fn table_exist(&self, name: &str) -> bool {
        name.parse::<Table>().is_ok() || self.added.table_exist(name)
    }
}
