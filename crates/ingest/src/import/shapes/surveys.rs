//! Surveys: what people answered, NPS and CSAT among them, and the tables of Qualtrics as connectors store them.
//!
//! Traps: addresses in any case and with blanks, answers without an address (stored, they join no journey), scores of 0 to 10 and
//! of 1 to 5 in files of one kind (the column's name says which), unfinished answers (kept, and marked so).
//! Source: qualtrics.com/support (exporting response data).
use super::{
    Shape,
    column::{maybe, need},
    event::Event,
    lookup,
    reading::Fault,
};
use crate::import::reason;
use serde_json::{Map, Value};

/// Response id → question, answer, question, answer …
const ANSWERS: &str = "qualtrics answers";
/// Survey id → its name.
const SURVEY: &str = "qualtrics survey";

/// Promoters give 9 or 10, detractors 0 to 6 (Reichheld 2003).
fn group(score: f64) -> &'static str {
    match score {
        score if score >= 9.0 => "promoter",
        score if score >= 7.0 => "passive",
        _ => "detractor",
    }
}

pub(super) static RESPONSES: Shape = Shape {
    name: "survey-responses",
    title: "survey responses (NPS, CSAT)",
    hint: "export responses with their time and score",
    columns: &[
        need("id", &["Response ID", "ResponseId"]),
        need("answered_at", &["Created At", "Responded at", "Recorded Date", "Submitted at", "Date"]),
        need("score", &["Score", "NPS", "NPS score", "CSAT", "CSAT score", "Rating"]),
        maybe("email", &["Email", "Recipient Email", "E-mail"]),
        maybe("phone", &["Phone"]),
        maybe("user", &["User ID", "Customer ID"]),
        maybe("comment", &["Comment", "Feedback"]),
        maybe("asked_by", &["Channel"]),
        maybe("survey", &["Survey", "Survey name"]),
        maybe("order_id", &["Order ID"]),
    ],
    row: |reading, row| {
        let at = reading.need_time(row, "answered_at")?;
        let score = reading.amount(row, "score")?.ok_or(Fault::of("score", reason::NO_SCORE))?;
        let header = row.sheet.header("score").to_lowercase();
        let kind = if header.contains("csat") || header.contains("rating") { "csat" } else { "nps" };
        let most = if kind == "nps" { 10.0 } else { 100.0 };
        if !(0.0..=most).contains(&score) {
            return Err(Fault::of("score", reason::BEYOND_SCALE));
        }
        let event = Event::new("survey_response", format!("survey:{}", row.get("id")), at, row.line)
            .set("email", &row.get("email"))
            .set("phone", &row.get("phone"))
            .set("user_id", &row.get("user"))
            .property("kind", kind)
            .property("score", score)
            .property("group", if kind == "nps" { group(score) } else { "" })
            .property("comment", row.get("comment").into_owned())
            .property("asked_by", row.get("asked_by").into_owned())
            .property("survey", row.get("survey").into_owned())
            .property("order", row.get("order_id").into_owned());
        reading.tell(event)
    },
    ..Shape::PLAIN
};

pub(super) static QUALTRICS: Shape = Shape {
    name: "qualtrics-responses-table",
    title: "Qualtrics responses of a connector",
    columns: &[
        need("id", &["id", "response_id"]),
        need("answered_at", &["recorded_date", "end_date"]),
        need("survey", &["survey_id"]),
        need("asked_by", &["distribution_channel"]),
        maybe("email", &["recipient_email"]),
        maybe("finished", &["finished"]),
    ],
    utc: true,
    row: |reading, row| {
        let (id, survey) = (row.get("id"), row.get("survey"));
        let at = reading.need_time(row, "answered_at")?;
        let name = reading.lookups.get(SURVEY, &survey).first().cloned().unwrap_or_else(|| survey.clone().into_owned());
        let told = reading.lookups.get(ANSWERS, &id).iter().filter_map(|pair| pair.split_once('\u{1f}'));
        let answers: Map<String, Value> = told.map(|(question, answer)| (question.to_owned(), answer.into())).collect();
        let score = answers
            .iter()
            .find(|(question, _)| question.to_lowercase().contains("nps"))
            .map(|(_, score)| score.clone());
        let event = Event::new("survey_response", format!("qualtrics:{id}"), at, row.line)
            .set("email", &row.get("email"))
            .property("survey", name)
            .property("asked_by", row.get("asked_by").into_owned())
            .property("finished", row.is("finished", "1") || row.is("finished", "true"))
            .property("score", score.unwrap_or(Value::Null))
            .property("answers", if answers.is_empty() { Value::Null } else { Value::Object(answers) });
        reading.tell(event)
    },
    ..Shape::PLAIN
};

pub(super) static QUALTRICS_ANSWERS: Shape = Shape {
    name: "qualtrics-answers-table",
    title: "answers of Qualtrics, for the responses beside them",
    columns: &[
        need("id", &["response_id"]),
        need("question", &["question_id"]),
        need("answer", &["value"]),
        maybe("name", &["question"]),
        maybe("text", &["text"]),
    ],
    turn: 0,
    row: |reading, row| {
        let name = if row.get("name").is_empty() { row.get("question") } else { row.get("name") };
        let answer = if row.get("answer").is_empty() { row.get("text") } else { row.get("answer") };
        reading.lookups.add(ANSWERS, &row.get("id"), format!("{name}\u{1f}{answer}"))
    },
    ..Shape::PLAIN
};

pub(super) static QUALTRICS_SURVEYS: Shape = Shape {
    name: "qualtrics-surveys-table",
    title: "surveys of Qualtrics, for the responses beside them",
    columns: &[need("id", &["id"]), need("name", &["survey_name"]), need("state", &["survey_status"])],
    turn: 0,
    row: |reading, row| lookup::keep(reading, row, SURVEY, &["name"]),
    ..Shape::PLAIN
};
