//! One replica: its weights, its memory, its random streams and its fate.

use super::Noise;
use crate::lanes::LANES;
use crate::network::Real;
use crate::random::Purpose;
use crate::random::batches::{BatchError, BatchPlan, Batches};
use crate::random::increments::IncrementBlock;

/// Weights beyond this have diverged, whatever the loss says; tanh hides them.
const LARGEST: f64 = 1e15;

/// What has become of a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Its loss and weights are finite.
    Trained,
    /// Its loss was no finite number, or a weight beyond ±10¹⁵. It is left as it was then, and has no part in any average.
    Diverged {
        /// When that was found, in steps taken.
        step: u64,
    },
}

/// One replica.
#[derive(Clone, Debug)]
pub(super) struct Replica<T> {
    pub theta: Vec<T>,
    /// v; empty without momentum.
    pub velocity: Vec<T>,
    pub batches: Option<Batches>,
    pub normals: Option<Normals>,
    pub fate: Fate,
    /// Set for good once it has arrived where it was to be trained to.
    pub at_rest: bool,
}

/// The normals of one replica, in its order: those of [`LANES`] trajectories of a stream, row by row, of which no other replica has any.
#[derive(Clone, Debug)]
pub(super) struct Normals {
    block: IncrementBlock,
}

impl Normals {
    fn new(seed: u64, replica: u64) -> Self {
        let first = replica.wrapping_mul(LANES as u64);
        Self { block: IncrementBlock::for_purpose(seed, first, Purpose::TrainingNoise) }
    }

    /// Fills room for whole rows; what is not used of it is lost.
    pub fn fill(&mut self, room: &mut [f64]) {
        self.block.fill(room);
    }
}

impl<T: Real> Replica<T> {
    /// At its start.
    pub fn new(
        theta: Vec<T>,
        momentum: f64,
        noise: &Noise,
        examples: usize,
        seed: u64,
        replica: u64,
    ) -> Result<Self, BatchError> {
        let plan = noise.sampling().map(|sampling| BatchPlan::new(sampling, examples, 1)).transpose()?;
        let velocity = if momentum > 0.0 { vec![T::ZERO; theta.len()] } else { Vec::new() };
        let normals = (noise.normals(examples, theta.len()) > 0).then(|| Normals::new(seed, replica));
        let batches = plan.map(|plan| Batches::new(plan, seed, replica));
        Ok(Self { theta, velocity, batches, normals, fate: Fate::Trained, at_rest: false })
    }

    /// Whether it takes steps.
    pub fn moves(&self) -> bool {
        self.is_live() && !self.at_rest
    }

    /// Whether it has not diverged.
    pub fn is_live(&self) -> bool {
        self.fate == Fate::Trained
    }

    /// Ends it where a weight is no number or too large.
    pub fn check(&mut self, step: u64) {
        let sound = self.theta.iter().all(|theta| theta.to_f64().abs() <= LARGEST);
        if self.is_live() && !sound {
            self.fate = Fate::Diverged { step };
        }
    }
}
