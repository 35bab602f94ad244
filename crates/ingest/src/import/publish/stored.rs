//! Events of the snapshot that new ones may repeat.
use super::{
    super::{columns::Text, error::Error, reject},
    pages,
};
use arrow::{
    array::{Array, AsArray, RecordBatch, StringArray},
    datatypes::{Float64Type, Int64Type, TimestampMicrosecondType},
    error::ArrowError,
};
use safar_store::DataFile;

/// What two events with one given id must say alike, beside time and value, to be the same event. Columns that rules or
/// settings write anew are not among them.
pub(super) const COMPARED: [Text; 7] =
    [Text::Name, Text::OrderId, Text::Currency, Text::Items, Text::UserId, Text::EmailHash, Text::CrmId];

/// What is stored of an event that may come again.
pub(super) struct Known<'a> {
    pub key: i64,
    pub event_id: &'a str,
    /// `None`: it happened at another time than any new event.
    pub said: Option<Said<'a>>,
}

pub(super) struct Said<'a> {
    pub time: i64,
    pub value: Option<f64>,
    pub texts: [Option<&'a str>; COMPARED.len()],
}

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>>>;

/// The stored events of a bucket that new ones may repeat, read once in the order of keys: those of files that overlap the
/// new ones in time, and the ids of the others where ids were given.
pub(super) struct Stored<'a> {
    files: Vec<StoredFile>,
    /// The keys of new events, where these are few.
    keys: Option<&'a [i64]>,
}

struct StoredFile {
    file: DataFile,
    reads: Reads,
    batches: Option<Batches>,
    current: Option<RecordBatch>,
    at: usize,
}

/// What is read of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reads {
    /// Keys and ids.
    Ids,
    /// What is compared, too.
    Whole,
}

impl<'a> Stored<'a> {
    pub(super) fn open(
        files: &[DataFile],
        bucket: i32,
        times: (i64, i64),
        whole: bool,
        keys: Option<&'a [i64]>,
    ) -> Self {
        let overlaps = |file: &DataFile| {
            file.min_time.is_none_or(|min| min <= times.1) && file.max_time.is_none_or(|max| max >= times.0)
        };
        let reads = |file: &DataFile| match (overlaps(file), whole) {
            (true, true) => Some(Reads::Whole),
            (true, false) | (false, true) => Some(Reads::Ids),
            (false, false) => None,
        };
        let files = files.iter().filter(|file| file.bucket == Some(bucket));
        let files = files.filter_map(|file| Some((file.clone(), reads(file)?)));
        Self {
            files: files.map(|(file, reads)| StoredFile { file, reads, batches: None, current: None, at: 0 }).collect(),
            keys,
        }
    }

    /// Whether a key from `low` to `high` may be stored.
    pub(super) fn has(&self, range: (i64, i64)) -> bool {
        self.files.iter().any(|stored| stored.may_have(range))
    }

    /// Every stored event whose key is from `low` to `high`; ranges must ascend.
    pub(super) fn visit(&mut self, (low, high): (i64, i64), mut each: impl FnMut(&Known<'_>)) -> Result<(), Error> {
        for stored in self.files.iter_mut().filter(|stored| stored.may_have((low, high))) {
            if stored.batches.is_none() || !stored.file.sorted {
                let mut columns = vec!["event_id", "key"];
                if stored.reads == Reads::Whole {
                    columns.extend(["occurred_at", "value"]);
                    columns.extend(COMPARED.map(Text::name));
                }
                let path = &stored.file.path;
                stored.batches = Some(match self.keys {
                    Some(keys) => Box::new(pages::read(path, &columns, keys)?),
                    None => Box::new(reject::read(path, &columns)?),
                });
                stored.current = None;
            }
            stored.visit(low, high, &mut each)?;
        }
        Ok(())
    }
}

impl StoredFile {
    fn may_have(&self, (low, high): (i64, i64)) -> bool {
        self.file.min_key.is_none_or(|min| min <= high) && self.file.max_key.is_none_or(|max| max >= low)
    }

    fn visit(&mut self, low: i64, high: i64, each: &mut impl FnMut(&Known<'_>)) -> Result<(), Error> {
        loop {
            if self.current.as_ref().is_none_or(|batch| self.at >= batch.num_rows()) {
                self.current = self.batches.as_mut().and_then(Iterator::next).transpose()?;
                self.at = 0;
            }
            let Some(batch) = &self.current else { return Ok(()) };
            let column = |name: &str| {
                batch
                    .column_by_name(name)
                    .ok_or_else(|| ArrowError::SchemaError(format!("events have no column {name}")))
            };
            let (event_ids, keys) =
                (column("event_id")?.as_string::<i32>(), column("key")?.as_primitive::<Int64Type>());
            let whole = match self.reads {
                Reads::Ids => None,
                Reads::Whole => {
                    let times = column("occurred_at")?.as_primitive::<TimestampMicrosecondType>();
                    let texts: Vec<&StringArray> = COMPARED
                        .iter()
                        .map(|text| Ok(column(text.name())?.as_string::<i32>()))
                        .collect::<Result<_, ArrowError>>()?;
                    Some((times, column("value")?.as_primitive::<Float64Type>(), texts))
                }
            };
            while self.at < batch.num_rows() {
                let row = self.at;
                let key = keys.value(row);
                if key > high && self.file.sorted {
                    return Ok(());
                }
                self.at += 1;
                if (low..=high).contains(&key) {
                    let said = whole.as_ref().map(|(times, values, texts)| Said {
                        time: times.value(row),
                        value: values.is_valid(row).then(|| values.value(row)),
                        texts: std::array::from_fn(|at| texts[at].is_valid(row).then(|| texts[at].value(row))),
                    });
                    each(&Known { key, event_id: event_ids.value(row), said });
                }
            }
        }
    }
}
