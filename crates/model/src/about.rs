//! What tables and columns mean, for the reference.
use crate::Table;

/// What a table holds, in one line.
#[must_use]
pub const fn of_table(table: Table) -> &'static str {
    match table {
        Table::Events => {
            "Everything that happened, as it was told to Safar; identifiers raw, e-mail and telephone hashed."
        }
        Table::IdentityLinks => "Statements that two identifiers belong to one person; append-only.",
        Table::Persons => "Which person an identifier belongs to, and from when to when.",
        Table::PersonEvents => {
            "The events of people, bots left out: each under its person, in order, with the session that ran."
        }
        Table::Sessions => "Visits: runs of a person's events on the site without a long pause.",
        Table::Touchpoints => {
            "Contacts that can earn credit: one for each session and for each touch outside sessions."
        }
        Table::Conversions => "Events that reached a goal, each order once, net of refunds.",
        Table::Paths => {
            "The touchpoints before each conversion within the look-back windows, and those of people who did not convert."
        }
        Table::Credits => "What each model of safar.toml gives each touch.",
        Table::Costs => "Money spent, by day and campaign.",
        Table::Rejects => "Rows that could not be read, with the reason.",
    }
}

/// What a column means, in one line; empty for no column of the table.
#[must_use]
pub fn of_column(table: Table, column: &str) -> &'static str {
    match (table, column) {
        (Table::Paths | Table::Credits, "occurred_at") => {
            "when the conversion happened; the last touch where there is none"
        }
        (Table::Paths, "conversions") => "1, or 0 where there is none; a count in imported ready paths",
        (Table::Paths, "value") => "worth of the conversions, net of refunds",
        (Table::Paths, "conversion_id") => "the conversion; null: the person did not convert",
        (Table::Credits, "conversion_id") => {
            "the conversion; null for models that credit channels over all paths together"
        }
        (Table::Credits, "touchpoint_id") => "the touch; null: unattributed, or a model as above",
        (Table::Credits, "channel") => "who earned it; null: unattributed",
        (Table::Credits, "conversions") => "credit in conversions",
        (Table::Credits, "value") => "credit in money",
        (Table::Sessions, "conversions") => "conversions within it",
        (Table::Sessions, "value") => "worth of the conversions within it",
        (Table::Sessions, "events") => "events within it",
        (Table::Sessions, "referrer") => "address of the page before its first event",
        (Table::Conversions, "value") => "gross_value − refunded_value",
        (Table::Costs, "clicks" | "impressions") => "as the platform counted them",
        (Table::Costs, "date") => "day of the platform's calendar",
        (Table::Costs, "source") => "where the clicks come from",
        (Table::Costs, "medium") => "how they come",
        (Table::Costs, "campaign") => "campaign, as the platform calls it",
        (Table::Costs, "account") => "the platform's account",
        (Table::Costs, "campaign_id") => "the platform's number of the campaign",
        (Table::Touchpoints, "properties") => "JSON object of the event behind it",
        (Table::Rejects, "value") => "the value that could not be read",
        (Table::Rejects | Table::Costs, "origin") => "the file",
        (Table::IdentityLinks, "source") => "where it was read",
        (Table::IdentityLinks, "kind") => "what it rests on",
        (Table::IdentityLinks, "valid_from" | "valid_to") => {
            "the link holds from (inclusive) or to (exclusive) this instant; null: open"
        }
        (Table::Persons, "valid_from" | "valid_to") => {
            "the identifier is this person's from (inclusive) or to (exclusive) this instant; null: open"
        }
        (_, name) => of_name(name),
    }
}

/// Columns that mean the same wherever they stand.
fn of_name(name: &str) -> &'static str {
    match name {
        "event_id" => "the event: as given, or a hash of the row's content",
        "name" => "what happened: page_view, purchase, refund …",
        "occurred_at" => "when it happened",
        "received_at" => "when Safar was told",
        "anonymous_id" => "device or cookie",
        "user_id" => "account",
        "email_hash" => "SHA-256 of the e-mail address, trimmed and in lower case",
        "phone_hash" => "SHA-256 of the telephone number in E.164",
        "crm_id" => "record in the customer system",
        "page_url" => "address of the page",
        "page_title" => "title of the page",
        "referrer" => "address of the page before",
        "utm_source" | "utm_medium" | "utm_campaign" | "utm_term" | "utm_content" => {
            "tag, as given or as in the page's address"
        }
        "utm_custom" => "JSON object of further utm_* tags",
        "click_id" => "value of the click identifier in the page's address",
        "click_id_type" => "its parameter: gclid, msclkid, fbclid …",
        "source" => "where the visit came from, derived by the rules",
        "medium" => "how it came, derived by the rules",
        "campaign" => "campaign, derived by the rules",
        "term" => "keyword",
        "content" => "which advertisement or link",
        "channel" => "channel group, derived by the rules",
        "interaction" => "visit, click, impression, email, sms, push, call, chat, store, meeting, print, other or none",
        "order_id" => "the order",
        "value" => "worth, in the currency of the row",
        "currency" => "ISO 4217 code",
        "items" => "JSON array of what was bought",
        "consent" => "JSON object: purpose → whether it was given",
        "properties" => "JSON object: every column that has no place of its own",
        "country" => {
            "ISO 3166-1 code of the visitor's country, such as PL; as told where the source tells it in other words"
        }
        "language" => "of the browser, a tag of BCP 47 such as en-GB",
        "device" => "desktop, mobile, tablet, tv, console or bot; as told where the source tells it in other words",
        "browser" => "name of the browser or of the application around the page",
        "browser_version" => "its major version",
        "os" => "operating system: Windows, macOS, iOS, Android, Linux …",
        "bot" => "whether a program sent it that is nobody's browser; null: stored before Safar told them apart",
        "origin" => "which import brought it",
        "origin_row" => "its line or row there",
        "key" => "63-bit hash of the first identifier present",
        "bucket" => "partition: the top bits of the key; −1 for what belongs to all people",
        "ns_a" | "ns_b" | "namespace" => "kind of identifier: anonymous, user, email, phone, crm or your own",
        "id_a" | "id_b" | "identifier" => "the identifier",
        "observed_at" => "when the two were seen together",
        "confidence" => "probability that it is true",
        "person_id" => "the person",
        "version" => "version of the map of people",
        "step" => "which of the person's events it is, from 1",
        "session_id" => "the session",
        "started_at" => "first event",
        "ended_at" => "last event",
        "page_views" => "pages and screens seen",
        "engaged" => "at least 10 seconds, 2 page views or a conversion",
        "landing_page" => "first page",
        "exit_page" => "last page",
        "touchpoint_id" => "the touchpoint",
        "conversion_id" => "the conversion",
        "goal" => "which goal",
        "gross_value" => "worth before refunds",
        "refunded_value" => "given back",
        "nulls" => "people who walked it and did not convert",
        "length" => "touchpoints; 0: no touch in the windows, unattributed",
        "channels" => "channel of each touch, oldest first",
        "touchpoint_ids" => "each touch, oldest first",
        "ages_us" => "microseconds from each touch to the outcome",
        "model" => "the model, as spelled",
        "date" => "day",
        "impressions" | "clicks" => "how many",
        "cost" => "money spent",
        "rejected_at" => "when it was rejected",
        "line" => "line in the file, from 1; the row in Parquet files",
        "column" => "the column that could not be read",
        "reason" => "what was wrong",
        "raw" => "the whole row as text",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_a_meaning() {
        for table in Table::ALL {
            for field in table.schema().fields() {
                assert!(!of_column(table, field.name()).is_empty(), "{table}.{}", field.name());
            }
        }
    }
}
