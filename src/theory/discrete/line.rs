//! The law of a chain on a line.
//!
//! Its transfer operator is K(x′|x) = N(x′; x − δL′(x), 2D(x)δ), D = nσ(x)²/2, which is T where σ is constant. It is discretised on
//! panels of Gauss points (Nyström's method), narrow where the map x − δL′ stretches, as on a sharp barrier, and where it jumps or bends, as at a
//! kink of the loss; the panels are refined until the occupancies stand still.

use super::NoDiscreteLaw;
use super::bounds::Bounds;
use super::nodes::{MOST_NODES, Nodes, Panel, off_the_nodes, reachable};
use crate::landscape::{CriticalPoint, Landscape};
use crate::loss::Loss;
use crate::theory::extent::Line;
use crate::theory::gibbs::DECAY;
use crate::theory::ito::{NoItoLaw, Potential};
use crate::theory::normal_cdf;
use crate::theory::quadrature;

/// The chain of a 1-D loss with step δ, at a temperature T or with noise that depends on θ.
pub struct Chain<'a> {
    loss: &'a dyn Loss,
    landscape: &'a Landscape,
    /// D(x) = nσ²/2.
    diffusion: Box<dyn Fn(f64) -> f64 + Sync + 'a>,
    step: f64,
    range: [f64; 2],
}

/// The stationary law of a 1-D chain.
#[derive(Clone, Debug)]
pub struct DiscreteLaw {
    /// Mass of every minimum's basin, in their order.
    pub occupancies: Vec<f64>,
    /// Mass of what lies in no basin.
    pub other: f64,
    /// By how much the occupancies moved, relatively, as the nodes were last refined: what they are known to.
    pub(super) known_to: f64,
    /// The law of θ from each node (after a step, or at it where the nodes are not of θ), and the nodes' probabilities.
    pub(super) kernels: Vec<Kernel>,
    pub(super) probabilities: Vec<f64>,
}

/// Where θ is from some place: N(target, spread²).
#[derive(Clone, Copy, Debug)]
pub(super) struct Kernel {
    /// x − δL′.
    pub target: f64,
    /// √(2Dδ).
    pub spread: f64,
}

/// So many nodes more for every further passage time.
const MORE_NODES: usize = 2_000;
/// A relative change of the occupancies by refinement below which they stand still, and one that is still good enough, with a bound, where the next
/// refinement would cost too much.
const SETTLED: f64 = 1e-8;
const GOOD_ENOUGH: f64 = 1e-4;
/// The same of a passage time, which is shown without a bound.
const GOOD_ENOUGH_TIME: f64 = 1e-5;
/// Of occupancies below this, changes are compared with it.
const LEAST: f64 = 1e-12;
/// What a refinement moved is at least half of what the next ones would.
const FURTHER: f64 = 2.0;
/// To this part of a step's noise a parabola of fourth degree has to be the mean step on a panel, and the noise, unless the panel is this narrow
/// beside the noise.
const RESOLVED: f64 = 1e-7;
const NARROWEST: f64 = 1e-8;

impl<'a> Chain<'a> {
    /// The chain at temperature T, on a range beyond which its stationary law is nothing.
    ///
    /// # Errors
    /// When the loss does not confine it.
    pub fn new(
        loss: &'a dyn Loss,
        landscape: &'a Landscape,
        domain: [f64; 2],
        temperature: f64,
        step: f64,
    ) -> Result<Self, NoDiscreteLaw> {
        let value = |x: f64| loss.value(&[x]);
        let lowest = landscape.minima[0].loss;
        // In a bowl the chain's variance is T/(h(1 − δh/2)): the nearer the outermost well is to instability, the wider
        // the range on its side.
        let side = |outermost: Option<&CriticalPoint>, end: usize| {
            let curvature = outermost.map_or(0.0, |minimum| minimum.eigenvalues[0].max(0.0));
            let widening = 1.0 - 0.5 * step * curvature;
            if !(widening > 0.0) {
                return Err(NoDiscreteLaw::NotConfined);
            }
            let range = quadrature::support(&value, domain[0], domain[1], lowest, temperature, DECAY / widening);
            // A heavy tail is confined, but no grid reaches to its end.
            range.map(|range| range[end]).ok_or_else(|| {
                let has_tail = Line { value: &value, lowest, temperature }.is_confined(domain);
                if has_tail { NoDiscreteLaw::TooFine(MOST_NODES) } else { NoDiscreteLaw::NotConfined }
            })
        };
        let by_place = |a: &&CriticalPoint, b: &&CriticalPoint| a.theta[0].total_cmp(&b.theta[0]);
        let low = side(landscape.minima.iter().min_by(by_place), 0)?;
        let high = side(landscape.minima.iter().max_by(by_place), 1)?;
        let diffusion = Box::new(move |_: f64| temperature);
        let mut chain = Self { loss, landscape, diffusion, step, range: [low, high] };
        chain.cut_to_trapping_range();
        Ok(chain)
    }

    /// The chain whose noise depends on θ: `diffusion` is D(x) = nσ(x)²/2.
    ///
    /// # Errors
    /// When the Itô equation that it steps along is not confined.
    pub fn with_diffusion(
        loss: &'a dyn Loss,
        landscape: &'a Landscape,
        domain: [f64; 2],
        diffusion: &'a (dyn Fn(f64) -> f64 + Sync),
        step: f64,
    ) -> Result<Self, NoDiscreteLaw> {
        let curvatures = landscape.minima.iter().map(|minimum| minimum.eigenvalues[0]);
        // As for a temperature: the nearer a well is to instability, the wider the range.
        let widening = 1.0 - 0.5 * step * curvatures.fold(0.0, f64::max);
        if !(widening > 0.0) {
            return Err(NoDiscreteLaw::NotConfined);
        }
        let range = match Potential::down_to(loss, diffusion, domain, &landscape.places_on_a_line(), DECAY / widening) {
            Ok(potential) => potential.range(),
            Err(NoItoLaw::HeavyTail) => return Err(NoDiscreteLaw::TooFine(MOST_NODES)),
            Err(_) => return Err(NoDiscreteLaw::NotConfined),
        };
        let mut chain = Self { loss, landscape, diffusion: Box::new(diffusion), step, range };
        chain.cut_to_trapping_range();
        Ok(chain)
    }

    /// Shrinks the range to one that a step without noise does not leave. Where L grows faster than quadratically the
    /// mean step throws ever farther beyond some |x| (√(2/δ + 1) for the quartic); what gets there is lost to infinity,
    /// and the law is that of what stays.
    fn cut_to_trapping_range(&mut self) {
        const SCAN: usize = 4_000;
        let places = self.landscape.minima.iter().map(|minimum| minimum.theta[0]);
        let (first, last) = places.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        for _ in 0..200 {
            let [low, high] = self.range;
            // From the outermost minimum outwards, as far as every step leads back into the range.
            let reach = |from: f64, to: f64| {
                let place = |i: usize| from + (to - from) * i as f64 / SCAN as f64;
                let leaves = |&i: &usize| !(low..=high).contains(&self.target(place(i)));
                (0..=SCAN).find(leaves).map_or(to, |i| place(i.saturating_sub(1)))
            };
            let range = [reach(first, low), reach(last, high)];
            if range == self.range {
                return;
            }
            self.range = range;
        }
    }

    /// Standard deviation of one step's noise, √(2Dδ).
    fn spread(&self, x: f64) -> f64 {
        (2.0 * (self.diffusion)(x) * self.step).sqrt()
    }

    fn kernel(&self, x: f64) -> Kernel {
        Kernel { target: self.target(x), spread: self.spread(x) }
    }

    /// Where one step leads in the mean.
    fn target(&self, x: f64) -> f64 {
        let mut gradient = [0.0];
        self.loss.gradient(&[x], &mut gradient);
        let target = x - self.step * gradient[0];
        if target.is_finite() { target } else { x }
    }

    /// By how much the mean step stretches lengths, at least 1, in units of the noise: 1/`stretch` is the length on
    /// which the kernel varies.
    fn stretch(&self, x: f64) -> f64 {
        let slope = (1.0 - self.step * self.loss.hessian(&[x])[(0, 0)]).abs();
        (if slope.is_finite() { slope.max(1.0) } else { 1.0 }) / self.spread(x)
    }

    /// The stationary law.
    ///
    /// # Errors
    /// When there is none, or none that the grid can hold.
    pub fn stationary(&self) -> Result<DiscreteLaw, NoDiscreteLaw> {
        let (stretch, is_coarse) = (|x: f64| self.stretch(x), |panel: Panel| self.is_coarse(panel));
        let levels = Nodes::refined(&self.range, MOST_NODES, &stretch, &is_coarse);
        settle(levels, |nodes| self.on_nodes(nodes), SETTLED)
    }

    /// Whether mean step and noise are not what their values at a panel's nodes say of them near its ends: there is a kink, or something narrow.
    fn is_coarse(&self, panel: Panel) -> bool {
        let noise = self.spread(0.5 * (panel[0] + panel[1]));
        let off = |function: &dyn Fn(f64) -> f64| !(off_the_nodes(function, panel) <= RESOLVED * noise);
        panel[1] - panel[0] > NARROWEST * noise && (off(&|x| self.target(x)) || off(&|x| self.spread(x)))
    }

    fn on_nodes(&self, nodes: &Nodes) -> Result<DiscreteLaw, NoDiscreteLaw> {
        let kernels: Vec<Kernel> = nodes.points.iter().map(|&x| self.kernel(x)).collect();
        // What the chain never visits from a minimum has no part in its law (steep walls throw it back from afar).
        let home = nodes.points.partition_point(|&x| x < self.landscape.minima[0].theta[0]);
        let [first, last] = reachable(home, &|node| nodes.window(kernels[node]));
        let nodes = nodes.part(first, last);
        let kernels = kernels[first..=last].to_vec();
        let [low, high] = [nodes.points[0], nodes.points[last - first]];
        if self.landscape.minima.iter().any(|minimum| !(low..=high).contains(&minimum.theta[0])) {
            return Err(NoDiscreteLaw::Disconnected);
        }
        let probabilities = nodes.chain(&kernels)?.stationary().ok_or(NoDiscreteLaw::Disconnected)?;
        require_exchange(&nodes, &probabilities, self.landscape)?;
        let occupancies = vec![0.0; self.landscape.minima.len()];
        let mut law = DiscreteLaw { occupancies, other: 0.0, known_to: f64::INFINITY, kernels, probabilities };
        let outside = 1.0 - law.probability(self.range[0], self.range[1]);
        if outside > 1e-6 {
            return Err(NoDiscreteLaw::Escapes(outside));
        }
        for (left, right, owner) in self.landscape.basins.intervals().unwrap_or_default() {
            let mass = law.probability(left, right);
            match owner {
                Some(minimum) => law.occupancies[minimum] += mass,
                None => law.other += mass,
            }
        }
        Ok(law)
    }

    /// Mean first-passage time of the chain from `from` to beyond `to`, in SDE time: δ times the mean number of steps,
    /// from (I − K)τ = δ on the complement of the target. `None` where the grid cannot hold it.
    pub fn mean_passage_time(&self, from: f64, to: f64) -> Option<f64> {
        let sign = if to > from { 1.0 } else { -1.0 };
        self.upward_passage_times(sign, &[sign * from, sign * to])[0]
    }

    /// The same between all neighbours of some ascending places, up and down, for the work of two eliminations on each grid.
    pub fn mean_passage_times(&self, places: &[f64]) -> Vec<[Option<f64>; 2]> {
        let mirrored: Vec<f64> = places.iter().rev().map(|x| -x).collect();
        let (up, down) =
            rayon::join(|| self.upward_passage_times(1.0, places), || self.upward_passage_times(-1.0, &mirrored));
        up.into_iter().zip(down.into_iter().rev()).map(|(up, down)| [up, down]).collect()
    }

    /// Between neighbours of ascending places on the line, or (`sign` = −1) in its mirror, where a passage downwards is one upwards. The
    /// grid is refined until each of the times has stood still.
    fn upward_passage_times(&self, sign: f64, places: &[f64]) -> Vec<Option<f64>> {
        let low = if sign > 0.0 { self.range[0] } else { -self.range[1] };
        let kernel = |x: f64| {
            let Kernel { target, spread } = self.kernel(sign * x);
            Kernel { target: sign * target, spread }
        };
        let mut known = vec![(None::<f64>, f64::INFINITY); places.len().saturating_sub(1)];
        if known.is_empty() {
            return Vec::new();
        }
        let edges: Vec<f64> = std::iter::once(low).chain(places[1..].iter().copied()).collect();
        // Many passages need more nodes than one; what that costs is bounded elsewhere.
        let most = MOST_NODES + MORE_NODES * (known.len() - 1);
        let is_coarse = |[left, right]: Panel| {
            let [a, b] = [sign * left, sign * right];
            self.is_coarse([a.min(b), a.max(b)])
        };
        for nodes in Nodes::refined(&edges, most, &|x| self.stretch(sign * x), &is_coarse) {
            let Some(times) = self.passages_on_nodes(&nodes, &kernel, places) else { break };
            for ((before, change), time) in known.iter_mut().zip(times).filter(|((_, change), _)| *change >= SETTLED) {
                *change = time.zip(*before).map_or(f64::INFINITY, |(time, before)| (time / before - 1.0).abs());
                *before = time;
            }
            if known.iter().all(|(_, change)| *change < SETTLED) {
                break;
            }
        }
        known.into_iter().map(|(time, change)| time.filter(|_| change < GOOD_ENOUGH_TIME)).collect()
    }

    /// From every place to beyond the next, on nodes of which the targets are edges; `None` where the grid is too large.
    fn passages_on_nodes(
        &self,
        nodes: &Nodes,
        kernel: &dyn Fn(f64) -> Kernel,
        places: &[f64],
    ) -> Option<Vec<Option<f64>>> {
        let kernels: Vec<Kernel> = nodes.points.iter().map(|&x| kernel(x)).collect();
        let mut chain = nodes.chain(&kernels).ok()?;
        let last = *places.last()?;
        for (node, kernel) in kernels.iter().enumerate() {
            chain.set_exit(node, kernel.beyond(last));
        }
        let ascent = chain.ascend(self.step);
        let passage = |pair: &[f64]| {
            let kernel = kernel(pair[0]);
            let target = nodes.points.partition_point(|&x| x < pair[1]);
            let [first, last] = nodes.window(kernel);
            let times = ascent.times(first.min(target), target)?;
            let arrivals = (first..=last).zip(&times).map(|(node, time)| nodes.arrival(node, kernel) * time);
            Some(self.step + arrivals.sum::<f64>())
        };
        Some(places.windows(2).map(passage).collect())
    }
}

impl Kernel {
    /// Probability of arriving beyond `to`.
    pub(super) fn beyond(self, to: f64) -> f64 {
        normal_cdf((self.target - to) / self.spread)
    }

    /// Probability of arriving below `x`.
    fn below(&self, x: f64) -> f64 {
        match (x - self.target) / self.spread {
            // Beyond ten standard deviations nothing is left to compute.
            z if z > 10.0 => 1.0,
            z if z < -10.0 => 0.0,
            z => normal_cdf(z),
        }
    }

    /// Density of arriving at x.
    pub(super) fn density(self, x: f64) -> f64 {
        normal_density((x - self.target) / self.spread) / self.spread
    }
}

/// Between the outermost minima no node has so little that its digits are lost: the masses of two wells are known by what goes from one to the other.
pub(super) fn require_exchange(
    nodes: &Nodes,
    probabilities: &[f64],
    landscape: &Landscape,
) -> Result<(), NoDiscreteLaw> {
    const LEAST: f64 = 1e-280;
    let places = landscape.minima.iter().map(|minimum| minimum.theta[0]);
    let (first, last) = places.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
    let mut of_nodes = nodes.points.iter().zip(nodes.weights.iter().zip(probabilities));
    let is_lost = of_nodes.any(|(x, (weight, p))| (first..=last).contains(x) && !(*p > LEAST * weight));
    if is_lost { Err(NoDiscreteLaw::Disconnected) } else { Ok(()) }
}

/// The law on finer and finer nodes until no occupancy changes by as much as `settled` of itself; where they end before that, the last law if its change
/// was small enough.
pub(super) fn settle(
    levels: impl IntoIterator<Item = Nodes>,
    on_nodes: impl Fn(&Nodes) -> Result<DiscreteLaw, NoDiscreteLaw>,
    settled: f64,
) -> Result<DiscreteLaw, NoDiscreteLaw> {
    let mut before: Option<DiscreteLaw> = None;
    let mut last_change = f64::INFINITY;
    for nodes in levels {
        let law = match on_nodes(&nodes) {
            Err(NoDiscreteLaw::TooFine(_)) => break,
            law => law?,
        };
        if let Some(before) = &before {
            let changes =
                law.occupancies.iter().zip(&before.occupancies).map(|(&a, &b)| (a - b).abs() / a.max(b).max(LEAST));
            last_change = changes.fold(0.0, f64::max);
            if last_change < settled {
                return Ok(DiscreteLaw { known_to: last_change, ..law });
            }
        }
        before = Some(law);
    }
    match before {
        None => Err(NoDiscreteLaw::TooFine(MOST_NODES)),
        Some(law) if last_change < GOOD_ENOUGH => Ok(DiscreteLaw { known_to: last_change, ..law }),
        Some(_) => Err(NoDiscreteLaw::Unsettled),
    }
}

impl DiscreteLaw {
    /// By how much log-odds may be off where the nodes could not be refined until the occupancies stood still.
    pub fn bounds(&self) -> Bounds {
        let known_to = if self.known_to < SETTLED { 0.0 } else { self.log_odds_known_to() };
        Bounds::of_pairs(self.occupancies.len(), |_, _| known_to)
    }

    /// What log-odds are known to.
    pub(super) fn log_odds_known_to(&self) -> f64 {
        2.0 * FURTHER * self.known_to
    }

    /// Stationary probability of an interval: one exact step from the nodes.
    pub(super) fn probability(&self, left: f64, right: f64) -> f64 {
        let nodes = self.kernels.iter().zip(&self.probabilities);
        nodes.map(|(kernel, p)| p * (kernel.beyond(left) - kernel.beyond(right))).sum()
    }

    /// Stationary probability of what lies below a point.
    pub fn below(&self, x: f64) -> f64 {
        self.kernels.iter().zip(&self.probabilities).map(|(kernel, p)| p * kernel.below(x)).sum()
    }

    /// Stationary density at a point.
    pub fn density(&self, x: f64) -> f64 {
        self.kernels.iter().zip(&self.probabilities).map(|(kernel, p)| p * kernel.density(x)).sum()
    }
}

/// φ(z).
fn normal_density(z: f64) -> f64 {
    crate::math::exp(-0.5 * z * z) / (2.0 * std::f64::consts::PI).sqrt()
}
