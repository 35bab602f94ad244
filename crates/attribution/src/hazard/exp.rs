//! e to a power, alike on every machine and in a form that compilers turn into vector code.

/// e^x within 1e-13 relative; 0 below −700, e^700 above 700.
#[inline]
pub(super) fn exp(x: f64) -> f64 {
    let clamped = x.clamp(-700.0, 700.0);
    // Adding and taking away 1.5 · 2^52 rounds to a whole number.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let shifted = clamped * std::f64::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    // ln 2 in two parts, so that the rest is exact.
    let rest = (clamped - whole * 6.931_471_803_691_238e-1) - whole * 1.908_214_929_270_587_7e-10;
    let mut sum = 1.0 / 39_916_800.0;
    for term in [3_628_800.0, 362_880.0, 40_320.0, 5_040.0, 720.0, 120.0, 24.0, 6.0, 2.0, 1.0, 1.0] {
        sum = sum * rest + 1.0 / term;
    }
    // The low bits of `shifted` hold the whole number; 1023 is the bias of the exponent.
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    if x < -700.0 { 0.0 } else { sum * power }
}

#[cfg(test)]
mod tests {
    #[test]
    fn agrees_with_the_standard_library() {
        for step in -70_000..=70_000 {
            let x = f64::from(step) * 0.009_97;
            let (got, want) = (super::exp(x), x.exp());
            assert!((got / want - 1.0).abs() < 1e-13, "e^{x}: {got} instead of {want}");
        }
        assert_eq!(super::exp(-1e4), 0.0);
        assert_eq!(super::exp(0.0), 1.0);
    }
}
