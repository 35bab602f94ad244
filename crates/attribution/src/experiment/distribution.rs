//! The few distributions that tests and intervals need, alike on every machine: IEEE sums, products and roots, and libm.
use std::f64::consts::SQRT_2;

/// Numerators and denominators of Wichura's rational functions (1988, algorithm AS 241, PPND16), the constant first.
const MIDDLE: [[f64; 8]; 2] = [
    [
        3.387_132_872_796_366_6,
        133.141_667_891_784_38,
        1_971.590_950_306_551_4,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
];
const NEAR: [[f64; 8]; 2] = [
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
];
const FAR: [[f64; 8]; 2] = [
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_87,
        0.026_532_189_526_576_124,
        0.001_242_660_947_388_078_4,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        0.599_832_206_555_888,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
];

/// The z below which a standard normal variable falls with probability `p`; infinite for 0 and 1.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    let off = p - 0.5;
    let ratio = |[above, below]: [[f64; 8]; 2], x: f64| {
        let [above, below] = [above, below].map(|of| of.iter().rev().fold(0.0, |sum, term| sum * x + term));
        above / below
    };
    if off.abs() <= 0.425 {
        return off * ratio(MIDDLE, 0.180_625 - off * off);
    }
    let tail = if off < 0.0 { p } else { 1.0 - p };
    if tail <= 0.0 {
        return f64::INFINITY.copysign(off);
    }
    let depth = (-libm::log(tail)).sqrt();
    let z = if depth <= 5.0 { ratio(NEAR, depth - 1.6) } else { ratio(FAR, depth - 5.0) };
    z.copysign(off)
}

/// P(|Z| ≥ |z|), standard normal. With z² it is also the upper tail of χ² with one degree of freedom.
pub(super) fn normal_two_sided(z: f64) -> f64 {
    libm::erfc(z.abs() / SQRT_2)
}

/// Beyond so many degrees of freedom the series in their reciprocal are more exact than the beta function.
const MANY: f64 = 1e5;

/// The t below which Student's t falls with probability `p`. Many degrees of freedom: Fisher's expansion (Abramowitz
/// and Stegun 26.7.5); the normal one where they are infinite.
pub(super) fn student_quantile(p: f64, freedom: f64) -> f64 {
    if !(freedom > 0.0 && freedom <= MANY) {
        let z = normal_quantile(p);
        let (z3, z5) = (z * z * z, z * z * z * z * z);
        return z + (z3 + z) / (4.0 * freedom) + (5.0 * z5 + 16.0 * z3 + 3.0 * z) / (96.0 * freedom * freedom);
    }
    let tails = 2.0 * p.min(1.0 - p);
    if !(tails > 0.0 && tails < 1.0) {
        return if tails >= 1.0 { 0.0 } else { f64::INFINITY.copysign(p - 0.5) };
    }
    // Between two bounds first, then by Newton's steps, each of which doubles the digits.
    let (mut low, mut high) = (0.0, 1.0);
    while student_two_sided(high, freedom) > tails && high < 1e150 {
        (low, high) = (high, high * 2.0);
    }
    for _ in 0..30 {
        let middle = f64::midpoint(low, high);
        if student_two_sided(middle, freedom) > tails { low = middle } else { high = middle }
    }
    let mut t = f64::midpoint(low, high);
    for _ in 0..3 {
        let next = t + (student_two_sided(t, freedom) - tails) / (2.0 * student_density(t, freedom));
        t = if next.is_finite() { next } else { t };
    }
    t.copysign(p - 0.5)
}

/// P(|T| ≥ |t|) of Student's t: the regularised incomplete beta function of freedom / (freedom + t²) at freedom / 2 and ½.
/// Many degrees of freedom: the expansion of the quantile, turned around.
pub(super) fn student_two_sided(t: f64, freedom: f64) -> f64 {
    let square = t * t;
    if freedom > MANY {
        let (t3, t5) = (square * t, square * square * t);
        let z = t - (t3 + t) / (4.0 * freedom) + (13.0 * t5 + 8.0 * t3 + 3.0 * t) / (96.0 * freedom * freedom);
        return normal_two_sided(z);
    }
    if square == 0.0 {
        return 1.0;
    }
    let half = freedom / 2.0;
    let (x, rest) = (freedom / (freedom + square), square / (freedom + square));
    if !rest.is_finite() {
        return 0.0;
    }
    let log = log_gamma_step(half) - 0.5 * libm::log(std::f64::consts::PI) - half * libm::log1p(square / freedom);
    let front = libm::exp(log) * rest.sqrt();
    if x < (half + 1.0) / (half + 2.5) {
        front * beta_fraction(half, 0.5, x) / half
    } else {
        1.0 - 2.0 * front * beta_fraction(0.5, half, rest)
    }
}

fn student_density(t: f64, freedom: f64) -> f64 {
    let half = freedom / 2.0;
    let log = log_gamma_step(half) - 0.5 * libm::log(std::f64::consts::PI * freedom);
    libm::exp(log - (half + 0.5) * libm::log1p(t * t / freedom))
}

/// ln Γ(a + ½) − ln Γ(a), without cancellation for large a.
fn log_gamma_step(a: f64) -> f64 {
    if a < 20.0 {
        return libm::lgamma(a + 0.5) - libm::lgamma(a);
    }
    let (i, square) = (1.0 / a, 1.0 / (a * a));
    let series = 1.0 / 640.0 - square * (17.0 / 14_336.0 - square * 31.0 / 18_432.0);
    0.5 * libm::log(a) - i * (1.0 / 8.0 - square * (1.0 / 192.0 - square * series))
}

/// The continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8), by Lentz's method.
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    let kept = |x: f64| if x.abs() < 1e-300 { 1e-300 } else { x };
    let (mut above, mut below) = (1.0, 1.0 / kept(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = below;
    let mut m = 0.0;
    while m < 1e5 {
        m += 1.0;
        let even = m * (b - m) * x / ((a - 1.0 + 2.0 * m) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 1.0 + 2.0 * m));
        let mut by = 1.0;
        for term in [even, odd] {
            below = 1.0 / kept(1.0 + term * below);
            above = kept(1.0 + term / above);
            by = below * above;
            fraction *= by;
        }
        if (by - 1.0_f64).abs() < 4e-16 {
            break;
        }
    }
    fraction
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
