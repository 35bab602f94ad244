//! Rows of any format → records, without what warehouses wrap around them.
use super::{
    reading::{Fault, Reading},
    recognise::Peeked,
    record::{Cells, Record},
    wrap::Wrapping,
};
use crate::import::{
    error::Error,
    input::{self, Input},
    json::JsonSplitter,
    parquet::ParquetInput,
    reason,
    reject::Reject,
    report::Progress,
    sniff::Format,
    split::{Broken, Splitter},
};
use arrow::array::{Array, AsArray};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Gives every row of a file to its shape.
pub(super) fn file(
    reading: &mut Reading<'_>,
    input: &Input,
    peeked: &Peeked,
    progress: &dyn Progress,
) -> Result<(), Error> {
    let wrapping = Wrapping::of(&peeked.sheet.headers);
    if peeked.format == Format::Parquet {
        let path = input.path.as_deref().ok_or_else(|| Error::NoInput(input.name.clone()))?;
        let mut parquet = ParquetInput::open(&input.name, path)?;
        while let Some((first, batch)) = parquet.next_rows()? {
            let columns: Vec<_> = batch.columns().iter().map(|column| column.as_string::<i32>()).collect();
            let mut cells = Vec::with_capacity(columns.len());
            for at in 0..batch.num_rows() {
                cells.clear();
                cells.extend(columns.iter().map(|column| if column.is_valid(at) { column.value(at) } else { "" }));
                texts(reading, peeked, &wrapping, first + at as u64, &cells)?;
            }
        }
        return Ok(());
    }
    let opened = input::open(input, reading.stated.encoding)?;
    let broken_off = |rows: u64| {
        let file = input.name.clone();
        move |error: std::io::Error| Error::Truncated { file, rows, why: error.to_string() }
    };
    let (mut rows, mut bytes) = (0, 0);
    let meter = Arc::clone(&opened.meter);
    // Rows are counted where what they tell is stored.
    let mut advance = || {
        let now = meter.bytes();
        progress.advance(now - bytes, 0);
        bytes = now;
    };
    if peeked.format == Format::Csv {
        let width = peeked.sheet_width;
        let mut splitter = Splitter::new(opened.into_reader(), peeked.layout, width);
        while let Some(chunk) = splitter.next_chunk().map_err(broken_off(rows))? {
            for ((line, ..), spans) in chunk.records.iter().zip(chunk.cells.chunks_exact(width)) {
                rows += 1;
                let text =
                    |(start, end): &(u32, u32)| chunk.text.get(*start as usize..*end as usize).unwrap_or_default();
                let cells: Vec<&str> = spans.iter().map(text).collect();
                texts(reading, peeked, &wrapping, *line, &cells)?;
            }
            advance();
            chunk.broken.into_iter().try_for_each(|broken| self::broken(reading, broken, width))?;
        }
        return Ok(());
    }
    let mut splitter = JsonSplitter::new(opened.into_reader(), peeked.format == Format::Json);
    while let Some(chunk) = splitter.next_chunk().map_err(broken_off(rows))? {
        for (line, start, end) in &chunk.records {
            rows += 1;
            let text = chunk.text.get(*start as usize..*end as usize).unwrap_or_default();
            match serde_json::from_str::<Value>(text) {
                Ok(Value::Object(object)) => objects(reading, peeked, &wrapping, *line, object)?,
                _ => reading.rejects.push(Reject {
                    line: *line,
                    column: None,
                    value: None,
                    reason: reason::NO_JSON.into(),
                    raw: Some(text.trim().to_owned()),
                })?,
            }
        }
        advance();
        chunk.broken.into_iter().try_for_each(|broken| self::broken(reading, broken, 0))?;
    }
    Ok(())
}

fn texts(
    reading: &mut Reading<'_>,
    peeked: &Peeked,
    wrapping: &Wrapping,
    line: u64,
    cells: &[&str],
) -> Result<(), Error> {
    if let Some(at) = peeked.data {
        // The row of a raw table is the object in one of its columns.
        return match serde_json::from_str::<Value>(cells.get(at).copied().unwrap_or_default()) {
            Ok(Value::Object(object)) => take(reading, wrapping, &record(peeked, line, Cells::Object(&object))),
            _ => reading.refuse(&record(peeked, line, Cells::Texts(cells)), Fault::Row(reason::NO_JSON_DATA)),
        };
    }
    take(reading, wrapping, &record(peeked, line, Cells::Texts(cells)))
}

fn objects(
    reading: &mut Reading<'_>,
    peeked: &Peeked,
    wrapping: &Wrapping,
    line: u64,
    object: Map<String, Value>,
) -> Result<(), Error> {
    let object = super::wrap::unwrapped(object);
    take(reading, wrapping, &record(peeked, line, Cells::Object(&object)))
}

fn record<'a>(peeked: &'a Peeked, line: u64, cells: Cells<'a>) -> Record<'a> {
    Record { line, sheet: &peeked.sheet, cells }
}

fn take(reading: &mut Reading<'_>, wrapping: &Wrapping, row: &Record<'_>) -> Result<(), Error> {
    if let Some(what) = wrapping.gone(row) {
        reading.leave(what);
        return Ok(());
    }
    let told = match row.shortened() {
        Some(key) => Err(Fault::of(key, reason::SHORTENED_ID)),
        None => (reading.shape.row)(reading, row),
    };
    told.or_else(|fault| reading.refuse(row, fault))
}

/// A line that is no row: of a report's foot, or broken.
fn broken(reading: &mut Reading<'_>, broken: Broken, width: usize) -> Result<(), Error> {
    let text = broken.raw.trim_start_matches(['"', ' ']);
    let is_foot = broken.found.is_some_and(|found| found < width) && reading.shape.platform.is_some();
    if is_foot && (text.starts_with('©') || super::cost_report::is_total(text)) {
        reading.leave("footers");
        return Ok(());
    }
    reading.rejects.push(Reject {
        line: broken.line,
        column: None,
        value: broken.found.map(|found| format!("{found} instead of {width}")),
        reason: broken.reason.into(),
        raw: Some(broken.raw),
    })
}
