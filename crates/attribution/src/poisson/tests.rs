use super::*;
use crate::philox::philox;

fn draws(mean: f64, how_many: u64) -> Vec<f64> {
    let poisson = Poisson::new();
    (0..how_many)
        .map(|index| poisson.draw(mean, philox(7, [index, 0])[0], |attempt| philox(7, [index, 1 + attempt])))
        .collect()
}

/// Chances by multiplying up from 0, or from the mode where 0 has none to speak of.
fn chances(mean: f64, most: usize) -> Vec<f64> {
    let mut logs = vec![-mean];
    (1..=most).for_each(|k| logs.push(logs[k - 1] + (mean / k as f64).ln()));
    logs.into_iter().map(f64::exp).collect()
}

#[test]
fn draws_follow_the_chances() {
    const DRAWS: u64 = 100_000;
    for mean in [0.03_f64, 0.5, 1.0, 2.0, 2.5, 9.75, 10.5, 20.0, 32.0, 33.0, 150.0, 4000.0] {
        let most = (mean + 12.0 * mean.sqrt() + 20.0) as usize;
        let mut seen = vec![0_u64; most + 1];
        draws(mean, DRAWS).into_iter().for_each(|count| seen[count as usize] += 1);
        // Cells of at least 20 expected draws.
        let (mut square, mut cells, mut want, mut got) = (0.0, 0, 0.0, 0.0);
        let (mut left_want, mut left_got) = (DRAWS as f64, DRAWS as f64);
        for (chance, seen) in chances(mean, most).into_iter().zip(seen) {
            want += chance * DRAWS as f64;
            got += seen as f64;
            if want >= 20.0 && left_want - want >= 20.0 {
                square += (got - want) * (got - want) / want;
                (left_want, left_got) = (left_want - want, left_got - got);
                (want, got, cells) = (0.0, 0.0, cells + 1);
            }
        }
        square += (left_got - left_want) * (left_got - left_want) / left_want;
        // χ² with `cells` degrees of freedom: mean `cells`, variance twice that; 4.5 deviations and room for its skew.
        let most = cells as f64 + 4.5 * (2.0 * cells as f64).sqrt() + 8.0;
        assert!(cells >= 1 && square < most, "mean {mean}: χ² {square} on {cells}");
    }
}

#[test]
fn moments_are_those_of_the_mean() {
    const DRAWS: f64 = 50_000.0;
    for mean in [0.3_f64, 1.0, 7.0, 12.0, 300.0, 1e6, 1e12] {
        let draws = draws(mean, DRAWS as u64);
        let average = draws.iter().sum::<f64>() / DRAWS;
        let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / DRAWS;
        assert!((average - mean).abs() < 4.5 * (mean / DRAWS).sqrt(), "mean {mean}: {average}");
        // The variance of a squared deviation is mean + 2 mean².
        let off = 4.5 * ((mean + 2.0 * mean * mean) / DRAWS).sqrt();
        assert!((variance - mean).abs() < off, "variance for {mean}: {variance}");
    }
}

#[test]
fn a_table_is_the_walk_worked_out_ahead() {
    for mean in 1..=TABLES {
        let table = Table::new(mean);
        for index in 0..2000 {
            let bits = philox(1, [index, 0])[0];
            assert_eq!(table.draw(bits), walk(mean as f64, bits), "mean {mean}, bits {bits}");
        }
        for bits in [0, u64::MAX, 1 << 56, (1 << 56) - 1] {
            assert_eq!(table.draw(bits), walk(mean as f64, bits), "mean {mean}, bits {bits}");
        }
    }
}

#[test]
fn every_mean_ends_in_a_number() {
    let poisson = Poisson::new();
    assert_eq!(poisson.draw(0.0, u64::MAX, |_| [0; 2]), 0.0);
    for mean in [1e-300, 1e-9, 10.0 - 1e-12, 1e15, 1e40, 1e90] {
        for bits in [0, 1, u64::MAX] {
            let count = poisson.draw(mean, bits, |attempt| philox(3, [attempt, bits]));
            assert!(count.is_finite() && count >= 0.0, "mean {mean}: {count}");
        }
    }
}

/// The same on every machine: these were worked out by another program, in Python.
#[test]
fn draws_are_portable() {
    let first = |mean| draws(mean, 8).into_iter().map(|count| count as u64).collect::<Vec<_>>();
    assert_eq!(first(1.0), [0, 0, 0, 0, 0, 2, 1, 1]);
    assert_eq!(first(2.5), [2, 1, 0, 0, 1, 4, 2, 3]);
    assert_eq!(first(10.5), [10, 10, 11, 7, 7, 7, 10, 7]);
    assert_eq!(first(1e6), [999_761, 999_764, 1_000_103, 999_013, 999_065, 998_932, 999_948, 998_877]);
}
