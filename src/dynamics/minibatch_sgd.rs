//! SGD with real minibatches: θ ← θ − η·(1/S) Σ_{i ∈ batch} ∇ℓᵢ(θ).
//!
//! The algorithm itself, of which [`super::sgd`] keeps the mean and the covariance of a step only. A step costs S example gradients and S
//! random words.

use std::sync::Arc;

use super::minibatches::{Minibatches, descend};
use super::{Block, Dynamics};
use crate::loss::finite_sum::FiniteSum;
use crate::random::batches::{BatchError, BatchPlan, Sampling};
use crate::theory::Scheme;

/// SGD on the minibatches of a finite sum.
#[derive(Clone)]
pub struct MinibatchSgd {
    minibatches: Minibatches,
    learning_rate: f64,
}

impl MinibatchSgd {
    /// SGD with learning rate η > 0 and batches of S.
    ///
    /// # Errors
    /// When such batches cannot be drawn.
    pub fn new(
        sum: Arc<dyn FiniteSum>,
        sampling: Sampling,
        learning_rate: f64,
        batch_size: usize,
    ) -> Result<Self, BatchError> {
        Ok(Self { minibatches: Minibatches::new(sum, sampling, batch_size)?, learning_rate })
    }
}

impl Dynamics for MinibatchSgd {
    fn dimension(&self) -> usize {
        self.minibatches.dimension()
    }

    fn step(&self) -> f64 {
        self.learning_rate
    }

    /// The batches of an epoch are dependent, and theory then knows the chain by [`crate::theory::minibatch`] alone.
    fn scheme(&self) -> Option<Scheme> {
        (self.minibatches.plan().sampling() != Sampling::Epochs).then_some(Scheme::Minibatches)
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
            descend(&mut block.theta, &block.gradient, self.learning_rate);
        }
    }
}
