//! What was given back for an order: refunds are told more than once, as orders are.
use crate::input::{Event, Field};
use safar_model::{DAY_US, Micros};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// One event that tells of a refund.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refund {
    pub at: Micros,
    /// What was given back; `None`: everything.
    pub amount: Option<f64>,
    /// What numbers the refund, where anything does.
    pub number: Option<String>,
}

impl Refund {
    /// `is_fixed`: of an order that is worth the same always, everything is given back or nothing.
    pub fn of(event: &Event<'_>, is_fixed: bool) -> Self {
        let amount = event.value().filter(|_| !is_fixed).map(f64::abs);
        Self { at: event.at(), amount, number: number(event) }
    }
}

/// The property `refund_id`; else the number in the event's id, where an import of an order system gave it
/// (`shopify:refund:17`, `receipt:4711`).
fn number(event: &Event<'_>) -> Option<String> {
    const PROPERTY: &str = "refund_id";
    let properties = event.text(Field::Properties).filter(|text| text.contains(PROPERTY));
    let told = properties.and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    match told.as_ref().and_then(|told| told.get(PROPERTY)) {
        Some(serde_json::Value::String(text)) if !text.is_empty() => return Some(text.clone()),
        Some(serde_json::Value::Number(number)) => return Some(number.to_string()),
        _ => {}
    }
    let id = event.id();
    let number = id.split_once(":refund:").map(|(_, number)| number).or_else(|| id.strip_prefix("receipt:"));
    number.map(str::to_owned)
}

/// Which of an order's refunds, oldest first, are told for the first time.
///
/// Two are the same one when they have the same number; or when they give back the same amount, at most a day lies between them,
/// and not both have a number. Refunds of everything are one.
pub(crate) fn told_first(refunds: &[Refund]) -> Vec<bool> {
    let mut numbered: HashMap<&str, ()> = HashMap::new();
    // By amount: when the newest of those that count was, and which of them have no number.
    let mut newest: HashMap<u64, Micros> = HashMap::new();
    let mut unnumbered: HashMap<u64, Vec<Micros>> = HashMap::new();
    let mut whole = false;
    let first = refunds.iter().map(|refund| {
        let is_near = |at: &Micros| refund.at - at <= DAY_US;
        let number = refund.number.as_deref();
        if number.is_some_and(|number| numbered.insert(number, ()).is_some()) {
            return false;
        }
        let Some(amount) = refund.amount else { return !std::mem::replace(&mut whole, true) };
        let bits = amount.to_bits();
        let open = unnumbered.entry(bits).or_default();
        if number.is_some() {
            // The browser told of it without a number.
            if open.last().is_some_and(is_near) {
                open.pop();
                return false;
            }
        } else {
            if newest.get(&bits).is_some_and(is_near) {
                return false;
            }
            open.push(refund.at);
        }
        newest.insert(bits, refund.at);
        true
    });
    first.collect()
}

/// All that was given back for one order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GivenBack {
    /// The sum of the refunds that name an amount.
    pub amount: f64,
    /// Whether a refund names none: then everything was given back (Google Analytics, Segment).
    pub whole: bool,
    /// Events that told of a refund again.
    pub again: u64,
}

impl GivenBack {
    /// What these refunds, oldest first, give back.
    pub(crate) fn by(refunds: &[Refund]) -> Self {
        let mut given = Self::default();
        for (refund, first) in refunds.iter().zip(told_first(refunds)) {
            match refund.amount {
                _ if !first => given.again += 1,
                Some(amount) => given.amount += amount,
                None => given.whole = true,
            }
        }
        given
    }

    /// What it takes off an order worth `gross`.
    pub(crate) fn of(self, gross: f64) -> f64 {
        if self.whole && self.amount <= gross.max(0.0) { gross } else { self.amount }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refund(hours: i64, amount: Option<f64>, number: Option<&str>) -> Refund {
        Refund { at: hours * DAY_US / 24, amount, number: number.map(str::to_owned) }
    }

    fn given(refunds: &[Refund]) -> (f64, bool, u64) {
        let GivenBack { amount, whole, again } = GivenBack::by(refunds);
        (amount, whole, again)
    }

    #[test]
    fn a_refund_told_again_counts_once_and_parts_count_each() {
        let ten = |hours, number| refund(hours, Some(10.0), number);
        assert_eq!(given(&[ten(0, None), ten(1, None)]), (10.0, false, 1));
        assert_eq!(given(&[ten(0, None), ten(25, None)]), (20.0, false, 0), "a day later it is another one");
        assert_eq!(given(&[ten(0, None), refund(1, Some(5.0), None)]), (15.0, false, 0));
        assert_eq!(given(&[ten(0, Some("1")), ten(1, Some("2"))]), (20.0, false, 0));
        assert_eq!(given(&[ten(0, Some("1")), ten(99, Some("1"))]), (10.0, false, 1));
        // Two parts, each told by the browser and by the shop's system.
        let both = [ten(0, None), ten(1, Some("1")), ten(2, None), ten(3, Some("2"))];
        assert_eq!(given(&both), (20.0, false, 2));
    }

    #[test]
    fn without_an_amount_everything_is_given_back() {
        let all = || refund(0, None, None);
        assert_eq!(given(&[all(), all()]), (0.0, true, 1));
        assert_eq!(GivenBack::by(&[all()]).of(30.0), 30.0);
        assert_eq!(GivenBack::by(&[refund(0, Some(12.0), None), all()]).of(30.0), 30.0);
        assert_eq!(GivenBack::by(&[refund(0, Some(40.0), None), all()]).of(30.0), 40.0);
        assert_eq!(GivenBack::by(&[all()]).of(-30.0), -30.0);
        assert_eq!(GivenBack::default().of(30.0), 0.0);
    }
}
