//! Gaussian noise of exactly the covariance of per-example gradients: θ ← θ − δ∇L + √(nδ)·B(θ)z, z ~ N(0, I_N),
//!
//! B(θ) = (∇ℓ₁ − ∇L | … | ∇ℓ_N − ∇L)/√N,  BBᵀ = C(θ).
//!
//! B is d × N and never formed: Bz = Σᵢ wᵢ∇ℓᵢ with wᵢ = (zᵢ − z̄)/√N. Drift and noise together are one weighted gradient, of weights
//! δ/N − √(nδ)wᵢ. With δ = η it is SGD whose minibatch noise
//! has been replaced by a normal of the same covariance; with δ ≪ η the Itô SDE. Euler–Maruyama: strong order ½, weak order 1. A step costs one
//! gradient of the whole sum and N normals.

use std::sync::Arc;

use super::{Block, Dynamics, steps_at_once};
use crate::instructions::vectorized;
use crate::lanes::LANES;
use crate::loss::finite_sum::FiniteSum;

/// Euler–Maruyama with the noise of per-example gradients.
#[derive(Clone)]
pub struct ExampleNoise {
    sum: Arc<dyn FiniteSum>,
    step: f64,
    /// √(nδ).
    diffusion: f64,
}

impl ExampleNoise {
    /// The SDE of noise scale n = η/S, stepped by δ. For subsets drawn without replacement n is to be multiplied by (N−S)/(N−1).
    pub fn new(sum: Arc<dyn FiniteSum>, noise_scale: f64, step: f64) -> Self {
        Self { sum, step, diffusion: (noise_scale * step).sqrt() }
    }

    /// One step on the normals of the first N rows of `noise`, which become weights.
    fn step_on(&self, theta: &mut [f64], gradient: &mut [f64], noise: &mut [f64], scratch: &mut [f64]) {
        weigh(noise, self.step, self.diffusion);
        self.sum.weighted_gradient_block(theta, noise, gradient, scratch);
        descend(theta, gradient);
    }
}

/// zᵢ ← step/N − diffusion·(zᵢ − z̄)/√N in every lane: what each example's gradient counts for in a step.
fn weigh(noise: &mut [f64], step: f64, diffusion: f64) {
    vectorized(
        #[inline(always)]
        || {
            let rows = noise.as_chunks_mut::<LANES>().0;
            let count = rows.len() as f64;
            let (drift, scale) = (step / count, diffusion / count.sqrt());
            let mut mean = [0.0; LANES];
            for row in &*rows {
                for l in 0..LANES {
                    mean[l] += row[l];
                }
            }
            for l in 0..LANES {
                mean[l] /= count;
            }
            for row in rows {
                for l in 0..LANES {
                    row[l] = drift - (row[l] - mean[l]) * scale;
                }
            }
        },
    );
}

/// θ ← θ − sum.
fn descend(theta: &mut [f64], sum: &[f64]) {
    vectorized(
        #[inline(always)]
        || {
            for (x, slope) in theta.as_chunks_mut::<LANES>().0.iter_mut().zip(sum.as_chunks::<LANES>().0) {
                for l in 0..LANES {
                    x[l] -= slope[l];
                }
            }
        },
    );
}

impl Dynamics for ExampleNoise {
    fn dimension(&self) -> usize {
        self.sum.dimension()
    }

    fn step(&self) -> f64 {
        self.step
    }

    /// B(θ)z has mean 0 and covariance C(θ), which is no constant: theory knows no more of the recursion.
    fn has_moments_of_euler_maruyama(&self) -> bool {
        true
    }

    /// N.
    fn noise_rows(&self) -> usize {
        self.sum.examples()
    }

    fn block_scratch(&self) -> usize {
        self.sum.sum_scratch(self.sum.examples())
    }

    fn advance(&self, block: &mut Block, steps: u64) {
        let rows = self.noise_rows();
        let mut left = steps;
        while left > 0 {
            let steps = left.min(steps_at_once(rows) as u64);
            let Block { theta, gradient, noise, increments, scratch, .. } = &mut *block;
            let noise = &mut noise[..steps as usize * rows * LANES];
            increments.fill(noise);
            for noise in noise.chunks_exact_mut(rows * LANES) {
                self.step_on(theta, gradient, noise, scratch);
            }
            left -= steps;
        }
    }
}
