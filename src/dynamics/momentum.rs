//! SGD with momentum, Polyak's heavy ball (1964): v ← μv − η g⁽ˢ⁾(θ), θ ← θ + v, on real minibatches.
//!
//! A step stands for an SDE time of η/(1 − μ): for small η the ball moves as SGD does with that learning rate, at a noise scale of
//! n = η/((1 − μ)S). v starts at 0. A step costs S example gradients and S random words.

use std::sync::Arc;

use super::minibatches::Minibatches;
use super::{Block, Dynamics};
use crate::instructions::vectorized;
use crate::lanes::LANES;
use crate::loss::finite_sum::FiniteSum;
use crate::random::batches::{BatchError, BatchPlan, Sampling};

/// Momentum cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum MomentumError {
    /// μ is not from 0 to below 1.
    #[error("a momentum of {0}: it must be at least 0 and below 1")]
    Momentum(f64),
    /// The batches.
    #[error(transparent)]
    Batches(#[from] BatchError),
}

/// Heavy-ball momentum on the minibatches of a finite sum.
#[derive(Clone)]
pub struct Momentum {
    minibatches: Minibatches,
    learning_rate: f64,
    momentum: f64,
}

impl Momentum {
    /// Learning rate η > 0, momentum 0 ≤ μ < 1, batches of S.
    ///
    /// # Errors
    /// When μ is out of its range or such batches cannot be drawn.
    pub fn new(
        sum: Arc<dyn FiniteSum>,
        sampling: Sampling,
        learning_rate: f64,
        momentum: f64,
        batch_size: usize,
    ) -> Result<Self, MomentumError> {
        if !(0.0..1.0).contains(&momentum) {
            return Err(MomentumError::Momentum(momentum));
        }
        Ok(Self { minibatches: Minibatches::new(sum, sampling, batch_size)?, learning_rate, momentum })
    }
}

impl Dynamics for Momentum {
    fn dimension(&self) -> usize {
        self.minibatches.dimension()
    }

    fn step(&self) -> f64 {
        self.learning_rate / (1.0 - self.momentum)
    }

    /// v.
    fn memory(&self) -> usize {
        self.dimension() * LANES
    }

    fn batches(&self) -> Option<BatchPlan> {
        Some(self.minibatches.plan())
    }

    /// No normals.
    fn noise_rows(&self) -> usize {
        0
    }

    fn block_scratch(&self) -> usize {
        self.minibatches.block_scratch()
    }

    fn advance(&self, block: &mut Block, steps: u64) {
        for _ in 0..steps {
            self.minibatches.next_gradient(block, 0);
            let Block { theta, gradient, memory, .. } = &mut *block;
            roll(theta, memory, gradient, self.momentum, self.learning_rate);
        }
    }
}

/// v ← μv − η·gradient, θ ← θ + v.
fn roll(theta: &mut [f64], velocity: &mut [f64], gradient: &[f64], momentum: f64, rate: f64) {
    vectorized(
        #[inline(always)]
        || {
            let (velocity, gradient) = (velocity.as_chunks_mut::<LANES>().0, gradient.as_chunks::<LANES>().0);
            for ((x, v), slope) in theta.as_chunks_mut::<LANES>().0.iter_mut().zip(velocity).zip(gradient) {
                for l in 0..LANES {
                    v[l] = momentum * v[l] - rate * slope[l];
                    x[l] += v[l];
                }
            }
        },
    );
}
