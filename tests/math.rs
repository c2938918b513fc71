//! The elementary functions against double-double arithmetic (about 31 digits), over their whole range.

#![allow(clippy::print_stderr)]

use rand::{RngExt, SeedableRng, rngs::StdRng};
use sgd_sde::math;

/// The unevaluated sum of two f64.
#[derive(Clone, Copy, Debug)]
struct Double {
    high: f64,
    low: f64,
}

impl Double {
    const LN_2: Double = Double { high: std::f64::consts::LN_2, low: 2.319_046_813_846_299_6e-17 };

    fn new(high: f64, low: f64) -> Double {
        let sum = high + low;
        let part = sum - high;
        Double { high: sum, low: (high - (sum - part)) + (low - part) }
    }

    fn add(self, other: Double) -> Double {
        let sum = Double::new(self.high, other.high);
        Double::new(sum.high, sum.low + self.low + other.low)
    }

    fn multiply(self, other: Double) -> Double {
        let product = self.high * other.high;
        let error = libm::fma(self.high, other.high, -product);
        Double::new(product, error + self.high * other.low + self.low * other.high)
    }

    fn negate(self) -> Double {
        Double { high: -self.high, low: -self.low }
    }

    fn divide(self, other: Double) -> Double {
        let first = self.high / other.high;
        let rest = self.add(other.multiply(Double::new(first, 0.0)).negate());
        let second = rest.high / other.high;
        let rest = rest.add(other.multiply(Double::new(second, 0.0)).negate());
        Double::new(first, second).add(Double::new(rest.high / other.high, 0.0))
    }

    /// eˣ = self · 2ⁿ.
    fn exp(x: f64) -> (Double, i32) {
        let n = (x / std::f64::consts::LN_2).round();
        let r = Double::new(x, 0.0).add(Double::LN_2.multiply(Double::new(n, 0.0)).negate());
        let small = Double::new(r.high / 64.0, r.low / 64.0);
        let one = Double::new(1.0, 0.0);
        let mut sum = one;
        for k in (1..=14).rev() {
            sum = one.add(sum.multiply(small).divide(Double::new(f64::from(k), 0.0)));
        }
        for _ in 0..6 {
            sum = sum.multiply(sum);
        }
        (sum, n as i32)
    }

    /// eˣ as one number, |x| < 700.
    fn plain_exp(x: f64) -> Double {
        let (value, n) = Double::exp(x);
        Double { high: scale(value.high, n), low: scale(value.low, n) }
    }
}

fn scale(x: f64, n: i32) -> f64 {
    libm::scalbn(x, n)
}

/// Distance to the next larger magnitude.
fn ulp(x: f64) -> f64 {
    let x = x.abs();
    f64::from_bits(x.to_bits() + 1) - x
}

fn error_in_ulp(found: f64, exact: Double) -> f64 {
    ((found - exact.high) - exact.low).abs() / ulp(exact.high)
}

/// Error of `found` as ln x: found + ln(x e^(−found)) is exact to the square of the error.
fn error_of_ln(x: Double, exponent: i32, found: f64) -> f64 {
    let (inverse, n) = Double::exp(-found);
    let product = inverse.multiply(x);
    let product = Double { high: scale(product.high, n + exponent), low: scale(product.low, n + exponent) };
    (((product.high - 1.0) + product.low) / ulp(found)).abs()
}

fn mantissa(x: f64) -> (Double, i32) {
    let (fraction, exponent) = libm::frexp(x);
    (Double::new(fraction, 0.0), exponent)
}

const SAMPLES: usize = 300_000;

fn worst(seed: u64, draw: impl Fn(&mut StdRng) -> f64, error: impl Fn(f64) -> f64) -> f64 {
    let mut random = StdRng::seed_from_u64(seed);
    let mut worst = (0.0, 0.0);
    for _ in 0..SAMPLES {
        let x = draw(&mut random);
        let e = error(x);
        assert!(!e.is_nan(), "error at {x:e} is not a number");
        if e > worst.0 {
            worst = (e, x);
        }
    }
    // Shown by `cargo test --test math -- --nocapture`; the table in `src/math.rs` quotes these figures.
    eprintln!("largest error {:.3} ulp at {:e}", worst.0, worst.1);
    worst.0
}

/// Any positive number, subnormal ones included: uniform in its bits.
fn any_positive(random: &mut StdRng) -> f64 {
    f64::from_bits(random.random_range(1..f64::INFINITY.to_bits()))
}

/// Magnitudes from 10⁻⁹ to `largest`, both signs.
fn both_signs(random: &mut StdRng, largest: f64) -> f64 {
    let magnitude = (random.random_range(1e-9f64.ln()..largest.ln())).exp();
    if random.random() { magnitude } else { -magnitude }
}

#[test]
fn exp_is_accurate_over_its_whole_range() {
    let error = |x: f64| {
        let (exact, n) = Double::exp(x);
        let found = math::exp(x);
        // Scaling up is exact, for subnormal numbers too.
        let spacing = scale(ulp(found), -n);
        ((scale(found, -n) - exact.high) - exact.low).abs() / spacing
    };
    assert!(worst(1, |r| r.random_range(-708.0..709.7), error) < 0.9);
    assert!(worst(2, |r| r.random_range(-1.0..1.0), error) < 0.9);
    assert!(worst(3, |r| both_signs(r, 700.0), error) < 0.9);
    // Subnormal results are rounded twice.
    assert!(worst(4, |r| r.random_range(-745.1..-708.0), error) < 1.0);
}

#[test]
fn ln_is_accurate_over_its_whole_range() {
    let error = |x: f64| {
        let (x, exponent) = mantissa(x);
        error_of_ln(x, exponent, math::ln(scale(x.high, exponent)))
    };
    assert!(worst(1, any_positive, error) < 0.9);
    assert!(worst(2, |r| r.random_range(0.5..2.0), error) < 0.9);
    assert!(worst(3, |r| 1.0 + both_signs(r, 0.3), error) < 0.9);
    assert!(worst(4, |r| f64::from_bits(r.random_range(1..f64::MIN_POSITIVE.to_bits())), error) < 0.9);
}

#[test]
fn hyperbolic_functions_are_accurate() {
    let halves = |x: f64| {
        let up = Double::plain_exp(x);
        let down = Double::new(1.0, 0.0).divide(up);
        let half = Double::new(0.5, 0.0);
        (up.add(down.negate()).multiply(half), up.add(down).multiply(half))
    };
    let draw = |r: &mut StdRng| both_signs(r, 690.0);
    assert!(worst(1, draw, |x| error_in_ulp(math::sinh(x), halves(x).0)) < 2.0);
    assert!(worst(2, draw, |x| error_in_ulp(math::cosh(x), halves(x).1)) < 2.0);
    let quotient = |x: f64| {
        let (sine, cosine) = halves(x);
        error_in_ulp(math::tanh(x), sine.divide(cosine))
    };
    assert!(worst(3, |r| both_signs(r, 25.0), quotient) < 3.0);
}

#[test]
fn softplus_and_logistic_are_accurate() {
    let one = Double::new(1.0, 0.0);
    let draw = |r: &mut StdRng| both_signs(r, 690.0);
    let softplus = |x: f64| {
        let found = math::softplus(x);
        if x < -20.0 {
            // ln(1 + u) = u − u²/2 + u³/3 − …, the fourth term below 10⁻²⁶ of the first.
            let u = Double::plain_exp(x);
            let third = u.divide(Double::new(3.0, 0.0)).add(Double::new(-0.5, 0.0));
            error_in_ulp(found, u.multiply(one.add(u.multiply(third))))
        } else if x > 600.0 {
            error_in_ulp(found, Double::new(x, 0.0))
        } else if x < 0.0 {
            // One step of Newton's on eʸ − 1 = u.
            let u = Double::plain_exp(x);
            let step = Double::plain_exp(found).add(one.negate()).add(u.negate());
            (step.high / ((1.0 + u.high) * ulp(found))).abs()
        } else {
            error_of_ln(one.add(Double::plain_exp(x)), 0, found)
        }
    };
    assert!(worst(1, draw, softplus) < 2.0);
    let logistic = |x: f64| {
        let up = Double::plain_exp(x);
        error_in_ulp(math::logistic(x), up.divide(one.add(up)))
    };
    assert!(worst(2, draw, logistic) < 2.5);
}

#[test]
fn sine_and_cosine_agree_with_libm_to_one_ulp() {
    for largest in [1.0, 100.0, 1.59e6, 1e12] {
        let draw = |r: &mut StdRng| both_signs(r, largest);
        assert!(worst(1, draw, |x| error_in_ulp(math::sin(x), Double::new(libm::sin(x), 0.0))) <= 1.0);
        assert!(worst(2, draw, |x| error_in_ulp(math::cos(x), Double::new(libm::cos(x), 0.0))) <= 1.0);
    }
    // Close to the zeros, where the reduction cancels most.
    for n in 1..200_000 {
        let x = f64::from(n) * std::f64::consts::FRAC_PI_2;
        for (found, expected) in [(math::sin(x), libm::sin(x)), (math::cos(x), libm::cos(x))] {
            assert!((found - expected).abs() <= ulp(expected), "{x}: {found:e} {expected:e}");
        }
    }
}

#[test]
fn special_arguments() {
    let infinity = f64::INFINITY;
    assert_eq!(math::exp(infinity), infinity);
    assert_eq!(math::exp(-infinity), 0.0);
    assert_eq!(math::exp(709.8), infinity);
    assert!(math::exp(709.78).is_finite());
    assert_eq!(math::exp(-745.14), 0.0);
    assert_eq!(math::exp(-745.13), f64::from_bits(1));
    assert_eq!(math::exp(0.0), 1.0);
    assert_eq!(math::exp(-0.0), 1.0);
    assert_eq!(math::exp(1e300), infinity);
    assert_eq!(math::exp(-1e300), 0.0);

    assert_eq!(math::ln(0.0), -infinity);
    assert_eq!(math::ln(-0.0), -infinity);
    assert_eq!(math::ln(infinity), infinity);
    assert_eq!(math::ln(1.0).to_bits(), 0);
    assert_eq!(math::ln(f64::from_bits(1)), -744.4400719213812);
    for negative in [-f64::from_bits(1), -1.0, -infinity] {
        assert!(math::ln(negative).is_nan());
    }

    assert_eq!(math::cosh(710.4), libm::cosh(710.4));
    assert!((math::sinh(-710.4) / libm::sinh(-710.4) - 1.0).abs() < 1e-15);
    assert_eq!(math::cosh(-infinity), infinity);
    assert_eq!(math::sinh(-infinity), -infinity);
    assert_eq!(math::sinh(1e-300), 1e-300);
    assert_eq!(math::tanh(infinity), 1.0);
    assert_eq!(math::tanh(-30.0), -1.0);
    assert_eq!(math::tanh(1e-300), 1e-300);
    assert_eq!(math::softplus(infinity), infinity);
    assert_eq!(math::softplus(-infinity), 0.0);
    assert_eq!(math::softplus(-700.0), math::exp(-700.0));
    assert_eq!(math::logistic(-700.0), math::exp(-700.0));
    assert_eq!(math::logistic(infinity), 1.0);
    for odd in [math::sin, math::tan, math::sinh, math::tanh] {
        assert_eq!(odd(0.0).to_bits(), 0);
        assert_eq!(odd(-0.0).to_bits(), (-0.0f64).to_bits());
    }
    for periodic in [math::sin, math::cos, math::tan] {
        assert!(periodic(infinity).is_nan() && periodic(-infinity).is_nan());
    }
    let functions = [
        math::exp,
        math::ln,
        math::sin,
        math::cos,
        math::tan,
        math::sinh,
        math::cosh,
        math::tanh,
        math::softplus,
        math::logistic,
    ];
    for function in functions {
        assert!(function(f64::NAN).is_nan() && function(-f64::NAN).is_nan());
    }
}

#[test]
fn integer_powers_are_products() {
    for x in [-3.0, -0.1, 0.7, 2.5f64] {
        let square = x * x;
        assert_eq!(math::powi(x, 0), 1.0);
        assert_eq!(math::powi(x, 1), x);
        assert_eq!(math::powi(x, 2), square);
        assert_eq!(math::powi(x, 3), square * x);
        assert_eq!(math::powi(x, 4), square * square);
        assert_eq!(math::powi(x, 5), square * square * x);
        assert_eq!(math::powi(x, -2), 1.0 / square);
    }
    assert_eq!(math::powi(1.0, i32::MIN), 1.0);
    assert_eq!(math::powi(2.0, i32::MIN), 0.0);
    assert_eq!(math::powi(f64::NAN, 0), 1.0);
    assert_eq!(math::pow(-2.0, 3.0), -8.0);
    assert!(math::pow(-2.0, 0.5).is_nan());
}
