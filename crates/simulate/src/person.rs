//! The people of a shop.
use crate::{
    catalogue::{FIRST_NAMES, LAST_NAMES},
    dice::Dice,
    persona::{PERSONAS, Persona},
};
use std::fmt::Write as _;

pub(crate) const DEVICE_WORDS: [&str; 3] = ["phone", "laptop", "tablet"];

/// What people allow; the first is the most frequent.
pub(crate) const CONSENTS: [&str; 3] = [
    r#"{"analytics":true,"marketing":true}"#,
    r#"{"analytics":true,"marketing":false}"#,
    r#"{"analytics":false,"marketing":false}"#,
];

#[derive(Clone, Debug)]
pub(crate) struct Person {
    /// The index of their kind in [`PERSONAS`].
    pub(crate) persona: u8,
    /// The first day on which they can hear of the shop.
    pub(crate) arrives: u32,
    /// How much they mean to buy anyway, mean 0, variance 1.
    pub(crate) intent: f64,
    /// How well they know the shop; fades.
    pub(crate) brand: f64,
    /// The wish to buy that touches left; fades.
    pub(crate) wish: f64,
    /// Whether they visited lately; fades.
    pub(crate) warm: f64,
    pub(crate) devices: u8,
    /// By device: how often its cookies were lost.
    pub(crate) lost: [u8; 3],
    /// By device: whether they are logged in.
    pub(crate) logged_in: [bool; 3],
    pub(crate) consent: u8,
    pub(crate) has_account: bool,
    pub(crate) subscribed: bool,
    pub(crate) near_store: bool,
    pub(crate) has_app: bool,
    /// Of the club, after some orders.
    pub(crate) member: bool,
    pub(crate) orders: u16,
    /// When what they bought is used up.
    pub(crate) used_up: Option<u32>,
}

impl Person {
    /// Somebody of a shop that is open for `days`: whom it can reach grows each year by as many as there were at first.
    pub(crate) fn draw(dice: &mut Dice, days: u32) -> Self {
        let persona = dice.weighted(&[0, 1, 2, 3].map(|one: usize| PERSONAS[one].share));
        let kind = &PERSONAS[persona];
        let years = f64::from(days) / 365.0;
        let place = dice.unit() * (1.0 + years) - 1.0;
        Self {
            persona: persona as u8,
            arrives: (place.max(0.0) * 365.0) as u32,
            intent: dice.normal() + kind.intent,
            brand: 0.0,
            wish: 0.0,
            warm: 0.0,
            devices: 1 + dice.weighted(&[0.40, 0.45, 0.15]) as u8,
            lost: [0; 3],
            logged_in: [false; 3],
            consent: dice.weighted(&[0.82, 0.12, 0.06]) as u8,
            has_account: dice.chance(kind.account),
            subscribed: dice.chance(kind.subscribed),
            near_store: dice.chance(0.30),
            has_app: dice.chance(0.4 * kind.account),
            member: false,
            orders: 0,
            used_up: None,
        }
    }

    /// The wish to buy anyway, as a factor from near 0 (no intent) over 1 (average) to 3.
    pub(crate) fn pull(&self) -> f64 {
        let above = self.intent + 3.0;
        (above * above / 9.0).clamp(0.05, 3.0)
    }

    pub(crate) fn kind(&self) -> &'static Persona {
        &PERSONAS[usize::from(self.persona)]
    }

    pub(crate) fn fade(&mut self) {
        self.brand *= 0.93;
        self.wish *= 0.85;
        self.warm *= 0.80;
    }
}

/// Spreads numbers so that ids look like ids: a bijection of 64 bits (splitmix64's last steps).
pub(crate) fn scramble(number: u64) -> u64 {
    let mut bits = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

pub(crate) fn hex(text: &mut String, bits: u64, digits: u32) {
    text.extend((0..digits).rev().map(|at| char::from(b"0123456789abcdef"[(bits >> (4 * at) & 15) as usize])));
}

/// The cookie of a device: a UUID.
pub(crate) fn cookie(text: &mut String, seed: u64, person: u32, device: u8, lost: u8) {
    let number = u64::from(person) << 16 | u64::from(device) << 8 | u64::from(lost);
    let (high, low) = (scramble(number), scramble(number ^ scramble(seed)));
    hex(text, high >> 32, 8);
    text.push('-');
    hex(text, high >> 16, 4);
    text.push_str("-4");
    hex(text, high, 3);
    text.push_str("-a");
    hex(text, low >> 48, 3);
    text.push('-');
    hex(text, low, 12);
}

pub(crate) fn email(text: &mut String, person: u32) {
    let (first, last) = (FIRST_NAMES[person as usize % 16], LAST_NAMES[person as usize / 16 % 16]);
    // Writing to a String cannot fail.
    let _ = write!(text, "{first}.{last}{person}@mail.example");
    // Some people write their name with a capital letter, whatever the form.
    if person % 7 == 3 {
        text[..1].make_ascii_uppercase();
    }
}

/// In the area code 555, which no exchange has.
pub(crate) fn phone(text: &mut String, person: u32) {
    let _ = write!(text, "+1555{:07}", person % 10_000_000);
}
