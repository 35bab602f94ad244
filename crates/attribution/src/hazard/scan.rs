//! One person's timeline, cut into steps: exposures, integrated exactly, and events.
use super::{Role, exp::exp, params::Params, sums::Seen};
use safar_model::{DAY_US, Micros, TimelineRef};

/// How time is cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// Days in a step.
    pub(super) step: f64,
    /// The first instant of all.
    pub(super) start: Micros,
    /// Days in a season.
    pub(super) season: f64,
}

/// Days from one instant to another.
pub(super) fn days(from: Micros, to: Micros) -> f64 {
    // Of instants beyond all calendars no more is known than that they are far apart.
    to.saturating_sub(from) as f64 / DAY_US as f64
}

/// A step of a person.
#[derive(Clone, Debug)]
pub(super) struct Bin {
    pub(super) season: usize,
    /// Before, and after, the first landing: days.
    pub(super) days: [f64; 2],
    /// Sum over touches of `by_intent` × `trust`.
    pub(super) pull: f64,
    /// Touches up to the end of this step.
    pub(super) touches: usize,
    /// Outcomes up to the end of this step.
    pub(super) outcomes: usize,
}

/// An outcome of a person.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) bin: usize,
    /// Whether the person had landed.
    pub(super) landed: bool,
    /// By channel: what it adds to the rate of conversion.
    pub(super) added: Vec<f64>,
    /// By channel: the mean age of its stock.
    pub(super) ages: Vec<f64>,
    /// By channel: its stock.
    pub(super) stock: Vec<f64>,
    /// [cause × channels + channel]: what the cause adds, by the channel that earns it.
    pub(super) earned: Vec<f64>,
}

/// A person cut into steps; kept from person to person for its room.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) bins: Vec<Bin>,
    /// [bin × channels]: stock integrated.
    pub(super) stock: Vec<f64>,
    /// The same of age-weighted stock.
    pub(super) aged: Vec<f64>,
    /// [bin × lifted channels]: what other channels' stock adds to the days of exposure, times the season.
    pub(super) raised: Vec<f64>,
    /// The kind of each touch.
    pub(super) touches: Vec<usize>,
    pub(super) outcomes: Vec<Outcome>,
    /// Sum of the logs of all factors that no state changes.
    pub(super) log: f64,
    weight: f64,
    /// Days since the person was first watched.
    time: f64,
    /// By channel: up to when its stock is known.
    known: Vec<f64>,
    now: Vec<f64>,
    aging: Vec<f64>,
    /// [channel × channels + origin]: stock by the channel that earns what it does; empty where nobody asks.
    origins: Vec<f64>,
    /// Channels by which the person landed, each once.
    landings: Vec<usize>,
    /// By channel, of a whole step: [`fade`].
    whole: Vec<[f64; 3]>,
    whole_step: f64,
}

/// What is left of a stock of 1 after `days`, its integral, and the integral of what was there times its age.
#[inline]
fn fade(fading: f64, days: f64) -> [f64; 3] {
    let rest = exp(-fading * days);
    let part = (1.0 - rest) / fading;
    [rest, part, (part - days * rest) / fading]
}

impl Scan {
    /// Cuts `line`, of which `seen` takes note as often as `weight` says. Where `trace` is set, notes who earns what.
    pub(super) fn read(
        &mut self,
        (line, weight): (TimelineRef<'_>, f64),
        clock: Clock,
        params: &Params,
        seen: &mut Seen,
        trace: bool,
    ) {
        self.clear(clock, params, trace);
        self.weight = weight;
        let length = days(line.from, line.until);
        let bins = ((length / clock.step).ceil() as usize).max(1);
        let lead = days(clock.start, line.from);
        let time = |times: &[Micros], index: usize| times.get(index).map_or(f64::INFINITY, |at| days(line.from, *at));
        let (mut touch, mut outcome) = (0, 0);
        for bin in 0..bins {
            let begin = bin as f64 * clock.step;
            let is_last = bin + 1 == bins;
            let end = if is_last { length } else { (bin + 1) as f64 * clock.step };
            let middle = lead + begin + clock.step / 2.0;
            let season = ((middle / clock.season) as usize).min(params.seasons - 1);
            self.bins.push(Bin { season, days: [0.0; 2], pull: 0.0, touches: 0, outcomes: 0 });
            self.stock.resize((bin + 1) * params.channels, 0.0);
            self.aged.resize((bin + 1) * params.channels, 0.0);
            loop {
                let (next_touch, next_outcome) = (time(line.times, touch), time(line.outcomes, outcome));
                let next = next_touch.min(next_outcome);
                // Nothing is left over at the last end, whatever rounding does.
                if next > end && (!is_last || next.is_infinite()) {
                    break;
                }
                self.live_until(next);
                if next_touch <= next_outcome {
                    self.touch(line.channels[touch].0 as usize, season, params, seen);
                    touch += 1;
                } else {
                    self.outcome(params);
                    outcome += 1;
                }
            }
            self.live_until(end);
            for channel in 0..params.channels {
                // Of a step in which nothing happened the length is exact, and known.
                let days =
                    if self.known[channel] == begin && !is_last { clock.step } else { end - self.known[channel] };
                self.fade(channel, days, params);
                self.known[channel] = end;
            }
            (self.bins[bin].touches, self.bins[bin].outcomes) = (touch, outcome);
            self.expose(bin, params, seen);
        }
    }

    fn clear(&mut self, clock: Clock, params: &Params, trace: bool) {
        let channels = params.channels;
        for list in [&mut self.stock, &mut self.aged, &mut self.raised, &mut self.origins] {
            list.clear();
        }
        self.touches.clear();
        self.time = 0.0;
        for list in [&mut self.now, &mut self.aging, &mut self.known] {
            list.clear();
            list.resize(channels, 0.0);
        }
        if trace {
            self.origins.resize(channels * channels, 0.0);
        }
        self.bins.clear();
        self.outcomes.clear();
        self.landings.clear();
        self.log = 0.0;
        self.whole.clear();
        self.whole.extend(params.fading.iter().map(|fading| fade(*fading, clock.step)));
        self.whole_step = clock.step;
    }

    fn live_until(&mut self, at: f64) {
        if let Some(bin) = self.bins.last_mut() {
            bin.days[usize::from(!self.landings.is_empty())] += (at - self.time).max(0.0);
        }
        self.time = at;
    }

    /// Brings the stock of a channel up to now.
    fn catch_up(&mut self, channel: usize, params: &Params) {
        self.fade(channel, self.time - self.known[channel], params);
        self.known[channel] = self.time;
    }

    fn fade(&mut self, channel: usize, days: f64, params: &Params) {
        let stock = self.now[channel];
        if stock == 0.0 || days <= 0.0 {
            return;
        }
        let channels = params.channels;
        let place = (self.bins.len() - 1) * channels + channel;
        let [rest, part, aged] =
            if days == self.whole_step { self.whole[channel] } else { fade(params.fading[channel], days) };
        let aging = self.aging[channel];
        self.stock[place] += stock * part;
        self.aged[place] += aging * part + stock * aged;
        self.now[channel] = stock * rest;
        self.aging[channel] = rest * (aging + days * stock);
        if !self.origins.is_empty() {
            let row = channel * channels;
            self.origins[row..row + channels].iter_mut().for_each(|part| *part *= rest);
        }
    }

    fn touch(&mut self, channel: usize, season: usize, params: &Params, seen: &mut Seen) {
        let channels = params.channels;
        let bin = self.bins.len() - 1;
        let kind = params.kind[channel * 2 + usize::from(!self.landings.is_empty())];
        self.touches.push(kind);
        self.bins[bin].pull += params.by_intent[kind] * params.trust[kind];
        seen.season[channel * params.seasons + season] += self.weight;
        self.catch_up(channel, params);
        params.sources[channel].iter().for_each(|source| self.catch_up(*source, params));
        let lift = |source: usize| params.lift[source * channels + channel];
        let factor = 1.0 + params.sources[channel].iter().map(|&source| lift(source) * self.now[source]).sum::<f64>();
        for &source in &params.sources[channel] {
            let share = lift(source) * self.now[source] / factor;
            if share > 0.0 {
                seen.lifted[source * channels + channel] += self.weight * share;
                seen.age[source] += self.weight * share * self.aging[source] / self.now[source];
                self.earn(channel, source, share / 2.0);
            }
        }
        let after = params.after(channel);
        let visits_anyway = self.landings.iter().any(|landing| params.roles[*landing] == Role::Direct);
        if !self.landings.is_empty() && after > 1.0 && !visits_anyway {
            // Any landing would have done: the channel and one of them are needed.
            let set = self.landings.len() as f64;
            let share = (1.0 - 1.0 / after) / (set * (set + 1.0));
            for index in 0..self.landings.len() {
                self.earn(channel, self.landings[index], share);
            }
        }
        self.earn(channel, channel, 1.0);
        let season = params.season[channel * params.seasons + season];
        self.log += params.trust[kind] * libm::log(params.rate[kind] * factor * season);
        self.now[channel] += 1.0;
        if params.roles[channel].lands() && !self.landings.contains(&channel) {
            self.landings.push(channel);
        }
    }

    /// Of a touch's effect, `share` goes to `origin`: from the touch's own channel, unless that is it. Where both a touch and
    /// what brought it about are needed, each earns half (Shapley).
    fn earn(&mut self, channel: usize, origin: usize, share: f64) {
        if self.origins.is_empty() {
            return;
        }
        let row = channel * self.now.len();
        self.origins[row + origin] += share;
        if origin != channel {
            self.origins[row + channel] -= share;
        }
    }

    fn outcome(&mut self, params: &Params) {
        (0..params.channels).for_each(|channel| self.catch_up(channel, params));
        let added: Vec<f64> = self.now.iter().zip(&params.effect).map(|(stock, effect)| effect * stock).collect();
        let age = |(aging, stock): (&f64, &f64)| if *stock > 0.0 { aging / stock } else { 0.0 };
        let origins = self.origins.chunks_exact(params.channels.max(1)).zip(&params.effect);
        self.outcomes.push(Outcome {
            bin: self.bins.len() - 1,
            landed: !self.landings.is_empty(),
            added,
            ages: self.aging.iter().zip(&self.now).map(age).collect(),
            stock: self.now.clone(),
            earned: origins.flat_map(|(row, effect)| row.iter().map(move |part| effect * part)).collect(),
        });
    }

    /// The exposures of the step that ends now.
    fn expose(&mut self, bin: usize, params: &Params, seen: &mut Seen) {
        let channels = params.channels;
        let season = self.bins[bin].season;
        let stock = &self.stock[bin * channels..(bin + 1) * channels];
        let aged = &self.aged[bin * channels..(bin + 1) * channels];
        for (channel, (stock, aged)) in stock.iter().zip(aged).enumerate() {
            seen.stock[channel] += self.weight * stock;
            seen.aged[channel] += self.weight * aged;
            self.log -= params.effect[channel] * stock;
        }
        for &target in &params.lifted {
            let lift = |source: &usize| params.lift[source * channels + target] * stock[*source];
            let raised: f64 = params.sources[target].iter().map(lift).sum();
            self.raised.push(params.season[target * params.seasons + season] * raised);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fade;

    #[test]
    fn fading_is_integrated_exactly() {
        let (fading, days, cuts) = (0.7, 3.0, 300_000);
        let [rest, part, aged] = fade(fading, days);
        let width = days / f64::from(cuts);
        let (mut stock, mut age) = (0.0, 0.0);
        for cut in 0..cuts {
            let at = (f64::from(cut) + 0.5) * width;
            stock += (-fading * at).exp() * width;
            age += at * (-fading * at).exp() * width;
        }
        assert!((rest - (-fading * days).exp()).abs() < 1e-12);
        assert!((part - stock).abs() < 1e-9 && (aged - age).abs() < 1e-9, "{part} {stock} {aged} {age}");
    }
}
