//! Penalised logistic regression by Newton's method (iteratively reweighted least squares).
use crate::{Result, Stop};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

/// People by the columns they have, in compressed rows.
#[derive(Default)]
pub(super) struct Rows {
    columns: Vec<u32>,
    /// The end of each row in `columns`, and its people: conversions and losses.
    rows: Vec<(usize, f64, f64)>,
}

impl Rows {
    pub(super) fn push(&mut self, columns: impl Iterator<Item = u32>, conversions: f64, nulls: f64) {
        self.columns.extend(columns);
        self.rows.push((self.columns.len(), conversions, nulls));
    }

    fn iter(&self) -> impl Iterator<Item = (&[u32], f64, f64)> {
        let mut start = 0;
        self.rows.iter().map(move |(end, conversions, nulls)| {
            let columns = &self.columns[start..*end];
            start = *end;
            (columns, *conversions, *nulls)
        })
    }

    /// Equal rows as one, in the order in which they come first.
    pub(super) fn merged(&self, stop: &Stop) -> Result<Self> {
        let mut merged = Self::default();
        let mut known = HashMap::<&[u32], usize, FixedState>::default();
        for (columns, conversions, nulls) in self.iter() {
            stop.check()?;
            let at = *known.entry(columns).or_insert(merged.rows.len());
            if at == merged.rows.len() {
                merged.push(columns.iter().copied(), 0.0, 0.0);
            }
            merged.rows[at].1 += conversions;
            merged.rows[at].2 += nulls;
        }
        Ok(merged)
    }
}

pub(super) struct Fit {
    /// The intercept, then one for each column.
    pub(super) coefficients: Vec<f64>,
    pub(super) settled: bool,
}

/// Newton steps at most; seven are usual.
const STEPS_MAX: usize = 60;
/// A step this small changes nothing that is shown.
const STEP_MIN: f64 = 1e-10;
/// How much of a curvature is added to it, so that columns that always come together can be told apart by rounding.
const DAMPING: f64 = 1e-10;

/// Minimises the log-loss of `rows` and of half a conversion and half a loss without columns, plus `l2` / 2 × the sum of
/// squares of all coefficients but the intercept.
pub(super) fn fit(rows: &Rows, columns: usize, l2: f64, stop: &Stop) -> Result<Fit> {
    let mut at = Point::new(rows, vec![0.0; columns + 1], l2, stop)?;
    for _ in 0..STEPS_MAX {
        let Some(step) = at.newton(stop)? else { break };
        let size = step.iter().fold(0.0, |size, by| f64::max(size, by.abs()));
        let mut part = 1.0;
        let next = loop {
            let moved = at.coefficients.iter().zip(&step).map(|(from, by)| from + part * by).collect();
            let next = Point::new(rows, moved, l2, stop)?;
            if next.loss <= at.loss {
                break Some(next);
            }
            part /= 2.0;
            if part * size < STEP_MIN {
                break None;
            }
        };
        // Where no part of the step helps, only rounding is left.
        let Some(next) = next else { return Ok(Fit { coefficients: at.coefficients, settled: true }) };
        at = next;
        if size < STEP_MIN {
            return Ok(Fit { coefficients: at.coefficients, settled: true });
        }
    }
    Ok(Fit { coefficients: at.coefficients, settled: false })
}

/// The loss around some coefficients.
struct Point {
    coefficients: Vec<f64>,
    loss: f64,
    /// Where the loss falls.
    slope: Vec<f64>,
    /// Second derivatives: the lower triangle, row by row.
    curvature: Vec<f64>,
}

/// The chance to convert at some log-odds.
pub(super) fn chance(odds: f64) -> f64 {
    if odds >= 0.0 {
        1.0 / (1.0 + libm::exp(-odds))
    } else {
        let odds = libm::exp(odds);
        odds / (1.0 + odds)
    }
}

/// ln(1 + eˣ).
fn softplus(x: f64) -> f64 {
    x.max(0.0) + libm::log1p(libm::exp(-x.abs()))
}

/// Where row `row` of a lower triangle begins.
fn row(row: usize) -> usize {
    row * (row + 1) / 2
}

impl Point {
    fn new(rows: &Rows, coefficients: Vec<f64>, l2: f64, stop: &Stop) -> Result<Self> {
        let n = coefficients.len();
        let (mut loss, mut slope, mut curvature) = (0.0, vec![0.0; n], vec![0.0; row(n)]);
        for column in 1..n {
            let coefficient = coefficients[column];
            loss += l2 / 2.0 * coefficient * coefficient;
            slope[column] = -l2 * coefficient;
            curvature[row(column) + column] = l2;
        }
        for (columns, conversions, nulls) in rows.iter().chain([(&[] as &[u32], 0.5, 0.5)]) {
            stop.check()?;
            let odds = coefficients[0] + columns.iter().map(|column| coefficients[*column as usize + 1]).sum::<f64>();
            let (yes, no) = (chance(odds), chance(-odds));
            loss += conversions * softplus(-odds) + nulls * softplus(odds);
            let (pull, weight) = (conversions * no - nulls * yes, (conversions + nulls) * yes * no);
            slope[0] += pull;
            curvature[0] += weight;
            for column in columns.iter().map(|column| *column as usize + 1) {
                slope[column] += pull;
                let start = row(column);
                curvature[start] += weight;
                for other in columns.iter().map(|other| *other as usize + 1).filter(|other| *other <= column) {
                    curvature[start + other] += weight;
                }
            }
        }
        Ok(Self { coefficients, loss, slope, curvature })
    }

    /// Curvature⁻¹ × slope, by Cholesky's decomposition; `None` where that is no number.
    fn newton(&self, stop: &Stop) -> Result<Option<Vec<f64>>> {
        let (n, mut l) = (self.slope.len(), self.curvature.clone());
        let mut step = self.slope.clone();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        for i in 0..n {
            stop.check()?;
            let (above, own) = l.split_at_mut(row(i));
            for j in 0..i {
                let other = &above[row(j)..=row(j) + j];
                own[j] = (own[j] - dot(&own[..j], &other[..j])) / other[j];
            }
            let rest = own[i] * (1.0 + DAMPING) - dot(&own[..i], &own[..i]);
            own[i] = rest.max(f64::MIN_POSITIVE).sqrt();
            step[i] = (step[i] - dot(&own[..i], &step[..i])) / own[i];
        }
        for i in (0..n).rev() {
            step[i] /= l[row(i) + i];
            let (known, by) = (&l[row(i)..row(i) + i], step[i]);
            step.iter_mut().zip(known).for_each(|(step, l)| *step -= by * l);
        }
        Ok(step.iter().all(|by| by.is_finite()).then_some(step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(of: &[(&[u32], f64, f64)]) -> Rows {
        let mut rows = Rows::default();
        of.iter().for_each(|(columns, c, n)| rows.push(columns.iter().copied(), *c, *n));
        rows
    }

    fn fitted(rows: &Rows, columns: usize, l2: f64) -> Fit {
        fit(rows, columns, l2, &Stop::default()).unwrap()
    }

    /// Where every count is what the model expects, the model is found again.
    #[test]
    fn the_coefficients_behind_expected_counts_are_found() {
        let truth = [-2.0, 1.5, -0.7, 0.2];
        let sets: [&[u32]; 8] = [&[], &[0], &[1], &[2], &[0, 1], &[0, 2], &[1, 2], &[0, 1, 2]];
        let expected = sets.map(|set| {
            let odds = truth[0] + set.iter().map(|column| truth[*column as usize + 1]).sum::<f64>();
            (set, 1e9 * chance(odds), 1e9 * chance(-odds))
        });
        let fit = fitted(&rows(&expected), 3, 1e-3);
        assert!(fit.settled);
        for (got, want) in fit.coefficients.iter().zip(truth) {
            assert!((got - want).abs() < 1e-7, "{:?}", fit.coefficients);
        }
    }

    /// One column against none: the coefficient is the logarithm of the odds ratio, 6 here, and the pull of the half
    /// people and the penalty is small.
    #[test]
    fn one_column_is_the_log_odds_ratio() {
        let fit = fitted(&rows(&[(&[], 1e6, 9e6), (&[0], 4e6, 6e6)]), 1, 1e-9);
        assert!((fit.coefficients[1] - 6_f64.ln()).abs() < 1e-6, "{:?}", fit.coefficients);
        assert!((fit.coefficients[0] - (1.0 / 9.0_f64).ln()).abs() < 1e-6, "{:?}", fit.coefficients);
    }

    /// Columns that always come together share their coefficient; one that always converts stays finite.
    #[test]
    fn the_penalty_settles_what_the_counts_leave_open() {
        let fit = fitted(&rows(&[(&[], 5.0, 5.0), (&[0, 1], 8.0, 2.0), (&[2], 9.0, 0.0)]), 3, 0.1);
        assert!(fit.settled);
        let [_, a, b, c] = fit.coefficients[..] else { panic!() };
        assert!((a - b).abs() < 1e-9 && a > 0.0 && c > 2.0 && c < 20.0, "{:?}", fit.coefficients);
        // At the minimum the slope is 0: what the loss gains by a coefficient, the penalty takes.
        let rows = rows(&[(&[], 5.0, 5.0), (&[0, 1], 8.0, 2.0), (&[2], 9.0, 0.0)]);
        assert!(
            Point::new(&rows, fit.coefficients, 0.1, &Stop::default())
                .unwrap()
                .slope
                .iter()
                .all(|slope| slope.abs() < 1e-8)
        );
    }
}
