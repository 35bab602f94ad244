//! Poisson counts that come out alike on every machine.
use rand::{Rng, rngs::ChaCha8Rng};

/// One count of mean `mean`, 0 or more: by multiplication below 10 (Knuth), by rejection from there on (algorithm
/// PTRS, Hörmann 1993, "The transformed rejection method for generating Poisson random variables").
pub(super) fn draw(dice: &mut ChaCha8Rng, mean: f64) -> f64 {
    if mean < 10.0 {
        let least = libm::exp(-mean);
        let (mut count, mut product) = (0.0, unit(dice));
        while product > least {
            count += 1.0;
            product *= unit(dice);
        }
        return count;
    }
    let b = 0.931 + 2.53 * mean.sqrt();
    let a = -0.059 + 0.024_83 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    let squeeze = 0.9277 - 3.6224 / (b - 2.0);
    loop {
        let (u, v) = (unit(dice) - 0.5, unit(dice));
        let us = 0.5 - u.abs();
        let count = ((2.0 * a / us + b) * u + mean + 0.43).floor();
        if us >= 0.07 && v <= squeeze {
            return count;
        }
        if count < 0.0 || (us < 0.013 && v > us) {
            continue;
        }
        let accept = libm::log(v * inverse_alpha / (a / (us * us) + b));
        if accept <= count * libm::log(mean) - mean - libm::lgamma(count + 1.0) {
            return count;
        }
    }
}

/// Evenly from 0 (inclusive) to 1 (exclusive).
fn unit(dice: &mut ChaCha8Rng) -> f64 {
    (dice.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::ChaCha8Rng};

    /// Mean and variance within five standard errors; the variance of the variance is about (mean + 2 mean²) / n.
    #[test]
    fn mean_and_variance_are_the_mean() {
        for mean in [0.0, 0.3, 1.0, 7.5, 9.99, 10.0, 31.0, 1234.5] {
            let mut dice = ChaCha8Rng::seed_from_u64(11);
            let n = 40_000.0;
            let draws: Vec<_> = (0..40_000).map(|_| super::draw(&mut dice, mean)).collect();
            let got = draws.iter().sum::<f64>() / n;
            let variance = draws.iter().map(|draw| (draw - got).powi(2)).sum::<f64>() / (n - 1.0);
            assert!((got - mean).abs() <= 5.0 * (mean / n).sqrt(), "mean {got} of {mean}");
            assert!(
                (variance - mean).abs() <= 5.0 * ((mean + 2.0 * mean * mean) / n).sqrt(),
                "variance {variance} of {mean}"
            );
        }
    }
}
