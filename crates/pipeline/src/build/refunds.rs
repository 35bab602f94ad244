//! Refunds that were told by somebody else than who placed the order: a row of the back office that names no customer, say.
use crate::{Result, Workspace, report::strings};
use arrow::{array::AsArray, datatypes::Int64Type};
use hashbrown::HashSet;
use safar_engine::Session;
use safar_journey::{OrphanRefund, SharedRefunds};
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

/// The orders among `orphans` that somebody else placed, with all that was given back for them, and everyone concerned.
pub(super) async fn shared(
    workspace: &Workspace,
    session: &Session,
    orphans: &[OrphanRefund],
) -> Result<(SharedRefunds, HashSet<i64>)> {
    let orders: Vec<&str> = orphans.iter().filter_map(|orphan| orphan.order_id.as_deref()).collect();
    let (mut people, found) = buyers(session, &orders).await?;
    let of_others = |orphan: &&OrphanRefund| orphan.order_id.as_ref().is_some_and(|order| found.contains(order));
    people.extend(orphans.iter().filter(of_others).map(|orphan| orphan.person_id));
    let mut orders: Vec<&str> = found.iter().map(String::as_str).collect();
    orders.sort_unstable();
    Ok((amounts(workspace, session, &orders).await?.into_iter().collect(), people))
}
