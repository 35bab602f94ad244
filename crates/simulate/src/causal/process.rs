//! What drives people: the parameters of one imaginary market.
use super::ADS;
use serde::Serialize;

/// One number for each of the [`super::CHANNELS`] that can be switched off.
pub type PerAd = [f64; ADS];

/// A market. Time runs in `steps` of `step_days`; rates are per day.
///
/// At every step a person with intent z is exposed to channel c with rate
/// `rate[c] · exp(rate_by_intent[c] · z + after_visit[c] · visited)`, visits directly with rate
/// `direct · exp(direct_by_intent · z + Σ lifts_direct[c] · stock[c])`, and converts, once, with rate
/// `exp(base + base_by_intent · z) + Σ effect[c] · stock[c]`. A touch adds 1 to its channel's stock, which fades with
/// `fading[c]` per day. `visited` is 1 after the first direct visit, search or e-mail.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Process {
    /// How many steps people are watched.
    pub steps: usize,
    /// Days in a step.
    pub step_days: f64,
    /// Log of the daily rate at which a person of intent 0 converts without any advertising.
    pub base: f64,
    /// How much its log grows with intent.
    pub base_by_intent: f64,
    /// What a unit of stock adds to the daily rate of conversion.
    pub effect: PerAd,
    /// How fast stock fades, per day.
    pub fading: PerAd,
    /// Exposures a day of a person of intent 0.
    pub rate: PerAd,
    /// How much the log of the exposure rate grows with intent: the confounding.
    pub rate_by_intent: PerAd,
    /// How much the log of the exposure rate grows with the first visit: retargeting.
    pub after_visit: PerAd,
    /// Direct visits a day of a person of intent 0; they have no effect on conversions.
    pub direct: f64,
    /// How much its log grows with intent.
    pub direct_by_intent: f64,
    /// How much a unit of stock adds to the log of the rate of direct visits.
    pub lifts_direct: PerAd,
    /// How much a unit of stock adds to the log of the rate of brand searches.
    pub lifts_brand: PerAd,
    /// Where it is set, all effects are divided by 1 + total stock ÷ saturation.
    pub saturation: Option<f64>,
    /// How intent moves.
    pub intent: Intent,
    /// Where it is set, the market is busier in some weeks than in others.
    pub season: Option<Season>,
    /// Where it is set, some people never see one channel, by lot.
    pub hold_out: Option<HoldOut>,
    /// Where it is set, people use two devices, and not all of them are known to be one person.
    pub devices: Option<Devices>,
    /// Where it is set, impressions are sometimes clicked.
    pub clicks: Option<Clicks>,
}

/// How a person's intent to buy moves. Every person has a lasting part, drawn once: normal, mean 0, variance 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// Around the lasting part wanders one that keeps `keeps` of itself each step and is pushed by normal draws of
    /// standard deviation `push`.
    Wanders {
        /// Share kept, each step.
        keeps: f64,
        /// Standard deviation of a step's push.
        push: f64,
    },
    /// On the lasting part, times `lasting`, come episodes in which intent is higher by `height`.
    Episodes {
        /// Weight of the lasting part.
        lasting: f64,
        /// Chance, each step, that one begins.
        begins: f64,
        /// Chance, each step, that it ends.
        ends: f64,
        /// What it adds.
        height: f64,
    },
    /// As `Wanders`, but pushes are mostly small and sometimes very large: Student's t with 3 degrees of freedom, of the
    /// same variance.
    Lurches {
        /// Share kept, each step.
        keeps: f64,
        /// Standard deviation of a step's push.
        push: f64,
    },
}

/// A wave over the calendar: all rates, of touches and of conversions without advertising, are multiplied by
/// `exp(height · sin(2π · day ÷ days))`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Season {
    /// Log of the highest multiple.
    pub height: f64,
    /// Length of the wave.
    pub days: f64,
}

/// An experiment: one channel is switched off, by lot, for a share of the people.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct HoldOut {
    /// Index of the channel.
    pub channel: usize,
    /// Share of the people.
    pub share: f64,
}

/// Two devices a person.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Devices {
    /// Share of the people whose second device is known to be theirs.
    pub linked: f64,
    /// Share of touches, and of conversions, on the second device.
    pub second: f64,
}

/// Clicks on impressions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Clicks {
    /// Chance that an impression is clicked by a person of intent 0; 0 where the channel is all clicks.
    pub chance: PerAd,
    /// How much its log grows with intent.
    pub by_intent: f64,
    /// Stock that a click adds to that of the impression.
    pub stock: f64,
}

impl Default for Process {
    /// Exposure by chance: no channel depends on intent.
    fn default() -> Self {
        Self {
            steps: 60,
            step_days: 0.5,
            base: -5.6,
            base_by_intent: 0.9,
            effect: [0.006, 0.012, 0.03, 0.015, 0.01, 0.008],
            fading: [0.25, 0.35, 0.6, 0.8, 0.5, 0.5],
            rate: [0.10, 0.06, 0.03, 0.03, 0.04, 0.15],
            rate_by_intent: [0.0; ADS],
            after_visit: [0.0; ADS],
            direct: 0.03,
            direct_by_intent: 0.0,
            lifts_direct: [0.0; ADS],
            lifts_brand: [0.0; ADS],
            saturation: None,
            intent: Intent::Wanders { keeps: 0.9, push: 0.25 },
            season: None,
            hold_out: None,
            devices: None,
            clicks: None,
        }
    }
}
