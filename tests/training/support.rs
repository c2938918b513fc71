//! A network small enough to check by hand.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use sgd_sde::network::{
    Activation, Architecture, Batch, Examples, Initialization, Network, Objective, Real, Targets, Workspace,
};
use sgd_sde::training::{Control, Ensemble, Noise, Recipe, Schedule, Starts, TrainingData};

/// Examples of the training set.
pub const EXAMPLES: usize = 12;
pub const SEED: u64 = 5;

pub fn network() -> Network {
    let architecture = Architecture { widths: vec![2, 2, 2], activation: Activation::Tanh, bias: true };
    Network { architecture, objective: Objective::CrossEntropy, weight_decay: 0.3 }
}

pub fn examples<T: Real>(count: usize) -> Examples<T> {
    let inputs = (0..2 * count).map(|i| T::from_f64(((i * i * 37 + 11 * i) % 41) as f64 / 20.0 - 1.0)).collect();
    Examples::new(inputs, 2, Targets::Labels((0..count as u32).map(|i| i * 5 % 3 % 2).collect())).unwrap()
}

pub fn data<T: Real>() -> Arc<TrainingData<T>> {
    Arc::new(TrainingData { training: examples(EXAMPLES), test: Some(examples(7)) })
}

/// Weights where nothing is special.
pub fn weights<T: Real>() -> Vec<T> {
    Initialization::Normal(1.0).draw(&network().architecture, 3, 0)
}

pub fn recipe(learning_rate: f64, batch_size: usize, noise: Noise) -> Recipe {
    let (learning_rate, batch_size) = (Schedule::constant(learning_rate), Schedule::constant(batch_size));
    Recipe { learning_rate, batch_size, momentum: 0.0, noise }
}

pub fn ensemble<T: Real>(recipe: &Recipe, starts: Vec<Vec<T>>) -> Ensemble<T> {
    Ensemble::begin(&network(), data(), recipe, SEED, Starts::Given(starts), 0).unwrap()
}

pub fn advance<T: Real>(ensemble: &mut Ensemble<T>, epochs: f64) {
    ensemble.advance(epochs, &mut Control { monitor: &mut |_| (), stop: &AtomicBool::new(false) }).unwrap();
}

/// So many steps of batches of `size`.
pub fn steps<T: Real>(ensemble: &mut Ensemble<T>, steps: usize, size: usize) {
    advance(ensemble, (steps * size) as f64 / EXAMPLES as f64);
}

/// ∇ℓᵢ of these examples, one row each.
pub fn example_gradients(theta: &[f64], indices: &[u32]) -> Vec<Vec<f64>> {
    let (network, examples) = (network(), examples(EXAMPLES));
    let mut rows = vec![0.0; indices.len() * theta.len()];
    let workspace = &mut Workspace::new(&network, indices.len());
    network.example_gradients(theta, Batch::of(&examples, indices), &mut rows, workspace);
    rows.chunks_exact(theta.len()).map(<[f64]>::to_vec).collect()
}

/// (1/S) Σ ∇ℓᵢ, summed up by hand.
pub fn mean_gradient(theta: &[f64], indices: &[u32]) -> Vec<f64> {
    let rows = example_gradients(theta, indices);
    (0..theta.len()).map(|k| rows.iter().map(|row| row[k]).sum::<f64>() / rows.len() as f64).collect()
}

pub fn all() -> Vec<u32> {
    (0..EXAMPLES as u32).collect()
}

pub fn assert_near(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (k, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() < 1e-13, "weight {k}: {found} for {expected}");
    }
}
