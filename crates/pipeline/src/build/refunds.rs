//! Refunds that were told by somebody else than who placed the order: a row of the back office that names no customer, say.
use crate::{Result, Workspace, report::strings};
use arrow::{array::AsArray, datatypes::Int64Type};
use hashbrown::HashSet;
use safar_engine::Session;
use safar_journey::SharedRefunds;
use std::collections::BTreeMap;

/// How many orders one query asks for.
const ORDERS_A_QUERY: usize = 1000;

/// Names of refund events of any goal, in lower case.
fn names(workspace: &Workspace) -> Vec<String> {
    let rules = workspace.settings().journey_rules();
    let mut names: Vec<String> =
        rules.goals.iter().flat_map(|goal| &goal.refunds).map(|name| name.to_lowercase()).collect();
    names.sort();
    names.dedup();
    names
}

fn quoted<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    texts.into_iter().map(|text| format!("'{}'", text.replace('\'', "''"))).collect::<Vec<_>>().join(", ")
}

/// What all refund events together give back for each of `orders`.
pub(super) async fn amounts(
    workspace: &Workspace,
    session: &Session,
    orders: &[&str],
) -> Result<BTreeMap<String, f64>> {
    let names = names(workspace);
    let mut amounts = BTreeMap::new();
    if names.is_empty() {
        return Ok(amounts);
    }
    for orders in orders.chunks(ORDERS_A_QUERY) {
        let sql = format!(
            "SELECT order_id, sum(abs(value)) FROM events WHERE lower(name) IN ({}) AND order_id IN ({}) AND value IS NOT NULL GROUP BY 1",
            quoted(names.iter().map(String::as_str)),
            quoted(orders.iter().copied())
        );
        for batch in session.sql(&sql).await?.collect().await? {
            let sums = batch.column(1).as_primitive::<arrow::datatypes::Float64Type>();
            for (order, sum) in strings(&batch, 0)?.into_iter().zip(sums.values()) {
                amounts.extend(order.map(|order| (order, *sum)));
            }
        }
    }
    Ok(amounts)
}

/// The people whose conversions have one of `orders`.
pub(super) async fn buyers(session: &Session, orders: &[&str]) -> Result<(HashSet<i64>, HashSet<String>)> {
    let (mut people, mut found) = (HashSet::new(), HashSet::new());
    for orders in orders.chunks(ORDERS_A_QUERY) {
        let sql = format!(
            "SELECT order_id, person_id FROM conversions WHERE gross_value <> 0 AND order_id IN ({})",
            quoted(orders.iter().copied())
        );
        for batch in session.sql(&sql).await?.collect().await? {
            found.extend(strings(&batch, 0)?.into_iter().flatten());
            people.extend(batch.column(1).as_primitive::<Int64Type>().values());
        }
    }
    Ok((people, found))
}

/// Refunds of the tables that found no order of their own person, by order; with the people who told of them.
async fn orphans(session: &Session) -> Result<BTreeMap<String, Vec<i64>>> {
    let mut orphans: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let sql = "SELECT order_id, person_id FROM conversions WHERE gross_value = 0 AND refunded_value > 0 AND order_id IS NOT NULL";
    for batch in session.sql(sql).await?.collect().await? {
        let people = batch.column(1).as_primitive::<Int64Type>();
        for (order, person) in strings(&batch, 0)?.into_iter().zip(people.values()) {
            orphans.entry(order.unwrap_or_default()).or_default().push(*person);
        }
    }
    Ok(orphans)
}

/// The refunds of orders that somebody else placed, with all that was given back for them, and everyone concerned. Asked of
/// the tables, so that an order that arrives long after its refund finds it.
pub(super) async fn shared(workspace: &Workspace, session: &Session) -> Result<(SharedRefunds, HashSet<i64>)> {
    let orphans = orphans(session).await?;
    let orders: Vec<&str> = orphans.keys().map(String::as_str).collect();
    let (mut people, found) = buyers(session, &orders).await?;
    people.extend(orphans.iter().filter(|(order, _)| found.contains(*order)).flat_map(|(_, people)| people));
    let mut orders: Vec<&str> = found.iter().map(String::as_str).collect();
    orders.sort_unstable();
    Ok((amounts(workspace, session, &orders).await?.into_iter().collect(), people))
}
