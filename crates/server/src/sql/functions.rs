//! Functions of Postgres that tools call and the query engine does not have.
use super::{
    json, times,
    variables::{is_utc, other_zone},
};
use datafusion::{
    arrow::{
        array::{Array, AsArray, StringArray},
        compute::cast,
        datatypes::{DataType, Int64Type},
    },
    common::{DataFusionError, Result, ScalarValue},
    logical_expr::{ColumnarValue, ScalarUDF, Signature, SimpleScalarUDF, TypeSignature, Volatility, create_udf},
    prelude::SessionContext,
};
use std::sync::Arc;

/// What `current_setting` and `SHOW` know.
pub const SETTINGS: &[(&str, &str)] = &[
    ("application_name", ""),
    ("bytea_output", "hex"),
    ("client_encoding", "UTF8"),
    ("client_min_messages", "notice"),
    ("datestyle", "ISO, YMD"),
    ("default_table_access_method", "heap"),
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_read_only", "on"),
    ("extra_float_digits", "1"),
    ("integer_datetimes", "on"),
    ("intervalstyle", "postgres"),
    ("is_superuser", "off"),
    ("jit", "off"),
    ("max_identifier_length", "63"),
    ("max_index_keys", "32"),
    ("search_path", "data"),
    ("server_encoding", "UTF8"),
    ("server_version", "16.6"),
    ("server_version_num", "160006"),
    ("standard_conforming_strings", "on"),
    ("timezone", "UTC"),
    ("transaction_isolation", "read committed"),
    ("transaction_read_only", "on"),
];

/// Whether something is found without its schema: all that is ours is.
const VISIBLE: &[&str] = &[
    "has_column_privilege",
    "pg_collation_is_visible",
    "pg_has_role",
    "pg_statistics_obj_is_visible",
    "pg_type_is_visible",
];

/// The same of what the catalog lists as Postgres has it: functions and operators are the query engine's, so none is shown.
const HIDDEN: &[&str] = &[
    "pg_conversion_is_visible",
    "pg_function_is_visible",
    "pg_opclass_is_visible",
    "pg_operator_is_visible",
    "pg_opfamily_is_visible",
    "pg_is_other_temp_schema",
    "pg_ts_config_is_visible",
    "pg_ts_dict_is_visible",
    "pg_ts_parser_is_visible",
    "pg_ts_template_is_visible",
];

/// What there is no text of.
const UNSAID: &[&str] = &[
    "col_description",
    "obj_description",
    "pg_describe_object",
    "pg_get_function_arg_default",
    "pg_get_function_arguments",
    "pg_get_function_identity_arguments",
    "pg_get_function_result",
    "pg_get_function_sqlbody",
    "pg_get_functiondef",
    "pg_get_indexdef",
    "pg_get_ruledef",
    "pg_get_serial_sequence",
    "pg_get_triggerdef",
    "pg_get_viewdef",
    "pg_tablespace_location",
    "shobj_description",
];

/// Sizes, which are not known here.
const UNMEASURED: &[&str] = &[
    "pg_database_size",
    "pg_indexes_size",
    "pg_relation_size",
    "pg_table_size",
    "pg_tablespace_size",
    "pg_total_relation_size",
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
    constant(context, "pg_my_temp_schema", ScalarValue::from(0_i32));
    // By which asyncpg tidies up a connection: nothing is ever locked.
    constant(context, "pg_advisory_unlock_all", ScalarValue::from(""));
    let answers = [
        (VISIBLE, ScalarValue::from(true)),
        (HIDDEN, ScalarValue::from(false)),
        (UNSAID, ScalarValue::Utf8(None)),
        (UNMEASURED, ScalarValue::Int64(None)),
    ];
    for (names, value) in answers {
        for name in names {
            of_any(context, name, value.clone());
        }
    }
    let signature = Signature::any(1, Volatility::Immutable);
    let pretty = SimpleScalarUDF::new_with_signature("pg_size_pretty", signature, DataType::Utf8, Arc::new(pretty));
    context.register_udf(ScalarUDF::from(pretty));
    let signature = Signature::any(1, Volatility::Stable);
    let kind = SimpleScalarUDF::new_with_signature("pg_typeof", signature, DataType::Utf8, Arc::new(kind_of));
    context.register_udf(ScalarUDF::from(kind));
    let schemas = ScalarValue::List(ScalarValue::new_list_nullable(&[ScalarValue::from("data")], &DataType::Utf8));
    of_any(context, "current_schemas", schemas);
    times::register(context);
    json::register(context);
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

/// A number of bytes for people (<https://www.postgresql.org/docs/16/functions-admin.html#FUNCTIONS-ADMIN-DBSIZE>).
fn pretty(arguments: &[ColumnarValue]) -> Result<ColumnarValue> {
    let arrays = ColumnarValue::values_to_arrays(arguments)?;
    let Some(sizes) = arrays.first() else { return Err(DataFusionError::Plan("a size is missing".to_owned())) };
    let sizes = cast(sizes, &DataType::Int64)?;
    let texts: StringArray = sizes.as_primitive::<Int64Type>().iter().map(|size| size.map(size_text)).collect();
    Ok(ColumnarValue::Array(Arc::new(texts)))
}

fn size_text(bytes: i64) -> String {
    const UNITS: [&str; 6] = ["bytes", "kB", "MB", "GB", "TB", "PB"];
    let (mut size, mut unit) = (bytes as f64, 0);
    while size.abs() >= 10_240.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    format!("{} {}", size.round(), UNITS[unit])
}

/// The type of a value, in the words of Postgres.
fn kind_of(arguments: &[ColumnarValue]) -> Result<ColumnarValue> {
    let kind = arguments.first().map(ColumnarValue::data_type).unwrap_or(DataType::Null);
    let word = match &kind {
        DataType::Null => "unknown",
        DataType::Boolean => "boolean",
        DataType::Int8 | DataType::UInt8 | DataType::Int16 => "smallint",
        DataType::UInt16 | DataType::Int32 => "integer",
        DataType::UInt32 | DataType::Int64 | DataType::UInt64 => "bigint",
        DataType::Float16 | DataType::Float32 => "real",
        DataType::Float64 => "double precision",
        DataType::Timestamp(_, Some(_)) => "timestamp with time zone",
        DataType::Timestamp(_, None) => "timestamp without time zone",
        DataType::Date32 | DataType::Date64 => "date",
        DataType::Time32(_) | DataType::Time64(_) => "time without time zone",
        DataType::Duration(_) | DataType::Interval(_) => "interval",
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text",
        kind if kind.is_decimal() => "numeric",
        kind if kind.is_binary() => "bytea",
        kind if kind.is_list() => "anyarray",
        _ => "unknown",
    };
    Ok(ColumnarValue::Scalar(ScalarValue::from(word)))
}

/// A function of some arguments, whatever their types, that always answers the same.
fn of_any(context: &SessionContext, name: &str, value: ScalarValue) {
    let kind = value.data_type();
    let answer = move |_: &[ColumnarValue]| Ok(ColumnarValue::Scalar(value.clone()));
    let signature = Signature::variadic_any(Volatility::Stable);
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
