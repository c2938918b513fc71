//! Elementary functions whose bits are the same on every machine.
//!
//! `std` hands `exp`, `ln`, `sin` and friends to the C library, which picks an implementation by CPU. Whatever
//! reaches a result therefore goes through this module: `libm` (pure Rust) or a branch-free polynomial that the
//! compiler can vectorise. Only `+ − × ÷ √`, which IEEE 754 fixes to the last bit, are used from `std`, and never
//! `mul_add`.
//!
//! | Function | Own and branch-free | Largest error measured, in units in the last place |
//! |---|---|---|
//! | [`exp`] | yes | 0.86 (0.89 where the result is subnormal) |
//! | [`ln`] | yes | 0.79 |
//! | [`sinh`], [`cosh`], [`tanh`] | yes | 1.6, 1.3, 2.5 |
//! | [`softplus`], [`logistic`] | yes | 1.8, 2.2 |
//! | [`sech_squared`], [`ln_cosh`] | yes | below 4 (`tests/derivatives`) |
//! | [`sin`], [`cos`] | for magnitudes up to [`NEAR`], then `libm` | 0.81, 0.75 |
//! | [`tan`], [`pow`] | no, `libm` | |
//!
//! Measured at some 300,000 random arguments per function against double-double arithmetic (`tests/math.rs`); sine and
//! cosine at 60,000 arguments, near multiples of π/4 too, against 160-bit arithmetic.
//!
//! Arguments and results carry no unit. No function fails: where a function is not defined it returns NaN, and a NaN
//! argument gives a NaN (but NaN⁰ and, in [`pow`], 1 to the power NaN are 1, as IEEE 754 wants).
//!
//! ```
//! use sgd_sde::math;
//!
//! assert_eq!(math::exp(0.0), 1.0);
//! assert_eq!(math::ln(0.0), f64::NEG_INFINITY);
//! assert_eq!(math::powi(-2.0, 3), -8.0);
//! assert_eq!(math::softplus(1000.0), 1000.0); // ln(1 + e¹⁰⁰⁰) without overflow
//! ```

mod exponential;
mod logarithm;
mod trigonometric;

pub use exponential::{cosh, exp, ln_cosh, logistic, sech_squared, sinh, softplus, tanh};
pub use logarithm::ln;
pub use trigonometric::{NEAR, cos, cos_near, sin, sin_near};

/// tan x, x in radians.
#[inline]
pub fn tan(x: f64) -> f64 {
    libm::tan(x)
}

/// xʸ for real y. NaN for negative x unless y is an integer.
#[inline]
pub fn pow(x: f64, y: f64) -> f64 {
    libm::pow(x, y)
}

/// xⁿ by repeated multiplication: x²ᵐ = (xᵐ)², x²ᵐ⁺¹ = x²ᵐ · x, x⁻ⁿ = 1/xⁿ.
///
/// Exact whenever every intermediate power is; in general the relative error grows like |n|/2 ulp. A negative
/// power whose positive counterpart overflows is 0.
#[inline]
pub fn powi(x: f64, n: i32) -> f64 {
    let magnitude = n.unsigned_abs();
    let mut power = 1.0;
    // From the leading bit down, so that x⁴ is (x²)² and x⁵ is (x²)²·x.
    for bit in (0..u32::BITS - magnitude.leading_zeros()).rev() {
        power *= power;
        if magnitude >> bit & 1 == 1 {
            power *= x;
        }
    }
    if n < 0 { 1.0 / power } else { power }
}
