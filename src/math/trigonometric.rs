//! Sine and cosine: branch-free for moderate arguments, `libm` beyond.

use super::exponential::ROUNDER;

/// Largest |x| in radians for which [`sin_near`] and [`cos_near`] are accurate: below, ⌊2x/π⌉ has at most 20 bits.
pub const NEAR: f64 = 1_600_000.0;

/// π/2 in three parts; the first two have 33 bits, so that 20-bit multiples of them are exact.
const HALF_PI: [f64; 3] = [1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21];

/// Coefficients of (sin r − r)/r³ in powers of r², |r| ≤ π/4 (Remez, absolute error 2·10⁻¹⁷).
const SINE: [f64; 6] = [
    -0.16666666666666666,
    0.008333333333330927,
    -0.00019841269836724877,
    2.7557316084930363e-06,
    -2.50511281499847e-08,
    1.5917861853805866e-10,
];

/// Coefficients of (cos r − 1 + r²/2)/r⁴ in powers of r², |r| ≤ π/4 (Remez, absolute error 10⁻¹⁸).
const COSINE: [f64; 6] = [
    0.041666666666666664,
    -0.0013888888888887382,
    2.4801587298744435e-05,
    -2.755731726062817e-07,
    2.0876143942503467e-09,
    -1.1382464188417552e-11,
];

/// sin(x + quadrants·π/2) for |x| ≤ [`NEAR`].
#[inline(always)]
fn sine_shifted(x: f64, quadrants: u64) -> f64 {
    let rounded = x * std::f64::consts::FRAC_2_PI + ROUNDER;
    let n = rounded - ROUNDER;
    // r + error = x − n·π/2, each difference with its rounding error kept (Knuth's two-sum).
    let first = x - n * HALF_PI[0];
    let w = n * HALF_PI[1];
    let second = first - w;
    let virtual_part = second - first;
    let lost = (first - (second - virtual_part)) - (w + virtual_part);
    let tail = lost - n * HALF_PI[2];
    let r = second + tail;
    let error = (second - r) + tail;

    let z = r * r;
    let w = z * z;
    let sine_tail = (SINE[1] + z * SINE[2]) + w * (SINE[3] + z * (SINE[4] + z * SINE[5]));
    let v = z * r;
    let sine = r - ((z * (0.5 * error - v * sine_tail) - error) - v * SINE[0]);

    let cosine_tail =
        z * ((COSINE[0] + z * COSINE[1]) + w * (COSINE[2] + z * COSINE[3])) + z * w * w * (COSINE[4] + z * COSINE[5]);
    let half = 0.5 * z;
    let head = 1.0 - half;
    let cosine = head + (((1.0 - head) - half) + (z * cosine_tail - r * error));

    let quadrant = rounded.to_bits().wrapping_sub(ROUNDER.to_bits()).wrapping_add(quadrants);
    let magnitude = if quadrant & 1 == 0 { sine } else { cosine };
    f64::from_bits(magnitude.to_bits() ^ ((quadrant & 2) << 62))
}

/// sin x, x in radians, for |x| ≤ [`NEAR`]; inaccurate beyond. Branch-free, so that a loop over a slice vectorises.
#[inline(always)]
pub fn sin_near(x: f64) -> f64 {
    let sine = sine_shifted(x, 0);
    // The reduction turns −0 into +0.
    if x == 0.0 { x } else { sine }
}

/// cos x, x in radians, for |x| ≤ [`NEAR`]; inaccurate beyond. Branch-free, so that a loop over a slice vectorises.
#[inline(always)]
pub fn cos_near(x: f64) -> f64 {
    sine_shifted(x, 1)
}

/// sin x, x in radians. NaN for ±∞.
#[inline]
pub fn sin(x: f64) -> f64 {
    if x.abs() <= NEAR { sin_near(x) } else { libm::sin(x) }
}

/// cos x, x in radians. NaN for ±∞.
#[inline]
pub fn cos(x: f64) -> f64 {
    if x.abs() <= NEAR { cos_near(x) } else { libm::cos(x) }
}
