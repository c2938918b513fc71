//! The kernel: noisy gradient steps of a block of trajectories, in which an ensemble spends its time.
//!
//! A block is [`LANES`] trajectories side by side, coordinate by coordinate, so that a row is a few vector registers and neighbours
//! in a row never meet. A call takes as many steps as it is given noise for:
//!
//! ```text
//!           lane      0     1     2   …  31
//! θ      row 0      │ θ₁  │ θ₁  │ θ₁  │ … │    in registers or the first-level cache during the whole call
//!        …
//!        row d−1    │ θ_d │ θ_d │ θ_d │ … │
//! noise  step 0     │ z₁  │ z₁  │ z₁  │ … │    row 0      drawn beforehand, some 8 kB at a time: what is drawn
//!                   …                          row d−1    is still in the cache when it is used
//!        step 1     │ z₁  │ z₁  │ z₁  │ … │
//!                   …
//!
//! for every step:  θ ← (θ + diffusion·z) − drift·∇L(θ)
//! ```
//!
//! The noise is added first: it waits for nothing, while the gradient waits for the step before. One function, `descend`, is this
//! loop; it is compiled once for every loss that implements [`LaneGradient`], with the gradient inlined, and for every instruction set
//! ([`crate::instructions`]). A dynamics calls it through one pointer per block and some dozens of steps. Each lane is computed by the
//! same operations in the same order, whatever its neighbours and the width of a register.

use super::LANES;
use crate::instructions::vectorized;

/// What a step multiplies ∇L and the noise by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepSize {
    /// δ, or η.
    pub drift: f64,
    /// √(nδ), or η/√S; where the noise is left as it was drawn, times σ.
    pub diffusion: f64,
}

/// A block of trajectories about to be moved on.
pub struct Descent<'a> {
    /// θ, d rows of [`LANES`].
    pub theta: &'a mut [f64],
    /// z, d rows for every step that is to be taken.
    pub noise: &'a [f64],
    /// What a step multiplies by.
    pub step: StepSize,
    /// Room for ∇L, d rows.
    pub gradient: &'a mut [f64],
    /// Room for the loss's block functions.
    pub scratch: &'a mut [f64],
}

/// A gradient at N points at once, which the kernel inlines.
pub trait LaneGradient {
    /// Writes ∇L at N points: `theta` and `gradient` hold d rows of N, coordinate by coordinate. To be marked `#[inline(always)]`.
    /// Loops over coordinates that end at `theta.len()` are unrolled where d = 1.
    fn gradient_of<const N: usize>(&self, theta: &[[f64; N]], gradient: &mut [[f64; N]], scratch: &mut [[f64; N]]);
}

/// [`super::Loss::gradient_block`] of a loss with a [`LaneGradient`].
pub fn gradient_block<G: LaneGradient>(loss: &G, theta: &[f64], gradient: &mut [f64], scratch: &mut [f64]) {
    vectorized(
        #[inline(always)]
        || {
            let (theta, gradient) = (theta.as_chunks::<LANES>().0, gradient.as_chunks_mut().0);
            loss.gradient_of(theta, gradient, scratch.as_chunks_mut().0);
        },
    );
}

/// [`super::Loss::descend_block`] of a loss with a [`LaneGradient`].
pub fn descend_block<G: LaneGradient>(loss: &G, descent: Descent<'_>) {
    vectorized(
        #[inline(always)]
        || descend::<G>(loss, descent),
    );
}

#[inline(always)]
fn descend<G: LaneGradient>(loss: &G, descent: Descent<'_>) {
    let Descent { theta, noise, step, gradient, scratch } = descent;
    let (theta, noise) = (theta.as_chunks_mut::<LANES>().0, noise.as_chunks::<LANES>().0);
    let (gradient, scratch) = (gradient.as_chunks_mut::<LANES>().0, scratch.as_chunks_mut().0);
    if let [only] = theta {
        // A variable of its own stays in registers from step to step.
        let mut x = *only;
        for z in noise {
            let mut slope = [0.0; LANES];
            loss.gradient_of(std::slice::from_ref(&x), std::slice::from_mut(&mut slope), scratch);
            advance(&mut x, &slope, z, step);
        }
        *only = x;
        return;
    }
    for noise in noise.chunks_exact(theta.len()) {
        loss.gradient_of(theta, gradient, scratch);
        for ((x, slope), z) in theta.iter_mut().zip(&*gradient).zip(noise) {
            advance(x, slope, z, step);
        }
    }
}

/// One coordinate, one step.
#[inline(always)]
pub(super) fn advance(x: &mut [f64; LANES], slope: &[f64; LANES], z: &[f64; LANES], step: StepSize) {
    for l in 0..LANES {
        x[l] = (x[l] + step.diffusion * z[l]) - step.drift * slope[l];
    }
}

/// One step of a block whose gradient has been computed.
pub(super) fn advance_block(theta: &mut [f64], gradient: &[f64], noise: &[f64], step: StepSize) {
    vectorized(
        #[inline(always)]
        || {
            let (gradient, noise) = (gradient.as_chunks().0, noise.as_chunks().0);
            for ((x, slope), z) in theta.as_chunks_mut().0.iter_mut().zip(gradient).zip(noise) {
                advance(x, slope, z, step);
            }
        },
    );
}
