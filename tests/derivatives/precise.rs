//! Numbers of 106 bits whose exponents do not run out, and their elementary functions. Nothing here comes from the program.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// (high + low)·2^exponent, 1 ≤ |high| < 2 or all 0; NaN in `high` where undefined.
#[derive(Clone, Copy, Debug)]
pub struct Precise {
    high: f64,
    low: f64,
    exponent: i64,
}

const LN_2: [f64; 2] = [std::f64::consts::LN_2, 2.3190468138462996e-17];

/// e to more than that is given up, and e to less than its opposite is 0.
const LARGEST_LOGARITHM: f64 = 1e17;

fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let part = sum - a;
    (sum, (a - (sum - part)) + (b - part))
}

fn two_product(a: f64, b: f64) -> (f64, f64) {
    let split = |x: f64| {
        let scaled = 134_217_729.0 * x;
        let high = scaled - (scaled - x);
        (high, x - high)
    };
    let (product, (ah, al), (bh, bl)) = (a * b, split(a), split(b));
    (product, ((ah * bh - product) + ah * bl + al * bh) + al * bl)
}

fn power_of_two(exponent: i64) -> f64 {
    f64::from_bits(((exponent.clamp(-1022, 1023) + 1023) as u64) << 52)
}

impl Precise {
    pub const NAN: Precise = Precise { high: f64::NAN, low: 0.0, exponent: 0 };
    pub const ZERO: Precise = Precise { high: 0.0, low: 0.0, exponent: 0 };

    pub fn new(x: f64) -> Precise {
        Precise::scaled(x, 0.0, 0)
    }

    fn scaled(high: f64, low: f64, exponent: i64) -> Precise {
        let (high, low) = two_sum(high, low);
        if high == 0.0 {
            return Precise::ZERO;
        }
        if !high.is_finite() {
            return Precise::NAN;
        }
        let shift = (high.to_bits() >> 52 & 0x7ff) as i64 - 1023;
        if shift < -1000 {
            return Precise::scaled(high * power_of_two(600), low * power_of_two(600), exponent - 600);
        }
        let half = shift / 2;
        let down = |x: f64| x * power_of_two(-half) * power_of_two(half - shift);
        Precise { high: down(high), low: down(low), exponent: exponent + shift }
    }

    pub fn to_f64(self) -> f64 {
        let sum = self.high + self.low;
        match self.exponent {
            1025.. => sum * f64::INFINITY,
            0..=1024 => sum * power_of_two(self.exponent / 2) * power_of_two(self.exponent - self.exponent / 2),
            -1022..0 => sum * power_of_two(self.exponent),
            -1100..-1022 => sum * power_of_two(-1022) * power_of_two(self.exponent + 1022),
            _ => 0.0 * sum,
        }
    }

    pub fn is_nan(self) -> bool {
        self.high.is_nan()
    }

    pub fn is_zero(self) -> bool {
        self.high == 0.0
    }

    pub fn is_negative(self) -> bool {
        self.high < 0.0
    }

    pub fn abs(self) -> Precise {
        if self.is_negative() { -self } else { self }
    }

    /// Times 1 + fraction.
    pub fn perturbed(self, fraction: f64) -> Precise {
        self + self * Precise::new(fraction)
    }

    pub fn sqrt(self) -> Precise {
        if self.is_zero() {
            return self;
        }
        let odd = self.exponent.rem_euclid(2);
        let mantissa = Precise { exponent: odd, ..self };
        let guess = Precise::new(mantissa.to_f64().sqrt());
        // One step of Newton's: 53 bits become 106.
        let root = (guess + mantissa / guess) * Precise::new(0.5);
        Precise { exponent: root.exponent + (self.exponent - odd) / 2, ..root }
    }

    pub fn exp(self) -> Precise {
        if self.is_nan() {
            return self;
        }
        let x = self.to_f64();
        if x.abs() > LARGEST_LOGARITHM {
            return if x > 0.0 { Precise::NAN } else { Precise::ZERO };
        }
        let n = (x / LN_2[0]).round();
        let ln_2 = Precise::scaled(LN_2[0], LN_2[1], 0);
        // Nine halvings, undone by squaring.
        let r = (self - ln_2 * Precise::new(n)) * Precise::new(1.0 / 512.0);
        let mut sum = Precise::new(1.0);
        for k in (1..=12).rev() {
            sum = Precise::new(1.0) + sum * r / Precise::new(f64::from(k));
        }
        for _ in 0..9 {
            sum = sum * sum;
        }
        Precise { exponent: sum.exponent + n as i64, ..sum }
    }

    pub fn ln(self) -> Precise {
        if self.is_nan() || self.high <= 0.0 {
            return Precise::NAN;
        }
        let mantissa = Precise { exponent: 0, ..self };
        let one = Precise::new(1.0);
        let mut y = Precise::new(mantissa.to_f64().ln());
        for _ in 0..2 {
            y = y + (mantissa * (-y).exp() - one);
        }
        y + Precise::scaled(LN_2[0], LN_2[1], 0) * Precise::new(self.exponent as f64)
    }

    /// To a whole power.
    pub fn powi(self, n: i32) -> Precise {
        let mut power = Precise::new(1.0);
        for _ in 0..n.unsigned_abs() {
            power = power * self;
        }
        if n < 0 { Precise::new(1.0) / power } else { power }
    }

    /// To any power; NaN for negative numbers unless it is whole.
    pub fn pow(self, p: f64) -> Precise {
        if p.fract() == 0.0 {
            self.powi(p as i32)
        } else if (2.0 * p).fract() == 0.0 {
            let root = if self.is_negative() { Precise::NAN } else { self.sqrt() };
            root.powi((2.0 * p) as i32)
        } else if self.is_zero() && p > 0.0 {
            self
        } else {
            (self.ln() * Precise::new(p)).exp()
        }
    }
}

impl Neg for Precise {
    type Output = Precise;
    fn neg(self) -> Precise {
        Precise { high: -self.high, low: -self.low, ..self }
    }
}

impl Add for Precise {
    type Output = Precise;
    fn add(self, other: Precise) -> Precise {
        if self.is_zero() || other.is_zero() {
            return if self.is_zero() { other } else { self };
        }
        let (a, b) = if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        let shift = b.exponent - a.exponent;
        if shift < -200 {
            return if b.is_nan() { b } else { a };
        }
        let scale = power_of_two(shift);
        let (sum, error) = two_sum(a.high, b.high * scale);
        let (lows, low_error) = two_sum(a.low, b.low * scale);
        let (sum, error) = two_sum(sum, error + lows);
        Precise::scaled(sum, error + low_error, a.exponent)
    }
}

impl Sub for Precise {
    type Output = Precise;
    fn sub(self, other: Precise) -> Precise {
        self + -other
    }
}

impl Mul for Precise {
    type Output = Precise;
    fn mul(self, other: Precise) -> Precise {
        let (product, error) = two_product(self.high, other.high);
        Precise::scaled(
            product,
            error + (self.high * other.low + self.low * other.high),
            self.exponent + other.exponent,
        )
    }
}

impl Div for Precise {
    type Output = Precise;
    fn div(self, other: Precise) -> Precise {
        if other.is_zero() {
            return Precise::NAN;
        }
        let divisor = Precise { exponent: 0, ..other };
        let dividend = Precise { exponent: 0, ..self };
        let first = dividend.high / divisor.high;
        let rest = dividend - divisor * Precise::new(first);
        let second = rest.to_f64() / divisor.high;
        let rest = rest - divisor * Precise::new(second);
        let third = rest.to_f64() / divisor.high;
        let (high, low) = two_sum(first, second);
        Precise::scaled(high, low + third, self.exponent - other.exponent)
    }
}

#[test]
fn known_numbers() {
    let close = |found: Precise, high: f64, low: f64| {
        let difference = found - Precise::scaled(high, low, 0);
        assert!((difference.to_f64() / high).abs() < 1e-29, "{found:?}");
    };
    close(Precise::new(2.0).sqrt(), std::f64::consts::SQRT_2, -9.667293313452913e-17);
    close(Precise::new(1.0).exp(), std::f64::consts::E, 1.4456468917292502e-16);
    close(Precise::new(10.0).ln(), std::f64::consts::LN_10, -2.1707562233822494e-16);
    close(Precise::new(1.0) / Precise::new(3.0), 1.0 / 3.0, 1.850371707708594e-17);
    let far = Precise::new(-2e4).exp();
    assert!((far.ln().to_f64() / -2e4 - 1.0).abs() < 1e-15);
    assert_eq!((far * Precise::new(2e4).exp()).to_f64(), 1.0);
}
