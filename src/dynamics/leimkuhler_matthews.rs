//! Leimkuhler–Matthews: θ_{k+1} = θ_k − δ∇L(θ_k) + √(nδ) B (ξ_k + ξ_{k+1})/2, for additive noise only.
//!
//! Each normal is used in two steps, half and half, and that lifts the invariant law of C = σ²I from first order in δ
//! to second at the cost of Euler–Maruyama: one gradient and d normals a step. As a path it stays of weak order 1: what
//! it samples well is where the process is, not when it gets there. Itô and Stratonovich agree for additive noise.
//!
//! Source: Leimkuhler & Matthews 2013, Appl. Math. Res. eXpress 34, eq. (1.7), from a limit of Langevin dynamics; order 2
//! of the law: Leimkuhler, Matthews & Tretyakov 2014, Proc. R. Soc. A 470. It is Vilmart's (2015) postprocessed scheme:
//! with y_k = θ_k − √(nδ)Bξ_k/2 the y_k are a Markov chain and ξ_k is independent of y_k.
//!
//! In a bowl, in the eigenbasis of H, Σᵢⱼ = nCᵢⱼ(1 − δ(hᵢ + hⱼ)/4)/(hᵢ + hⱼ − δhᵢhⱼ): exact for every stable step where
//! C = σ²I. For other constant C it is of second order only where C and ∇²L commute; else its error is
//! −δ(hᵢ − hⱼ)²/(4(hᵢ + hⱼ)) of Σᵢⱼ, first order as Euler–Maruyama's.

use std::sync::Arc;

use super::{Block, Dynamics, drift_and_diffuse};
use crate::loss::{LANES, Loss};
use crate::noise::GradientNoise;
use crate::theory::Scheme;

/// The noise depends on θ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the Leimkuhler–Matthews scheme is for additive noise: with noise that depends on θ it follows another equation, however small the step"
)]
pub struct NotAdditive;

/// Leimkuhler–Matthews with a fixed step.
#[derive(Clone)]
pub struct LeimkuhlerMatthews {
    loss: Arc<dyn Loss>,
    noise: Arc<dyn GradientNoise>,
    step: f64,
    /// √(nδ).
    diffusion: f64,
}

impl LeimkuhlerMatthews {
    /// The SDE of noise scale n = η/S, stepped by δ.
    ///
    /// # Errors
    /// When the noise depends on θ.
    pub fn new(
        loss: Arc<dyn Loss>,
        noise: Arc<dyn GradientNoise>,
        noise_scale: f64,
        step: f64,
    ) -> Result<Self, NotAdditive> {
        if !noise.is_additive() {
            return Err(NotAdditive);
        }
        Ok(Self { loss, noise, step, diffusion: (noise_scale * step).sqrt() })
    }

    /// One step from ξ_k in [`Block::memory`] on the standard normals ξ_{k+1} that stand in [`Block::noise`], whatever
    /// drew them.
    pub fn step_on_given_normals(&self, block: &mut Block) {
        halve_and_hand_on(&mut block.memory, &mut block.noise);
        self.noise.apply_block(&block.theta, &mut block.noise, &mut block.scratch);
        self.loss.gradient_block(&block.theta, &mut block.gradient, &mut block.scratch);
        drift_and_diffuse(&mut block.theta, &block.gradient, &block.noise, self.step, self.diffusion);
    }
}

/// noise ← (ξ_k + ξ_{k+1})/2, memory ← ξ_{k+1}.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw", "x86_64+avx2"))]
fn halve_and_hand_on(memory: &mut [f64], noise: &mut [f64]) {
    for (before, normal) in memory.iter_mut().zip(noise) {
        let drawn = *normal;
        *normal = 0.5 * (*before + drawn);
        *before = drawn;
    }
}

impl Dynamics for LeimkuhlerMatthews {
    fn dimension(&self) -> usize {
        self.loss.dimension()
    }

    fn step(&self) -> f64 {
        self.step
    }

    fn scheme(&self) -> Option<Scheme> {
        Some(Scheme::LeimkuhlerMatthews)
    }

    /// ξ_k.
    fn memory(&self) -> usize {
        self.dimension() * LANES
    }

    fn begin(&self, block: &mut Block) {
        block.normals.fill(&mut block.memory);
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
