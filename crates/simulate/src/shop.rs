//! Day by day, everybody's touches; then the day in the order of time.
use crate::{
    catalogue::{ADVERTS, DAY, EMAIL, RETARGETING, SOURCES, STORES, WEEK},
    event::SimEvent,
    person::Person,
    session::{Act, Actor, MINUTE, Script, What},
    tale::Tale,
};
use safar_model::{DAY_US, Micros};
use std::collections::BTreeMap;

/// Instants that have a year of four digits.
const START_MIN: Micros = 0;
const START_MAX: Micros = 250_000_000_000_000_000;

/// A shop, its visitors and a stretch of time.
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
        let people = (0..self.people).map(|_| Person::draw(&mut script.dice)).collect();
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
            if self.next_day >= self.shop.days {
                return false;
            }
            self.draw_day();
        }
    }

    fn draw_day(&mut self) {
        let start = self.shop.start + Micros::from(self.next_day) * DAY_US;
        self.next_day += 1;
        let weekday = ((start / DAY_US + 4) % 7) as usize; // the epoch was a Thursday, Sunday is 0
        for person in 0..self.shop.people {
            let state = &mut self.people[person as usize];
            draw_person(&mut self.script, person, state, start, weekday);
        }
        let mut today = self.later.remove(&start).unwrap_or_default();
        for act in self.script.acts.drain(..) {
            let day = act.at - act.at.rem_euclid(DAY_US);
            if day == start { &mut today } else { self.later.entry(day).or_default() }.push(act);
        }
        today.sort_unstable_by_key(|act| (act.at, act.number));
        self.today = today.into_iter();
    }
}

/// An instant of the day, busy hours more often.
fn moment(script: &mut Script, start: Micros) -> Micros {
    let hour = script.dice.weighted(&DAY) as i64;
    start + hour * 60 * MINUTE + script.dice.between(0, 60 * MINUTE - 1)
}

fn draw_person(script: &mut Script, person: u32, state: &mut Person, start: Micros, weekday: usize) {
    state.fade();
    let busy = WEEK[weekday];
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
    let mut rates = [0.0; SOURCES.len()];
    let pull = state.pull();
    for (rate, source) in rates.iter_mut().zip(&SOURCES) {
        *rate = source.rate * busy * ((1.0 + source.intent * (pull - 1.0)).max(0.1) + source.brand * state.brand);
    }
    if script.dice.chance(rates.iter().sum::<f64>().min(0.9)) {
        let source = script.dice.weighted(&rates);
        let device = script.dice.below(u64::from(state.devices)) as u8;
        let at = moment(script, start);
        script.visit(at, who(device), state, source, 0);
    }
    if script.dice.chance(0.0015 + 0.006 * state.warm) {
        let at = start + script.dice.between(8 * 60, 18 * 60) * MINUTE;
        let minutes = script.dice.between(1, 15) as u8;
        script.act(at, who(0), state, What::Call { minutes });
        state.wish += 0.6;
    }
    if state.near_store && weekday != 0 && script.dice.chance(0.004 + 0.012 * state.warm) {
        let at = start + script.dice.between(9 * 60, 19 * 60) * MINUTE;
        let store = script.dice.below(STORES.len() as u64) as u8;
        script.act(at, who(0), state, What::Store(store));
        state.wish += 0.8;
    }
}

/// Former visitors are shown the last advertisement; others are not.
fn advert_rate(state: &Person) -> f64 {
    if state.warm > 0.1 { 1.0 } else { 0.0 }
}
