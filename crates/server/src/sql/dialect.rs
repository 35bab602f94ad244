//! What Postgres says otherwise than the query engine, and tools rely on.
use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Statement, TableAlias, TableAliasColumnDef,
    TableFactor, Value, VisitMut, VisitorMut,
};
use std::ops::ControlFlow;

/// Rewrites a statement of Postgres for the query engine.
pub fn translate(statement: &mut Statement) {
    let _: ControlFlow<()> = statement.visit(&mut Translation);
}

struct Translation;

impl VisitorMut for Translation {
    type Break = ();

    /// `to_timestamp(text, 'YYYY-MM-DD …')`: Superset's filters of time.
    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expression
            && function.name.to_string().eq_ignore_ascii_case("to_timestamp")
            && let Some(format) = second_text(function)
            && format.contains("YYYY")
        {
            *format = pattern(format);
        }
        ControlFlow::Continue(())
    }

    /// `FROM generate_series(1, 3) AS i`: the column is called as the table.
    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, alias: Some(TableAlias { name: alias, columns, .. }), args: Some(_), .. } =
            factor
            && columns.is_empty()
            && name.to_string().eq_ignore_ascii_case("generate_series")
        {
            columns.push(TableAliasColumnDef { name: alias.clone(), data_type: None });
        }
        ControlFlow::Continue(())
    }
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

/// A pattern of Postgres' `to_timestamp` as the query engine spells it.
fn pattern(text: &str) -> String {
    const PARTS: [(&str, &str); 11] = [
        ("YYYY", "%Y"),
        ("MM", "%m"),
        ("DD", "%d"),
        ("HH24", "%H"),
        ("HH12", "%I"),
        ("MI", "%M"),
        ("SS", "%S"),
        (".US", "%.f"),
        (".MS", "%.f"),
        ("AM", "%p"),
        ("PM", "%p"),
    ];
    let (mut out, mut rest) = (String::new(), text);
    while let Some(letter) = rest.chars().next() {
        match PARTS.iter().find(|(from, _)| rest.starts_with(from)) {
            Some((from, to)) => {
                out.push_str(to);
                rest = &rest[from.len()..];
            }
            None => {
                out.push(letter);
                rest = &rest[letter.len_utf8()..];
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::sql::sqlparser::{dialect::PostgreSqlDialect, parser::Parser};

    fn translated(sql: &str) -> String {
        let mut statement = Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap().remove(0);
        translate(&mut statement);
        statement.to_string()
    }

    #[test]
    fn patterns_of_time_are_translated() {
        assert_eq!(
            translated("SELECT 1 WHERE a >= TO_TIMESTAMP('2026-01-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US')"),
            "SELECT 1 WHERE a >= TO_TIMESTAMP('2026-01-01 00:00:00.000000', '%Y-%m-%d %H:%M:%S%.f')"
        );
        assert_eq!(translated("SELECT to_timestamp(x, '%Y')"), "SELECT to_timestamp(x, '%Y')");
    }

    #[test]
    fn a_series_is_called_as_its_table() {
        assert_eq!(
            translated("SELECT i FROM generate_series(1, 3) AS i"),
            "SELECT i FROM generate_series(1, 3) AS i (i)"
        );
    }
}
