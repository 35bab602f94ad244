//! `->` and `->>`: what a text of JSON holds, such as the properties of an event.
use datafusion::{
    arrow::{
        array::{Array, AsArray, StringArray},
        compute::cast,
        datatypes::{DataType, Int64Type},
    },
    common::{DataFusionError, Result},
    logical_expr::{ColumnarValue, ScalarUDF, Signature, SimpleScalarUDF, Volatility},
    prelude::SessionContext,
};
use serde_json::Value;
use std::sync::Arc;

/// Makes the functions known to a connection: `json_part(json, key)` and `json_text(json, key)`, whose key is the name of a field or
/// the number of an element, from 0 and, where negative, from the end.
pub fn register(context: &SessionContext) {
    for (name, as_text) in [("json_part", false), ("json_text", true)] {
        let found = move |arguments: &[ColumnarValue]| found(arguments, as_text);
        let signature = Signature::any(2, Volatility::Immutable);
        let function = SimpleScalarUDF::new_with_signature(name, signature, DataType::Utf8, Arc::new(found));
        context.register_udf(ScalarUDF::from(function));
    }
}

fn found(arguments: &[ColumnarValue], as_text: bool) -> Result<ColumnarValue> {
    let arrays = ColumnarValue::values_to_arrays(arguments)?;
    let [texts, keys] = arrays.as_slice() else {
        return Err(DataFusionError::Plan("-> needs a text of JSON and a key".to_owned()));
    };
    let texts = cast(texts, &DataType::Utf8)?;
    let texts = texts.as_string::<i32>();
    let by_number = keys.data_type().is_integer();
    let keys = cast(keys, if by_number { &DataType::Int64 } else { &DataType::Utf8 })?;
    let part = |row: usize| -> Result<Option<String>> {
        if texts.is_null(row) || keys.is_null(row) {
            return Ok(None);
        }
        let value: Value = serde_json::from_str(texts.value(row))
            .map_err(|error| DataFusionError::Execution(format!("invalid input syntax for type json: {error}")))?;
        let part = if by_number {
            element(&value, keys.as_primitive::<Int64Type>().value(row))
        } else {
            value.as_object().and_then(|fields| fields.get(keys.as_string::<i32>().value(row)))
        };
        Ok(match part {
            Some(Value::Null) if as_text => None,
            Some(Value::String(text)) if as_text => Some(text.clone()),
            part => part.map(ToString::to_string),
        })
    };
    let parts: StringArray = (0..texts.len()).map(part).collect::<Result<_>>()?;
    Ok(ColumnarValue::Array(Arc::new(parts)))
}

fn element(value: &Value, at: i64) -> Option<&Value> {
    let elements = value.as_array()?;
    let at = if at < 0 { at.checked_add(i64::try_from(elements.len()).ok()?)? } else { at };
    elements.get(usize::try_from(at).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::common::ScalarValue;

    fn of(json: &str, key: impl Into<ScalarValue>, as_text: bool) -> Option<String> {
        let arguments = [ColumnarValue::Scalar(json.into()), ColumnarValue::Scalar(key.into())];
        let ColumnarValue::Array(found) = found(&arguments, as_text).unwrap() else { panic!("no rows") };
        let found = found.as_string::<i32>();
        (!found.is_null(0)).then(|| found.value(0).to_owned())
    }

    #[test]
    fn parts_are_those_of_postgres() {
        let json = r#"{"plan": "pro", "seats": [1, {"a": 2.5}], "none": null}"#;
        assert_eq!(of(json, "plan", true).as_deref(), Some("pro"));
        assert_eq!(of(json, "plan", false).as_deref(), Some("\"pro\""));
        assert_eq!(of(json, "none", true), None);
        assert_eq!(of(json, "none", false).as_deref(), Some("null"));
        assert_eq!(of(json, "other", true), None);
        assert_eq!(of(json, 0_i64, true), None, "an object has no first field");
        let seats = of(json, "seats", false).unwrap();
        assert_eq!(of(&seats, -1_i64, true).as_deref(), Some("{\"a\":2.5}"));
        assert_eq!(of(&seats, 0_i64, true).as_deref(), Some("1"));
        assert_eq!(of(&seats, "0", true), None);
        assert!(found(&[ColumnarValue::Scalar("{".into()), ColumnarValue::Scalar("a".into())], true).is_err());
    }
}
