//! Custom `utm_*` tags among the properties of an event, so that whatever looks at properties finds them.
use arrow::{
    array::{Array, ArrayRef, AsArray, StringArray},
    compute::cast,
    datatypes::DataType,
};
use datafusion::{
    common::DataFusionError,
    logical_expr::{ColumnarValue, Expr, Volatility, create_udf},
    prelude::col,
};
use serde_json::value::RawValue;
use std::{collections::BTreeMap, sync::Arc};

/// The SQL expression of an event's properties with its custom tags among them.
pub(super) fn with_properties() -> Expr {
    let function = create_udf(
        "properties_and_tags",
        vec![DataType::Utf8; 2],
        DataType::Utf8,
        Volatility::Immutable,
        Arc::new(|arguments: &[ColumnarValue]| {
            let columns = ColumnarValue::values_to_arrays(arguments)?;
            Ok(ColumnarValue::Array(joined(&columns[0], &columns[1])?))
        }),
    );
    function.call(["properties", "utm_custom"].map(col).to_vec())
}

fn joined(properties: &ArrayRef, tags: &ArrayRef) -> Result<ArrayRef, DataFusionError> {
    let properties = cast(properties, &DataType::Utf8)?;
    if tags.null_count() == tags.len() {
        return Ok(properties);
    }
    let tags = cast(tags, &DataType::Utf8)?;
    let texts = properties.as_string::<i32>().iter().zip(tags.as_string::<i32>());
    let joined = texts.map(|texts| match texts {
        (Some(properties), Some(tags)) => Some(join(properties, tags).unwrap_or_else(|| properties.to_owned())),
        (one, other) => one.or(other).map(str::to_owned),
    });
    Ok(Arc::new(joined.collect::<StringArray>()))
}

/// Both objects in one; a property of a tag's name stays what it is. `None` where one of them is no object.
fn join(properties: &str, tags: &str) -> Option<String> {
    // Values stay as they are spelled.
    let object = |text: &str| serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(text).ok();
    let mut all = object(tags)?;
    all.extend(object(properties)?);
    serde_json::to_string(&all).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_stand_beside_properties_and_replace_none() {
        let column = |texts: [Option<&str>; 5]| Arc::new(StringArray::from(texts.to_vec())) as ArrayRef;
        let properties = column([None, Some(r#"{"plan":1.50}"#), Some(r#"{"utm_id":7}"#), Some("[1]"), None]);
        let tags = column([Some(r#"{"utm_id":"9"}"#); 5]);
        let texts = |joined: ArrayRef| -> Vec<String> {
            joined.as_string::<i32>().iter().map(|text| text.unwrap_or("-").to_owned()).collect()
        };
        let found = texts(joined(&properties, &tags).unwrap());
        let own = r#"{"utm_id":"9"}"#;
        assert_eq!(found, [own, r#"{"plan":1.50,"utm_id":"9"}"#, r#"{"utm_id":7}"#, "[1]", own]);
        let none = column([None; 5]);
        assert_eq!(texts(joined(&properties, &none).unwrap())[1..3], [r#"{"plan":1.50}"#, r#"{"utm_id":7}"#]);
    }
}
