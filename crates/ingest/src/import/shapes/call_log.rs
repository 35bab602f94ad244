//! Call logs of call tracking (CallRail and its like): every call is a touch of the caller.
//!
//! Traps: the caller of an outbound call is the business (such calls keep no telephone number), times with their own offset,
//! the click that led to the call (`GCLID`, landing page) says more than the column Source, which is only kept.
//! Source: support.callrail.com (call log export).
use super::{
    Shape,
    column::{maybe, need},
    event::Event,
};

pub(super) static CALLS: Shape = Shape {
    name: "call-log",
    title: "a call log",
    hint: "export the call log with the columns Start Time and Caller Number",
    columns: &[
        need("started_at", &["Start Time", "Call start", "Date/Time"]),
        need("phone", &["Caller Number", "Caller Phone Number", "Customer Phone Number", "From"]),
        need("seconds", &["Duration (seconds)", "Duration"]),
        maybe("id", &["Call ID", "ID"]),
        maybe("direction", &["Direction"]),
        maybe("tracking", &["Tracking Number", "Tracking Phone Number"]),
        maybe("answered", &["Answered", "Call Status"]),
        maybe("source", &["Source"]),
        maybe("keyword", &["Keyword", "Keywords"]),
        maybe("page_url", &["Landing Page", "Landing Page URL"]),
        maybe("referrer", &["Referrer", "Referring URL"]),
        maybe("gclid", &["GCLID"]),
        maybe("first", &["First-Time Caller", "First Call"]),
    ],
    row: |reading, row| {
        let at = reading.need_time(row, "started_at")?;
        let phone = row.get("phone");
        let inbound = row.get("direction").is_empty() || row.is("direction", "inbound");
        let id = match &*row.get("id") {
            "" => String::new(),
            id => format!("call:{id}"),
        };
        let seconds = reading.amount(row, "seconds")?;
        let event = Event::new("call", id, at, row.line)
            .set("interaction", "call")
            .set("phone", if inbound { &phone } else { "" })
            .set("page_url", &row.get("page_url"))
            .set("referrer", &row.get("referrer"))
            .set("gclid", &row.get("gclid"))
            .set("utm_term", &row.get("keyword"))
            .property("direction", if inbound { "inbound" } else { "outbound" })
            .property("seconds", seconds)
            .property("answered", row.get("answered").into_owned())
            .property("call_source", row.get("source").into_owned())
            .property("first_time", row.get("first").into_owned());
        reading.tell(event)
    },
    ..Shape::PLAIN
};
