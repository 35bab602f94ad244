//! Poisson draws that are the same on every machine: compares of integers, IEEE sums, products and roots, and libm.

/// Whole means up to here are drawn from a table.
const TABLES: usize = 32;
/// Other means below this are drawn by walking up from 0; the rest by rejection, which needs 10 at least.
const WALK: f64 = 10.0;
/// What a walk leaves out, far below the 2^-53 that sums of chances resolve.
const TAIL: f64 = 1.0 / (1_u128 << 70) as f64;

/// Draws counts of any mean.
pub(crate) struct Poisson {
    /// For the means 1, 2, ….
    tables: Vec<Table>,
}

/// The walk of one mean, worked out ahead.
struct Table {
    /// Bits below `up_to[k]` draw k or less.
    up_to: Vec<u64>,
    /// Where to begin, by the highest 8 bits.
    begin: Vec<u8>,
}

impl Poisson {
    pub(crate) fn new() -> Self {
        Self { tables: (1..=TABLES).map(Table::new).collect() }
    }

    /// A count with this mean, finite and not negative; 0 for a mean of 0. `bits` is an even draw; `pair` gives
    /// further ones by their number, wanted only for large means.
    #[inline]
    pub(crate) fn draw(&self, mean: f64, bits: u64, pair: impl Fn(u64) -> [u64; 2]) -> f64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 32, or not used")]
        let whole = mean as usize;
        #[expect(clippy::cast_precision_loss, reason = "at most 32 where it counts")]
        if (1..=TABLES).contains(&whole) && whole as f64 == mean {
            self.tables[whole - 1].draw(bits)
        } else if mean == 0.0 {
            0.0
        } else if mean < WALK {
            walk(mean, bits)
        } else {
            reject(mean, pair)
        }
    }

    /// A count of mean 1.
    #[inline]
    pub(crate) fn one(&self, bits: u64) -> f64 {
        self.tables[0].draw(bits)
    }
}

impl Table {
    fn new(mean: usize) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "at most 32")]
        let up_to: Vec<u64> = Steps::new(mean as f64).map(threshold).collect();
        let begin = (0..=u8::MAX).map(|high| {
            let least = u64::from(high) << 56;
            let begin = up_to.partition_point(|up_to| *up_to <= least);
            #[expect(clippy::cast_possible_truncation, reason = "a table of mean 32 has fewer than 256 steps")]
            let begin = begin as u8;
            begin
        });
        Self { begin: begin.collect(), up_to }
    }

    #[inline]
    fn draw(&self, bits: u64) -> f64 {
        let mut count = self.begin[(bits >> 56) as usize];
        while self.up_to.get(usize::from(count)).is_some_and(|up_to| bits >= *up_to) {
            count += 1;
        }
        f64::from(count)
    }
}

/// The chances of 0 or less, 1 or less, …, until what is left is nothing.
struct Steps {
    mean: f64,
    count: f64,
    chance: f64,
    up_to: f64,
}

impl Steps {
    fn new(mean: f64) -> Self {
        let chance = libm::exp(-mean);
        Self { mean, count: 0.0, chance, up_to: chance }
    }
}

impl Iterator for Steps {
    type Item = f64;
    #[inline]
    fn next(&mut self) -> Option<f64> {
        if self.count > self.mean && self.chance <= TAIL {
            return None;
        }
        let up_to = self.up_to;
        self.count += 1.0;
        self.chance *= self.mean / self.count;
        self.up_to += self.chance;
        Some(up_to)
    }
}

/// A chance as the number of draws of 64 bits that lie below it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a chance of 1 takes the highest draw")]
fn threshold(chance: f64) -> u64 {
    (chance * 18_446_744_073_709_551_616.0) as u64
}

/// By inversion: the first count whose chance of being reached is above the draw.
fn walk(mean: f64, bits: u64) -> f64 {
    let mut count = 0.0;
    for up_to in Steps::new(mean) {
        if bits < threshold(up_to) {
            break;
        }
        count += 1.0;
    }
    count
}

/// By transformed rejection with squeeze (algorithm PTRS of Hörmann 1993), for means of 10 and more.
fn reject(mean: f64, pair: impl Fn(u64) -> [u64; 2]) -> f64 {
    let b = 0.931 + 2.53 * mean.sqrt();
    let a = -0.059 + 0.02483 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    let squeeze = 0.9277 - 3.6224 / (b - 2.0);
    let mut attempt = 0;
    loop {
        let [u, v] = pair(attempt).map(unit);
        attempt += 1;
        let u = u - 0.5;
        let us = 0.5 - u.abs();
        let count = ((2.0 * a / us + b) * u + mean + 0.43).floor();
        if us >= 0.07 && v <= squeeze {
            return count;
        }
        if count < 0.0 || (us < 0.013 && v > us) {
            continue;
        }
        if libm::log(v * inverse_alpha / (a / (us * us) + b)) <= log_chance(count, mean) {
            return count;
        }
    }
}

/// Evenly from 0 (inclusive) to 1 (exclusive).
#[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// The logarithm of the chance of a count, without cancellation for large ones (Loader: Fast and accurate
/// computation of binomial probabilities, 2000).
fn log_chance(count: f64, mean: f64) -> f64 {
    if count < 16.0 {
        return count * libm::log(mean) - mean - libm::lgamma(count + 1.0);
    }
    let square = count * count;
    let error = (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / 1680.0 / square) / square) / square) / count;
    -error - deviance(count, mean) - 0.5 * libm::log(std::f64::consts::TAU * count)
}

/// count × ln(count / mean) + mean − count.
fn deviance(count: f64, mean: f64) -> f64 {
    let (off, both) = (count - mean, count + mean);
    if off.abs() >= 0.1 * both {
        return count * libm::log(count / mean) - off;
    }
    let v = off / both;
    let (mut sum, mut term) = (off * v, 2.0 * count * v);
    for odd in (3_u32..).step_by(2) {
        term *= v * v;
        let next = sum + term / f64::from(odd);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

#[cfg(test)]
mod tests;
