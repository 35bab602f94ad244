//! Acts to events.
use crate::{
    SimEvent,
    catalogue::{ADVERTS, MAILINGS, PAGES, PAYMENT, PRODUCTS, Product, SEARCHES, SOURCES, STORES},
    person::{CONSENTS, DEVICE_WORDS, cookie, email, hex, phone, scramble},
    persona::PERSONAS,
    session::{Act, Basket, What, basket_cents},
};
use safar_model::DAY_US;
use std::fmt::Write as _;

const SITE: &str = "https://shop.example";
const CURRENCY: &str = "EUR";

/// Tells acts as events.
#[derive(Clone, Debug)]
pub(crate) struct Tale {
    seed: u64,
}

impl Tale {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed }
    }

    pub(crate) fn tell(&self, act: &Act, event: &mut SimEvent) {
        event.clear();
        event.occurred_at = act.at;
        event.person = act.person;
        hex(&mut event.event_id, scramble(act.number), 16);
        event.interaction = "none";
        match act.what {
            What::Landing { source, mailing } => self.landing(act, event, usize::from(source), mailing),
            What::Page(page) => self.page(act, event, PAGES[usize::from(page)]),
            What::Item(product) => {
                self.on_product(act, event, "view_item", product);
                event.interaction = "visit";
            }
            What::Search(term) => {
                self.on_page(act, event, "site_search", "/search");
                property(event, "term", SEARCHES[usize::from(term)]);
            }
            What::Cart(product) => self.on_product(act, event, "add_to_cart", product),
            What::Checkout(basket) => {
                self.on_page(act, event, "begin_checkout", "/checkout");
                sum(event, &basket);
            }
            What::Paid { order, provider } => {
                self.page(act, event, "/checkout/thank-you");
                event.referrer = PAYMENT[usize::from(provider)];
                order_id(event, order);
            }
            What::Coupon => {
                self.on_page(act, event, "coupon", "/checkout");
                email(&mut event.email, act.person);
                event.interaction = "print";
                event.properties.clear();
                event.properties.push_str(r#"{"code":"LEAFLET"}"#);
            }
            What::Purchase { order, basket, by_server } => {
                if by_server {
                    event.name = "purchase";
                    self.account(act, event);
                    phone(&mut event.phone, act.person);
                    event.properties.push_str(r#"{"sender":"server"}"#);
                } else {
                    self.on_page(act, event, "purchase", "/checkout/thank-you");
                }
                email(&mut event.email, act.person);
                order_id(event, order);
                sum(event, &basket);
            }
            What::Refund { order, cents } => {
                event.name = "refund";
                email(&mut event.email, act.person);
                order_id(event, order);
                event.value = Some(cents as f64 / 100.0);
                event.currency = CURRENCY;
                event.properties.push_str(r#"{"sender":"server"}"#);
            }
            What::SignUp => {
                self.on_page(act, event, "newsletter_sign_up", "/");
                email(&mut event.email, act.person);
            }
            What::Login => {
                self.on_page(act, event, "login", "/account");
                email(&mut event.email, act.person);
            }
            What::Sent(mailing) => {
                mail(act, event, "email_sent", mailing);
                event.page_url.clear();
            }
            What::Opened(mailing) => {
                mail(act, event, "email_open", mailing);
                event.interaction = "email";
            }
            What::Shown(advert) => {
                let advert = &ADVERTS[usize::from(advert)];
                event.name = "ad_impression";
                event.interaction = "impression";
                cookie(&mut event.anonymous_id, self.seed, act.person, act.device, act.lost);
                write(&mut event.page_url, format_args!("{SITE}/?{}", advert.tags));
                write(&mut event.properties, format_args!(r#"{{"placement":"{}"}}"#, advert.placement));
            }
            What::Call { .. }
            | What::Store(_)
            | What::Chat { .. }
            | What::Text
            | What::Push
            | What::Tasting(_)
            | What::Stall => {
                self.contact(act, event);
            }
            What::Delivered(_)
            | What::Survey { .. }
            | What::Joined
            | What::Reward(_)
            | What::Review { .. }
            | What::Invite => {
                self.afterwards(act, event);
            }
        }
        // What the shop's customer system knows of those who let it: a touch says of which kind the person is.
        if event.interaction != "none" && act.consent < 2 {
            property(event, "persona", PERSONAS[usize::from(act.persona)].word);
        }
    }

    /// Touches outside of visits.
    fn contact(&self, act: &Act, event: &mut SimEvent) {
        match act.what {
            What::Call { minutes, service } => {
                (event.name, event.interaction) = ("call", "call");
                phone(&mut event.phone, act.person);
                let line = if service { "service" } else { "orders" };
                write(&mut event.properties, format_args!(r#"{{"line":"{line}","minutes":{minutes}}}"#));
            }
            What::Chat { order } => {
                self.on_page(act, event, "chat", if order.is_some() { "/delivery" } else { "/tea" });
                event.interaction = "chat";
                email(&mut event.email, act.person);
                property(event, "about", if order.is_some() { "order" } else { "advice" });
            }
            What::Text => {
                (event.name, event.interaction) = ("text_message", "sms");
                phone(&mut event.phone, act.person);
                event.page_url.push_str("https://shop.example/tea?utm_source=sms&utm_medium=sms&utm_campaign=sale");
            }
            What::Push => {
                (event.name, event.interaction) = ("push_message", "push");
                cookie(&mut event.anonymous_id, self.seed, act.person, act.device, act.lost);
                event
                    .page_url
                    .push_str("https://shop.example/p/sencha?utm_source=app&utm_medium=push&utm_campaign=restock");
            }
            What::Store(store) | What::Tasting(store) => {
                let is_tasting = matches!(act.what, What::Tasting(_));
                (event.name, event.interaction) =
                    if is_tasting { ("tasting", "meeting") } else { ("store_visit", "store") };
                phone(&mut event.phone, act.person);
                email(&mut event.email, act.person);
                property(event, "store", STORES[usize::from(store)]);
            }
            _ => {
                (event.name, event.interaction) = ("market_stall", "other");
                email(&mut event.email, act.person);
                property(event, "market", "Saturday");
            }
        }
    }

    /// What follows an order.
    fn afterwards(&self, act: &Act, event: &mut SimEvent) {
        match act.what {
            What::Delivered(order) => {
                event.name = "order_delivered";
                order_id(event, order);
                property(event, "sender", "server");
            }
            What::Survey { order, score } => {
                event.name = "survey_answer";
                order_id(event, order);
                write(&mut event.properties, format_args!(r#"{{"question":"nps","score":{score}}}"#));
            }
            What::Joined => {
                event.name = "club_joined";
                self.account(act, event);
                property(event, "sender", "server");
            }
            What::Reward(order) => {
                self.on_page(act, event, "reward_used", "/checkout");
                order_id(event, order);
            }
            What::Review { product, stars } => {
                self.on_product(act, event, "review_posted", product);
                event.properties.pop();
                write(&mut event.properties, format_args!(r#","stars":{stars}}}"#));
            }
            _ => self.on_page(act, event, "invite_sent", "/account"),
        }
        email(&mut event.email, act.person);
    }

    fn account(&self, act: &Act, event: &mut SimEvent) {
        if act.logged_in {
            write(&mut event.user_id, format_args!("u-{}", 10_000 + u64::from(act.person)));
        }
    }

    /// What every event of the browser carries.
    fn on_page(&self, act: &Act, event: &mut SimEvent, name: &'static str, page: &str) {
        event.name = name;
        // Without consent a browser gets an id for the day.
        let lost = if act.consent == 2 { 128 | (act.at / DAY_US) as u8 } else { act.lost };
        cookie(&mut event.anonymous_id, self.seed, act.person, act.device, lost);
        self.account(act, event);
        event.page_url.push_str(SITE);
        event.page_url.push_str(page);
        event.consent = CONSENTS[usize::from(act.consent)];
        write(&mut event.properties, format_args!(r#"{{"device":"{}"}}"#, DEVICE_WORDS[usize::from(act.device)]));
    }

    fn page(&self, act: &Act, event: &mut SimEvent, page: &str) {
        self.on_page(act, event, "page_view", page);
        event.interaction = "visit";
    }

    fn on_product(&self, act: &Act, event: &mut SimEvent, name: &'static str, product: u8) {
        let product = &PRODUCTS[usize::from(product)];
        self.on_page(act, event, name, "/p/");
        event.page_url.push_str(product.slug);
        item(&mut event.items, product, 1);
    }

    fn landing(&self, act: &Act, event: &mut SimEvent, source: usize, mailing: u32) {
        let source = &SOURCES[source];
        self.page(act, event, source.page);
        event.referrer = source.referrer;
        let mut mark = '?';
        if !source.tags.is_empty() {
            event.interaction = "click";
            event.page_url.push(mark);
            event.page_url.push_str(source.tags);
            mark = '&';
        }
        if mailing > 0 {
            write(&mut event.page_url, format_args!("&utm_campaign={}-{mailing}", mailing_name(mailing)));
            email(&mut event.email, act.person);
        }
        if !source.click.is_empty() {
            event.page_url.push(mark);
            event.page_url.push_str(source.click);
            event.page_url.push('=');
            hex(&mut event.page_url, scramble(act.number ^ self.seed.rotate_left(32)), 16);
        }
    }
}

fn mailing_name(mailing: u32) -> &'static str {
    MAILINGS[mailing as usize % MAILINGS.len()]
}

fn mail(act: &Act, event: &mut SimEvent, name: &'static str, mailing: u32) {
    event.name = name;
    email(&mut event.email, act.person);
    let name = mailing_name(mailing);
    write(
        &mut event.page_url,
        format_args!("{SITE}/new?utm_source=newsletter&utm_medium=email&utm_campaign={name}-{mailing}"),
    );
}

fn order_id(event: &mut SimEvent, order: u32) {
    write(&mut event.order_id, format_args!("SO-{order}"));
}

fn sum(event: &mut SimEvent, basket: &Basket) {
    event.value = Some(basket_cents(basket) as f64 / 100.0);
    event.currency = CURRENCY;
    for &(product, count) in basket.iter().filter(|slot| slot.1 > 0) {
        item(&mut event.items, &PRODUCTS[usize::from(product)], count);
    }
}

/// Adds a product to a JSON array, and keeps the array closed.
fn item(items: &mut String, product: &Product, count: u8) {
    let separator = if items.pop().is_some() { ',' } else { '[' };
    let Product { sku, name, cents, .. } = product;
    let (units, rest) = (cents / 100, cents % 100);
    write(
        items,
        format_args!(r#"{separator}{{"sku":"{sku}","name":"{name}","quantity":{count},"price":{units}.{rest:02}}}]"#),
    );
}

/// Adds to the properties; `value` holds nothing that JSON escapes.
fn property(event: &mut SimEvent, name: &str, value: &str) {
    let before = if event.properties.pop().is_some() { ',' } else { '{' };
    write(&mut event.properties, format_args!(r#"{before}"{name}":"{value}"}}"#));
}

/// Writing to a String cannot fail.
fn write(text: &mut String, what: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(what);
}
