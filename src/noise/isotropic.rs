//! C = σ²I: the noise that the slide's formula assumes.

use std::sync::Arc;

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::GradientNoise;
use crate::input::{Number, Table};
use crate::instructions::vectorized;
use crate::loss::finite_sum::{FiniteSum, example_trace};

/// Every coordinate of the per-example gradient has variance σ², independently.
#[derive(Clone, Debug)]
pub struct Isotropic {
    dimension: usize,
    sigma: f64,
}

impl Isotropic {
    /// Noise of standard deviation σ per coordinate in ℝᵈ.
    pub fn new(dimension: usize, sigma: f64) -> Self {
        Self { dimension, sigma }
    }

    /// Isotropic noise of the trace that the covariance of per-example gradients has at one place: σ² = tr C/d.
    pub fn of_equal_trace(sum: &dyn FiniteSum, theta: &[f64]) -> Self {
        let dimension = sum.dimension();
        Self::new(dimension, (example_trace(sum, theta) / dimension as f64).sqrt())
    }
}

impl GradientNoise for Isotropic {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn covariance(&self, _theta: &[f64]) -> DMatrix<f64> {
        DMatrix::identity(self.dimension, self.dimension) * (self.sigma * self.sigma)
    }

    fn isotropic_variance(&self) -> Option<f64> {
        Some(self.sigma * self.sigma)
    }

    fn apply_block(&self, _theta: &[f64], normals: &mut [f64], _scratch: &mut [f64]) {
        vectorized(
            #[inline(always)]
            || {
                for normal in normals {
                    *normal *= self.sigma;
                }
            },
        );
    }
}

/// `noise.kind = "isotropic"`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct IsotropicSpec {
    /// σ > 0.
    pub sigma: f64,
}

impl IsotropicSpec {
    pub(crate) fn read(table: &Table<'_>) -> Option<Self> {
        let what = "σ, the standard deviation of the per-example gradient in each coordinate,";
        Some(Self { sigma: table.number("sigma", &Number::positive(what, "2.0"))? })
    }

    pub(crate) fn build(self, dimension: usize) -> Arc<dyn GradientNoise> {
        Arc::new(Isotropic::new(dimension, self.sigma))
    }
}
