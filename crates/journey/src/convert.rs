//! Conversions: events that reached a goal, each order once, net of refunds.
use crate::input::{Event, Field, PersonRows, VISITOR, page_path};
use crate::orders::{SharedOrder, SharedOrders};
use crate::refund::{GivenBack, Refund, told_first};
use crate::rules::{Count, Goal, Must};
use crate::session::NO_SESSION;
use crate::{Error, Findings, JourneyRules, OrphanRefund};
use hashbrown::HashMap;
use safar_model::{Interaction, Micros};
use serde_json::Value;

/// One conversion; `seq` is the place of its event in the person's rows.
#[derive(Clone, Debug)]
pub(crate) struct Conversion {
    pub goal: u32,
    pub seq: u32,
    pub at: Micros,
    pub gross: f64,
    pub refunded: f64,
    /// A refund whose order nobody of this person placed: money, no conversion.
    pub is_orphan_refund: bool,
}

/// Finds the conversions of one person after the other.
#[derive(Debug)]
pub(crate) struct Converter {
    goals: Vec<Goal>,
    currency: String,
    // By order, then by number of the goal.
    shared: HashMap<String, Vec<(u32, SharedOrder)>, foldhash::fast::FixedState>,
    // Conversions of the current person by goal and order id, or `UNCOUNTED`; the hash is 64-bit xxh3.
    orders: HashMap<(u32, u64), u32, foldhash::fast::FixedState>,
    refunds: Vec<(u32, u32)>,
    // Refunds of own orders, by conversion.
    given_back: Vec<(u32, Refund)>,
    // Refunds of orders that nobody placed, by goal and order.
    unknown: Vec<(u32, u64, u32)>,
    // What they give back, by place.
    orphans: Vec<(u32, u32, f64)>,
}

/// In the place of a conversion: the order is known, and the goal does not count it.
const UNCOUNTED: u32 = u32::MAX;

/// Whether goals can be used.
pub(crate) fn check(goals: &[Goal]) -> Result<(), Error> {
    for (index, goal) in goals.iter().enumerate() {
        if goal.name.is_empty() || goals[..index].iter().any(|other| other.name == goal.name) {
            return Err(Error::GoalName { name: goal.name.clone() });
        }
        if goal.asks_for_nothing() {
            return Err(Error::GoalWithoutCondition { name: goal.name.clone() });
        }
    }
    Ok(())
}

impl Converter {
    pub fn new(rules: &JourneyRules, shared: &SharedOrders) -> Result<Self, Error> {
        check(&rules.goals)?;
        let number = |name: &String| rules.goals.iter().position(|goal| goal.name == *name);
        let shared = shared.iter().map(|(order, goals)| {
            let goals = goals.iter().filter_map(|(name, shared)| Some((number(name)? as u32, *shared)));
            (order.clone(), goals.collect())
        });
        Ok(Self {
            goals: rules.goals.clone(),
            currency: rules.currency.clone(),
            shared: shared.collect(),
            orders: HashMap::default(),
            refunds: vec![],
            given_back: vec![],
            unknown: vec![],
            orphans: vec![],
        })
    }

    /// What others tell of the order, too.
    fn shared(&self, goal: u32, order: &str) -> Option<SharedOrder> {
        if self.shared.is_empty() {
            return None;
        }
        self.shared.get(order)?.iter().find(|(of, _)| *of == goal).map(|(_, shared)| *shared)
    }

    /// Fills `found` with the person's conversions in the order of their events.
    pub fn run(&mut self, rows: PersonRows<'_>, running: &[u32], found: &mut Vec<Conversion>, findings: &mut Findings) {
        found.clear();
        self.orders.clear();
        self.refunds.clear();
        for (seq, event) in rows.iter().enumerate() {
            for goal in 0..self.goals.len() {
                if self.goals[goal].is_reached_by(&event) {
                    self.add(goal, seq, rows, running, found, findings);
                }
            }
            // A refund belongs to every goal that counts its order; without an order, to the first that names it.
            if let Some(goal) = self.goals.iter().position(|goal| names_event(&goal.refunds, &event)) {
                self.refunds.push((goal as u32, seq as u32));
            }
        }
        for index in 0..self.refunds.len() {
            let (goal, seq) = self.refunds[index];
            self.refund(goal, seq, rows);
        }
        self.give_back(found, findings);
        self.give_back_unknown(rows, findings);
        self.orphans.sort_unstable_by_key(|(seq, ..)| *seq);
        for (seq, goal, amount) in self.orphans.drain(..) {
            orphan(rows, goal, seq, amount, found, findings);
        }
        found.sort_by_key(|conversion| conversion.at);
    }

    fn add(
        &mut self,
        goal: usize,
        seq: usize,
        rows: PersonRows<'_>,
        running: &[u32],
        found: &mut Vec<Conversion>,
        findings: &mut Findings,
    ) {
        let (rules, event) = (&self.goals[goal], rows.get(seq));
        let gross = rules.fixed_value.unwrap_or_else(|| event.value().unwrap_or(0.0));
        let order = event.text(Field::OrderId);
        let key = order.map(|order| (goal as u32, hash(order)));
        let shared = order.and_then(|order| self.shared(goal as u32, order));
        if shared.is_some_and(|shared| shared.person != rows.person) {
            findings.orders_of_others += 1;
            return;
        }
        if let Some(earlier) = key.and_then(|key| self.orders.get(&key)) {
            findings.duplicate_orders += 1;
            if found.get(*earlier as usize).is_some_and(|earlier| earlier.gross != gross) {
                findings.differing_duplicates += 1;
            }
            return;
        }
        let mut same_goal = found.iter().rev().filter(|other| other.goal == goal as u32);
        let counted = match rules.count {
            Count::Every => false,
            Count::OncePerPerson => same_goal.next().is_some(),
            Count::OncePerSession => {
                let last = same_goal.map(|other| running[other.seq as usize]).find(|session| *session != NO_SESSION);
                running[seq] != NO_SESSION && last == Some(running[seq])
            }
        };
        if let Some(key) = key {
            self.orders.insert(key, if counted { UNCOUNTED } else { found.len() as u32 });
        }
        if counted {
            return;
        }
        findings.negative_conversions += u64::from(gross < 0.0);
        if let Some(currency) = event.text(Field::Currency)
            && !currency.eq_ignore_ascii_case(&self.currency)
        {
            *findings.other_currencies.entry(currency.to_owned()).or_default() += 1;
        }
        let given_back = shared.map(|shared| shared.given_back).unwrap_or_default();
        let refunded = given_back.of(gross);
        findings.refunds_again += given_back.again;
        findings.refunds_above_value += u64::from(refunded > gross.max(0.0));
        let at = event.at();
        found.push(Conversion { goal: goal as u32, seq: seq as u32, at, gross, refunded, is_orphan_refund: false });
    }

    /// Finds out what a refund belongs to.
    fn refund(&mut self, first_goal: u32, seq: u32, rows: PersonRows<'_>) {
        let event = rows.get(seq as usize);
        let Some(order) = event.text(Field::OrderId) else {
            self.orphans.push((seq, first_goal, event.value().map_or(0.0, f64::abs)));
            return;
        };
        let key = hash(order);
        let mut matched = false;
        for (goal, rules) in self.goals.iter().enumerate().filter(|(_, goal)| names_event(&goal.refunds, &event)) {
            let own = self.orders.get(&(goal as u32, key)).copied();
            match (self.shared(goal as u32, order), own) {
                // Counted where the order counts.
                (Some(shared), own) => matched |= own.is_some() || shared.person != rows.person,
                (None, Some(index)) => {
                    matched = true;
                    if index != UNCOUNTED {
                        self.given_back.push((index, Refund::of(&event, rules.fixed_value.is_some())));
                    }
                }
                (None, None) => {}
            }
        }
        if !matched {
            self.unknown.push((first_goal, key, seq));
        }
    }

    /// Takes refunds off the person's own orders.
    fn give_back(&mut self, found: &mut [Conversion], findings: &mut Findings) {
        self.given_back.sort_by_key(|(index, _)| *index);
        for refunds in self.given_back.chunk_by(|a, b| a.0 == b.0) {
            let conversion = &mut found[refunds[0].0 as usize];
            let refunds: Vec<Refund> = refunds.iter().map(|(_, refund)| refund.clone()).collect();
            let given_back = GivenBack::by(&refunds);
            conversion.refunded = given_back.of(conversion.gross);
            findings.refunds_again += given_back.again;
            findings.refunds_above_value += u64::from(conversion.refunded > conversion.gross.max(0.0));
        }
        self.given_back.clear();
    }

    /// Gathers what is given back for orders that nobody placed.
    fn give_back_unknown(&mut self, rows: PersonRows<'_>, findings: &mut Findings) {
        let mut unknown = std::mem::take(&mut self.unknown);
        unknown.sort_by_key(|(goal, order, _)| (*goal, *order));
        for refunds in unknown.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let (goal, _, first) = refunds[0];
            let order = rows.get(first as usize).text(Field::OrderId).unwrap_or_default();
            if let Some(SharedOrder { given_back, .. }) = self.shared(goal, order) {
                findings.refunds_again += given_back.again;
                self.orphans.push((first, goal, given_back.amount));
                continue;
            }
            let told: Vec<Refund> = refunds.iter().map(|at| Refund::of(&rows.get(at.2 as usize), false)).collect();
            for ((at, refund), first) in refunds.iter().zip(&told).zip(told_first(&told)) {
                if first {
                    self.orphans.push((at.2, goal, refund.amount.unwrap_or(0.0)));
                } else {
                    findings.refunds_again += 1;
                }
            }
        }
        unknown.clear();
        self.unknown = unknown;
    }
}

/// A refund of an order that nobody placed: money without a conversion.
fn orphan(
    rows: PersonRows<'_>,
    goal: u32,
    seq: u32,
    amount: f64,
    found: &mut Vec<Conversion>,
    findings: &mut Findings,
) {
    let event = rows.get(seq as usize);
    findings.orphan_refunds.push(OrphanRefund {
        person_id: rows.person,
        occurred_at: event.at(),
        event_id: event.id().to_owned(),
        order_id: event.text(Field::OrderId).map(str::to_owned),
        amount,
    });
    if amount > 0.0 {
        let at = event.at();
        found.push(Conversion { goal, seq, at, gross: 0.0, refunded: amount, is_orphan_refund: true });
    }
}

fn hash(order: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64(order.as_bytes())
}

pub(crate) fn names_event(names: &[String], event: &Event<'_>) -> bool {
    let name = event.text(Field::Name).unwrap_or_default();
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

impl Goal {
    /// Whether all conditions hold; the cheap ones are asked first.
    pub(crate) fn is_reached_by(&self, event: &Event<'_>) -> bool {
        (self.events.is_empty() || names_event(&self.events, event))
            && (self.interactions.is_empty() || self.interactions.contains(&event.interaction()))
            && (self.pages.is_empty() || self.is_page(event))
            && self.tests.iter().all(|test| test.must.holds(&test.field, event))
    }

    fn is_page(&self, event: &Event<'_>) -> bool {
        let path = event.text(Field::PageUrl).map(page_path);
        event.interaction() != Interaction::Impression
            && path.is_some_and(|path| self.pages.iter().any(|page| fits(page, path)))
    }
}

impl Must {
    fn holds(&self, field: &str, event: &Event<'_>) -> bool {
        if field == "value" {
            return match (self, event.value()) {
                (Self::Exist(yes), value) => *yes == value.is_some(),
                (Self::Exceed(least), Some(value)) => value > *least,
                (Self::StayBelow(most), Some(value)) => value < *most,
                (Self::Be(texts), Some(value)) => texts.iter().any(|text| text.parse() == Ok(value)),
                _ => false,
            };
        }
        match Field::named(field) {
            // What the event says about its visitor may stand in a property of that name alone.
            Some(column) if !VISITOR.contains(&column) || event.text(column).is_some() => {
                self.holds_for(event.text(column))
            }
            _ => {
                let parsed = event.text(Field::Properties).and_then(|json| serde_json::from_str::<Value>(json).ok());
                match parsed.as_ref().and_then(|properties| properties.get(field)) {
                    None | Some(Value::Null) => self.holds_for(None),
                    Some(Value::String(text)) => self.holds_for(Some(text)),
                    Some(other) => self.holds_for(Some(&other.to_string())),
                }
            }
        }
    }

    fn holds_for(&self, text: Option<&str>) -> bool {
        let number = || text.and_then(|text| text.trim().parse::<f64>().ok());
        match self {
            Self::Be(texts) => text.is_some_and(|text| texts.iter().any(|known| known == text)),
            Self::Contain(part) => text.is_some_and(|text| text.contains(part.as_str())),
            Self::Exceed(least) => number().is_some_and(|number| number > *least),
            Self::StayBelow(most) => number().is_some_and(|number| number < *most),
            Self::Exist(yes) => *yes == text.is_some(),
        }
    }
}

/// Whether `text` fits `pattern`, in which `*` stands for any text.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_in_a_page_stands_for_any_text() {
        let cases = [
            ("/thanks", "/thanks", true),
            ("/thanks", "/thanks/1", false),
            ("/thanks*", "/thanks/1", true),
            ("*/thanks", "/de/thanks", true),
            ("/*/order/*/done", "/de/order/7/done", true),
            ("/*/order/*/done", "/de/order/done", false),
            ("*", "/", true),
            ("/a*a", "/a", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }
}
