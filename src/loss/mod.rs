//! Losses L(θ): the trait that every loss implements, and one file per kind.
//!
//! A loss has a plain side for people and theory (one point at a time) and a block side for speed:
//! [`LANES`] points at once, laid out coordinate by coordinate, so that coordinate i of lane l is
//! `theta[i * LANES + l]`. The block functions default to a loop over the plain ones; [`kernel`] has the loop over steps in which
//! an ensemble spends its time.

pub mod closure;
pub(crate) mod curvature;
pub mod expression;
pub mod finite_sum;
pub mod function;
mod independence;
pub mod kernel;
pub mod matrix;
pub mod network;
pub mod quadratic;
pub mod regression;
mod scratch;
pub mod spec;
pub mod symmetry;
pub mod tilted;
pub mod tilts;
pub(crate) mod values;
pub mod wells;

use std::sync::Arc;

use nalgebra::DMatrix;

use self::finite_sum::FiniteSum;
use self::kernel::{Descent, advance_block};
use self::symmetry::Symmetry;

pub use crate::lanes::LANES;
pub use expression::ExpressionSpec;
pub use matrix::MatrixSpec;
pub use network::NetworkSpec;
pub use quadratic::QuadraticSpec;
pub use spec::{LossError, LossKind, LossSpec};
pub use wells::{WellSpec, WellsSpec};

/// A differentiable loss L: ℝᵈ → ℝ with exact gradient and Hessian.
pub trait Loss: Send + Sync {
    /// Number of parameters d.
    fn dimension(&self) -> usize;

    /// L(θ). Not finite where the loss is not defined.
    fn value(&self, theta: &[f64]) -> f64;

    /// Writes ∇L(θ), length d, into `gradient`.
    fn gradient(&self, theta: &[f64], gradient: &mut [f64]);

    /// H(θ) = ∇²L(θ), d × d and symmetric.
    fn hessian(&self, theta: &[f64]) -> DMatrix<f64>;

    /// The loss as a mean over examples, for those that are one: then there are minibatches.
    fn finite_sum(self: Arc<Self>) -> Option<Arc<dyn FiniteSum>> {
        None
    }

    /// Maps of θ that do not change the loss, for those that have any: a minimum then stands for all its images.
    fn symmetry(&self) -> Option<&Symmetry> {
        None
    }

    /// The centre m of a loss that is ½(θ − m)ᵀH(θ − m) + c everywhere: there is no other critical point to look for.
    fn center(&self) -> Option<Vec<f64>> {
        None
    }

    /// Places near which the loss is known to have minima, for those that are made of wells: the search begins there.
    fn likely_minima(&self) -> Vec<Vec<f64>> {
        Vec::new()
    }

    /// Steps by slopes alone after which a gradient flow that has not arrived goes on by implicit steps, which go as far as the flow is smooth,
    /// however stiff it is, and take a Hessian each: more of them where a Hessian is dear beside the slopes of a block.
    fn explicit_steps(&self) -> u32 {
        64
    }

    /// The coordinates in groups, such that L is a sum of functions of one group each: every coordinate once, each group ascending,
    /// the groups by their first coordinates. One group, unless the loss knows better.
    fn independent_coordinates(&self) -> Vec<Vec<usize>> {
        vec![(0..self.dimension()).collect()]
    }

    /// How many numbers of scratch the block functions need. The caller allocates them once.
    fn block_scratch(&self) -> usize {
        2 * self.dimension()
    }

    /// Writes ∇L for a block: `theta` and `gradient` hold `d * LANES` numbers, coordinate by coordinate.
    ///
    /// Lane by lane the result is bit for bit that of [`Loss::gradient`].
    fn gradient_block(&self, theta: &[f64], gradient: &mut [f64], scratch: &mut [f64]) {
        let d = self.dimension();
        let (point, slope) = scratch[..2 * d].split_at_mut(d);
        for lane in 0..LANES {
            for i in 0..d {
                point[i] = theta[i * LANES + lane];
            }
            self.gradient(point, slope);
            for i in 0..d {
                gradient[i * LANES + lane] = slope[i];
            }
        }
    }

    /// How many numbers of scratch [`Loss::hessian_product_block`] needs.
    fn hessian_product_scratch(&self) -> usize {
        2 * self.dimension()
    }

    /// Writes H(θ)·v for a block of points θ and directions v into `product`, all of `d * LANES` numbers.
    ///
    /// By default by way of the full [`Loss::hessian`], which is slow and allocates: losses that move by the modified equation
    /// ([`crate::dynamics::modified_equation`]) have their own.
    fn hessian_product_block(&self, theta: &[f64], direction: &[f64], product: &mut [f64], scratch: &mut [f64]) {
        let d = self.dimension();
        let (point, vector) = scratch[..2 * d].split_at_mut(d);
        for lane in 0..LANES {
            for i in 0..d {
                (point[i], vector[i]) = (theta[i * LANES + lane], direction[i * LANES + lane]);
            }
            let hessian = self.hessian(point);
            for i in 0..d {
                product[i * LANES + lane] = (0..d).map(|j| hessian[(i, j)] * vector[j]).sum();
            }
        }
    }

    /// Moves a block on by a noisy gradient step for every d rows of noise: θ ← (θ + diffusion·z) − drift·∇L(θ).
    ///
    /// Lane by lane the result is bit for bit what [`Loss::gradient`] gives in this formula.
    fn descend_block(&self, descent: Descent<'_>) {
        let Descent { theta, noise, step, gradient, scratch } = descent;
        for noise in noise.chunks_exact(self.dimension() * LANES) {
            self.gradient_block(theta, gradient, scratch);
            advance_block(theta, gradient, noise, step);
        }
    }

    /// Writes L for a block into `value`, length [`LANES`]; bit for bit that of [`Loss::value`].
    fn value_block(&self, theta: &[f64], value: &mut [f64], scratch: &mut [f64]) {
        let d = self.dimension();
        let point = &mut scratch[..d];
        for lane in 0..LANES {
            for i in 0..d {
                point[i] = theta[i * LANES + lane];
            }
            value[lane] = self.value(point);
        }
    }
}
