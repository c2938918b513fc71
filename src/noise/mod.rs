//! Gradient noise: what turns standard normals into Δg ~ N(0, C(θ)).
//!
//! A noise is its factor B(θ) with BBᵀ = C, the covariance of the **per-example** gradient. It is applied to a vector
//! of normals (B·dW) and never taken as a matrix root during a run.

pub mod covariance;
pub mod isotropic;

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::loss::MatrixSpec;

/// The noise of the per-example gradient, as its factor B(θ).
pub trait GradientNoise: Send + Sync {
    /// Number of parameters d.
    fn dimension(&self) -> usize;

    /// C(θ) = B(θ)B(θ)ᵀ, d × d.
    fn covariance(&self, theta: &[f64]) -> DMatrix<f64>;

    /// σ² where C(θ) = σ²I for every θ, else `None`: only then is there a temperature T = nσ²/2.
    fn isotropic_variance(&self) -> Option<f64>;

    /// How many numbers of scratch [`GradientNoise::apply_block`] needs.
    fn block_scratch(&self) -> usize {
        0
    }

    /// Replaces the standard normals of a block by B(θ) times them; layout as in [`crate::loss`].
    fn apply_block(&self, theta: &[f64], normals: &mut [f64], scratch: &mut [f64]);
}

/// A noise as a scenario describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum NoiseSpec {
    /// C = σ²I.
    Isotropic {
        /// σ > 0.
        sigma: f64,
    },
    /// A constant C.
    Covariance {
        /// C: a diagonal or a matrix.
        matrix: MatrixSpec,
    },
    /// T = nσ²/2 itself, for users who think in temperatures.
    Temperature {
        /// T > 0, in units of the loss.
        value: f64,
    },
}
