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

    /// How many numbers of scratch [`GradientNoise::apply_block`] needs.
    fn block_scratch(&self) -> usize {
        0
    }

    /// Replaces the standard normals of a block by B(θ) times them; layout as in [`crate::loss`].
    fn apply_block(&self, theta: &[f64], normals: &mut [f64], scratch: &mut [f64]);
}
