//! Day by day, everybody's touches; then the day in the order of time.
use crate::{
    calendar::today,
    catalogue::{ADVERTS, DAY, EMAIL, FRIEND, PUSH, RETARGETING, SMS, SOURCES, STORES},
    event::SimEvent,
    person::Person,
    persona::Way,
    session::{Act, Actor, MINUTE, Script, What},
    tale::Tale,
};
use safar_model::{DAY_US, Micros};
use std::collections::BTreeMap;

/// Instants that have a year of four digits.
const START_MIN: Micros = 0;
const START_MAX: Micros = 250_000_000_000_000_000;

/// A shop, its visitors and a stretch of time: a year has its seasons, weeks their rhythm, holidays their presents and
/// sales; whom the shop can reach grows each year by as many people as there were at first. People are of four kinds
/// (`deal_hunter`, `loyal`, `researcher`, `gift_buyer`), which every touch tells in the property `persona`.
///
/// ```
/// let shop = safar_simulate::Shop { people: 50, days: 10, ..Default::default() };
/// let events: Vec<_> = shop.events()?.collect();
/// assert!(events.is_sorted_by_key(|event| event.occurred_at));
/// # Ok::<(), safar_simulate::ShopError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shop {
    /// How many people there are; some are never seen.
    pub people: u32,
    /// How many days of 24 hours (UTC).
    pub days: u32,
    /// Equal seeds give equal events.
    pub seed: u64,
    /// The first instant: midnight of a day.
    pub start: Micros,
}

impl Default for Shop {
    /// 2,000 people over 90 days from 2026-06-01.
    fn default() -> Self {
        Self { people: 2_000, days: 90, seed: 1, start: 1_780_272_000_000_000 }
    }
}

/// A shop that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShopError {
    /// Not a midnight between 1970 and 9892.
    #[error("the shop starts at {0} µs; use a midnight (UTC) between the years 1970 and 9892")]
    Start(Micros),
    /// Too long.
    #[error("the shop is open for {0} days; use at most 36,525")]
    Days(u32),
}

impl Shop {
    /// The events of all people together, in the order of time; memory grows with people, not with days.
    ///
    /// # Errors
    /// When `start` is no midnight, or the shop is open for more than a hundred years.
    pub fn events(&self) -> Result<Events, ShopError> {
        if !(START_MIN..=START_MAX).contains(&self.start) || self.start % DAY_US != 0 {
            return Err(ShopError::Start(self.start));
        }
        if self.days > 36_525 {
            return Err(ShopError::Days(self.days));
        }
        let mut script = Script::new(self.seed);
        let people = (0..self.people).map(|_| Person::draw(&mut script.dice, self.days)).collect();
        let today = Vec::new().into_iter();
        Ok(Events {
            tale: Tale::new(self.seed),
            shop: *self,
            script,
            people,
            next_day: 0,
            later: BTreeMap::new(),
            today,
        })
    }
}

/// The events of a [`Shop`], in the order of time.
#[derive(Debug)]
pub struct Events {
    shop: Shop,
    script: Script,
    people: Vec<Person>,
    next_day: u32,
    /// By day: what was drawn before its time (refunds, visits past midnight).
    later: BTreeMap<Micros, Vec<Act>>,
    today: std::vec::IntoIter<Act>,
    tale: Tale,
}

impl Iterator for Events {
    type Item = SimEvent;

    fn next(&mut self) -> Option<SimEvent> {
        let mut event = SimEvent::default();
        self.next_into(&mut event).then_some(event)
    }
}

impl Events {
    /// Writes the next event over `event`, whose room it reuses; `false` after the last.
    pub fn next_into(&mut self, event: &mut SimEvent) -> bool {
        loop {
            if let Some(act) = self.today.next() {
                self.tale.tell(&act, event);
                return true;
            }
            match self.draw_day() {
                Some((_, today)) => self.today = today.into_iter(),
                None => return false,
            }
        }
    }

    /// The next day and what happens on it, in the order of time; `None` after the last.
    pub(crate) fn draw_day(&mut self) -> Option<(Micros, Vec<Act>)> {
        if self.next_day >= self.shop.days {
            return None;
        }
        let start = self.shop.start + Micros::from(self.next_day) * DAY_US;
        (self.script.today, self.script.day) = (today(start), self.next_day);
        for (person, state) in (0..self.shop.people).zip(&mut self.people) {
            if state.arrives <= self.next_day {
                draw_person(&mut self.script, person, state, start);
            }
        }
        self.draw_friends(start);
        self.next_day += 1;
        let mut today = self.later.remove(&start).unwrap_or_default();
        for act in self.script.acts.drain(..) {
            let day = act.at - act.at.rem_euclid(DAY_US);
            if day == start { &mut today } else { self.later.entry(day).or_default() }.push(act);
        }
        today.sort_unstable_by_key(|act| (act.at, act.number));
        Some((start, today))
    }

    /// Of those whom others invited, one in eight comes each day.
    fn draw_friends(&mut self, start: Micros) {
        for _ in 0..self.script.invited {
            if self.script.dice.chance(0.125) {
                self.script.invited -= 1;
                let person = self.script.dice.below(u64::from(self.shop.people)) as u32;
                let at = moment(&mut self.script, start);
                let state = &mut self.people[person as usize];
                state.arrives = state.arrives.min(self.next_day);
                self.script.visit(at, Actor { person, device: 0 }, state, FRIEND, 0);
            }
        }
    }
}

/// An instant of the day, busy hours more often.
fn moment(script: &mut Script, start: Micros) -> Micros {
    let hour = script.dice.weighted(&DAY) as i64;
    start + hour * 60 * MINUTE + script.dice.between(0, 60 * MINUTE - 1)
}

fn draw_person(script: &mut Script, person: u32, state: &mut Person, start: Micros) {
    state.fade();
    let (kind, today) = (state.kind(), script.today);
    let (weekday, busy) = (today.weekday, today.busy);
    if state.used_up == Some(script.day) {
        state.wish += 1.5 * kind.again;
        state.used_up = None;
    }
    let who = |device| Actor { person, device };
    if state.consent == 0 {
        for (advert, shown) in ADVERTS.iter().enumerate() {
            let retargeting = advert == ADVERTS.len() - 1;
            let rate = if retargeting { advert_rate(state) * shown.rate } else { shown.rate };
            if !script.dice.chance(rate * busy) {
                continue;
            }
            let at = moment(script, start);
            script.act(at, who(0), state, What::Shown(advert as u8));
            state.brand = (state.brand + shown.brand).min(3.0);
            state.wish += shown.effect;
            if retargeting && script.dice.chance(0.02) {
                script.visit(at + 2_000_000, who(0), state, RETARGETING, 0);
            }
        }
    }
    // A mailing every Tuesday at nine.
    if weekday == 2 && state.subscribed {
        let mailing = (start / DAY_US / 7) as u32;
        let at = start + 9 * 60 * MINUTE + script.dice.between(0, 20 * MINUTE);
        script.act(at, who(0), state, What::Sent(mailing));
        if script.dice.chance(0.35) {
            let device = script.dice.below(u64::from(state.devices)) as u8;
            let at = at + script.dice.between(1, 14 * 60) * MINUTE;
            script.act(at, who(device), state, What::Opened(mailing));
            state.wish += 0.05;
            if script.dice.chance(0.15 + 0.1 * state.pull()) {
                script.visit(at + 15_000_000, who(device), state, EMAIL, mailing);
            }
        }
    }
    draw_messages(script, person, state, start);
    let mut rates = [0.0; SOURCES.len()];
    let pull = state.pull();
    let eager = busy * (1.0 + 0.4 * kind.gifts * today.gifts + if today.sale { 0.4 * kind.sale } else { 0.0 });
    for (rate, source) in rates.iter_mut().zip(&SOURCES) {
        let taste = kind.tastes[source.way as usize];
        *rate =
            source.rate * eager * taste * ((1.0 + source.intent * (pull - 1.0)).max(0.1) + source.brand * state.brand);
    }
    if script.dice.chance(rates.iter().sum::<f64>().min(0.9)) {
        let source = script.dice.weighted(&rates);
        let device = script.dice.below(u64::from(state.devices)) as u8;
        let at = moment(script, start);
        script.visit(at, who(device), state, source, 0);
    }
    if today.open {
        draw_offline(script, who(0), state, start);
    }
}

/// Calls, stores, tastings and the market, while somebody is there.
fn draw_offline(script: &mut Script, who: Actor, state: &mut Person, start: Micros) {
    let hours = |script: &mut Script, from: i64, to: i64| start + script.dice.between(from * 60, to * 60) * MINUTE;
    if script.dice.chance(0.0015 + 0.006 * state.warm) {
        let at = hours(script, 8, 18);
        let minutes = script.dice.between(1, 15) as u8;
        script.act(at, who, state, What::Call { minutes, service: false });
        state.wish += 0.6;
    }
    if !state.near_store {
        return;
    }
    let store = script.dice.below(STORES.len() as u64) as u8;
    if script.dice.chance(0.004 + 0.012 * state.warm) {
        let at = hours(script, 9, 19);
        script.act(at, who, state, What::Store(store));
        state.wish += 0.8;
    }
    // On Fridays, by invitation; and a stall at the Saturday market.
    if script.today.weekday == 5 && script.dice.chance(0.01 + if state.member { 0.04 } else { 0.0 }) {
        let at = hours(script, 18, 20);
        script.act(at, who, state, What::Tasting(store));
        state.wish += 0.7;
    }
    if script.today.weekday == 6 && script.dice.chance(0.012) {
        let at = hours(script, 9, 14);
        script.act(at, who, state, What::Stall);
        state.brand = (state.brand + 0.3).min(3.0);
    }
}

/// Text messages in a sale and push messages of the app: each may lead to a visit.
fn draw_messages(script: &mut Script, person: u32, state: &mut Person, start: Micros) {
    let who = Actor { person, device: 0 };
    let kind = state.kind();
    let text = script.today.sale && state.subscribed && state.orders > 0 && script.dice.chance(0.10);
    let push = state.has_app && state.warm > 0.05 && script.dice.chance(0.04);
    for (happens, what, source) in [(text, What::Text, SMS), (push, What::Push, PUSH)] {
        if happens {
            let at = start + script.dice.between(10 * 60, 20 * 60) * MINUTE;
            script.act(at, who, state, what);
            state.wish += 0.05;
            if script.dice.chance((0.12 * kind.tastes[Way::Messages as usize]).min(0.5)) {
                script.visit(at + 30_000_000, who, state, source, 0);
            }
        }
    }
}

/// Former visitors are shown the last advertisement; others are not.
fn advert_rate(state: &Person) -> f64 {
    if state.warm > 0.1 { 1.0 } else { 0.0 }
}
