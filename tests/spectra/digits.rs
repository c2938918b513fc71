//! The curvature of a network on the handwritten digits, against JAX's full Hessian and curvlinops.

use std::path::Path;

use serde::Deserialize;
use sgd_sde::data::{DataKind, DataSpec};
use sgd_sde::network::{Activation, Architecture, Batch, Examples, Network, Objective, Targets, Workspace};
use sgd_sde::spectrum::{LanczosPlan, MomentPlan, Products, eigenpairs, moments};

#[derive(Deserialize)]
struct Reference {
    widths: Vec<usize>,
    weight_decay: f64,
    jax: Values,
    curvlinops: Values,
}

#[derive(Deserialize)]
struct Values {
    loss: Option<f64>,
    largest: Vec<f64>,
    #[serde(default)]
    smallest: Vec<f64>,
    trace: f64,
    frobenius: f64,
}

fn near(found: f64, expected: f64, bound: f64) {
    assert!((found - expected).abs() < bound * expected.abs(), "{found} {expected}");
}

#[test]
fn a_network_on_digits_has_the_curvature_of_jax_and_curvlinops() {
    let reference: Reference = serde_json::from_str(include_str!("digits.json")).unwrap();
    let architecture = Architecture { widths: reference.widths, activation: Activation::Tanh, bias: true };
    let network = Network { architecture, objective: Objective::CrossEntropy, weight_decay: reference.weight_decay };
    let theta: Vec<f64> = (0..network.parameters()).map(|k| 0.3 * (0.37 * k as f64 + 1.0).sin()).collect();
    let digits = DataSpec::new(DataKind::Digits).load(1, Path::new("")).unwrap().training;
    let inputs = digits.inputs().iter().map(|x| x / 16.0).collect();
    let labels = digits.labels().unwrap().to_vec();
    let examples = Examples::new(inputs, 64, Targets::Labels(labels)).unwrap();
    let mut workspace = Workspace::new(&network, 256);
    let loss = network.loss(&theta, Batch::all(&examples), &mut workspace);
    near(loss, reference.jax.loss.unwrap(), 1e-12);

    let full = network.hessian(&theta, Batch::all(&examples), &mut workspace);
    let product = |v: &[f64], out: &mut [f64]| {
        network.hessian_product(&theta, Batch::all(&examples), v, out, &mut workspace);
    };
    let mut hessian = Products::new(theta.len(), product);
    let largest = eigenpairs(&mut hessian, &LanczosPlan::largest(5)).unwrap();
    let smallest = eigenpairs(&mut hessian, &LanczosPlan::smallest(5)).unwrap();
    assert!(largest.converged && smallest.converged);
    let scale = reference.jax.largest[0];
    for peer in [&reference.jax, &reference.curvlinops] {
        assert_eq!(peer.largest.len(), 5);
        for (found, expected) in largest.values().iter().zip(&peer.largest) {
            assert!((found - expected).abs() < 1e-6 * scale, "{found} {expected}");
        }
        near(full.trace(), peer.trace, 1e-9);
        near(full.norm(), peer.frobenius, 1e-9);
    }
    for (found, expected) in smallest.values().iter().zip(&reference.jax.smallest) {
        assert!((found - expected).abs() < 1e-6 * scale, "{found} {expected}");
    }

    // One product a coordinate makes the estimates exact.
    let plan = MomentPlan { exact_up_to: theta.len(), ..MomentPlan::default() };
    let exact = moments(&mut hessian, &plan).unwrap();
    near(exact.trace.value, reference.jax.trace, 1e-6);
    near(exact.frobenius().unwrap().value, reference.jax.frobenius, 1e-6);
    assert_eq!(exact.trace.standard_error, 0.0);
}
