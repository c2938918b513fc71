//! A noise as a scenario describes it: the register of kinds.
//!
//! To add a kind, write its file with a `read` and a `build` function, then add it to [`NoiseSpec`], its `build` and
//! to [`KINDS`].

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::GradientNoise;
use super::covariance::{CovarianceError, CovarianceSpec};
use super::isotropic::IsotropicSpec;
use super::temperature::TemperatureSpec;
use crate::input::Table;

/// A noise as a scenario describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum NoiseSpec {
    /// C = σ²I.
    Isotropic(IsotropicSpec),
    /// A constant C.
    Covariance(CovarianceSpec),
    /// T = nσ²/2 itself, for users who think in temperatures.
    Temperature(TemperatureSpec),
}

type Reader = fn(&Table<'_>) -> Option<NoiseSpec>;

const KINDS: [(&str, Reader); 3] = [
    ("isotropic", |table| IsotropicSpec::read(table).map(NoiseSpec::Isotropic)),
    ("covariance", |table| CovarianceSpec::read(table).map(NoiseSpec::Covariance)),
    ("temperature", |table| TemperatureSpec::read(table).map(NoiseSpec::Temperature)),
];

/// Kinds of later versions.
const LATER: [&str; 2] = ["expression", "minibatch"];

impl NoiseSpec {
    /// Reads the table `[noise]`.
    pub(crate) fn read(table: &Table<'_>) -> Option<Self> {
        let read = table.choice("kind", "the kind of noise", &KINDS, &LATER)?;
        let noise = read(table);
        table.finish();
        noise
    }

    /// The dimension, where the noise fixes one.
    pub fn dimension(&self) -> Option<usize> {
        match self {
            Self::Covariance(spec) => spec.matrix.dimension(),
            Self::Isotropic(_) | Self::Temperature(_) => None,
        }
    }

    /// The noise itself in ℝᵈ. A temperature gives the noise that has it with n = 1.
    ///
    /// # Errors
    /// When the covariance is not d × d, symmetric and positive definite; one of a scenario has been checked.
    pub fn build(&self, dimension: usize) -> Result<Arc<dyn GradientNoise>, CovarianceError> {
        match self {
            Self::Isotropic(spec) => Ok(spec.build(dimension)),
            Self::Covariance(spec) => spec.build(dimension),
            Self::Temperature(spec) => Ok(spec.build(dimension)),
        }
    }
}
