//! Correlation of the ranks of shares, with ties.
use super::ROUNDING;

/// Spearman's ρ. `None` where one list is all equal.
pub(super) fn spearman(x: &[f64], y: &[f64]) -> Option<f64> {
    let (x, y) = (ranks(x), ranks(y));
    let middle = (count(x.len()) + 1.0) / 2.0;
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in x.into_iter().zip(y) {
        let (x, y) = (x - middle, y - middle);
        xy += x * y;
        xx += x * x;
        yy += y * y;
    }
    (xx > 0.0 && yy > 0.0).then(|| xy / (xx * yy).sqrt())
}

/// Ranks from 1, equal numbers at the mean of their ranks.
fn ranks(x: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_unstable_by(|a, b| x[*a].total_cmp(&x[*b]));
    let (mut ranks, mut before) = (vec![0.0; x.len()], 0);
    for tied in order.chunk_by(|a, b| x[*b] - x[*a] <= ROUNDING) {
        let mean = count(before) + (count(tied.len()) + 1.0) / 2.0;
        tied.iter().for_each(|index| ranks[*index] = mean);
        before += tied.len();
    }
    ranks
}

/// Kendall's τ-b, by counting the swaps of a merge sort (Knight 1966). `None` where one list is all equal.
pub(super) fn kendall(x: &[f64], y: &[f64]) -> Option<f64> {
    // As ranks, so that numbers that are equal are equal in every order.
    let mut pairs: Vec<(f64, f64)> = ranks(x).into_iter().zip(ranks(y)).collect();
    pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let in_x = tied_pairs(pairs.iter().map(|pair| pair.0));
    let in_both = pairs.chunk_by(|a, b| a == b).map(|tied| pairs_of(tied.len())).sum::<f64>();
    let mut y: Vec<f64> = pairs.into_iter().map(|pair| pair.1).collect();
    let swaps = sort_counting(&mut y);
    let in_y = tied_pairs(y.into_iter());
    let all = pairs_of(x.len());
    let (untied_x, untied_y) = (all - in_x, all - in_y);
    let more_alike = all - in_x - in_y + in_both - 2.0 * swaps;
    (untied_x > 0.0 && untied_y > 0.0).then(|| more_alike / (untied_x * untied_y).sqrt())
}

/// Pairs of equal neighbours in a sorted list.
fn tied_pairs(sorted: impl Iterator<Item = f64>) -> f64 {
    let sorted: Vec<f64> = sorted.collect();
    sorted.chunk_by(|a, b| a == b).map(|tied| pairs_of(tied.len())).sum()
}

/// Sorts and counts the pairs that stood in the wrong order.
fn sort_counting(list: &mut [f64]) -> f64 {
    if list.len() < 2 {
        return 0.0;
    }
    let (left, right) = list.split_at_mut(list.len() / 2);
    let mut swaps = sort_counting(left) + sort_counting(right);
    let (mut l, mut r, mut merged) = (0, 0, Vec::with_capacity(left.len() + right.len()));
    while l < left.len() && r < right.len() {
        if right[r] < left[l] {
            swaps += count(left.len() - l);
            merged.push(right[r]);
            r += 1;
        } else {
            merged.push(left[l]);
            l += 1;
        }
    }
    merged.extend_from_slice(&left[l..]);
    merged.extend_from_slice(&right[r..]);
    list.copy_from_slice(&merged);
    swaps
}

fn pairs_of(n: usize) -> f64 {
    count(n) * (count(n) - 1.0) / 2.0
}

#[expect(clippy::cast_precision_loss, reason = "far fewer channels than 2^53")]
fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(got: Option<f64>, want: f64) {
        assert!((got.unwrap() - want).abs() < 1e-12, "{got:?} instead of {want}");
    }

    /// By hand. Ranks of x: 1 2 3 4 5; of y: 2 1 4 3 5. Differences squared sum to 4, so ρ = 1 − 6 · 4 / (5 · 24);
    /// 8 of the 10 pairs agree, so τ = (8 − 2) / 10.
    #[test]
    fn ranks_without_ties() {
        let (x, y) = ([1.0, 2.0, 3.0, 4.0, 5.0], [20.0, 10.0, 40.0, 30.0, 50.0]);
        close(spearman(&x, &y), 0.8);
        close(kendall(&x, &y), 0.6);
        close(spearman(&x, &x.map(|x: f64| -x)), -1.0);
        close(kendall(&x, &x.map(|x: f64| -x)), -1.0);
    }

    /// By hand. Ranks of x: 1.5 1.5 3 4; of y: 1 3 3 3. Centred: −1 −1 ½ 3⁄2 and −3⁄2 ½ ½ ½; products sum to 2,
    /// squares to 4.5 and 3. Of 6 pairs, 1 is tied in x, 3 in y, none in both; 2 agree and none disagrees.
    #[test]
    fn ranks_with_ties() {
        let (x, y) = ([0.1, 0.1, 0.2, 0.3], [0.0, 0.5, 0.5, 0.5]);
        close(spearman(&x, &y), 2.0 / 13.5_f64.sqrt());
        close(kendall(&x, &y), 2.0 / (5.0_f64 * 3.0).sqrt());
        assert_eq!(spearman(&x, &[1.0; 4]), None);
        assert_eq!(kendall(&[1.0; 4], &y), None);
        assert_eq!(kendall(&[], &[]), None);
        assert_eq!(kendall(&[0.0, -0.0], &[1.0, 2.0]), None);
        assert_eq!(kendall(&[0.1 + 0.2, 0.3], &[1.0, 2.0]), None);
    }

    proptest! {
        /// Against the definition, pair by pair.
        #[test]
        fn knights_count_is_the_count_of_pairs(list in prop::collection::vec((0..6_u8, 0..6_u8), 0..30)) {
            let (x, y): (Vec<f64>, Vec<f64>) = list.iter().map(|(x, y)| (f64::from(*x), f64::from(*y))).unzip();
            let (mut alike, mut in_x, mut in_y) = (0.0, 0.0, 0.0);
            for a in 0..x.len() {
                for b in 0..a {
                    let (dx, dy) = (x[a] - x[b], y[a] - y[b]);
                    alike += if dx * dy == 0.0 { 0.0 } else { (dx * dy).signum() };
                    in_x += f64::from(dx != 0.0);
                    in_y += f64::from(dy != 0.0);
                }
            }
            let want = (in_x > 0.0 && in_y > 0.0).then(|| alike / f64::sqrt(in_x * in_y));
            match (kendall(&x, &y), want) {
                (Some(got), Some(want)) => prop_assert!((got - want).abs() < 1e-12),
                (got, want) => prop_assert_eq!(got, want),
            }
        }
    }
}
