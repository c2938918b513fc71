//! The stationary law of the 1-D Itô equation with noise that depends on θ.
//!
//! dx = −L′dx + √(2D) dW with D(x) = nσ(x)²/2 has P ∝ D⁻¹ exp(−Φ), Φ = ∫L′/D: the stationary Fokker–Planck equation
//! (DP)′ = −L′P without current (Gardiner, Stochastic Methods, §5.3). Where D is constant it is the Gibbs law. With D
//! proportional to h inside each well the prefactor of a well goes as h⁻¹, not h^(−½), and its depth counts by the path:
//! barriers over the local D.

use super::gibbs::DECAY;
use super::outskirts::LOW;
use super::passage::{graded, width};
use super::quadrature::{GAUSS_5, Integral, integrate_to};
use crate::landscape::Landscape;
use crate::loss::Loss;

/// Why there is no such law.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NoItoLaw {
    /// D⁻¹ exp(−∫L′/D) has no finite integral.
    #[error("D⁻¹ exp(−∫L′/D) does not fall off around the domain, so that it has no finite integral")]
    NotConfined,
    /// D⁻¹ exp(−∫L′/D) has a finite integral that ends beyond the reach of the table.
    #[error("D⁻¹ exp(−∫L′/D) falls off so slowly that its integral cannot be told: let the loss rise faster outwards")]
    HeavyTail,
    /// Behind a wall around the wells it rises again.
    #[error(
        "D⁻¹ exp(−∫L′/D), nothing behind a wall around the wells, is more than that again at θ = {0:.6}: part of the law lies there, or it has \
         no finite integral, and no run that starts in the wells comes there; if it is a well, extend loss.domain so that it is in it; if \
         not, let the loss rise outwards"
    )]
    FallsBeyond(f64),
    /// The quadrature ended without an answer.
    #[error(
        "the quadrature of ∫L′/D or of its exponential did not settle: loss or noise have jumps or turn very often"
    )]
    Unsettled,
    /// The noise or the slope is not a number, or the noise vanishes.
    #[error("at θ = {0:.6} the noise vanishes, or it or the slope of the loss is not a finite number")]
    Undefined(f64),
}

/// Panels are halved until Φ is known over each, and within it, to this, or to so many units in its last place; one at most so often, as at a
/// kink or a jump, and all together at most so often.
const SETTLED: f64 = 1e-13;
const UNITS: f64 = 4.0;
const DEEPEST: u32 = 60;
const MOST_HALVINGS: usize = 200_000;
/// What did not settle by then may change Φ by so much.
const TRUSTED: f64 = 1e-8;
/// Outwards each panel is so many times as long as the one before, and there are so many at most.
const LONGER: f64 = 1.025;
const MOST_PANELS: usize = 1_500;
/// A tail |x|^(−p) with a lower p is not told from one without a finite integral.
const INTEGRABLE: f64 = 1.01;
/// To what the masses are integrated, Φ being a sum of many differences, and what error of theirs is no answer any more.
const MASS: f64 = 1e-12;
const TRUSTED_MASS: f64 = 1e-6;

/// Φ(x) = ∫L′/D along a line, as a table of exact values with quadrature in between.
pub struct Potential<'a> {
    loss: &'a dyn Loss,
    diffusion: &'a dyn Fn(f64) -> f64,
    edges: Vec<f64>,
    values: Vec<f64>,
    /// The least Φ + ln D at an edge.
    lowest: f64,
}

/// A part of the table that grows from a place to one side.
struct Side {
    edges: Vec<f64>,
    values: Vec<f64>,
    halvings: usize,
    /// By how much Φ may be off at its end.
    unsettled: f64,
}

impl Side {
    fn new(from: f64) -> Self {
        Self { edges: vec![from], values: vec![0.0], halvings: MOST_HALVINGS, unsettled: 0.0 }
    }

    fn end(&self) -> (f64, f64) {
        let last = self.edges.len() - 1;
        (self.edges[last], self.values[last])
    }
}

impl<'a> Potential<'a> {
    /// Φ from `places` outwards, as far as D⁻¹e^(−Φ) is more than nothing beside what it is at them. `diffusion` is D; the places are minima of L, and what
    /// ridges lie between them, in ascending order ([`Landscape::places_on_a_line`]): narrow wells are found by them in a domain of any width. Φ is 0 at the first.
    ///
    /// # Errors
    /// When D⁻¹e^(−Φ) does not fall off, or D or L′ fails on the way.
    pub fn new(
        loss: &'a dyn Loss,
        diffusion: &'a dyn Fn(f64) -> f64,
        domain: [f64; 2],
        places: &[f64],
    ) -> Result<Self, NoItoLaw> {
        Self::down_to(loss, diffusion, domain, places, DECAY)
    }

    /// The same as far out as D⁻¹e^(−Φ) is above e^(−`decay`) of its largest value.
    pub(super) fn down_to(
        loss: &'a dyn Loss,
        diffusion: &'a dyn Fn(f64) -> f64,
        domain: [f64; 2],
        places: &[f64],
        decay: f64,
    ) -> Result<Self, NoItoLaw> {
        let mut potential = Self { loss, diffusion, edges: Vec::new(), values: Vec::new(), lowest: f64::INFINITY };
        let width = domain[1] - domain[0];
        let (mut above, mut below) = (Side::new(places[0]), Side::new(places[0]));
        for pair in places.windows(2) {
            potential.climb(&mut above, pair[1])?;
        }
        for (x, value) in above.edges.iter().zip(&above.values) {
            potential.lowest = potential.lowest.min(potential.log_reciprocal_weight(*x, *value)?);
        }
        potential.outwards(&mut above, width, decay)?;
        potential.outwards(&mut below, -width, decay)?;
        if !(above.unsettled.max(below.unsettled) <= TRUSTED) {
            return Err(NoItoLaw::Unsettled);
        }
        potential.edges = below.edges.into_iter().skip(1).rev().chain(above.edges).collect();
        potential.values = below.values.into_iter().skip(1).rev().chain(above.values).collect();
        Ok(potential)
    }

    /// From one of the places to the next, in panels that grow from both: up to the middle, and down from it.
    fn climb(&self, side: &mut Side, to: f64) -> Result<(), NoItoLaw> {
        let (from, _) = side.end();
        let middle = 0.5 * (from + to);
        let down = graded(to, middle, self.reach(to, middle));
        let edges =
            graded(from, middle, self.reach(from, middle)).into_iter().skip(1).chain(down.into_iter().rev().skip(1));
        edges.into_iter().try_for_each(|edge| self.extend(side, edge))
    }

    /// How far from a place towards `end` Φ changes by about one, with its sign; all the way where it does not.
    fn reach(&self, place: f64, end: f64) -> f64 {
        width(place, end, &|x| (self.slope(x) * (x - place)).abs())
    }

    /// From the outermost place outwards in growing panels, until the density is nothing. `widest` is the domain's width, with the sign of the side.
    fn outwards(&mut self, side: &mut Side, widest: f64, decay: f64) -> Result<(), NoItoLaw> {
        let (from, value) = side.end();
        let own = 0.25 * self.reach(from, from + widest);
        let mut step = if own.abs() < widest.abs() / 200.0 { own } else { widest / 200.0 };
        let (first, mut height) = (side.edges.len(), self.log_reciprocal_weight(from, value)?);
        // Of the outermost well nothing is left out, however little of the law it has.
        let start = height;
        for _ in 0..MOST_PANELS {
            let (x, _) = side.end();
            self.extend(side, x + step)?;
            let (next, value) = side.end();
            let further = self.log_reciprocal_weight(next, value)?;
            if further - self.lowest.max(start) > decay && further >= height {
                return match self.comes_down_beyond(next, value, step) {
                    Some(place) => Err(NoItoLaw::FallsBeyond(place)),
                    None => Ok(()),
                };
            }
            self.lowest = self.lowest.min(further);
            (height, step) = (further, step * LONGER);
        }
        // Where it falls as |x|^(−p), p over the last factor of two decides; it has a finite integral for p > 1.
        let (x, _) = side.end();
        let edges = &side.edges[first..];
        let half =
            first + edges.partition_point(|edge| (edge - from).abs() < 0.5 * (x - from).abs()).min(edges.len() - 1);
        let before = self.log_reciprocal_weight(side.edges[half], side.values[half])?;
        let power = (height - before) / crate::math::ln((x - from) / (side.edges[half] - from));
        Err(if power > INTEGRABLE { NoItoLaw::HeavyTail } else { NoItoLaw::NotConfined })
    }

    /// A place beyond the wall where D⁻¹e^(−Φ) is more than nothing again, as far as Φ can be followed.
    fn comes_down_beyond(&self, from: f64, value: f64, step: f64) -> Option<f64> {
        const LOOKS: usize = 1_200;
        const FARTHER: f64 = 1.01;
        let mut side = Side { values: vec![value], ..Side::new(from) };
        let mut step = step;
        for _ in 0..LOOKS {
            let (x, _) = side.end();
            self.extend(&mut side, x + step).ok()?;
            let (next, value) = side.end();
            if self.log_reciprocal_weight(next, value).ok()? - self.lowest < LOW {
                return Some(next);
            }
            step *= FARTHER;
        }
        None
    }

    fn slope(&self, x: f64) -> f64 {
        let mut gradient = [0.0];
        self.loss.gradient(&[x], &mut gradient);
        gradient[0] / (self.diffusion)(x)
    }

    /// Goes on to another place. Panels are halved until Φ is known over each of them, and stay so in the table: what is known over a whole one is not yet
    /// known within it, where a kink or a narrow well lies there.
    fn extend(&self, side: &mut Side, to: f64) -> Result<(), NoItoLaw> {
        let slope = |x: f64| self.slope(x);
        let mut pending = vec![(to, gauss(&slope, side.end().0, to), 0)];
        while let Some((end, whole, depth)) = pending.pop() {
            let (start, value) = side.end();
            let middle = 0.5 * (start + end);
            let halves = [gauss(&slope, start, middle), gauss(&slope, middle, end)];
            let both = halves[0] + halves[1];
            if !both.is_finite() {
                return Err(NoItoLaw::Undefined(middle));
            }
            let change = (both - whole).abs();
            let is_known = change <= SETTLED.max(UNITS * f64::EPSILON * value.abs());
            if is_known || depth == DEEPEST || side.halvings == 0 {
                if !is_known {
                    side.unsettled += change;
                }
                side.edges.push(end);
                side.values.push(value + both);
            } else {
                side.halvings -= 1;
                pending.push((end, halves[1], depth + 1));
                pending.push((middle, halves[0], depth + 1));
            }
        }
        Ok(())
    }

    /// Φ + ln D.
    fn log_reciprocal_weight(&self, x: f64, value: f64) -> Result<f64, NoItoLaw> {
        let diffusion = (self.diffusion)(x);
        let height = value + crate::math::ln(diffusion);
        if height.is_finite() { Ok(height) } else { Err(NoItoLaw::Undefined(x)) }
    }

    /// D(x).
    pub fn diffusion(&self, x: f64) -> f64 {
        (self.diffusion)(x)
    }

    /// Where the table begins and ends.
    pub fn range(&self) -> [f64; 2] {
        [self.edges[0], self.edges[self.edges.len() - 1]]
    }

    /// Φ(x), 0 at the first of the places; x is taken into the range.
    pub fn at(&self, x: f64) -> f64 {
        let [low, high] = self.range();
        let x = x.clamp(low, high);
        let panel = self.edges.partition_point(|&edge| edge <= x).clamp(1, self.edges.len() - 1) - 1;
        self.values[panel] + gauss(&|x| self.slope(x), self.edges[panel], x)
    }

    /// D⁻¹e^(−Φ) in units of its largest value at an edge of the table.
    fn weight(&self, x: f64) -> f64 {
        let weight = crate::math::exp(self.lowest - self.at(x)) / (self.diffusion)(x);
        if weight.is_finite() { weight } else { 0.0 }
    }
}

/// Gauss's rule of five points.
fn gauss(f: &dyn Fn(f64) -> f64, low: f64, high: f64) -> f64 {
    let (center, half) = (0.5 * (low + high), 0.5 * (high - low));
    GAUSS_5.iter().map(|(node, weight)| half * weight * f(center + half * node)).sum()
}

/// The stationary law of the Itô equation, split over the basins of the loss.
#[derive(Clone, Debug)]
pub struct ItoLaw {
    /// Mass of every minimum's basin, in their order.
    pub occupancies: Vec<f64>,
    /// Mass of what lies in no basin.
    pub other: f64,
    /// ln ∫ D⁻¹e^(−Φ), Φ counted so that the least Φ + ln D is 0.
    log_normalization: f64,
}

/// The law whose Φ and D are those of `potential`, by adaptive quadrature over the panels of its table.
///
/// # Errors
/// When the quadrature does not settle.
pub fn by_quadrature(potential: &Potential, landscape: &Landscape) -> Result<ItoLaw, NoItoLaw> {
    let weight = |x: f64| potential.weight(x);
    let mut law = ItoLaw { occupancies: vec![0.0; landscape.minima.len()], other: 0.0, log_normalization: 0.0 };
    let mut error = 0.0;
    for (left, right, owner) in landscape.basins.intervals().unwrap_or_default() {
        let mut mass = Integral::default();
        for panel in potential.edges.windows(2) {
            let (low, high) = (panel[0].max(left), panel[1].min(right));
            if low < high {
                mass += integrate_to(MASS, &weight, low, high, 1);
            }
        }
        error += mass.error;
        match owner {
            Some(minimum) => law.occupancies[minimum] += mass.value,
            None => law.other += mass.value,
        }
    }
    let total = law.occupancies.iter().sum::<f64>() + law.other;
    if !(error <= TRUSTED_MASS * total) {
        return Err(NoItoLaw::Unsettled);
    }
    law.occupancies.iter_mut().for_each(|mass| *mass /= total);
    law.other /= total;
    law.log_normalization = crate::math::ln(total);
    Ok(law)
}

impl ItoLaw {
    /// P(x), for the potential that the law was made of; 0 beyond its range.
    pub fn density(&self, potential: &Potential, x: f64) -> f64 {
        let [low, high] = potential.range();
        if (low..=high).contains(&x) { potential.weight(x) * crate::math::exp(-self.log_normalization) } else { 0.0 }
    }
}
