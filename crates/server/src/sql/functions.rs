//! Functions of Postgres that tools call and the query engine does not have.
use super::variables::{is_utc, other_zone};
use datafusion::{
    arrow::{
        array::{Array, AsArray, StringArray},
        compute::cast,
        datatypes::DataType,
    },
    common::{DataFusionError, Result, ScalarValue},
    logical_expr::{ColumnarValue, ScalarUDF, Signature, SimpleScalarUDF, TypeSignature, Volatility, create_udf},
    prelude::SessionContext,
};
use std::sync::Arc;

/// What `current_setting` knows.
const SETTINGS: &[(&str, &str)] = &[
    ("client_encoding", "UTF8"),
    ("datestyle", "ISO, YMD"),
    ("default_transaction_read_only", "on"),
    ("integer_datetimes", "on"),
    ("is_superuser", "off"),
    ("max_identifier_length", "63"),
    ("max_index_keys", "32"),
    ("search_path", "data"),
    ("server_encoding", "UTF8"),
    ("server_version", "16.6"),
    ("server_version_num", "160006"),
    ("standard_conforming_strings", "on"),
    ("timezone", "UTC"),
    ("transaction_read_only", "on"),
];

/// Makes them known to a connection.
pub fn register(context: &SessionContext) {
    let one = TypeSignature::Exact(vec![DataType::Utf8]);
    let two = TypeSignature::Exact(vec![DataType::Utf8, DataType::Boolean]);
    let signature = Signature::one_of(vec![one, two], Volatility::Stable);
    let function =
        SimpleScalarUDF::new_with_signature("current_setting", signature, DataType::Utf8, Arc::new(current_setting));
    context.register_udf(ScalarUDF::from(function));
    for (name, value) in [
        ("current_schema", "data"),
        // SQLAlchemy reads the number after the first word.
        ("version", concat!("PostgreSQL 16.6 (Safar ", env!("CARGO_PKG_VERSION"), ")")),
    ] {
        constant(context, name, ScalarValue::from(value));
    }
    constant(context, "pg_is_in_recovery", ScalarValue::from(false));
    // psql's \df: the catalog lists Postgres' functions, which are not the query engine's, so that none is shown.
    of_any(context, "pg_function_is_visible", ScalarValue::from(false));
    for name in ["pg_get_function_result", "pg_get_function_arguments", "pg_get_function_identity_arguments"] {
        of_any(context, name, ScalarValue::Utf8(None));
    }
    // Settings of a connection are not kept: the answer is what a client expects to have set.
    let texts = vec![DataType::Utf8, DataType::Utf8, DataType::Boolean];
    let second = |arguments: &[ColumnarValue]| match arguments {
        [ColumnarValue::Scalar(name), ColumnarValue::Scalar(value), ..]
            if text(name).eq_ignore_ascii_case("timezone") && !is_utc(text(value)) =>
        {
            Err(DataFusionError::Plan(other_zone(text(value))))
        }
        [_, value, ..] => Ok(value.clone()),
        _ => Err(DataFusionError::Plan("set_config needs a value".to_owned())),
    };
    context.register_udf(create_udf("set_config", texts, DataType::Utf8, Volatility::Volatile, Arc::new(second)));
}

/// A function of one argument, whatever its type, that always answers the same.
fn of_any(context: &SessionContext, name: &str, value: ScalarValue) {
    let kind = value.data_type();
    let answer = move |_: &[ColumnarValue]| Ok(ColumnarValue::Scalar(value.clone()));
    let signature = Signature::any(1, Volatility::Stable);
    let function = SimpleScalarUDF::new_with_signature(name, signature, kind, Arc::new(answer));
    context.register_udf(ScalarUDF::from(function));
}

fn text(value: &ScalarValue) -> &str {
    value.try_as_str().flatten().unwrap_or_default()
}

/// A function without arguments that always answers the same.
fn constant(context: &SessionContext, name: &str, value: ScalarValue) {
    let kind = value.data_type();
    let answer = move |_: &[ColumnarValue]| Ok(ColumnarValue::Scalar(value.clone()));
    context.register_udf(create_udf(name, vec![], kind, Volatility::Stable, Arc::new(answer)));
}

/// The value of a setting; for one that is not known, null where the second argument allows it.
fn current_setting(arguments: &[ColumnarValue]) -> Result<ColumnarValue> {
    let arrays = ColumnarValue::values_to_arrays(arguments)?;
    let Some(names) = arrays.first() else {
        return Err(DataFusionError::Plan("current_setting needs a name".to_owned()));
    };
    let names = cast(names, &DataType::Utf8)?;
    let names = names.as_string::<i32>();
    let may_miss = |row: usize| arrays.get(1).is_some_and(|flags| flags.is_valid(row) && flags.as_boolean().value(row));
    let value = |row: usize| -> Result<Option<&str>> {
        if names.is_null(row) {
            return Ok(None);
        }
        let name = names.value(row);
        match SETTINGS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some((_, value)) => Ok(Some(value)),
            None if may_miss(row) => Ok(None),
            None => Err(DataFusionError::Plan(format!("unrecognized configuration parameter \"{name}\""))),
        }
    };
    let values = (0..names.len()).map(value).collect::<Result<StringArray>>()?;
    Ok(ColumnarValue::Array(Arc::new(values)))
}
