//! Inputs of mean 0 and variance 1, by the training examples alone: what is tested on must not be learned from.

use serde::{Deserialize, Serialize};

use super::dataset::Dataset;

/// Which inputs are brought to mean 0 and variance 1 together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standardize {
    /// None: inputs stay as they are.
    #[default]
    None,
    /// Each feature by itself. One that is the same in all training examples is only shifted.
    Features,
    /// All features as one, so that images stay images.
    Global,
}

/// What was subtracted from each feature, and by what it was then divided.
#[derive(Clone, Debug, PartialEq)]
pub struct Standardization {
    /// p means, in the units of the file.
    pub means: Vec<f64>,
    /// p standard deviations (divisor N), in the units of the file; 1 for a feature that never varies.
    pub deviations: Vec<f64>,
}

impl Standardization {
    /// The statistics of a data set; `None` where nothing is to be done.
    pub(super) fn measure(how: Standardize, data: &Dataset) -> Option<Self> {
        let p = data.features();
        match how {
            Standardize::None => None,
            Standardize::Features => {
                let (means, deviations) = features(data.inputs(), p);
                Some(Self { means, deviations })
            }
            Standardize::Global => {
                let (means, deviations) = features(data.inputs(), 1);
                Some(Self { means: vec![means[0]; p], deviations: vec![deviations[0]; p] })
            }
        }
    }

    pub(super) fn apply(&self, data: &mut Dataset) {
        for row in data.inputs.chunks_mut(self.means.len()) {
            for ((x, mean), deviation) in row.iter_mut().zip(&self.means).zip(&self.deviations) {
                *x = (*x - mean) / deviation;
            }
        }
    }
}

/// Means and standard deviations of the columns of a matrix that is given row by row.
fn features(inputs: &[f64], p: usize) -> (Vec<f64>, Vec<f64>) {
    let count = (inputs.len() / p) as f64;
    let mut means = vec![0.0; p];
    for row in inputs.chunks(p) {
        means.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
    }
    means.iter_mut().for_each(|sum| *sum /= count);
    let mut deviations = vec![0.0; p];
    for row in inputs.chunks(p) {
        for ((sum, x), mean) in deviations.iter_mut().zip(row).zip(&means) {
            *sum += (x - mean) * (x - mean);
        }
    }
    for (column, deviation) in deviations.iter_mut().enumerate() {
        *deviation = (*deviation / count).sqrt();
        // The mean of equal numbers may be rounded, and its distance from them must not be taken for their spread.
        let first = inputs[column];
        if *deviation == 0.0 || inputs.iter().skip(column).step_by(p).all(|&x| x == first) {
            (means[column], *deviation) = (first, 1.0);
        }
    }
    (means, deviations)
}
