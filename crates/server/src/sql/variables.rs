//! What clients set for a connection: a limit of time for statements, and the zone of days.
use super::{errors::error, functions::SETTINGS};
use datafusion::{
    arrow::datatypes::{DataType, Field, Schema},
    common::ToDFSchema,
    logical_expr::{EmptyRelation, LogicalPlan},
    sql::sqlparser::ast::{Expr, Ident, Set, Statement},
};
use datafusion_postgres::{
    hooks::HookClient,
    pgwire::{
        api::{
            Type,
            results::{DataRowEncoder, FieldFormat, FieldInfo, QueryResponse, Response},
        },
        error::PgWireResult,
    },
};
use futures::stream;
use std::{sync::Arc, time::Duration};

/// A setting that means something here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// How long statements may take; no limit of the client's own where none.
    Timeout(Option<Duration>),
    /// The zone is UTC, as it always is.
    TimeZone,
}

/// Names of the one zone that days are counted in here.
const UTC: [&str; 14] = [
    "utc",
    "etc/utc",
    "gmt",
    "etc/gmt",
    "uct",
    "etc/uct",
    "universal",
    "etc/universal",
    "zulu",
    "etc/zulu",
    "z",
    "default",
    "local",
    "0",
];

/// What a statement sets; `None` for what makes no difference here.
///
/// # Errors
/// A time that is none, or a zone other than UTC: better no answer than days of another zone.
pub fn setting(set: &Set) -> PgWireResult<Option<Setting>> {
    match set {
        Set::SetTimeZone { value, .. } => zone(&text(value)).map(Some),
        Set::SingleAssignment { variable, values, .. } => {
            let value = values.first().map(text).unwrap_or_default();
            match variable.to_string().to_lowercase().as_str() {
                "timezone" => zone(&value).map(Some),
                "statement_timeout" => Ok(Some(Setting::Timeout(duration(&value)?))),
                _ => Ok(None),
            }
        }
        _ => Ok(None),
    }
}

/// Whether a name is that of UTC.
pub fn is_utc(zone: &str) -> bool {
    let zone = zone.trim().to_lowercase();
    let is_zero = || zone.chars().all(|letter| "+-:0".contains(letter)) && zone.contains('0');
    UTC.contains(&zone.as_str()) || is_zero()
}

/// What to do about another zone.
pub fn other_zone(zone: &str) -> String {
    format!(
        "the time zone of connections is UTC, not {zone}; name the zone in the query: date_trunc('day', occurred_at AT TIME ZONE '{zone}')"
    )
}

fn zone(name: &str) -> PgWireResult<Setting> {
    if is_utc(name) { Ok(Setting::TimeZone) } else { Err(error("0A000", other_zone(name))) }
}

fn text(value: &Expr) -> String {
    value.to_string().trim_matches(['\'', '"']).to_owned()
}

/// A time of Postgres: milliseconds, or with a unit; 0 is no limit.
fn duration(text: &str) -> PgWireResult<Option<Duration>> {
    let text = text.trim();
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let factor = match text[digits..].trim() {
        "" | "ms" => Some(1),
        "s" => Some(1_000),
        "min" => Some(60_000),
        "h" => Some(3_600_000),
        "d" => Some(86_400_000),
        _ if text.eq_ignore_ascii_case("default") => return Ok(None),
        _ => None,
    };
    let number: Option<u32> = text[..digits].parse().ok();
    match number.zip(factor).map(|(number, factor): (u32, u64)| u64::from(number) * factor) {
        Some(0) => Ok(None),
        Some(millis) => Ok(Some(Duration::from_millis(millis))),
        None => Err(error(
            "22023",
            format!("`{text}` is no value of statement_timeout; write milliseconds, or a unit such as '30s' or '5min'"),
        )),
    }
}

/// Whether a `RESET` gives statements their time back.
pub fn resets_timeout(statement: &Statement) -> bool {
    let what = statement.to_string().to_lowercase();
    what.ends_with(" all") || what.ends_with("statement_timeout")
}

/// What a `SHOW` names, as Postgres calls it.
fn name(variable: &[Ident]) -> String {
    let words: Vec<String> = variable.iter().map(|word| word.value.to_lowercase()).collect();
    match words.join("_").as_str() {
        "time_zone" => "timezone".to_owned(),
        "transaction_isolation_level" => "transaction_isolation".to_owned(),
        name => name.to_owned(),
    }
}

/// The column of a `SHOW`; none of the one that the library answers.
pub fn shown_as(variable: &[Ident]) -> Option<LogicalPlan> {
    let name = name(variable);
    if name == KEPT_ELSEWHERE {
        return None;
    }
    let column = Schema::new(vec![Field::new(name, DataType::Utf8, false)]);
    let schema = column.to_dfschema_ref().ok()?;
    Some(LogicalPlan::EmptyRelation(EmptyRelation { produce_one_row: false, schema }))
}

/// The one setting that the library keeps.
const KEPT_ELSEWHERE: &str = "statement_timeout";

/// The answer to a `SHOW`: what the client has set, where that is kept, and what is so otherwise.
pub fn show(variable: &[Ident], client: &dyn HookClient) -> Option<PgWireResult<Response>> {
    let name = name(variable);
    if name == KEPT_ELSEWHERE {
        return None;
    }
    let usual = SETTINGS.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    let Some(usual) = usual else {
        return Some(Err(error("42704", format!("unrecognized configuration parameter \"{name}\""))));
    };
    let set = SET_BY_CLIENTS.contains(&name.as_str()).then(|| client.metadata().get(&name).cloned()).flatten();
    Some(one_text(name, &set.unwrap_or(usual)))
}

/// Settings that are kept as clients want them.
const SET_BY_CLIENTS: [&str; 5] =
    ["application_name", "bytea_output", "datestyle", "extra_float_digits", "intervalstyle"];

fn one_text(name: String, value: &str) -> PgWireResult<Response> {
    let field = FieldInfo::new(name, None, None, Type::TEXT, FieldFormat::Text);
    let fields = Arc::new(vec![field]);
    let mut row = DataRowEncoder::new(Arc::clone(&fields));
    row.encode_field(&value)?;
    let row = row.take_row();
    Ok(Response::Query(QueryResponse::new(fields, stream::iter([Ok(row)]))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::sql::sqlparser::{dialect::PostgreSqlDialect, parser::Parser};

    fn of(text: &str) -> Result<Option<Setting>, String> {
        let parsed = Parser::parse_sql(&PostgreSqlDialect {}, text).unwrap().remove(0);
        let Statement::Set(set) = parsed else { panic!("{text} sets nothing") };
        setting(&set).map_err(|problem| problem.to_string())
    }

    #[test]
    fn times_are_those_of_postgres() {
        for (text, millis) in
            [("1500", 1500), ("'250ms'", 250), ("'30s'", 30_000), ("'5 min'", 300_000), ("'2h'", 7_200_000)]
        {
            let wanted = Some(Setting::Timeout(Some(Duration::from_millis(millis))));
            assert_eq!(of(&format!("SET statement_timeout = {text}")), Ok(wanted), "{text}");
            assert_eq!(of(&format!("SET statement_timeout TO {text}")), Ok(wanted), "{text}");
        }
        assert_eq!(of("SET statement_timeout = 0"), Ok(Some(Setting::Timeout(None))));
        assert_eq!(of("SET statement_timeout = DEFAULT"), Ok(Some(Setting::Timeout(None))));
        for text in ["'soon'", "'5 weeks'", "-1", "99999999999"] {
            assert!(of(&format!("SET statement_timeout = {text}")).unwrap_err().contains("is no value"), "{text}");
        }
    }

    #[test]
    fn other_zones_are_refused_by_name() {
        for text in
            ["SET TIME ZONE 'UTC'", "SET timezone = 'Etc/UTC'", "SET TIME ZONE '+00:00'", "SET TimeZone TO 'gmt'"]
        {
            assert_eq!(of(text), Ok(Some(Setting::TimeZone)), "{text}");
        }
        for text in
            ["SET TIME ZONE 'Asia/Tehran'", "SET timezone = 'Asia/Tehran'", "SET SESSION TIMEZONE TO 'Asia/Tehran'"]
        {
            assert!(of(text).unwrap_err().contains("AT TIME ZONE 'Asia/Tehran'"), "{text}");
        }
        assert!(of("SET TIME ZONE '+03:30'").is_err());
        assert_eq!(of("SET application_name = 'psql'"), Ok(None));
    }
}
