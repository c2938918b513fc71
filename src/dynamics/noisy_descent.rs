//! θ ← θ − drift·∇L + diffusion·Bξ: what the methods with one gradient a step have in common.

use std::sync::Arc;

use super::{Block, steps_at_once};
use crate::loss::kernel::{Descent, StepSize};
use crate::loss::{LANES, Loss};
use crate::noise::GradientNoise;

/// Noisy gradient steps of a fixed size.
#[derive(Clone)]
pub(super) struct NoisyDescent {
    loss: Arc<dyn Loss>,
    noise: Arc<dyn GradientNoise>,
    step: StepSize,
    shape: Shape,
}

/// How B is applied.
#[derive(Clone, Copy)]
enum Shape {
    /// B = σI: a step multiplies by σ, and the normals stay as they are.
    Isotropic { sigma: f64 },
    /// B is the same everywhere: applied to the noise of many steps beforehand.
    Constant,
    /// B is taken where the step begins.
    Varying,
}

impl NoisyDescent {
    /// Steps of `drift` times the gradient and `diffusion` times the noise.
    pub(super) fn new(loss: Arc<dyn Loss>, noise: Arc<dyn GradientNoise>, drift: f64, diffusion: f64) -> Self {
        let shape = match noise.isotropic_variance() {
            Some(variance) => Shape::Isotropic { sigma: variance.sqrt() },
            None if noise.is_additive() => Shape::Constant,
            None => Shape::Varying,
        };
        Self { loss, noise, step: StepSize { drift, diffusion }, shape }
    }

    pub(super) fn dimension(&self) -> usize {
        self.loss.dimension()
    }

    pub(super) fn drift(&self) -> f64 {
        self.step.drift
    }

    pub(super) fn block_scratch(&self) -> usize {
        self.loss.block_scratch().max(self.noise.block_scratch())
    }

    /// Moves the block on by `steps` steps. `prepare` may work on the increments of some steps, as they are drawn, before they are used.
    pub(super) fn advance(&self, block: &mut Block, steps: u64, prepare: impl Fn(&mut Block, usize)) {
        let d = self.dimension();
        let at_once = steps_at_once(d);
        let mut left = steps;
        while left > 0 {
            let steps = left.min(at_once as u64);
            let length = steps as usize * d * LANES;
            block.increments.fill(&mut block.noise[..length]);
            prepare(block, length);
            self.step_on_increments(block, length);
            left -= steps;
        }
    }

    /// Takes one step for every d rows of the first `length` numbers in [`Block::noise`].
    pub(super) fn step_on_increments(&self, block: &mut Block, length: usize) {
        let Block { theta, gradient, noise, scratch, .. } = block;
        self.step_on(theta, &mut noise[..length], gradient, scratch);
    }

    /// Takes one step of the trajectories in `theta` for every d rows of `noise`, which it may change.
    pub(super) fn step_on(&self, theta: &mut [f64], noise: &mut [f64], gradient: &mut [f64], scratch: &mut [f64]) {
        let width = self.dimension() * LANES;
        match self.shape {
            Shape::Isotropic { sigma } => {
                let step = StepSize { diffusion: self.step.diffusion * sigma, ..self.step };
                self.loss.descend_block(Descent { theta, noise, step, gradient, scratch });
            }
            Shape::Constant => {
                noise.chunks_exact_mut(width).for_each(|noise| self.noise.apply_block(theta, noise, scratch));
                self.loss.descend_block(Descent { theta, noise, step: self.step, gradient, scratch });
            }
            Shape::Varying => {
                for noise in noise.chunks_exact_mut(width) {
                    self.noise.apply_block(theta, noise, scratch);
                    self.loss.descend_block(Descent { theta, noise, step: self.step, gradient, scratch });
                }
            }
        }
    }
}
