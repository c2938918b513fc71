//! The law of the chain at its finite step δ: what SGD itself does, beyond its SDE.
//!
//! In 1-D, Euler–Maruyama (and SGD with Gaussian noise, δ = η) is a Markov chain with the transfer operator
//! K(x′|x) = N(x′; x − δL′(x), 2Tδ). Its stationary law is smooth on the scale of the kernel, so a uniform grid
//! represents it with errors that fall faster than any power of the spacing; the grid is halved until the occupancies
//! stand still. In more dimensions there is the first order in δ:
//! ln(p_A/p_B) changes by −(δ/4)(⟨ΔL⟩_A − ⟨ΔL⟩_B), Gibbs means within the basins.

use super::gibbs::{DECAY, Gibbs};
use super::markov_chain::BandedChain;
use super::{normalize_log_weights, quadrature};
use crate::landscape::Landscape;
use crate::loss::Loss;

/// The chain of a 1-D loss at temperature T with step δ.
pub struct Chain<'a> {
    loss: &'a dyn Loss,
    landscape: &'a Landscape,
    temperature: f64,
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
    /// Where the chain goes from each point of the grid in the mean, and the grid's probabilities.
    targets: Vec<f64>,
    probabilities: Vec<f64>,
    spread: f64,
}

/// Why the chain's law is not given.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NoDiscreteLaw {
    /// exp(−L/T) has no finite integral, or L does not rise enough.
    #[error("the loss does not rise enough around the domain for a stationary law")]
    NotConfined,
    /// The chain runs away.
    #[error(
        "the chain leaves the range of the loss with probability {0:.1e} a step: at this step it has no stationary law"
    )]
    Escapes(f64),
    /// The grid that the step asks for is too large, or its refinement did not settle.
    #[error("the transfer operator needs more than {0} grid points at this step and temperature")]
    TooFine(usize),
    /// The wells exchange no mass within the reach of the numbers.
    #[error("the wells exchange too little mass for double precision at this temperature")]
    Disconnected,
}

/// The largest grid, and the largest number of entries of a banded matrix.
const MOST_STATES: usize = 8_192;
const MOST_ENTRIES: usize = 20_000_000;
/// Kernels are cut beyond this many of their standard deviations (probability 1e−23).
const REACH: f64 = 10.0;

impl<'a> Chain<'a> {
    /// The chain, on a range beyond which its stationary law is nothing.
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
        let sharpest = landscape.minima.iter().map(|minimum| minimum.eigenvalues[0]).fold(0.0, f64::max);
        // In a bowl the chain's variance is T/(h(1 − δh/2)): the nearer to instability, the wider the range.
        let widening = 1.0 - 0.5 * step * sharpest;
        if !(widening > 0.0) {
            return Err(NoDiscreteLaw::NotConfined);
        }
        let value = |x: f64| loss.value(&[x]);
        let lowest = landscape.minima[0].loss;
        let range = quadrature::support(&value, domain[0], domain[1], lowest, temperature, DECAY / widening)
            .ok_or(NoDiscreteLaw::NotConfined)?;
        Ok(Self { loss, landscape, temperature, step, range })
    }

    /// Standard deviation of one step's noise, √(2Tδ).
    fn spread(&self) -> f64 {
        (2.0 * self.temperature * self.step).sqrt()
    }

    /// Where one step leads in the mean.
    fn target(&self, x: f64) -> f64 {
        let mut gradient = [0.0];
        self.loss.gradient(&[x], &mut gradient);
        let target = x - self.step * gradient[0];
        if target.is_finite() { target } else { x }
    }

    /// The stationary law.
    ///
    /// # Errors
    /// When there is none, or none that the grid can hold.
    pub fn stationary(&self) -> Result<DiscreteLaw, NoDiscreteLaw> {
        let mut states = ((self.range[1] - self.range[0]) / (0.5 * self.spread())) as usize + 65;
        let mut before: Option<DiscreteLaw> = None;
        while states <= MOST_STATES {
            let law = self.on_grid(states)?;
            if let Some(before) = &before {
                let change = law.occupancies.iter().zip(&before.occupancies).map(|(a, b)| (a - b).abs());
                if change.fold(0.0, f64::max) < 1e-9 {
                    return Ok(law);
                }
            }
            before = Some(law);
            states = 2 * states - 1;
        }
        Err(NoDiscreteLaw::TooFine(MOST_STATES))
    }

    fn on_grid(&self, states: usize) -> Result<DiscreteLaw, NoDiscreteLaw> {
        let [low, high] = self.range;
        let spacing = (high - low) / (states - 1) as f64;
        let spread = self.spread();
        let place = |state: usize| low + spacing * state as f64;
        let window = |target: f64| {
            let at = |x: f64| ((x - low) / spacing).clamp(0.0, (states - 1) as f64);
            [at(target - REACH * spread).ceil() as usize, at(target + REACH * spread) as usize]
        };
        // What the chain never visits from a minimum has no part in its law (steep walls throw it back from afar).
        let home = ((self.landscape.minima[0].theta[0] - low) / spacing) as usize;
        let [first_state, last_state] = self.reachable(home, &|state| window(self.target(place(state))));
        let targets: Vec<f64> = (first_state..=last_state).map(|state| self.target(place(state))).collect();
        let window = |target: f64| window(target).map(|state| state.clamp(first_state, last_state) - first_state);
        let mut chain = banded(&targets, window)?;
        let scale = spacing / (spread * (2.0 * std::f64::consts::PI).sqrt());
        for (from, &target) in targets.iter().enumerate() {
            let [first, last] = window(target);
            for to in first..=last {
                let deviation = (place(first_state + to) - target) / spread;
                chain.add(from, to, scale * crate::math::exp(-0.5 * deviation * deviation));
            }
        }
        let [low, high] = [place(first_state), place(last_state)];
        if self.landscape.minima.iter().any(|minimum| !(low..=high).contains(&minimum.theta[0])) {
            return Err(NoDiscreteLaw::Disconnected);
        }
        let probabilities = chain.stationary().ok_or(NoDiscreteLaw::Disconnected)?;
        let mut law = DiscreteLaw {
            occupancies: vec![0.0; self.landscape.minima.len()],
            other: 0.0,
            targets,
            probabilities,
            spread,
        };
        let inside = law.probability(low - 0.5 * spacing, high + 0.5 * spacing);
        if 1.0 - inside > 1e-6 {
            return Err(NoDiscreteLaw::Escapes(1.0 - inside));
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

    /// The smallest interval of states that holds `home` and, with a state, everything in its window.
    fn reachable(&self, home: usize, window: &dyn Fn(usize) -> [usize; 2]) -> [usize; 2] {
        let ([mut first, mut last], mut pending) = ([home, home], vec![home]);
        while let Some(state) = pending.pop() {
            let [low, high] = window(state);
            pending.extend(low..first);
            pending.extend(last + 1..=high);
            (first, last) = (first.min(low), last.max(high));
        }
        [first, last]
    }

    /// Mean first-passage time of the chain from `from` to beyond `to`, in SDE time: δ times the mean number of steps,
    /// from (I − K)τ = δ on the complement of the target. `None` where the grid cannot hold it.
    pub fn mean_passage_time(&self, from: f64, to: f64) -> Option<f64> {
        // A passage downwards is one upwards in the mirror.
        let sign = if to > from { 1.0 } else { -1.0 };
        let low = if sign > 0.0 { self.range[0] } else { -self.range[1] };
        let high = sign * to;
        let target = |x: f64| sign * self.target(sign * x);
        let mut panels = ((high - low) / self.spread()) as usize + 16;
        let mut before: Option<f64> = None;
        while panels * 5 <= MOST_STATES {
            let time = self.passage_on_grid(&target, low, high, sign * from, panels)?;
            if before.is_some_and(|before| (time / before - 1.0).abs() < 1e-7) {
                return Some(time);
            }
            before = Some(time);
            panels *= 2;
        }
        None
    }

    fn passage_on_grid(
        &self,
        target: &dyn Fn(f64) -> f64,
        low: f64,
        high: f64,
        from: f64,
        panels: usize,
    ) -> Option<f64> {
        let spread = self.spread();
        let half = 0.5 * (high - low) / panels as f64;
        // The density of arrivals is cut at the target, so a uniform grid would be crude: panels of Gauss points.
        let (nodes, weights): (Vec<f64>, Vec<f64>) = (0..panels)
            .flat_map(|panel| {
                let center = low + half * (2 * panel + 1) as f64;
                quadrature::GAUSS_5.map(|(node, weight)| (center + half * node, half * weight))
            })
            .unzip();
        let window = |target: f64| {
            [
                nodes.partition_point(|&x| x < target - REACH * spread),
                nodes.partition_point(|&x| x <= target + REACH * spread).saturating_sub(1),
            ]
        };
        let targets: Vec<f64> = nodes.iter().map(|&x| target(x)).collect();
        let mut chain = banded(&targets, window).ok()?;
        let density = |x: f64, target: f64| {
            let deviation = (x - target) / spread;
            crate::math::exp(-0.5 * deviation * deviation) / (spread * (2.0 * std::f64::consts::PI).sqrt())
        };
        for (i, &target) in targets.iter().enumerate() {
            let [first, last] = window(target);
            for j in first..=last {
                chain.add(i, j, weights[j] * density(nodes[j], target));
            }
            chain.set_exit(i, normal_cdf((target - high) / spread));
        }
        let times = chain.mean_exit_times(self.step)?;
        let target = target(from);
        let [first, last] = window(target);
        let onward: f64 = (first..=last).map(|j| weights[j] * density(nodes[j], target) * times[j]).sum();
        Some(self.step + onward)
    }
}

/// An empty chain whose band holds every window of every state.
fn banded(targets: &[f64], window: impl Fn(f64) -> [usize; 2]) -> Result<BandedChain, NoDiscreteLaw> {
    let states = targets.len();
    let reach = |(state, &target): (usize, &f64)| {
        let [first, last] = window(target);
        state.abs_diff(first).max(state.abs_diff(last))
    };
    let band = targets.iter().enumerate().map(reach).max().unwrap_or(1);
    if states * (2 * band + 1) > MOST_ENTRIES {
        return Err(NoDiscreteLaw::TooFine(MOST_STATES));
    }
    Ok(BandedChain::new(states, band))
}

impl DiscreteLaw {
    /// Stationary probability of an interval: one exact step from the grid.
    fn probability(&self, left: f64, right: f64) -> f64 {
        let reach = |target: f64| {
            let above = normal_cdf((target - left) / self.spread);
            let beyond = normal_cdf((target - right) / self.spread);
            above - beyond
        };
        self.targets.iter().zip(&self.probabilities).map(|(&target, p)| p * reach(target)).sum()
    }

    /// Stationary density at a point.
    pub fn density(&self, x: f64) -> f64 {
        let scale = 1.0 / (self.spread * (2.0 * std::f64::consts::PI).sqrt());
        let kernel = |target: f64| {
            let deviation = (x - target) / self.spread;
            crate::math::exp(-0.5 * deviation * deviation) * scale
        };
        self.targets.iter().zip(&self.probabilities).map(|(&target, p)| p * kernel(target)).sum()
    }
}

/// Φ(z).
fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

/// The largest δ‖∇²L‖ at a minimum or saddle up to which the first order in δ is given.
pub const FIRST_ORDER_LIMIT: f64 = 0.1;

/// Occupancies to first order in δ, for constant isotropic Gaussian noise in any dimension; `None` where
/// δ‖∇²L‖ > 0.1 at a minimum or saddle, since the second order feels the barriers as δ²/T.
pub fn first_order(gibbs: &Gibbs, landscape: &Landscape, step: f64) -> Option<Vec<f64>> {
    if step * landscape.largest_curvature() > FIRST_ORDER_LIMIT {
        return None;
    }
    let log_weights: Vec<f64> = gibbs
        .occupancies
        .iter()
        .zip(&gibbs.mean_laplacian)
        .map(|(&mass, laplacian)| crate::math::ln(mass) - 0.25 * step * laplacian)
        .collect();
    let inside = 1.0 - gibbs.other;
    Some(normalize_log_weights(&log_weights).into_iter().map(|p| p * inside).collect())
}
