//! The gradients of minibatches: what SGD, momentum and SVAG take in place of ∇L and noise.

use std::sync::Arc;

use super::Block;
use crate::instructions::vectorized;
use crate::lanes::LANES;
use crate::loss::finite_sum::FiniteSum;
use crate::random::batches::{BatchError, BatchPlan, Sampling};

/// A finite sum and how its minibatches are drawn.
#[derive(Clone)]
pub(super) struct Minibatches {
    sum: Arc<dyn FiniteSum>,
    plan: BatchPlan,
}

impl Minibatches {
    /// Batches of `size` = S of the examples of `sum`.
    pub(super) fn new(sum: Arc<dyn FiniteSum>, sampling: Sampling, size: usize) -> Result<Self, BatchError> {
        let plan = BatchPlan::new(sampling, sum.examples(), size)?;
        Ok(Self { sum, plan })
    }

    pub(super) fn dimension(&self) -> usize {
        self.sum.dimension()
    }

    pub(super) fn plan(&self) -> BatchPlan {
        self.plan
    }

    /// Numbers of scratch. Observers of a block count on what the loss itself needs.
    pub(super) fn block_scratch(&self) -> usize {
        self.sum.sum_scratch(self.plan.size()).max(self.sum.block_scratch())
    }

    /// Writes the gradient of the next batch of every lane into [`Block::gradient`]; `skipped` numbers of scratch stay as they are.
    pub(super) fn next_gradient(&self, block: &mut Block, skipped: usize) {
        let Block { theta, gradient, batches, scratch, .. } = block;
        // `Block::new` and `Block::ready_for` give every block of a dynamics with a plan its batches.
        let batches = batches.as_mut().expect("a block of a dynamics that takes minibatches");
        self.sum.batch_gradient_block(theta, batches.draw(), gradient, &mut scratch[skipped..]);
    }
}

/// θ ← θ − η·gradient, d rows each.
pub(super) fn descend(theta: &mut [f64], gradient: &[f64], rate: f64) {
    vectorized(
        #[inline(always)]
        || {
            let gradient = gradient.as_chunks::<LANES>().0;
            for (x, slope) in theta.as_chunks_mut::<LANES>().0.iter_mut().zip(gradient) {
                for l in 0..LANES {
                    x[l] -= rate * slope[l];
                }
            }
        },
    );
}
