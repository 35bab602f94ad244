//! What happens in a visit, and what follows from it.
use crate::{
    catalogue::{PAGES, PAYMENT, PRODUCTS, SOURCES},
    dice::Dice,
    person::Person,
};
use safar_model::{DAY_US, Micros};

pub(crate) const SECOND: Micros = 1_000_000;
pub(crate) const MINUTE: Micros = 60 * SECOND;

/// Up to three products and how many of each; 0: none.
pub(crate) type Basket = [(u8, u8); 3];

/// An event in short.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Act {
    pub(crate) at: Micros,
    /// In the order of drawing; unique.
    pub(crate) number: u64,
    pub(crate) person: u32,
    pub(crate) device: u8,
    /// Of the device's cookie, at that time.
    pub(crate) lost: u8,
    /// Whether the browser knows the account.
    pub(crate) logged_in: bool,
    pub(crate) consent: u8,
    pub(crate) what: What,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    /// The first page of a visit, from a source; e-mail links bring the number of the mailing.
    Landing {
        source: u8,
        mailing: u32,
    },
    Page(u8),
    /// A product's page is seen.
    Item(u8),
    Cart(u8),
    Checkout(Basket),
    /// Back from the payment provider.
    Paid {
        order: u32,
        provider: u8,
    },
    /// A printed leaflet's code is typed in.
    Coupon,
    Purchase {
        order: u32,
        basket: Basket,
        by_server: bool,
    },
    Refund {
        order: u32,
        cents: i64,
    },
    SignUp,
    Login,
    Sent(u32),
    Opened(u32),
    Shown(u8),
    Call {
        minutes: u8,
    },
    Store(u8),
}

/// Draws acts, and numbers them and the orders.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) dice: Dice,
    pub(crate) acts: Vec<Act>,
    next_act: u64,
    next_order: u32,
}

/// Who does it, and with what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Actor {
    pub(crate) person: u32,
    pub(crate) device: u8,
}

pub(crate) fn basket_cents(basket: &Basket) -> i64 {
    basket.iter().map(|&(product, count)| PRODUCTS[usize::from(product)].cents * i64::from(count)).sum()
}

impl Script {
    pub(crate) fn new(seed: u64) -> Self {
        Self { dice: Dice::new(seed), acts: Vec::new(), next_act: 0, next_order: 100_001 }
    }

    pub(crate) fn act(&mut self, at: Micros, who: Actor, state: &Person, what: What) {
        let device = usize::from(who.device);
        self.acts.push(Act {
            at,
            number: self.next_act,
            person: who.person,
            device: who.device,
            lost: state.lost[device],
            logged_in: state.logged_in[device],
            consent: state.consent,
            what,
        });
        self.next_act += 1;
    }

    /// One visit; changes what the person knows and wants.
    pub(crate) fn visit(&mut self, mut at: Micros, who: Actor, state: &mut Person, source: usize, mailing: u32) {
        let device = usize::from(who.device);
        if self.dice.chance(0.02) {
            state.lost[device] = state.lost[device].saturating_add(1);
            state.logged_in[device] = false;
        }
        self.act(at, who, state, What::Landing { source: source as u8, mailing });
        state.wish += SOURCES[source].effect;
        state.warm = (state.warm + 0.5).min(1.5);
        if self.dice.chance(0.35) {
            return; // looked and left
        }
        if state.has_account && !state.logged_in[device] && self.dice.chance(0.25) {
            at += self.pause();
            state.logged_in[device] = true;
            self.act(at, who, state, What::Login);
        }
        while self.dice.chance(0.55) {
            at += self.pause();
            let what = if self.dice.chance(0.6) {
                What::Item(self.dice.below(PRODUCTS.len() as u64) as u8)
            } else {
                What::Page(self.dice.below(PAGES.len() as u64) as u8)
            };
            self.act(at, who, state, what);
        }
        if !state.subscribed && self.dice.chance(0.03) {
            at += self.pause();
            state.subscribed = true;
            self.act(at, who, state, What::SignUp);
        }
        // The chance to buy grows with intent and with what touches left, and never reaches one half.
        let odds = 0.012 * state.pull() + 0.20 * state.wish * (0.5 + 0.5 * state.pull());
        if self.dice.chance(0.5 * odds / (0.5 + odds)) {
            self.buy(at, who, state);
        } else if self.dice.chance(0.08) {
            at += self.pause();
            let product = self.dice.below(PRODUCTS.len() as u64) as u8;
            self.act(at, who, state, What::Item(product));
            at += self.pause();
            self.act(at, who, state, What::Cart(product));
        }
    }

    fn buy(&mut self, mut at: Micros, who: Actor, state: &mut Person) {
        let mut basket: Basket = [(0, 0); 3];
        let kinds = 1 + self.dice.weighted(&[0.6, 0.28, 0.12]);
        for slot in basket.iter_mut().take(kinds) {
            *slot = (self.dice.below(PRODUCTS.len() as u64) as u8, 1 + self.dice.weighted(&[0.75, 0.18, 0.07]) as u8);
            at += self.pause();
            self.act(at, who, state, What::Item(slot.0));
            at += self.pause();
            self.act(at, who, state, What::Cart(slot.0));
        }
        at += self.pause();
        self.act(at, who, state, What::Checkout(basket));
        let order = self.next_order;
        self.next_order += 1;
        if self.dice.chance(0.06) {
            at += self.pause();
            self.act(at, who, state, What::Coupon);
        }
        at += MINUTE + self.pause();
        if self.dice.chance(0.6) {
            let provider = self.dice.below(PAYMENT.len() as u64) as u8;
            self.act(at, who, state, What::Paid { order, provider });
        }
        // Told by both, by the server only (blocked tags), by the browser only (a lost message).
        let told = self.dice.weighted(&[0.68, 0.28, 0.04]);
        if told != 1 {
            self.act(at + SECOND, who, state, What::Purchase { order, basket, by_server: false });
        }
        if told != 2 {
            let at = at + self.dice.between(1, 9) * SECOND;
            self.act(at, who, state, What::Purchase { order, basket, by_server: true });
        }
        if self.dice.chance(0.06) {
            let cents = basket_cents(&basket);
            let back = if self.dice.chance(0.5) { cents } else { cents * self.dice.between(1, 9) / 10 };
            let at = at + self.dice.between(2 * 24, 15 * 24) * (DAY_US / 24);
            self.act(at, who, state, What::Refund { order, cents: back });
        }
        // Who has just bought wants less for a while, and is asked to subscribe.
        state.wish = 0.0;
        state.subscribed |= self.dice.chance(0.3);
    }

    /// A look at a page: most are short, some long; never so long that the visit would end.
    fn pause(&mut self) -> Micros {
        let long = self.dice.unit();
        let spread = (long * long * long * 300.0 * SECOND as f64) as Micros;
        4 * SECOND + spread
    }
}
