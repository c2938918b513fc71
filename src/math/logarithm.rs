//! The natural logarithm, branch-free.

use super::exponential::{LN_2_HIGH, LN_2_LOW};

/// Bits of the largest f64 below √½: mantissas are brought into [√½, √2), so that ln stays accurate around 1.
const SQRT_HALF_BITS: u64 = 0x3fe6_a09e_0000_0000;
const MANTISSA_MASK: u64 = 0x000f_ffff_ffff_ffff;
/// 2⁵⁴ lifts every subnormal number into the normal range.
const LIFT: f64 = 18_014_398_509_481_984.0;
const LIFT_EXPONENT: f64 = 54.0;
/// Bits of 2⁵²: an integer below 2⁵² put into its mantissa reads as 2⁵² plus that integer.
const TWO_POWER_52_BITS: u64 = 0x4330_0000_0000_0000;
const TWO_POWER_52_PLUS_BIAS: f64 = 4_503_599_627_370_496.0 + 1023.0;

/// Coefficients of (ln((1 + s)/(1 − s)) − 2s)/s³ in powers of s², |s| ≤ 0.1716 (Remez, absolute error 3·10⁻¹⁶).
const SERIES: [f64; 7] = [
    0.666666666666667,
    0.39999999999898445,
    0.2857142862639862,
    0.2222221107291635,
    0.1818289321414094,
    0.1533159709328199,
    0.14617871208650057,
];

/// Natural logarithm. ln(±0) = −∞, ln(x < 0) = NaN, ln(∞) = ∞.
///
/// Branch-free, so that a loop over a slice vectorises; bit for bit the same alone and in a loop.
#[inline(always)]
pub fn ln(x: f64) -> f64 {
    let subnormal = x < f64::MIN_POSITIVE;
    let lifted = if subnormal { x * LIFT } else { x };
    let lift = if subnormal { LIFT_EXPONENT } else { 0.0 };

    // x = 2^k (1 + f) with √½ ≤ 1 + f < √2.
    let shifted = lifted.to_bits().wrapping_add(1.0f64.to_bits() - SQRT_HALF_BITS);
    let k = f64::from_bits(((shifted >> 52) & 0xfff) | TWO_POWER_52_BITS) - TWO_POWER_52_PLUS_BIAS - lift;
    let f = f64::from_bits((shifted & MANTISSA_MASK) + SQRT_HALF_BITS) - 1.0;

    // ln(1 + f) = f − f²/2 + s·(f²/2 + R(s²)) with s = f/(2 + f): the large terms come without rounding.
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let odd = z * (SERIES[0] + w * (SERIES[2] + w * (SERIES[4] + w * SERIES[6])));
    let even = w * (SERIES[1] + w * (SERIES[3] + w * SERIES[5]));
    let half_square = 0.5 * f * f;
    let finite = k * LN_2_HIGH - ((half_square - (s * (half_square + (odd + even)) + k * LN_2_LOW)) - f);

    let outside = if x == 0.0 { f64::NEG_INFINITY } else { f64::NAN };
    let not_positive = if x == f64::INFINITY { x } else { outside };
    if x > 0.0 && x < f64::INFINITY { finite } else { not_positive }
}
