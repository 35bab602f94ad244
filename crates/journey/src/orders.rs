//! Orders that several people told of: the browser under a cookie, the server under an account, the back office under nobody.
//!
//! Which event counts does not depend on who is who: the first in the order in which journeys read events, as within one person.
use crate::convert::{check, names_event};
use crate::input::{Chunk, Event, Field, RowRef};
use crate::refund::{GivenBack, Refund};
use crate::{Error, Goal, JourneyRules};
use arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// An order number that more people than this told of is none (a constant, a number of every till): it stays each one's own.
pub const TELLERS_MOST: usize = 10;

/// Events about one order that are looked at; of which more are told, that is no number of an order either.
const TELLINGS_MOST: usize = 4096;

/// An order, or a refund of an order that nobody placed, that several people told of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SharedOrder {
    /// The person whose event counts: who told of it first.
    pub person: i64,
    /// What all of them together say was given back.
    pub given_back: GivenBack,
}

/// By order, then by goal. The conversion of the person named there stands for all, net of what was given back; everybody else's
/// events about the order count nothing.
pub type SharedOrders = BTreeMap<String, BTreeMap<String, SharedOrder>>;

/// What [`OrderReader`] found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FoundOrders {
    /// The orders that several people told of.
    pub shared: SharedOrders,
    /// Everyone who tells of an order that is shared now and was not before, or was, or in another way.
    pub changed: BTreeSet<i64>,
    /// Orders that several people placed, without those of which too many told.
    pub several: u64,
    /// Orders of which more than [`TELLERS_MOST`] people told, and the first of them.
    pub crowded: (u64, Option<String>),
}

/// One event about the order at hand.
#[derive(Debug)]
struct Telling {
    person: i64,
    /// The goals that it reaches.
    goals: Vec<usize>,
    /// The goals that know it as a refund.
    refunds: Vec<usize>,
    /// What it says was given back.
    refund: Refund,
}

/// Reads every event with an order, sorted by order and then as journeys are read, and finds the orders that several people told
/// of. Holds the events of one order at a time.
#[derive(Debug)]
pub struct OrderReader<'a> {
    goals: Vec<Goal>,
    before: &'a SharedOrders,
    order: String,
    is_order: bool,
    tellings: Vec<Telling>,
    is_flood: bool,
    found: FoundOrders,
}

impl<'a> OrderReader<'a> {
    /// A reader by these rules; `before` is what was found the last time.
    ///
    /// # Errors
    /// When goals share a name or have no condition.
    pub fn new(rules: &JourneyRules, before: &'a SharedOrders) -> Result<Self, Error> {
        check(&rules.goals)?;
        Ok(Self {
            goals: rules.goals.clone(),
            before,
            order: String::new(),
            is_order: false,
            tellings: vec![],
            is_flood: false,
            found: FoundOrders::default(),
        })
    }

    /// Reads the next events: at least [`crate::INPUT_COLUMNS`]. Orders that `is_order` refuses (placeholders) are never shared.
    ///
    /// # Errors
    /// When a column is missing or of another type.
    pub fn push(&mut self, batch: &RecordBatch, is_order: impl Fn(&str) -> bool) -> Result<(), Error> {
        let chunks = [Chunk::new(batch)?];
        for row in 0..batch.num_rows() {
            let at = RowRef::new(&chunks, 0, row);
            let event = Event::of(&chunks[0], &at);
            let Some(order) = event.text(Field::OrderId) else { continue };
            if order != self.order {
                self.close();
                order.clone_into(&mut self.order);
                self.is_order = is_order(order);
            }
            let goals = self.goals.iter().enumerate();
            let refunds = goals.clone().filter(|(_, goal)| names_event(&goal.refunds, &event));
            let telling = Telling {
                person: chunks[0].person.value(row),
                goals: goals.filter(|(_, goal)| goal.is_reached_by(&event)).map(|(at, _)| at).collect(),
                refunds: refunds.map(|(at, _)| at).collect(),
                refund: Refund::of(&event, false),
            };
            if !(telling.goals.is_empty() && telling.refunds.is_empty()) {
                self.tell(telling);
            }
        }
        Ok(())
    }

    /// What was found.
    #[must_use]
    pub fn finish(mut self) -> FoundOrders {
        self.close();
        self.found
    }

    fn tell(&mut self, telling: Telling) {
        self.tellings.push(telling);
        if self.tellings.len() > TELLINGS_MOST || self.is_flood {
            self.is_flood = true;
            let people = self.tellings.drain(..).map(|telling| telling.person);
            if self.before.contains_key(&self.order) {
                self.found.changed.extend(people);
            }
        }
    }

    /// Judges the order at hand.
    fn close(&mut self) {
        let tellings = std::mem::take(&mut self.tellings);
        let shared = match (std::mem::take(&mut self.is_flood), self.is_order) {
            (true, true) => {
                self.crowd();
                BTreeMap::new()
            }
            (false, true) => self.shared(&tellings),
            (_, false) => BTreeMap::new(),
        };
        let none = BTreeMap::new();
        if self.before.get(&self.order).unwrap_or(&none) != &shared {
            self.found.changed.extend(tellings.iter().map(|telling| telling.person));
        }
        if !shared.is_empty() {
            self.found.shared.insert(self.order.clone(), shared);
        }
    }

    fn crowd(&mut self) {
        self.found.crowded.0 += 1;
        self.found.crowded.1.get_or_insert_with(|| self.order.clone());
    }

    /// What becomes of the order at hand, by goal.
    fn shared(&mut self, tellings: &[Telling]) -> BTreeMap<String, SharedOrder> {
        let mut shared = BTreeMap::new();
        let (mut several, mut crowded) = (false, false);
        let is_placed: Vec<bool> =
            (0..self.goals.len()).map(|goal| tellings.iter().any(|telling| telling.goals.contains(&goal))).collect();
        for (goal, rules) in self.goals.iter().enumerate() {
            // Refunds belong to every goal that counts the order; where none does, to the first that knows their name.
            let gives_back = |telling: &&Telling| match is_placed[goal] {
                true => telling.refunds.contains(&goal),
                false => telling.refunds.first() == Some(&goal) && !telling.refunds.iter().any(|of| is_placed[*of]),
            };
            let buyers = people(tellings.iter().filter(|telling| telling.goals.contains(&goal)));
            let givers = people(tellings.iter().filter(gives_back));
            let everyone: BTreeSet<i64> = buyers.iter().chain(&givers).copied().collect();
            let Some(person) = buyers.first().or(givers.first()) else { continue };
            if buyers.len().max(givers.len()) > TELLERS_MOST {
                crowded = true;
            } else if everyone.len() > 1 {
                several |= buyers.len() > 1;
                let is_fixed = is_placed[goal] && rules.fixed_value.is_some();
                let refunds = tellings.iter().filter(gives_back).map(|telling| telling.refund.clone());
                let refunds: Vec<Refund> =
                    refunds.map(|refund| Refund { amount: refund.amount.filter(|_| !is_fixed), ..refund }).collect();
                let order = SharedOrder { person: *person, given_back: GivenBack::by(&refunds) };
                shared.insert(rules.name.clone(), order);
            }
        }
        self.found.several += u64::from(several);
        if crowded {
            self.crowd();
        }
        shared
    }
}

/// Whose these are, each once, in the order in which they come first.
fn people<'t>(tellings: impl Iterator<Item = &'t Telling>) -> Vec<i64> {
    let mut seen = BTreeSet::new();
    tellings.map(|telling| telling.person).filter(|person| seen.insert(*person)).collect()
}
