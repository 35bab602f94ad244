//! A person's luck, drawn once and the same in every world.
use super::{
    ADS,
    process::{Intent, Process},
};
use rand::{Rng, SeedableRng, rngs::ChaCha8Rng};

/// Draws of one person: a stream of ChaCha8 of its own, so that people can be simulated in any order.
pub(super) struct Luck(ChaCha8Rng);

impl Luck {
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// Evenly from 0 (inclusive) to 1 (exclusive).
    pub(super) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Waiting time for something that comes at rate 1.
    fn wait(&mut self) -> f64 {
        -libm::log(1.0 - self.unit())
    }

    /// Normal, mean 0, variance 1 (Box and Muller 1958).
    fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(2.0 * self.wait());
        radius * libm::cos(std::f64::consts::TAU * self.unit())
    }

    /// Student's t with 3 degrees of freedom, divided by its standard deviation.
    fn heavy(&mut self) -> f64 {
        let squares: f64 = (0..3).map(|_| self.normal()).map(|x| x * x).sum();
        self.normal() / libm::sqrt(squares)
    }
}

/// What does not depend on which channels are on: intent, and how lucky each step is.
#[derive(Default)]
pub(super) struct Draws {
    /// One for each step.
    pub(super) steps: Vec<Step>,
    /// Whether the person is in the hold-out.
    pub(super) held_out: bool,
}

/// One step's chances. Something happens where its waiting time is below its rate × the length of the step.
#[derive(Clone, Copy, Default)]
pub(super) struct Step {
    /// Waiting times of the exposures.
    pub(super) ads: [f64; ADS],
    /// Rate × length of the exposures, without retargeting and lift.
    pub(super) ad_rates: [f64; ADS],
    /// Of the direct visit.
    pub(super) direct: f64,
    /// As `ad_rates`.
    pub(super) direct_rate: f64,
    /// Of the conversion.
    pub(super) conversion: f64,
    /// Rate × length of the conversion without advertising.
    pub(super) base: f64,
    /// Stock that each exposure would bring: 1, or more where it would be clicked.
    pub(super) stock: [f64; ADS],
}

impl Draws {
    /// Draws the person of that number.
    pub(super) fn draw(&mut self, process: &Process, seed: u64, person: u64) {
        let mut luck = Luck::new(seed, person);
        self.held_out = process.hold_out.is_some_and(|hold_out| luck.unit() < hold_out.share);
        self.steps.clear();
        let lasting = luck.normal();
        let mut moving = 0.0;
        for index in 0..process.steps {
            let intent = next_intent(process.intent, lasting, &mut moving, &mut luck);
            let length = process.step_days
                * process.season.map_or(1.0, |season| {
                    let day = index as f64 * process.step_days;
                    libm::exp(season.height * libm::sin(std::f64::consts::TAU * day / season.days))
                });
            let mut step = Step { stock: [1.0; ADS], ..Step::default() };
            for ad in 0..ADS {
                step.ads[ad] = luck.wait();
                step.ad_rates[ad] = process.rate[ad] * libm::exp(process.rate_by_intent[ad] * intent) * length;
            }
            (step.direct, step.conversion) = (luck.wait(), luck.wait());
            step.direct_rate = process.direct * libm::exp(process.direct_by_intent * intent) * length;
            step.base = libm::exp(process.base + process.base_by_intent * intent) * length;
            if let Some(clicks) = process.clicks {
                for ad in 0..ADS {
                    let chance = clicks.chance[ad] * libm::exp(clicks.by_intent * intent);
                    step.stock[ad] += if luck.unit() < chance { clicks.stock } else { 0.0 };
                }
            }
            self.steps.push(step);
        }
    }
}

fn next_intent(intent: Intent, lasting: f64, moving: &mut f64, luck: &mut Luck) -> f64 {
    match intent {
        Intent::Wanders { keeps, push } => {
            *moving = keeps * *moving + push * luck.normal();
            lasting + *moving
        }
        Intent::Lurches { keeps, push } => {
            *moving = keeps * *moving + push * luck.heavy();
            lasting + *moving
        }
        Intent::Episodes { lasting: weight, begins, ends, height } => {
            let change = luck.unit() < if *moving > 0.0 { ends } else { begins };
            if change {
                *moving = 1.0 - *moving;
            }
            weight * lasting + height * *moving
        }
    }
}
