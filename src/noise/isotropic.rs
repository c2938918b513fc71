//! C = σ²I: the noise that the slide's formula assumes.

use nalgebra::DMatrix;

use super::GradientNoise;

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
        for normal in normals {
            *normal *= self.sigma;
        }
    }
}
