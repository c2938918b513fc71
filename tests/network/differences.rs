//! Against central differences, which know nothing of how a pass goes back.

use sgd_sde::network::{Batch, Workspace};

use crate::support::{cases, distance};

/// Error of a central difference with this step: some 1e-10 by truncation, as much by rounding.
const STEP: f64 = 1e-5;

#[test]
fn gradients_are_differences_of_losses() {
    for case in cases() {
        let (network, examples) = (case.network(), case.examples());
        // Some examples, one of them twice.
        let chosen = [3, 0, 6, 3];
        let batch = Batch::of(&examples, &chosen);
        let workspace = &mut Workspace::new(&network, 4);
        let mut gradient = vec![0.0; network.parameters()];
        network.gradient(&case.theta, batch, &mut gradient, workspace);
        let mut theta = case.theta.clone();
        let differences: Vec<f64> = (0..theta.len())
            .map(|k| {
                let mut at = |shift: f64| {
                    theta[k] = case.theta[k] + shift;
                    network.loss(&theta, batch, workspace)
                };
                let difference = (at(STEP) - at(-STEP)) / (2.0 * STEP);
                theta[k] = case.theta[k];
                difference
            })
            .collect();
        let distance = distance(&gradient, &differences);
        assert!(distance < 1e-8, "{}: {distance:e}", case.name);
    }
}

#[test]
fn hessian_products_and_hessians_are_differences_of_gradients() {
    for case in cases() {
        let (network, examples) = (case.network(), case.examples());
        let batch = Batch::all(&examples);
        let workspace = &mut Workspace::new(&network, 5);
        let d = network.parameters();
        let mut along = |direction: &[f64]| {
            let mut at = |shift: f64| {
                let theta: Vec<f64> = case.theta.iter().zip(direction).map(|(t, v)| t + shift * v).collect();
                let mut gradient = vec![0.0; d];
                network.gradient(&theta, batch, &mut gradient, workspace);
                gradient
            };
            let (up, down) = (at(STEP), at(-STEP));
            up.iter().zip(&down).map(|(up, down)| (up - down) / (2.0 * STEP)).collect::<Vec<f64>>()
        };
        let expected = along(&case.direction);
        let columns: Vec<f64> = (0..d).flat_map(|k| along(&unit(d, k))).collect();
        let workspace = &mut Workspace::new(&network, 5);
        let mut product = vec![0.0; d];
        network.hessian_product(&case.theta, batch, &case.direction, &mut product, workspace);
        let error = distance(&product, &expected);
        assert!(error < 1e-7, "{}: {error:e}", case.name);
        let error = distance(network.hessian(&case.theta, batch, workspace).as_slice(), &columns);
        assert!(error < 1e-7, "{}: {error:e}", case.name);
    }
}

fn unit(d: usize, k: usize) -> Vec<f64> {
    (0..d).map(|i| if i == k { 1.0 } else { 0.0 }).collect()
}

#[test]
fn the_mean_of_example_gradients_is_the_gradient() {
    for case in cases() {
        let (network, examples) = (case.network(), case.examples());
        let workspace = &mut Workspace::new(&network, 7);
        let d = network.parameters();
        let (mut gradient, mut rows) = (vec![0.0; d], vec![0.0; 7 * d]);
        network.gradient(&case.theta, Batch::all(&examples), &mut gradient, workspace);
        network.example_gradients(&case.theta, Batch::all(&examples), &mut rows, workspace);
        let mean: Vec<f64> = (0..d).map(|k| rows.iter().skip(k).step_by(d).sum::<f64>() / 7.0).collect();
        assert!(distance(&gradient, &mean) < 1e-14, "{}", case.name);
    }
}
