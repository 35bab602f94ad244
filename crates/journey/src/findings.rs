//! What deserves attention after a build.
use std::collections::BTreeMap;

/// What a build noticed; counted, never dropped in silence.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// Events left out because their order already counted (the browser and the server told of it, say).
    pub duplicate_orders: u64,
    /// Those of them that named another value; the first event's value stands.
    pub differing_duplicates: u64,
    /// Events left out because somebody else told of their order first, without an identifier in common.
    pub orders_of_others: u64,
    /// Events left out because they told of a refund again.
    pub refunds_again: u64,
    /// Orders of which more was given back than they were worth.
    pub refunds_above_value: u64,
    /// Conversions worth less than nothing.
    pub negative_conversions: u64,
    /// Conversions by currency, for currencies other than the workspace's. Their values are kept as they are: there are no
    /// exchange rates.
    pub other_currencies: BTreeMap<String, u64>,
    /// Refunds whose order is unknown among the person's own events, in the order of people and time.
    pub orphan_refunds: Vec<OrphanRefund>,
}

impl Findings {
    /// Adds what another builder noticed.
    pub fn merge(&mut self, other: Self) {
        self.duplicate_orders += other.duplicate_orders;
        self.differing_duplicates += other.differing_duplicates;
        self.orders_of_others += other.orders_of_others;
        self.refunds_again += other.refunds_again;
        self.refunds_above_value += other.refunds_above_value;
        self.negative_conversions += other.negative_conversions;
        for (currency, count) in other.other_currencies {
            *self.other_currencies.entry(currency).or_default() += count;
        }
        self.orphan_refunds.extend(other.orphan_refunds);
    }
}

/// A refund whose order none of the person's events placed.
///
/// If another person's conversion has the order id, rebuild with [`crate::SharedOrders`] naming it. Otherwise the amount stands as
/// a row of its own: gross 0, refunded `amount`, unattributed.
#[derive(Clone, Debug, PartialEq)]
pub struct OrphanRefund {
    /// Whose event it was.
    pub person_id: i64,
    /// Microseconds since 1970, UTC.
    pub occurred_at: i64,
    /// Which event.
    pub event_id: String,
    /// The order it names, if any.
    pub order_id: Option<String>,
    /// What was given back; 0 where the event names no value (then no row is made).
    pub amount: f64,
}
