//! The stochastic modified equation of SGD, dθ = −∇(L + (η/4)|∇L|²) dt + √n B(θ) dW: a weak approximation of SGD of second order in η
//! at fixed S, where the SDE without the second term is of first order.
//!
//! Its drift is −∇L − (η/2)H∇L, one gradient and one Hessian product. It is integrated by Platen's explicit scheme ([`super::platen`]):
//! weak order 2 in δ, two slopes a step. Itô. At fixed n instead of fixed S the second order would need √n(I + ηH/2)B too.
//!
//! Source: Li, Tai & E 2017 (ICML) and 2019 (JMLR 20, 40).

use std::sync::Arc;

use super::platen::Platen;
use super::slope::Slope;
use super::{Block, Dynamics};
use crate::instructions::vectorized;
use crate::loss::{LANES, Loss};
use crate::noise::GradientNoise;

/// The modified equation of second order, by Platen's scheme with a fixed step.
#[derive(Clone)]
pub struct ModifiedEquation {
    pub(super) platen: Platen,
}

impl ModifiedEquation {
    /// That of SGD with learning rate η and batch size S, stepped by δ.
    pub fn new(
        loss: Arc<dyn Loss>,
        noise: Arc<dyn GradientNoise>,
        learning_rate: f64,
        batch_size: f64,
        step: f64,
    ) -> Self {
        let slope = ModifiedSlope { loss, half_rate: 0.5 * learning_rate };
        Self { platen: Platen::of(Arc::new(slope), noise, learning_rate / batch_size, step) }
    }
}

impl Dynamics for ModifiedEquation {
    fn dimension(&self) -> usize {
        self.platen.dimension()
    }

    fn step(&self) -> f64 {
        self.platen.step()
    }

    fn block_scratch(&self) -> usize {
        self.platen.block_scratch()
    }

    fn advance(&self, block: &mut Block, steps: u64) {
        self.platen.advance(block, steps);
    }
}

/// ∇L + (η/2)H∇L.
struct ModifiedSlope {
    loss: Arc<dyn Loss>,
    /// η/2.
    half_rate: f64,
}

impl Slope for ModifiedSlope {
    fn dimension(&self) -> usize {
        self.loss.dimension()
    }

    fn block_scratch(&self) -> usize {
        self.dimension() * LANES + self.loss.block_scratch().max(self.loss.hessian_product_scratch())
    }

    fn slope_block(&self, theta: &[f64], slope: &mut [f64], scratch: &mut [f64]) {
        let (product, scratch) = scratch.split_at_mut(self.dimension() * LANES);
        self.loss.gradient_block(theta, slope, scratch);
        self.loss.hessian_product_block(theta, slope, product, scratch);
        vectorized(
            #[inline(always)]
            || {
                for (slope, product) in slope.iter_mut().zip(&*product) {
                    *slope += self.half_rate * product;
                }
            },
        );
    }
}
