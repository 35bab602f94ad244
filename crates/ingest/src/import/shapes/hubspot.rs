//! HubSpot: exports of contacts and deals, and the tables of its API as connectors store them.
//!
//! Traps: dates in two orders in one column, `9002;9003` for several records, addresses in any case, contacts that were merged
//! (deals and calls of their old numbers are told of the contact that they became), what the source of a contact is by HubSpot's own model (kept
//! as a property: it is no touch). A deal belongs to its first contact; the others are a property.
//! Source: knowledge.hubspot.com (export records), developers.hubspot.com/docs/api/crm.
use super::{
    Shape,
    column::{maybe, need},
    event::Event,
    lookup,
    reading::{Fault, Reading},
    record::Record,
};
use crate::import::reason;
use safar_model::Micros;

/// Id of a contact that was merged → the one that it became.
const MERGED: &str = "hubspot merged";
/// Deal id → contact ids.
const DEAL: &str = "hubspot deal";
/// Stage id → its name, whether it is won, whether it is closed.
const STAGE: &str = "hubspot stage";
/// Engagement id → contact ids.
const ENGAGEMENT: &str = "hubspot engagement";
/// Campaign id → its name.
const MAIL: &str = "hubspot mail";

pub(super) static CONTACTS: Shape = Shape {
    name: "hubspot-contacts",
    title: "HubSpot contacts",
    hint: "export contacts with all properties as CSV",
    columns: &[
        need("id", &["Record ID", "Contact ID"]),
        need("email", &["Email"]),
        need("created_at", &["Create Date"]),
        maybe("phone", &["Phone Number", "Mobile Phone Number"]),
        maybe("stage", &["Lifecycle Stage"]),
        maybe("source", &["Original Source", "Original Traffic Source"]),
        maybe("detail", &["Original Source Drill-Down 1", "Original Traffic Source Drill-Down 1"]),
        maybe("companies", &["Associated Company IDs"]),
        maybe("merged", &["Merged record IDs", "Merged contact IDs"]),
    ],
    row: contact,
    ..Shape::PLAIN
};

/// Several values in one cell.
pub(super) fn several(text: &str) -> Vec<String> {
    text.split([';', ',']).map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect()
}

/// Who belongs to a deal or an engagement, as the contacts are numbered now.
fn people(reading: &Reading<'_>, table: &'static str, id: &str) -> Vec<String> {
    let now = |id: &String| reading.lookups.get(MERGED, id).first().unwrap_or(id).clone();
    reading.lookups.get(table, id).iter().map(now).collect()
}

fn contact(reading: &mut Reading<'_>, row: &Record<'_>) -> Result<(), Fault> {
    let (id, email) = (row.get("id"), row.get("email"));
    if id.is_empty() {
        return Err(Fault::of("id", reason::NO_ID));
    }
    let at = reading.need_time(row, "created_at")?;
    for merged in several(&row.get("merged")) {
        reading.lookups.put(MERGED, &merged, 0, vec![id.clone().into_owned()])?;
    }
    let event = Event::new("contact_created", format!("hubspot:contact:{id}"), at, row.line)
        .set("crm_id", &id)
        .set("email", &email)
        .set("phone", &row.get("phone"))
        .property("original_source", row.get("source").into_owned())
        .property("original_source_detail", row.get("detail").into_owned())
        .property("companies", several(&row.get("companies")));
    reading.tell(event)
}

/// Tells a deal: that it was made, and how it ended.
pub(super) struct Deal<'d> {
    pub system: &'static str,
    pub id: &'d str,
    pub contacts: &'d [String],
    pub created: Option<Micros>,
    /// When it ended, and whether it was won; `None`: it is open.
    pub closed: Option<(Micros, bool)>,
    pub amount: Option<f64>,
    pub currency: String,
    pub stage: String,
    pub source: String,
    pub campaign: String,
    pub account: String,
}

impl Deal<'_> {
    pub(super) fn tell(self, reading: &mut Reading<'_>, line: u64) -> Result<(), Fault> {
        let system = self.system;
        let event = |name: &str, at: Micros| {
            Event::new(name, format!("{system}:{name}:{}", self.id), at, line)
                .set("crm_id", self.contacts.first().map_or("", String::as_str))
                .property("contacts", self.contacts.get(1..).unwrap_or_default().to_vec())
                .property("account", self.account.clone())
                .property("lead_source", self.source.clone())
                .property("lead_campaign", self.campaign.clone())
        };
        if self.contacts.is_empty() {
            reading.note("some deals have no contact: they are on nobody's journey".to_owned());
        }
        if let Some(at) = self.created {
            reading.tell(event("deal_created", at).property("deal", self.id))?;
        }
        if let Some((at, won)) = self.closed {
            let event = event(if won { "deal_won" } else { "deal_lost" }, at)
                .property("stage", self.stage.clone())
                .set("order_id", if won { self.id } else { "" })
                .property("deal", self.id);
            let event = match self.amount {
                Some(amount) if won => event.value(Some(amount)).set("currency", &self.currency),
                amount => event.property("amount", amount),
            };
            reading.tell(event)?;
        }
        if self.created.is_none() && self.closed.is_none() {
            return Err(Fault::Row(reason::NO_DEAL_TIME));
        }
        Ok(())
    }
}

pub(super) static DEALS: Shape = Shape {
    name: "hubspot-deals",
    title: "HubSpot deals",
    hint: "export deals with all properties and their associations as CSV",
    columns: &[
        need("id", &["Record ID", "Deal ID"]),
        need("stage", &["Deal Stage"]),
        need("created_at", &["Create Date"]),
        maybe("closed_at", &["Close Date"]),
        maybe("amount", &["Amount", "Amount in company currency"]),
        maybe("currency", &["Currency"]),
        maybe("won", &["Is Closed Won", "Is closed won"]),
        maybe("is_closed", &["Is Deal Closed?", "Is closed"]),
        maybe("contacts", &["Associated Contact IDs"]),
        maybe("source", &["Original Source Type", "Original Traffic Source"]),
    ],
    row: |reading, row| {
        let stage = row.get("stage");
        let plain: String = stage.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        let won = row.is("won", "true") || plain.contains("closedwon");
        let lost = plain.contains("closedlost") || (row.is("is_closed", "true") && !won);
        let closed = reading.time(row, "closed_at")?.filter(|_| won || lost).map(|at| (at, won));
        let (id, contacts) = (row.get("id"), several(&row.get("contacts")));
        let deal = Deal {
            system: "hubspot",
            id: &id,
            contacts: &contacts,
            created: reading.time(row, "created_at")?,
            closed,
            amount: reading.amount(row, "amount")?,
            currency: if row.get("amount").is_empty() { String::new() } else { reading.currency(row, "amount")? },
            stage: stage.clone().into_owned(),
            source: row.get("source").into_owned(),
            campaign: String::new(),
            account: String::new(),
        };
        deal.tell(reading, row.line)
    },
    ..Shape::PLAIN
};

pub(super) static CONTACT_TABLE: Shape = Shape {
    name: "hubspot-contacts-table",
    title: "HubSpot contacts of a connector",
    columns: &[
        need("id", &["id"]),
        need("email", &["property_email", "properties_email", "properties.email"]),
        need("created_at", &["property_createdate", "properties_createdate", "properties.createdate"]),
        maybe("phone", &["property_phone", "properties_phone", "properties.phone"]),
        maybe(
            "source",
            &["property_hs_analytics_source", "properties_hs_analytics_source", "properties.hs_analytics_source"],
        ),
        maybe("merged", &["property_hs_merged_object_ids", "properties_hs_merged_object_ids"]),
    ],
    turn: 0,
    utc: true,
    row: contact,
    ..Shape::PLAIN
};

pub(super) static DEAL_TABLE: Shape = Shape {
    name: "hubspot-deals-table",
    title: "HubSpot deals of a connector",
    columns: &[
        need("id", &["deal_id", "id"]),
        need("created_at", &["property_createdate", "properties_createdate", "properties.createdate"]),
        need("amount", &["property_amount", "properties_amount", "properties.amount"]),
        maybe("closed_at", &["property_closedate", "properties_closedate", "properties.closedate"]),
        maybe("stage", &["deal_pipeline_stage_id", "properties_dealstage", "properties.dealstage"]),
        maybe("won", &["property_hs_is_closed_won", "properties_hs_is_closed_won"]),
        maybe("currency", &["property_deal_currency_code", "properties_deal_currency_code"]),
    ],
    utc: true,
    row: |reading, row| {
        let id = row.get("id");
        let stage = reading.lookups.get(STAGE, &row.get("stage")).to_vec();
        let is = |at: usize| stage.get(at).is_some_and(|told| told.eq_ignore_ascii_case("true"));
        let won = row.is("won", "true") || is(1) || row.is("stage", "closedwon");
        let lost = !won && (is(2) || row.is("stage", "closedlost"));
        let contacts = people(reading, DEAL, &id);
        let deal = Deal {
            system: "hubspot",
            id: &id,
            contacts: &contacts,
            created: reading.time(row, "created_at")?,
            closed: reading.time(row, "closed_at")?.filter(|_| won || lost).map(|at| (at, won)),
            amount: reading.amount(row, "amount")?,
            currency: if row.get("amount").is_empty() { String::new() } else { reading.currency(row, "amount")? },
            stage: stage.first().cloned().unwrap_or_else(|| row.get("stage").into_owned()),
            source: String::new(),
            campaign: String::new(),
            account: String::new(),
        };
        deal.tell(reading, row.line)
    },
    ..Shape::PLAIN
};

/// Which contacts belong to deals and engagements.
fn pair(reading: &mut Reading<'_>, row: &Record<'_>, table: &'static str) -> Result<(), Fault> {
    reading.lookups.add(table, &row.get("id"), row.get("contact").into_owned())
}

pub(super) static DEAL_CONTACTS: Shape = Shape {
    name: "hubspot-deal-contacts-table",
    title: "contacts of HubSpot deals, for the deals beside them",
    columns: &[need("id", &["deal_id"]), need("contact", &["contact_id"])],
    never: &["property_createdate"],
    turn: 0,
    row: |reading, row| pair(reading, row, DEAL),
    ..Shape::PLAIN
};

pub(super) static ENGAGEMENT_CONTACTS: Shape = Shape {
    name: "hubspot-engagement-contacts-table",
    title: "contacts of HubSpot engagements, for the calls and meetings beside them",
    columns: &[need("id", &["engagement_id"]), need("contact", &["contact_id"])],
    turn: 0,
    row: |reading, row| pair(reading, row, ENGAGEMENT),
    ..Shape::PLAIN
};

pub(super) static STAGES: Shape = Shape {
    name: "hubspot-stages-table",
    title: "stages of HubSpot deals, for the deals beside them",
    columns: &[
        need("id", &["stage_id"]),
        need("name", &["label"]),
        need("won", &["closed_won"]),
        maybe("is_closed", &["is_closed"]),
    ],
    turn: 0,
    row: |reading, row| lookup::keep(reading, row, STAGE, &["name", "won", "is_closed"]),
    ..Shape::PLAIN
};

/// Calls and meetings, each a touch of every contact who took part.
fn engagement(reading: &mut Reading<'_>, row: &Record<'_>, kind: &str) -> Result<(), Fault> {
    let id = row.get("id");
    let at = match reading.time(row, "happened_at")? {
        Some(at) => at,
        None => reading.need_time(row, "created_at")?,
    };
    let contacts = people(reading, ENGAGEMENT, &id);
    if contacts.is_empty() {
        reading.leave("calls and meetings without a contact");
    }
    for contact in contacts {
        let event = Event::new(kind, format!("hubspot:{kind}:{id}:{contact}"), at, row.line);
        reading.tell(
            event.set("interaction", kind).set("crm_id", &contact).property("subject", row.get("title").into_owned()),
        )?;
    }
    Ok(())
}

pub(super) static CALLS: Shape = Shape {
    name: "hubspot-calls-table",
    title: "HubSpot calls of a connector",
    columns: &[
        need("id", &["engagement_id"]),
        maybe("happened_at", &["property_hs_timestamp"]),
        need("created_at", &["property_hs_createdate"]),
        need("type", &["type"]),
        maybe("title", &["property_hs_call_title", "property_hs_meeting_title"]),
    ],
    utc: true,
    row: |reading, row| match row.get("type").to_ascii_uppercase().as_str() {
        "CALL" => engagement(reading, row, "call"),
        "MEETING" => engagement(reading, row, "meeting"),
        _ => {
            reading.leave("engagements that are neither calls nor meetings");
            Ok(())
        }
    },
    ..Shape::PLAIN
};

/// As connectors stored meetings before HubSpot gave all engagements the same columns.
pub(super) static MEETINGS: Shape = Shape {
    name: "hubspot-meetings-table",
    title: "HubSpot meetings of a connector",
    columns: &[
        need("id", &["engagement_id"]),
        need("happened_at", &["start_time"]),
        need("end", &["end_time"]),
        maybe("created_at", &["created_at"]),
        maybe("title", &["title"]),
    ],
    marks: &["meeting_outcome", "web_conference_meeting_id"],
    utc: true,
    row: |reading, row| engagement(reading, row, "meeting"),
    ..Shape::PLAIN
};

pub(super) static MAILS: Shape = Shape {
    name: "hubspot-mail-campaigns-table",
    title: "HubSpot campaigns, for the mail events beside them",
    columns: &[need("id", &["id"]), need("name", &["name", "subject"]), need("app", &["app_id"])],
    marks: &["content_id", "num_included", "num_queued"],
    turn: 0,
    row: |reading, row| lookup::keep(reading, row, MAIL, &["name"]),
    ..Shape::PLAIN
};

pub(super) static MAIL_EVENTS: Shape = Shape {
    name: "hubspot-mail-events-table",
    title: "HubSpot mail events of a connector",
    columns: &[
        need("id", &["id"]),
        need("created_at", &["created"]),
        need("type", &["type"]),
        need("email", &["recipient"]),
        maybe("campaign", &["email_campaign_id"]),
        maybe("filtered", &["filtered_event"]),
    ],
    utc: true,
    row: |reading, row| {
        let name = match row.get("type").to_ascii_uppercase().as_str() {
            "OPEN" => "email_open",
            "CLICK" => "email_click",
            _ => {
                reading.leave("mail events that are no contact (sent, delivered, bounced …)");
                return Ok(());
            }
        };
        if row.is("filtered", "true") {
            reading.leave("opens and clicks of machines");
            return Ok(());
        }
        let at = reading.need_time(row, "created_at")?;
        let campaign = row.get("campaign");
        let title = reading.lookups.get(MAIL, &campaign).first().cloned();
        let title = title.filter(|title| !title.is_empty()).unwrap_or_else(|| campaign.clone().into_owned());
        let (id, email) = (format!("hubspot:mail:{}", row.get("id")), row.get("email"));
        super::Mail { name, id, at, email: &email, service: "hubspot", campaign: &title }.tell(reading, row.line)
    },
    ..Shape::PLAIN
};

pub(super) static FORMS: Shape = Shape {
    name: "hubspot-forms-table",
    title: "HubSpot forms that were sent",
    columns: &[
        need("happened_at", &["timestamp"]),
        need("form", &["form_id"]),
        need("contact", &["contact_id"]),
        maybe("id", &["conversion_id"]),
        maybe("page_url", &["page_url"]),
        maybe("title", &["title"]),
    ],
    utc: true,
    row: |reading, row| {
        let at = reading.need_time(row, "happened_at")?;
        let contact = row.get("contact");
        let contact = reading.lookups.get(MERGED, &contact).first().cloned().unwrap_or_else(|| contact.into_owned());
        let event =
            Event::new("form_submitted", format!("hubspot:form:{}:{contact}:{at}", row.get("form")), at, row.line)
                .set("crm_id", &contact)
                .set("page_url", &row.get("page_url"))
                .property("form", row.get("title").into_owned());
        reading.tell(event)
    },
    ..Shape::PLAIN
};

/// Every change of every field, the largest tables of a connector; what happened is told by the others.
pub(super) static HISTORIES: Shape = Shape {
    name: "hubspot-property-history",
    title: "a history of HubSpot's properties",
    hint: "import the tables contact, deal, email_event and engagement beside it",
    columns: &[
        need("id", &["contact_id", "company_id", "deal_id", "ticket_id", "vid", "dealId", "companyId"]),
        need("property", &["name", "property"]),
        need("value", &["value"]),
        need("changed_at", &["timestamp", "timestamp_instant"]),
        need("source", &["source", "source_type"]),
        need("source_id", &["source_id"]),
    ],
    tells: false,
    ..Shape::PLAIN
};
