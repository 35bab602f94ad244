//! One person's life in one world.
use super::{ADS, BRAND, DIRECT, draws::Draws, process::Process};

/// Exposure never comes faster than this, a day.
const MOST_RATE: f64 = 20.0;

/// A touch of a life.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Touch {
    pub(super) step: usize,
    pub(super) channel: usize,
    pub(super) clicked: bool,
}

/// What a process says that does not change from step to step.
pub(super) struct Rules<'a> {
    process: &'a Process,
    fade: [f64; ADS],
    after_visit: [f64; ADS],
    lifts: bool,
}

impl<'a> Rules<'a> {
    pub(super) fn new(process: &'a Process) -> Self {
        Self {
            process,
            fade: process.fading.map(|fading| libm::exp(-fading * process.step_days)),
            after_visit: process.after_visit.map(libm::exp),
            lifts: process.lifts_brand.iter().chain(&process.lifts_direct).any(|lift| *lift != 0.0),
        }
    }

    /// Lives through the steps with the channels whose bit is set in `on`; the step of the conversion, if any. Touches
    /// are told to `touched`, in the order of steps and channels.
    pub(super) fn live(&self, draws: &Draws, on: u32, mut touched: impl FnMut(Touch)) -> Option<usize> {
        let mut stock = [0.0; ADS];
        let mut visited = false;
        let most = MOST_RATE * self.process.step_days;
        for (step, chance) in draws.steps.iter().enumerate() {
            stock.iter_mut().zip(&self.fade).for_each(|(stock, fade)| *stock *= fade);
            let (brand, direct) = if self.lifts { self.lift(&stock) } else { (1.0, 1.0) };
            let met: [bool; ADS] = std::array::from_fn(|ad| {
                let mut rate = chance.ad_rates[ad];
                rate *= if visited { self.after_visit[ad] } else { 1.0 };
                rate *= if ad == BRAND { brand } else { 1.0 };
                on & (1 << ad) != 0 && chance.ads[ad] < rate.min(most)
            });
            let came = chance.direct < chance.direct_rate * direct;
            // Searches and e-mails bring people to the site, as direct visits do.
            visited |= came || met[2] || met[BRAND] || met[4];
            for ad in (0..ADS).filter(|ad| met[*ad]) {
                stock[ad] += chance.stock[ad];
                touched(Touch { step, channel: ad, clicked: chance.stock[ad] > 1.0 });
            }
            if came {
                touched(Touch { step, channel: DIRECT, clicked: false });
            }
            if chance.conversion < chance.base + self.effect(&stock) {
                return Some(step);
            }
        }
        None
    }

    fn lift(&self, stock: &[f64; ADS]) -> (f64, f64) {
        let of = |lifts: &[f64; ADS]| libm::exp(lifts.iter().zip(stock).map(|(lift, stock)| lift * stock).sum());
        (of(&self.process.lifts_brand), of(&self.process.lifts_direct))
    }

    /// What advertising adds to the chance of a conversion in this step.
    fn effect(&self, stock: &[f64; ADS]) -> f64 {
        let sum: f64 = self.process.effect.iter().zip(stock).map(|(effect, stock)| effect * stock).sum();
        let less = self.process.saturation.map_or(1.0, |most| 1.0 + stock.iter().sum::<f64>() / most);
        sum / less * self.process.step_days
    }
}
