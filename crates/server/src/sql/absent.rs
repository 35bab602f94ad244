//! What Postgres' catalog could hold and a workspace never does: keys, indexes, triggers, sequences and the like. Tools ask for them with
//! functions and lists that the query engine does not have; since nothing can come of it, the answer is known without them.
use super::names::column_name;
use datafusion::sql::sqlparser::{
    ast::{
        BinaryOperator, Expr, GroupByExpr, Ident, JoinOperator, ObjectName, Query, Select, SelectItem, SetExpr,
        TableFactor, TableWithJoins, Value, Visit, Visitor,
    },
    tokenizer::Span,
};
use std::{collections::BTreeMap, ops::ControlFlow};

/// Tables without a row, in the schemas of the catalog.
const TABLES: &[&str] = &[
    "check_constraints",
    "constraint_column_usage",
    "constraint_table_usage",
    "domain_constraints",
    "key_column_usage",
    "pg_attrdef",
    "pg_collation",
    "pg_constraint",
    "pg_cursors",
    "pg_db_role_setting",
    "pg_default_acl",
    "pg_enum",
    "pg_event_trigger",
    "pg_foreign_data_wrapper",
    "pg_foreign_server",
    "pg_foreign_table",
    "pg_index",
    "pg_indexes",
    "pg_inherits",
    "pg_largeobject",
    "pg_largeobject_metadata",
    "pg_matviews",
    "pg_partitioned_table",
    "pg_policies",
    "pg_policy",
    "pg_prepared_statements",
    "pg_publication",
    "pg_publication_namespace",
    "pg_publication_rel",
    "pg_publication_tables",
    "pg_rewrite",
    "pg_rules",
    "pg_seclabel",
    "pg_sequence",
    "pg_sequences",
    "pg_shseclabel",
    "pg_statistic_ext",
    "pg_statistic_ext_data",
    "pg_subscription",
    "pg_subscription_rel",
    "pg_trigger",
    "pg_user_mapping",
    "pg_user_mappings",
    "referential_constraints",
    "sequences",
    "table_constraints",
    "triggered_update_columns",
    "triggers",
];

/// Functions that make one row of many or of none.
const AGGREGATES: &[&str] = &[
    "any_value",
    "array_agg",
    "avg",
    "bit_and",
    "bit_or",
    "bool_and",
    "bool_or",
    "count",
    "every",
    "json_agg",
    "json_object_agg",
    "jsonb_agg",
    "max",
    "min",
    "string_agg",
    "sum",
    "xmlagg",
];

/// Puts no rows in the place of a query that can have none, after its parts were looked at.
pub fn shorten(query: &mut Query) {
    let with_order = matches!(query.body.as_ref(), SetExpr::Select(_));
    if shorten_body(&mut query.body) && with_order {
        query.order_by = None;
        query.limit_clause = None;
    }
}

fn shorten_body(body: &mut SetExpr) -> bool {
    match body {
        SetExpr::Select(select) => shorten_select(select),
        SetExpr::SetOperation { left, right, .. } => {
            shorten_body(left);
            shorten_body(right);
            false
        }
        _ => false,
    }
}

fn shorten_select(select: &mut Select) -> bool {
    if is_none(select) || !is_without_rows(select) || makes_one_row(select) {
        return false;
    }
    let columns = select.projection.iter().map(column_name).collect::<Option<Vec<String>>>();
    let Some(names) = columns else { return false };
    let mut parameters = Parameters::default();
    let _: ControlFlow<()> = select.visit(&mut parameters);
    let null = |name: String| SelectItem::ExprWithAlias { expr: null(), alias: Ident::with_quote('"', name) };
    select.projection = names.into_iter().map(null).collect();
    select.from = vec![];
    select.selection = Some(parameters.0.into_values().fold(value(Value::Boolean(false)), |left, parameter| {
        let right = Box::new(Expr::IsNull(Box::new(parameter)));
        Expr::BinaryOp { left: Box::new(left), op: BinaryOperator::And, right }
    }));
    select.group_by = GroupByExpr::Expressions(vec![], vec![]);
    select.having = None;
    select.distinct = None;
    true
}

/// The parameters of a query, with the types that it casts them to. Clients give as many as they were told of, so that none may go.
#[derive(Default)]
struct Parameters(BTreeMap<String, Expr>);

impl Visitor for Parameters {
    type Break = ();

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        let inner = match expression {
            Expr::Cast { expr, .. } => expr,
            other => other,
        };
        if let Expr::Value(value) = inner
            && let Value::Placeholder(name) = &value.value
        {
            self.0.entry(name.clone()).or_insert_with(|| expression.clone());
        }
        ControlFlow::Continue(())
    }
}

/// What stands for a query for one value, or for a test of rows, where there are none and it has no parameters.
pub fn shorten_expression(expression: &mut Expr) {
    let answer = match expression {
        Expr::Subquery(query) if says_false(query) => null(),
        Expr::Exists { subquery, negated } if says_false(subquery) => value(Value::Boolean(*negated)),
        Expr::InSubquery { subquery, negated, .. } if says_false(subquery) => value(Value::Boolean(*negated)),
        _ => return,
    };
    *expression = answer;
}

fn has_none(query: &Query) -> bool {
    matches!(query.body.as_ref(), SetExpr::Select(select) if is_none(select))
}

/// The same of one without parameters.
fn says_false(query: &Query) -> bool {
    let is_value = |select: &Select| matches!(select.selection, Some(Expr::Value(_)));
    matches!(query.body.as_ref(), SetExpr::Select(select) if is_none(select) && is_value(select))
}

/// A query that [`shorten`] made.
fn is_none(select: &Select) -> bool {
    select.from.is_empty() && select.selection.as_ref().is_some_and(begins_with_false)
}

fn begins_with_false(expression: &Expr) -> bool {
    match expression {
        Expr::Value(value) => value.value == Value::Boolean(false),
        Expr::BinaryOp { left, op: BinaryOperator::And, .. } => begins_with_false(left),
        _ => false,
    }
}

/// Whether what a query is of has no rows.
pub fn is_without_rows(select: &Select) -> bool {
    select.from.iter().any(without_rows)
}

fn without_rows(from: &TableWithJoins) -> bool {
    let begun = factor_without_rows(&from.relation);
    from.joins.iter().fold(begun, |left, join| {
        let right = factor_without_rows(&join.relation);
        match join.join_operator {
            JoinOperator::Join(_) | JoinOperator::Inner(_) | JoinOperator::CrossJoin(_) => left || right,
            JoinOperator::Right(_)
            | JoinOperator::RightOuter(_)
            | JoinOperator::RightSemi(_)
            | JoinOperator::RightAnti(_) => right,
            JoinOperator::FullOuter(_) => left && right,
            _ => left,
        }
    })
}

fn factor_without_rows(factor: &TableFactor) -> bool {
    match factor {
        TableFactor::Table { name, args: None, .. } => is_absent(name),
        // psql's \d+ of the options of a table.
        TableFactor::Table { name, args: Some(arguments), .. } => {
            let of = arguments.args.iter().map(ToString::to_string).collect::<String>();
            name.to_string().ends_with("unnest") && of.ends_with("reloptions")
        }
        TableFactor::Derived { subquery, .. } => has_none(subquery),
        TableFactor::NestedJoin { table_with_joins, .. } => without_rows(table_with_joins),
        _ => false,
    }
}

/// Whether a name is that of a table without rows.
fn is_absent(name: &ObjectName) -> bool {
    let parts: Vec<String> = name.0.iter().map(|part| part.to_string().replace('"', "").to_lowercase()).collect();
    match parts.as_slice() {
        [table] => table.starts_with("pg_") && TABLES.contains(&table.as_str()),
        [.., schema, table] => {
            ["pg_catalog", "information_schema"].contains(&schema.as_str()) && TABLES.contains(&table.as_str())
        }
        [] => false,
    }
}

/// Whether a query without groups counts or sums: then it has a row even of no rows.
fn makes_one_row(select: &Select) -> bool {
    let groups = match &select.group_by {
        GroupByExpr::All(_) => true,
        GroupByExpr::Expressions(by, _) => !by.is_empty(),
    };
    !groups && (select.having.is_some() || aggregates(select))
}

/// Whether a query counts or sums.
pub fn aggregates(select: &Select) -> bool {
    select.projection.visit(&mut Aggregates::default()).is_break()
}

/// Looks for them outside of the queries within.
#[derive(Default)]
struct Aggregates {
    depth: usize,
}

impl Visitor for Aggregates {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        match expression {
            Expr::Function(function)
                if self.depth == 0 && AGGREGATES.contains(&super::dialect::called(function).as_str()) =>
            {
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

fn null() -> Expr {
    value(Value::Null)
}

fn value(value: Value) -> Expr {
    Expr::Value(value.with_span(Span::empty()))
}

#[cfg(test)]
mod tests {
    use crate::sql::dialect::tests::translated;

    #[test]
    fn what_cannot_have_rows_is_not_computed() {
        for (sql, wanted) in [
            // SQLAlchemy and JDBC take apart the lists of columns of an index.
            (
                "SELECT c.relname, unnest(i.indkey) AS attnum FROM pg_catalog.pg_class c JOIN pg_catalog.pg_index i ON c.oid = i.indrelid ORDER BY c.oid",
                "SELECT NULL AS \"relname\", NULL AS \"attnum\" WHERE false",
            ),
            (
                "SELECT r.x FROM (SELECT (information_schema._pg_expandarray(i.indkey)).n AS x FROM pg_index i) r, pg_class",
                "SELECT NULL AS \"x\" WHERE false",
            ),
            (
                "SELECT (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = a.attrelid) AS d FROM pg_attribute AS a",
                "SELECT NULL AS d FROM pg_attribute AS a",
            ),
            (
                "SELECT oid FROM pg_class WHERE NOT EXISTS (SELECT 1 FROM pg_trigger) AND oid IN (SELECT a FROM pg_enum)",
                "SELECT oid FROM pg_class WHERE true AND false",
            ),
            // Parameters stay, or the others would be taken for them.
            (
                "SELECT a.x, (SELECT b FROM pg_enum WHERE c = $1::VARCHAR) AS b FROM a WHERE x = $2",
                "SELECT a.x, (SELECT NULL AS \"b\" WHERE false AND $1::VARCHAR IS NULL) AS b FROM a WHERE x = $2",
            ),
        ] {
            assert_eq!(translated(sql).as_deref(), Ok(wanted), "{sql}");
        }
    }

    #[test]
    fn what_may_have_rows_stays() {
        for sql in [
            "SELECT count(*) AS \"count\" FROM pg_index",
            "SELECT c.relname FROM pg_class AS c LEFT JOIN pg_index AS i ON i.indrelid = c.oid",
            "SELECT * FROM pg_index",
            "SELECT a FROM triggers",
            "SELECT a FROM data.pg_index",
        ] {
            assert_eq!(translated(sql).as_deref(), Ok(sql));
        }
    }
}
