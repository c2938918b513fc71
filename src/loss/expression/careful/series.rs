//! Series in an infinitesimal ε > 0: what a quantity is next to a point.
//!
//! c₀ε^a₀ + c₁ε^a₁ + … + O(ε^order) with growing real exponents, among them negative ones: 1/x next to 0 has one. With few terms a
//! quotient of two such series is its limit exactly, where any small but finite step would trade rounding against
//! truncation.

use super::extended::Extended;

/// More terms than that are not kept: enough for a derivative to lose several of its leading ones.
const MOST_TERMS: usize = 8;

/// Exponents closer than that are one: 3·0.7 is not 2.1.
const SAME_EXPONENT: f64 = 1e-9;

/// What a sum leaves of its terms below this fraction is their rounding: 2⁻⁵⁰.
const ROUNDING: f64 = 1.0 / (1u64 << 50) as f64;

#[derive(Clone, Debug)]
pub(super) struct Series {
    /// Exponents, growing, with coefficients other than 0.
    terms: Vec<(f64, Extended)>,
    /// Terms from this exponent on are not known; ∞ if all are.
    order: f64,
}

impl Series {
    pub(super) fn constant(number: Extended) -> Series {
        Series { terms: if number.is_zero() { Vec::new() } else { vec![(0.0, number)] }, order: f64::INFINITY }
    }

    pub(super) fn number(number: f64) -> Series {
        Series::constant(Extended::new(number))
    }

    /// position + ε·velocity.
    pub(super) fn moving(position: f64, velocity: f64) -> Series {
        let terms = [(0.0, Extended::new(position)), (1.0, Extended::new(velocity))];
        Series { terms: terms.into_iter().filter(|(_, c)| !c.is_zero()).collect(), order: f64::INFINITY }
    }

    /// Whether it has become impossible to tell its leading term, or a number in it is none.
    pub(super) fn is_unknown(&self) -> bool {
        self.terms.iter().any(|(_, c)| c.is_nan()) || self.terms.is_empty() && self.order < f64::INFINITY
    }

    pub(super) fn is_zero(&self) -> bool {
        self.terms.is_empty() && self.order == f64::INFINITY
    }

    /// Exponent and coefficient of the leading term.
    pub(super) fn leading(&self) -> Option<(f64, Extended)> {
        self.terms.first().copied()
    }

    /// The number a constant is, 0 among them.
    pub(super) fn as_constant(&self) -> Option<Extended> {
        match self.terms[..] {
            [] if self.is_zero() => Some(Extended::ZERO),
            [(0.0, number)] if self.order == f64::INFINITY => Some(number),
            _ => None,
        }
    }

    /// The limit for ε → 0, ±∞ among them; nothing if it is not known.
    pub(super) fn limit(&self) -> Option<f64> {
        match self.leading() {
            _ if self.is_unknown() && self.order <= 0.0 => None,
            Some((_, c)) if c.is_nan() => None,
            Some((exponent, c)) if exponent < 0.0 => {
                Some(if c.is_negative() { f64::NEG_INFINITY } else { f64::INFINITY })
            }
            Some((0.0, c)) => Some(c.to_f64()),
            _ if self.order > 0.0 => Some(0.0),
            _ => None,
        }
    }

    /// The coefficient of ε⁰ where nothing is infinite, and the rest, which vanishes with ε.
    pub(super) fn split(&self) -> Option<(Extended, Series)> {
        match self.leading() {
            Some((exponent, _)) if exponent < 0.0 => None,
            _ if self.order <= 0.0 => None,
            Some((0.0, c)) => Some((c, Series { terms: self.terms[1..].to_vec(), order: self.order })),
            _ => Some((Extended::ZERO, self.clone())),
        }
    }

    /// The exponent below which it is 0.
    fn lowest(&self) -> f64 {
        self.leading().map_or(self.order, |(exponent, _)| exponent)
    }

    /// From terms in any order.
    fn collected(mut all: Vec<(f64, Extended)>, mut order: f64) -> Series {
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let has_moved = all.iter().any(|&(exponent, _)| exponent != 0.0);
        let mut terms: Vec<(f64, Extended)> = Vec::new();
        let mut next = 0;
        while next < all.len() && all[next].0 < order - SAME_EXPONENT {
            let exponent = all[next].0;
            let same = all[next..].iter().take_while(|(other, _)| other - exponent < SAME_EXPONENT).count();
            let (mut sum, mut largest) = (Extended::ZERO, Extended::ZERO);
            for &(_, c) in &all[next..next + same] {
                sum = sum.add(c);
                largest = if c.abs().add(largest.negate()).is_negative() { largest } else { c.abs() };
            }
            next += same;
            // At the point itself what f64 leaves stands; next to it, rounding must not pass for a pole.
            let threshold = largest.multiply(Extended::new(ROUNDING));
            let is_rounding = has_moved && same > 1 && sum.abs().add(threshold.negate()).is_negative();
            if sum.is_zero() || is_rounding {
                continue;
            }
            if terms.len() == MOST_TERMS {
                order = exponent;
                break;
            }
            terms.push((exponent, sum));
        }
        Series { terms, order }
    }

    pub(super) fn negate(&self) -> Series {
        self.scale(Extended::ONE.negate())
    }

    pub(super) fn scale(&self, factor: Extended) -> Series {
        if factor.is_zero() {
            return Series::constant(Extended::ZERO);
        }
        Series { terms: self.terms.iter().map(|&(a, c)| (a, c.multiply(factor))).collect(), order: self.order }
    }

    /// Times ε^shift.
    fn shifted(mut self, shift: f64) -> Series {
        for term in &mut self.terms {
            let exponent = term.0 + shift;
            term.0 = if exponent.abs() < SAME_EXPONENT { 0.0 } else { exponent };
        }
        self.order += shift;
        self
    }

    pub(super) fn add(&self, other: &Series) -> Series {
        Series::collected([&self.terms[..], &other.terms].concat(), self.order.min(other.order))
    }

    pub(super) fn multiply(&self, other: &Series) -> Series {
        if self.is_zero() || other.is_zero() {
            return Series::constant(Extended::ZERO);
        }
        let order = (self.lowest() + other.order).min(other.lowest() + self.order);
        let pairs = self.terms.iter().flat_map(|&(a, c)| other.terms.iter().map(move |&(b, d)| (a + b, c.multiply(d))));
        let exact = |(a, c): (f64, Extended)| (if a.abs() < SAME_EXPONENT { 0.0 } else { a }, c);
        Series::collected(pairs.map(exact).collect(), order)
    }

    /// Σ coefficients[k]·selfᵏ for a series that vanishes with ε.
    pub(super) fn compose(&self, coefficients: &[Extended; MOST_TERMS]) -> Series {
        let mut sum = Series::constant(coefficients[MOST_TERMS - 1]);
        for &c in coefficients[..MOST_TERMS - 1].iter().rev() {
            sum = sum.multiply(self).add(&Series::constant(c));
        }
        if !self.is_zero() {
            let order = sum.order.min(MOST_TERMS as f64 * self.lowest());
            sum = Series::collected(sum.terms, order);
        }
        sum
    }

    /// Σ coefficients(k)·selfᵏ/k!, the Taylor series of a function whose derivatives repeat after `DERIVATIVES`.
    pub(super) fn taylor<const DERIVATIVES: usize>(&self, derivatives: [Extended; DERIVATIVES]) -> Series {
        let mut factorial = 1.0;
        let coefficients = std::array::from_fn(|k| {
            factorial *= k.max(1) as f64;
            derivatives[k % DERIVATIVES].divide(Extended::new(factorial))
        });
        self.compose(&coefficients)
    }

    /// Any power of a series that is positive, or a whole power of one that is not 0.
    pub(super) fn power(&self, exponent: f64) -> Option<Series> {
        let (lowest, c) = self.leading()?;
        let mut binomial = Extended::ONE;
        let coefficients = std::array::from_fn(|k| {
            let current = binomial;
            binomial = binomial.multiply(Extended::new((exponent - k as f64) / (k + 1) as f64));
            current
        });
        let relative = self.rest_relative_to(lowest, c).compose(&coefficients);
        Some(relative.scale(c.power(exponent)).shifted(lowest * exponent))
    }

    /// δ in self = c·ε^lowest·(1 + δ).
    fn rest_relative_to(&self, lowest: f64, c: Extended) -> Series {
        let rest = Series { terms: self.terms[1..].to_vec(), order: self.order };
        rest.scale(Extended::ONE.divide(c)).shifted(-lowest)
    }

    /// ln of a series with a positive limit.
    pub(super) fn ln(&self) -> Option<Series> {
        let (lowest, c) = self.leading()?;
        if lowest != 0.0 || c.is_negative() {
            return None;
        }
        let rest = self.rest_relative_to(0.0, c).ln_one_plus();
        Some(rest.add(&Series::constant(c.ln())))
    }

    /// ln(1 + self) for a series that vanishes with ε.
    pub(super) fn ln_one_plus(&self) -> Series {
        self.compose(&std::array::from_fn(|k| match k {
            0 => Extended::ZERO,
            _ => Extended::new(if k % 2 == 0 { -1.0 } else { 1.0 } / k as f64),
        }))
    }
}
