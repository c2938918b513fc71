//! From data sets to what networks take.

use crate::data::{Dataset, Targets as DataTargets};
use crate::network::{Examples, ExamplesError, MismatchError, Network, Objective, Real, Targets};

/// What a network is trained on, and what it is tested on.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingData<T> {
    /// The N examples of L.
    pub training: Examples<T>,
    /// Others, never trained on.
    pub test: Option<Examples<T>>,
}

/// A data set that a network does not take.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DataMismatch {
    /// Cross-entropy of real targets.
    #[error(
        "found real targets for cross-entropy, which needs a class per example; take the squared error, or data with labels"
    )]
    Values,
    /// Classes that the network has no output for, or outputs without a class.
    #[error(
        "found {found} classes or targets per example for a network with {expected} outputs; change the last width to {found}"
    )]
    Outputs {
        /// Of the data.
        found: usize,
        /// Of the network.
        expected: usize,
    },
    /// A number that single precision cannot hold.
    #[error(
        "found {value:e} as {what} of example {example}, which single precision cannot hold; standardise the data or use double precision"
    )]
    TooLarge {
        /// The number.
        value: f64,
        /// "input 3" or "target 0".
        what: String,
        /// Which example of the set, from 0.
        example: usize,
    },
    /// Parts that do not belong together.
    #[error(transparent)]
    Examples(#[from] ExamplesError),
    /// Widths of another network.
    #[error(transparent)]
    Network(#[from] MismatchError),
}

impl<T: Real> TrainingData<T> {
    /// Of data sets.
    ///
    /// # Errors
    /// As for [`examples`].
    pub fn new(network: &Network, training: &Dataset, test: Option<&Dataset>) -> Result<Self, DataMismatch> {
        let test = test.map(|test| examples(network, test)).transpose()?;
        Ok(Self { training: examples(network, training)?, test })
    }
}

/// The examples of a data set in the precision of a network. Under squared error a class stands for 1 at its place among zeros.
///
/// # Errors
/// When the network has another number of inputs or outputs, cross-entropy meets real targets, or a number is too large for T.
pub fn examples<T: Real>(network: &Network, dataset: &Dataset) -> Result<Examples<T>, DataMismatch> {
    let width = dataset.features();
    let inputs = numbers(dataset.inputs(), width, "input")?;
    let targets = match dataset.targets() {
        DataTargets::Labels { labels, .. } => Targets::Labels(labels.clone()),
        DataTargets::Values { .. } if network.objective == Objective::CrossEntropy => return Err(DataMismatch::Values),
        DataTargets::Values { values, outputs } => Targets::Values(numbers(values, *outputs, "target")?, *outputs),
    };
    let (found, expected) = (dataset.outputs(), network.architecture.outputs());
    let examples = Examples::new(inputs, width, targets)?;
    if found != expected {
        return Err(DataMismatch::Outputs { found, expected });
    }
    network.accepts(&examples)?;
    Ok(examples)
}

fn numbers<T: Real>(values: &[f64], width: usize, what: &str) -> Result<Vec<T>, DataMismatch> {
    let converted: Vec<T> = values.iter().map(|&value| T::from_f64(value)).collect();
    match converted.iter().position(|value| !value.to_f64().is_finite()) {
        None => Ok(converted),
        Some(place) => Err(DataMismatch::TooLarge {
            value: values[place],
            what: format!("{what} {}", place % width.max(1)),
            example: place / width.max(1),
        }),
    }
}
