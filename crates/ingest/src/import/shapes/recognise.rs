//! Which shape a file is of, told by its first rows.
use super::{
    SHAPES, Shape,
    column::{Sheet, same},
    record::text_of,
    wrap,
};
use crate::import::{
    error::Error,
    input::{self, HEAD, Input},
    json::JsonSplitter,
    mapping::Stated,
    number::Decimal,
    parquet::ParquetInput,
    sniff::{self, Format},
    split::{Layout, split_all},
    time::{self, DateOrder, OrderSeen},
};
use arrow::array::{Array, AsArray};
use serde_json::{Map, Value};
use std::rc::Rc;

/// How many rows may stand before the header.
const PREAMBLE_ROWS: usize = 30;
const SAMPLE_ROWS: usize = 1000;

/// A file and how its rows are laid out.
pub(super) struct Peeked {
    pub format: Format,
    pub layout: Layout,
    pub sheet: Sheet,
    /// Cells in a row of text.
    pub sheet_width: usize,
    /// The cell that holds a row's own object, in raw tables.
    pub data: Option<usize>,
    sample: Vec<Vec<String>>,
}

/// A shape that a file seems to be of, but for columns that it lacks.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub title: &'static str,
    pub hint: &'static str,
    /// The columns, each with the headers it goes by.
    pub missing: Vec<String>,
    pub headers: Vec<String>,
}

/// What looking at a file found.
pub(super) enum Found {
    Shape(&'static Shape, Peeked),
    /// A table of a connector that no shape knows.
    Wrapped(Peeked),
    Claim(Claim),
    Nothing,
}

/// A possible header and the rows behind it.
struct Candidate {
    headers: Vec<String>,
    layout: Layout,
    /// The first rows of the file, shared by its candidates; those of this one begin at `from` and have `cells` cells.
    rows: Rc<Vec<Vec<String>>>,
    from: usize,
    cells: usize,
    width: usize,
    data: Option<usize>,
    /// Whether a connector wrote it.
    wrapped: bool,
}

impl Candidate {
    fn sample(&self) -> Vec<Vec<String>> {
        self.rows.iter().skip(self.from).filter(|row| row.len() == self.cells).cloned().collect()
    }
}

impl Shape {
    /// The shape's columns in a header, and whether every needed one is there. `None`: something else rules it out.
    fn fit(&self, headers: &[String], given: &[&str]) -> Option<(Sheet, bool)> {
        let has = |names: &[&str]| headers.iter().any(|header| names.iter().any(|name| same(header, name)));
        if has(self.never) || !(self.marks.is_empty() || has(self.marks)) {
            return None;
        }
        let sheet = Sheet::new(self.columns, headers);
        let whole = sheet.missing(self.columns, given).is_empty();
        Some((sheet, whole))
    }
}

/// Looks at a file. `forced`: the shape that the command names.
pub(super) fn look(input: &Input, stated: &Stated, forced: Option<&'static Shape>) -> Result<Found, Error> {
    let opened = input::open(input, stated.encoding)?;
    if opened.head.is_empty() {
        return Ok(Found::Nothing);
    }
    let format = match stated.format {
        Some(format) => format,
        None => match (sniff::format_of(&input.name, &opened), forced) {
            (Ok(format), _) => format,
            (Err(error), Some(_)) => return Err(error),
            (Err(_), None) => return Ok(Found::Nothing), // the import of events says what is wrong
        },
    };
    let candidates = match format {
        Format::Csv => {
            let mut head = opened.head.as_slice();
            let mac = head.contains(&b'\r') && !head.contains(&b'\n');
            if !opened.whole && head.len() >= HEAD {
                let end = memchr::memrchr(if mac { b'\r' } else { b'\n' }, head).map_or(head.len(), |end| end + 1);
                head = &head[..end];
            }
            delimited(head, opened.whole, mac, stated.delimiter)
        }
        Format::Ndjson | Format::Json => objects(&opened.head, format == Format::Json),
        Format::Parquet => match input.path.as_deref() {
            Some(path) if opened.head.starts_with(b"PAR1") => parquet(&input.name, path)?,
            _ => return Ok(Found::Nothing),
        },
    };
    // What the command says every row has needs no column.
    let given: Vec<&str> = stated.constants.iter().map(|(field, _)| field.as_str()).collect();
    Ok(choose(format, &candidates, forced, &given))
}

fn choose(format: Format, candidates: &[Candidate], forced: Option<&'static Shape>, given: &[&str]) -> Found {
    let shapes: Vec<&'static Shape> = forced.map_or_else(|| SHAPES.to_vec(), |shape| vec![shape]);
    let mut best: Option<(usize, &'static Shape, Sheet, &Candidate)> = None;
    let mut near: Option<(usize, &'static Shape, Sheet, &Candidate)> = None;
    for candidate in candidates {
        for shape in &shapes {
            let fit = match forced {
                // What the command names needs no marks.
                Some(_) => {
                    let sheet = Sheet::new(shape.columns, &candidate.headers);
                    let whole = sheet.missing(shape.columns, given).is_empty();
                    Some((sheet, whole))
                }
                None => shape.fit(&candidate.headers, given),
            };
            let Some((sheet, whole)) = fit else { continue };
            let known = sheet.known();
            let place = if whole { &mut best } else { &mut near };
            if place.as_ref().is_none_or(|(other, ..)| known > *other) {
                *place = Some((known, shape, sheet, candidate));
            }
        }
    }
    let peeked = |sheet: Sheet, candidate: &Candidate| Peeked {
        format,
        layout: candidate.layout,
        sheet,
        sheet_width: candidate.width,
        data: candidate.data,
        sample: candidate.sample(),
    };
    if let Some((_, shape, sheet, candidate)) = best {
        return Found::Shape(shape, peeked(sheet, candidate));
    }
    if let (None, Some(candidate)) = (forced, candidates.iter().find(|candidate| candidate.wrapped)) {
        return Found::Wrapped(peeked(Sheet::new(&[], &candidate.headers), candidate));
    }
    if let Some((known, shape, sheet, candidate)) = near {
        let missing = sheet.missing(shape.columns, given);
        // Most of a shape is there, or the command says what it is.
        if forced.is_some() || (missing.len() == 1 && known >= 3) {
            let spelled = |names: &[&str]| names.iter().take(3).copied().collect::<Vec<_>>().join(" or ");
            return Found::Claim(Claim {
                title: shape.title,
                hint: shape.hint,
                missing: missing.iter().map(|column| spelled(column.names)).collect(),
                headers: candidate.headers.clone(),
            });
        }
    }
    Found::Nothing
}

/// Every row among the first that may be a header, under every delimiter.
fn delimited(head: &[u8], whole: bool, mac: bool, stated: Option<u8>) -> Vec<Candidate> {
    let delimiters: &[u8] = match &stated {
        Some(delimiter) => std::slice::from_ref(delimiter),
        None => b",;\t|",
    };
    let mut candidates = Vec::new();
    for &delimiter in delimiters {
        let (lines, rows): (Vec<u64>, Vec<Vec<String>>) =
            split_all(head, delimiter, mac, PREAMBLE_ROWS + SAMPLE_ROWS).into_iter().unzip();
        let rows = Rc::new(rows);
        for (at, row) in rows.iter().enumerate().take(PREAMBLE_ROWS) {
            let named = row.iter().filter(|cell| cell.chars().any(char::is_alphabetic)).count();
            // Without a row behind it, nothing says where a header ends.
            let ends = whole || at + 1 < rows.len();
            if row.len() < 2 || named * 2 < row.len() || !ends {
                continue;
            }
            let headers: Vec<String> = row.iter().map(|cell| cell.trim().to_owned()).collect();
            let skip = lines.get(at + 1).map_or(u64::MAX, |line| line - 1);
            let (width, wrapped) = (row.len(), wrap::is_wrapped(&headers));
            let layout = Layout { delimiter, mac, skip };
            let rows = Rc::clone(&rows);
            candidates.push(Candidate {
                headers,
                layout,
                rows,
                from: at + 1,
                cells: width,
                width,
                data: None,
                wrapped,
            });
        }
    }
    for candidate in &mut candidates {
        unwrap_sample(candidate);
    }
    candidates
}

/// Names of an object's members; of objects within it, with dots.
fn names(object: &Map<String, Value>, prefix: &str, depth: usize, into: &mut Vec<String>) {
    for (name, value) in object {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        if let (Value::Object(inner), true) = (value, depth < 2) {
            names(inner, &path, depth + 1, into);
        }
        if !into.contains(&path) && into.len() < 2000 {
            into.push(path);
        }
    }
}

fn of_objects(found: Vec<Map<String, Value>>) -> Vec<Candidate> {
    let mut headers = Vec::new();
    found.iter().for_each(|object| names(object, "", 0, &mut headers));
    if headers.is_empty() {
        return Vec::new();
    }
    let sample = found.iter().map(|object| {
        let cell = |name: &String| {
            super::record::member(object, name).map_or(String::new(), |value| text_of(value).into_owned())
        };
        headers.iter().map(cell).collect()
    });
    let rows: Vec<Vec<String>> = sample.collect();
    let (rows, wrapped) = (Rc::new(rows), wrap::is_wrapped(&headers));
    let layout = Layout { delimiter: b',', mac: false, skip: 0 };
    let width = headers.len();
    vec![Candidate { headers, layout, rows, from: 0, cells: width, width, data: None, wrapped }]
}

fn objects(head: &[u8], array: bool) -> Vec<Candidate> {
    let mut splitter = JsonSplitter::new(head, array);
    let (mut found, mut raw) = (Vec::new(), false);
    while let Ok(Some(chunk)) = splitter.next_chunk() {
        let texts = chunk.records.iter().filter_map(|(_, start, end)| chunk.text.get(*start as usize..*end as usize));
        found.extend(texts.take(200).filter_map(|text| match serde_json::from_str(text) {
            Ok(Value::Object(object)) => {
                raw |= object.contains_key("_airbyte_data");
                Some(wrap::unwrapped(object))
            }
            _ => None,
        }));
    }
    let mut candidates = of_objects(found);
    candidates.iter_mut().for_each(|candidate| candidate.wrapped |= raw);
    candidates
}

fn parquet(name: &str, path: &std::path::Path) -> Result<Vec<Candidate>, Error> {
    let mut parquet = ParquetInput::open(name, path)?;
    let headers = parquet.columns.clone();
    let mut sample = Vec::new();
    if let Some((_, batch)) = parquet.next_rows()? {
        let columns: Vec<_> = batch.columns().iter().map(|column| column.as_string::<i32>()).collect();
        let cell = |column: &arrow::array::StringArray, row: usize| {
            if column.is_valid(row) { column.value(row).to_owned() } else { String::new() }
        };
        let rows = 0..batch.num_rows().min(SAMPLE_ROWS);
        sample = rows.map(|row| columns.iter().map(|column| cell(column, row)).collect()).collect();
    }
    let layout = Layout { delimiter: b',', mac: false, skip: 0 };
    let (width, rows, wrapped) = (headers.len(), Rc::new(sample), wrap::is_wrapped(&headers));
    let mut candidate = Candidate { headers, layout, rows, from: 0, cells: width, width, data: None, wrapped };
    unwrap_sample(&mut candidate);
    Ok(vec![candidate])
}

/// The header of a raw table is that of the objects in it; where its data stands is kept at the end.
fn unwrap_sample(candidate: &mut Candidate) {
    let Some(at) = candidate.headers.iter().position(|header| header.eq_ignore_ascii_case("_airbyte_data")) else {
        return;
    };
    let sample = candidate.sample();
    let objects = sample.iter().take(200).filter_map(|row| serde_json::from_str(row.get(at)?).ok());
    let found: Vec<Map<String, Value>> = objects.collect();
    if let Some(inner) = of_objects(found).pop() {
        candidate.headers = inner.headers;
        (candidate.rows, candidate.from, candidate.cells) = (inner.rows, 0, inner.cells);
        candidate.data = Some(at);
    }
}

impl Peeked {
    /// The order of day and month, and the decimal sign, as the sample shows them where the command does not say.
    pub(super) fn layout_of(
        &self,
        file: &str,
        shape: &Shape,
        stated: &Stated,
    ) -> Result<(Option<DateOrder>, Option<Decimal>), Error> {
        let mut order = stated.date_order;
        for at in self.sheet.times(shape.columns) {
            let cells = || self.sample.iter().filter_map(|row| row.get(at)).map(|cell| cell.trim());
            order = match (order, time::order_of(cells())) {
                (Some(order), _) | (None, OrderSeen::Only(order)) => Some(order),
                (None, _) => None,
            };
        }
        for at in self.sheet.times(shape.columns) {
            if order.is_some() {
                break;
            }
            let cells = || self.sample.iter().filter_map(|row| row.get(at)).map(|cell| cell.trim());
            if time::order_of(cells()) == OrderSeen::Either {
                let value = cells().find(|value| time::order_of([*value]) != OrderSeen::NotNeeded).unwrap_or_default();
                let (file, column) = (file.to_owned(), self.sheet.headers[at].clone());
                let told = shape.date_order.ok_or(Error::AmbiguousDates { file, column, value: value.to_owned() });
                order = Some(told?);
            }
        }
        let places = (0..self.sheet.headers.len()).filter(|at| !self.sheet.times(shape.columns).contains(at));
        let cells = places.flat_map(|at| self.sample.iter().filter_map(move |row| row.get(at)));
        let decimal = stated.decimal.or_else(|| decimal_of(cells.map(String::as_str)));
        let by_delimiter =
            if self.format == Format::Csv && self.layout.delimiter == b';' { None } else { shape.decimal };
        Ok((order, decimal.or(by_delimiter)))
    }
}

/// The decimal sign that some amount shows and none contradicts.
fn decimal_of<'a>(cells: impl Iterator<Item = &'a str>) -> Option<Decimal> {
    let (mut point, mut comma) = (false, false);
    for cell in cells {
        let cell = cell.trim_matches(|c: char| !c.is_ascii_digit());
        if cell.is_empty() || !cell.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',') || c.is_whitespace()) {
            continue;
        }
        let (points, commas) = (cell.matches('.').count(), cell.matches(',').count());
        let Some(last) = cell.rfind(['.', ',']) else { continue };
        let decimals = cell.len() - last - 1;
        let sign = cell.as_bytes()[last];
        let sure = (points > 0 && commas > 0) || (points + commas == 1 && decimals != 3);
        point |= sure && sign == b'.';
        comma |= sure && sign == b',';
    }
    match (point, comma) {
        (true, false) => Some(Decimal::Point),
        (false, true) => Some(Decimal::Comma),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_tells_the_decimal_sign() {
        assert_eq!(decimal_of(["1,204", "172.45", "x"].into_iter()), Some(Decimal::Point));
        assert_eq!(decimal_of(["1 234,56", "45012"].into_iter()), Some(Decimal::Comma));
        assert_eq!(decimal_of(["1,204", "12"].into_iter()), None);
        assert_eq!(decimal_of(["1.5", "1,5"].into_iter()), None);
    }
}
