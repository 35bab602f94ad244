//! The names of columns, as Postgres gives them.
use super::dialect::called;
use datafusion::{
    common::{Result, TableReference},
    logical_expr::{Expr as Planned, LogicalPlan, LogicalPlanBuilder},
    sql::sqlparser::ast::{CastKind, Expr, Ident, Query, Select, SelectItem, SetExpr, Statement},
};

/// What Postgres calls a column that it has no name for.
const UNNAMED: &str = "?column?";

/// Names columns without a name. The query engine wants different names, Postgres does not: where columns share one, these are the
/// names that [`restore`] gives back.
pub fn name(statement: &mut Statement) -> Option<Vec<String>> {
    let Statement::Query(query) = statement else { return None };
    let select = first_select(query)?;
    let names = select.projection.iter().map(column_name).collect::<Option<Vec<String>>>()?;
    let mut shared = false;
    for (at, (item, name)) in select.projection.iter_mut().zip(&names).enumerate() {
        let (expr, named) = match item {
            SelectItem::UnnamedExpr(expr) => {
                let named = matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
                (expr, named)
            }
            SelectItem::ExprWithAlias { expr, .. } => (expr, true),
            _ => continue,
        };
        let taken = names[..at].contains(name);
        shared |= taken;
        if taken || !named {
            let alias = if taken { format!("column {}", at + 1) } else { name.clone() };
            *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias: Ident::with_quote('"', alias) };
        }
    }
    shared.then_some(names)
}

/// The query that names the columns of a union.
fn first_select(query: &mut Query) -> Option<&mut Select> {
    let mut body = query.body.as_mut();
    loop {
        body = match body {
            SetExpr::Select(select) => return Some(select),
            SetExpr::SetOperation { left, .. } => left,
            SetExpr::Query(query) => query.body.as_mut(),
            _ => return None,
        };
    }
}

/// Gives columns the names that several of them share: to the query engine, each is of a table of its own.
///
/// # Errors
/// Those of the query engine.
pub fn restore(plan: LogicalPlan, names: &[String]) -> Result<LogicalPlan> {
    let columns = plan.schema().columns();
    let columns = columns.into_iter().zip(names).enumerate().map(|(at, (column, name))| {
        Planned::Column(column).alias_qualified(Some(TableReference::bare(at.to_string())), name.clone())
    });
    let columns: Vec<Planned> = columns.collect();
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}

/// What Postgres calls a column; none for `*`, which is many.
pub fn column_name(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::UnnamedExpr(expression) => Some(expression_name(expression)),
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
        _ => None,
    }
}

fn expression_name(expression: &Expr) -> String {
    match expression {
        Expr::Identifier(name) => name.value.clone(),
        Expr::CompoundIdentifier(names) => names.last().map_or_else(String::new, |name| name.value.clone()),
        Expr::Function(function) => called(function),
        Expr::Nested(inner) => expression_name(inner),
        Expr::Cast { expr, data_type, kind: CastKind::Cast | CastKind::DoubleColon, .. } => match expression_name(expr)
        {
            name if name == UNNAMED => data_type.to_string().to_lowercase(),
            name => name,
        },
        Expr::Case { .. } => "case".to_owned(),
        Expr::Extract { .. } => "extract".to_owned(),
        Expr::Floor { .. } => "floor".to_owned(),
        Expr::Ceil { .. } => "ceil".to_owned(),
        Expr::Substring { .. } => "substring".to_owned(),
        Expr::Exists { .. } => "exists".to_owned(),
        Expr::AtTimeZone { .. } => "timezone".to_owned(),
        _ => UNNAMED.to_owned(),
    }
}
