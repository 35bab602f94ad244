//! What tables look up in other tables of the same import: names of campaigns, currencies of accounts, people of deals.
use super::{
    Shape,
    column::{maybe, need},
    reading::{Fault, Reading},
    record::Record,
};
use crate::import::reason;
use safar_model::Micros;
use std::collections::HashMap;

/// Campaign id → name, account.
pub(super) const CAMPAIGN: &str = "campaign";
/// Ad id → campaign id.
pub(super) const AD: &str = "ad";
/// Account id → currency.
pub(super) const ACCOUNT: &str = "account";

/// More entries than this are taken for a mistake: the small side of a join is kept in memory.
const ENTRIES_MAX: usize = 20_000_000;

/// By table and id: when it was last changed, and its texts.
#[derive(Default)]
pub(crate) struct Lookups {
    texts: HashMap<(&'static str, String), (Micros, Vec<String>)>,
    amounts: HashMap<(&'static str, String), f64>,
}

impl Lookups {
    pub(super) fn get(&self, table: &'static str, id: &str) -> &[String] {
        if id.is_empty() {
            return &[];
        }
        self.texts.get(&(table, id.to_owned())).map_or(&[], |(_, texts)| texts)
    }

    fn room(&self) -> Result<(), Fault> {
        if self.texts.len() < ENTRIES_MAX { Ok(()) } else { Err(Fault::Row(reason::TOO_MANY_ROWS)) }
    }

    /// Keeps the newest texts of an id.
    pub(super) fn put(&mut self, table: &'static str, id: &str, at: Micros, texts: Vec<String>) -> Result<(), Fault> {
        self.room()?;
        let known = self.texts.entry((table, id.to_owned())).or_insert_with(|| (Micros::MIN, Vec::new()));
        if at >= known.0 {
            *known = (at, texts);
        }
        Ok(())
    }

    /// Adds a text to those of an id, once.
    pub(super) fn add(&mut self, table: &'static str, id: &str, text: String) -> Result<(), Fault> {
        self.room()?;
        let known = self.texts.entry((table, id.to_owned())).or_default();
        if !known.1.contains(&text) {
            known.1.push(text);
        }
        Ok(())
    }
}

impl Lookups {
    /// Adds a part to the amount of an id; the same part counts once.
    pub(super) fn add_amount(&mut self, table: &'static str, id: &str, part: &str, amount: f64) -> Result<(), Fault> {
        let parts = self.get(table, id).len();
        self.add(table, id, part.to_owned())?;
        if self.get(table, id).len() > parts {
            *self.amounts.entry((table, id.to_owned())).or_default() += amount;
        }
        Ok(())
    }

    pub(super) fn amount(&self, table: &'static str, id: &str) -> f64 {
        self.amounts.get(&(table, id.to_owned())).copied().unwrap_or(0.0)
    }
}

const CHANGED: &[&str] = &["updated_at", "updated_time", "last_modified_time", "modified_time", "_fivetran_synced"];

/// Takes a row into a table that is looked up, the newest version of each id.
pub(super) fn keep(
    reading: &mut Reading<'_>,
    row: &Record<'_>,
    table: &'static str,
    keys: &[&'static str],
) -> Result<(), Fault> {
    let id = row.get("id");
    if id.is_empty() {
        return Err(Fault::of("id", reason::NO_ID));
    }
    let at = reading.time(row, "changed_at")?.unwrap_or(0);
    let texts = keys.iter().map(|key| row.get(key).into_owned()).collect();
    reading.lookups.put(table, &id, at, texts)
}

pub(super) static CAMPAIGNS: Shape = Shape {
    name: "campaign-names",
    title: "names of campaigns, for the costs beside them",
    columns: &[
        need("id", &["id"]),
        need("name", &["name"]),
        need("account", &["account_id", "customer_id"]),
        maybe("changed_at", CHANGED),
    ],
    marks: &["advertising_channel_type", "campaign_group_id", "updated_time", "last_modified_time", "modified_time"],
    never: &["campaign_id", "ad_set_id", "ad_group_id", "amount", "email", "stage_name"],
    turn: 0,
    row: |reading, row| keep(reading, row, CAMPAIGN, &["name", "account"]),
    ..Shape::PLAIN
};

pub(super) static NAMED_CAMPAIGNS: Shape = Shape {
    name: "campaign-history",
    title: "names of campaigns, for the costs beside them",
    columns: &[
        need("id", &["campaign_id"]),
        need("name", &["campaign_name"]),
        need("account", &["advertiser_id", "account_id"]),
        maybe("changed_at", CHANGED),
    ],
    never: &["spend", "cost", "clicks", "impressions", "ad_id", "adgroup_id", "ad_set_id", "email"],
    turn: 0,
    row: |reading, row| keep(reading, row, CAMPAIGN, &["name", "account"]),
    ..Shape::PLAIN
};

pub(super) static ADS: Shape = Shape {
    name: "ad-campaigns",
    title: "campaigns of advertisements, for the costs beside them",
    columns: &[need("id", &["ad_id", "id"]), need("campaign", &["campaign_id"]), maybe("changed_at", CHANGED)],
    marks: &["ad_set_id", "adgroup_id", "creative_id"],
    never: &["spend", "cost", "clicks", "impressions"],
    turn: 0,
    row: |reading, row| keep(reading, row, AD, &["campaign"]),
    ..Shape::PLAIN
};

pub(super) static ACCOUNTS: Shape = Shape {
    name: "ad-accounts",
    title: "currencies of accounts, for the costs beside them",
    columns: &[need("id", &["id"]), need("currency", &["currency_code", "currency"]), maybe("changed_at", CHANGED)],
    marks: &["descriptive_name", "time_zone", "timezone", "version_tag", "last_modified_time"],
    never: &[
        "timestamp",
        "event",
        "event_name",
        "value",
        "order_id",
        "total_price",
        "amount",
        "spend",
        "customer_email",
        "orders_count",
    ],
    turn: 0,
    row: |reading, row| keep(reading, row, ACCOUNT, &["currency"]),
    ..Shape::PLAIN
};
