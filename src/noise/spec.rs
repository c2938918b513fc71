//! A noise as a scenario describes it: the register of kinds.
//!
//! To add a kind, write its file with a `read` and a `build` function, then add it to [`NoiseSpec`], its `build` and
//! to `KINDS`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::GradientNoise;
use super::covariance::{CovarianceError, CovarianceSpec};
use super::expression::FormulaNoiseSpec;
use super::isotropic::IsotropicSpec;
use super::minibatch::MinibatchSpec;
use super::temperature::TemperatureSpec;
use crate::input::Table;
use crate::loss::expression::FormulaError;
use crate::loss::tilted::TiltedError;
use crate::loss::tilts::TiltsError;
use crate::loss::{Loss, LossKind, LossSpec};

/// A noise as a scenario describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum NoiseSpec {
    /// C = σ²I.
    Isotropic(IsotropicSpec),
    /// A constant C.
    Covariance(CovarianceSpec),
    /// C(θ) = σ(θ)²I, σ a typed formula.
    Expression(FormulaNoiseSpec),
    /// T = nσ²/2 itself, for users who think in temperatures.
    Temperature(TemperatureSpec),
    /// Real minibatches, of the loss's own examples or of synthetic ones.
    Minibatch(MinibatchSpec),
}

/// A description that is of no noise.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NoiseError {
    /// The covariance.
    #[error(transparent)]
    Covariance(#[from] CovarianceError),
    /// The formula of σ.
    #[error("{0}")]
    Formula(FormulaError),
    /// The tilts of synthetic examples.
    #[error(transparent)]
    Tilts(#[from] TiltsError),
    /// Their number of coordinates.
    #[error(transparent)]
    Tilted(#[from] TiltedError),
    /// Minibatches of a loss that is no mean over examples.
    #[error("found minibatches of a loss that has no examples; give synthetic ones by noise.sigma, or take a network")]
    NoExamples,
}

/// The table `[noise]`, and the loss; `None` where that is wrong, which has been told.
type Reader = fn(&Table<'_>, Option<&LossSpec>) -> Option<NoiseSpec>;

const KINDS: [(&str, Reader); 5] = [
    ("isotropic", |table, _| IsotropicSpec::read(table).map(NoiseSpec::Isotropic)),
    ("covariance", |table, _| CovarianceSpec::read(table).map(NoiseSpec::Covariance)),
    ("expression", |table, loss| {
        FormulaNoiseSpec::read(table, loss.map(LossSpec::variables).as_deref()).map(NoiseSpec::Expression)
    }),
    ("temperature", |table, _| TemperatureSpec::read(table).map(NoiseSpec::Temperature)),
    ("minibatch", |table, loss| {
        let own = loss.map(|loss| matches!(loss.kind, LossKind::Network(_)));
        MinibatchSpec::read(table, own).map(NoiseSpec::Minibatch)
    }),
];

impl NoiseSpec {
    /// Reads the table `[noise]` beside a loss.
    pub(crate) fn read(table: &Table<'_>, loss: Option<&LossSpec>) -> Option<Self> {
        let read = table.choice("kind", "the kind of noise", &KINDS, &[])?;
        let noise = read(table, loss);
        table.finish();
        noise
    }

    /// The dimension, where the noise fixes one.
    pub fn dimension(&self) -> Option<usize> {
        match self {
            Self::Covariance(spec) => spec.matrix.dimension(),
            Self::Minibatch(spec) => spec.tilts.as_ref()?.matrix.as_ref()?.dimension(),
            Self::Isotropic(_) | Self::Expression(_) | Self::Temperature(_) => None,
        }
    }

    /// The noise itself for a loss on ℝᵈ, whose coordinates have these names. A temperature gives the noise that has it with n = 1,
    /// minibatches Gaussian noise of the covariance that a batch of `batch_size` examples has, times S; no other noise depends on S.
    ///
    /// # Errors
    /// When the covariance is not d × d, symmetric and positive definite, or σ is no formula of these names; one of a
    /// scenario has been checked.
    pub fn build(
        &self,
        loss: &Arc<dyn Loss>,
        variables: &[String],
        batch_size: u64,
    ) -> Result<Arc<dyn GradientNoise>, NoiseError> {
        let dimension = loss.dimension();
        match self {
            Self::Isotropic(spec) => Ok(spec.build(dimension)),
            Self::Covariance(spec) => Ok(spec.build(dimension)?),
            Self::Expression(spec) => spec.build(variables).map_err(NoiseError::Formula),
            Self::Temperature(spec) => Ok(spec.build(dimension)),
            Self::Minibatch(spec) => spec.build(loss, batch_size),
        }
    }
}
