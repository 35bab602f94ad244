//! Lines of JSON that a program hands over, in the names of the columns of `events`: collected events.
use super::{
    Error, Field, ImportOptions, ImportReport, ImportSettings, Reject, Rules, Silent,
    input::Input,
    now,
    number::Decimal,
    plan::Plan,
    publish::Sameness,
    sniff::Format,
    take::{Handed, take},
    time::show,
};
use safar_model::Micros;
use safar_store::{CommitKey, Store, Sweep, WriteLock};
use std::{collections::BTreeMap, sync::Arc};

/// Lines in memory.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    /// Where they come from, stored with each event together with the number of its line.
    pub origin: String,
    /// One JSON object a line, in UTF-8, not compressed.
    pub text: Vec<u8>,
}

/// What a program hands over, to be stored in one commit.
#[derive(Debug, Default)]
pub struct HandOver {
    /// Events.
    pub lines: Vec<Lines>,
    /// Rejects that somebody else found, by origin.
    pub letters: Vec<(String, Reject)>,
    /// When what comes from an origin was received, microseconds UTC; the others are now.
    pub received_at: BTreeMap<String, Micros>,
    /// Rows in whose place these come, each of another table: what they take away is as if it had never been stored.
    pub instead_of: Vec<Sweep>,
}

/// Imports lines in memory, in one commit that happens once for its key. What is the team's taste in files does not apply: no
/// mapping of `[import]`, no decimal comma, no order of day and month, no time zone. Of events with one id the first is kept,
/// whatever a later one says.
///
/// A repetition with the same key reads and sorts again and then changes nothing; its report counts what it read as
/// duplicates and rejects.
///
/// # Errors
/// As [`super::import`].
pub async fn import_lines(
    store: &Store,
    lock: &WriteLock,
    rules: Rules<'_>,
    told: HandOver,
    key: CommitKey,
    options: &ImportOptions,
) -> Result<ImportReport, Error> {
    let (settings, options) = neutral(rules.import, options);
    let rules = Rules { import: &settings, ..rules };
    let now = now(&options);
    let mut plans = Vec::new();
    for Lines { origin, text } in told.lines {
        let received_at = told.received_at.get(&origin);
        let received_at = received_at.map(|at| (Field::ReceivedAt.as_str().to_owned(), show(*at)));
        let mut options = options.clone();
        options.constants.extend(received_at);
        let input = Input { name: origin, size: text.len() as u64, text: Some(text.into()), ..Input::default() };
        plans.extend(Plan::make(rules.import, rules.identity, &options, input, now)?.map(Arc::new));
    }
    let HandOver { letters, received_at, instead_of, .. } = told;
    let (sameness, key) = (Sameness::Id, Some(key));
    let handed = Handed { plans, sameness, letters, received_at, instead_of, key, ..Handed::default() };
    take(store, lock, rules, handed, now, &options, &Silent).await
}

/// Settings for lines that programs wrote: the team's taste in files does not apply to them.
pub(super) fn neutral(settings: &ImportSettings, options: &ImportOptions) -> (ImportSettings, ImportOptions) {
    let settings = ImportSettings {
        zone: None,
        decimal: Some(Decimal::Point),
        date_order: None,
        mappings: Vec::new(),
        ..settings.clone()
    };
    let options = ImportOptions {
        format: Some(Format::Ndjson),
        zone: None,
        decimal: None,
        date_order: None,
        columns: Vec::new(),
        ..options.clone()
    };
    (settings, options)
}
