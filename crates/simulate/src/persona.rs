//! Four kinds of people: where they come from, when and what they buy, and whether they come back.

/// What leads to the shop, as far as tastes differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Direct,
    Brand,
    Search,
    Social,
    Deals,
    Organic,
    Reviews,
    Assistants,
    Messages,
}

/// How many ways there are.
pub(crate) const WAYS: usize = 9;

/// A kind of people. Factors are beside an average visitor.
#[derive(Debug)]
pub(crate) struct Persona {
    /// As it stands in the property `persona`.
    pub(crate) word: &'static str,
    /// The part of all people.
    pub(crate) share: f64,
    /// What is added to how much they mean to buy, which has a mean of 0 and a variance of 1.
    pub(crate) intent: f64,
    /// How often they come by each [`Way`].
    pub(crate) tastes: [f64; WAYS],
    /// How often a visit ends in an order.
    pub(crate) buys: f64,
    /// How much more they buy before occasions for presents, and in a sale.
    pub(crate) gifts: f64,
    pub(crate) sale: f64,
    /// The wish that comes back when what they bought is used up.
    pub(crate) again: f64,
    /// The chance of one, two or three different products in a basket.
    pub(crate) kinds: [f64; 3],
    /// How much of each product they buy: teas, pots and cups and kettle, boxes and gift cards.
    pub(crate) likes: [f64; 3],
    /// The chance that an order has a leaflet's code, comes back, and is talked about.
    pub(crate) coupon: f64,
    pub(crate) refund: f64,
    pub(crate) tells: f64,
    /// How many have an account, and subscribe to mailings.
    pub(crate) account: f64,
    pub(crate) subscribed: f64,
}

#[rustfmt::skip]
pub(crate) const PERSONAS: [Persona; 4] = [
    //                                                 direct brand search social deals organic reviews assist messages
    Persona { word: "deal_hunter", share: 0.28, intent: -0.1, tastes: [0.6, 0.8, 1.3, 0.9, 4.0, 0.8, 0.6, 0.7, 1.4], buys: 0.50, gifts: 0.2, sale: 2.5, again: 0.25, kinds: [0.70, 0.22, 0.08], likes: [2.0, 0.4, 0.6], coupon: 0.30, refund: 0.11, tells: 0.04, account: 0.40, subscribed: 0.25 },
    Persona { word: "loyal",       share: 0.17, intent:  0.5, tastes: [2.2, 1.6, 0.6, 0.7, 0.4, 0.9, 0.7, 0.5, 1.8], buys: 1.20, gifts: 0.2, sale: 0.2, again: 1.00, kinds: [0.35, 0.40, 0.25], likes: [2.5, 0.5, 0.5], coupon: 0.02, refund: 0.02, tells: 0.22, account: 0.80, subscribed: 0.55 },
    Persona { word: "researcher",  share: 0.30, intent:  0.1, tastes: [0.8, 0.7, 0.8, 0.6, 0.5, 1.7, 2.4, 2.6, 0.7], buys: 0.38, gifts: 0.1, sale: 0.3, again: 0.40, kinds: [0.62, 0.28, 0.10], likes: [1.0, 2.2, 0.4], coupon: 0.03, refund: 0.05, tells: 0.14, account: 0.45, subscribed: 0.15 },
    Persona { word: "gift_buyer",  share: 0.25, intent: -0.2, tastes: [0.6, 0.9, 1.2, 1.9, 0.8, 0.8, 0.7, 1.0, 0.8], buys: 0.28, gifts: 3.0, sale: 0.4, again: 0.08, kinds: [0.72, 0.22, 0.06], likes: [0.3, 0.9, 3.0], coupon: 0.04, refund: 0.09, tells: 0.05, account: 0.20, subscribed: 0.08 },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_of_one_kind() {
        assert!((PERSONAS.iter().map(|persona| persona.share).sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(PERSONAS.iter().all(|persona| (persona.kinds.iter().sum::<f64>() - 1.0).abs() < 1e-12));
    }
}
