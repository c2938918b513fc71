//! SGD and its two SDEs on one Brownian path, so that their difference is known far better than any of them.
//!
//! A block's θ has five members of d rows each, all of the same η and S:
//!
//! ```text
//! SGD        θ ← θ − η∇L + √(nη)Bξ                         ξ = (ζ₁ + … + ζ_m)/√m
//! fine[0]    dθ = −∇L dt + √n B dW                          steps of δ = η/m on ζ₁, …, ζ_m
//! fine[1]    dθ = −∇(L + (η/4)|∇L|²) dt + √n B dW           the same
//! coarse[0]  as fine[0]                                     steps of 2δ on (ζ₁ + ζ₂)/√2, …: the error of δ is a third of
//! coarse[1]  as fine[1]                                     fine − coarse, since the scheme is of weak order 2
//! ```
//!
//! Each member by itself is what it would be alone: sums of normals over the root of their number are normals. One step is one step of
//! SGD, an SDE time of η; it costs one gradient for SGD, 3m for the first and 3m with as many Hessian products for the second equation.
//! SDEs by Platen's scheme ([`super::platen`]), Itô.

use std::sync::Arc;

use super::modified_equation::ModifiedEquation;
use super::platen::Platen;
use super::sgd::Sgd;
use super::{Block, Dynamics};
use crate::instructions::vectorized;
use crate::loss::{LANES, Loss};
use crate::noise::GradientNoise;

/// Members of a block: SGD, and either SDE at δ and at 2δ.
pub const MEMBERS: usize = 5;

/// SGD and its SDEs of first and second order, driven by the same increments.
#[derive(Clone)]
pub struct Coupled {
    sgd: Sgd,
    fine: [Platen; 2],
    coarse: [Platen; 2],
    learning_rate: f64,
    substeps: usize,
}

impl Coupled {
    /// SGD with learning rate η and batch size S beside its SDEs, which take `substeps` = m steps within one of SGD; m is rounded up to an
    /// even number.
    pub fn new(
        loss: &Arc<dyn Loss>,
        noise: &Arc<dyn GradientNoise>,
        learning_rate: f64,
        batch_size: f64,
        substeps: usize,
    ) -> Self {
        let substeps = 2 * substeps.max(1).div_ceil(2);
        let step = learning_rate / substeps as f64;
        let both = |step: f64| {
            let modified = ModifiedEquation::new(loss.clone(), noise.clone(), learning_rate, batch_size, step);
            [Platen::new(loss.clone(), noise.clone(), learning_rate / batch_size, step), modified.platen]
        };
        let sgd = Sgd::new(loss.clone(), noise.clone(), learning_rate, batch_size);
        Self { sgd, fine: both(step), coarse: both(2.0 * step), learning_rate, substeps }
    }

    /// Numbers in the rows of one member.
    fn width(&self) -> usize {
        self.sgd.dimension() * LANES
    }

    /// Numbers in the rows whose signs a step of Platen's scheme takes.
    fn signs(&self) -> usize {
        self.fine[0].pairs() * LANES
    }

    /// One step of SGD and what belongs to it of the others, on the normals and the signs of m fine steps.
    fn step_on(&self, theta: &mut [f64], gradient: &mut [f64], noise: &[f64], scratch: &mut [f64]) {
        let (width, signs) = (self.width(), self.signs());
        let gradient = &mut gradient[..width];
        let (normals, of_pairs) = noise.split_at(self.substeps * width);
        let (sum, scratch) = scratch.split_at_mut(width);
        let (sgd, rest) = theta.split_at_mut(width);
        let (fine, coarse) = rest.split_at_mut(2 * width);
        add_up(normals, sum);
        self.sgd.step_on(sgd, sum, gradient, scratch);
        for (k, normals) in normals.chunks_exact(width).enumerate() {
            for (platen, theta) in self.fine.iter().zip(fine.chunks_exact_mut(width)) {
                scratch[..signs].copy_from_slice(&of_pairs[k * signs..][..signs]);
                platen.step_on(theta, gradient, normals, scratch);
            }
        }
        for (k, normals) in normals.chunks_exact(2 * width).enumerate() {
            add_up(normals, sum);
            for (platen, theta) in self.coarse.iter().zip(coarse.chunks_exact_mut(width)) {
                // The signs are independent of all else, so those of either half would do.
                scratch[..signs].copy_from_slice(&of_pairs[2 * k * signs..][..signs]);
                platen.step_on(theta, gradient, sum, scratch);
            }
        }
    }
}

/// The sum of some rows' standard normals over the root of their number: the normal of the longer step.
fn add_up(normals: &[f64], sum: &mut [f64]) {
    let parts = normals.len() / sum.len();
    let scale = 1.0 / (parts as f64).sqrt();
    vectorized(
        #[inline(always)]
        || {
            sum.fill(0.0);
            for normals in normals.chunks_exact(sum.len()) {
                for (sum, normal) in sum.iter_mut().zip(normals) {
                    *sum += normal;
                }
            }
            for sum in sum.iter_mut() {
                *sum *= scale;
            }
        },
    );
}

impl Dynamics for Coupled {
    /// 5d: every member has its own θ.
    fn dimension(&self) -> usize {
        MEMBERS * self.sgd.dimension()
    }

    fn step(&self) -> f64 {
        self.learning_rate
    }

    fn noise_rows(&self) -> usize {
        self.substeps * (self.width() + self.signs()) / LANES
    }

    fn block_scratch(&self) -> usize {
        self.width() + self.sgd.block_scratch().max(self.fine[0].block_scratch()).max(self.fine[1].block_scratch())
    }

    fn advance(&self, block: &mut Block, steps: u64) {
        let Block { theta, gradient, noise, increments, scratch, .. } = block;
        let noise = &mut noise[..self.noise_rows() * LANES];
        for _ in 0..steps {
            increments.fill(noise);
            self.step_on(theta, gradient, noise, scratch);
        }
    }
}
