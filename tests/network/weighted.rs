//! Weighted gradients against the weighted sum of the gradients of single examples.

use sgd_sde::network::{Batch, Workspace};

use crate::support::{cases, distance};

#[test]
fn weighted_gradients_are_sums_of_example_gradients() {
    for case in cases() {
        let (network, examples) = (case.network(), case.examples::<f64>());
        let d = network.parameters();
        // One example twice; more than the workspace holds at a time.
        let chosen = [3, 0, 6, 3, 1];
        let weights = [0.7, -1.3, 0.2, 2.0, -0.4];
        let batch = Batch::of(&examples, &chosen);
        let (mut rows, mut found, mut plain) = (vec![0.0; 5 * d], vec![f64::NAN; d], vec![0.0; d]);
        let workspace = &mut Workspace::new(&network, 2);
        network.example_gradients(&case.theta, batch, &mut rows, workspace);
        let loss = network.weighted_gradient(&case.theta, batch, &weights, &mut found, workspace);
        let expected: Vec<f64> = (0..d).map(|k| (0..5).map(|s| weights[s] * rows[s * d + k]).sum()).collect();
        let error = distance(&found, &expected);
        assert!(error < 1e-13, "{}: {error:e}", case.name);
        assert!((loss - network.loss(&case.theta, batch, workspace)).abs() < 1e-14);

        network.weighted_gradient(&case.theta, batch, &[0.2; 5], &mut found, workspace);
        network.gradient(&case.theta, batch, &mut plain, workspace);
        assert!(distance(&found, &plain) < 1e-13, "{}", case.name);
    }
}
