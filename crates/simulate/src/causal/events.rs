//! What is seen of a market as events, in the form that imports read.
use super::{CHANNELS, DIRECT, Observed, process::Process};
use crate::SimEvent;
use safar_model::Micros;

/// How a channel's touches are told.
struct Form {
    name: &'static str,
    interaction: &'static str,
    page: &'static str,
    referrer: &'static str,
}

const fn form(name: &'static str, interaction: &'static str, page: &'static str, referrer: &'static str) -> Form {
    Form { name, interaction, page, referrer }
}

/// In the order of [`CHANNELS`].
#[rustfmt::skip]
const FORMS: [Form; DIRECT + 1] = [
    form("ad_impression", "impression", "https://shop.example/?utm_source=adnetwork&utm_medium=display&utm_campaign=autumn", ""),
    form("ad_impression", "impression", "https://shop.example/?utm_source=instagram&utm_medium=paid_social&utm_campaign=story", ""),
    form("page_view", "click", "https://shop.example/tea?utm_source=google&utm_medium=cpc&utm_campaign=generic", "https://www.google.com/"),
    form("page_view", "click", "https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign=brand", "https://www.google.com/"),
    form("email_open", "email", "https://shop.example/new?utm_source=newsletter&utm_medium=email&utm_campaign=weekly", ""),
    form("ad_impression", "impression", "https://shop.example/?utm_source=adnetwork&utm_medium=display&utm_campaign=retargeting", ""),
    form("page_view", "visit", "https://shop.example/", ""),
];

/// The events of `seen`, in the order of time. Linked devices share one account; where an experiment runs, everybody has
/// an event `experiment` that tells the arm.
///
/// ```
/// use safar_simulate::causal::{market_events, scenario};
/// let process = scenario("S1").unwrap().process;
/// let seen = process.observe(200, 7, 0);
/// let events = market_events(&process, &seen);
/// assert!(events.windows(2).all(|pair| pair[0].occurred_at <= pair[1].occurred_at));
/// assert!(events.len() >= seen.timelines.touchpoints());
/// ```
#[must_use]
pub fn market_events(process: &Process, seen: &Observed) -> Vec<SimEvent> {
    let mut events = vec![];
    for index in 0..seen.timelines.len() {
        let line = seen.timelines.get(index);
        let about = |at: Micros, device: u8| {
            let person = seen.person[index];
            let user_id = if seen.only[index].is_some() { String::new() } else { format!("u-{person}") };
            SimEvent {
                occurred_at: at,
                anonymous_id: format!("c-{person}-{device}"),
                user_id,
                person,
                ..SimEvent::default()
            }
        };
        let first = seen.only[index].unwrap_or(0);
        if let Some(hold_out) = process.hold_out {
            let arm = if seen.held_out[index] { "held_out" } else { "shown" };
            let properties = format!(r#"{{"experiment":"{}","arm":"{arm}"}}"#, CHANNELS[hold_out.channel]);
            events.push(SimEvent { name: "experiment", interaction: "none", properties, ..about(line.from, first) });
        }
        for (touch, place) in seen.timelines.touch_range(index).enumerate() {
            let form = &FORMS[line.channels[touch].0 as usize];
            let clicked = seen.clicked[place];
            events.push(SimEvent {
                name: if clicked { "page_view" } else { form.name },
                interaction: if clicked { "click" } else { form.interaction },
                page_url: form.page.into(),
                referrer: form.referrer,
                ..about(line.times[touch], seen.device[place])
            });
        }
        for (&at, &value) in line.outcomes.iter().zip(line.values) {
            events.push(SimEvent {
                name: "purchase",
                interaction: "none",
                order_id: format!("SO-{}", seen.person[index]),
                value: Some(value),
                currency: "EUR",
                ..about(at, first)
            });
        }
    }
    // Stable: what happens at one moment stays in the order of people and touches.
    events.sort_by_key(|event| event.occurred_at);
    for (number, event) in events.iter_mut().enumerate() {
        event.event_id = format!("m-{number}");
    }
    events
}
