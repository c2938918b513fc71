//! `noise.kind = "minibatch"`: real minibatches, of the examples that a loss is a mean over, or where it is none of synthetic ones
//! ℓᵢ(θ) = L(θ) + ξᵢ·θ.

use std::sync::Arc;

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::covariance::{ConstantCovariance, CovarianceError, CovarianceSpec};
use super::example_gradients::ExampleGradients;
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

/// How batches are drawn, and from which examples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MinibatchSpec {
    /// How a batch is drawn.
    pub sampling: Sampling,
    /// Synthetic examples; absent where the loss has its own.
    #[serde(flatten)]
    pub tilts: Option<TiltsSpec>,
}

/// Synthetic examples: tilts ξᵢ of a loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TiltsSpec {
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
    /// Reads the keys; `own` tells whether the loss has examples of its own, `None` where it is wrong, which has been told.
    pub(crate) fn read(table: &Table<'_>, own: Option<bool>) -> Option<Self> {
        const OF_TILTS: [&str; 5] = ["examples", "seed", "sigma", "matrix", "diagonal"];
        let sampling = table.optional_choice("sampling", "how a batch is drawn", &SAMPLINGS, &[]);
        if own == Some(true) || own.is_none() && !OF_TILTS.iter().any(|key| table.has(key)) {
            for key in OF_TILTS {
                table.refuse(key, "belongs to synthetic examples, but a network has those of [data]; remove the key");
            }
            return Some(Self { sampling: sampling?.unwrap_or_default(), tilts: None });
        }
        let tilts = TiltsSpec::read(table);
        Some(Self { sampling: sampling?.unwrap_or_default(), tilts: Some(tilts?) })
    }

    /// The loss as a mean over its examples.
    ///
    /// # Errors
    /// When C is no covariance of this dimension, N is not above it, or the loss has no examples; one of a scenario has been checked.
    pub fn sum(&self, loss: &Arc<dyn Loss>) -> Result<Arc<dyn FiniteSum>, NoiseError> {
        match &self.tilts {
            None => loss.clone().finite_sum().ok_or(NoiseError::NoExamples),
            Some(tilts) => Ok(Arc::new(Tilted::new(loss.clone(), tilts.draw(loss.dimension())?)?)),
        }
    }

    /// (N−S)/(N−1) where batches hold different ones of N examples, else 1. Of epochs it is what one batch by itself has.
    pub fn factor(&self, examples: u64, batch_size: u64) -> f64 {
        match self.sampling {
            Sampling::WithReplacement => 1.0,
            Sampling::WithoutReplacement | Sampling::Epochs => {
                finite_population(examples as usize, batch_size.min(examples) as usize)
            }
        }
    }

    /// Gaussian noise whose covariance, over S, is that of the gradient of a batch of S: C times [`MinibatchSpec::factor`].
    pub(crate) fn build(&self, loss: &Arc<dyn Loss>, batch_size: u64) -> Result<Arc<dyn GradientNoise>, NoiseError> {
        let Some(tilts) = &self.tilts else {
            let sum = self.sum(loss)?;
            let factor = self.factor(sum.examples() as u64, batch_size);
            return Ok(Arc::new(ExampleGradients::new(sum, factor)));
        };
        let (dimension, factor) = (loss.dimension(), self.factor(tilts.examples, batch_size));
        if let Some(sigma) = tilts.sigma {
            return Ok(Arc::new(Isotropic::new(dimension, sigma * factor.sqrt())));
        }
        let covariance = tilts.covariance(dimension);
        if covariance.nrows() != dimension {
            return Err(CovarianceError.into());
        }
        Ok(Arc::new(ConstantCovariance::new(covariance * factor)?))
    }
}

impl TiltsSpec {
    fn read(table: &Table<'_>) -> Option<Self> {
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
        Some(Self { examples: examples?, seed: seed?, sigma, matrix })
    }

    /// C, d × d; of another size if the matrix was given so.
    pub fn covariance(&self, dimension: usize) -> DMatrix<f64> {
        match (self.sigma, &self.matrix) {
            (Some(sigma), _) => DMatrix::identity(dimension, dimension) * (sigma * sigma),
            (None, Some(matrix)) => matrix.to_matrix(dimension),
            (None, None) => DMatrix::zeros(dimension, dimension),
        }
    }

    /// The ξᵢ.
    fn draw(&self, dimension: usize) -> Result<Tilts, NoiseError> {
        Ok(Tilts::normal(&self.covariance(dimension), self.examples as usize, self.seed)?)
    }
}
