//! For who takes rows of `events` away or replaces them beside a build.
use crate::{
    Result, Workspace,
    build::{
        self,
        people::{Owners, WHO},
    },
    report,
};
use arrow::array::{ArrayRef, RecordBatch};
use hashbrown::HashSet;

/// Whose events were touched, so that the next build makes their journeys anew.
pub struct Touched<'a> {
    workspace: &'a Workspace,
    owners: Owners,
    pub(crate) people: HashSet<i64>,
}

impl<'a> Touched<'a> {
    /// Nobody's yet, by the people of the last build and by all links.
    ///
    /// # Errors
    /// When the tables cannot be read.
    pub async fn of(workspace: &'a Workspace) -> Result<Self> {
        let session = report::session(workspace).await?;
        let owners = Owners::of(&session, workspace).await?;
        Ok(Self { workspace, owners, people: HashSet::new() })
    }

    /// Takes note of rows of `events`.
    ///
    /// # Errors
    /// When they lack a column that says who it was.
    pub fn add(&mut self, rows: &RecordBatch) -> Result<()> {
        let who: Vec<ArrayRef> = WHO.iter().filter_map(|name| rows.column_by_name(name).cloned()).collect();
        self.people.extend(self.owners.each(&who)?.iter().flat_map(|owners| owners.values()));
        Ok(())
    }

    /// Takes it down before the rows change: should what follows be cut off, the next build makes them anew.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn begin(&self) -> Result<()> {
        build::begin(self.workspace, &self.people)
    }

    /// Takes files of `events` under other names for those that the last build read ([`safar_store::Sweep::replaced`]).
    ///
    /// # Errors
    /// When the disk says no.
    pub fn renamed(&self, replaced: &[(String, Vec<String>)]) -> Result<()> {
        build::renamed(self.workspace, replaced)
    }
}
