//! Conversions: events that reached a goal, each order once, net of refunds.
use crate::input::{Event, Field, PersonRows, VISITOR, page_path};
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

/// Money given back for orders that another person's event placed: amounts by order id.
///
/// Whoever knows all people (the pipeline) fills it. The conversion with the order id is reduced by the amount, and
/// refund events with the order id are left out, whoever sent them.
pub type SharedRefunds = std::collections::HashMap<String, f64>;

/// Finds the conversions of one person after the other.
#[derive(Debug)]
pub(crate) struct Converter {
    goals: Vec<Goal>,
    currency: String,
    shared: SharedRefunds,
    // Conversions of the current person by goal and order id; the hash is 64-bit xxh3.
    orders: HashMap<(u32, u64), u32, foldhash::fast::FixedState>,
    refunds: Vec<(u32, u32)>,
}

impl Converter {
    pub fn new(rules: &JourneyRules, shared: SharedRefunds) -> Result<Self, Error> {
        for (index, goal) in rules.goals.iter().enumerate() {
            if goal.name.is_empty() || rules.goals[..index].iter().any(|other| other.name == goal.name) {
                return Err(Error::GoalName { name: goal.name.clone() });
            }
            if goal.asks_for_nothing() {
                return Err(Error::GoalWithoutCondition { name: goal.name.clone() });
            }
        }
        Ok(Self {
            goals: rules.goals.clone(),
            currency: rules.currency.clone(),
            shared,
            orders: HashMap::default(),
            refunds: vec![],
        })
    }

    /// Fills `found` with the person's conversions in the order of their events.
    pub fn run(&mut self, rows: PersonRows<'_>, running: &[u32], found: &mut Vec<Conversion>, findings: &mut Findings) {
        found.clear();
        self.orders.clear();
        self.refunds.clear();
        for (seq, event) in rows.iter().enumerate() {
            for goal in 0..self.goals.len() {
                if self.goals[goal].is_reached_by(&event) {
                    self.add(goal, seq, &event, running, found, findings);
                }
            }
            // A refund belongs to every goal that counts its order; without an order, to the first that names it.
            if let Some(goal) = self.goals.iter().position(|goal| names_event(&goal.refunds, &event)) {
                self.refunds.push((goal as u32, seq as u32));
            }
        }
        for index in 0..self.refunds.len() {
            let (goal, seq) = self.refunds[index];
            self.refund(goal, seq, rows, found, findings);
        }
        found.sort_by_key(|conversion| conversion.at);
    }

    fn add(
        &mut self,
        goal: usize,
        seq: usize,
        event: &Event<'_>,
        running: &[u32],
        found: &mut Vec<Conversion>,
        findings: &mut Findings,
    ) {
        let rules = &self.goals[goal];
        let gross = rules.fixed_value.unwrap_or_else(|| event.value().unwrap_or(0.0));
        let order = event.text(Field::OrderId);
        if let Some(order) = order
            && let Some(earlier) = self.orders.get(&(goal as u32, hash(order)))
        {
            findings.duplicate_orders += 1;
            if found[*earlier as usize].gross != gross {
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
        if counted {
            return;
        }
        if let Some(currency) = event.text(Field::Currency)
            && !currency.eq_ignore_ascii_case(&self.currency)
        {
            *findings.other_currencies.entry(currency.to_owned()).or_default() += 1;
        }
        let refunded = match order {
            Some(order) if !self.shared.is_empty() => self.shared.get(order).copied().unwrap_or(0.0),
            _ => 0.0,
        };
        if let Some(order) = order {
            self.orders.insert((goal as u32, hash(order)), found.len() as u32);
        }
        let at = event.at();
        found.push(Conversion { goal: goal as u32, seq: seq as u32, at, gross, refunded, is_orphan_refund: false });
    }

    fn refund(
        &self,
        first_goal: u32,
        seq: u32,
        rows: PersonRows<'_>,
        found: &mut Vec<Conversion>,
        findings: &mut Findings,
    ) {
        let event = rows.get(seq as usize);
        let order = event.text(Field::OrderId);
        if order.is_some_and(|order| self.shared.contains_key(order)) {
            return;
        }
        let mut matched = false;
        if let Some(order) = order {
            let key = hash(order);
            for (goal, rules) in self.goals.iter().enumerate() {
                if let Some(index) = self.orders.get(&(goal as u32, key))
                    && names_event(&rules.refunds, &event)
                {
                    let conversion = &mut found[*index as usize];
                    // Without a value the whole order is given back (Google Analytics, Segment), and so is a fixed value.
                    let left = conversion.gross - conversion.refunded;
                    let amount = if rules.fixed_value.is_some() { None } else { event.value() };
                    conversion.refunded += amount.map_or(left, f64::abs);
                    findings.refunds_above_value += u64::from(conversion.refunded > conversion.gross);
                    matched = true;
                }
            }
        }
        if matched {
            return;
        }
        let amount = event.value().map_or(0.0, f64::abs);
        findings.orphan_refunds.push(OrphanRefund {
            person_id: rows.person,
            occurred_at: event.at(),
            event_id: event.id().to_owned(),
            order_id: order.map(str::to_owned),
            amount,
        });
        if amount > 0.0 {
            let at = event.at();
            found.push(Conversion { goal: first_goal, seq, at, gross: 0.0, refunded: amount, is_orphan_refund: true });
        }
    }
}

fn hash(order: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64(order.as_bytes())
}

fn names_event(names: &[String], event: &Event<'_>) -> bool {
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
