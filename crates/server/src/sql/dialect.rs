//! What Postgres says otherwise than the query engine, and tools rely on.
use datafusion::sql::sqlparser::{
    ast::{
        CastKind, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Query, SelectItem, SetExpr,
        Statement, TableAlias, TableAliasColumnDef, TableFactor, Value, VisitMut, VisitorMut,
    },
    dialect::GenericDialect,
    parser::Parser,
};
use std::ops::ControlFlow;

/// Rewrites a statement of Postgres for the query engine.
///
/// # Errors
/// What cannot be said there: better no answer than another one.
pub fn translate(statement: &mut Statement) -> Result<(), String> {
    match statement.visit(&mut Translation) {
        ControlFlow::Continue(()) => {}
        ControlFlow::Break(problem) => return Err(problem),
    }
    if let Statement::Query(query) = statement
        && let SetExpr::Select(select) = query.body.as_mut()
    {
        name_columns(&mut select.projection);
    }
    Ok(())
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
            match pattern(text) {
                Ok(translated) => *text = translated,
                Err(problem) => return ControlFlow::Break(problem),
            }
        }
        if let Some(query) = array_of(expression) {
            *expression = Expr::Subquery(query);
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

/// `ARRAY(SELECT x FROM …)` as a query for one list; nothing for other expressions, and where the rows have an order or an end.
fn array_of(expression: &Expr) -> Option<Box<Query>> {
    let Expr::Function(function) = expression else { return None };
    let FunctionArguments::Subquery(query) = &function.args else { return None };
    if called(function) != "array" || query.order_by.is_some() || query.limit_clause.is_some() {
        return None;
    }
    let mut query = query.clone();
    let SetExpr::Select(select) = query.body.as_mut() else { return None };
    let [SelectItem::UnnamedExpr(item) | SelectItem::ExprWithAlias { expr: item, .. }] =
        select.projection.as_mut_slice()
    else {
        return None;
    };
    let gathered =
        Parser::new(&GenericDialect {}).try_with_sql(&format!("array_agg({item})")).ok()?.parse_expr().ok()?;
    *item = gathered;
    Some(query)
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
fn called(function: &Function) -> String {
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

/// A pattern of Postgres' `to_char` and `to_timestamp` as the query engine spells it. Longer parts stand before shorter ones.
fn pattern(text: &str) -> Result<String, String> {
    const PARTS: [(&str, &str); 24] = [
        ("FMMonth", "%B"),
        ("FMDay", "%A"),
        ("FMMM", "%-m"),
        ("FMDD", "%-d"),
        ("IYYY", "%G"),
        ("YYYY", "%Y"),
        ("HH24", "%H"),
        ("HH12", "%I"),
        ("DDD", "%j"),
        ("Mon", "%b"),
        (".US", "%.f"),
        (".MS", "%.3f"),
        ("YY", "%y"),
        ("MM", "%m"),
        ("DD", "%d"),
        ("Dy", "%a"),
        ("IW", "%V"),
        ("ID", "%u"),
        ("HH", "%I"),
        ("MI", "%M"),
        ("SS", "%S"),
        ("AM", "%p"),
        ("PM", "%p"),
        ("OF", "%:::z"),
    ];
    let (mut out, mut rest, mut quoted) = (String::new(), text, false);
    while let Some(letter) = rest.chars().next() {
        if letter == '"' {
            quoted = !quoted;
            rest = &rest[1..];
        } else if let Some((from, to)) = PARTS.iter().find(|(from, _)| !quoted && rest.starts_with(from)) {
            out.push_str(to);
            rest = &rest[from.len()..];
        } else if letter.is_ascii_alphabetic() && !quoted {
            return Err(format!(
                "the pattern '{text}' holds `{rest}`, which is not known here; use parts such as YYYY, MM, DD, HH24, MI, SS, Mon, FMMonth, Dy, FMDay, IYYY, IW, and put other letters in double quotes"
            ));
        } else {
            out.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    Ok(out)
}

/// Columns without a name get the one that Postgres gives them, where no other column has it.
fn name_columns(projection: &mut [SelectItem]) {
    let name = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(name.value.clone()),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(names)) => names.last().map(|name| name.value.clone()),
        SelectItem::UnnamedExpr(expression) => Some(postgres_name(expression)),
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
        _ => None,
    };
    let Some(names) = projection.iter().map(name).collect::<Option<Vec<String>>>() else { return };
    for (item, name) in projection.iter_mut().zip(&names) {
        if let SelectItem::UnnamedExpr(expression) = item
            && !matches!(expression, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
            && names.iter().filter(|other| *other == name).count() == 1
        {
            *item = SelectItem::ExprWithAlias { expr: expression.clone(), alias: Ident::with_quote('"', name) };
        }
    }
}

fn postgres_name(expression: &Expr) -> String {
    match expression {
        Expr::Identifier(name) => name.value.clone(),
        Expr::CompoundIdentifier(names) => names.last().map_or_else(String::new, |name| name.value.clone()),
        Expr::Function(function) => called(function),
        Expr::Nested(inner) => postgres_name(inner),
        Expr::Cast { expr, data_type, kind: CastKind::Cast | CastKind::DoubleColon, .. } => match postgres_name(expr) {
            name if name == UNNAMED => data_type.to_string().to_lowercase(),
            name => name,
        },
        Expr::Case { .. } => "case".to_owned(),
        Expr::Extract { .. } => "extract".to_owned(),
        Expr::Floor { .. } => "floor".to_owned(),
        Expr::Ceil { .. } => "ceil".to_owned(),
        Expr::Substring { .. } => "substring".to_owned(),
        Expr::Exists { .. } => "exists".to_owned(),
        _ => UNNAMED.to_owned(),
    }
}

/// What Postgres calls a column that it has no name for.
const UNNAMED: &str = "?column?";

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::sql::sqlparser::{dialect::PostgreSqlDialect, parser::Parser};

    fn translated(sql: &str) -> Result<String, String> {
        let mut statement = Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap().remove(0);
        translate(&mut statement).map(|()| statement.to_string())
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
        assert_eq!(pattern("FMMonth \"of\" YYYY").as_deref(), Ok("%B of %Y"));
        assert_eq!(pattern("IYYY-IW").as_deref(), Ok("%G-%V"));
        assert!(pattern("Q").is_err() && pattern("Month").is_err(), "a quarter and a padded month cannot be said");
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
    fn columns_have_the_names_of_postgres_where_these_are_free() {
        assert_eq!(
            translated("SELECT a, count(*), sum(b), (b + 1), 'x'::text, b::int FROM t").unwrap(),
            "SELECT a, count(*) AS \"count\", sum(b) AS \"sum\", (b + 1) AS \"?column?\", 'x'::TEXT AS \"text\", b::INT AS \"b\" FROM t"
        );
        for same in ["SELECT sum(a), sum(b) FROM t", "SELECT *, count(*) OVER () FROM t"] {
            assert_eq!(translated(same).as_deref(), Ok(same));
        }
    }
}
