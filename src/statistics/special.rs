//! The distributions that intervals and tests need: normal, Student-t and F.
//!
//! Written on `libm`, so that the bits are the same on every machine (`statrs` goes through std's transcendental
//! functions and serves as the test oracle instead). Relative error is about 1e−13 in both tails for up to some 10⁴
//! degrees of freedom; beyond, the rounding of the argument itself costs more (about 1e−16 times the degrees of freedom).

use crate::math::{exp, ln};
use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// ½ ln 2π.
const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_8;

/// Beyond this many degrees of freedom Student's t is the normal distribution to double precision's use.
const NORMAL_LIMIT: f64 = 1e10;

/// The standard normal distribution function Φ(x), accurate in relative terms in the lower tail.
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

/// The standard normal quantile Φ⁻¹(p); −∞ at 0, +∞ at 1, NaN outside [0, 1].
///
/// Source: M. J. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37
/// (1988), 477–484, routine PPND16 (relative accuracy about 1e−16).
pub fn normal_quantile(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180625 - q * q;
        return q * polynomial(&CENTRE_NUMERATOR, r) / polynomial(&CENTRE_DENOMINATOR, r);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    if tail == 0.0 {
        return if q < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let r = (-ln(tail)).sqrt();
    let magnitude = if r <= 5.0 {
        polynomial(&MIDDLE_NUMERATOR, r - 1.6) / polynomial(&MIDDLE_DENOMINATOR, r - 1.6)
    } else {
        polynomial(&FAR_NUMERATOR, r - 5.0) / polynomial(&FAR_DENOMINATOR, r - 5.0)
    };
    if q < 0.0 { -magnitude } else { magnitude }
}

/// Horner's scheme; the coefficients by rising power.
fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, &c| sum * x + c)
}

const CENTRE_NUMERATOR: [f64; 8] = [
    3.387_132_872_796_366_5,
    133.141_667_891_784_38,
    1_971.590_950_306_551_3,
    13_731.693_765_509_46,
    45_921.953_931_549_87,
    67_265.770_927_008_7,
    33_430.575_583_588_13,
    2_509.080_928_730_122_7,
];
const CENTRE_DENOMINATOR: [f64; 8] = [
    1.0,
    42.313_330_701_600_91,
    687.187_007_492_057_9,
    5_394.196_021_424_751,
    21_213.794_301_586_597,
    39_307.895_800_092_71,
    28_729.085_735_721_943,
    5_226.495_278_852_854,
];
const MIDDLE_NUMERATOR: [f64; 8] = [
    1.423_437_110_749_683_5,
    4.630_337_846_156_546,
    5.769_497_221_460_691,
    3.647_848_324_763_204_5,
    1.270_458_252_452_368_4,
    0.241_780_725_177_450_6,
    0.022_723_844_989_269_184,
    7.745_450_142_783_414e-4,
];
const MIDDLE_DENOMINATOR: [f64; 8] = [
    1.0,
    2.053_191_626_637_759,
    1.676_384_830_183_803_8,
    0.689_767_334_985_1,
    0.148_103_976_427_480_08,
    0.015_198_666_563_616_457,
    5.475_938_084_995_345e-4,
    1.050_750_071_644_416_9e-9,
];
const FAR_NUMERATOR: [f64; 8] = [
    6.657_904_643_501_103,
    5.463_784_911_164_114,
    1.784_826_539_917_291_3,
    0.296_560_571_828_504_87,
    0.026_532_189_526_576_124,
    0.001_242_660_947_388_078_4,
    2.711_555_568_743_487_6e-5,
    2.010_334_399_292_288_1e-7,
];
const FAR_DENOMINATOR: [f64; 8] = [
    1.0,
    0.599_832_206_555_888,
    0.136_929_880_922_735_8,
    0.014_875_361_290_850_615,
    7.868_691_311_456_133e-4,
    1.846_318_317_510_054_8e-5,
    1.421_511_758_316_446e-7,
    2.044_263_103_389_939_8e-15,
];

/// Stirling's error δ(z) = ln Γ(z+1) − (z+½) ln z + z − ½ ln 2π, for z > 0.
///
/// Source: C. Loader, "Fast and accurate computation of binomial probabilities" (2000).
fn stirling_error(z: f64) -> f64 {
    if z > 15.0 {
        let inverse_square = 1.0 / (z * z);
        let series =
            [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0, -691.0 / 360_360.0, 1.0 / 156.0];
        polynomial(&series, inverse_square) / z
    } else {
        libm::lgamma(z + 1.0) - (z + 0.5) * ln(z) + z - HALF_LN_TWO_PI
    }
}

/// Loader's deviance k ln(k/m) + m − k, without cancellation where k ≈ m.
fn deviance(k: f64, m: f64) -> f64 {
    if (k - m).abs() < 0.1 * (k + m) {
        let v = (k - m) / (k + m);
        let mut sum = (k - m) * v;
        let mut power = 2.0 * k * v;
        for j in 1..1000 {
            power *= v * v;
            let next = sum + power / f64::from(2 * j + 1);
            if next == sum {
                break;
            }
            sum = next;
        }
        sum
    } else {
        k * (ln(k) - ln(m)) + m - k
    }
}

/// xᵃ yᵇ / B(a, b) for x + y = 1, with B the beta function, by the saddle point form of the binomial probability
/// (Loader 2000): the large logarithms of Γ cancel analytically and not in floating point.
fn beta_power(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let n = a + b;
    let exponent = stirling_error(n) - stirling_error(a) - stirling_error(b) - deviance(a, n * x) - deviance(b, n * y);
    (a * b / (2.0 * PI * n)).sqrt() * exp(exponent)
}

/// The regularised incomplete beta function Iₓ(a, b) for a, b > 0, given x **and** y = 1 − x, so that neither end
/// loses digits. NaN for arguments outside the domain.
///
/// Source: the continued fraction of DLMF 8.17.22, evaluated by Lentz's modified method, with the reflection
/// Iₓ(a, b) = 1 − I_y(b, a) on the side where it converges fast.
pub fn incomplete_beta(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let in_domain = a > 0.0 && b > 0.0 && a.is_finite() && b.is_finite() && x >= 0.0 && y >= 0.0;
    if !in_domain {
        return f64::NAN;
    }
    if x == 0.0 {
        return 0.0;
    }
    if y == 0.0 {
        return 1.0;
    }
    let power = beta_power(a, b, x, y);
    if x <= (a + 1.0) / (a + b + 2.0) {
        power / (a * beta_continued_fraction(a, b, x))
    } else {
        1.0 - power / (b * beta_continued_fraction(b, a, y))
    }
}

/// The denominator 1 + d₁/(1 + d₂/(1 + …)) of DLMF 8.17.22.
fn beta_continued_fraction(a: f64, b: f64, x: f64) -> f64 {
    // The number of terms needed grows as √max(a, b): the limit serves up to 10¹⁰ degrees of freedom.
    const MOST_TERMS: u32 = 1_000_000;
    const TINY: f64 = 1e-300;
    let (mut value, mut c, mut d) = (1.0, 1.0, 0.0);
    for term in 1..MOST_TERMS {
        let m = f64::from(term / 2);
        let coefficient = if term % 2 == 0 {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        };
        d = 1.0 + coefficient * d;
        c = 1.0 + coefficient / c;
        if d.abs() < TINY {
            d = TINY;
        }
        if c.abs() < TINY {
            c = TINY;
        }
        d = 1.0 / d;
        let change = c * d;
        value *= change;
        if (change - 1.0).abs() < 1e-16 {
            break;
        }
    }
    value
}

/// (ν/(ν+t²), t²/(ν+t²)): the two complementary arguments of the incomplete beta function for Student's t.
fn student_t_arguments(t: f64, degrees_of_freedom: f64) -> (f64, f64) {
    // Divided by the larger term first, so that t² cannot overflow.
    let root = degrees_of_freedom.sqrt();
    if t.abs() > root {
        let ratio = (root / t) * (root / t);
        (ratio / (1.0 + ratio), 1.0 / (1.0 + ratio))
    } else {
        let ratio = (t / root) * (t / root);
        (1.0 / (1.0 + ratio), ratio / (1.0 + ratio))
    }
}

/// P(T > t) for Student's t with ν > 0 degrees of freedom (ν = ∞ is the normal distribution), accurate in relative
/// terms in the upper tail. NaN for ν ≤ 0.
pub fn student_t_survival(t: f64, degrees_of_freedom: f64) -> f64 {
    if t.is_nan() || degrees_of_freedom.is_nan() || degrees_of_freedom <= 0.0 {
        return f64::NAN;
    }
    if degrees_of_freedom > NORMAL_LIMIT {
        return normal_cdf(-t);
    }
    let (x, y) = student_t_arguments(t, degrees_of_freedom);
    let upper = 0.5 * incomplete_beta(0.5 * degrees_of_freedom, 0.5, x, y);
    if t >= 0.0 { upper } else { 1.0 - upper }
}

/// P(T ≤ t) for Student's t with ν > 0 degrees of freedom, accurate in relative terms in the lower tail.
pub fn student_t_cdf(t: f64, degrees_of_freedom: f64) -> f64 {
    student_t_survival(-t, degrees_of_freedom)
}

/// The quantile of Student's t: the t with P(T ≤ t) = p. −∞ at 0, +∞ at 1, NaN outside [0, 1] or for ν ≤ 0.
///
/// Newton's method on ln P in ln t, kept inside a bracket. Upper quantiles beyond 1 − 1e−16 cannot be written as p;
/// use the symmetry t(p) = −t(1 − p) there.
pub fn student_t_quantile(p: f64, degrees_of_freedom: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) || degrees_of_freedom.is_nan() || degrees_of_freedom <= 0.0 {
        return f64::NAN;
    }
    if degrees_of_freedom > NORMAL_LIMIT {
        return normal_quantile(p);
    }
    let tail = if p < 0.5 { p } else { 1.0 - p };
    let sign = if p < 0.5 { -1.0 } else { 1.0 };
    if tail == 0.0 {
        return sign * f64::INFINITY;
    }
    if p == 0.5 {
        return 0.0;
    }
    // Near the middle the tail says little about t: solve for P(0 < T < t) there, for P(T > t) elsewhere.
    let central = tail > 0.25;
    let target = ln(if central { 0.5 - tail } else { tail });
    let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
    let mut log_t = ln(normal_quantile(1.0 - tail).abs().max(1e-300));
    if !log_t.is_finite() {
        log_t = 0.0;
    }
    for _ in 0..2000 {
        let t = exp(log_t);
        let (x, y) = student_t_arguments(t, degrees_of_freedom);
        // d P/d ln t = t × density = xᵛᐟ² y^½ / B(ν/2, ½).
        let slope = beta_power(0.5 * degrees_of_freedom, 0.5, x, y);
        let probability = if central {
            0.5 * incomplete_beta(0.5, 0.5 * degrees_of_freedom, y, x)
        } else {
            0.5 * incomplete_beta(0.5 * degrees_of_freedom, 0.5, x, y)
        };
        let excess = ln(probability) - target;
        let too_far = if central { excess > 0.0 } else { excess < 0.0 };
        if too_far {
            high = log_t;
        } else {
            low = log_t;
        }
        let derivative = if central { slope / probability } else { -slope / probability };
        let mut next = log_t - excess / derivative;
        if !(next > low && next < high) {
            next = match (low.is_finite(), high.is_finite()) {
                (true, true) => 0.5 * (low + high),
                (true, false) => low + 1.0,
                _ => high - 1.0,
            };
        }
        let step = (next - log_t).abs();
        log_t = next;
        if step < 1e-15 * (1.0 + log_t.abs()) {
            break;
        }
    }
    sign * exp(log_t)
}

/// χ² with P(χ²_ν ≤ χ²) = p, for 0 < p < 1 and ν > 0; else NaN. Accurate to about 1e−12 in relative terms.
///
/// By halving on the series P(a, x) = xᵃe⁻ˣ/Γ(a+1)·Σₙ xⁿ/((a+1)…(a+n)), a = ν/2 (Abramowitz & Stegun 6.5.29), which
/// converges for every x; meant for quantiles below the middle, where few terms are needed.
pub fn chi_squared_quantile(p: f64, degrees_of_freedom: f64) -> f64 {
    if !(p > 0.0 && p < 1.0 && degrees_of_freedom > 0.0 && degrees_of_freedom.is_finite()) {
        return f64::NAN;
    }
    let a = 0.5 * degrees_of_freedom;
    let below = |x: f64| {
        let (mut term, mut sum, mut n) = (1.0, 1.0, 0.0);
        while term > 1e-17 * sum {
            n += 1.0;
            term *= x / (a + n);
            sum += term;
        }
        sum * exp(a * ln(x) - x - libm::lgamma(a + 1.0))
    };
    // In ln x: for few degrees of freedom the quantile may be tiny.
    let (mut low, mut high) = (-700.0, ln(a + 50.0 * (1.0 + a.sqrt())));
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if below(exp(middle)) < p { low = middle } else { high = middle }
    }
    2.0 * exp(0.5 * (low + high))
}

/// P(F > f) for the F distribution with (d₁, d₂) degrees of freedom, accurate in relative terms in the upper tail.
/// 1 for f ≤ 0; NaN for degrees of freedom that are not positive and finite.
pub fn f_survival(f: f64, numerator: f64, denominator: f64) -> f64 {
    let (x, y) = match f_arguments(f, numerator, denominator) {
        Some(arguments) => arguments,
        None => return f64::NAN,
    };
    incomplete_beta(0.5 * denominator, 0.5 * numerator, x, y)
}

/// P(F ≤ f) for the F distribution with (d₁, d₂) degrees of freedom, accurate in relative terms in the lower tail.
pub fn f_cdf(f: f64, numerator: f64, denominator: f64) -> f64 {
    let (x, y) = match f_arguments(f, numerator, denominator) {
        Some(arguments) => arguments,
        None => return f64::NAN,
    };
    incomplete_beta(0.5 * numerator, 0.5 * denominator, y, x)
}

/// (d₂/(d₂+d₁f), d₁f/(d₂+d₁f)).
fn f_arguments(f: f64, numerator: f64, denominator: f64) -> Option<(f64, f64)> {
    let positive = |v: f64| v > 0.0 && v.is_finite();
    if f.is_nan() || !positive(numerator) || !positive(denominator) {
        return None;
    }
    let ratio = (numerator / denominator * f).max(0.0);
    if ratio > 1.0 {
        let inverse = 1.0 / ratio;
        Some((inverse / (1.0 + inverse), 1.0 / (1.0 + inverse)))
    } else {
        Some((1.0 / (1.0 + ratio), ratio / (1.0 + ratio)))
    }
}
