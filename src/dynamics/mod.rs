//! How θ moves: Markov kernels over a block of trajectories, one method per file.
//!
//! A dynamics is immutable and shared by all threads; everything that changes lives in a [`Block`], which is allocated
//! once. A block is laid out coordinate by coordinate, [`LANES`] trajectories side by side (see [`crate::loss`]), so
//! one call through a pointer serves all of them, and where the noise is additive dozens of their steps ([`crate::loss::kernel`]).

pub mod coupled;
pub mod euler_maruyama;
pub mod example_noise;
pub mod leimkuhler_matthews;
pub mod minibatch_sgd;
mod minibatches;
pub mod modified_equation;
pub mod momentum;
mod noisy_descent;
pub mod platen;
pub mod sgd;
mod slope;
mod spec;
pub mod svag;

pub use spec::DynamicsSpec;
pub(crate) use spec::LearningRate;

use aligned_vec::{AVec, ConstAlign};
use serde::{Deserialize, Serialize};

use crate::lanes::LANES;
use crate::random::batches::{BatchBlock, BatchPlan};
use crate::random::increments::{IncrementBlock, Increments};
use crate::theory::Scheme;

/// A Markov kernel on ℝᵈ that advances a block of trajectories.
pub trait Dynamics: Send + Sync {
    /// Number of parameters d.
    fn dimension(&self) -> usize;

    /// SDE time that one step stands for: η for SGD, δ for an integrator.
    fn step(&self) -> f64;

    /// The recursion by its name, so that theory can say what the chain does at its finite step; `None` for one that
    /// theory does not know.
    fn scheme(&self) -> Option<Scheme> {
        None
    }

    /// Whether a step from θ has, whatever came before θ, the mean −δ∇L(θ) and the covariance nδC(θ), C being that of its own sampling.
    /// Then the relations of every stationary law hold exactly at any δ ([`crate::ensemble::balance`]).
    fn has_moments_of_euler_maruyama(&self) -> bool {
        matches!(self.scheme(), Some(Scheme::EulerMaruyama | Scheme::Minibatches))
    }

    /// How many numbers of [`Block::memory`] a step hands on to the next.
    fn memory(&self) -> usize {
        0
    }

    /// Fills [`Block::memory`] before the first step, from the trajectories' own streams.
    fn begin(&self, _block: &mut Block) {}

    /// The law of the increments ξ.
    fn increments(&self) -> Increments {
        Increments::Gaussian
    }

    /// The minibatches that the steps need, for those that draw any.
    fn batches(&self) -> Option<BatchPlan> {
        None
    }

    /// How many rows of increments a step needs in [`Block::noise`].
    fn noise_rows(&self) -> usize {
        self.dimension()
    }

    /// How many numbers of scratch [`Dynamics::advance`] needs in [`Block::scratch`].
    fn block_scratch(&self) -> usize;

    /// Moves every trajectory of the block on by `steps` steps. Lane by lane, the result depends on nothing but the
    /// lane's own θ and random stream.
    fn advance(&self, block: &mut Block, steps: u64);
}

/// Rows of [`LANES`] numbers that begin with a cache line: a register's load then never goes across two.
pub type Rows = AVec<f64, ConstAlign<64>>;

pub(crate) fn rows(length: usize) -> Rows {
    AVec::from_iter(64, std::iter::repeat_n(0.0, length))
}

fn no_rows() -> Rows {
    rows(0)
}

/// [`LANES`] trajectories: where they are, their random streams, and room to work in.
///
/// What is serialised is what a trajectory remembers from one step to the next; the rest is room to work in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Block {
    /// θ, `d * LANES` numbers, coordinate by coordinate.
    pub theta: Rows,
    /// ∇L, same layout.
    #[serde(skip, default = "no_rows")]
    pub gradient: Rows,
    /// Increments of [`steps_at_once`] steps, [`Dynamics::noise_rows`] rows each, then B(θ) times them, step after step.
    #[serde(skip, default = "no_rows")]
    pub noise: Rows,
    /// The trajectories' streams.
    pub increments: IncrementBlock,
    /// The trajectories' minibatches, where they take any.
    pub batches: Option<BatchBlock>,
    /// What a step hands on to the next beside θ, the streams and the batches: these four are the state of the trajectories.
    pub memory: Rows,
    /// For losses, noises and a dynamics' own intermediate values; what it holds between steps means nothing.
    #[serde(skip, default = "no_rows")]
    pub scratch: Rows,
}

impl Block {
    /// Trajectories `first` … `first + LANES − 1` of the run with this seed, all at the origin.
    pub fn new(dynamics: &dyn Dynamics, seed: u64, first: u64) -> Self {
        let length = dynamics.dimension() * LANES;
        let mut block = Self {
            theta: rows(length),
            gradient: rows(length),
            noise: noise_of(dynamics),
            increments: IncrementBlock::of(dynamics.increments(), seed, first),
            batches: dynamics.batches().map(|plan| BatchBlock::new(plan, seed, first)),
            memory: rows(dynamics.memory()),
            scratch: rows(dynamics.block_scratch()),
        };
        dynamics.begin(&mut block);
        block
    }

    /// A block that was saved, with room to work in again; `None` if it is of another dimension or of other minibatches.
    pub fn ready_for(self, dynamics: &dyn Dynamics) -> Option<Self> {
        let length = dynamics.dimension() * LANES;
        let batches = match (self.batches, dynamics.batches()) {
            (Some(batches), Some(plan)) => Some(batches.ready_for(&plan)?),
            (None, None) => None,
            _ => return None,
        };
        (self.theta.len() == length && self.memory.len() == dynamics.memory()).then(|| Self {
            gradient: rows(length),
            noise: noise_of(dynamics),
            scratch: rows(dynamics.block_scratch()),
            batches,
            ..self
        })
    }

    /// Puts one lane at a point of ℝᵈ.
    pub fn place(&mut self, lane: usize, point: &[f64]) {
        for (row, &coordinate) in self.theta.chunks_exact_mut(LANES).zip(point) {
            row[lane] = coordinate;
        }
    }

    /// Reads the point of one lane into `point`.
    pub fn point(&self, lane: usize, point: &mut [f64]) {
        for (row, coordinate) in self.theta.chunks_exact(LANES).zip(point) {
            *coordinate = row[lane];
        }
    }
}

/// Room for the increments that are drawn at once.
fn noise_of(dynamics: &dyn Dynamics) -> Rows {
    rows(dynamics.noise_rows() * LANES * steps_at_once(dynamics.noise_rows()))
}

/// How many steps' increments are drawn at once, for steps that need so many rows of them: some 8 kB, so that they stay in the first-level
/// cache.
pub fn steps_at_once(rows: usize) -> usize {
    const ROWS: usize = 32;
    (ROWS / rows.max(1)).max(1)
}
