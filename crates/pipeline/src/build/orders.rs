//! Orders and refunds that several people told of: one of them counts.
use super::{
    BuildNote,
    journeys::{input, sorted},
    people::People,
};
use crate::{Result, Workspace};
use datafusion::prelude::col;
use futures::TryStreamExt;
use safar_engine::Session;
use safar_identity::{Normalised, normalise};
use safar_journey::{FoundOrders, OrderReader, SharedOrders, TELLERS_MOST};
use safar_model::Table;
use std::sync::Arc;

/// Looks at every event with an order, so that what is found depends on events, people and goals alone; `before` is what the last
/// build found.
pub(crate) async fn shared(
    workspace: &Workspace,
    session: &Session,
    people: &Arc<People>,
    before: &SharedOrders,
) -> Result<FoundOrders> {
    let settings = workspace.settings();
    let is_told = col("order_id").is_not_null().and(col("bot").is_not_true());
    let events = super::journeys::read_if(session.table(Table::Events).await?.filter(is_told)?);
    let events = events.select(input(people))?;
    // Beyond the order, as journeys are read: whoever turns out to be one person, the same event counts.
    let order = ["order_id", "occurred_at", "received_at", "origin_row", "event_id"];
    let mut stream = sorted(session, events, &order).await?;
    let mut reader = OrderReader::new(&settings.journey_rules(), before)?;
    while let Some(batch) = stream.try_next().await? {
        // What programs write where they know nothing names no order.
        let is_order = |order: &str| matches!(normalise("order", order, &settings.identity), Normalised::Id(_));
        reader.push(&batch, is_order)?;
    }
    Ok(reader.finish())
}

/// What was found.
pub(super) fn notes(found: &FoundOrders) -> Vec<BuildNote> {
    let several = (found.several > 0).then(|| BuildNote::OrdersOfSeveral { orders: found.several });
    let crowded = match &found.crowded {
        (values @ 1.., Some(example)) => {
            Some(BuildNote::Crowded { values: *values, most: TELLERS_MOST as u64, example: example.clone() })
        }
        _ => None,
    };
    several.into_iter().chain(crowded).collect()
}
