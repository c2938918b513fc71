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

use super::noisy_descent::NoisyDescent;
use super::{Block, Dynamics};
use crate::instructions::vectorized;
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
    descent: NoisyDescent,
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
        Ok(Self { descent: NoisyDescent::new(loss, noise, step, (noise_scale * step).sqrt()) })
    }

    /// One step from ξ_k in [`Block::memory`] on the standard normals ξ_{k+1} that stand first in [`Block::noise`], whatever
    /// drew them.
    pub fn step_on_given_normals(&self, block: &mut Block) {
        let length = self.dimension() * LANES;
        halve_and_hand_on(block, length);
        self.descent.step_on_increments(block, length);
    }
}

/// For each of the steps whose ξ_{k+1} are the first `length` numbers of the noise, one after another:
/// noise ← (ξ_k + ξ_{k+1})/2, memory ← ξ_{k+1}.
fn halve_and_hand_on(block: &mut Block, length: usize) {
    let Block { memory, noise, .. } = block;
    vectorized(
        #[inline(always)]
        || {
            for noise in noise[..length].chunks_exact_mut(memory.len()) {
                for (before, normal) in memory.iter_mut().zip(noise) {
                    let drawn = *normal;
                    *normal = 0.5 * (*before + drawn);
                    *before = drawn;
                }
            }
        },
    );
}

impl Dynamics for LeimkuhlerMatthews {
    fn dimension(&self) -> usize {
        self.descent.dimension()
    }

    fn step(&self) -> f64 {
        self.descent.drift()
    }

    fn scheme(&self) -> Option<Scheme> {
        Some(Scheme::LeimkuhlerMatthews)
    }

    /// ξ_k.
    fn memory(&self) -> usize {
        self.dimension() * LANES
    }

    fn begin(&self, block: &mut Block) {
        block.increments.fill(&mut block.memory);
    }

    fn block_scratch(&self) -> usize {
        self.descent.block_scratch()
    }

    fn advance(&self, block: &mut Block, steps: u64) {
        self.descent.advance(block, steps, halve_and_hand_on);
    }
}
