//! Gradient noise: what turns standard normals into Δg ~ N(0, C(θ)).
//!
//! A noise is its factor B(θ) with BBᵀ = C, the covariance of the **per-example** gradient. It is applied to a vector
//! of normals (B·dW) and never taken as a matrix root during a run.

pub mod covariance;
pub mod example_gradients;
pub mod expression;
pub mod isotropic;
pub mod minibatch;
pub mod spec;
pub mod temperature;

use nalgebra::DMatrix;

use crate::lanes::LANES;
use crate::loss::finite_sum::gather;

pub use covariance::CovarianceSpec;
pub use expression::FormulaNoiseSpec;
pub use isotropic::IsotropicSpec;
pub use minibatch::{MinibatchSpec, TiltsSpec};
pub use spec::{NoiseError, NoiseSpec};
pub use temperature::TemperatureSpec;

/// The noise of the per-example gradient, as its factor B(θ).
pub trait GradientNoise: Send + Sync {
    /// Number of parameters d.
    fn dimension(&self) -> usize;

    /// C(θ) = B(θ)B(θ)ᵀ, d × d.
    fn covariance(&self, theta: &[f64]) -> DMatrix<f64>;

    /// σ² where C(θ) = σ²I for every θ, else `None`: only then is there a temperature T = nσ²/2.
    fn isotropic_variance(&self) -> Option<f64>;

    /// Whether C is the same for every θ (additive noise). Where it is not, the order in which a step's drift and noise
    /// are taken matters, and every formula for constant C is out of place.
    fn is_additive(&self) -> bool {
        self.isotropic_variance().is_some()
    }

    /// Writes tr C(θ), then eᵀC(θ)e for each of these unit vectors e, a row of [`LANES`] each, for a block of points.
    /// Of scratch it needs one number for every row beside [`GradientNoise::block_scratch`].
    ///
    /// By default by way of the full [`GradientNoise::covariance`], which allocates: noises that depend on θ have their own.
    fn variances_block(&self, theta: &[f64], directions: &[Vec<f64>], rows: &mut [f64], _scratch: &mut [f64]) {
        let mut point = vec![0.0; self.dimension()];
        for lane in 0..LANES {
            gather(theta, lane, &mut point);
            let covariance = self.covariance(&point);
            rows[lane] = covariance.trace();
            for (row, direction) in rows.chunks_exact_mut(LANES).skip(1).zip(directions) {
                let along = |(i, j)| direction[i] * covariance[(i, j)] * direction[j];
                let d = direction.len();
                row[lane] = (0..d).flat_map(|i| (0..d).map(move |j| (i, j))).map(along).sum();
            }
        }
    }

    /// How many numbers of scratch the block functions need.
    fn block_scratch(&self) -> usize {
        0
    }

    /// Replaces the standard normals of a block by B(θ) times them; layout as in [`crate::loss`].
    fn apply_block(&self, theta: &[f64], normals: &mut [f64], scratch: &mut [f64]);
}
