//! What a file holds, in the words of the Delta log (`numRecords`, `minValues`, `maxValues`, `nullCount`) and in ours.
//!
//! Protocol: <https://github.com/delta-io/delta/blob/master/PROTOCOL.md#per-file-statistics>. Instants are written
//! with all six digits, so that what we read back is exact; files of other writers have three, which is rounded.
use jiff::Timestamp;
use parquet::{
    basic::{LogicalType, TimeUnit, Type},
    file::{metadata::ParquetMetaData, statistics::Statistics},
};
use safar_model::Table;
use serde_json::{Map, Value, json};

/// Least and greatest value of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) min: i64,
    pub(crate) max: i64,
    /// Whether both occur, rather than being bounds.
    pub(crate) exact: bool,
}

/// What is known of a file without opening it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileStats {
    pub(crate) rows: Option<u64>,
    pub(crate) key: Option<Span>,
    pub(crate) time: Option<Span>,
}

/// The statistics of a written file as the Delta log spells them: whole numbers, dates and instants.
pub(crate) fn to_json(metadata: &ParquetMetaData) -> String {
    let (mut min, mut max, mut nulls) = (Map::new(), Map::new(), Map::new());
    for (index, column) in metadata.file_metadata().schema_descr().columns().iter().enumerate() {
        let [name] = column.path().parts() else { continue };
        let chunks = || metadata.row_groups().iter().map(move |group| group.column(index).statistics());
        let null_count = chunks().map(|chunk| chunk.and_then(Statistics::null_count_opt)).sum::<Option<u64>>();
        if let Some(count) = null_count {
            nulls.insert(name.clone(), count.into());
        }
        let spell: fn(i64) -> Option<Value> = match (column.physical_type(), column.logical_type_ref()) {
            (Type::INT64, Some(LogicalType::Timestamp(kind))) if matches!(kind.unit, TimeUnit::MICROS) => spell_time,
            (Type::INT64, None) | (Type::INT32, None) => |value| Some(value.into()),
            (Type::INT32, Some(LogicalType::Date)) => spell_date,
            _ => continue,
        };
        // A chunk of nulls only has no bounds and bounds nothing.
        let bounds = chunks().flatten().filter_map(bounds);
        let Some((least, greatest)) = bounds.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else { continue };
        if let (Some(least), Some(greatest)) = (spell(least), spell(greatest)) {
            min.insert(name.clone(), least);
            max.insert(name.clone(), greatest);
        }
    }
    let rows = metadata.file_metadata().num_rows();
    json!({ "numRecords": rows, "minValues": min, "maxValues": max, "nullCount": nulls }).to_string()
}

fn bounds(chunk: &Statistics) -> Option<(i64, i64)> {
    match chunk {
        Statistics::Int64(values) => Some((*values.min_opt()?, *values.max_opt()?)),
        Statistics::Int32(values) => Some(((*values.min_opt()?).into(), (*values.max_opt()?).into())),
        _ => None,
    }
}

fn spell_time(micros: i64) -> Option<Value> {
    let instant = Timestamp::from_microsecond(micros).ok()?;
    Some(format!("{instant:.6}").into())
}

fn spell_date(days: i64) -> Option<Value> {
    let instant = Timestamp::from_second(days.checked_mul(86_400)?).ok()?;
    Some(instant.strftime("%Y-%m-%d").to_string().into())
}

/// Reads statistics back for the sort columns of `table`.
pub(crate) fn from_json(text: &str, table: Table) -> FileStats {
    let Ok(stats) = serde_json::from_str::<Value>(text) else { return FileStats::default() };
    let bound = |side: &str, name: &str| stats.get(side).and_then(|values| values.get(name)).cloned();
    let (key, time) = match table.sort_columns() {
        [key, time, ..] => (*key, *time),
        _ => ("", ""),
    };
    let whole = |side| bound(side, key).and_then(|value| value.as_i64());
    let instant = |side| bound(side, time).and_then(|value| read_time(value.as_str()?));
    FileStats {
        rows: stats.get("numRecords").and_then(Value::as_u64),
        key: whole("minValues").zip(whole("maxValues")).map(|(min, max)| Span { min, max, exact: true }),
        time: instant("minValues").zip(instant("maxValues")).map(|((min, low), (max, high))| {
            // Other writers cut instants to milliseconds: the greatest may lie within the next.
            Span { min, max: if high { max } else { max.saturating_add(999) }, exact: low && high }
        }),
    }
}

/// Micros of an RFC 3339 instant, and whether it was written to the microsecond.
fn read_time(text: &str) -> Option<(i64, bool)> {
    let instant: Timestamp = text.parse().ok()?;
    let digits = text.rsplit_once('.').map_or(0, |(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).count());
    Some((instant.as_microsecond(), digits >= 6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_survive_to_the_microsecond_and_foreign_ones_are_widened() {
        for micros in [0, 1, -1, 1_700_000_000_123_456, -62_135_596_800_000_000, 253_402_200_000_000_001] {
            let text = spell_time(micros).unwrap();
            assert_eq!(read_time(text.as_str().unwrap()), Some((micros, true)), "{text}");
        }
        let foreign = r#"{"numRecords":2,"minValues":{"key":1,"occurred_at":"2024-01-01T00:00:00.001Z"},
            "maxValues":{"key":9,"occurred_at":"2024-01-01T00:00:00.002Z"}}"#;
        let stats = from_json(foreign, Table::Events);
        assert_eq!(stats.key, Some(Span { min: 1, max: 9, exact: true }));
        let time = stats.time.unwrap();
        assert_eq!((time.max - time.min, time.exact), (1_999, false));
        assert_eq!(from_json("no json", Table::Events), FileStats::default());
    }

    #[test]
    fn dates_are_days() {
        assert_eq!(spell_date(19_723), Some("2024-01-01".into()));
        assert_eq!(spell_date(-1), Some("1969-12-31".into()));
    }
}
