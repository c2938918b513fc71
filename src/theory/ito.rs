//! The stationary law of the 1-D Itô equation with noise that depends on θ.
//!
//! dx = −L′dx + √(2D) dW with D(x) = nσ(x)²/2 has P ∝ D⁻¹ exp(−Φ), Φ = ∫L′/D: the stationary Fokker–Planck equation
//! (DP)′ = −L′P without current (Gardiner, Stochastic Methods, §5.3). Where D is constant it is the Gibbs law. With D
//! proportional to h inside each well the prefactor of a well goes as h⁻¹, not h^(−½), and its depth counts by the path:
//! barriers over the local D.

use super::gibbs::DECAY;
use super::outskirts::LOW;
use super::quadrature::GAUSS_5;
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
    /// The noise or the slope is not a number, or the noise vanishes.
    #[error("at θ = {0:.6} the noise vanishes, or it or the slope of the loss is not a finite number")]
    Undefined(f64),
}

/// Panels of the table inside of the domain.
const PANELS: usize = 2_048;
/// A panel of Φ is halved until it is known to this (to this part of |Φ| where that is large), at most so many times:
/// rounding, which rules where L′ passes through 0, must not halve it for ever.
const SETTLED: f64 = 1e-13;
const MOST_HALVINGS: u32 = 12;
/// A tail |x|^(−p) with a lower p is not told from one without a finite integral.
const INTEGRABLE: f64 = 1.01;
/// Masses are settled when twice as many panels change none of them by more.
const SETTLED_MASS: f64 = 1e-11;

/// Φ(x) = ∫L′/D along a line, as a table of exact values with quadrature in between.
pub struct Potential<'a> {
    loss: &'a dyn Loss,
    diffusion: &'a dyn Fn(f64) -> f64,
    edges: Vec<f64>,
    values: Vec<f64>,
    /// The least Φ + ln D at an edge.
    lowest: f64,
}

impl<'a> Potential<'a> {
    /// Φ on `domain`, which holds the minima, and as far beyond it as D⁻¹e^(−Φ) is more than nothing. `diffusion` is D.
    ///
    /// # Errors
    /// When D⁻¹e^(−Φ) does not fall off, or D or L′ fails on the way.
    pub fn new(loss: &'a dyn Loss, diffusion: &'a dyn Fn(f64) -> f64, domain: [f64; 2]) -> Result<Self, NoItoLaw> {
        Self::down_to(loss, diffusion, domain, DECAY)
    }

    /// The same as far out as D⁻¹e^(−Φ) is above e^(−`decay`) of its largest value.
    pub(super) fn down_to(
        loss: &'a dyn Loss,
        diffusion: &'a dyn Fn(f64) -> f64,
        domain: [f64; 2],
        decay: f64,
    ) -> Result<Self, NoItoLaw> {
        let mut potential = Self { loss, diffusion, edges: Vec::new(), values: Vec::new(), lowest: f64::INFINITY };
        let width = domain[1] - domain[0];
        let (mut edges, mut values) = (vec![domain[0]], vec![0.0]);
        for panel in 1..=PANELS {
            let edge = if panel == PANELS { domain[1] } else { domain[0] + width * panel as f64 / PANELS as f64 };
            let last = edges.len() - 1;
            values.push(values[last] + potential.increment(edges[last], edge, values[last])?);
            edges.push(edge);
        }
        for (x, value) in edges.iter().zip(&values) {
            potential.lowest = potential.lowest.min(potential.log_reciprocal_weight(*x, *value)?);
        }
        let (above, upper) = potential.outwards(edges[PANELS], values[PANELS], width / 200.0, decay)?;
        let (below, lower) = potential.outwards(edges[0], values[0], -width / 200.0, decay)?;
        potential.edges = below.into_iter().rev().chain(edges).chain(above).collect();
        potential.values = lower.into_iter().rev().chain(values).chain(upper).collect();
        Ok(potential)
    }

    /// Edges and values from the edge of the domain outwards, in growing panels, until the density is nothing.
    fn outwards(&mut self, from: f64, value: f64, step: f64, decay: f64) -> Result<(Vec<f64>, Vec<f64>), NoItoLaw> {
        const MOST: usize = 1_500;
        let (mut edges, mut values) = (Vec::new(), Vec::new());
        let (mut x, mut value, mut step) = (from, value, step);
        let mut height = self.log_reciprocal_weight(x, value)?;
        for _ in 0..MOST {
            let next = x + step;
            value += self.increment(x, next, value)?;
            let further = self.log_reciprocal_weight(next, value)?;
            edges.push(next);
            values.push(value);
            if further - self.lowest > decay && further >= height {
                return match self.comes_down_beyond(next, value, step) {
                    Some(place) => Err(NoItoLaw::FallsBeyond(place)),
                    None => Ok((edges, values)),
                };
            }
            self.lowest = self.lowest.min(further);
            (x, height, step) = (next, further, step * 1.02);
        }
        // Where it falls as |x|^(−p), p over the last factor of two decides; it has a finite integral for p > 1.
        let half = edges.partition_point(|edge| (edge - from).abs() < 0.5 * (x - from).abs()).min(MOST - 1);
        let before = self.log_reciprocal_weight(edges[half], values[half])?;
        let power = (height - before) / crate::math::ln((x - from) / (edges[half] - from));
        Err(if power > INTEGRABLE { NoItoLaw::HeavyTail } else { NoItoLaw::NotConfined })
    }

    /// A place beyond the wall where D⁻¹e^(−Φ) is more than nothing again, as far as Φ can be followed.
    fn comes_down_beyond(&self, from: f64, value: f64, step: f64) -> Option<f64> {
        const LOOKS: usize = 120;
        const FARTHER: f64 = 1.1;
        let (mut x, mut value, mut step) = (from, value, step);
        for _ in 0..LOOKS {
            let next = x + step;
            value += self.increment(x, next, value).ok()?;
            if self.log_reciprocal_weight(next, value).ok()? - self.lowest < LOW {
                return Some(next);
            }
            (x, step) = (next, step * FARTHER);
        }
        None
    }

    fn slope(&self, x: f64) -> f64 {
        let mut gradient = [0.0];
        self.loss.gradient(&[x], &mut gradient);
        gradient[0] / (self.diffusion)(x)
    }

    /// Φ(to) − Φ(from), where Φ is about `value`.
    fn increment(&self, from: f64, to: f64, value: f64) -> Result<f64, NoItoLaw> {
        let slope = |x: f64| self.slope(x);
        let tolerance = SETTLED * value.abs().max(1.0);
        let (mut pending, mut increment) = (vec![(from, to, gauss(&slope, from, to), 0)], 0.0);
        while let Some((from, to, whole, halvings)) = pending.pop() {
            let middle = 0.5 * (from + to);
            let halves = [gauss(&slope, from, middle), gauss(&slope, middle, to)];
            let both = halves[0] + halves[1];
            if !both.is_finite() {
                return Err(NoItoLaw::Undefined(middle));
            }
            if (both - whole).abs() <= tolerance || halvings == MOST_HALVINGS {
                increment += both;
            } else {
                pending.push((middle, to, halves[1], halvings + 1));
                pending.push((from, middle, halves[0], halvings + 1));
            }
        }
        Ok(increment)
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

    /// Φ(x), 0 at the left end of the domain; x is taken into the range.
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

/// The law whose Φ and D are those of `potential`, by quadrature on its panels, halved until the masses stand still.
pub fn by_quadrature(potential: &Potential, landscape: &Landscape) -> ItoLaw {
    let mut law = on_panels(potential, landscape, 1);
    for parts in [2, 4, 8, 16] {
        let finer = on_panels(potential, landscape, parts);
        let change = finer.occupancies.iter().zip(&law.occupancies).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        law = finer;
        if change < SETTLED_MASS {
            break;
        }
    }
    law
}

/// The law with every panel of the table, and every part of one at a ridge, cut in `parts`.
fn on_panels(potential: &Potential, landscape: &Landscape, parts: usize) -> ItoLaw {
    let weight = |x: f64| potential.weight(x);
    let mut law = ItoLaw { occupancies: vec![0.0; landscape.minima.len()], other: 0.0, log_normalization: 0.0 };
    for (left, right, owner) in landscape.basins.intervals().unwrap_or_default() {
        let mut mass = 0.0;
        for panel in potential.edges.windows(2) {
            let (low, high) = (panel[0].max(left), panel[1].min(right));
            if low < high {
                let edge = |part: usize| low + (high - low) * part as f64 / parts as f64;
                mass += (0..parts).map(|part| gauss(&weight, edge(part), edge(part + 1))).sum::<f64>();
            }
        }
        match owner {
            Some(minimum) => law.occupancies[minimum] += mass,
            None => law.other += mass,
        }
    }
    let total = law.occupancies.iter().sum::<f64>() + law.other;
    law.occupancies.iter_mut().for_each(|mass| *mass /= total);
    law.other /= total;
    law.log_normalization = crate::math::ln(total);
    law
}

impl ItoLaw {
    /// P(x), for the potential that the law was made of; 0 beyond its range.
    pub fn density(&self, potential: &Potential, x: f64) -> f64 {
        let [low, high] = potential.range();
        if (low..=high).contains(&x) { potential.weight(x) * crate::math::exp(-self.log_normalization) } else { 0.0 }
    }
}
