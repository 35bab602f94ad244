//! The few distributions that tests and intervals need.
use statrs::{
    distribution::{Continuous, ContinuousCDF, StudentsT},
    function::{
        beta::beta_reg,
        erf::{erfc, erfc_inv},
    },
};
use std::f64::consts::SQRT_2;

/// The z below which a standard normal variable falls with probability `p`.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    -SQRT_2 * erfc_inv(2.0 * p)
}

/// P(|Z| ≥ |z|), standard normal. With z² it is also the upper tail of χ² with one degree of freedom.
pub(super) fn normal_two_sided(z: f64) -> f64 {
    erfc(z.abs() / SQRT_2)
}

/// Beyond so many degrees of freedom the series in their reciprocal are more exact than the beta function.
const MANY: f64 = 1e5;

/// The t below which Student's t falls with probability `p`. Many degrees of freedom: Fisher's expansion (Abramowitz
/// and Stegun 26.7.5); the normal one where they are infinite.
pub(super) fn student_quantile(p: f64, freedom: f64) -> f64 {
    match StudentsT::new(0.0, 1.0, freedom) {
        Ok(student) if freedom <= MANY => {
            let mut t = student.inverse_cdf(p.max(1.0 - p));
            // The library's answer has six digits or so; each of Newton's steps doubles them.
            for _ in 0..2 {
                t += (student_two_sided(t, freedom) - 2.0 * p.min(1.0 - p)) / (2.0 * student.pdf(t));
            }
            if p < 0.5 { -t } else { t }
        }
        _ => {
            let z = normal_quantile(p);
            let (z3, z5) = (z.powi(3), z.powi(5));
            z + (z3 + z) / (4.0 * freedom) + (5.0 * z5 + 16.0 * z3 + 3.0 * z) / (96.0 * freedom * freedom)
        }
    }
}

/// P(|T| ≥ |t|) of Student's t. Many degrees of freedom: the expansion of the quantile, turned around.
pub(super) fn student_two_sided(t: f64, freedom: f64) -> f64 {
    if freedom > MANY {
        let (t3, t5) = (t.powi(3), t.powi(5));
        let z = t - (t3 + t) / (4.0 * freedom) + (13.0 * t5 + 8.0 * t3 + 3.0 * t) / (96.0 * freedom * freedom);
        return normal_two_sided(z);
    }
    beta_reg(freedom / 2.0, 0.5, freedom / (freedom + t * t))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, want: f64) {
        assert!((got - want).abs() <= 1e-9 * want.abs(), "{got} instead of {want}");
    }

    /// `scipy.stats.norm.ppf`, `norm.sf`, `t.ppf`, `t.sf` (scipy 1.17.1).
    #[test]
    fn scipy_agrees() {
        close(normal_quantile(0.975), 1.959963984540054);
        close(normal_quantile(1e-9), -5.997807015007687);
        close(normal_two_sided(5.0), 5.733031437583877e-07);
        for (p, freedom, want) in T_PPF {
            close(student_quantile(p, freedom), want);
        }
        for (t, freedom, want) in T_SF {
            close(student_two_sided(t, freedom), want);
        }
        close(student_quantile(0.975, f64::INFINITY), 1.959963984540054);
    }

    const T_PPF: [(f64, f64, f64); 8] = [
        (0.975, 1.0, 12.706204736174694),
        (0.975, 2.5, 3.5746548420036817),
        (0.9, 7.3, 1.4089223177480423),
        (0.8, 30.0, 0.8537672614712979),
        (0.995, 1e6, 2.5758342201053344),
        (0.975, 2e5, 1.959975845966768),
        (0.975, 1e9, 1.959963986912325),
        (0.75, 4.0, 0.7406970841126829),
    ];
    const T_SF: [(f64, f64, f64); 7] = [
        (2.5, 3.7, 0.07182202291182678),
        (12.0, 40.0, 7.82417130425598e-15),
        (0.1, 9.0, 0.9225364479566812),
        (30.0, 200.5, 4.5825026750750586e-76),
        (-1.7, 1e7, 0.08913095661441345),
        (3.0, 2e5, 0.00270012846277679),
        (12.0, 1e6, 3.571685124765094e-33),
    ];
}
