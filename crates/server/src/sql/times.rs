//! Arithmetic of time that Postgres has and the query engine does not.
use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, IntervalMonthDayNanoArray, TimestampMicrosecondArray},
        compute::cast,
        datatypes::{
            DataType, Float64Type, IntervalMonthDayNanoType, IntervalUnit, TimeUnit, TimestampMicrosecondType,
        },
    },
    common::{DataFusionError, Result},
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility},
    prelude::SessionContext,
};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use std::sync::Arc;

/// Makes the functions known to a connection.
pub fn register(context: &SessionContext) {
    context.register_udf(ScalarUDF::from(Zone(Signature::any(2, Volatility::Immutable))));
    context.register_udf(ScalarUDF::from(Times(Signature::any(2, Volatility::Immutable))));
}

/// `timezone(zone, time)`, which is `time AT TIME ZONE zone`
/// (<https://www.postgresql.org/docs/16/functions-datetime.html#FUNCTIONS-DATETIME-ZONECONVERT>): an instant becomes the local time
/// in the zone; a local time becomes the instant at which it is so late there. Where clocks go back or forward, local times are
/// those of standard time.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Zone(Signature);

fn is_local(kind: &DataType) -> bool {
    matches!(kind, DataType::Timestamp(_, None))
}

fn instants() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn locals() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, None)
}

fn plan(message: impl Into<String>) -> DataFusionError {
    DataFusionError::Plan(message.into())
}

impl ScalarUDFImpl for Zone {
    fn name(&self) -> &str {
        "timezone"
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, kinds: &[DataType]) -> Result<DataType> {
        Ok(if kinds.get(1).is_some_and(is_local) { instants() } else { locals() })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [zones, times] = arrays.as_slice() else { return Err(plan("timezone needs a zone and a time")) };
        let zones = cast(zones, &DataType::Utf8)?;
        let zones = zones.as_string::<i32>();
        let from_local = is_local(times.data_type());
        let kind = if from_local { locals() } else { instants() };
        let times = cast(times, &kind)?;
        let times = times.as_primitive::<TimestampMicrosecondType>();
        let mut known: Option<(String, TimeZone)> = None;
        let moved = |row: usize| -> Result<Option<i64>> {
            if zones.is_null(row) || times.is_null(row) {
                return Ok(None);
            }
            let name = zones.value(row);
            if known.as_ref().is_none_or(|(last, _)| last != name) {
                let zone = TimeZone::get(name).map_err(|_| plan(format!("time zone \"{name}\" not recognized")))?;
                known = Some((name.to_owned(), zone));
            }
            let Some((_, zone)) = &known else { return Ok(None) };
            convert(times.value(row), zone, from_local).map(Some).map_err(|error| plan(error.to_string()))
        };
        let moved: TimestampMicrosecondArray = (0..times.len()).map(moved).collect::<Result<_>>()?;
        let moved: ArrayRef = Arc::new(if from_local { moved.with_timezone("UTC") } else { moved });
        Ok(ColumnarValue::Array(moved))
    }
}

fn convert(micros: i64, zone: &TimeZone, from_local: bool) -> Result<i64, jiff::Error> {
    let utc = Timestamp::from_microsecond(micros)?;
    if from_local {
        let local: DateTime = TimeZone::UTC.to_datetime(utc);
        return Ok(zone.to_ambiguous_zoned(local).later()?.timestamp().as_microsecond());
    }
    Ok(zone.to_datetime(utc).to_zoned(TimeZone::UTC)?.timestamp().as_microsecond())
}

/// `interval_times(interval, number)`, which is `interval * number`
/// (<https://www.postgresql.org/docs/16/functions-datetime.html#OPERATORS-DATETIME-TABLE>): what is left of months becomes days of a
/// month of 30, what is left of days becomes time.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Times(Signature);

impl ScalarUDFImpl for Times {
    fn name(&self) -> &str {
        "interval_times"
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Interval(IntervalUnit::MonthDayNano))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [intervals, factors] = arrays.as_slice() else { return Err(plan("interval_times needs two values")) };
        let intervals = cast(intervals, &DataType::Interval(IntervalUnit::MonthDayNano))?;
        let intervals = intervals.as_primitive::<IntervalMonthDayNanoType>();
        let factors = cast(factors, &DataType::Float64)?;
        let factors = factors.as_primitive::<Float64Type>();
        let product = |(interval, factor): (Option<_>, Option<f64>)| match (interval, factor) {
            (Some(interval), Some(factor)) => times(interval, factor).map(Some),
            _ => Ok(None),
        };
        let products: IntervalMonthDayNanoArray =
            intervals.iter().zip(factors.iter()).map(product).collect::<Result<_>>()?;
        Ok(ColumnarValue::Array(Arc::new(products)))
    }
}

type Interval = datafusion::arrow::datatypes::IntervalMonthDayNano;

fn times(interval: Interval, factor: f64) -> Result<Interval> {
    const DAY: f64 = 86_400e9;
    let out_of_range = || DataFusionError::Execution("interval out of range".to_owned());
    let months = f64::from(interval.months) * factor;
    let days = f64::from(interval.days) * factor + months.fract() * 30.0;
    let nanos = interval.nanoseconds as f64 * factor + days.fract() * DAY;
    let fits = |value: f64, most: f64| value.is_finite() && value.abs() <= most;
    if !fits(months, f64::from(i32::MAX)) || !fits(days, f64::from(i32::MAX)) || !fits(nanos, 9.2e18) {
        return Err(out_of_range());
    }
    Ok(Interval::new(months.trunc() as i32, days.trunc() as i32, nanos.round() as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::util::pretty::pretty_format_batches;

    async fn one(sql: &str) -> String {
        let context = SessionContext::new();
        register(&context);
        let rows = context.sql(sql).await.unwrap().collect().await.unwrap();
        pretty_format_batches(&rows).unwrap().to_string().lines().nth(3).unwrap().trim_matches(['|', ' ']).to_owned()
    }

    /// The first two are examples of the manual of Postgres.
    #[tokio::test]
    async fn times_move_between_zones_as_in_postgres() {
        let instant = "arrow_cast('2001-02-17T01:38:40Z', 'Timestamp(Microsecond, Some(\"UTC\"))')";
        assert_eq!(one(&format!("SELECT timezone('America/Denver', {instant}) AS x")).await, "2001-02-16T18:38:40");
        assert_eq!(
            one("SELECT timezone('America/Denver', TIMESTAMP '2001-02-16 20:38:40') AS x").await,
            "2001-02-17T03:38:40Z"
        );
        // No such time, and one that is there twice.
        for (local, instant) in
            [("2026-03-08 02:30:00", "2026-03-08T07:30:00Z"), ("2026-11-01 01:30:00", "2026-11-01T06:30:00Z")]
        {
            assert_eq!(one(&format!("SELECT timezone('America/New_York', TIMESTAMP '{local}') AS x")).await, instant);
        }
    }

    #[test]
    fn intervals_are_multiplied_as_in_postgres() {
        const HOUR: i64 = 3_600_000_000_000;
        for (interval, factor, wanted) in [
            ((0, 0, HOUR), 3.5, (0, 0, 7 * HOUR / 2)),
            ((1, 0, 0), 1.5, (1, 15, 0)),
            ((0, 1, 0), 1.5, (0, 1, 12 * HOUR)),
            ((0, 1, 0), -1.0, (0, -1, 0)),
        ] {
            let interval = Interval::new(interval.0, interval.1, interval.2);
            assert_eq!(times(interval, factor).unwrap(), Interval::new(wanted.0, wanted.1, wanted.2));
        }
        assert!(times(Interval::new(i32::MAX, 0, 0), 2.0).is_err());
        assert!(times(Interval::new(1, 0, 0), f64::NAN).is_err());
    }
}
