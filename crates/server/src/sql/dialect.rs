//! What Postgres says otherwise than the query engine, and tools rely on.
use super::{absent, names, patterns};
use datafusion::sql::sqlparser::{
    ast::{
        BinaryOperator, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, Ident,
        LimitClause, Query, SelectItem, SetExpr, Statement, TableAlias, TableAliasColumnDef, TableFactor, Value,
        VisitMut, VisitorMut,
    },
    dialect::{GenericDialect, PostgreSqlDialect},
    parser::Parser,
};
use std::ops::ControlFlow;

/// Rewrites a statement of Postgres for the query engine. Where columns share a name, it is returned with those of the others.
///
/// # Errors
/// What cannot be said there: better no answer than another one.
pub fn translate(statement: &mut Statement) -> Result<Option<Vec<String>>, String> {
    match statement.visit(&mut Translation) {
        ControlFlow::Continue(()) => Ok(names::name(statement)),
        ControlFlow::Break(problem) => Err(problem),
    }
}

struct Translation;

impl VisitorMut for Translation {
    type Break = String;

    /// `to_timestamp(text, 'YYYY-MM-DD …')`, as Superset filters time, and `to_char(time, 'YYYY-MM')`; and `ARRAY(SELECT …)`, by
    /// which psql's `\du` lists whom a role belongs to.
    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<String> {
        if let Expr::Function(function) = expression
            && ["to_timestamp", "to_char", "to_date"].contains(&called(function).as_str())
            && let Some(text) = second_text(function)
            && !text.contains('%')
        {
            match patterns::of_time(text) {
                Ok(translated) => *text = translated,
                Err(problem) => return ControlFlow::Break(problem),
            }
        }
        if let Some(list) = array_of(expression) {
            *expression = list;
        }
        if let Some(other) = otherwise_said(expression) {
            *expression = other;
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<String> {
        absent::shorten_expression(expression);
        if let Expr::Subquery(query) = expression {
            one_of_the_catalog(query);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<String> {
        absent::shorten(query);
        for limit in limits(query) {
            // A parameter: the query engine does not tell clients that it is a number.
            if matches!(limit, Expr::Value(value) if matches!(value.value, Value::Placeholder(_)))
                && let Some(number) = parsed(&format!("CAST({limit} AS BIGINT)"))
            {
                *limit = number;
            }
        }
        ControlFlow::Continue(())
    }

    /// `FROM generate_series(1, 3) AS i`: the column is called as the table.
    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<String> {
        if let TableFactor::Table { name, alias: Some(alias), args: Some(_), .. } = factor
            && let TableAlias { name: called, columns, .. } = alias
            && columns.is_empty()
            && name.to_string().eq_ignore_ascii_case("generate_series")
        {
            columns.push(TableAliasColumnDef { name: called.clone(), data_type: None });
        }
        ControlFlow::Continue(())
    }

    /// `information_schema.columns`, by whose types Grafana finds columns of time: in the words of Postgres.
    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<String> {
        if let TableFactor::Table { name, alias, args: None, .. } = factor
            && name.to_string().to_lowercase().replace('"', "").ends_with("information_schema.columns")
        {
            let alias = alias.clone().unwrap_or_else(|| TableAlias {
                explicit: true,
                name: Ident::new("columns"),
                columns: vec![],
                at: None,
            });
            match columns_of_postgres() {
                Ok(subquery) => {
                    *factor = TableFactor::Derived { lateral: false, subquery, alias: Some(alias), sample: None };
                }
                Err(problem) => return ControlFlow::Break(problem),
            }
        }
        ControlFlow::Continue(())
    }
}

/// Expressions that the query engine knows by other names.
fn otherwise_said(expression: &Expr) -> Option<Expr> {
    match expression {
        // A time that is somewhere becomes the local one there, and a local one that is there becomes a time.
        Expr::AtTimeZone { timestamp, time_zone } => parsed(&format!("timezone({time_zone}, {timestamp})")),
        // Superset's five minutes: `INTERVAL '5 minutes' * floor(…)`.
        Expr::BinaryOp { left, op: BinaryOperator::Multiply, right } if is_interval(left) => {
            parsed(&format!("interval_times({left}, {right})"))
        }
        Expr::BinaryOp { left, op: BinaryOperator::Multiply, right } if is_interval(right) => {
            parsed(&format!("interval_times({right}, {left})"))
        }
        Expr::BinaryOp { left, op: BinaryOperator::LongArrow, right } => parsed(&format!("json_text({left}, {right})")),
        Expr::BinaryOp { left, op: BinaryOperator::Arrow, right } => parsed(&format!("json_part({left}, {right})")),
        Expr::Cast { expr, data_type: DataType::JSON | DataType::JSONB, .. } => {
            parsed(&format!("CAST({expr} AS TEXT)"))
        }
        // Functions that receive and send a type are named, and 0 is none: so the ADBC driver asks.
        Expr::BinaryOp { left, op: op @ (BinaryOperator::Eq | BinaryOperator::NotEq), right }
            if ["typreceive", "typsend"].iter().any(|name| left.to_string().ends_with(name))
                && right.to_string() == "0" =>
        {
            parsed(&format!("{left} {op} '-'"))
        }
        // JDBC asks for types that a function reads.
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } if left.to_string().ends_with("typinput") => {
            let named = right.to_string();
            let named =
                named.strip_prefix("(SELECT oid FROM pg_catalog.pg_proc WHERE proname = ")?.strip_suffix(')')?;
            parsed(&format!("{left} = {}", named.replace("pg_catalog.", "")))
        }
        // The same functions as rows of the catalog: so the driver of .NET finds lists.
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } if right.to_string().ends_with("typreceive") => {
            let left = left.to_string();
            parsed(&format!("{}.proname = {right}", left.strip_suffix(".oid")?))
        }
        Expr::Cast { expr, data_type: DataType::Text, .. } => match expr.as_ref() {
            Expr::Cast { expr, data_type, .. } if data_type.to_string().ends_with("regtype") => {
                parsed(&format!("format_type({expr}, NULL)"))
            }
            _ => None,
        },
        Expr::Like { negated, expr, pattern, escape_char: Some(escape), .. } => {
            like(*negated, expr, "LIKE", pattern, &escape.value)
        }
        Expr::ILike { negated, expr, pattern, escape_char: Some(escape), .. } => {
            like(*negated, expr, "ILIKE", pattern, &escape.value)
        }
        Expr::Function(function) if called(function) == "localtimestamp" => parsed("CAST(now() AS TIMESTAMP)"),
        Expr::Function(function) => of_the_catalog(function),
        _ => None,
    }
}

fn like(negated: bool, expr: &Expr, word: &str, pattern: &Expr, escape: &Value) -> Option<Expr> {
    let Value::SingleQuotedString(escape) = escape else { return None };
    let mut letters = escape.chars();
    let (Some(letter), None) = (letters.next(), letters.next()) else { return None };
    if letter == '\\' {
        return None;
    }
    let pattern = patterns::of_like(pattern.clone(), letter, parsed)?;
    let not = if negated { "NOT " } else { "" };
    parsed(&format!("{expr} {not}{word} {pattern}"))
}

fn is_interval(expression: &Expr) -> bool {
    match expression {
        Expr::Interval(_) | Expr::Cast { data_type: DataType::Interval { .. }, .. } => true,
        Expr::Nested(inner) => is_interval(inner),
        _ => false,
    }
}

/// Functions that look something up in the catalog, as queries of it. Their tables have names that no query around them has.
fn of_the_catalog(function: &Function) -> Option<Expr> {
    let FunctionArguments::List(list) = &function.args else { return None };
    let arguments: Vec<String> = list.args.iter().map(ToString::to_string).collect();
    let query = match (called(function).as_str(), arguments.as_slice()) {
        ("to_regtype", [name]) => {
            format!("(SELECT min(\" t\".oid) FROM pg_catalog.pg_type AS \" t\" WHERE \" t\".typname = {name})")
        }
        ("to_regclass", [name]) => format!(
            "(SELECT min(\" c\".oid) FROM pg_catalog.pg_class AS \" c\" JOIN pg_catalog.pg_namespace AS \" n\" ON \" n\".oid = \" c\".relnamespace \
             WHERE replace({name}, '\"', '') IN (\" c\".relname, \" n\".nspname || '.' || \" c\".relname))"
        ),
        ("obj_description", [oid] | [oid, _]) if arguments.get(1).is_none_or(|of| of == "'pg_class'") => {
            description(oid, "0")
        }
        ("col_description", [oid, column]) => description(oid, column),
        _ => return None,
    };
    parsed(&query)
}

fn description(oid: &str, column: &str) -> String {
    format!(
        "(SELECT min(\" d\".description) FROM pg_catalog.pg_description AS \" d\" WHERE \" d\".objoid = {oid} AND \" d\".objsubid = {column})"
    )
}

/// Queries of the catalog for one value: the query engine wants to be told that there is but one.
fn one_of_the_catalog(query: &mut Query) {
    if query.order_by.is_some() || query.limit_clause.is_some() {
        return;
    }
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    let grouped = !matches!(&select.group_by, GroupByExpr::Expressions(by, _) if by.is_empty());
    let of_catalog = |factor: &TableFactor| matches!(factor, TableFactor::Table { name, args: None, .. } if name.to_string().starts_with("pg_"));
    let all_of_catalog = select
        .from
        .iter()
        .all(|from| of_catalog(&from.relation) && from.joins.iter().all(|join| of_catalog(&join.relation)));
    if grouped || select.distinct.is_some() || select.from.is_empty() || !all_of_catalog || absent::aggregates(select) {
        return;
    }
    if let [SelectItem::UnnamedExpr(item) | SelectItem::ExprWithAlias { expr: item, .. }] =
        select.projection.as_mut_slice()
        && let Some(first) = parsed(&format!("first_value({item})"))
    {
        *item = first;
    }
}

/// What a query is cut off by.
fn limits(query: &mut Query) -> Vec<&mut Expr> {
    match &mut query.limit_clause {
        Some(LimitClause::LimitOffset { limit, offset, .. }) => {
            limit.iter_mut().chain(offset.iter_mut().map(|offset| &mut offset.value)).collect()
        }
        _ => vec![],
    }
}

/// An expression of a text that was put together here.
fn parsed(text: &str) -> Option<Expr> {
    Parser::new(&PostgreSqlDialect {}).try_with_sql(text).ok()?.parse_expr().ok()
}

/// `ARRAY(SELECT x FROM …)` as a query for one list; nothing for other expressions, and where the rows have an order or an end.
fn array_of(expression: &Expr) -> Option<Expr> {
    let Expr::Function(function) = expression else { return None };
    let FunctionArguments::Subquery(query) = &function.args else { return None };
    if called(function) != "array" {
        return None;
    }
    let mut query = query.clone();
    let ordered = query.order_by.is_some() || query.limit_clause.is_some();
    let SetExpr::Select(select) = query.body.as_mut() else { return None };
    if absent::is_without_rows(select) {
        return parsed("CAST(NULL AS TEXT[])");
    }
    if ordered {
        return None;
    }
    let [SelectItem::UnnamedExpr(item) | SelectItem::ExprWithAlias { expr: item, .. }] =
        select.projection.as_mut_slice()
    else {
        return None;
    };
    *item = parsed(&format!("array_agg({item})"))?;
    Some(Expr::Subquery(query))
}

/// What stands in for `information_schema.columns`.
fn columns_of_postgres() -> Result<Box<Query>, String> {
    const COLUMNS: &str = "SELECT * REPLACE (CASE \
        WHEN data_type LIKE 'Timestamp(%UTC%' THEN 'timestamp with time zone' \
        WHEN data_type LIKE 'Timestamp%' THEN 'timestamp without time zone' \
        WHEN data_type LIKE 'Date%' THEN 'date' \
        WHEN data_type LIKE 'Decimal%' THEN 'numeric' \
        WHEN data_type LIKE 'Binary%' OR data_type LIKE 'LargeBinary%' THEN 'bytea' \
        WHEN data_type LIKE 'List%' OR data_type LIKE 'LargeList%' THEN 'ARRAY' \
        WHEN data_type = 'Boolean' THEN 'boolean' \
        WHEN data_type = 'Int16' THEN 'smallint' \
        WHEN data_type = 'Int32' THEN 'integer' \
        WHEN data_type IN ('Int64', 'UInt64') THEN 'bigint' \
        WHEN data_type = 'Float32' THEN 'real' \
        WHEN data_type = 'Float64' THEN 'double precision' \
        ELSE 'text' END AS data_type) FROM information_schema.columns";
    let parsed = Parser::parse_sql(&GenericDialect {}, COLUMNS).map_err(|problem| problem.to_string())?;
    match parsed.into_iter().next() {
        Some(Statement::Query(query)) => Ok(query),
        _ => Err("the columns of tables cannot be told".to_owned()),
    }
}

/// The name of a function, without its schema.
pub fn called(function: &Function) -> String {
    let name = function.name.to_string().to_lowercase();
    name.rsplit('.').next().unwrap_or_default().to_owned()
}

/// The second argument of a function, where it is a text.
fn second_text(function: &mut Function) -> Option<&mut String> {
    let FunctionArguments::List(list) = &mut function.args else { return None };
    let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value)))) = list.args.get_mut(1) else {
        return None;
    };
    match &mut value.value {
        Value::SingleQuotedString(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    /// A statement as the query engine is given it.
    pub fn translated(sql: &str) -> Result<String, String> {
        let mut statement = Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap().remove(0);
        translate(&mut statement).map(|_| statement.to_string())
    }

    #[test]
    fn patterns_of_time_are_translated_or_refused() {
        assert_eq!(
            translated(
                "SELECT a FROM t WHERE a >= TO_TIMESTAMP('2026-01-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US')"
            ),
            Ok("SELECT a FROM t WHERE a >= TO_TIMESTAMP('2026-01-01 00:00:00.000000', '%Y-%m-%d %H:%M:%S%.f')"
                .to_owned())
        );
        assert!(translated("SELECT to_char(a, 'YYYY \"Q\"Q') FROM t").unwrap_err().contains("`Q`"));
        let own = "SELECT to_timestamp(x, '%Y') AS a FROM t";
        assert_eq!(translated(own).as_deref(), Ok(own));
    }

    #[test]
    fn rows_are_gathered_into_a_list() {
        assert_eq!(
            translated("SELECT ARRAY(SELECT a FROM t WHERE t.b = u.b) AS l FROM u").as_deref(),
            Ok("SELECT (SELECT array_agg(a) FROM t WHERE t.b = u.b) AS l FROM u")
        );
        let ordered = "SELECT ARRAY(SELECT a FROM t ORDER BY a) AS l";
        assert_eq!(translated(ordered).as_deref(), Ok(ordered));
    }

    #[test]
    fn a_series_is_called_as_its_table() {
        let named = "SELECT i FROM generate_series(1, 3) AS i (i)";
        assert_eq!(translated("SELECT i FROM generate_series(1, 3) AS i").as_deref(), Ok(named));
    }

    #[test]
    fn what_has_another_name_is_called_by_it() {
        for (sql, wanted) in [
            ("a AT TIME ZONE 'Asia/Tehran'", "timezone('Asia/Tehran', a)"),
            ("a + INTERVAL '5 minutes' * floor(b)", "a + interval_times(INTERVAL '5 minutes', FLOOR(b))"),
            ("a NOT LIKE 'pg/_' || '%' ESCAPE '/'", "a NOT LIKE 'pg\\_%'"),
            ("a::jsonb ->> 'plan'", "json_text(CAST(a AS TEXT), 'plan')"),
            ("a -> 'b' ->> 'c'", "json_text(json_part(a, 'b'), 'c')"),
        ] {
            let (sql, wanted) = (format!("SELECT {sql} AS x FROM t"), format!("SELECT {wanted} AS x FROM t"));
            assert_eq!(translated(&sql).as_deref(), Ok(wanted.as_str()));
        }
        assert_eq!(
            translated("SELECT a FROM t LIMIT $1 OFFSET 3").as_deref(),
            Ok("SELECT a FROM t LIMIT CAST($1 AS BIGINT) OFFSET 3")
        );
    }

    #[test]
    fn columns_have_the_names_of_postgres() {
        assert_eq!(
            translated("SELECT a, count(*), sum(b), (b + 1), 'x'::text, b::int FROM t").unwrap(),
            "SELECT a, count(*) AS \"count\", sum(b) AS \"sum\", (b + 1) AS \"?column?\", 'x'::TEXT AS \"text\", b::INT AS \"b\" FROM t"
        );
        let all = "SELECT *, count(*) OVER () FROM t";
        assert_eq!(translated(all).as_deref(), Ok(all));
    }

    #[test]
    fn a_name_may_be_shared() {
        let mut statement =
            Parser::parse_sql(&PostgreSqlDialect {}, "SELECT sum(a), b, sum(b) FROM t").unwrap().remove(0);
        let names = translate(&mut statement).unwrap();
        assert_eq!(statement.to_string(), "SELECT sum(a) AS \"sum\", b, sum(b) AS \"column 3\" FROM t");
        assert_eq!(names.unwrap(), ["sum", "b", "sum"]);
    }
}
