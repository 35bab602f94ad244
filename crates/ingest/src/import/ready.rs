//! Ready paths: `path`, `total_conversions`, `total_conversion_value`, `total_null`, as other tools write them, in any format.
//!
//! A row means what it means to `safar attribute --paths`: an empty path holds conversions that no touch came before; a channel
//! without a name, a count below 0 and conversions that are not told are refused.
use super::{
    currency,
    error::Error,
    field::{Field, plain},
    input::{Input, stem},
    json::JsonSplitter,
    mapping::{ColumnMapping, GOAL, Stated},
    number::{Amounts, NumberError},
    object::is_json,
    plan::Plan,
    reason,
    reject::{Reject, read},
    settings::ImportSettings,
    sniff::Format,
    split::{Broken, Chunk, Splitter},
};
use arrow::{
    array::{
        Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int32Array, Int64Array, ListBuilder, RecordBatch,
        StringArray, StringBuilder, TimestampMicrosecondArray, UInt32Array, new_null_array,
    },
    compute::{SortColumn, concat_batches, filter_record_batch, lexsort_to_indices, take_record_batch},
    datatypes::{Int64Type, Schema},
};
use safar_model::{Micros, Table, key_of, table::READY_PATHS_BUCKET};
use safar_store::DataFile;
use serde_json::Value;
use std::{borrow::Cow, collections::BTreeMap, path::Path, sync::Arc};

/// The columns: what they are called, and by which names they go, without what does not matter.
const COLUMNS: [(&str, &[&str]); 4] = [
    ("path", &["path", "paths"]),
    ("total_conversions", &["totalconversions", "conversions", "conv"]),
    ("total_conversion_value", &["totalconversionvalue", "conversionvalue", "value"]),
    ("total_null", &["totalnull", "totalnulls", "null", "nulls"]),
];
const PATH: usize = 0;
const CONVERSIONS: usize = 1;
const VALUE: usize = 2;

/// The goal of an input without a name.
const NAMELESS: &str = "paths";

/// How many rows tell how the amounts of a column are written.
const SAMPLE_ROWS: usize = 1000;

/// Paths → conversions, value, people without a conversion.
pub(crate) type Paths = BTreeMap<String, [f64; 3]>;

fn is(column: usize, name: &str) -> bool {
    COLUMNS[column].1.contains(&plain(name).as_str())
}

/// The goal that an input's paths lead to: what is stated, or the name of the file without its endings. `None`: the columns
/// are not those of ready paths.
pub(crate) fn goal_of(
    input: &Input,
    columns: &[ColumnMapping],
    stated: &Stated,
    settings: &ImportSettings,
) -> Result<Option<String>, Error> {
    let named = |column: usize| columns.iter().filter(move |known| is(column, &known.column));
    let told = |field: Field| stated.tells(columns, field);
    let are_events = told(Field::OccurredAt) && told(Field::Name);
    if are_events || named(PATH).next().is_none() || named(CONVERSIONS).next().is_none() {
        return Ok(None);
    }
    let refuse = |why: String| Err(Error::ReadyPaths { file: input.name.clone(), why });
    for (column, (name, _)) in COLUMNS.iter().enumerate() {
        let found: Vec<_> = named(column).map(|known| format!("`{}`", known.column)).collect();
        if found.len() > 1 {
            return refuse(format!("{} may both be its {name}: keep one of them", found.join(" and ")));
        }
    }
    let file = input.path.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy());
    let file = file.as_deref().map(stem).filter(|stem| !stem.is_empty());
    let goal = stated.goal.as_deref().or(file).unwrap_or(NAMELESS);
    if goal.is_empty() {
        return refuse(format!("its goal has no name: write `--set {GOAL}=NAME`"));
    }
    if settings.goals.iter().any(|known| known == goal) {
        return refuse(format!(
            "events lead to the goal `{goal}` in this workspace, and both would be mixed in its reports: name another one with \
             `--set {GOAL}=NAME`"
        ));
    }
    Ok(Some(goal.to_owned()))
}

/// The paths of one file, rows with one path added up, and what could not be read.
#[derive(Default)]
pub(crate) struct ReadyFile {
    pub paths: Paths,
    pub rejects: Vec<Reject>,
    pub rows: u64,
    pub digest: u128,
    /// How the amounts are written; known from the first rows on.
    amounts: Option<[Amounts; COLUMNS.len()]>,
}

/// A row as its format has it.
struct Row<'c> {
    line: u64,
    cells: [Option<Cell<'c>>; COLUMNS.len()],
    raw: Cow<'c, str>,
}

struct Cell<'c> {
    column: Cow<'c, str>,
    text: Cow<'c, str>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    /// A number of the format's own.
    Number,
    /// A list or an object.
    Nested,
}

/// Reads a file of ready paths.
pub(crate) fn read_file(plan: &Plan) -> Result<ReadyFile, Error> {
    let names: Vec<&str> = plan.columns.iter().map(|column| column.column.as_str()).collect();
    let places: [Option<usize>; COLUMNS.len()] =
        std::array::from_fn(|column| names.iter().position(|name| is(column, name)));
    let mut file = ReadyFile::default();
    if plan.format == Format::Parquet {
        let (mut parquet, digest) = plan.open_parquet()?;
        while let Some((first, batch)) = parquet.next_rows()? {
            let rows = (0..batch.num_rows()).map(|row| of_batch(&batch, first, row, &names, &places));
            file.take(plan, rows.collect());
        }
        file.digest = digest;
    } else {
        let opened = plan.open()?;
        let meter = Arc::clone(&opened.meter);
        let damaged = |rows: u64, error: std::io::Error| Error::Truncated {
            file: plan.input.name.clone(),
            rows,
            why: error.to_string(),
        };
        if plan.format == Format::Csv {
            let mut splitter = Splitter::new(opened.into_reader(), plan.layout, names.len());
            while let Some(chunk) = splitter.next_chunk().map_err(|error| damaged(file.rows, error))? {
                file.take(plan, of_cells(&chunk, &names, &places));
                file.refuse(chunk.broken, names.len());
            }
        } else {
            let mut splitter = JsonSplitter::new(opened.into_reader(), plan.format == Format::Json);
            while let Some(chunk) = splitter.next_chunk().map_err(|error| damaged(file.rows, error))? {
                let (rows, broken) = of_objects(&chunk);
                file.take(plan, rows);
                file.refuse(broken, 0);
                file.refuse(chunk.broken, 0);
            }
        }
        file.digest = meter.digest();
    }
    file.rejects.sort_by_key(|reject| reject.line);
    Ok(file)
}

fn of_cells<'c>(chunk: &'c Chunk, names: &[&'c str], places: &[Option<usize>; COLUMNS.len()]) -> Vec<Row<'c>> {
    let text = |start: u32, end: u32| chunk.text.get(start as usize..end as usize).unwrap_or_default();
    let rows = chunk.records.iter().zip(chunk.cells.chunks_exact(names.len()));
    rows.map(|((line, start, end), cells)| Row {
        line: *line,
        cells: places.map(|place| {
            let at = place?;
            Some(Cell { column: names[at].into(), text: text(cells[at].0, cells[at].1).into(), kind: Kind::Text })
        }),
        raw: text(*start, *end).into(),
    })
    .collect()
}

fn of_batch<'c>(
    batch: &'c RecordBatch,
    first: u64,
    row: usize,
    names: &[&'c str],
    places: &[Option<usize>; COLUMNS.len()],
) -> Row<'c> {
    let cell = |at: usize| {
        let texts = batch.column(at).as_string::<i32>();
        if texts.is_valid(row) { texts.value(row) } else { "" }
    };
    let raw: serde_json::Map<String, Value> = (0..names.len())
        .filter(|at| batch.column(*at).is_valid(row))
        .map(|at| (names[at].to_owned(), Value::from(cell(at))))
        .collect();
    Row {
        line: first + row as u64,
        cells: places.map(|place| {
            let at = place?;
            // Lists come as JSON.
            let kind = if is_json(cell(at)) { Kind::Nested } else { Kind::Text };
            Some(Cell { column: names[at].into(), text: cell(at).into(), kind })
        }),
        raw: Value::Object(raw).to_string().into(),
    }
}

/// The objects of a chunk, and what is none.
fn of_objects(chunk: &Chunk) -> (Vec<Row<'_>>, Vec<Broken>) {
    let (mut rows, mut broken) = (Vec::with_capacity(chunk.records.len()), Vec::new());
    for (line, start, end) in &chunk.records {
        let raw = chunk.text.get(*start as usize..*end as usize).unwrap_or_default().trim();
        let Ok(Value::Object(object)) = serde_json::from_str::<Value>(raw) else {
            broken.push(Broken { line: *line, reason: reason::NO_JSON, found: None, raw: raw.to_owned() });
            continue;
        };
        let mut cells: [Option<Cell<'_>>; COLUMNS.len()] = [const { None }; COLUMNS.len()];
        for (name, value) in object {
            let Some(place) = (0..COLUMNS.len()).find(|column| is(*column, &name)) else { continue };
            let (text, kind) = match value {
                Value::Null => (String::new(), Kind::Text),
                Value::String(text) => (text, Kind::Text),
                Value::Number(number) => (number.to_string(), Kind::Number),
                Value::Bool(yes) => (yes.to_string(), Kind::Text),
                nested => (nested.to_string(), Kind::Nested),
            };
            cells[place] = Some(Cell { column: name.into(), text: text.into(), kind });
        }
        rows.push(Row { line: *line, cells, raw: raw.into() });
    }
    (rows, broken)
}

impl ReadyFile {
    fn take(&mut self, plan: &Plan, rows: Vec<Row<'_>>) {
        let amounts = *self.amounts.get_or_insert_with(|| {
            std::array::from_fn(|column| {
                let cells = rows.iter().take(SAMPLE_ROWS).filter_map(|row| row.cells[column].as_ref());
                let texts = cells.filter(|cell| cell.kind == Kind::Text).map(|cell| &*cell.text);
                Amounts::of(plan.stated.decimal, texts)
            })
        });
        for row in rows {
            self.rows += 1;
            match row.read(&amounts, plan.terms.default_currency.as_deref().unwrap_or("")) {
                Ok((path, sums)) => {
                    let known = self.paths.entry(path).or_default();
                    known.iter_mut().zip(sums).for_each(|(known, sum)| *known += sum);
                }
                Err((column, reason)) => {
                    let cell = row.cells.into_iter().nth(column).flatten();
                    self.rejects.push(Reject {
                        line: row.line,
                        column: Some(
                            cell.as_ref().map_or_else(|| COLUMNS[column].0.to_owned(), |cell| cell.column.to_string()),
                        ),
                        value: Some(cell.map_or_else(String::new, |cell| cell.text.trim().to_owned())),
                        reason: reason.into(),
                        raw: Some(row.raw.into_owned()),
                    });
                }
            }
        }
    }

    fn refuse(&mut self, broken: Vec<Broken>, width: usize) {
        self.rows += broken.len() as u64;
        self.rejects.extend(broken.into_iter().map(|broken| Reject {
            line: broken.line,
            column: None,
            value: broken.found.map(|found| format!("{found} instead of {width}")),
            reason: broken.reason.into(),
            raw: Some(broken.raw),
        }));
    }
}

impl Row<'_> {
    /// The path, and what it brought; which column is wrong, and why, otherwise.
    fn read(
        &self,
        amounts: &[Amounts; COLUMNS.len()],
        currency: &str,
    ) -> Result<(String, [f64; 3]), (usize, &'static str)> {
        let cell = |column: usize| self.cells[column].as_ref();
        let nested = |column: &usize| cell(*column).is_some_and(|cell| cell.kind == Kind::Nested);
        if let Some(column) = (0..COLUMNS.len()).find(nested) {
            return Err((column, "a list or object: write channels with `>` between them, and plain numbers"));
        }
        let path = steps(cell(PATH).map_or("", |cell| &*cell.text)).map_err(|reason| (PATH, reason))?;
        let mut sums = [0.0; 3];
        for (column, sum) in (CONVERSIONS..).zip(&mut sums) {
            let wrong = |reason: &'static str| (column, reason);
            let Some(cell) = cell(column).filter(|cell| !cell.text.trim().is_empty()) else {
                if column == CONVERSIONS {
                    return Err(wrong(NumberError::NotANumber.reason()));
                }
                continue;
            };
            let amounts = if cell.kind == Kind::Number { Amounts::PROGRAMS } else { amounts[column] };
            let amount = amounts.read(cell.text.trim()).map_err(|error| wrong(error.reason()))?;
            if currency::of(amount.mark, currency, "").is_err() {
                return Err(wrong(reason::NOT_OWN_CURRENCY));
            }
            *sum = amount.value;
            if column != VALUE && *sum < 0.0 {
                return Err(wrong(reason::NEGATIVE_COUNT));
            }
        }
        Ok((path, sums))
    }
}

/// Channels with ` > ` between them.
fn steps(path: &str) -> Result<String, &'static str> {
    if path.trim_ascii().is_empty() {
        return Ok(String::new());
    }
    let steps: Vec<&str> = path.split('>').map(str::trim_ascii).collect();
    if steps.iter().any(|step| step.is_empty()) {
        return Err(reason::UNNAMED_CHANNEL);
    }
    Ok(steps.join(" > "))
}

/// Rows of `paths` for one goal.
fn rows(goal: &str, paths: &Paths, now: Micros) -> Result<RecordBatch, Error> {
    let schema = Table::Paths.schema();
    let kind = |name: &str| schema.field_with_name(name).map(|field| field.data_type().clone());
    let count = paths.len();
    let item = match kind("channels")? {
        arrow::datatypes::DataType::List(item) => item,
        other => return Err(arrow::error::ArrowError::SchemaError(format!("channels is {other}")).into()),
    };
    let mut channels = ListBuilder::new(StringBuilder::new()).with_field(item);
    let mut lengths = Vec::with_capacity(count);
    for path in paths.keys() {
        let steps: Vec<&str> = if path.is_empty() { Vec::new() } else { path.split(" > ").collect() };
        lengths.push(steps.len() as i32);
        channels.append_value(steps.into_iter().map(Some));
    }
    let weight =
        |at: usize| -> ArrayRef { Arc::new(Float64Array::from_iter_values(paths.values().map(|sums| sums[at]))) };
    let channels: ArrayRef = Arc::new(channels.finish());
    let empty = |name: &str| -> Result<ArrayRef, Error> {
        let mut lists = ListBuilder::new(arrow::array::Int64Builder::new());
        if let arrow::datatypes::DataType::List(item) = kind(name)? {
            lists = lists.with_field(item);
        }
        (0..count).for_each(|_| lists.append(true));
        Ok(Arc::new(lists.finish()))
    };
    let mut columns: Vec<ArrayRef> = Vec::new();
    for field in schema.fields() {
        columns.push(match field.name().as_str() {
            "person_id" => Arc::new(Int64Array::from_iter_values(paths.keys().map(|path| key_of("path", path)))),
            "occurred_at" => Arc::new(TimestampMicrosecondArray::from(vec![now; count]).with_timezone("UTC")),
            "goal" => Arc::new(StringArray::from(vec![goal; count])),
            "conversions" => weight(0),
            "value" => weight(1),
            "nulls" => weight(2),
            "length" => Arc::new(Int32Array::from(lengths.clone())),
            "channels" => Arc::clone(&channels),
            "touchpoint_ids" | "ages_us" => empty(field.name())?,
            "bucket" => Arc::new(Int32Array::from(vec![READY_PATHS_BUCKET; count])),
            _ => new_null_array(field.data_type(), count),
        });
    }
    Ok(RecordBatch::try_new(schema, columns)?)
}

/// All ready paths once these goals are replaced, in their order. `None`: that changes nothing.
pub(crate) fn replaced(
    goals: &BTreeMap<String, Paths>,
    stored: &[DataFile],
    now: Micros,
) -> Result<Option<RecordBatch>, Error> {
    let schema = Table::Paths.schema();
    let inner = Arc::new(Schema::new(schema.fields()[..schema.fields().len() - 1].to_vec()));
    let names: Vec<&str> = inner.fields().iter().map(|field| field.name().as_str()).collect();
    let mut kept = Vec::new();
    let mut known: BTreeMap<String, Paths> = BTreeMap::new();
    for file in stored.iter().filter(|file| file.bucket == Some(READY_PATHS_BUCKET)) {
        // A list's columns carry longer names in Parquet, so roots are asked for.
        for batch in read(&file.path, &names)? {
            let batch = batch?;
            let column = |name: &str| {
                batch
                    .column_by_name(name)
                    .map(Arc::clone)
                    .ok_or_else(|| arrow::error::ArrowError::SchemaError(name.to_owned()))
            };
            let (goal, channels) = (column("goal")?, column("channels")?);
            let (goal, channels) = (goal.as_string::<i32>(), channels.as_list::<i32>());
            let weights = [column("conversions")?, column("value")?, column("nulls")?];
            for row in (0..batch.num_rows()).filter(|row| goals.contains_key(goal.value(*row))) {
                let steps = channels.value(row);
                let path = steps.as_string::<i32>().iter().flatten().collect::<Vec<_>>().join(" > ");
                let sums =
                    [0, 1, 2].map(|at: usize| weights[at].as_primitive::<arrow::datatypes::Float64Type>().value(row));
                known.entry(goal.value(row).to_owned()).or_default().insert(path, sums);
            }
            let others: BooleanArray =
                goal.iter().map(|goal| Some(goal.is_some_and(|goal| !goals.contains_key(goal)))).collect();
            let others = filter_record_batch(&batch, &others)?;
            let mut columns = others.columns().to_vec();
            columns.push(Arc::new(Int32Array::from(vec![READY_PATHS_BUCKET; others.num_rows()])));
            kept.push(RecordBatch::try_new(Arc::clone(&schema), columns)?);
        }
    }
    if known == *goals {
        return Ok(None);
    }
    for (goal, paths) in goals {
        kept.push(rows(goal, paths, now)?);
    }
    let all = concat_batches(&schema, &kept)?;
    let sort = |name: &str| -> Result<SortColumn, Error> {
        let values = all.column(schema.index_of(name)?);
        Ok(SortColumn { values: Arc::clone(values), options: None })
    };
    let order: UInt32Array = lexsort_to_indices(&[sort("person_id")?, sort("occurred_at")?, sort("goal")?], None)?;
    debug_assert_eq!(all.column(0).as_primitive::<Int64Type>().null_count(), 0);
    Ok(Some(take_record_batch(&all, &order)?))
}
