//! The exponential function and its relatives, branch-free.

use super::logarithm::ln;

const LOG_2_E: f64 = std::f64::consts::LOG2_E;
/// The leading 42 bits of ln 2: n·LN_2_HIGH is exact for |n| < 2¹¹.
pub(super) const LN_2_HIGH: f64 = 0.6931471805598903;
/// ln 2 − LN_2_HIGH.
pub(super) const LN_2_LOW: f64 = 5.497923018708371e-14;

/// 1.5 · 2⁵²: adding it rounds to an integer (to even at halves), which then stands in the low bits.
pub(super) const ROUNDER: f64 = 6_755_399_441_055_744.0;

/// Beyond these arguments e^x and e^x/2 are certainly 0 or ∞.
const LOWEST: f64 = -746.0;
const HIGHEST: f64 = 711.0;

/// Coefficients of (eʳ − 1 − r)/r², |r| ≤ ½ ln 2 (Remez, absolute error 2·10⁻¹⁸).
const SERIES: [f64; 11] = [
    0.5,
    0.1666666666666667,
    0.041666666666666685,
    0.008333333333326134,
    0.00138888888888744,
    0.00019841269874822077,
    2.480158734733894e-05,
    2.755725539859815e-06,
    2.755725291227619e-07,
    2.5105217600667974e-08,
    2.092158967413066e-09,
];

/// n and p with eˣ = 2ⁿ(1 + p), |p| ≤ √2 − 1, for x within [LOWEST, HIGHEST]; n comes as its f64 and as ROUNDER's bits.
#[inline(always)]
fn reduce(x: f64) -> (u64, f64) {
    let rounded = x * LOG_2_E + ROUNDER;
    let n = rounded - ROUNDER;
    let high = x - n * LN_2_HIGH;
    let low = n * LN_2_LOW;
    let r = high - low;
    let correction = (high - r) - low;
    let r2 = r * r;
    let r4 = r2 * r2;
    let first = (SERIES[0] + SERIES[1] * r) + (SERIES[2] + SERIES[3] * r) * r2;
    let second = (SERIES[4] + SERIES[5] * r) + (SERIES[6] + SERIES[7] * r) * r2;
    let third = (SERIES[8] + SERIES[9] * r) + SERIES[10] * r2;
    let tail = r2 * (first + (second + third * r4) * r4);
    (rounded.to_bits().wrapping_sub(ROUNDER.to_bits()), r + (tail + correction))
}

/// 2ⁿ for −1022 ≤ n ≤ 1023, n in two's complement.
#[inline(always)]
fn power_of_two(n: u64) -> f64 {
    f64::from_bits(n.wrapping_add(1023) << 52)
}

/// e^x · 2^shift without overflow on the way. `shift` is 0 or −1.
#[inline(always)]
fn exp_shifted(x: f64, shift: u64) -> f64 {
    let x = if x < LOWEST { LOWEST } else { x };
    let x = if x > HIGHEST { HIGHEST } else { x };
    let (n, p) = reduce(x);
    let n = n.wrapping_add(shift);
    // Two factors, since 2ⁿ alone may be out of range: the second product rounds, overflows and underflows as it should.
    // A logical shift of a number made positive: AVX2 has no arithmetic one of 64 bits.
    let half = (n.wrapping_add(2048) >> 1).wrapping_sub(1024);
    (1.0 + p) * power_of_two(half) * power_of_two(n.wrapping_sub(half))
}

/// eˣ − 1 for |x| ≤ 64.
#[inline(always)]
fn exp_minus_one_near(x: f64) -> f64 {
    let (n, p) = reduce(x);
    let scale = power_of_two(n);
    (scale - 1.0) + scale * p
}

/// ln(1 + u) for 0 ≤ u ≤ 1.
#[inline(always)]
fn ln_one_plus_near(u: f64) -> f64 {
    let w = 1.0 + u;
    // What the sum lost, to first order.
    ln(w) + (u - (w - 1.0)) / w
}

/// eˣ. Overflows to ∞ above 709.78, falls through the subnormal numbers to 0 below −745.13.
///
/// Branch-free, so that a loop over a slice vectorises; bit for bit the same alone and in a loop.
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    exp_shifted(x, 0)
}

/// cosh x = (eˣ + e⁻ˣ)/2, without early overflow. Branch-free.
#[inline(always)]
pub fn cosh(x: f64) -> f64 {
    let half = exp_shifted(x.abs(), 1u64.wrapping_neg());
    half + 0.25 / half
}

/// Coefficients of (sinh x − x)/x³ in powers of x², |x| ≤ 1 (Remez, absolute error 4·10⁻¹⁹).
const SINH_SERIES: [f64; 7] = [
    0.16666666666666666,
    0.008333333333333299,
    0.0001984126984132424,
    2.7557319191363634e-06,
    2.5052117699407912e-08,
    1.6057679313141357e-10,
    7.746188935980256e-13,
];

/// sinh x = (eˣ − e⁻ˣ)/2, accurate around 0 and without early overflow. Branch-free.
#[inline(always)]
pub fn sinh(x: f64) -> f64 {
    let magnitude = x.abs();
    let half = exp_shifted(magnitude, 1u64.wrapping_neg());
    let far = half - 0.25 / half;
    let z = x * x;
    let w = z * z;
    let even = SINH_SERIES[0] + w * (SINH_SERIES[2] + w * (SINH_SERIES[4] + w * SINH_SERIES[6]));
    let odd = z * (SINH_SERIES[1] + w * (SINH_SERIES[3] + w * SINH_SERIES[5]));
    let near = x + x * z * (even + odd);
    if magnitude < 1.0 { near } else { far.copysign(x) }
}

/// tanh x = sinh x / cosh x. Branch-free.
#[inline(always)]
pub fn tanh(x: f64) -> f64 {
    let magnitude = x.abs();
    // Beyond 20, tanh is 1 to the last bit.
    let magnitude = if magnitude > 20.0 { 20.0 } else { magnitude };
    let t = exp_minus_one_near(-2.0 * magnitude);
    (-t / (2.0 + t)).copysign(x)
}

/// sech² x = 1/cosh² x = 4e^(−2|x|)/(1 + e^(−2|x|))², the slope of tanh: no overflow, and full relative accuracy far out, where
/// 1 − tanh² x cancels. Branch-free.
#[inline(always)]
pub fn sech_squared(x: f64) -> f64 {
    let decayed = exp(-2.0 * x.abs());
    let sum = 1.0 + decayed;
    4.0 * decayed / (sum * sum)
}

/// ln cosh x = |x| + ln((1 + e^(−2|x|))/2), without overflow; around 0 ln(1 + 2 sinh²(x/2)), which keeps its relative accuracy.
/// Branch-free.
#[inline(always)]
pub fn ln_cosh(x: f64) -> f64 {
    let magnitude = x.abs();
    let far = magnitude + (ln_one_plus_near(exp(-2.0 * magnitude)) - std::f64::consts::LN_2);
    // Within the series of sinh, and 2 sinh²(x/2) ≤ 0.55.
    let half = sinh(0.5 * if magnitude < 1.0 { magnitude } else { 1.0 });
    let near = ln_one_plus_near(2.0 * half * half);
    if magnitude < 1.0 { near } else { far }
}

/// Logistic function 1/(1 + e⁻ˣ), keeping its relative accuracy for very negative x. Branch-free.
#[inline(always)]
pub fn logistic(x: f64) -> f64 {
    let decayed = exp(-x.abs());
    let numerator = if x < 0.0 { decayed } else { 1.0 };
    numerator / (1.0 + decayed)
}

/// Softplus ln(1 + eˣ) = max(x, 0) + ln(1 + e^(−|x|)): no overflow, and full relative accuracy for very negative x.
/// Branch-free.
#[inline(always)]
pub fn softplus(x: f64) -> f64 {
    let positive = if x < 0.0 { 0.0 } else { x };
    positive + ln_one_plus_near(exp(-x.abs()))
}
