//! SVAG(l), stochastic variance-amplified gradient (Li, Malladi & Arora 2021, arXiv:2102.12470): SGD of learning rate η/l on
//!
//! (1 + √(2l−1))/2 · g_γ₁ + (1 − √(2l−1))/2 · g_γ₂,
//!
//! γ₁ and γ₂ two independent batches of S. The weights add up to 1, so the mean is ∇L; their squares add up to l, so the covariance is
//! l·C/S, and steps of η/l keep the noise scale n = η/S. l = 1 is SGD; l → ∞ is its SDE, without any Gaussian put in. A step costs 2S
//! example gradients and stands for an SDE time of η/l.

use std::sync::Arc;

use super::minibatches::{Minibatches, descend};
use super::{Block, Dynamics};
use crate::instructions::vectorized;
use crate::lanes::LANES;
use crate::loss::finite_sum::FiniteSum;
use crate::random::batches::{BatchError, BatchPlan, Sampling};
use crate::theory::Scheme;

/// SVAG cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SvagError {
    /// l = 0.
    #[error("SVAG's l is at least 1")]
    Amplification,
    /// The two batches of a step would be dependent.
    #[error("SVAG takes two independent batches at every step, and those of an epoch are dependent")]
    Epochs,
    /// The batches.
    #[error(transparent)]
    Batches(#[from] BatchError),
}

/// SVAG(l) on the minibatches of a finite sum.
#[derive(Clone)]
pub struct Svag {
    minibatches: Minibatches,
    /// η/l.
    step: f64,
    /// (1 ± √(2l−1))/2.
    weights: [f64; 2],
}

impl Svag {
    /// η > 0 and batches of S as those of the SGD that it stands beside, and l ≥ 1.
    ///
    /// # Errors
    /// When l is 0, the batches come in epochs, or cannot be drawn.
    pub fn new(
        sum: Arc<dyn FiniteSum>,
        sampling: Sampling,
        learning_rate: f64,
        batch_size: usize,
        amplification: u32,
    ) -> Result<Self, SvagError> {
        if amplification == 0 {
            return Err(SvagError::Amplification);
        }
        if sampling == Sampling::Epochs {
            return Err(SvagError::Epochs);
        }
        let l = f64::from(amplification);
        let root = (2.0 * l - 1.0).sqrt();
        let weights = [0.5 * (1.0 + root), 0.5 * (1.0 - root)];
        Ok(Self { minibatches: Minibatches::new(sum, sampling, batch_size)?, step: learning_rate / l, weights })
    }
}

impl Dynamics for Svag {
    fn dimension(&self) -> usize {
        self.minibatches.dimension()
    }

    fn step(&self) -> f64 {
        self.step
    }

    /// Two moments of a step are those of SGD of learning rate η/l at the same n.
    fn scheme(&self) -> Option<Scheme> {
        Some(Scheme::Minibatches)
    }

    fn batches(&self) -> Option<BatchPlan> {
        Some(self.minibatches.plan())
    }

    /// No normals.
    fn noise_rows(&self) -> usize {
        0
    }

    fn block_scratch(&self) -> usize {
        self.dimension() * LANES + self.minibatches.block_scratch()
    }

    fn advance(&self, block: &mut Block, steps: u64) {
        let length = self.dimension() * LANES;
        for _ in 0..steps {
            self.minibatches.next_gradient(block, length);
            block.scratch[..length].copy_from_slice(&block.gradient);
            self.minibatches.next_gradient(block, length);
            combine(&mut block.gradient, &block.scratch[..length], self.weights);
            descend(&mut block.theta, &block.gradient, self.step);
        }
    }
}

/// second ← weights₀·first + weights₁·second.
fn combine(second: &mut [f64], first: &[f64], weights: [f64; 2]) {
    vectorized(
        #[inline(always)]
        || {
            for (second, first) in second.iter_mut().zip(first) {
                *second = weights[0] * first + weights[1] * *second;
            }
        },
    );
}
