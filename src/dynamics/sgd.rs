//! SGD with Gaussian gradient noise: θ ← θ − η(∇L + Δg/√S), Δg = Bξ ~ N(0, C).
//!
//! The discrete process whose limit is the SDE. The sign of Δg is free, since N(0, C) is symmetric; it is taken so that
//! SGD and Euler–Maruyama with δ = η move alike on the same normals.

use std::sync::Arc;

use super::{Block, Dynamics, drift_and_diffuse};
use crate::loss::Loss;
use crate::noise::GradientNoise;
use crate::theory::Scheme;

/// SGD with learning rate η and batch size S.
#[derive(Clone)]
pub struct Sgd {
    loss: Arc<dyn Loss>,
    noise: Arc<dyn GradientNoise>,
    learning_rate: f64,
    batch_size: f64,
}

impl Sgd {
    /// SGD with learning rate η > 0 and batch size S ≥ 1.
    pub fn new(loss: Arc<dyn Loss>, noise: Arc<dyn GradientNoise>, learning_rate: f64, batch_size: f64) -> Self {
        Self { loss, noise, learning_rate, batch_size }
    }
}

impl Dynamics for Sgd {
    fn dimension(&self) -> usize {
        self.loss.dimension()
    }

    fn step(&self) -> f64 {
        self.learning_rate
    }

    fn scheme(&self) -> Option<Scheme> {
        Some(Scheme::EulerMaruyama)
    }

    fn block_scratch(&self) -> usize {
        self.loss.block_scratch().max(self.noise.block_scratch())
    }

    fn advance(&self, block: &mut Block, steps: u64) {
        let diffusion = self.learning_rate / self.batch_size.sqrt();
        for _ in 0..steps {
            block.normals.fill(&mut block.noise);
            self.noise.apply_block(&block.theta, &mut block.noise, &mut block.scratch);
            self.loss.gradient_block(&block.theta, &mut block.gradient, &mut block.scratch);
            drift_and_diffuse(&mut block.theta, &block.gradient, &block.noise, self.learning_rate, diffusion);
        }
    }
}
