//! The law of the Leimkuhler–Matthews chain on a line, by a transfer operator.
//!
//! θ_k itself is no Markov chain, since a normal is used in two steps; y_k = θ_k − √(2Tδ)ξ_k/2 is one, and given y_k θ_k is normal
//! around it with variance Tδ/2. The step is y′ = 2m(θ) − y with m(θ) = θ − (δ/2)L′(θ), so that
//! K(y′|y) = N(θ; y, Tδ/2)/(2m′(θ)) where m(θ) = (y + y′)/2. That needs m′ > 0: where L bends upwards by more than 2/δ, high up
//! the walls, the line is cut, and the law is given where next to nothing lies beyond.

use super::line::{DiscreteLaw, Kernel, require_exchange, settle};
use super::nodes::{MOST_NODES, Nodes, REACH, chain_of, reachable};
use super::ways::highest_pass;
use super::{Case, NoDiscreteLaw};
use crate::theory::gibbs::DECAY;
use crate::theory::quadrature;

/// m′ at which the line is cut.
const FLATTEST: f64 = 0.05;
/// Places of the table of m.
const PLACES: usize = 8_000;
/// So much may lie beyond the cuts, and this part of exp(−L/T) at the highest pass: what is thrown from there into another well is
/// then nothing beside what goes over the pass.
const MOST_BEYOND: f64 = 1e-6;
const PART_OF_THE_PASS: f64 = 1e-4;
/// A change of every log-odds by refinement below which they stand still.
const SETTLED: f64 = 1e-7;

/// The stationary law of θ.
///
/// # Errors
/// When there is none, or none that the operator can hold.
pub fn stationary(case: &Case<'_>) -> Result<DiscreteLaw, NoDiscreteLaw> {
    let chain = Chain::new(case)?;
    let (ends, stretch) = (chain.middle.ends(), |y: f64| chain.stretch(y));
    // Where slopes jump the kernel does so along a diagonal, which no panels could follow.
    case.require_no_jump()?;
    let levels = Nodes::refined(&ends, MOST_NODES, &stretch, &|_| false);
    settle(levels, |nodes| chain.on_nodes(nodes), SETTLED)
}

/// The chain of the y_k.
struct Chain<'a> {
    case: &'a Case<'a>,
    /// √(Tδ/2).
    spread: f64,
    middle: Middle,
}

impl<'a> Chain<'a> {
    fn new(case: &'a Case<'a>) -> Result<Self, NoDiscreteLaw> {
        let value = |x: f64| case.loss.value(&[x]);
        let [[low, high]] = *case.domain else { return Err(NoDiscreteLaw::NotConfined) };
        let lowest = case.landscape.minima[0].loss;
        let range = quadrature::support(&value, low, high, lowest, case.temperature, DECAY);
        let middle = Middle::of(case, range.ok_or(NoDiscreteLaw::NotConfined)?)?;
        Ok(Self { case, spread: (0.5 * case.temperature * case.step).sqrt(), middle })
    }

    /// 1/`stretch` is the length on which K(y′|y) varies, in y as in y′.
    fn stretch(&self, y: f64) -> f64 {
        let half = 0.5 / self.middle.slope_at(y);
        half.max((1.0 - half).abs()).max(0.5) / self.spread
    }

    /// N(θ; y, Tδ/2) of θ.
    fn around(&self, y: f64) -> Kernel {
        Kernel { target: y, spread: self.spread }
    }

    fn on_nodes(&self, nodes: &Nodes) -> Result<DiscreteLaw, NoDiscreteLaw> {
        let minima = &self.case.landscape.minima;
        let windows = self.windows(nodes);
        // What the chain never visits from a minimum has no part in its law.
        let home = nodes.points.partition_point(|&y| y < minima[0].theta[0]).min(nodes.points.len() - 1);
        let [first, last] = reachable(home, &|node| windows[node]);
        let nodes = nodes.part(first, last);
        if minima.iter().any(|minimum| !(nodes.points[0]..=nodes.points[last - first]).contains(&minimum.theta[0])) {
            return Err(NoDiscreteLaw::Disconnected);
        }
        let arrival = |from: usize, to: usize| {
            let (before, after) = (nodes.points[from], nodes.points[to]);
            let Some((theta, slope)) = self.middle.inverse(0.5 * (before + after)) else { return 0.0 };
            nodes.weights[to] * self.around(before).density(theta) * 0.5 * slope
        };
        let probabilities =
            chain_of(&self.windows(&nodes), arrival)?.stationary().ok_or(NoDiscreteLaw::Disconnected)?;
        require_exchange(&nodes, &probabilities, self.case.landscape)?;
        let kernels = nodes.points.iter().map(|&y| self.around(y)).collect();
        let mut law = DiscreteLaw {
            occupancies: vec![0.0; minima.len()],
            other: 0.0,
            known_to: f64::INFINITY,
            kernels,
            probabilities,
        };
        self.require_nothing_beyond(&law)?;
        for (left, right, owner) in self.case.landscape.basins.intervals().unwrap_or_default() {
            let mass = law.probability(left, right);
            match owner {
                Some(minimum) => law.occupancies[minimum] += mass,
                None => law.other += mass,
            }
        }
        if law.occupancies.iter().any(|p| !(*p > 0.0)) {
            return Err(NoDiscreteLaw::Disconnected);
        }
        Ok(law)
    }

    /// Where a step from every node can lead.
    fn windows(&self, nodes: &Nodes) -> Vec<[usize; 2]> {
        let [lowest, highest] = self.middle.ends();
        let window = |&y: &f64| {
            let end = |theta: f64| 2.0 * self.middle.at(theta.clamp(lowest, highest)) - y;
            nodes.between(end(y - REACH * self.spread), end(y + REACH * self.spread))
        };
        nodes.points.iter().map(window).collect()
    }

    fn require_nothing_beyond(&self, law: &DiscreteLaw) -> Result<(), NoDiscreteLaw> {
        let Case { landscape, temperature, .. } = *self.case;
        let [low, high] = self.middle.ends();
        let beyond = 1.0 - law.probability(low, high);
        let on_the_pass = crate::math::exp(-(highest_pass(landscape) - landscape.minima[0].loss) / temperature);
        // A difference of numbers near 1 is known to so much.
        let rounding = 1e-12;
        if beyond > (PART_OF_THE_PASS * on_the_pass).min(MOST_BEYOND) + rounding {
            return Err(NoDiscreteLaw::Folds);
        }
        Ok(())
    }
}

/// m(θ) = θ − (δ/2)L′(θ) where it rises, at equidistant places with its slope.
struct Middle {
    places: Vec<f64>,
    values: Vec<f64>,
    slopes: Vec<f64>,
}

impl Middle {
    /// On the part of `range` around the minima on which m rises.
    fn of(case: &Case<'_>, range: [f64; 2]) -> Result<Self, NoDiscreteLaw> {
        let slope = |x: f64| 1.0 - 0.5 * case.step * case.loss.hessian(&[x])[(0, 0)];
        let rises = |x: f64| slope(x) > FLATTEST;
        let minima = case.landscape.minima.iter().map(|minimum| minimum.theta[0]);
        let (first, last) = minima.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        let place = |from: f64, to: f64, i: usize| from + (to - from) * i as f64 / PLACES as f64;
        let reach = |from: f64, to: f64| {
            let falls = (0..=PLACES).find(|&i| !rises(place(from, to, i)));
            falls.map_or(to, |i| place(from, to, i.saturating_sub(1)))
        };
        let [low, high] = [reach(first, range[0]), reach(last, range[1])];
        let places: Vec<f64> = (0..=PLACES).map(|i| place(low, high, i)).collect();
        if !(low < high) || places.iter().any(|&x| !rises(x)) {
            return Err(NoDiscreteLaw::Folds);
        }
        let mut gradient = [0.0];
        let mut value = |&x: &f64| {
            case.loss.gradient(&[x], &mut gradient);
            x - 0.5 * case.step * gradient[0]
        };
        let values: Vec<f64> = places.iter().map(&mut value).collect();
        let slopes: Vec<f64> = places.iter().map(|&x| slope(x)).collect();
        // A jump of L′ downwards makes m rise by it; one upwards folds the line.
        if values.windows(2).any(|pair| !(pair[0] < pair[1])) {
            return Err(NoDiscreteLaw::Folds);
        }
        Ok(Self { places, values, slopes })
    }

    fn ends(&self) -> [f64; 2] {
        [self.places[0], self.places[PLACES]]
    }

    /// m(θ) between the places.
    fn at(&self, theta: f64) -> f64 {
        let i = cell(&self.places, theta);
        let part = (theta - self.places[i]) / (self.places[i + 1] - self.places[i]);
        self.values[i] + part * (self.values[i + 1] - self.values[i])
    }

    fn slope_at(&self, theta: f64) -> f64 {
        let i = cell(&self.places, theta);
        self.slopes[i].min(self.slopes[i + 1])
    }

    /// θ and dθ/dm at a value of m, by Hermite's cubic of θ in m; `None` beyond the ends.
    fn inverse(&self, middle: f64) -> Option<(f64, f64)> {
        if !(self.values[0]..=self.values[PLACES]).contains(&middle) {
            return None;
        }
        let i = cell(&self.values, middle);
        let width = self.values[i + 1] - self.values[i];
        let t = (middle - self.values[i]) / width;
        let (left, right) = (self.places[i], self.places[i + 1]);
        let [out, into] = [i, i + 1].map(|i| width / self.slopes[i]);
        // θ = left + t·out + t²(3r − 2out − into) + t³(out + into − 2r), r the rise.
        let rise = right - left;
        let (square, cube) = (3.0 * rise - 2.0 * out - into, out + into - 2.0 * rise);
        let theta = left + t * (out + t * (square + t * cube));
        let slope = (out + t * (2.0 * square + 3.0 * t * cube)) / width;
        Some((theta, slope.max(0.0)))
    }
}

/// The cell of ascending places that a place is in, or the nearest.
fn cell(places: &[f64], x: f64) -> usize {
    places.partition_point(|&place| place <= x).clamp(1, places.len() - 1) - 1
}
