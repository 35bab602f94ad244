//! What an analyst sees of a market: timelines, and who was held out.
use super::{
    draws::{Draws, Luck},
    life::{Rules, Touch},
    process::Process,
};
use rayon::prelude::*;
use safar_model::{ChannelId, DAY_US, Micros, TimelineRef, Timelines};

/// Streams above this one decide on moments, devices and values, which change nothing that happens.
const ASIDE: u64 = 1 << 40;
/// People in one unit of parallel work.
const CHUNK: u32 = 1 << 12;

/// What is seen of a market in which every channel is on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// One for each person as seen: people whose devices are not linked are seen as two. Channels are indices of
    /// [`super::CHANNELS`].
    pub timelines: Timelines,
    /// For each timeline: the person, from 0. The truth; no model may look.
    pub person: Vec<u32>,
    /// For each timeline: whether the person was held out.
    pub held_out: Vec<bool>,
    /// For each touch of the timelines: the device it was on, 0 or 1.
    pub device: Vec<u8>,
    /// For each touch of the timelines: whether it was a click on an impression.
    pub clicked: Vec<bool>,
    /// For each timeline: the device it was on, where its devices are not linked.
    pub only: Vec<Option<u8>>,
}

impl Process {
    /// The channels that a person never sees.
    pub(super) fn never(&self, draws: &Draws) -> u32 {
        self.hold_out.filter(|_| draws.held_out).map_or(0, |hold_out| 1 << hold_out.channel)
    }

    /// What is seen of `people` people from `start` on. Touches happen at any moment of their step, a conversion at its
    /// end, so that it follows all touches that helped it.
    ///
    /// ```
    /// let seen = safar_simulate::causal::scenario("S0").unwrap().process.observe(100, 1, 0);
    /// assert_eq!(seen.timelines.len(), 100);
    /// assert_eq!(seen.clicked.len(), seen.timelines.touchpoints());
    /// ```
    #[must_use]
    pub fn observe(&self, people: u32, seed: u64, start: Micros) -> Observed {
        let parts = (0..people.div_ceil(CHUNK)).into_par_iter().map(|chunk| {
            let range = chunk * CHUNK..((chunk + 1) * CHUNK).min(people);
            let mut watch = Watch { process: self, start, seen: Observed::default() };
            let rules = Rules::new(self);
            let (mut draws, mut touches) = (Draws::default(), vec![]);
            for person in range {
                draws.draw(self, seed, u64::from(person));
                touches.clear();
                let end = rules.live(&draws, !self.never(&draws), |touch| touches.push(touch));
                watch.note(person, draws.held_out, &touches, end, &mut Luck::new(seed, ASIDE + u64::from(person)));
            }
            watch.seen
        });
        let mut all = Observed::default();
        for part in parts.collect::<Vec<_>>() {
            for line in part.timelines.iter() {
                // They were checked when they were noted.
                let _ = all.timelines.push(line);
            }
            all.person.extend(part.person);
            all.held_out.extend(part.held_out);
            all.device.extend(part.device);
            all.clicked.extend(part.clicked);
            all.only.extend(part.only);
        }
        all
    }

    fn step_us(&self) -> f64 {
        self.step_days * DAY_US as f64
    }
}

/// Notes what is seen.
struct Watch<'a> {
    process: &'a Process,
    start: Micros,
    seen: Observed,
}

/// A touch as seen.
#[derive(Clone, Copy)]
struct Sight {
    at: Micros,
    channel: ChannelId,
    device: u8,
    clicked: bool,
}

impl Watch<'_> {
    fn note(&mut self, person: u32, held_out: bool, touches: &[Touch], end: Option<usize>, luck: &mut Luck) {
        let step = self.process.step_us();
        // Steps begin at another moment for everybody, so that conversions do not all fall on the same ones.
        let start = self.start + (luck.unit() * step) as Micros;
        let moment = |index: usize, part: f64| start + ((index as f64 + part) * step) as Micros;
        let devices = self.process.devices;
        let device = |luck: &mut Luck| u8::from(devices.is_some_and(|devices| luck.unit() < devices.second));
        let mut sights: Vec<_> = touches
            .iter()
            .map(|touch| Sight {
                at: moment(touch.step, luck.unit()),
                channel: ChannelId(touch.channel as u32),
                device: device(luck),
                clicked: touch.clicked,
            })
            .collect();
        sights.sort_by_key(|sight| sight.at);
        let outcome = end.map(|step| (moment(step + 1, 0.0), worth(luck), device(luck)));
        let split = devices.is_some_and(|devices| luck.unit() >= devices.linked);
        let last = moment(self.process.steps, 0.0);
        if split {
            for only in [0, 1] {
                let mine: Vec<_> = sights.iter().copied().filter(|sight| sight.device == only).collect();
                let outcome = outcome.filter(|outcome| outcome.2 == only);
                self.push((person, held_out, Some(only)), &mine, outcome, (start, last));
            }
        } else {
            self.push((person, held_out, None), &sights, outcome, (start, last));
        }
    }

    /// People are watched until they convert, or to the end.
    fn push(
        &mut self,
        (person, held_out, only): (u32, bool, Option<u8>),
        sights: &[Sight],
        outcome: Option<(Micros, f64, u8)>,
        (from, last): (Micros, Micros),
    ) {
        let channels: Vec<_> = sights.iter().map(|sight| sight.channel).collect();
        let times: Vec<_> = sights.iter().map(|sight| sight.at).collect();
        let (at, value): (Vec<_>, Vec<_>) = outcome.map(|(at, value, _)| (at, value)).into_iter().unzip();
        let until = at.first().copied().unwrap_or(last);
        let line = TimelineRef { from, until, channels: &channels, times: &times, outcomes: &at, values: &value };
        if self.seen.timelines.push(line).is_ok() {
            self.seen.person.push(person);
            self.seen.held_out.push(held_out);
            self.seen.device.extend(sights.iter().map(|sight| sight.device));
            self.seen.clicked.extend(sights.iter().map(|sight| sight.clicked));
            self.seen.only.push(only);
        }
    }
}

/// A basket, 20 to 100, to the cent.
fn worth(luck: &mut Luck) -> f64 {
    libm::floor(2_000.0 + 8_000.0 * luck.unit()) / 100.0
}
