//! Numbers with the precision of f64 and an exponent that does not run out.

use crate::math;

/// The leading 42 bits of ln 2, and what is left of it.
const LN_2_HIGH: f64 = 0.6931471805598903;
const LN_2_LOW: f64 = 5.497923018708371e-14;

/// Beyond e^(±LARGEST_LOGARITHM) is what a [`Germ`](super::germ::Germ) calls beyond.
pub(super) const LARGEST_LOGARITHM: f64 = 1e17;

/// Exponents beyond do not come from exponentials, and products of them must not wrap.
const LARGEST_EXPONENT: i64 = 1 << 60;

/// mantissa·2^exponent with 1 ≤ |mantissa| < 2, or 0; NaN where the exponent ran out after all.
///
/// Sums, products, quotients and roots round like those of f64, so what is exactly 0 there is exactly 0 here.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Extended {
    mantissa: f64,
    exponent: i64,
}

/// 2^exponent within the range of f64's normal numbers.
fn power_of_two(exponent: i64) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

impl Extended {
    pub(super) const ZERO: Extended = Extended { mantissa: 0.0, exponent: 0 };
    pub(super) const ONE: Extended = Extended { mantissa: 1.0, exponent: 0 };

    /// A number beyond all exponentials, which has no digits of its own.
    pub(super) const IMMENSE: Extended = Extended { mantissa: 1.0, exponent: LARGEST_EXPONENT / 2 };

    pub(super) fn new(number: f64) -> Extended {
        Extended::scaled(number, 0)
    }

    /// number·2^exponent.
    fn scaled(number: f64, exponent: i64) -> Extended {
        if number == 0.0 {
            return Extended::ZERO;
        }
        let (lifted, exponent) =
            if number.is_normal() { (number, exponent) } else { (number * power_of_two(54), exponent - 54) };
        let bits = lifted.to_bits();
        let exponent = exponent + ((bits >> 52 & 0x7ff) as i64 - 1023);
        if !number.is_finite() || exponent.abs() > LARGEST_EXPONENT {
            return Extended { mantissa: f64::NAN, exponent: 0 };
        }
        Extended { mantissa: f64::from_bits(bits & !(0x7ff << 52) | 1023 << 52), exponent }
    }

    /// Rounded to f64: through the subnormal numbers to 0, and to ±∞.
    pub(super) fn to_f64(self) -> f64 {
        match self.exponent {
            1024.. => self.mantissa * f64::INFINITY,
            -1022..=1023 => self.mantissa * power_of_two(self.exponent),
            // Only the second product rounds.
            -1100..=-1023 => self.mantissa * power_of_two(-1022) * power_of_two(self.exponent + 1022),
            _ => self.mantissa * 0.0,
        }
    }

    pub(super) fn is_nan(self) -> bool {
        self.mantissa.is_nan()
    }

    pub(super) fn is_zero(self) -> bool {
        self.mantissa == 0.0
    }

    pub(super) fn is_negative(self) -> bool {
        self.mantissa < 0.0
    }

    pub(super) fn negate(self) -> Extended {
        Extended { mantissa: -self.mantissa, ..self }
    }

    pub(super) fn abs(self) -> Extended {
        Extended { mantissa: self.mantissa.abs(), ..self }
    }

    pub(super) fn add(self, other: Extended) -> Extended {
        if self.is_zero() || other.is_zero() {
            return if self.is_zero() { other } else { self };
        }
        let (large, small) = if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        let shift = small.exponent - large.exponent;
        let small = if shift < -64 { 0.0 } else { small.mantissa * power_of_two(shift) };
        Extended::scaled(large.mantissa + small, large.exponent)
    }

    pub(super) fn multiply(self, other: Extended) -> Extended {
        Extended::scaled(self.mantissa * other.mantissa, self.exponent + other.exponent)
    }

    /// NaN for a divisor of 0.
    pub(super) fn divide(self, other: Extended) -> Extended {
        Extended::scaled(self.mantissa / other.mantissa, self.exponent - other.exponent)
    }

    /// NaN for negative numbers.
    fn sqrt(self) -> Extended {
        let odd = self.exponent.rem_euclid(2);
        Extended::scaled((self.mantissa * power_of_two(odd)).sqrt(), (self.exponent - odd) / 2)
    }

    /// Of at most [`LARGEST_LOGARITHM`] in size, otherwise NaN.
    pub(super) fn exp(self) -> Extended {
        let x = self.to_f64();
        if x.is_nan() || x.abs() > LARGEST_LOGARITHM {
            return Extended { mantissa: f64::NAN, exponent: 0 };
        }
        let n = (x / std::f64::consts::LN_2).round();
        // n·LN_2_HIGH in pieces of eleven bits, which are exact.
        let coarse = (n / 2048.0).trunc() * 2048.0;
        let remainder = ((x - coarse * LN_2_HIGH) - (n - coarse) * LN_2_HIGH) - n * LN_2_LOW;
        Extended::scaled(math::exp(remainder), n as i64)
    }

    /// NaN for numbers that are not positive.
    pub(super) fn ln(self) -> Extended {
        // The mantissa between √½ and √2, so that nothing cancels around 1.
        let halved = self.mantissa > std::f64::consts::SQRT_2;
        let (mantissa, exponent) =
            if halved { (0.5 * self.mantissa, self.exponent + 1) } else { (self.mantissa, self.exponent) };
        let exponent = exponent as f64;
        Extended::new(exponent * LN_2_HIGH + (exponent * LN_2_LOW + math::ln(mantissa)))
    }

    /// A positive number to any power; integer powers up to 64 of any number but 0 by products.
    pub(super) fn power(self, exponent: f64) -> Extended {
        if exponent == 0.5 {
            return self.sqrt();
        }
        if exponent.trunc() != exponent || exponent.abs() > 64.0 {
            return Extended::new(exponent).multiply(self.ln()).exp();
        }
        let magnitude = exponent.abs() as u32;
        let mut power = Extended::ONE;
        for bit in (0..u32::BITS - magnitude.leading_zeros()).rev() {
            power = power.multiply(power);
            if magnitude >> bit & 1 == 1 {
                power = power.multiply(self);
            }
        }
        if exponent < 0.0 { Extended::ONE.divide(power) } else { power }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_like_f64_within_its_range() {
        let numbers = [0.1, -3.7, 1e300, -5e-324, 2.0, 1.0 + f64::EPSILON, 1e-310, f64::MAX];
        for a in numbers {
            assert_eq!(Extended::new(a).to_f64(), a);
            for b in numbers {
                let [x, y] = [a, b].map(Extended::new);
                assert_eq!(x.add(y).to_f64(), a + b);
                assert_eq!(x.multiply(y).to_f64(), a * b);
                let quotient = x.divide(y).to_f64();
                // A subnormal quotient is rounded twice.
                assert!((quotient - a / b).abs() <= 5e-324 || quotient == a / b, "{a:e}/{b:e}: {quotient:e}");
            }
        }
        assert!(Extended::ONE.divide(Extended::ZERO).is_nan());
        assert_eq!(Extended::new(2.0).sqrt().to_f64(), 2f64.sqrt());
    }

    #[test]
    fn exponentials_have_no_bounds_in_sight() {
        for x in [0.3, 700.0, 1e4, -1e6, 1e9] {
            let exponential = Extended::new(x).exp();
            assert!((exponential.ln().to_f64() / x - 1.0).abs() < 4e-16, "{x}");
            let one = exponential.multiply(Extended::new(-x).exp()).to_f64();
            assert!((one - 1.0).abs() < 1e-15 * x.abs().max(1.0), "{x}: {one}");
        }
        let tenth = Extended::new(-2e4).exp().power(0.1);
        assert!((tenth.ln().to_f64() + 2e3).abs() < 1e-9);
    }
}
