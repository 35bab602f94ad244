//! What happens in a visit, and what follows from it.
use crate::{
    calendar::Today,
    catalogue::{PAGES, PAYMENT, PRODUCTS, SEARCHES, SOURCES},
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
    /// The index of the person's kind.
    pub(crate) persona: u8,
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
    /// The shop's own search, by the index of what was looked for.
    Search(u8),
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
        service: bool,
    },
    Store(u8),
    /// With the shop's service, before an order or about one.
    Chat {
        order: Option<u32>,
    },
    Text,
    Push,
    /// A tea tasting with somebody who sells.
    Tasting(u8),
    Stall,
    Delivered(u32),
    Survey {
        order: u32,
        score: u8,
    },
    Joined,
    Reward(u32),
    Review {
        product: u8,
        stars: u8,
    },
    Invite,
}

/// Draws acts, and numbers them and the orders.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) dice: Dice,
    pub(crate) acts: Vec<Act>,
    /// The day that is drawn, and its number from the first.
    pub(crate) today: Today,
    pub(crate) day: u32,
    /// Friends who were invited and have not come yet.
    pub(crate) invited: u32,
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
        Self {
            dice: Dice::new(seed),
            acts: Vec::new(),
            today: Today::default(),
            day: 0,
            invited: 0,
            next_act: 0,
            next_order: 100_001,
        }
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
            persona: state.persona,
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
            let what = match self.dice.weighted(&[0.55, 0.35, 0.10]) {
                0 => What::Item(self.product(state)),
                1 => What::Page(self.dice.below(PAGES.len() as u64) as u8),
                _ => What::Search(self.dice.below(SEARCHES.len() as u64) as u8),
            };
            self.act(at, who, state, what);
        }
        if !state.subscribed && self.dice.chance(0.03) {
            at += self.pause();
            state.subscribed = true;
            self.act(at, who, state, What::SignUp);
        }
        // The chance to buy grows with intent, with what touches left and with the season, and never reaches one half.
        let (kind, today) = (state.kind(), self.today);
        let season = 1.0 + kind.gifts * today.gifts + if today.sale { kind.sale } else { 0.0 };
        let odds = 0.012 * state.pull() + 0.20 * state.wish * (0.5 + 0.5 * state.pull());
        let odds = odds * kind.buys * season;
        if self.dice.chance(0.5 * odds / (0.5 + odds)) {
            self.buy(at, who, state);
        } else if self.dice.chance(0.08) {
            if self.today.open && self.dice.chance(0.15) {
                at += self.pause();
                self.act(at, who, state, What::Chat { order: None });
                state.wish += 0.4;
            }
            at += self.pause();
            let product = self.product(state);
            self.act(at, who, state, What::Item(product));
            at += self.pause();
            self.act(at, who, state, What::Cart(product));
        }
    }

    fn buy(&mut self, mut at: Micros, who: Actor, state: &mut Person) {
        let mut basket: Basket = [(0, 0); 3];
        let kind = state.kind();
        let kinds = 1 + self.dice.weighted(&kind.kinds);
        for slot in basket.iter_mut().take(kinds) {
            *slot = (self.product(state), 1 + self.dice.weighted(&[0.75, 0.18, 0.07]) as u8);
            at += self.pause();
            self.act(at, who, state, What::Item(slot.0));
            at += self.pause();
            self.act(at, who, state, What::Cart(slot.0));
        }
        at += self.pause();
        self.act(at, who, state, What::Checkout(basket));
        let order = self.next_order;
        self.next_order += 1;
        if self.dice.chance(kind.coupon) {
            at += self.pause();
            self.act(at, who, state, What::Coupon);
        }
        if state.member && self.dice.chance(0.4) {
            at += self.pause();
            self.act(at, who, state, What::Reward(order));
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
        self.after_order(at, who, state, order, &basket);
        // Who has just bought wants less for a while, and is asked to subscribe.
        state.wish = 0.0;
        state.subscribed |= self.dice.chance(0.3);
    }

    /// What follows an order over the next weeks: delivery, questions, money back, a review, the club, friends.
    fn after_order(&mut self, at: Micros, who: Actor, state: &mut Person, order: u32, basket: &Basket) {
        let kind = state.kind();
        let hours = |script: &mut Self, from: i64, to: i64| script.dice.between(from, to) * (DAY_US / 24);
        let delivered = at + hours(self, 20, 96);
        self.act(delivered, who, state, What::Delivered(order));
        if self.dice.chance(0.07) {
            let at = at + hours(self, 12, 120);
            let about = match self.dice.chance(0.6) {
                true => What::Chat { order: Some(order) },
                false => What::Call { minutes: self.dice.between(2, 20) as u8, service: true },
            };
            self.act(at, who, state, about);
        }
        let refunded = self.dice.chance(kind.refund);
        if self.dice.chance(0.12) {
            let score = if refunded { self.dice.between(0, 7) } else { self.dice.between(6, 10) };
            let at = delivered + hours(self, 24, 96);
            self.act(at, who, state, What::Survey { order, score: score as u8 });
        }
        if refunded {
            let cents = basket_cents(basket);
            let back = if self.dice.chance(0.5) { cents } else { cents * self.dice.between(1, 9) / 10 };
            let at = delivered + hours(self, 24, 12 * 24);
            self.act(at, who, state, What::Refund { order, cents: back });
        } else {
            state.used_up = Some(self.day + self.dice.between(18, 55) as u32);
            if self.dice.chance(kind.tells) {
                let stars = 3 + self.dice.weighted(&[0.1, 0.35, 0.55]) as u8;
                let at = delivered + hours(self, 24, 10 * 24);
                self.act(at, who, state, What::Review { product: basket[0].0, stars });
            }
            if self.dice.chance(0.6 * kind.tells) {
                let at = delivered + hours(self, 24, 20 * 24);
                self.act(at, who, state, What::Invite);
                self.invited += 1;
            }
        }
        state.orders = state.orders.saturating_add(1);
        if !state.member && state.has_account && state.orders >= 2 && self.dice.chance(0.5) {
            state.member = true;
            let at = delivered + hours(self, 2, 48);
            self.act(at, who, state, What::Joined);
        }
    }

    /// A product, by the taste of the person's kind: teas are six, then come four things for the table, then boxes and cards.
    fn product(&mut self, state: &Person) -> u8 {
        let likes = state.kind().likes;
        let group = self.dice.weighted(&[6.0 * likes[0], 4.0 * likes[1], 2.0 * likes[2]]);
        let (first, count) = [(0, 6), (6, 4), (10, 2)][group];
        first + self.dice.below(count) as u8
    }

    /// A look at a page: most are short, some long; never so long that the visit would end.
    fn pause(&mut self) -> Micros {
        let long = self.dice.unit();
        let spread = (long * long * long * 300.0 * SECOND as f64) as Micros;
        4 * SECOND + spread
    }
}
