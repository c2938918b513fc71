//! Noise of the minibatch gradient at points of a training.

use serde::{Deserialize, Serialize};

use super::MeasureRecord;

/// What noise and curvature are at one θ, and the batches that were drawn there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GradientNoiseRecord {
    /// Where: epoch and replica.
    pub place: String,
    /// After so many epochs.
    pub epoch: f64,
    /// Of which replica.
    pub replica: u64,
    /// tr C, λ₁(C) and so on: exact ones have the error 0.
    pub spectra: Vec<MeasureRecord>,
    /// One row per batch size.
    pub batches: Vec<BatchNoiseRecord>,
}

/// The noise of batches of one size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchNoiseRecord {
    /// S.
    pub size: u64,
    /// Batches whose gradients were taken.
    pub gradients: u64,
    /// Batches of which the projections alone were.
    pub draws: u64,
    /// What was measured of them, beside what was predicted.
    pub measures: Vec<PredictedMeasureRecord>,
}

/// A quantity, predicted and measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictedMeasureRecord {
    /// Of what.
    pub quantity: String,
    /// By the theory.
    pub predicted: Option<f64>,
    /// Between which two numbers the prediction is known to lie, itself in the middle; absent where it is exact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicted_bounds: Option<[f64; 2]>,
    /// By the batches.
    pub measured: Option<f64>,
    /// Of the measured one, between groups of batches.
    pub standard_error: Option<f64>,
}

/// Distribution functions of standardised projections of the noise, size by size.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantilesFigure {
    /// One per place and batch size.
    pub panels: Vec<QuantilePanel>,
}

/// The law at one place and one batch size.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantilePanel {
    /// Epoch and replica.
    pub place: String,
    /// S.
    pub size: u64,
    /// By rising value.
    pub points: Vec<QuantilePoint>,
}

/// A distribution function at one value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuantilePoint {
    /// In standard deviations.
    pub value: f64,
    /// Measured probability to be at most there.
    pub probability: f64,
    /// Of it, between groups of batches.
    pub standard_error: f64,
    /// From the gradients of single examples; none where it is not known to a fifth of the smaller tail.
    pub predicted: Option<f64>,
}

/// The largest eigenvalues of the Hessian and of the noise.
#[derive(Clone, Debug, PartialEq)]
pub struct EigenvaluesFigure {
    /// One per place.
    pub panels: Vec<EigenvaluePanel>,
}

/// At one place.
#[derive(Clone, Debug, PartialEq)]
pub struct EigenvaluePanel {
    /// Epoch and replica.
    pub place: String,
    /// Of H: eigenvalue and the bound of its error, descending.
    pub hessian: Vec<[f64; 2]>,
    /// Of C.
    pub noise: Vec<[f64; 2]>,
}
