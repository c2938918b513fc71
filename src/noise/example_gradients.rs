//! The noise of examples whose gradients depend on θ, as those of a network: C(θ) = (1/N) Σ (∇ℓᵢ − ∇L)(∇ℓᵢ − ∇L)ᵀ.

use std::sync::Arc;

use nalgebra::DMatrix;

use super::GradientNoise;
use crate::lanes::LANES;
use crate::loss::finite_sum::{FiniteSum, example_covariance, example_variances, gather};

/// Noise with `factor` times the covariance of the example gradients of a loss.
///
/// Theory reads C(θ) from it. Dynamics take the examples themselves instead: minibatches, or N normals
/// ([`crate::dynamics::example_noise`]), since a factor with d columns takes a matrix root for every θ.
#[derive(Clone)]
pub struct ExampleGradients {
    sum: Arc<dyn FiniteSum>,
    factor: f64,
}

impl ExampleGradients {
    /// `factor` is 1, or (N−S)/(N−1) for batches of different examples.
    pub fn new(sum: Arc<dyn FiniteSum>, factor: f64) -> Self {
        Self { sum, factor }
    }
}

impl GradientNoise for ExampleGradients {
    fn dimension(&self) -> usize {
        self.sum.dimension()
    }

    fn covariance(&self, theta: &[f64]) -> DMatrix<f64> {
        example_covariance(self.sum.as_ref(), theta) * self.factor
    }

    fn isotropic_variance(&self) -> Option<f64> {
        None
    }

    /// From the examples' gradients, without the matrix: 2N of them a lane.
    fn variances_block(&self, theta: &[f64], directions: &[Vec<f64>], rows: &mut [f64], scratch: &mut [f64]) {
        let (point, scratch) = scratch.split_at_mut(self.dimension());
        let (mean, scratch) = scratch.split_at_mut(self.dimension());
        let own = &mut scratch[..1 + directions.len()];
        for lane in 0..LANES {
            gather(theta, lane, point);
            example_variances(self.sum.as_ref(), point, directions, mean, own);
            for (row, variance) in rows.chunks_exact_mut(LANES).zip(&*own) {
                row[lane] = self.factor * variance;
            }
        }
    }

    /// θ and ∇L of one lane.
    fn block_scratch(&self) -> usize {
        2 * self.dimension()
    }

    /// By the symmetric root of C(θ) in every lane, which exists where C is singular too: slow, and for whoever has no use of N normals.
    fn apply_block(&self, theta: &[f64], normals: &mut [f64], _scratch: &mut [f64]) {
        let d = self.dimension();
        for lane in 0..LANES {
            let of_lane = |rows: &[f64]| rows.iter().skip(lane).step_by(LANES).copied().collect::<Vec<f64>>();
            let eigen = self.covariance(&of_lane(theta)).symmetric_eigen();
            let mut along = eigen.eigenvectors.tr_mul(&nalgebra::DVector::from_vec(of_lane(normals)));
            for (part, value) in along.iter_mut().zip(&eigen.eigenvalues) {
                *part *= value.max(0.0).sqrt();
            }
            let noise = &eigen.eigenvectors * along;
            for i in 0..d {
                normals[i * LANES + lane] = noise[i];
            }
        }
    }
}
