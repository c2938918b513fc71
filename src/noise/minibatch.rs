//! `noise.kind = "minibatch"`: real minibatches of synthetic examples ℓᵢ(θ) = L(θ) + ξᵢ·θ.

use std::sync::Arc;

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::covariance::{ConstantCovariance, CovarianceError, CovarianceSpec};
use super::isotropic::{Isotropic, IsotropicSpec};
use super::{GradientNoise, NoiseError};
use crate::input::{Integer, Table};
use crate::loss::finite_sum::FiniteSum;
use crate::loss::tilted::Tilted;
use crate::loss::tilts::Tilts;
use crate::loss::{Loss, MatrixSpec};
use crate::random::batches::Sampling;
use crate::theory::minibatch::finite_population;

/// The most examples: beyond, they would only take memory, and ξ keeps fewer bits the more there are.
pub const MOST_EXAMPLES: u64 = 1_000_000;

/// Synthetic examples and how batches are drawn from them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MinibatchSpec {
    /// How a batch is drawn.
    pub sampling: Sampling,
    /// N.
    pub examples: u64,
    /// Of the ξᵢ, which are drawn once and belong to the problem: the seed of the scenario does not change them.
    pub seed: u64,
    /// σ, for C = σ²I; or else `matrix`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sigma: Option<f64>,
    /// C, the covariance of ξ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matrix: Option<MatrixSpec>,
}

const SAMPLINGS: [(&str, Sampling); 3] = [
    ("with-replacement", Sampling::WithReplacement),
    ("without-replacement", Sampling::WithoutReplacement),
    ("epochs", Sampling::Epochs),
];

impl MinibatchSpec {
    pub(crate) fn read(table: &Table<'_>) -> Option<Self> {
        let sampling = table.optional_choice("sampling", "how a batch is drawn", &SAMPLINGS, &[]);
        let examples = Integer {
            what: "N, the number of examples,",
            example: "1000",
            range: 2..=MOST_EXAMPLES,
            reason: "one example has no noise; more than 10^6 would only take memory",
        };
        let examples = table.integer_or("examples", &examples, 1000);
        let seed = Integer { what: "the seed of the examples", example: "1", range: 0..=i64::MAX as u64, reason: "" };
        let seed = table.integer_or("seed", &seed, 1);
        let of_matrix = table.has("matrix") || table.has("diagonal");
        let (sigma, matrix) = if table.has("sigma") {
            if of_matrix {
                let message =
                    "found sigma beside a covariance; give sigma, for C = σ²I, or the covariance, and remove the other";
                table.problem("sigma", message);
                return None;
            }
            (Some(IsotropicSpec::read(table)?.sigma), None)
        } else if of_matrix {
            (None, Some(CovarianceSpec::read(table)?.matrix))
        } else {
            let message = "the size of the noise is missing; give sigma, for examples of covariance σ²I, or matrix or diagonal; \
                           add, for example, sigma = 1.0";
            table.problem_here(message);
            return None;
        };
        Some(Self { sampling: sampling?.unwrap_or_default(), examples: examples?, seed: seed?, sigma, matrix })
    }

    /// C, d × d; of another size if the matrix was given so.
    pub fn covariance(&self, dimension: usize) -> DMatrix<f64> {
        match (self.sigma, &self.matrix) {
            (Some(sigma), _) => DMatrix::identity(dimension, dimension) * (sigma * sigma),
            (None, Some(matrix)) => matrix.to_matrix(dimension),
            (None, None) => DMatrix::zeros(dimension, dimension),
        }
    }

    /// The loss as a mean over its examples.
    ///
    /// # Errors
    /// When C is no covariance of this dimension, or N is not above it; one of a scenario has been checked.
    pub fn sum(&self, loss: &Arc<dyn Loss>) -> Result<Arc<dyn FiniteSum>, NoiseError> {
        let tilts = Tilts::normal(&self.covariance(loss.dimension()), self.examples as usize, self.seed)?;
        Ok(Arc::new(Tilted::new(loss.clone(), tilts)?))
    }

    /// (N−S)/(N−1) where batches hold different examples, else 1. Of epochs it is what one batch by itself has.
    pub fn factor(&self, batch_size: u64) -> f64 {
        match self.sampling {
            Sampling::WithReplacement => 1.0,
            Sampling::WithoutReplacement | Sampling::Epochs => {
                finite_population(self.examples as usize, batch_size.min(self.examples) as usize)
            }
        }
    }

    /// Gaussian noise whose covariance, over S, is that of the gradient of a batch of S: C times [`MinibatchSpec::factor`].
    pub(crate) fn build(&self, dimension: usize, batch_size: u64) -> Result<Arc<dyn GradientNoise>, CovarianceError> {
        let factor = self.factor(batch_size);
        if let Some(sigma) = self.sigma {
            return Ok(Arc::new(Isotropic::new(dimension, sigma * factor.sqrt())));
        }
        let covariance = self.covariance(dimension);
        if covariance.nrows() != dimension {
            return Err(CovarianceError);
        }
        Ok(Arc::new(ConstantCovariance::new(covariance * factor)?))
    }
}
