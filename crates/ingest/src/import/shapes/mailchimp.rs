//! Mailchimp: exports of an audience and of campaign reports, and the tables of its API as connectors store them.
//!
//! Traps: reports of campaigns count people without naming them, so they become counts of impressions (opens) and clicks, not
//! events; recipients are known by a hash that only the table of members resolves. Source: mailchimp.com/help (export contacts,
//! download campaign reports), mailchimp.com/developer/marketing (reports/email-activity).
use super::{
    Shape,
    column::{maybe, need},
    event::Event,
    lookup,
};

/// Member id → e-mail address.
const MEMBER: &str = "mailchimp member";
/// Campaign id → its title.
const CAMPAIGN: &str = "mailchimp campaign";

pub(super) static AUDIENCE: Shape = Shape {
    name: "mailchimp-audience",
    title: "Mailchimp subscribers",
    hint: "export the audience from All contacts",
    columns: &[
        need("email", &["Email Address", "E-Mail-Adresse", "Adresse e-mail", "Adres e-mail", "Netfang"]),
        need("joined_at", &["OPTIN_TIME"]),
        maybe("confirmed_at", &["CONFIRM_TIME"]),
        maybe("rating", &["MEMBER_RATING"]),
        maybe("phone", &["Phone Number", "PHONE"]),
        maybe("tags", &["TAGS"]),
        maybe("left_at", &["UNSUB_TIME"]),
    ],
    row: |reading, row| {
        let email = row.get("email");
        let joined = match reading.time(row, "confirmed_at")? {
            Some(at) => at,
            None => reading.need_time(row, "joined_at")?,
        };
        let event = Event::new("subscribed", "", joined, row.line)
            .set("email", &email)
            .set("phone", &row.get("phone"))
            .property("list_service", "mailchimp");
        reading.tell(event)?;
        match reading.time(row, "left_at")? {
            Some(at) => reading.tell(Event::new("unsubscribed", "", at, row.line).set("email", &email)),
            None => Ok(()),
        }
    },
    ..Shape::PLAIN
};

pub(super) static MEMBERS: Shape = Shape {
    name: "mailchimp-members-table",
    title: "Mailchimp members, for the activity beside them",
    columns: &[
        need("id", &["id"]),
        need("email", &["email_address"]),
        need("list", &["list_id"]),
        maybe("changed_at", &["last_changed"]),
    ],
    turn: 0,
    utc: true,
    row: |reading, row| lookup::keep(reading, row, MEMBER, &["email"]),
    ..Shape::PLAIN
};

pub(super) static CAMPAIGNS: Shape = Shape {
    name: "mailchimp-campaigns-table",
    title: "Mailchimp campaigns, for the activity beside them",
    columns: &[need("id", &["id"]), need("title", &["title", "settings_title"]), need("sent_at", &["send_time"])],
    marks: &["subject_line", "settings_subject_line", "archive_url"],
    turn: 0,
    utc: true,
    row: |reading, row| lookup::keep(reading, row, CAMPAIGN, &["title"]),
    ..Shape::PLAIN
};

pub(super) static ACTIVITY: Shape = Shape {
    name: "mailchimp-activity-table",
    title: "Mailchimp opens and clicks of a connector",
    columns: &[
        need("action", &["action"]),
        need("campaign", &["campaign_id", "automation_email_id"]),
        need("member", &["member_id", "email_id"]),
        need("happened_at", &["timestamp"]),
        maybe("email", &["email_address"]),
        maybe("page", &["url"]),
    ],
    utc: true,
    row: |reading, row| {
        let name = match &*row.get("action") {
            "open" => "email_open",
            "click" => "email_click",
            _ => {
                reading.leave("mail events that are no contact (sent, delivered, bounced …)");
                return Ok(());
            }
        };
        let at = reading.need_time(row, "happened_at")?;
        let (campaign, member) = (row.get("campaign"), row.get("member"));
        let email = match &*row.get("email") {
            "" => reading.lookups.get(MEMBER, &member).first().cloned().unwrap_or_default(),
            told => told.to_owned(),
        };
        if email.is_empty() {
            reading.leave("activity of members who are not in this import's table of members");
            return Ok(());
        }
        let title = reading.lookups.get(CAMPAIGN, &campaign).first().cloned();
        let title = title.unwrap_or_else(|| campaign.clone().into_owned());
        let id = format!("mailchimp:{name}:{campaign}:{member}:{at}:{}", row.get("page"));
        super::Mail { name, id, at, email: &email, service: "mailchimp", campaign: &title }.tell(reading, row.line)
    },
    ..Shape::PLAIN
};

pub(super) static REPORT: Shape = Shape {
    name: "mailchimp-campaigns",
    title: "Mailchimp campaigns (counts)",
    hint: "download the report of all campaigns",
    columns: &[
        need("campaign", &["Title", "Campaign Title"]),
        need("date", &["Send Date"]),
        need("impressions", &["Total Opens", "Unique Opens"]),
        need("clicks", &["Total Clicks", "Unique Clicks"]),
        maybe("campaign_id", &["Unique Id", "Campaign ID"]),
    ],
    marks: &["Total Recipients", "Successful Deliveries", "Subject"],
    platform: Some(("mailchimp", "email")),
    row: super::cost_report::row,
    ..Shape::PLAIN
};
