//! How a network is trained.

use super::Schedule;
use crate::network::Network;
use crate::random::batches::{BatchError, BatchPlan, Sampling};

/// Learning rate, batch size, momentum and noise.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// η > 0.
    pub learning_rate: Schedule<f64>,
    /// S ≥ 1: the size of minibatches, or the S of the noise that stands for theirs.
    pub batch_size: Schedule<usize>,
    /// μ, from 0 to below 1; 0 is plain SGD.
    pub momentum: f64,
    /// What makes a step random.
    pub noise: Noise,
}

/// What makes a step random; the table in [`crate::training`] says what each does.
#[derive(Clone, Debug, PartialEq)]
pub enum Noise {
    /// Minibatches, the algorithm itself.
    Minibatch(Sampling),
    /// Normals with the covariance of the example gradients at the present weights, C(θ)/S.
    ExampleGaussian,
    /// The same with the covariance C(θ*)/S at these weights for ever.
    FrozenGaussian(Vec<f64>),
    /// Normals of variance σ²/S in every direction; of equal trace with the others where σ² = tr C/d.
    Isotropic {
        /// σ² ≥ 0.
        variance: f64,
    },
    /// None: gradient descent.
    None,
    /// SVAG(l) (Li, Malladi & Arora 2021, arXiv:2102.12470), steps of η/l.
    Svag {
        /// How batches are drawn; two of an epoch are dependent, so not in epochs.
        sampling: Sampling,
        /// l ≥ 1; SGD for 1, the SDE for l → ∞.
        amplification: u32,
    },
}

/// A recipe that cannot be followed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RecipeError {
    /// η.
    #[error("found a learning rate of {0}; it must be a number above 0")]
    LearningRate(f64),
    /// μ.
    #[error("found a momentum of {0}; it must be at least 0 and below 1")]
    Momentum(f64),
    /// S, or S and N.
    #[error(transparent)]
    Batches(#[from] BatchError),
    /// σ².
    #[error("found a variance of {0} for isotropic noise; it must be a number from 0")]
    Variance(f64),
    /// l = 0.
    #[error("found an amplification of 0 for SVAG; its l is at least 1")]
    Amplification,
    /// SVAG in epochs.
    #[error(
        "SVAG takes two independent batches at every step, and those of an epoch are dependent; draw them with or without replacement"
    )]
    DependentBatches,
    /// θ* of another network.
    #[error("found {found} weights at which the noise is to be frozen; the network has {expected}")]
    FrozenLength {
        /// Length of θ*.
        found: usize,
        /// d.
        expected: usize,
    },
    /// θ* with something else than numbers.
    #[error("found {value} at place {place} of the weights at which the noise is to be frozen; they must be finite")]
    FrozenValue {
        /// Index into θ*.
        place: usize,
        /// What is there.
        value: f64,
    },
}

impl Noise {
    /// How minibatches are drawn, where there are any.
    pub fn sampling(&self) -> Option<Sampling> {
        match self {
            Self::Minibatch(sampling) | Self::Svag { sampling, .. } => Some(*sampling),
            Self::ExampleGaussian | Self::FrozenGaussian(_) | Self::Isotropic { .. } | Self::None => None,
        }
    }

    /// How many epochs go through the SDE time of one epoch of SGD with the same η and S: l for SVAG(l), else 1.
    pub fn epochs_per_epoch(&self) -> u64 {
        match self {
            Self::Svag { amplification, .. } => u64::from(*amplification),
            _ => 1,
        }
    }

    /// How many normals a step takes of N examples and d parameters.
    pub(super) fn normals(&self, examples: usize, parameters: usize) -> usize {
        match self {
            Self::ExampleGaussian | Self::FrozenGaussian(_) => examples,
            Self::Isotropic { .. } => parameters,
            Self::Minibatch(_) | Self::None | Self::Svag { .. } => 0,
        }
    }

    fn check(&self, network: &Network) -> Result<(), RecipeError> {
        match self {
            Self::Isotropic { variance } if !(*variance >= 0.0 && variance.is_finite()) => {
                Err(RecipeError::Variance(*variance))
            }
            Self::Svag { amplification: 0, .. } => Err(RecipeError::Amplification),
            Self::Svag { sampling: Sampling::Epochs, .. } => Err(RecipeError::DependentBatches),
            Self::FrozenGaussian(at) if at.len() != network.parameters() => {
                Err(RecipeError::FrozenLength { found: at.len(), expected: network.parameters() })
            }
            Self::FrozenGaussian(at) => match at.iter().position(|value| !value.is_finite()) {
                Some(place) => Err(RecipeError::FrozenValue { place, value: at[place] }),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

impl Recipe {
    /// Whether a network can be trained so on N examples.
    ///
    /// # Errors
    /// When a number is out of its range or batches cannot be drawn.
    pub fn check(&self, network: &Network, examples: usize) -> Result<(), RecipeError> {
        if let Some(rate) = self.learning_rate.values().find(|rate| !(*rate > 0.0 && rate.is_finite())) {
            return Err(RecipeError::LearningRate(rate));
        }
        if !(0.0..1.0).contains(&self.momentum) {
            return Err(RecipeError::Momentum(self.momentum));
        }
        self.noise.check(network)?;
        for size in self.batch_size.values() {
            BatchPlan::new(self.noise.sampling().unwrap_or_default(), examples, size)?;
        }
        Ok(())
    }
}
