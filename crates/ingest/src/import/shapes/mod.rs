//! Files that other tools write, each read as what it is: a small file a shape.
//!
//! A [`Shape`] says which columns it has and by which headers they go, and how a row becomes events, costs, or something that
//! other tables of the same import look up. What it is is told by its columns ([`recognise`]); [`read`] turns rows of any
//! format into records and takes off what warehouses wrap around them; [`reading`] is what a shape's code is given. Events go
//! on as lines of canonical JSON through the same import as every other file, costs to [`super::costs`].
mod call_log;
mod column;
mod cost_report;
mod event;
mod field_costs;
mod ga4_export;
mod gather;
mod google_ads;
mod hubspot;
mod klaviyo;
mod linkedin_ads;
mod lookup;
mod mailchimp;
mod meta_ads;
mod microsoft_ads;
mod orders;
mod read;
mod reading;
mod recognise;
mod record;
mod rejected;
mod salesforce;
mod search_console;
mod shopify_orders;
mod store_receipts;
mod surveys;
mod tiktok_ads;
mod woocommerce_orders;
mod wrap;

pub(crate) use event::{Spooled, place_of};
pub(crate) use gather::{ShapedFile, gather};
pub(crate) use recognise::Claim;
pub(crate) use rejected::Rejected;
pub(crate) use wrap::is_wrapped;

use super::{number::Decimal, time::DateOrder};
use column::Column;
use reading::{Fault, Reading};
use record::Record;

/// How files of one kind are read.
pub(crate) struct Shape {
    /// What `--as` calls it.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    pub columns: &'static [Column],
    /// How to get a file that has what one lacks.
    pub hint: &'static str,
    /// Headers of which at least one must be there, where the columns alone could be anybody's. Empty: none is asked for.
    pub marks: &'static [&'static str],
    /// Headers that rule the shape out.
    pub never: &'static [&'static str],
    /// Source and medium of costs; of events where nothing else says so.
    pub platform: Option<(&'static str, &'static str)>,
    /// Where tables of one import tell the same thing at several levels of detail, one is read: those of one family.
    pub family: Option<&'static str>,
    /// Tables that others look up are read before them: 0, what is looked up; 1, what looks up and is looked up; 2, all else.
    pub turn: u8,
    /// Whether times without an offset are in UTC, as connectors store them, unless the command says otherwise.
    pub utc: bool,
    /// Day and month where the file does not tell.
    pub date_order: Option<DateOrder>,
    /// The decimal sign where the file does not tell.
    pub decimal: Option<Decimal>,
    /// Whether there is anything to import from it; if not, it is known so that it is not taken for events.
    pub tells: bool,
    /// Takes one row.
    pub row: fn(&mut Reading<'_>, &Record<'_>) -> Result<(), Fault>,
    /// Takes the end of the file.
    pub end: fn(&mut Reading<'_>) -> Result<(), Fault>,
}

impl Shape {
    /// A shape of events with nothing special; the base of the others.
    const PLAIN: Self = Self {
        name: "",
        title: "",
        columns: &[],
        hint: "export it with that column",
        marks: &[],
        never: &[],
        platform: None,
        family: None,
        turn: 2,
        utc: false,
        date_order: None,
        decimal: Some(Decimal::Point),
        tells: true,
        row: |_, _| Ok(()),
        end: |_| Ok(()),
    };
}

/// Every shape. Of two that fit a file equally well, the first is taken.
pub(crate) static SHAPES: &[&Shape] = &[
    &google_ads::REPORT,
    &google_ads::TABLE,
    &meta_ads::REPORT,
    &meta_ads::TABLE,
    &microsoft_ads::REPORT,
    &microsoft_ads::TABLE,
    &tiktok_ads::REPORT,
    &tiktok_ads::TABLE,
    &linkedin_ads::REPORT,
    &linkedin_ads::TABLE,
    &field_costs::COSTS,
    &lookup::CAMPAIGNS,
    &lookup::NAMED_CAMPAIGNS,
    &lookup::ADS,
    &lookup::ACCOUNTS,
    &shopify_orders::EXPORT,
    &shopify_orders::TABLE,
    &shopify_orders::CUSTOMERS,
    &shopify_orders::REFUND_LINES,
    &shopify_orders::REFUND_ADJUSTMENTS,
    &shopify_orders::REFUNDS,
    &shopify_orders::VISITS,
    &woocommerce_orders::ORDERS,
    &ga4_export::EXPORT,
    &ga4_export::TABLE,
    &hubspot::CONTACTS,
    &hubspot::DEALS,
    &hubspot::CONTACT_TABLE,
    &hubspot::DEAL_TABLE,
    &hubspot::DEAL_CONTACTS,
    &hubspot::STAGES,
    &hubspot::ENGAGEMENT_CONTACTS,
    &hubspot::CALLS,
    &hubspot::MEETINGS,
    &hubspot::MAILS,
    &hubspot::MAIL_EVENTS,
    &hubspot::FORMS,
    &hubspot::HISTORIES,
    &salesforce::OPPORTUNITIES,
    &salesforce::CONTACT_REPORT,
    &salesforce::LEAD_REPORT,
    &salesforce::OPPORTUNITY_TABLE,
    &salesforce::CAMPAIGNS,
    &salesforce::CONTACTS,
    &salesforce::LEADS,
    &mailchimp::AUDIENCE,
    &mailchimp::REPORT,
    &mailchimp::MEMBERS,
    &mailchimp::CAMPAIGNS,
    &mailchimp::ACTIVITY,
    &klaviyo::CAMPAIGNS,
    &search_console::PERFORMANCE,
    &call_log::CALLS,
    &store_receipts::RECEIPTS,
    &surveys::RESPONSES,
    &surveys::QUALTRICS,
    &surveys::QUALTRICS_ANSWERS,
    &surveys::QUALTRICS_SURVEYS,
];

/// The consent to marketing that a shop notes with an order.
fn marketing(told: &str) -> serde_json::Value {
    match told.to_ascii_lowercase().as_str() {
        "yes" | "true" | "1" => serde_json::json!({"marketing": true}),
        "no" | "false" | "0" => serde_json::json!({"marketing": false}),
        _ => serde_json::Value::Null,
    }
}

/// A mail that somebody opened, or a link in it that somebody clicked.
struct Mail<'m> {
    name: &'m str,
    id: String,
    at: safar_model::Micros,
    email: &'m str,
    service: &'m str,
    campaign: &'m str,
}

impl Mail<'_> {
    fn tell(self, reading: &mut Reading<'_>, line: u64) -> Result<(), Fault> {
        let event = event::Event::new(self.name, self.id, self.at, line)
            .set("interaction", "email")
            .set("email", self.email)
            .set("utm_source", self.service)
            .set("utm_medium", "email")
            .set("utm_campaign", self.campaign);
        reading.tell(event)
    }
}

/// The names that `--as` takes.
pub(crate) fn names() -> String {
    SHAPES.iter().filter(|shape| shape.tells).map(|shape| shape.name).chain(["events"]).collect::<Vec<_>>().join(", ")
}
