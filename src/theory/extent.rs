//! Where exp(−L/T) lies on a line, and what of it lies beyond any place.
//!
//! Where L rises by 45 T within some widths of the domain, nothing lies farther out. Where it rises more slowly, as a logarithm or a
//! root does, the mass beyond is summed over panels that grow by a factor of two, until what is left is nothing, or falls from panel to
//! panel by a factor that is known: then it is the rest of a geometric series. A power law |x|^(−p) is integrable for p > 1, and its
//! panels fall by 2^(1−p).

use super::gibbs::DECAY;
use super::quadrature::{Integral, SETTLED, integrate_to};

/// A side on which L has not risen enough within so many widths of the domain has a tail.
const WIDTHS: f64 = 8.0;
/// Panels of a tail: 2⁵⁰⁰ = 3·10¹⁵⁰, whose square is still a number.
const PANELS: i32 = 500;
/// What is left of a tail is nothing below this part of all, and well enough known below that one.
const NOTHING: f64 = 1e-17;
const WELL_KNOWN: f64 = 1e-13;
/// A tail that falls from panel to panel by less than this is told from none that falls only by its rounding.
const FALLS: f64 = 1e-4;
/// Beyond this part of an integral its error makes it no answer; where L is rounded, a multiple of what that costs is allowed, up to
/// another part.
const TRUSTED: f64 = 1e-6;
const TRUSTED_AT_MOST: f64 = 1e-2;

/// One side of the line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::theory) enum Side {
    /// exp(−L/T) is nothing beyond this place, or L is not defined there.
    Ends(f64),
    /// It has a tail beyond this place.
    Tail(f64),
}

impl Side {
    pub(super) fn place(self) -> f64 {
        match self {
            Self::Ends(place) | Self::Tail(place) => place,
        }
    }
}

/// Why an integral over a half-line is not given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum NoIntegral {
    /// It is infinite.
    Infinite,
    /// It did not settle.
    Unsettled,
}

/// exp(−L/T) on a line, in units of its value where L = `lowest`.
pub(super) struct Line<'a> {
    pub value: &'a dyn Fn(f64) -> f64,
    pub lowest: f64,
    pub temperature: f64,
}

impl Line<'_> {
    /// (L − lowest)/T.
    pub fn height(&self, x: f64) -> f64 {
        ((self.value)(x) - self.lowest) / self.temperature
    }

    /// exp(−L/T); 0 where L is not defined.
    pub fn weight(&self, x: f64) -> f64 {
        let height = self.height(x);
        if height < f64::INFINITY { crate::math::exp(-height) } else { 0.0 }
    }

    /// What a quadrature of the weight can settle to: L is rounded to about a unit in its last place.
    pub fn tolerance(&self) -> f64 {
        SETTLED.max(4.0 * rounding(self.lowest, self.temperature))
    }

    /// Beyond this part of an integral its error makes it no answer.
    pub fn trusted(&self) -> f64 {
        TRUSTED.max(10.0 * self.tolerance()).min(TRUSTED_AT_MOST)
    }

    /// Both sides of the line around [low, high].
    pub fn sides(&self, [low, high]: [f64; 2]) -> [Side; 2] {
        let width = high - low;
        [self.side(low, -1.0, width), self.side(high, 1.0, width)]
    }

    /// Whether exp(−L/T) has a finite integral.
    pub fn is_confined(&self, domain: [f64; 2]) -> bool {
        let width = domain[1] - domain[0];
        let is_finite = |(side, direction): (Side, f64)| {
            self.beyond(&|x| self.weight(x), side, direction, width / 16.0, width * 1e-3).is_ok()
        };
        self.sides(domain).into_iter().zip([-1.0, 1.0]).all(is_finite)
    }

    fn side(&self, start: f64, direction: f64, width: f64) -> Side {
        let at = |reach: f64| start + direction * reach;
        let is_wall = |x: f64| !((self.value)(x) < f64::INFINITY);
        if is_wall(start) {
            return Side::Ends(start);
        }
        let (mut reach, mut step) = (0.0, width / 200.0);
        while reach < WIDTHS * width {
            if is_wall(at(reach + step)) {
                return Side::Ends(wall(&is_wall, at(reach), at(reach + step)));
            }
            let (here, further) = (self.height(at(reach)), self.height(at(reach + step)));
            if here > DECAY && further >= here {
                return Side::Ends(at(reach));
            }
            reach += step;
            step *= 1.02;
        }
        Side::Tail(start)
    }

    /// ∫ `f` beyond a side that is `panel` wide in its first panel; `f` falls off about as the weight does, and `whole` is the size of
    /// what the integral is a part of.
    ///
    /// # Errors
    /// When the integral is infinite, or it cannot be told how much of it is left.
    pub fn beyond(
        &self,
        f: &dyn Fn(f64) -> f64,
        side: Side,
        direction: f64,
        panel: f64,
        whole: f64,
    ) -> Result<Integral, NoIntegral> {
        let Side::Tail(start) = side else { return Ok(Integral::default()) };
        let tolerance = self.tolerance();
        let (mut total, mut reach, mut width) = (Integral::default(), 0.0, panel);
        let (mut last, mut ratio, mut rising) = (f64::NAN, f64::NAN, 0);
        for _ in 0..PANELS {
            let ends = [start + direction * reach, start + direction * (reach + width)];
            let part = integrate_to(tolerance, f, ends[0].min(ends[1]), ends[0].max(ends[1]), 4);
            if !part.value.is_finite() {
                return Err(NoIntegral::Infinite);
            }
            total += part;
            let scale = whole + total.value.abs();
            // What one panel cannot tell, a thousand wider ones cannot either.
            if total.error > self.trusted() * scale && part.error > 0.1 * part.value.abs() {
                return Err(NoIntegral::Unsettled);
            }
            let here = part.value.abs() / last;
            if part.value.abs() <= NOTHING * scale && !(here > 0.5) {
                total.error += part.value.abs();
                return Ok(total);
            }
            // The rest of a geometric series, and how far it moves when the ratio moves on as it just did.
            let left = part.value * here / (1.0 - here);
            let unsure = left.abs() * ((here - ratio).abs() + 4.0 * tolerance) / ((1.0 - here) * here) * 2.0;
            if here < 1.0 - FALLS && unsure <= (WELL_KNOWN + tolerance) * scale {
                return Ok(Integral { value: total.value + left, error: total.error + unsure });
            }
            rising = if here > 1.0 - FALLS { rising + 1 } else { 0 };
            (last, ratio) = (part.value.abs(), here);
            reach += width;
            width *= 2.0;
        }
        let left = last * ratio / (1.0 - ratio);
        match (rising > PANELS / 2, last == 0.0 || left < TRUSTED * (whole + total.value.abs())) {
            (true, _) => Err(NoIntegral::Infinite),
            (_, true) => Ok(Integral { value: total.value + left, error: total.error + left.abs() }),
            _ => Err(NoIntegral::Unsettled),
        }
    }
}

/// The place between `inside`, where L is defined, and `outside` where it no longer is.
pub(super) fn wall(is_wall: &dyn Fn(f64) -> bool, mut inside: f64, mut outside: f64) -> f64 {
    for _ in 0..200 {
        let middle = 0.5 * (inside + outside);
        if is_wall(middle) { outside = middle } else { inside = middle }
    }
    inside
}

/// The unit in the last place of a loss of this size, in units of T: what rounding alone does to (L − lowest)/T.
pub fn rounding(loss: f64, temperature: f64) -> f64 {
    f64::EPSILON * loss.abs() / temperature
}
