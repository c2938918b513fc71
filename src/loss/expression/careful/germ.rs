//! A quantity at a point or next to it, and the arithmetic of formulas on it.

use super::extended::{Extended, LARGEST_LOGARITHM};
use super::series::Series;
use crate::loss::expression::operation::{Arithmetic, Binary, Closing, Unary};
use crate::math;

/// A sum of logarithms that has lost so many of its bits says nothing: 2⁻⁴⁰.
const CANCELLED: f64 = 1.0 / (1u64 << 40) as f64;

/// What a quantity is at a point, or as a function of the distance ε from it.
#[derive(Clone, Debug)]
pub(super) enum Germ {
    /// Nothing is known about it: not defined, or lost in cancellation.
    Unknown,
    Series(Series),
    /// ±e^logarithm, smaller or larger than all series: exp(−1/ε), or exp(−exp(800)). Only its order of magnitude is known,
    /// which decides what it does to others.
    Beyond {
        negative: bool,
        logarithm: Series,
    },
}

use Germ::{Beyond, Unknown};

impl From<Series> for Germ {
    fn from(series: Series) -> Germ {
        if series.is_unknown() && series.limit().is_none() { Unknown } else { Germ::Series(series) }
    }
}

impl From<Option<Series>> for Germ {
    fn from(series: Option<Series>) -> Germ {
        series.map_or(Unknown, Germ::from)
    }
}

/// Whether e to this power is out of reach of series.
fn is_beyond(logarithm: &Series) -> bool {
    match logarithm.leading() {
        Some((exponent, c)) => exponent < 0.0 || exponent == 0.0 && c.to_f64().abs() > LARGEST_LOGARITHM,
        None => false,
    }
}

/// ±e^logarithm, if that is beyond.
fn beyond(negative: bool, logarithm: Series) -> Germ {
    if !logarithm.is_unknown() && is_beyond(&logarithm) { Beyond { negative, logarithm } } else { Unknown }
}

/// a + b, unless what is left of leading terms is their rounding.
fn sum_of_logarithms(a: &Series, b: &Series) -> Option<Series> {
    let sum = a.add(b);
    let (exponent, c) = sum.leading()?;
    let largest = [a, b].into_iter().filter_map(Series::leading).filter(|&(other, _)| other <= exponent);
    let mut cancelled = largest.map(|(other, d)| other < exponent || c.divide(d).to_f64().abs() < CANCELLED);
    if cancelled.any(|it| it) { None } else { Some(sum) }
}

impl Germ {
    pub(super) fn number(number: f64) -> Germ {
        Germ::from(Series::number(number))
    }

    /// The limit for ε → 0, or the number itself where nothing moves; ±∞ among them.
    pub(super) fn limit(&self) -> Option<f64> {
        match self {
            Unknown => None,
            Germ::Series(series) => series.limit(),
            Beyond { negative, logarithm } => {
                let magnitude = if is_huge(logarithm) { f64::INFINITY } else { 0.0 };
                Some(if *negative { -magnitude } else { magnitude })
            }
        }
    }

    /// −1, 0 or 1.
    fn sign(&self) -> Option<f64> {
        let is_negative = match self {
            Unknown => return None,
            Germ::Series(series) if series.is_zero() => return Some(0.0),
            Germ::Series(series) => series.leading()?.1.is_negative(),
            Beyond { negative, .. } => *negative,
        };
        Some(if is_negative { -1.0 } else { 1.0 })
    }

    fn negate(&self) -> Germ {
        match self {
            Unknown => Unknown,
            Germ::Series(series) => Germ::Series(series.negate()),
            Beyond { negative, logarithm } => Beyond { negative: !negative, logarithm: logarithm.clone() },
        }
    }

    fn abs(&self) -> Germ {
        match self.sign() {
            Some(sign) if sign < 0.0 => self.negate(),
            Some(_) => self.clone(),
            None => Unknown,
        }
    }

    fn add(&self, other: &Germ) -> Germ {
        match (self, other) {
            (Unknown, _) | (_, Unknown) => Unknown,
            (Germ::Series(a), Germ::Series(b)) => a.add(b).into(),
            (Germ::Series(series), far) | (far, Germ::Series(series)) => {
                let Beyond { logarithm, .. } = far else { return Unknown };
                if is_huge(logarithm) || series.is_zero() { far.clone() } else { Germ::Series(series.clone()) }
            }
            (Beyond { negative: a, logarithm: log_a }, Beyond { negative: b, logarithm: log_b }) => {
                match sum_of_logarithms(log_a, &log_b.negate()).and_then(|ratio| ratio.leading()) {
                    Some((_, c)) => (if c.is_negative() { other } else { self }).clone(),
                    // Of one order of magnitude, about which nothing else is known: no larger than that, if it is small.
                    None if a == b || !is_huge(log_a) => self.clone(),
                    None => Unknown,
                }
            }
        }
    }

    fn subtract(&self, other: &Germ) -> Germ {
        self.add(&other.negate())
    }

    fn multiply(&self, other: &Germ) -> Germ {
        match (self, other) {
            (Unknown, _) | (_, Unknown) => Unknown,
            (Germ::Series(a), Germ::Series(b)) => a.multiply(b).into(),
            (Germ::Series(series), Beyond { negative, logarithm })
            | (Beyond { negative, logarithm }, Germ::Series(series)) => {
                if series.is_zero() {
                    return Germ::Series(series.clone());
                }
                let Some((exponent, c)) = series.leading() else { return Unknown };
                let negative = *negative != c.is_negative();
                if logarithm.leading().is_some_and(|(power, _)| power < 0.0) {
                    return beyond(negative, logarithm.clone());
                }
                // A power of ε wins against a constant, however large that is.
                let works_against = exponent != 0.0 && (exponent > 0.0) == is_huge(logarithm);
                let factor = Series::constant(c.abs().ln());
                match sum_of_logarithms(logarithm, &factor) {
                    Some(logarithm) if !works_against => beyond(negative, logarithm),
                    _ => Unknown,
                }
            }
            (Beyond { negative: a, logarithm: log_a }, Beyond { negative: b, logarithm: log_b }) => {
                sum_of_logarithms(log_a, log_b).map_or(Unknown, |logarithm| beyond(a != b, logarithm))
            }
        }
    }

    fn divide(&self, other: &Germ) -> Germ {
        self.multiply(&other.integer_power(-1.0))
    }

    /// To a whole power other than 0.
    fn integer_power(&self, exponent: f64) -> Germ {
        match self {
            Unknown => Unknown,
            Germ::Series(series) if series.is_zero() && exponent > 0.0 => self.clone(),
            Germ::Series(series) => {
                // The sign apart, so that a power beyond 64 may go through a logarithm.
                let is_negative = series.leading().is_some_and(|(_, c)| c.is_negative()) && exponent % 2.0 != 0.0;
                let power = self.abs().positive_power(exponent);
                if is_negative { power.negate() } else { power }
            }
            Beyond { negative, logarithm } => {
                beyond(*negative && exponent % 2.0 != 0.0, logarithm.scale(Extended::new(exponent)))
            }
        }
    }

    fn positive_power(&self, exponent: f64) -> Germ {
        match (self, self.sign()) {
            (_, Some(0.0)) if exponent > 0.0 => self.clone(),
            (Germ::Series(series), Some(1.0)) => series.power(exponent).into(),
            (Beyond { logarithm, .. }, Some(1.0)) => beyond(false, logarithm.scale(Extended::new(exponent))),
            _ => Unknown,
        }
    }

    fn power(&self, exponent: &Germ) -> Germ {
        let constant = match exponent {
            Germ::Series(series) => series.as_constant().map(Extended::to_f64),
            _ => None,
        };
        match (constant, self.sign()) {
            (Some(0.0), Some(_)) => Germ::number(1.0),
            (Some(constant), _) if constant.trunc() == constant => self.integer_power(constant),
            (Some(constant), _) => self.positive_power(constant),
            (None, Some(0.0)) if exponent.sign() == Some(1.0) => self.clone(),
            (None, _) => exponent.multiply(&self.ln()).exp(),
        }
    }

    fn exp(&self) -> Germ {
        match self {
            Unknown => Unknown,
            Germ::Series(series) if is_beyond(series) => beyond(false, series.clone()),
            Germ::Series(series) => {
                let split = series.split();
                split.map(|(c, rest)| rest.taylor([Extended::ONE]).scale(c.exp())).into()
            }
            Beyond { negative, logarithm } if is_huge(logarithm) => {
                // Which of two such powers is larger is not known, but that it decides against everything else.
                let immense = if *negative { Extended::IMMENSE.negate() } else { Extended::IMMENSE };
                let moves = logarithm.leading().is_some_and(|(exponent, _)| exponent < 0.0);
                if moves { Unknown } else { beyond(false, Series::constant(immense)) }
            }
            Beyond { .. } => Germ::number(1.0),
        }
    }

    fn ln(&self) -> Germ {
        match self {
            Germ::Series(series) => series.ln().into(),
            Beyond { negative: false, logarithm } => logarithm.clone().into(),
            _ => Unknown,
        }
    }

    /// A function that is its argument in the limit at 0, given by its series elsewhere.
    fn odd(&self, series_of: impl Fn(Extended, Series) -> Series) -> Germ {
        match self {
            Germ::Series(series) => series.split().map(|(c, rest)| series_of(c, rest)).into(),
            Beyond { logarithm, .. } if !is_huge(logarithm) => self.clone(),
            _ => Unknown,
        }
    }

    fn sin(&self) -> Germ {
        self.odd(|c, rest| {
            let [sine, cosine] = [math::sin(c.to_f64()), math::cos(c.to_f64())].map(Extended::new);
            rest.taylor([sine, cosine, sine.negate(), cosine.negate()])
        })
    }

    fn cos(&self) -> Germ {
        if matches!(self, Beyond { .. }) {
            return self.sin().integer_power(2.0).negate().add(&Germ::number(1.0));
        }
        self.odd(|c, rest| {
            let [sine, cosine] = [math::sin(c.to_f64()), math::cos(c.to_f64())].map(Extended::new);
            rest.taylor([cosine, sine.negate(), cosine.negate(), sine])
        })
    }

    fn sinh(&self) -> Germ {
        if self.is_far() {
            return self.exp().subtract(&self.negate().exp()).multiply(&Germ::number(0.5));
        }
        self.odd(|c, rest| {
            let half = Extended::new(0.5);
            let (up, down) = (c.exp(), c.negate().exp());
            let near = c.to_f64().abs() < 1.0;
            let sine = if near { Extended::new(math::sinh(c.to_f64())) } else { up.add(down.negate()).multiply(half) };
            rest.taylor([sine, up.add(down).multiply(half)])
        })
    }

    fn cosh(&self) -> Germ {
        self.exp().add(&self.negate().exp()).multiply(&Germ::number(0.5))
    }

    /// Whether it is infinite, or so large that its exponential is beyond.
    fn is_far(&self) -> bool {
        match self {
            Unknown => false,
            Germ::Series(series) => is_beyond(series),
            Beyond { logarithm, .. } => is_huge(logarithm),
        }
    }

    fn tanh(&self) -> Germ {
        match self.sign() {
            Some(sign) if self.is_far() => Germ::number(sign),
            _ => self.sinh().divide(&self.cosh()),
        }
    }

    /// 4e^(−2|a|)/(1 + e^(−2|a|))².
    fn sech_squared(&self) -> Germ {
        let decayed = self.abs().multiply(&Germ::number(-2.0)).exp();
        let sum = decayed.add(&Germ::number(1.0));
        decayed.multiply(&Germ::number(4.0)).divide(&sum.integer_power(2.0))
    }

    fn logistic(&self) -> Germ {
        match self.sign() {
            Some(sign) if self.is_far() && sign > 0.0 => Germ::number(1.0),
            Some(_) if self.is_far() => self.exp(),
            _ => Germ::number(1.0).divide(&self.negate().exp().add(&Germ::number(1.0))),
        }
    }

    fn softplus(&self) -> Germ {
        match self.sign() {
            Some(sign) if self.is_far() => return if sign > 0.0 { self.clone() } else { self.exp() },
            _ if matches!(self, Beyond { .. }) => return Germ::number(std::f64::consts::LN_2),
            _ => {}
        }
        self.odd(|c, rest| {
            // ln(1 + e^(c + δ)) = ln(1 + eᶜ) + ln(1 + σ(c)(e^δ − 1))
            let (x, up) = (c.to_f64(), c.exp());
            let here = if x < -700.0 { up } else { Extended::new(math::softplus(x)) };
            let logistic = up.divide(up.add(Extended::ONE));
            let rise = rest.taylor([Extended::ONE]).add(&Series::number(-1.0));
            rise.scale(logistic).ln_one_plus().add(&Series::constant(here))
        })
    }

    fn ln_cosh(&self) -> Germ {
        if self.is_far() {
            return self.abs();
        }
        if matches!(self, Beyond { .. }) {
            return self.integer_power(2.0);
        }
        self.odd(|c, rest| {
            // ln cosh(c + δ) = ln cosh c + ln(1 + (cosh δ − 1) + tanh c·sinh δ)
            let x = c.to_f64();
            let [zero, one] = [Extended::ZERO, Extended::ONE];
            let even = rest.taylor([one, zero]).add(&Series::number(-1.0));
            let rise = even.add(&rest.taylor([zero, one]).scale(Extended::new(math::tanh(x))));
            rise.ln_one_plus().add(&Series::number(math::ln_cosh(x)))
        })
    }

    pub(super) fn unary(&self, operation: Unary) -> Germ {
        match operation {
            Unary::Copy | Unary::Bounded => self.clone(),
            Unary::Negate => self.negate(),
            Unary::Square => self.integer_power(2.0),
            Unary::Sqrt => self.positive_power(0.5),
            Unary::Exp => self.exp(),
            Unary::Ln => self.ln(),
            Unary::Sin => self.sin(),
            Unary::Cos => self.cos(),
            Unary::Tan => self.sin().divide(&self.cos()),
            Unary::Sinh => self.sinh(),
            Unary::Cosh => self.cosh(),
            Unary::Tanh => self.tanh(),
            Unary::Abs => self.abs(),
            Unary::Sign | Unary::Side => self.sign().map_or(Unknown, Germ::number),
            Unary::Softplus => self.softplus(),
            Unary::Logistic => self.logistic(),
            Unary::SechSquared => self.sech_squared(),
            Unary::LnCosh => self.ln_cosh(),
        }
    }

    pub(super) fn binary(&self, operation: Binary, other: &Germ) -> Germ {
        let difference = || self.subtract(other).sign();
        let choose = |first: bool| if first { self.clone() } else { other.clone() };
        let flag = |first: bool| Germ::number(if first { 1.0 } else { 0.0 });
        match operation {
            Binary::Add => self.add(other),
            Binary::Subtract => self.subtract(other),
            Binary::Multiply => self.multiply(other),
            Binary::Divide => self.divide(other),
            Binary::Power => self.power(other),
            Binary::Minimum => difference().map_or(Unknown, |sign| choose(sign <= 0.0)),
            Binary::Maximum => difference().map_or(Unknown, |sign| choose(sign >= 0.0)),
            Binary::MinimumIsFirst => difference().map_or(Unknown, |sign| flag(sign <= 0.0)),
            Binary::MaximumIsFirst => difference().map_or(Unknown, |sign| flag(sign >= 0.0)),
            Binary::Gate => self.sign().map_or(Unknown, |sign| if sign == 0.0 { self.clone() } else { other.clone() }),
        }
    }

    /// Both steps of a fused operation.
    pub(super) fn fused(first: Arithmetic, closing: Closing, [a, b, c]: [&Germ; 3]) -> Germ {
        let opened = match first {
            Arithmetic::Add => a.add(b),
            Arithmetic::Subtract => a.subtract(b),
            Arithmetic::Multiply => a.multiply(b),
        };
        match closing {
            Closing::Add => opened.add(c),
            Closing::Subtract => opened.subtract(c),
            Closing::SubtractFrom => c.subtract(&opened),
            Closing::Multiply => opened.multiply(c),
            Closing::Square => opened.multiply(&opened),
            Closing::Negate => opened.negate(),
        }
    }
}

/// Whether e to this power, which is beyond, is large and not small.
fn is_huge(logarithm: &Series) -> bool {
    logarithm.leading().is_some_and(|(_, c)| !c.is_negative())
}
