//! Costs on their way to the table `costs`: added up by day and campaign, and put in the place of what was told before.
//!
//! **Once.** Platforms restate the costs of past days, and people export overlapping periods. So what an import tells of a
//! day, source, medium and campaign (of one account) replaces everything that is stored of them, at whatever level of detail;
//! of two files of one import the later counts. A campaign is told by its id, or by its name where one side has no id; costs
//! of a whole account replace those of all its campaigns. What an older report leaves out stays.
use super::{error::Error, reject::read};
use arrow::{
    array::{Array, ArrayRef, AsArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray},
    datatypes::{Date32Type, Float64Type, Int64Type},
};
use safar_enrich::{Enricher, Touch};
use safar_model::{Interaction, Table};
use safar_store::{Change, DataFile, TableWriter};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

/// More rows than this in one import are taken for a mistake.
const ROWS_MAX: usize = 5_000_000;

/// What a campaign cost on a day.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CostRow {
    /// Days since 1970, of the platform's calendar.
    pub date: i32,
    pub source: String,
    /// Empty: none.
    pub medium: String,
    pub account: Option<String>,
    pub campaign_id: Option<String>,
    pub campaign: Option<String>,
    pub content: Option<String>,
    pub term: Option<String>,
    pub impressions: Option<i64>,
    pub clicks: Option<i64>,
    pub cost: f64,
    /// ISO 4217 code.
    pub currency: String,
}

type Key = (i32, String, String, [Option<String>; 5], String);

impl CostRow {
    fn key(&self) -> Key {
        let names = [&self.account, &self.campaign_id, &self.campaign, &self.content, &self.term].map(Clone::clone);
        (self.date, self.source.clone(), self.medium.clone(), names, self.currency.clone())
    }

    /// The same money in equal parts for every day until `last`; the parts add up to the whole.
    pub(crate) fn spread(self, last: i32) -> impl Iterator<Item = Self> {
        let days = i64::from(last) - i64::from(self.date) + 1;
        let share = move |whole: i64, day: i64| whole * (day + 1) / days - whole * day / days;
        (0..days).map(move |day| Self {
            date: self.date + day as i32,
            cost: self.cost / days as f64,
            impressions: self.impressions.map(|whole| share(whole, day)),
            clicks: self.clicks.map(|whole| share(whole, day)),
            ..self.clone()
        })
    }
}

/// The costs of one file, added up.
#[derive(Default)]
pub(crate) struct FileCosts {
    rows_by_key: BTreeMap<Key, CostRow>,
    /// Rows read.
    pub read: u64,
}

fn sum(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.saturating_add(other)),
        (one, other) => one.or(other),
    }
}

impl FileCosts {
    pub(crate) fn add(&mut self, row: CostRow, file: &str) -> Result<(), Error> {
        self.read += 1;
        if self.rows_by_key.len() >= ROWS_MAX {
            return Err(Error::TooManyCosts { file: file.to_owned(), most: ROWS_MAX });
        }
        match self.rows_by_key.entry(row.key()) {
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(row);
            }
            std::collections::btree_map::Entry::Occupied(place) => {
                let known = place.into_mut();
                known.cost += row.cost;
                known.impressions = sum(known.impressions, row.impressions);
                known.clicks = sum(known.clicks, row.clicks);
            }
        }
        Ok(())
    }

    /// Money in all, whatever the currency.
    pub(crate) fn total(&self) -> f64 {
        self.rows_by_key.values().map(|row| row.cost).sum()
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = &CostRow> {
        self.rows_by_key.values()
    }

    pub(crate) fn into_rows(self) -> impl Iterator<Item = CostRow> {
        self.rows_by_key.into_values()
    }
}

/// A row, and the file that told it.
pub(crate) type Told = (CostRow, Arc<str>);

/// What costs are told of, so that what was told before can be found.
#[derive(Default)]
struct Covered<'a> {
    days: HashMap<(i32, &'a str, &'a str), Day<'a>>,
}

#[derive(Default)]
struct Day<'a> {
    /// Accounts told as a whole.
    whole: Vec<Option<&'a str>>,
    accounts: HashSet<Option<&'a str>>,
    by_id: HashMap<&'a str, Vec<Option<&'a str>>>,
    by_name: HashMap<&'a str, Vec<(Option<&'a str>, Option<&'a str>)>>,
}

/// Whether two accounts may be one: an unknown one may be any.
fn alike(one: Option<&str>, other: Option<&str>) -> bool {
    one.is_none() || other.is_none() || one == other
}

impl<'a> Covered<'a> {
    fn of(rows: impl Iterator<Item = &'a CostRow>) -> Self {
        let mut covered = Self::default();
        for row in rows {
            let day = covered.days.entry((row.date, &row.source, &row.medium)).or_default();
            let (account, id) = (row.account.as_deref(), row.campaign_id.as_deref());
            day.accounts.insert(account);
            if row.campaign.is_none() && id.is_none() {
                day.whole.push(account);
            }
            if let Some(id) = id {
                let known = day.by_id.entry(id).or_default();
                if !known.contains(&account) {
                    known.push(account);
                }
            }
            if let Some(name) = row.campaign.as_deref() {
                let known = day.by_name.entry(name).or_default();
                if !known.contains(&(account, id)) {
                    known.push((account, id));
                }
            }
        }
        covered
    }

    /// Whether this tells anew what the row tells.
    fn has(&self, row: &CostRow) -> bool {
        let Some(day) = self.days.get(&(row.date, row.source.as_str(), row.medium.as_str())) else { return false };
        let (account, id) = (row.account.as_deref(), row.campaign_id.as_deref());
        if row.campaign.is_none() && id.is_none() {
            return day.accounts.iter().any(|other| alike(account, *other));
        }
        day.whole.iter().any(|other| alike(account, *other))
            || id.and_then(|id| day.by_id.get(id)).is_some_and(|known| known.iter().any(|other| alike(account, *other)))
            || row.campaign.as_deref().and_then(|name| day.by_name.get(name)).is_some_and(|known| {
                known.iter().any(|(other, other_id)| alike(account, *other) && alike(id, *other_id))
            })
    }
}

/// The costs of several files, of which later ones replace what earlier ones tell; and how many rows were replaced so.
pub(crate) fn joined(files: Vec<(Arc<str>, FileCosts)>) -> (Vec<Told>, u64) {
    let (mut all, mut replaced): (Vec<Told>, u64) = (Vec::new(), 0);
    for (name, costs) in files {
        let fresh: Vec<CostRow> = costs.into_rows().collect();
        let covered = Covered::of(fresh.iter());
        let before = all.len();
        all.retain(|(row, _)| !covered.has(row));
        replaced += (before - all.len()) as u64;
        all.extend(fresh.into_iter().map(|row| (row, Arc::clone(&name))));
    }
    (all, replaced)
}

/// What storing costs changes.
pub(crate) struct Stored {
    /// `None`: everything is stored already.
    pub change: Option<Change>,
    /// Rows that are new, or put in the place of others.
    pub stored: u64,
    /// Rows that others were put in the place of.
    pub replaced: u64,
}

/// Puts rows into the table.
pub(crate) fn store(
    rows: &[Told],
    stored: &[DataFile],
    enricher: &Enricher,
    mut writer: TableWriter,
) -> Result<Stored, Error> {
    let covered = Covered::of(rows.iter().map(|(row, _)| row));
    let (mut removed, mut kept, mut old) = (Vec::new(), Vec::new(), Vec::new());
    for file in stored {
        let (covers, others): (Vec<Told>, Vec<Told>) =
            read_file(file)?.into_iter().partition(|(row, _)| covered.has(row));
        if !covers.is_empty() {
            removed.push(file.name.clone());
            old.extend(covers);
            kept.extend(others);
        }
    }
    let sorted = |rows: &[Told]| {
        let mut rows: Vec<CostRow> = rows.iter().map(|(row, _)| row.clone()).collect();
        rows.sort_by_key(CostRow::key);
        rows
    };
    let replaced = old.len() as u64;
    if sorted(&old) == sorted(rows) {
        return Ok(Stored { change: None, stored: 0, replaced: 0 });
    }
    kept.extend(rows.iter().cloned());
    kept.sort_by_cached_key(|(row, _)| row.key());
    for part in kept.chunks(64 << 10) {
        writer.write(&batch(part, enricher)?)?;
    }
    let staged = writer.finish()?;
    let change = if removed.is_empty() { Change::Append(staged) } else { Change::ReplaceFiles { staged, removed } };
    Ok(Stored { change: Some(change), stored: rows.len() as u64, replaced })
}

/// Rows as the table has them; their channel is that of the clicks that they pay for.
pub(crate) fn batch(rows: &[Told], enricher: &Enricher) -> Result<RecordBatch, Error> {
    let mut enricher = enricher.cached();
    let some = |text: &'_ str| (!text.is_empty()).then(|| text.to_owned());
    let channels: Vec<String> = rows
        .iter()
        .map(|(row, _)| {
            let touch = Touch {
                utm_source: Some(&row.source),
                utm_medium: Some(row.medium.as_str()).filter(|medium| !medium.is_empty()),
                utm_campaign: row.campaign.as_deref(),
                interaction: Interaction::Click,
                ..Touch::default()
            };
            enricher.enrich(&touch).channel.to_string()
        })
        .collect();
    let texts = |of: &dyn Fn(usize) -> Option<String>| -> ArrayRef {
        Arc::new((0..rows.len()).map(of).collect::<StringArray>())
    };
    let counts = |of: &dyn Fn(&CostRow) -> Option<i64>| -> ArrayRef {
        Arc::new(rows.iter().map(|(row, _)| of(row)).collect::<Int64Array>())
    };
    let schema = Table::Costs.schema();
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            "date" => Arc::new(Date32Array::from_iter_values(rows.iter().map(|(row, _)| row.date))),
            "source" => texts(&|at| some(&rows[at].0.source)),
            "medium" => texts(&|at| some(&rows[at].0.medium)),
            "campaign" => texts(&|at| rows[at].0.campaign.clone()),
            "content" => texts(&|at| rows[at].0.content.clone()),
            "term" => texts(&|at| rows[at].0.term.clone()),
            "channel" => texts(&|at| some(&channels[at])),
            "impressions" => counts(&|row| row.impressions),
            "clicks" => counts(&|row| row.clicks),
            "cost" => Arc::new(Float64Array::from_iter_values(rows.iter().map(|(row, _)| row.cost))),
            "currency" => texts(&|at| some(&rows[at].0.currency)),
            "origin" => texts(&|at| some(&rows[at].1)),
            "account" => texts(&|at| rows[at].0.account.clone()),
            "campaign_id" => texts(&|at| rows[at].0.campaign_id.clone()),
            _ => arrow::array::new_null_array(field.data_type(), rows.len()),
        }
    });
    Ok(RecordBatch::try_new(Arc::clone(&schema), columns.collect())?)
}

fn read_file(file: &DataFile) -> Result<Vec<Told>, Error> {
    let names: Vec<String> = Table::Costs.schema().fields().iter().map(|field| field.name().clone()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut rows = Vec::new();
    for batch in read(&file.path, &names)? {
        rows.extend(rows_of(&batch?)?);
    }
    Ok(rows)
}

/// The rows of a batch of the table.
fn rows_of(batch: &RecordBatch) -> Result<Vec<Told>, Error> {
    let text = |name: &str, row: usize| {
        let array = batch.column_by_name(name)?.as_string_opt::<i32>()?;
        array.is_valid(row).then(|| array.value(row).to_owned())
    };
    let count = |name: &str, row: usize| {
        let array = batch.column_by_name(name)?.as_primitive_opt::<Int64Type>()?;
        array.is_valid(row).then(|| array.value(row))
    };
    let lacks = |name: &str| arrow::error::ArrowError::SchemaError(format!("costs have no column `{name}`"));
    let dates = batch.column_by_name("date").and_then(|array| array.as_primitive_opt::<Date32Type>());
    let dates = dates.ok_or_else(|| lacks("date"))?;
    let money = batch.column_by_name("cost").and_then(|array| array.as_primitive_opt::<Float64Type>());
    let money = money.ok_or_else(|| lacks("cost"))?;
    let row = |at: usize| {
        let row = CostRow {
            date: dates.value(at),
            source: text("source", at).unwrap_or_default(),
            medium: text("medium", at).unwrap_or_default(),
            account: text("account", at),
            campaign_id: text("campaign_id", at),
            campaign: text("campaign", at),
            content: text("content", at),
            term: text("term", at),
            impressions: count("impressions", at),
            clicks: count("clicks", at),
            cost: money.value(at),
            currency: text("currency", at).unwrap_or_default(),
        };
        (row, Arc::from(text("origin", at).unwrap_or_default()))
    };
    Ok((0..batch.num_rows()).map(row).collect())
}

/// Costs whose channels are those of today's rules; `None` where nothing changes.
///
/// # Errors
/// When `batch` lacks a column of `costs`.
pub fn rechannel(batch: &RecordBatch, enricher: &Enricher) -> Result<Option<RecordBatch>, Error> {
    let rows = rows_of(batch)?;
    let fresh = self::batch(&rows, enricher)?;
    let channel = |batch: &RecordBatch| batch.column_by_name("channel").cloned();
    Ok((channel(batch) != channel(&fresh)).then_some(fresh))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(date: i32, account: Option<&str>, id: Option<&str>, name: Option<&str>, cost: f64) -> CostRow {
        CostRow {
            date,
            source: "google".to_owned(),
            medium: "cpc".to_owned(),
            account: account.map(str::to_owned),
            campaign_id: id.map(str::to_owned),
            campaign: name.map(str::to_owned),
            content: None,
            term: None,
            impressions: Some(10),
            clicks: None,
            cost,
            currency: "EUR".to_owned(),
        }
    }

    fn told(rows: &[CostRow]) -> FileCosts {
        let mut costs = FileCosts::default();
        rows.iter().for_each(|row| costs.add(row.clone(), "f").unwrap());
        costs
    }

    #[test]
    fn later_files_replace_what_they_tell_anew() {
        let money = |files: &[&[CostRow]]| {
            let files = files.iter().map(|rows| (Arc::from("f"), told(rows))).collect();
            let (rows, replaced) = joined(files);
            (rows.iter().map(|(row, _)| row.cost).sum::<f64>(), replaced)
        };
        let brand = |cost| row(1, None, None, Some("Brand"), cost);
        assert_eq!(money(&[&[brand(5.0), brand(2.0)]]), (7.0, 0), "rows of one file add up");
        assert_eq!(money(&[&[brand(5.0)], &[brand(6.0)]]), (6.0, 1), "a restated day");
        assert_eq!(money(&[&[brand(5.0)], &[row(2, None, None, Some("Brand"), 6.0)]]), (11.0, 0), "another day");
        assert_eq!(
            money(&[&[brand(5.0)], &[row(1, None, Some("7"), Some("Brand"), 6.0)]]),
            (6.0, 1),
            "with an id at last"
        );
        let renamed = [row(1, None, Some("7"), Some("Old"), 5.0)];
        assert_eq!(money(&[&renamed, &[row(1, None, Some("7"), Some("New"), 6.0)]]), (6.0, 1), "renamed");
        let (one, two) = (row(1, Some("a"), None, Some("Brand"), 5.0), row(1, Some("b"), None, Some("Brand"), 6.0));
        assert_eq!(money(&[&[one.clone()], &[two]]), (11.0, 0), "another account");
        assert_eq!(money(&[&[one], &[row(1, Some("a"), None, None, 9.0)]]), (9.0, 1), "the whole account");
    }

    proptest! {
        #[test]
        fn spreading_keeps_the_sum(cost in 0.0..1e6f64, clicks in 0..10_000i64, days in 0..400i32) {
            let mut whole = row(100, None, None, Some("x"), cost);
            whole.clicks = Some(clicks);
            let parts: Vec<CostRow> = whole.spread(100 + days).collect();
            prop_assert_eq!(parts.len() as i32, days + 1);
            prop_assert_eq!(parts.iter().filter_map(|part| part.clicks).sum::<i64>(), clicks);
            prop_assert!((parts.iter().map(|part| part.cost).sum::<f64>() - cost).abs() <= 1e-9 * (1.0 + cost));
        }
    }
}
