//! The precisions that networks run in.

use std::fmt::Debug;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

use crate::math;

/// A floating-point number, f32 or f64, with the elementary functions that networks use. All of them are branch-free and give the
/// same bits on every machine.
pub trait Real:
    Copy
    + Debug
    + Default
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + Sum
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;

    /// The nearest number of this precision.
    fn from_f64(x: f64) -> Self;
    /// The same number in double precision.
    fn to_f64(self) -> f64;
    /// eˣ.
    fn exp(self) -> Self;
    /// tanh x.
    fn tanh(self) -> Self;
    /// The larger of two numbers; the first if either is not a number.
    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        if other > self { other } else { self }
    }
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }

    #[inline(always)]
    fn exp(self) -> Self {
        math::exp(self)
    }

    #[inline(always)]
    fn tanh(self) -> Self {
        math::tanh(self)
    }
}

impl Real for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x as Self
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    /// As `expf` of Cephes (S. Moshier): eˣ = 2ⁿeʳ, |r| ≤ ½ ln 2.
    #[inline(always)]
    fn exp(self) -> Self {
        /// 1.5 · 2²³: adding it rounds to an integer, which then stands in the low bits.
        const ROUNDER: f32 = 12_582_912.0;
        const LN_2_HIGH: f32 = 0.693_359_4;
        const LN_2_LOW: f32 = -2.121_944_4e-4;
        /// Between these arguments 2ⁿ is a normal number; below them eˣ is taken for that at the bound, 1.6·10⁻³⁸.
        const LOWEST: f32 = -87.0;
        const HIGHEST: f32 = 88.7;
        let x = if self < LOWEST { LOWEST } else { self };
        let bounded = if x > HIGHEST { HIGHEST } else { x };
        let rounded = bounded * std::f32::consts::LOG2_E + ROUNDER;
        let n = rounded - ROUNDER;
        let r = (bounded - n * LN_2_HIGH) - n * LN_2_LOW;
        let series = ((((1.987_569_1e-4 * r + 1.398_2e-3) * r + 8.333_452e-3) * r + 4.166_579_6e-2) * r + 0.166_666_65)
            * r
            + 0.5;
        let power = rounded.to_bits().wrapping_sub(ROUNDER.to_bits());
        // In two halves, since 2¹²⁸ is none of the numbers.
        let half = ((power as i32) >> 1) as u32;
        let scale = |n: u32| Self::from_bits(n.wrapping_add(127) << 23);
        let result = (series * r * r + r + 1.0) * scale(half) * scale(power.wrapping_sub(half));
        if x > HIGHEST { Self::INFINITY } else { result }
    }

    /// As `tanhf` of Cephes: a polynomial near 0, else 1 − 2/(e²ˣ + 1).
    #[inline(always)]
    fn tanh(self) -> Self {
        let z = self * self;
        let near = ((((-5.704_988_7e-3 * z + 2.063_909e-2) * z - 5.373_971_6e-2) * z + 0.133_314_42) * z - 0.333_332_8)
            * z
            * self
            + self;
        let magnitude = self.abs();
        let magnitude_bounded = if magnitude > 10.0 { 10.0 } else { magnitude };
        let far = 1.0 - 2.0 / (Real::exp(2.0 * magnitude_bounded) + 1.0);
        if magnitude < 0.625 { near } else { far.copysign(self) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against double precision, at every 9,973rd of the single-precision numbers.
    #[test]
    fn single_precision_functions_are_good_to_two_units_in_the_last_place() {
        let error = |found: f32, exact: f64| {
            let unit = f64::from(f32::from_bits((exact as f32).to_bits() + 1)) - f64::from(exact as f32);
            ((f64::from(found) - exact) / unit).abs()
        };
        for bits in (0..u32::MAX).step_by(9_973) {
            let x = f32::from_bits(bits);
            if (-86.9..88.7).contains(&x) {
                assert!(error(Real::exp(x), math::exp(f64::from(x))) < 2.0, "exp {x}");
            }
            if x.abs() > 1e-30 && x.abs() < 1e30 {
                assert!(error(Real::tanh(x).abs(), math::tanh(f64::from(x)).abs()) < 2.0, "tanh {x}");
                assert_eq!(Real::tanh(x).is_sign_negative(), x.is_sign_negative());
            }
        }
        assert_eq!((Real::exp(f32::INFINITY), Real::exp(100.0f32)), (f32::INFINITY, f32::INFINITY));
        assert!(Real::exp(f32::NAN).is_nan() && Real::tanh(f32::NAN).is_nan());
        assert!(Real::exp(f32::NEG_INFINITY) < 2e-38 && Real::tanh(f32::INFINITY) == 1.0);
    }
}
