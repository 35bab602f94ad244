//! The few distributions that tests and intervals need.
use statrs::{
    distribution::{ContinuousCDF, StudentsT},
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

/// The t below which Student's t falls with probability `p`; the normal one where `freedom` is not finite.
pub(super) fn student_quantile(p: f64, freedom: f64) -> f64 {
    match StudentsT::new(0.0, 1.0, freedom) {
        Ok(t) if freedom.is_finite() => t.inverse_cdf(p),
        _ => normal_quantile(p),
    }
}

/// P(|T| ≥ |t|) of Student's t.
pub(super) fn student_two_sided(t: f64, freedom: f64) -> f64 {
    if !freedom.is_finite() {
        return normal_two_sided(t);
    }
    if t.is_infinite() {
        return 0.0;
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

    const T_PPF: [(f64, f64, f64); 6] = [
        (0.975, 1.0, 12.706204736174694),
        (0.975, 2.5, 3.5746548420036817),
        (0.9, 7.3, 1.4089223177480423),
        (0.8, 30.0, 0.8537672614712979),
        (0.995, 1e6, 2.5758342201053344),
        (0.75, 4.0, 0.7406970841126829),
    ];
    const T_SF: [(f64, f64, f64); 5] = [
        (2.5, 3.7, 0.07182202291182678),
        (12.0, 40.0, 7.82417130425598e-15),
        (0.1, 9.0, 0.9225364479566812),
        (30.0, 200.5, 4.5825026750750586e-76),
        (-1.7, 1e7, 0.08913095661441345),
    ];
}
