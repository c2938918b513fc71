//! Euler–Maruyama: θ ← θ − δ∇L + √(nδ) B ξ.
//!
//! Strong order ½ (1 for additive noise), weak order 1, for the Itô SDE dθ = −∇L dt + √n B(θ) dW
//! (Maruyama 1955; Kloeden & Platen 1992, §10.2). One gradient and d normals a step. With δ = η it is exactly SGD with
//! Gaussian gradient noise.

use std::sync::Arc;

use super::{Block, Dynamics, drift_and_diffuse};
use crate::loss::Loss;
use crate::noise::GradientNoise;
use crate::theory::Scheme;

/// Euler–Maruyama with a fixed step.
#[derive(Clone)]
pub struct EulerMaruyama {
    loss: Arc<dyn Loss>,
    noise: Arc<dyn GradientNoise>,
    step: f64,
    /// √(nδ).
    diffusion: f64,
}

impl EulerMaruyama {
    /// The SDE of noise scale n = η/S, stepped by δ.
    pub fn new(loss: Arc<dyn Loss>, noise: Arc<dyn GradientNoise>, noise_scale: f64, step: f64) -> Self {
        Self { loss, noise, step, diffusion: (noise_scale * step).sqrt() }
    }

    /// One step on the standard normals ξ that stand in [`Block::noise`], whatever drew them: with the sums of a finer
    /// path's normals (over √ of their number) it follows the same Brownian path.
    pub fn step_on_given_normals(&self, block: &mut Block) {
        self.noise.apply_block(&block.theta, &mut block.noise, &mut block.scratch);
        self.loss.gradient_block(&block.theta, &mut block.gradient, &mut block.scratch);
        drift_and_diffuse(&mut block.theta, &block.gradient, &block.noise, self.step, self.diffusion);
    }
}

impl Dynamics for EulerMaruyama {
    fn dimension(&self) -> usize {
        self.loss.dimension()
    }

    fn step(&self) -> f64 {
        self.step
    }

    fn scheme(&self) -> Option<Scheme> {
        Some(Scheme::EulerMaruyama)
    }

    fn block_scratch(&self) -> usize {
        self.loss.block_scratch().max(self.noise.block_scratch())
    }

    fn advance(&self, block: &mut Block, steps: u64) {
        for _ in 0..steps {
            block.normals.fill(&mut block.noise);
            self.step_on_given_normals(block);
        }
    }
}
