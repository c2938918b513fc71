//! The cases of reference.json.

use serde::Deserialize;
use sgd_sde::network::{Activation, Architecture, Examples, Network, Objective, Real, Targets};

/// A network at some weights, and what JAX says of it.
#[derive(Deserialize)]
pub struct Case {
    pub name: String,
    pub widths: Vec<usize>,
    pub activation: Activation,
    pub bias: bool,
    pub objective: Objective,
    pub weight_decay: f64,
    pub inputs: Vec<f64>,
    #[serde(default)]
    pub labels: Vec<u32>,
    #[serde(default)]
    pub values: Vec<f64>,
    pub theta: Vec<f64>,
    pub direction: Vec<f64>,
    pub double: Values,
    pub single: Values,
}

#[derive(Deserialize)]
pub struct Values {
    pub loss: f64,
    pub gradient: Vec<f64>,
    pub example_gradients: Vec<f64>,
    pub hessian_product: Vec<f64>,
    pub hessian: Vec<f64>,
}

pub fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("reference.json")).unwrap()
}

pub fn numbers<T: Real>(numbers: &[f64]) -> Vec<T> {
    numbers.iter().map(|&x| T::from_f64(x)).collect()
}

impl Case {
    pub fn network(&self) -> Network {
        let architecture = Architecture { widths: self.widths.clone(), activation: self.activation, bias: self.bias };
        Network { architecture, objective: self.objective, weight_decay: self.weight_decay }
    }

    pub fn examples<T: Real>(&self) -> Examples<T> {
        let targets = if self.labels.is_empty() {
            Targets::Values(numbers(&self.values), self.widths[self.widths.len() - 1])
        } else {
            Targets::Labels(self.labels.clone())
        };
        Examples::new(numbers(&self.inputs), self.widths[0], targets).unwrap()
    }
}

/// The largest difference, in units of the largest number (at least 1).
pub fn distance<T: Real>(found: &[T], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let size = expected.iter().fold(1.0f64, |size, x| size.max(x.abs()));
    found.iter().zip(expected).map(|(x, y)| (x.to_f64() - y).abs()).fold(0.0, f64::max) / size
}
