//! Parts of the log → the tables, by the same import that files go.
use super::{News, origin, tables::Tables};
use safar_collect::drain::{DeadLetter, Part, Publish, PublishError};
use safar_ingest::{HandOver, ImportOptions, ImportReport, Lines, Reject, Rules, import_lines};
use safar_store::CommitKey;
use std::{
    borrow::Cow,
    sync::{Arc, PoisonError},
};

/// Rows in memory before they go to temporary files. A part is 16 MB of text.
const MEMORY: usize = 64 << 20;

/// What became of a part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// New events.
    pub stored: u64,
    /// Events that were stored before, or came twice.
    pub duplicates: u64,
    /// What is no event: it is in the table `rejects`.
    pub rejected: u64,
    /// Events of people who were erased since they happened: they are kept nowhere.
    pub erased: u64,
}

impl From<&ImportReport> for Published {
    fn from(report: &ImportReport) -> Self {
        let rejected = report.rejected_total();
        Self { stored: report.stored, duplicates: report.duplicates, rejected, erased: report.erased }
    }
}

/// How collected lines are imported: on one thread, beside those that serve.
pub(super) fn options() -> ImportOptions {
    ImportOptions { memory_bytes: MEMORY, threads: 1, ..ImportOptions::default() }
}

/// A dead letter as a row of `rejects`: all of it in `raw`, its place in the segment as the line.
fn reject(letter: &DeadLetter) -> Reject {
    Reject {
        line: letter.at as u64,
        column: None,
        value: None,
        reason: Cow::Owned(letter.reason.clone()),
        raw: Some(letter.to_line()),
    }
}

/// What a part of a segment is to the import.
pub(super) fn handed_over(part: Part) -> HandOver {
    let Part { log, segment, number, lines, letters, received_at, .. } = part;
    let origin = |source: &str| origin::of_part(source, &log, segment, number);
    let lines = lines.into_iter().map(|(source, text)| Lines { origin: origin(&source), text: text.into_bytes() });
    let letters = letters.iter().map(|letter| (origin(&letter.source), reject(letter)));
    let (lines, letters): (Vec<Lines>, Vec<(String, Reject)>) = (lines.collect(), letters.collect());
    let origins = lines.iter().map(|lines| &lines.origin).chain(letters.iter().map(|(origin, _)| origin));
    let received_at = origins.filter_map(|origin| Some((origin.clone(), received_at?))).collect();
    HandOver { lines, letters, received_at, instead_of: vec![] }
}

/// Takes parts into the tables.
pub(super) struct Publisher(Arc<Tables>);

impl Publisher {
    pub fn new(tables: Arc<Tables>) -> Self {
        Self(tables)
    }

    async fn take(&self, part: Part) -> Result<ImportReport, PublishError> {
        let _turn = self.0.turn.lock().await;
        let workspace = self.0.workspace().await;
        let (settings, enricher) = (workspace.import_settings(), workspace.enricher()?);
        let rules = Rules { import: &settings, enricher: &enricher, identity: &workspace.settings().identity };
        let key = CommitKey::new("collect", part.key());
        // What comes now is of now.
        let told = handed_over(Part { received_at: None, ..part });
        let lock = self.0.lock(&workspace).await?;
        Ok(import_lines(workspace.store(), &lock, rules, told, key, &options()).await?)
    }
}

impl Publish for Publisher {
    async fn publish(&mut self, part: Part) -> Result<(), PublishError> {
        let done = self.take(part).await;
        let mut status = self.0.status.lock().unwrap_or_else(PoisonError::into_inner);
        let report = match done {
            Ok(report) => report,
            Err(error) => {
                status.problem = Some(error.to_string());
                return Err(error);
            }
        };
        let published = Published::from(&report);
        status.publish(&published);
        drop(status);
        if published.stored > 0 {
            self.0.fresh.notify_one();
        }
        (self.0.tell)(News::Published(published));
        Ok(())
    }
}
