//! Ready paths: `path;total_conversions;total_conversion_value;total_null`, as other tools write them.
use super::{
    error::Error,
    field::plain,
    number::{self, Decimal},
    plan::Plan,
    reject::{Reject, read},
    split::Splitter,
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
use std::{collections::BTreeMap, path::Path, sync::Arc};

const PATH: &[&str] = &["path", "paths"];
const CONVERSIONS: &[&str] = &["totalconversions", "conversions", "conv"];
const VALUE: &[&str] = &["totalconversionvalue", "conversionvalue", "value"];
const NULLS: &[&str] = &["totalnull", "totalnulls", "null", "nulls"];

fn find(columns: &[String], names: &[&str]) -> Option<usize> {
    columns.iter().position(|column| names.contains(&plain(column).as_str()))
}

/// Whether the columns are those of ready paths.
pub(crate) fn is_ready(columns: &[String]) -> bool {
    find(columns, PATH).is_some() && find(columns, CONVERSIONS).is_some()
}

/// The goal that a file's paths are stored under: its name without endings.
pub(crate) fn goal_of(plan: &Plan) -> String {
    let name = plan
        .input
        .path
        .as_deref()
        .and_then(Path::file_name)
        .map_or_else(|| "paths".into(), |name| name.to_string_lossy().into_owned());
    name.split('.').find(|part| !part.is_empty()).unwrap_or("paths").to_owned()
}

/// The paths of one file, rows with one path added up, and what could not be read.
#[derive(Default)]
pub(crate) struct ReadyFile {
    /// Path → conversions, value, people without a conversion.
    pub paths: BTreeMap<String, [f64; 3]>,
    pub rejects: Vec<Reject>,
    pub rows: u64,
    pub digest: u128,
}

/// Reads a file of ready paths.
pub(crate) fn read_file(plan: &Plan) -> Result<ReadyFile, Error> {
    let names: Vec<String> = plan.columns.iter().map(|column| column.column.clone()).collect();
    let path = find(&names, PATH).unwrap_or_default();
    let weights = [CONVERSIONS, VALUE, NULLS].map(|known| find(&names, known));
    let opened = plan.open()?;
    let meter = Arc::clone(&opened.meter);
    let mut splitter = Splitter::new(opened.into_reader(), plan.layout, names.len());
    let mut file = ReadyFile::default();
    loop {
        let chunk = match splitter.next_chunk() {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break,
            Err(error) => {
                return Err(Error::Truncated {
                    file: plan.input.name.clone(),
                    rows: file.rows,
                    why: error.to_string(),
                });
            }
        };
        for ((line, start, end), cells) in chunk.records.iter().zip(chunk.cells.chunks_exact(names.len())) {
            file.rows += 1;
            let cell =
                |at: usize| chunk.text.get(cells[at].0 as usize..cells[at].1 as usize).unwrap_or_default().trim();
            let mut sums = [0.0; 3];
            let mut wrong = cell(path).is_empty().then_some((path, "no path"));
            for (sum, at) in sums.iter_mut().zip(weights).filter_map(|(sum, at)| Some((sum, at?))) {
                match weight(cell(at), plan.stated.decimal) {
                    Ok(number) => *sum = number,
                    Err(reason) => wrong = wrong.or(Some((at, reason))),
                }
            }
            match wrong {
                Some((at, reason)) => file.rejects.push(Reject {
                    line: *line,
                    column: Some(names[at].clone()),
                    value: Some(cell(at).to_owned()),
                    reason: reason.into(),
                    raw: chunk.text.get(*start as usize..*end as usize).map(str::to_owned),
                }),
                None => {
                    let text = cell(path)
                        .split('>')
                        .map(str::trim)
                        .filter(|step| !step.is_empty())
                        .collect::<Vec<_>>()
                        .join(" > ");
                    let known = file.paths.entry(text).or_default();
                    known.iter_mut().zip(sums).for_each(|(known, sum)| *known += sum);
                }
            }
        }
        for broken in chunk.broken {
            file.rows += 1;
            let value = broken.found.map(|found| format!("{found} instead of {}", names.len()));
            file.rejects.push(Reject {
                line: broken.line,
                column: None,
                value,
                reason: broken.reason.into(),
                raw: Some(broken.raw),
            });
        }
    }
    file.rejects.sort_by_key(|reject| reject.line);
    file.digest = meter.digest();
    Ok(file)
}

fn weight(text: &str, decimal: Option<Decimal>) -> Result<f64, &'static str> {
    if text.is_empty() {
        return Ok(0.0);
    }
    // Totals of totals may be beyond what one order is worth.
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => number::read(text, decimal).map_err(number::NumberError::reason),
    }
}

/// Rows of `paths` for one goal.
fn rows(goal: &str, paths: &BTreeMap<String, [f64; 3]>, now: Micros) -> Result<RecordBatch, Error> {
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
        let steps: Vec<&str> = path.split(" > ").collect();
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
    goals: &BTreeMap<String, BTreeMap<String, [f64; 3]>>,
    stored: &[DataFile],
    now: Micros,
) -> Result<Option<RecordBatch>, Error> {
    let schema = Table::Paths.schema();
    let inner = Arc::new(Schema::new(schema.fields()[..schema.fields().len() - 1].to_vec()));
    let names: Vec<&str> = inner.fields().iter().map(|field| field.name().as_str()).collect();
    let mut kept = Vec::new();
    let mut known: BTreeMap<String, BTreeMap<String, [f64; 3]>> = BTreeMap::new();
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
