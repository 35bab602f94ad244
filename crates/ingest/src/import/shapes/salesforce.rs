//! Salesforce: reports of opportunities, contacts and leads, and the tables of its API as connectors store them.
//!
//! Traps: a last row `Grand Totals`, days without a time in the order of the user's country, `12,500.00`, record ids of 15 and
//! of 18 characters for the same record (told with 18), deleted rows, opportunities that know an account but no contact (told
//! as the contact's where the account has one alone). Source: help.salesforce.com (export reports; 000385585 on ids).
use super::{
    Shape,
    column::{maybe, need},
    cost_report::is_total,
    event::Event,
    hubspot::Deal,
    reading::{Fault, Reading},
    record::Record,
};

/// Account id → contact ids.
const ACCOUNT: &str = "salesforce account";
/// Campaign id → name.
const CAMPAIGN: &str = "salesforce campaign";

/// A record id with its 18 characters: the last three say which of the first 15 are capitals.
pub(super) fn whole_id(id: &str) -> String {
    if id.len() != 15 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return id.to_owned();
    }
    let mut whole = id.to_owned();
    for five in id.as_bytes().chunks(5) {
        let bits: usize = five.iter().enumerate().map(|(at, byte)| usize::from(byte.is_ascii_uppercase()) << at).sum();
        whole.push(char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[bits]));
    }
    whole
}

fn deal(reading: &mut Reading<'_>, row: &Record<'_>, contacts: &[String]) -> Result<(), Fault> {
    let stage = row.get("stage");
    let plain: String = stage.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let told = row.sheet.has("won");
    let won = if told { row.is("won", "true") || row.is("won", "1") } else { plain == "closedwon" };
    let closed = row.is("is_closed", "true") || row.is("is_closed", "1") || won || plain == "closedlost";
    let campaign = row.get("campaign_id");
    let campaign = reading.lookups.get(CAMPAIGN, &campaign).first().cloned().unwrap_or_default();
    let campaign = if campaign.is_empty() { row.get("campaign").into_owned() } else { campaign };
    let id = whole_id(&row.get("id"));
    let deal = Deal {
        system: "salesforce",
        id: &id,
        contacts,
        created: reading.time(row, "created_at")?,
        closed: reading.time(row, "closed_at")?.filter(|_| closed).map(|at| (at, won)),
        amount: reading.amount(row, "amount")?,
        currency: if row.get("amount").is_empty() { String::new() } else { reading.currency(row, "amount")? },
        stage: stage.into_owned(),
        source: row.get("source").into_owned(),
        campaign,
        account: whole_id(&row.get("account")),
    };
    deal.tell(reading, row.line)
}

pub(super) static OPPORTUNITIES: Shape = Shape {
    name: "salesforce-opportunities",
    title: "Salesforce opportunities",
    hint: "export the report with details only, with Opportunity ID, Stage, Amount, Close Date and Created Date",
    columns: &[
        need("id", &["Opportunity ID"]),
        need("stage", &["Stage"]),
        need("closed_at", &["Close Date"]),
        maybe("amount", &["Amount", "Amount (converted)"]),
        maybe("currency", &["Amount Currency", "Opportunity Currency", "Amount (converted) Currency"]),
        maybe("created_at", &["Created Date"]),
        maybe("account", &["Account ID"]),
        maybe("contact", &["Contact ID", "Primary Contact ID"]),
        maybe("won", &["Won"]),
        maybe("is_closed", &["Closed"]),
        maybe("source", &["Lead Source"]),
        maybe("campaign", &["Primary Campaign Source: Campaign Name", "Primary Campaign Source"]),
    ],
    row: |reading, row| {
        let first = row.first();
        if first.is_empty() || (is_total(&first) && row.get("closed_at").is_empty()) {
            reading.leave("rows of totals");
            return Ok(());
        }
        let contact = whole_id(&row.get("contact"));
        let contacts = if contact.is_empty() { vec![] } else { vec![contact] };
        deal(reading, row, &contacts)
    },
    ..Shape::PLAIN
};

pub(super) static OPPORTUNITY_TABLE: Shape = Shape {
    name: "salesforce-opportunities-table",
    title: "Salesforce opportunities of a connector",
    columns: &[
        need("id", &["id"]),
        need("stage", &["stage_name", "StageName"]),
        need("closed_at", &["close_date", "CloseDate"]),
        need("created_at", &["created_date", "CreatedDate"]),
        maybe("amount", &["amount"]),
        maybe("currency", &["currency_iso_code"]),
        maybe("account", &["account_id"]),
        maybe("contact", &["contact_id"]),
        maybe("won", &["is_won"]),
        maybe("is_closed", &["is_closed"]),
        maybe("source", &["lead_source"]),
        maybe("campaign_id", &["campaign_id"]),
    ],
    utc: true,
    row: |reading, row| {
        let contact = whole_id(&row.get("contact"));
        let known = match contact.as_str() {
            "" => reading.lookups.get(ACCOUNT, &whole_id(&row.get("account"))).to_vec(),
            _ => vec![contact],
        };
        // Whose an account's deal is cannot be told where the account has several contacts.
        let alone: &[String] = if known.len() == 1 { &known[..] } else { &[] };
        deal(reading, row, alone)
    },
    ..Shape::PLAIN
};

pub(super) static CAMPAIGNS: Shape = Shape {
    name: "salesforce-campaigns-table",
    title: "Salesforce campaigns, for the opportunities beside them",
    columns: &[need("id", &["id"]), need("name", &["name"]), need("sent", &["number_sent", "expected_response"])],
    turn: 0,
    row: |reading, row| super::lookup::keep(reading, row, CAMPAIGN, &["name"]),
    ..Shape::PLAIN
};

/// People of Salesforce: leads and contacts.
fn person(reading: &mut Reading<'_>, row: &Record<'_>, kind: &str) -> Result<(), Fault> {
    let id = whole_id(&row.get("id"));
    let at = reading.need_time(row, "created_at")?;
    let phone = [row.get("mobile"), row.get("phone")].into_iter().find(|phone| !phone.is_empty()).unwrap_or_default();
    let mut event = Event::new(&format!("{kind}_created"), format!("salesforce:{kind}:{id}"), at, row.line)
        .set("crm_id", &id)
        .set("email", &row.get("email"))
        .set("phone", &phone)
        .property("lead_source", row.get("source").into_owned())
        .property("account", whole_id(&row.get("account")));
    let tags = ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "gclid"];
    for field in tags {
        event.put(field, &row.get(field));
    }
    // A form that was filled in after a click tells of the click.
    if tags.iter().any(|field| !row.get(field).is_empty()) {
        event.put("interaction", "click");
    }
    reading.tell(event)
}

/// A row of a report of people.
fn reported(reading: &mut Reading<'_>, row: &Record<'_>, kind: &str) -> Result<(), Fault> {
    let first = row.first();
    if first.is_empty() || (is_total(&first) && row.get("created_at").is_empty()) {
        reading.leave("rows of totals");
        return Ok(());
    }
    person(reading, row, kind)
}

pub(super) static CONTACT_REPORT: Shape = Shape {
    name: "salesforce-contacts",
    title: "Salesforce contacts",
    hint: "export the report with details only, with Contact ID, Email and Created Date",
    columns: &[
        need("id", &["Contact ID"]),
        need("email", &["Email"]),
        need("created_at", &["Created Date"]),
        maybe("account", &["Account ID"]),
        maybe("phone", &["Phone"]),
        maybe("mobile", &["Mobile", "Mobile Phone"]),
        maybe("source", &["Lead Source"]),
        maybe("gclid", &["gclid"]),
    ],
    marks: &["Account ID", "Account Name", "Account Owner", "Lead Source"],
    never: &["Opportunity ID", "Lead ID", "Case Number"],
    row: |reading, row| reported(reading, row, "contact"),
    ..Shape::PLAIN
};

pub(super) static LEAD_REPORT: Shape = Shape {
    name: "salesforce-leads",
    title: "Salesforce leads",
    hint: "export the report with details only, with Lead ID, Email and Create Date",
    columns: &[
        need("id", &["Lead ID"]),
        need("email", &["Email"]),
        need("created_at", &["Create Date", "Created Date"]),
        maybe("phone", &["Phone"]),
        maybe("mobile", &["Mobile", "Mobile Phone"]),
        maybe("source", &["Lead Source"]),
        maybe("gclid", &["gclid"]),
        maybe("utm_source", &["utm_source"]),
        maybe("utm_medium", &["utm_medium"]),
        maybe("utm_campaign", &["utm_campaign"]),
        maybe("utm_term", &["utm_term"]),
        maybe("utm_content", &["utm_content"]),
    ],
    never: &["Opportunity ID"],
    row: |reading, row| reported(reading, row, "lead"),
    ..Shape::PLAIN
};

pub(super) static CONTACTS: Shape = Shape {
    name: "salesforce-contacts-table",
    title: "Salesforce contacts of a connector",
    columns: &[
        need("id", &["id"]),
        need("email", &["email"]),
        need("created_at", &["created_date"]),
        need("account", &["account_id"]),
        need("name", &["last_name"]),
        maybe("phone", &["phone"]),
        maybe("mobile", &["mobile_phone"]),
        maybe("source", &["lead_source"]),
        maybe("gclid", &["gclid_c"]),
    ],
    turn: 0,
    utc: true,
    row: |reading, row| {
        let account = whole_id(&row.get("account"));
        if !account.is_empty() {
            reading.lookups.add(ACCOUNT, &account, whole_id(&row.get("id")))?;
        }
        person(reading, row, "contact")
    },
    ..Shape::PLAIN
};

pub(super) static LEADS: Shape = Shape {
    name: "salesforce-leads-table",
    title: "Salesforce leads of a connector",
    columns: &[
        need("id", &["id"]),
        need("email", &["email"]),
        need("created_at", &["created_date"]),
        need("converted", &["is_converted"]),
        maybe("phone", &["phone"]),
        maybe("mobile", &["mobile_phone"]),
        maybe("source", &["lead_source"]),
        maybe("gclid", &["gclid_c"]),
        maybe("utm_source", &["utm_source_c"]),
        maybe("utm_medium", &["utm_medium_c"]),
        maybe("utm_campaign", &["utm_campaign_c"]),
        maybe("utm_term", &["utm_term_c"]),
        maybe("utm_content", &["utm_content_c"]),
    ],
    utc: true,
    row: |reading, row| person(reading, row, "lead"),
    ..Shape::PLAIN
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids of the sample data, in both forms.
    #[test]
    fn short_ids_get_their_whole_form() {
        for whole in ["0033700000JmrFPAA", "0031G00000q9jPQAQ", "006000000000001AAA", "0015500000Xyy06AAB"] {
            if whole.len() == 18 {
                assert_eq!(whole_id(&whole[..15]), whole);
            }
            assert_eq!(whole_id(whole), whole);
        }
    }
}
