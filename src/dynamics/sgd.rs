//! SGD with Gaussian gradient noise: θ ← θ − η(∇L + Δg/√S), Δg = Bξ ~ N(0, C).
//!
//! The discrete process whose limit is the SDE. The sign of Δg is free, since N(0, C) is symmetric; it is taken so that
//! SGD and Euler–Maruyama with δ = η move alike on the same normals.

use std::sync::Arc;

use super::noisy_descent::NoisyDescent;
use super::{Block, Dynamics};
use crate::loss::Loss;
use crate::noise::GradientNoise;
use crate::random::increments::Increments;
use crate::theory::Scheme;

/// SGD with learning rate η and batch size S.
#[derive(Clone)]
pub struct Sgd {
    descent: NoisyDescent,
    increments: Increments,
}

impl Sgd {
    /// SGD with learning rate η > 0 and batch size S ≥ 1.
    pub fn new(loss: Arc<dyn Loss>, noise: Arc<dyn GradientNoise>, learning_rate: f64, batch_size: f64) -> Self {
        let descent = NoisyDescent::new(loss, noise, learning_rate, learning_rate / batch_size.sqrt());
        Self { descent, increments: Increments::Gaussian }
    }

    /// The same with increments of another law.
    #[must_use]
    pub fn with_increments(self, increments: Increments) -> Self {
        Self { increments, ..self }
    }

    /// One step of the trajectories in `theta` on given standard normals ξ, d rows of them, which it may change.
    pub(super) fn step_on(&self, theta: &mut [f64], normals: &mut [f64], gradient: &mut [f64], scratch: &mut [f64]) {
        self.descent.step_on(theta, normals, gradient, scratch);
    }
}

impl Dynamics for Sgd {
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
