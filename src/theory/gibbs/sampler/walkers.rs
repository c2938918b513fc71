//! A block of tempering ensembles: one walker per temperature in each, [`LANES`] ensembles side by side.
//!
//! Every move leaves exp(−L/T) at its temperature (or the product over all of them) unchanged, by the rule of Metropolis and
//! Hastings, whatever its step: a bad step costs time, never truth.
//!
//! - **Langevin** (MALA; Roberts & Tweedie 1996), at every temperature: θ′ = θ − h AAᵀ∇L + √(2Th) A ξ with AAᵀ = H̄⁻¹, the
//!   inverse of the mean Hessian of the minima, so that h is about 1 whatever the units;
//! - **exchange** of neighbouring temperatures (Geyer 1991): accepted with probability min(1, exp((1/T − 1/T′)(L − L′)));
//! - **jump** between the wells at the case's own temperature ([`super::jumps`]).

use nalgebra::DMatrix;

use super::jumps::{Mixture, bowl, upper_inverse, upper_root};
use crate::instructions::vectorized;
use crate::landscape::Landscape;
use crate::loss::{LANES, Loss};
use crate::math;
use crate::random::increments::IncrementBlock;
use crate::random::{Purpose, stream::Stream};

/// The moves, shared by all ensembles; nothing in it changes while they walk.
pub(super) struct Moves<'a> {
    pub(super) loss: &'a dyn Loss,
    pub(super) landscape: &'a Landscape,
    /// Rising; the first is the case's own.
    pub(super) temperatures: Vec<f64>,
    /// h at every temperature.
    pub(super) steps: Vec<f64>,
    /// Between two draws.
    pub(super) sweeps_per_draw: u64,
    /// A, upper triangular.
    factor: DMatrix<f64>,
    mixture: Mixture,
}

impl<'a> Moves<'a> {
    pub(super) fn new(loss: &'a dyn Loss, landscape: &'a Landscape, temperatures: Vec<f64>) -> Self {
        let minima = landscape.images(loss);
        let d = loss.dimension();
        let sum = minima.iter().fold(DMatrix::zeros(d, d), |sum, minimum| sum + bowl(minimum, temperatures[0]));
        let factor = upper_inverse(&upper_root(&(sum / minima.len() as f64)));
        let mixture = Mixture::new(&minima, temperatures[0]);
        // MALA's step falls as d^(−1/3) (Roberts & Rosenthal 1998); the pilot finds the factor.
        let steps = vec![1.0 / libm::cbrt(d as f64); temperatures.len()];
        Self { loss, landscape, temperatures, steps, sweeps_per_draw: super::SWEEPS_PER_DRAW, factor, mixture }
    }
}

/// How often moves were tried and accepted.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) tried: u64,
    pub(super) accepted: u64,
}

impl Tally {
    fn count(&mut self, accepted: bool) {
        self.tried += 1;
        self.accepted += u64::from(accepted);
    }

    pub(super) fn add(&mut self, other: &Tally) {
        self.tried += other.tried;
        self.accepted += other.accepted;
    }

    /// The accepted part; 0 where nothing was tried.
    pub(super) fn rate(&self) -> f64 {
        self.accepted as f64 / self.tried.max(1) as f64
    }
}

/// The walkers of one temperature.
struct Level {
    /// θ, coordinate by coordinate.
    theta: Vec<f64>,
    value: [f64; LANES],
    /// Aᵀ∇L, same layout as θ.
    pull: Vec<f64>,
}

/// Ensembles `first` … `first + LANES − 1`.
pub(super) struct Walkers {
    levels: Vec<Level>,
    /// Where the moves lead, before they are accepted.
    proposal: Level,
    noise: Vec<f64>,
    gradient: Vec<f64>,
    scratch: Vec<f64>,
    normals: IncrementBlock,
    choices: Vec<Stream>,
    sweeps: u64,
    /// Langevin moves by temperature, exchanges by the colder of the two, jumps.
    pub(super) langevin: Vec<Tally>,
    pub(super) exchanges: Vec<Tally>,
    pub(super) jumps: Tally,
}

impl Walkers {
    /// All walkers of ensemble e at minimum e mod (number of minima).
    pub(super) fn new(moves: &Moves, seed: u64, first: u64) -> Self {
        let (d, minima, count) = (moves.loss.dimension(), &moves.landscape.minima, moves.temperatures.len());
        let level = || Level { theta: vec![0.0; d * LANES], value: [0.0; LANES], pull: vec![0.0; d * LANES] };
        let choice = |lane: usize| Stream::new(seed, first + lane as u64, Purpose::SamplerChoice);
        let mut walkers = Self {
            levels: Vec::with_capacity(count),
            proposal: level(),
            noise: vec![0.0; d * LANES],
            gradient: vec![0.0; d * LANES],
            scratch: vec![0.0; moves.loss.block_scratch()],
            normals: IncrementBlock::for_purpose(seed, first, Purpose::Sampler),
            choices: (0..LANES).map(choice).collect(),
            sweeps: 0,
            langevin: vec![Tally::default(); count],
            exchanges: vec![Tally::default(); count - 1],
            jumps: Tally::default(),
        };
        for _ in 0..count {
            for lane in 0..LANES {
                let start = &minima[((first + lane as u64) % minima.len() as u64) as usize].theta;
                (0..d).for_each(|i| walkers.proposal.theta[i * LANES + lane] = start[i]);
            }
            walkers.look(moves);
            let placed = std::mem::replace(&mut walkers.proposal, level());
            walkers.levels.push(placed);
        }
        walkers
    }

    pub(super) fn forget_tallies(&mut self) {
        self.langevin.iter_mut().chain(&mut self.exchanges).for_each(|tally| *tally = Tally::default());
        self.jumps = Tally::default();
    }

    /// Some Langevin moves and exchanges at all temperatures, and one jump at the lowest.
    pub(super) fn advance(&mut self, moves: &Moves, sweeps: u64) {
        for _ in 0..sweeps {
            for level in 0..self.levels.len() {
                self.langevin(moves, level);
            }
            self.exchange(moves);
        }
        self.jump(moves);
    }

    /// θ of one ensemble at the case's own temperature.
    pub(super) fn position(&self, lane: usize, theta: &mut [f64]) {
        theta.iter_mut().zip(self.levels[0].theta.chunks_exact(LANES)).for_each(|(x, row)| *x = row[lane]);
    }

    /// Value and pull at the proposed places.
    fn look(&mut self, moves: &Moves) {
        let Self { proposal: Level { theta, value, pull }, gradient, scratch, .. } = self;
        moves.loss.value_block(theta, value, scratch);
        moves.loss.gradient_block(theta, gradient, scratch);
        // Aᵀ∇L: A is upper triangular.
        vectorized(
            #[inline(always)]
            || {
                let gradient = gradient.as_chunks::<LANES>().0;
                for (j, row) in pull.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
                    row.fill(0.0);
                    for (i, slope) in gradient[..=j].iter().enumerate() {
                        let factor = moves.factor[(i, j)];
                        for lane in 0..LANES {
                            row[lane] += factor * slope[lane];
                        }
                    }
                }
            },
        );
    }

    fn langevin(&mut self, moves: &Moves, index: usize) {
        let (step, temperature) = (moves.steps[index], moves.temperatures[index]);
        let spread = (2.0 * temperature * step).sqrt();
        self.normals.fill(&mut self.noise);
        let Self { levels, proposal, noise, .. } = self;
        let level = &levels[index];
        vectorized(
            #[inline(always)]
            || {
                let rows = proposal.theta.as_chunks_mut::<LANES>().0.iter_mut().zip(level.theta.as_chunks::<LANES>().0);
                let (noise, pulls) = (noise.as_chunks::<LANES>().0, level.pull.as_chunks::<LANES>().0);
                for (i, (row, here)) in rows.enumerate() {
                    *row = *here;
                    for j in i..noise.len() {
                        let (factor, normals, pull) = (moves.factor[(i, j)], &noise[j], &pulls[j]);
                        for lane in 0..LANES {
                            row[lane] += factor * (spread * normals[lane] - step * pull[lane]);
                        }
                    }
                }
            },
        );
        self.look(moves);
        // The normals of the way there and of the way back: −ξ + √(h/(2T)) (w + w′) with w = Aᵀ∇L.
        let level = &self.levels[index];
        let (back, mut squares) = (step / spread, [0.0; LANES]);
        for (i, normals) in self.noise.chunks_exact(LANES).enumerate() {
            let (here, there) = (&level.pull[i * LANES..], &self.proposal.pull[i * LANES..]);
            for lane in 0..LANES {
                let returning = back * (here[lane] + there[lane]) - normals[lane];
                squares[lane] += normals[lane] * normals[lane] - returning * returning;
            }
        }
        let mut log_ratio = [0.0; LANES];
        for lane in 0..LANES {
            log_ratio[lane] = (level.value[lane] - self.proposal.value[lane]) / temperature + 0.5 * squares[lane];
        }
        for lane in 0..LANES {
            let accepted = self.accepts(lane, log_ratio[lane]);
            self.langevin[index].count(accepted);
            if accepted {
                self.take(index, lane);
            }
        }
    }

    fn jump(&mut self, moves: &Moves) {
        let d = moves.loss.dimension();
        self.normals.fill(&mut self.noise);
        let (mut normals, mut point) = (vec![0.0; d], vec![0.0; d]);
        for lane in 0..LANES {
            (0..d).for_each(|i| normals[i] = self.noise[i * LANES + lane]);
            moves.mixture.propose(self.choices[lane].uniform(), &normals, &mut point);
            (0..d).for_each(|i| self.proposal.theta[i * LANES + lane] = point[i]);
        }
        // The normals have done their service: their room is that of the places seen from a well.
        let mut log_ratio = moves.mixture.log_densities(&self.levels[0].theta, &mut self.noise);
        let there = moves.mixture.log_densities(&self.proposal.theta, &mut self.noise);
        log_ratio.iter_mut().zip(there).for_each(|(ratio, there)| *ratio -= there);
        self.look(moves);
        for lane in 0..LANES {
            let fall = self.levels[0].value[lane] - self.proposal.value[lane];
            let accepted = self.accepts(lane, log_ratio[lane] + fall / moves.temperatures[0]);
            self.jumps.count(accepted);
            if accepted {
                self.take(0, lane);
            }
        }
    }

    /// Exchanges neighbouring temperatures, the even pairs and the odd ones in turn.
    fn exchange(&mut self, moves: &Moves) {
        let first = (self.sweeps % 2) as usize;
        self.sweeps += 1;
        for cold in (first..self.levels.len() - 1).step_by(2) {
            let gain = 1.0 / moves.temperatures[cold] - 1.0 / moves.temperatures[cold + 1];
            for lane in 0..LANES {
                let log_ratio = gain * (self.levels[cold].value[lane] - self.levels[cold + 1].value[lane]);
                let accepted = self.accepts(lane, log_ratio);
                self.exchanges[cold].count(accepted);
                if accepted {
                    let (below, above) = self.levels.split_at_mut(cold + 1);
                    swap_lane(&mut below[cold], &mut above[0], lane);
                }
            }
        }
    }

    /// Metropolis' rule. Where L is not a finite number there is no mass, and such a place is not accepted.
    fn accepts(&mut self, lane: usize, log_ratio: f64) -> bool {
        let probability = if log_ratio > 0.0 { 1.0 } else { math::exp(log_ratio) };
        self.choices[lane].uniform() < probability && log_ratio < f64::INFINITY
    }

    fn take(&mut self, index: usize, lane: usize) {
        let level = &mut self.levels[index];
        level.value[lane] = self.proposal.value[lane];
        for start in (0..level.theta.len()).step_by(LANES) {
            level.theta[start + lane] = self.proposal.theta[start + lane];
            level.pull[start + lane] = self.proposal.pull[start + lane];
        }
    }
}

fn swap_lane(a: &mut Level, b: &mut Level, lane: usize) {
    std::mem::swap(&mut a.value[lane], &mut b.value[lane]);
    for start in (0..a.theta.len()).step_by(LANES) {
        std::mem::swap(&mut a.theta[start + lane], &mut b.theta[start + lane]);
        std::mem::swap(&mut a.pull[start + lane], &mut b.pull[start + lane]);
    }
}
