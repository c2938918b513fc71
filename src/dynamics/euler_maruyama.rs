//! Euler–Maruyama: θ ← θ − δ∇L + √(nδ) B ξ.
//!
//! Strong order ½ (1 for additive noise), weak order 1, for the Itô SDE dθ = −∇L dt + √n B(θ) dW
//! (Maruyama 1955; Kloeden & Platen 1992, §10.2). One gradient and d normals a step. With δ = η it is exactly SGD with
//! Gaussian gradient noise.

use std::sync::Arc;

use super::noisy_descent::NoisyDescent;
use super::{Block, Dynamics};
use crate::loss::{LANES, Loss};
use crate::noise::GradientNoise;
use crate::random::increments::Increments;
use crate::theory::Scheme;

/// Euler–Maruyama with a fixed step.
#[derive(Clone)]
pub struct EulerMaruyama {
    descent: NoisyDescent,
    increments: Increments,
}

impl EulerMaruyama {
    /// The SDE of noise scale n = η/S, stepped by δ.
    pub fn new(loss: Arc<dyn Loss>, noise: Arc<dyn GradientNoise>, noise_scale: f64, step: f64) -> Self {
        let descent = NoisyDescent::new(loss, noise, step, (noise_scale * step).sqrt());
        Self { descent, increments: Increments::Gaussian }
    }

    /// The same with increments of another law.
    #[must_use]
    pub fn with_increments(self, increments: Increments) -> Self {
        Self { increments, ..self }
    }

    /// One step on the standard normals ξ that stand first in [`Block::noise`], whatever drew them: with the sums of a finer
    /// path's normals (over √ of their number) it follows the same Brownian path.
    pub fn step_on_given_normals(&self, block: &mut Block) {
        self.descent.step_on_increments(block, self.dimension() * LANES);
    }
}

impl Dynamics for EulerMaruyama {
    fn dimension(&self) -> usize {
        self.descent.dimension()
    }

    fn step(&self) -> f64 {
        self.descent.drift()
    }

    fn scheme(&self) -> Option<Scheme> {
        Some(Scheme::EulerMaruyama)
    }

    fn increments(&self) -> Increments {
        self.increments
    }

    fn block_scratch(&self) -> usize {
        self.descent.block_scratch()
    }

    fn advance(&self, block: &mut Block, steps: u64) {
        self.descent.advance(block, steps, |_, _| ());
    }
}
