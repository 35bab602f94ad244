//! Regions under other assignments that chance could have made.
//!
//! Let M take the mean, and the rate before, out of a vector (weighted least squares). If every treated region's rate
//! were higher by τ, then y − τT would not depend on the assignment T, and the coefficient of any assignment A would
//! be ⟨MA, M(y − τT)⟩ / ⟨MA, MA⟩ by chance alone. Assignments are compared by ⟨MA, M(y − τT)⟩ / |MA|, which orders
//! them as the t-value of that coefficient does. As |⟨MA, MT⟩| / |MA| ≤ |MT| (Cauchy and Schwarz), the τ at which A
//! is at least as extreme as T are one interval around the estimated lift, so that the test inverts in closed form.
use super::{ExperimentError, Geo, Settings};
use crate::{
    Result, Stop,
    models::count,
    sum::{Sum, sum},
};
use rand::{Rng, SeedableRng, rngs::ChaCha8Rng};
use serde::{Deserialize, Serialize};

/// Which assignments a result was held against.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assignments {
    /// All there are: the p-value is exact.
    All(u32),
    /// So many drawn ones, and the one that took place.
    Drawn(u32),
}

/// Up to here all assignments are looked at.
const ALL: f64 = 20_000.0;

impl Assignments {
    fn of(treated: usize, geos: usize, draws: u32) -> Self {
        let mut ways = 1.0;
        for index in 0..treated.min(geos - treated) {
            ways = (ways * count(geos - index) / count(index + 1)).round();
            if ways > ALL {
                return Self::Drawn(draws);
            }
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number up to 20,000")]
        Self::All(ways as u32)
    }

    /// The smallest two-sided p there can be. With arms of equal size an assignment is as extreme as its mirror.
    pub(super) fn smallest_p(self, treated: usize, control: usize) -> f64 {
        match self {
            Self::All(all) => f64::from(1 + u32::from(treated == control)) / f64::from(all),
            Self::Drawn(drawn) => 1.0 / (f64::from(drawn) + 1.0),
        }
    }
}

/// The regions without their results.
pub(super) struct Design {
    treated: Vec<bool>,
    weights: Vec<f64>,
    /// Rates before less their mean; all 0 where none are given or they do not vary.
    before: Vec<f64>,
    /// ⟨before, before⟩.
    before_square: f64,
    /// M of the assignment.
    residual: Vec<f64>,
    /// ⟨MT, MT⟩.
    square: f64,
    total: f64,
    pub freedom: f64,
}

/// One result of the regions.
pub(super) struct Test {
    /// M of the result.
    residual: Vec<f64>,
    pub lift: f64,
    /// HC2.
    pub error: f64,
}

/// Interval and p of one result.
pub(super) type Verdict = (f64, f64, Option<f64>);

impl Design {
    pub(super) fn new(geos: &[Geo]) -> Result<Self, ExperimentError> {
        let weights: Vec<_> = geos.iter().map(|geo| geo.people).collect();
        let total = sum(weights.iter().copied());
        let mut before: Vec<_> = geos.iter().map(|geo| geo.before.unwrap_or(0.0) / geo.people).collect();
        let mean = inner(&weights, &before, &vec![1.0; geos.len()]) / total;
        let size = inner(&weights, &before, &before);
        before.iter_mut().for_each(|rate| *rate -= mean);
        let mut before_square = inner(&weights, &before, &before);
        if before_square <= 1e-18 * size {
            before.fill(0.0);
            before_square = 0.0;
        }
        let treated: Vec<_> = geos.iter().map(|geo| geo.treated).collect();
        let least = 4 + usize::from(before_square > 0.0);
        let arms = [("treated arm", true, 2), ("control arm", false, 2)];
        for (of, arm, least) in arms {
            let got = treated.iter().filter(|treated| **treated == arm).count();
            if got < least {
                return Err(ExperimentError::TooFew { of, unit: "regions", got: count(got), least: count(least) });
            }
        }
        if geos.len() < least {
            let (got, least) = (count(geos.len()), count(least));
            return Err(ExperimentError::TooFew { of: "experiment", unit: "regions", got, least });
        }
        let freedom = count(geos.len() - 2 - usize::from(before_square > 0.0));
        let mut design =
            Self { residual: vec![], square: 0.0, treated, weights, before, before_square, total, freedom };
        let assignment: Vec<_> = design.treated.iter().map(|treated| f64::from(u8::from(*treated))).collect();
        let spread = inner(&design.weights, &assignment, &assignment);
        design.residual = design.without_known(assignment);
        design.square = inner(&design.weights, &design.residual, &design.residual);
        if design.square <= 1e-12 * spread {
            return Err(ExperimentError::Separated);
        }
        Ok(design)
    }

    pub(super) fn adjusted(&self) -> bool {
        self.before_square > 0.0
    }

    /// M.
    fn without_known(&self, mut of: Vec<f64>) -> Vec<f64> {
        let mean = sum(of.iter().zip(&self.weights).map(|(x, w)| x * w)) / self.total;
        let slope = if self.adjusted() { inner(&self.weights, &of, &self.before) / self.before_square } else { 0.0 };
        of.iter_mut().zip(&self.before).for_each(|(x, before)| *x -= mean + slope * before);
        of
    }

    pub(super) fn test(&self, rates: Vec<f64>) -> Test {
        let size = rates.iter().map(|rate| rate * rate).fold(0.0, f64::max);
        let mut residual = self.without_known(rates);
        // Equal rates leave rounding only, which is no variation.
        if residual.iter().all(|x| x * x <= 1e-26 * size) {
            residual.fill(0.0);
        }
        let lift = inner(&self.weights, &self.residual, &residual) / self.square;
        let mut variance = 0.0;
        for (index, weight) in self.weights.iter().enumerate() {
            let (u, x) = (self.residual[index], self.before[index]);
            let of_before = if self.adjusted() { x * x / self.before_square } else { 0.0 };
            let leverage = weight * (1.0 / self.total + of_before + u * u / self.square);
            let left = residual[index] - lift * u;
            let meat = (weight * u * left).powi(2);
            // A region that the regression meets exactly says nothing about noise.
            if left * left > 1e-24 * size {
                variance += meat / (1.0 - leverage).max(f64::MIN_POSITIVE);
            }
        }
        Test { residual, lift, error: variance.sqrt() / self.square }
    }

    /// ⟨MA, MA⟩ of another assignment; 0 where the rates before tell it already.
    fn square_of(&self, assigned: &[usize]) -> f64 {
        let (mut weight, mut before) = (0.0, 0.0);
        for &index in assigned {
            weight += self.weights[index];
            before += self.weights[index] * self.before[index];
        }
        let of_before = if self.adjusted() { before * before / self.before_square } else { 0.0 };
        let square = weight - weight * weight / self.total - of_before;
        if square <= 1e-12 * weight { 0.0 } else { square }
    }

    /// ⟨MA, M of a result⟩.
    fn along(&self, assigned: &[usize], residual: &[f64]) -> f64 {
        assigned.iter().map(|&index| self.weights[index] * residual[index]).sum()
    }

    /// Shows `meet` the treated regions of every assignment that results are held against, the one that took place among them.
    fn each(&self, settings: &Settings, stop: &Stop, mut meet: impl FnMut(&[usize])) -> Result<Assignments> {
        let arm: Vec<_> = (0..self.treated.len()).filter(|index| self.treated[*index]).collect();
        let assignments = Assignments::of(arm.len(), self.treated.len(), settings.draws);
        let mut meet = |assigned: &[usize]| {
            meet(assigned);
            stop.check()
        };
        match assignments {
            Assignments::All(_) => every(self.treated.len(), arm.len(), meet)?,
            Assignments::Drawn(draws) => {
                let mut dice = ChaCha8Rng::seed_from_u64(settings.seed);
                let mut deck: Vec<_> = (0..self.treated.len()).collect();
                for _ in 0..draws {
                    shuffle(&mut dice, &mut deck, arm.len());
                    meet(&deck[..arm.len()])?;
                }
                meet(&arm)?;
            }
        }
        Ok(assignments)
    }

    /// Holds each test against the other assignments.
    pub(super) fn permute<const N: usize>(
        &self,
        tests: &[Test; N],
        settings: &Settings,
        stop: &Stop,
    ) -> Result<(Assignments, [Verdict; N])> {
        let mut inversions = [(); N].map(|()| Inversion::default());
        let scale = self.square.sqrt();
        let assignments = self.each(settings, stop, |assigned| {
            // An assignment that the rates before tell already could give any coefficient: it counts as extreme.
            let square = self.square_of(assigned);
            let length = square.sqrt();
            let with_treated = self.along(assigned, &self.residual);
            for (inversion, test) in inversions.iter_mut().zip(tests) {
                let with = self.along(assigned, &test.residual);
                let own = [test.lift * scale, scale];
                inversion.meet(own, (square > 0.0).then(|| [with / length, with_treated / length]));
            }
        })?;
        let verdicts = inversions.map(|inversion| inversion.verdict(settings.alpha()));
        let mut tests = tests.iter();
        let varies = |test: &Test| test.residual.iter().any(|x| *x != 0.0);
        let verdicts = verdicts.map(|verdict| match tests.next() {
            Some(test) if varies(test) => verdict,
            // The same rate everywhere: nothing to test.
            _ => (verdict.0, verdict.1, None),
        });
        Ok((assignments, verdicts))
    }

    /// How large lifts are that assignments find where there is none: the root of their mean square.
    pub(super) fn chance<const N: usize>(
        &self,
        tests: &[Test; N],
        settings: &Settings,
        stop: &Stop,
    ) -> Result<(Assignments, [f64; N])> {
        let (mut met, mut squares) = (0_u32, [Sum::default(); N]);
        let assignments = self.each(settings, stop, |assigned| {
            let square = self.square_of(assigned);
            if square > 0.0 {
                met += 1;
                for (sum, test) in squares.iter_mut().zip(tests) {
                    sum.add((self.along(assigned, &test.residual) / square).powi(2));
                }
            }
        })?;
        Ok((assignments, squares.map(|sum| (sum.get() / f64::from(met.max(1))).sqrt())))
    }
}

/// The lifts at which each assignment is at least as extreme as the one that took place.
#[derive(Default)]
struct Inversion {
    lows: Vec<f64>,
    highs: Vec<f64>,
    /// Assignments as extreme at no lift.
    extreme: u32,
}

impl Inversion {
    /// `own` and `other`: statistics a − τ b of the assignment that took place and of another one, as [a, b], b of
    /// the first one positive and at least as large as the other's.
    fn meet(&mut self, own: [f64; 2], other: Option<[f64; 2]>) {
        let [a, b] = own;
        let (low, high) = match other {
            Some([c, d]) if b - d.abs() > 1e-9 * b => {
                let roots = [(a - c) / (b - d), (a + c) / (b + d)];
                (roots[0].min(roots[1]), roots[0].max(roots[1]))
            }
            _ => (f64::NEG_INFINITY, f64::INFINITY),
        };
        self.lows.push(low);
        self.highs.push(high);
        // Equal results of regions give equal statistics up to rounding.
        let extreme = other.is_none_or(|[c, _]| c.abs() >= a.abs() * (1.0 - 1e-9)) || low == f64::NEG_INFINITY;
        self.extreme += u32::from(extreme);
    }

    fn verdict(mut self, alpha: f64) -> Verdict {
        let all = count(self.lows.len());
        // A lift stays in where more than alpha of the assignments are as extreme.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to the length")]
        let at = ((alpha * all + 1e-9).floor() as usize).min(self.lows.len() - 1);
        let (_, low, _) = self.lows.select_nth_unstable_by(at, f64::total_cmp);
        let (_, high, _) = self.highs.select_nth_unstable_by(at, |a, b| b.total_cmp(a));
        (*low, *high, Some(f64::from(self.extreme) / all))
    }
}

fn inner(weights: &[f64], a: &[f64], b: &[f64]) -> f64 {
    sum(weights.iter().zip(a).zip(b).map(|((w, a), b)| w * a * b))
}

/// Every choice of `some` out of `all`, in lexical order.
fn every(all: usize, some: usize, mut meet: impl FnMut(&[usize]) -> Result<()>) -> Result<()> {
    let mut chosen: Vec<_> = (0..some).collect();
    loop {
        meet(&chosen)?;
        let Some(place) = (0..some).rev().find(|place| chosen[*place] < all - some + place) else { return Ok(()) };
        chosen[place] += 1;
        for next in place + 1..some {
            chosen[next] = chosen[next - 1] + 1;
        }
    }
}

/// Puts `some` evenly drawn elements first (Fisher and Yates).
fn shuffle(dice: &mut ChaCha8Rng, deck: &mut [usize], some: usize) {
    for place in 0..some {
        let left = (deck.len() - place) as u64;
        // The highest 64 bits of the product: an unevenness of left / 2^64.
        let step = (u128::from(dice.next_u64()) * u128::from(left)) >> 64;
        deck.swap(place, place + step as usize);
    }
}
