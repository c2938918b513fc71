//! Platen's explicit scheme of weak order 2 for Itô noise of any form, such as noise that depends on θ.
//!
//! Kloeden & Platen 1992, §15.1, eq. (15.1.3), with a = −∇L, bʲ the j-th column of √n B and ΔWʲ = √δ ξʲ:
//!
//! θ ← θ + ½(a(Ῡ) + a)δ + ¼ Σⱼ [(bʲ(R̄ʲ₊) + bʲ(R̄ʲ₋) + 2bʲ) + Σ_{r≠j} (bʲ(Ūʳ₊) + bʲ(Ūʳ₋) − 2bʲ)] ΔWʲ
//! + ¼ Σⱼ [(bʲ(R̄ʲ₊) − bʲ(R̄ʲ₋))((ΔWʲ)² − δ) + Σ_{r≠j} (bʲ(Ūʳ₊) − bʲ(Ūʳ₋))(ΔWʲΔWʳ + V_{r,j})] / √δ
//!
//! with the supporting values Ῡ = θ + aδ + Σⱼ bʲΔWʲ, R̄ʲ± = θ + aδ ± bʲ√δ, Ūʳ± = θ ± bʳ√δ, and V_{r,j} = ±δ with equal
//! probability for r < j, V_{j,r} = −V_{r,j}. In 1-D it is eq. (15.1.1). Weak order 2; strong order ½, 1 for additive
//! noise, for which it is Heun's method (and needs no V). Two gradients a step and d normals. Where the noise depends on θ,
//! since bʲ is the product of B with a unit vector and the sum over j is one product, 5d + 1 products with B (4 in 1-D),
//! and the signs of d(d−1)/2 further normals drawn after the d of the step, for the pairs (0,1), (0,2), (1,2), (0,3), …
//!
//! In a bowl with additive noise θᵢ contracts by 1 − z + z²/2, z = δhᵢ, with noise √(nδ)(1 − z/2)B: stable iff z < 2.

use std::sync::Arc;

use super::slope::Slope;
use super::{Block, Dynamics};
use crate::instructions::vectorized;
use crate::loss::{LANES, Loss};
use crate::noise::GradientNoise;
use crate::theory::Scheme;

/// Platen's scheme of weak order 2 with a fixed step.
#[derive(Clone)]
pub struct Platen {
    slope: Arc<dyn Slope>,
    noise: Arc<dyn GradientNoise>,
    step: f64,
    /// √(nδ).
    diffusion: f64,
    additive: bool,
}

impl Platen {
    /// The SDE of noise scale n = η/S, stepped by δ.
    pub fn new(loss: Arc<dyn Loss>, noise: Arc<dyn GradientNoise>, noise_scale: f64, step: f64) -> Self {
        Self::of(Arc::new(loss), noise, noise_scale, step)
    }

    /// The same with another slope in the place of ∇L.
    pub(super) fn of(slope: Arc<dyn Slope>, noise: Arc<dyn GradientNoise>, noise_scale: f64, step: f64) -> Self {
        let additive = noise.is_additive();
        Self { slope, noise, step, diffusion: (noise_scale * step).sqrt(), additive }
    }

    /// Pairs r < j, each with a random sign.
    pub(super) fn pairs(&self) -> usize {
        if self.additive { 0 } else { self.dimension() * (self.dimension() - 1) / 2 }
    }

    /// One step on the standard normals ξ that stand first in [`Block::noise`], and for noise that depends on θ on the signs
    /// of `pairs`, d(d−1)/2 rows of a block; whatever drew them.
    pub fn step_on_given_normals(&self, block: &mut Block, pairs: &[f64]) {
        block.scratch[..pairs.len()].copy_from_slice(pairs);
        self.step_on_drawn(block);
    }

    /// One step on what [`Block::noise`] and the first rows of scratch hold.
    fn step_on_drawn(&self, block: &mut Block) {
        let Block { theta, gradient, noise, scratch, .. } = block;
        self.step_on(theta, gradient, &noise[..self.dimension() * LANES], scratch);
    }

    /// One step of the trajectories in `theta` on given standard normals, d rows of them, and on the signs of the first d(d−1)/2 rows of
    /// `scratch` where the noise depends on θ.
    pub(super) fn step_on(&self, theta: &mut [f64], gradient: &mut [f64], normals: &[f64], scratch: &mut [f64]) {
        let rows = self.dimension() * LANES;
        let (pairs, scratch) = scratch.split_at_mut(self.pairs() * LANES);
        let (drifted, scratch) = scratch.split_at_mut(rows);
        let (sum, scratch) = scratch.split_at_mut(rows);
        let (place, scratch) = scratch.split_at_mut(rows);
        self.slope.slope_block(theta, gradient, scratch);
        displace(drifted, theta, gradient, -self.step);
        sum.copy_from_slice(normals);
        self.noise.apply_block(theta, sum, scratch);
        displace(place, drifted, sum, self.diffusion);
        self.slope.slope_block(place, gradient, scratch);
        if !self.additive {
            self.correct(Supports { theta, drifted, normals, pairs }, sum, place, scratch);
        }
        finish(theta, drifted, gradient, sum, [0.5 * self.step, self.diffusion]);
    }

    /// Turns Bξ into what stands in the scheme in its place: Bξ counts 1 − d/2 times, and the products with B at the
    /// supporting values a quarter each.
    fn correct(&self, at: Supports<'_>, sum: &mut [f64], place: &mut [f64], scratch: &mut [f64]) {
        let d = self.dimension();
        let (column, scratch) = scratch.split_at_mut(d * LANES);
        let (weights, scratch) = scratch.split_at_mut(d * LANES);
        let share = 1.0 - 0.5 * d as f64;
        sum.iter_mut().for_each(|value| *value *= share);
        for r in 0..d {
            column.fill(0.0);
            column[r * LANES..(r + 1) * LANES].fill(1.0);
            self.noise.apply_block(at.theta, column, scratch);
            for sign in [1.0, -1.0] {
                displace(place, at.drifted, column, sign * self.diffusion);
                own_weights(weights, at.normals, r, sign);
                self.noise.apply_block(place, weights, scratch);
                add_quarter(sum, weights);
                if d > 1 {
                    displace(place, at.theta, column, sign * self.diffusion);
                    cross_weights(weights, at.normals, at.pairs, r, sign);
                    self.noise.apply_block(place, weights, scratch);
                    add_quarter(sum, weights);
                }
            }
        }
    }
}

/// What the supporting values are made of: θ, θ + aδ, ξ and the rows whose signs are V.
struct Supports<'a> {
    theta: &'a [f64],
    drifted: &'a [f64],
    normals: &'a [f64],
    pairs: &'a [f64],
}

/// ξʳ ± ((ξʳ)² − 1) in row r, 0 elsewhere: what bʳ(R̄ʳ±)√δ/4 is multiplied by.
fn own_weights(weights: &mut [f64], normals: &[f64], r: usize, sign: f64) {
    weights.fill(0.0);
    let row = r * LANES..(r + 1) * LANES;
    for (weight, normal) in weights[row.clone()].iter_mut().zip(&normals[row]) {
        *weight = normal + sign * (normal * normal - 1.0);
    }
}

/// ξʲ ± (ξʲξʳ + V_{r,j}/δ) in every row j but r, where it is 0: what bʲ(Ūʳ±)√δ/4 is multiplied by.
fn cross_weights(weights: &mut [f64], normals: &[f64], pairs: &[f64], r: usize, sign: f64) {
    let of_r = &normals[r * LANES..(r + 1) * LANES];
    for (j, (weights, normals)) in weights.chunks_exact_mut(LANES).zip(normals.chunks_exact(LANES)).enumerate() {
        if j == r {
            weights.fill(0.0);
            continue;
        }
        let (low, high) = (r.min(j), r.max(j));
        let pair = high * (high - 1) / 2 + low;
        // V_{r,j} = −V_{j,r}.
        let orientation = if r < j { 1.0 } else { -1.0 };
        let signs = &pairs[pair * LANES..(pair + 1) * LANES];
        for (((weight, normal), other), drawn) in weights.iter_mut().zip(normals).zip(of_r).zip(signs) {
            *weight = normal + sign * (normal * other + orientation * 1.0f64.copysign(*drawn));
        }
    }
}

/// place = from + factor·along.
fn displace(place: &mut [f64], from: &[f64], along: &[f64], factor: f64) {
    vectorized(
        #[inline(always)]
        || {
            for ((place, from), along) in place.iter_mut().zip(from).zip(along) {
                *place = from + factor * along;
            }
        },
    );
}

fn add_quarter(sum: &mut [f64], weights: &[f64]) {
    for (sum, weight) in sum.iter_mut().zip(weights) {
        *sum += 0.25 * weight;
    }
}

/// θ ← ½(θ + (θ + aδ)) − ½δ∇L(Ῡ) + √(nδ)·sum: the mean of the two drifts, and the noise.
fn finish(theta: &mut [f64], drifted: &[f64], gradient: &[f64], sum: &[f64], [half, diffusion]: [f64; 2]) {
    vectorized(
        #[inline(always)]
        || {
            for (((x, drifted), g), z) in theta.iter_mut().zip(drifted).zip(gradient).zip(sum) {
                *x = 0.5 * (*x + drifted) - half * g + diffusion * z;
            }
        },
    );
}

impl Dynamics for Platen {
    fn dimension(&self) -> usize {
        self.slope.dimension()
    }

    fn step(&self) -> f64 {
        self.step
    }

    fn scheme(&self) -> Option<Scheme> {
        Some(Scheme::Platen)
    }

    fn block_scratch(&self) -> usize {
        (5 * self.dimension() + self.pairs()) * LANES + self.slope.block_scratch().max(self.noise.block_scratch())
    }

    fn advance(&self, block: &mut Block, steps: u64) {
        let pairs = self.pairs() * LANES;
        let rows = self.dimension() * LANES;
        for _ in 0..steps {
            block.increments.fill(&mut block.noise[..rows]);
            block.increments.fill(&mut block.scratch[..pairs]);
            self.step_on_drawn(block);
        }
    }
}
