//! Sessions: runs of one person's on-site events without a long pause.
use crate::input::{Event, Field, PersonRows, Place};
use crate::rules::SessionCuts;
use jiff::{Timestamp, tz::TimeZone};
use safar_model::{DAY_US, Interaction, Micros};

/// No session runs.
pub(crate) const NO_SESSION: u32 = u32::MAX;

/// A session shorter than this, of one page and without a key event, is not engaged (Google Analytics 4).
const ENGAGED_US: Micros = 10_000_000;

/// One session; the numbers called `seq` are places in the person's rows.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// Its first event.
    pub first_seq: u32,
    /// The first event that says where the person came from; the first event where none does.
    pub source_seq: u32,
    pub landing_seq: Option<u32>,
    pub exit_seq: Option<u32>,
    pub started_at: Micros,
    pub ended_at: Micros,
    pub events: i32,
    pub page_views: i32,
    /// Filled in when conversions are known.
    pub conversions: i32,
    pub value: f64,
    /// The last event that says where the person came from: what a new campaign is compared with.
    campaign_seq: Option<u32>,
}

impl Session {
    /// Google Analytics 4: at least 10 seconds, or two page views, or a key event.
    pub fn is_engaged(&self) -> bool {
        self.ended_at - self.started_at >= ENGAGED_US || self.page_views >= 2 || self.conversions > 0
    }
}

/// Cuts sessions; keeps the bounds of the day it looked at last, because most neighbours share a day.
#[derive(Debug)]
pub(crate) struct Sessioniser {
    cuts: SessionCuts,
    zone: TimeZone,
    day: std::ops::Range<Micros>,
}

impl Sessioniser {
    pub fn new(cuts: SessionCuts, zone: TimeZone) -> Self {
        Self { cuts, zone, day: 0..0 }
    }

    /// Fills `sessions`, and for each row the session that runs at that moment: its own, or for events elsewhere the
    /// one that has not been idle too long.
    pub fn run(&mut self, rows: PersonRows<'_>, sessions: &mut Vec<Session>, running: &mut Vec<u32>) {
        sessions.clear();
        running.clear();
        for (seq, event) in rows.iter().enumerate() {
            let at = event.at();
            if event.place() != Place::Onsite {
                let open = sessions.last().is_some_and(|session| at - session.ended_at <= self.cuts.idle_us);
                running.push(if open { sessions.len() as u32 - 1 } else { NO_SESSION });
                continue;
            }
            let continues = match sessions.last() {
                Some(session) => self.continues(rows, session, &event),
                None => false,
            };
            if !continues {
                sessions.push(Session {
                    first_seq: seq as u32,
                    source_seq: seq as u32,
                    landing_seq: None,
                    exit_seq: None,
                    started_at: at,
                    ended_at: at,
                    events: 0,
                    page_views: 0,
                    conversions: 0,
                    value: 0.0,
                    campaign_seq: None,
                });
            }
            running.push(sessions.len() as u32 - 1);
            if let Some(session) = sessions.last_mut() {
                session.ended_at = at;
                session.events += 1;
                session.page_views += i32::from(is_page_view(&event));
                if event.text(Field::PageUrl).is_some() {
                    session.landing_seq.get_or_insert(seq as u32);
                    session.exit_seq = Some(seq as u32);
                }
                if !event.is_direct() {
                    if session.campaign_seq.is_none() {
                        session.source_seq = seq as u32;
                    }
                    session.campaign_seq = Some(seq as u32);
                }
            }
        }
    }

    fn continues(&mut self, rows: PersonRows<'_>, session: &Session, event: &Event<'_>) -> bool {
        let (at, cuts) = (event.at(), self.cuts);
        if at - session.ended_at > cuts.idle_us
            || cuts.max_us.is_some_and(|most| at - session.started_at >= most)
            || cuts.at_midnight && !self.same_day(session.ended_at, at)
        {
            return false;
        }
        if event.is_direct() {
            return true;
        }
        let cut = if event.is_tagged() {
            cuts.on_new_campaign
        } else {
            cuts.on_new_referrer && event.text(Field::Referrer).is_some()
        };
        if !cut {
            return true;
        }
        let origin = |event: &Event<'_>| {
            [Field::Source, Field::Medium, Field::Campaign].map(|field| event.text(field).map(str::to_owned))
        };
        session.campaign_seq.is_some_and(|seq| origin(&rows.get(seq as usize)) == origin(event))
    }

    fn same_day(&mut self, earlier: Micros, later: Micros) -> bool {
        if !self.day.contains(&earlier) {
            self.day = day_of(&self.zone, earlier);
        }
        self.day.contains(&later)
    }
}

/// The local day that holds an instant; days of the proleptic Gregorian calendar beyond the years that jiff knows are UTC days.
fn day_of(zone: &TimeZone, at: Micros) -> std::ops::Range<Micros> {
    let local = || {
        let day = Timestamp::from_microsecond(at).ok()?.to_zoned(zone.clone()).start_of_day().ok()?;
        let next = day.tomorrow().ok()?.start_of_day().ok()?;
        Some(day.timestamp().as_microsecond()..next.timestamp().as_microsecond())
    };
    local().unwrap_or_else(|| {
        let start = at.div_euclid(DAY_US).saturating_mul(DAY_US);
        start..start.saturating_add(DAY_US)
    })
}

/// Page and screen views; other events on a page (add_to_cart) are visits, not views.
fn is_page_view(event: &Event<'_>) -> bool {
    matches!(event.interaction(), Interaction::Visit | Interaction::Click)
        && names_page_view(event.text(Field::Name).unwrap_or_default())
}

/// Whether trackers give this name to page and screen views.
pub(crate) fn names_page_view(name: &str) -> bool {
    const NAMES: [&str; 10] = [
        "page_view",
        "pageview",
        "page",
        "page viewed",
        "viewed page",
        "screen_view",
        "screen",
        "$pageview",
        "$screen",
        "visit",
    ];
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
}
