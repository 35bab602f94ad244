//! What the code of a shape is given: readers of times and amounts, and where what it tells goes.
use super::{
    Shape,
    event::{Event, Spool, Spooled},
    lookup::Lookups,
    record::Record,
    rejected::Rejected,
};
use crate::import::{
    costs::{CostRow, FileCosts},
    currency,
    error::Error,
    field::Field,
    mapping::Stated,
    number::{self, Decimal},
    reason,
    reject::Reject,
    settings::ImportOptions,
    time::{DateOrder, TimeReader},
};
use safar_model::{DAY_US, Micros};
use std::{borrow::Cow, collections::BTreeMap};

/// Why a row cannot be used.
#[derive(Debug)]
pub(crate) enum Fault {
    /// A column is wrong: its key, and what is wrong.
    Column(&'static str, Cow<'static, str>),
    /// The row as a whole is wrong.
    Row(&'static str),
    /// The file as a whole is wrong.
    File(Error),
}

impl Fault {
    pub(crate) fn of(key: &'static str, reason: &'static str) -> Self {
        Self::Column(key, Cow::Borrowed(reason))
    }
}

impl From<std::io::Error> for Fault {
    fn from(source: std::io::Error) -> Self {
        Self::File(Error::Io { path: std::env::temp_dir(), source })
    }
}

/// A time whose hour has one digit gets two: `2021-09-15 5:00:00`.
fn padded(text: &str) -> Cow<'_, str> {
    match text.as_bytes() {
        [_, _, _, _, b'-', _, _, b'-', _, _, b' ' | b'T', hour, b':', ..] if hour.is_ascii_digit() => {
            Cow::Owned(format!("{}0{}", &text[..11], &text[11..]))
        }
        _ => Cow::Borrowed(text),
    }
}

/// One file being read as a shape.
pub(crate) struct Reading<'a> {
    pub shape: &'static Shape,
    /// As given.
    pub file: &'a str,
    pub stated: &'a Stated,
    pub times: TimeReader,
    /// Times of columns that say that they are in UTC.
    utc: TimeReader,
    /// Days are read apart from instants: they are those of the platform's own calendar.
    days: TimeReader,
    pub decimal: Option<Decimal>,
    default_currency: &'a str,
    pub spread: bool,
    pub lookups: &'a mut Lookups,
    pub spool: Spool,
    pub costs: FileCosts,
    /// Rows that are none of a file's data, by what they are.
    pub left_out: BTreeMap<&'static str, u64>,
    pub rejects: Rejected,
    /// What deserves to be told of the file.
    pub notes: Vec<String>,
    /// Sums that the file itself states.
    pub totals: Vec<f64>,
    /// An order whose rows are not all read.
    pub pending: Option<super::orders::Pending>,
}

/// What became of a file.
pub(crate) struct Told {
    pub events: Spooled,
    pub costs: FileCosts,
    pub left_out: BTreeMap<&'static str, u64>,
    pub rejects: Rejected,
    pub notes: Vec<String>,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(
        shape: &'static Shape,
        file: &'a str,
        stated: &'a Stated,
        layout: (Option<DateOrder>, Option<Decimal>),
        options: &ImportOptions,
        default_currency: &'a str,
        lookups: &'a mut Lookups,
    ) -> Result<Self, Error> {
        let (order, decimal) = layout;
        let is_utc = shape.utc && options.zone.is_none();
        let zone = if is_utc { jiff::tz::TimeZone::UTC } else { stated.zone.clone() };
        Ok(Self {
            shape,
            file,
            stated,
            times: TimeReader::new(zone, order),
            utc: TimeReader::new(jiff::tz::TimeZone::UTC, order),
            days: TimeReader::new(jiff::tz::TimeZone::UTC, order),
            decimal,
            default_currency,
            spread: options.spread_totals,
            lookups,
            spool: Spool::new()?,
            costs: FileCosts::default(),
            left_out: BTreeMap::new(),
            rejects: Rejected::default(),
            notes: Vec::new(),
            totals: Vec::new(),
            pending: None,
        })
    }

    pub(crate) fn finish(mut self) -> Result<Told, Error> {
        match (self.shape.end)(&mut self) {
            Err(Fault::File(error)) => return Err(error),
            Err(Fault::Row(reason)) => self.note(reason.to_owned()),
            Err(Fault::Column(_, reason)) => self.note(reason.into_owned()),
            Ok(()) => {}
        }
        Ok(Told {
            events: self.spool.finish()?,
            costs: self.costs,
            left_out: self.left_out,
            rejects: self.rejects,
            notes: self.notes,
        })
    }

    /// What the command says every row has.
    pub(crate) fn constant(&self, field: Field) -> Option<&str> {
        self.stated.constants.iter().find(|(known, _)| *known == field).map(|(_, value)| value.as_str())
    }

    pub(crate) fn default_currency(&self) -> &str {
        self.default_currency
    }

    pub(crate) fn leave(&mut self, what: &'static str) {
        *self.left_out.entry(what).or_default() += 1;
    }

    pub(crate) fn note(&mut self, text: String) {
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }

    pub(crate) fn tell(&mut self, event: Event) -> Result<(), Fault> {
        Ok(self.spool.push(event)?)
    }

    /// An instant; `None` where the cell is empty.
    pub(crate) fn time(&self, row: &Record<'_>, key: &'static str) -> Result<Option<Micros>, Fault> {
        let text = row.get(key);
        if text.is_empty() {
            return Ok(None);
        }
        let header = row.sheet.header(key).to_ascii_lowercase();
        let times = if header.ends_with("_gmt") || header.contains("utc") { &self.utc } else { &self.times };
        times.read(&padded(&text)).map(Some).ok_or(Fault::of(key, reason::NO_SUCH_TIME))
    }

    pub(crate) fn need_time(&self, row: &Record<'_>, key: &'static str) -> Result<Micros, Fault> {
        self.time(row, key)?.ok_or(Fault::of(key, reason::NO_TIME))
    }

    /// An instant whose time of day may stand in a column of its own.
    pub(crate) fn need_time_of_day(
        &self,
        row: &Record<'_>,
        day: &'static str,
        clock: &'static str,
    ) -> Result<Micros, Fault> {
        let at = self.need_time(row, day)?;
        let (date, time) = (row.get(day), row.get(clock));
        if time.is_empty() || date.contains(':') {
            return Ok(at);
        }
        self.times.read(&padded(&format!("{date} {time}"))).ok_or(Fault::of(clock, reason::NO_TIME_OF_DAY))
    }

    /// A day of the platform's calendar, in days since 1970; the hour of a time is left out.
    pub(crate) fn day(&self, row: &Record<'_>, key: &'static str) -> Result<Option<i32>, Fault> {
        let text = row.get(key);
        if text.is_empty() {
            return Ok(None);
        }
        // The day alone: an offset behind it would move it to another one. Anything but a time of day is none of it: `2026-09-01 -
        // 2026-09-07` is no day.
        let day = text.get(..10).filter(|day| day.as_bytes()[4] == b'-').or(text.split([' ', 'T']).next());
        let (day, rest) = text.split_at(day.map_or(0, str::len));
        let rest = rest.trim_start_matches(['T', ' ']);
        let is_clock = rest.is_empty() || (rest.starts_with(|c: char| c.is_ascii_digit()) && rest.contains(':'));
        let read = self.days.read(if is_clock { day } else { &text });
        let read = read.ok_or(Fault::of(key, reason::NO_SUCH_DAY))?;
        i32::try_from(read.div_euclid(DAY_US)).map(Some).map_err(|_| Fault::of(key, reason::NO_SUCH_DAY))
    }

    /// An amount; `None` where the cell is empty. A column whose header ends in `micros` holds millionths.
    pub(crate) fn amount(&self, row: &Record<'_>, key: &'static str) -> Result<Option<f64>, Fault> {
        let text = row.get(key);
        if text.is_empty() {
            return Ok(None);
        }
        let amount = |text: &str| match text.parse::<f64>() {
            Ok(micros) if row.sheet.header(key).to_ascii_lowercase().ends_with("micros") => Ok(micros / 1e6),
            _ => number::read(text, self.decimal).map(|amount| amount.value),
        };
        amount(&text).map(Some).map_err(|error| Fault::Column(key, Cow::Borrowed(error.reason())))
    }

    /// An amount and its currency.
    pub(crate) fn need_money(&mut self, row: &Record<'_>, key: &'static str) -> Result<(f64, String), Fault> {
        let amount = self.amount(row, key)?.ok_or(Fault::of(key, reason::NO_AMOUNT))?;
        Ok((amount, self.currency(row, key)?))
    }

    /// A count; `None` where the cell is empty.
    pub(crate) fn count(&self, row: &Record<'_>, key: &'static str) -> Result<Option<i64>, Fault> {
        match self.amount(row, key)? {
            None => Ok(None),
            Some(count) if count >= 0.0 && count.fract() == 0.0 => Ok(Some(count as i64)),
            Some(_) => Err(Fault::of(key, reason::NO_WHOLE_NUMBER)),
        }
    }

    /// The currency of an amount: of the row's column, the header's brackets or the command, with which what stands beside the
    /// amount must agree; else what stands there; else the workspace's.
    pub(crate) fn currency(&mut self, row: &Record<'_>, amount: &'static str) -> Result<String, Fault> {
        let told = row.get("currency");
        let code = if told.is_empty() { row.sheet.code(amount).unwrap_or_default() } else { &told };
        if !code.is_empty() && !currency::is_one(code) {
            return Err(Fault::of("currency", reason::NO_CURRENCY_CODE));
        }
        let code = if code.is_empty() { self.constant(Field::Currency).unwrap_or_default() } else { code };
        let text = row.get(amount);
        let mark = number::read(&text, self.decimal).map_or("", |amount| amount.mark);
        let found = currency::of(mark, code, self.default_currency).map_err(|reason| Fault::of(amount, reason))?;
        let found = found.into_owned();
        if mark.is_empty() && code.is_empty() {
            self.note(format!(
                "no currency is told: amounts are taken as {found}, the workspace's; `--set currency=…` states another"
            ));
        }
        Ok(found)
    }

    pub(crate) fn cost(&mut self, row: CostRow) -> Result<(), Fault> {
        self.costs.add(row, self.file).map_err(Fault::File)
    }

    /// Notes a row that cannot be used; an error where the whole file cannot.
    pub(crate) fn refuse(&mut self, row: &Record<'_>, fault: Fault) -> Result<(), Error> {
        let (column, value, reason) = match fault {
            Fault::File(error) => return Err(error),
            Fault::Row(reason) => (None, None, Cow::Borrowed(reason)),
            Fault::Column(key, reason) => {
                (Some(row.sheet.header(key).to_owned()), Some(row.get(key).into_owned()), reason)
            }
        };
        self.rejects.push(Reject { line: row.line, column, value, reason, raw: Some(row.raw()) })
    }
}
