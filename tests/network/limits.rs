//! What a user meets: digits of labels, first weights, and what a network does not take.

use sgd_sde::network::{
    Activation, Architecture, Batch, Examples, ExamplesError, Initialization, MismatchError, Network, Objective,
    Targets, Workspace,
};

fn network(widths: &[usize]) -> Network {
    let architecture = Architecture { widths: widths.to_vec(), activation: Activation::Tanh, bias: true };
    Network { architecture, objective: Objective::CrossEntropy, weight_decay: 0.0 }
}

#[test]
fn large_outputs_neither_overflow_nor_lose_the_loss() {
    // One weight per class, no bias: outputs 500, −500, 0.
    let mut network = network(&[1, 3]);
    network.architecture.bias = false;
    let examples = Examples::new(vec![1.0f32, 1.0], 1, Targets::Labels(vec![0, 2])).unwrap();
    let workspace = &mut Workspace::new(&network, 2);
    let theta = [500.0, -500.0, 0.0];
    assert_eq!(network.loss(&theta, Batch::all(&examples), workspace), 250.0);
    assert_eq!(network.correct(&theta, Batch::all(&examples), workspace), 1);
}

#[test]
fn losses_that_are_no_numbers_are_told_as_such() {
    let network = network(&[2, 3, 2]);
    let examples = Examples::new(vec![1.0f64, f64::NAN], 2, Targets::Labels(vec![1])).unwrap();
    let theta = vec![0.5; network.parameters()];
    let mut gradient = vec![0.0; theta.len()];
    let workspace = &mut Workspace::new(&network, 1);
    assert!(network.gradient(&theta, Batch::all(&examples), &mut gradient, workspace).is_nan());
    assert!(gradient[0].is_nan());
}

#[test]
fn first_weights_have_their_variance_and_belong_to_seed_and_replica() {
    let architecture = network(&[100, 200, 10]).architecture;
    let draw = |seed, replica| Initialization::He.draw::<f64>(&architecture, seed, replica);
    let theta = draw(1, 0);
    let layer = architecture.layer(0);
    assert!(theta[layer.biases].iter().all(|&bias| bias == 0.0));
    // 20,000 of them: the standard error of their variance is √(2/20000) = 1 %; six of it.
    let variance = theta[layer.weights].iter().map(|w| w * w).sum::<f64>() / 20_000.0;
    assert!((variance * 50.0 - 1.0).abs() < 0.06, "{variance}");
    assert_eq!(theta, draw(1, 0));
    assert!(theta != draw(1, 1) && theta != draw(2, 0));
    let single: Vec<f32> = Initialization::He.draw(&architecture, 1, 0);
    assert!(single.iter().zip(&theta).all(|(s, t)| *s == *t as f32));
}

#[test]
fn what_does_not_fit_is_refused_with_what_would() {
    assert_eq!(
        Examples::new(vec![0.0; 5], 2, Targets::Labels(vec![0, 1])),
        Err(ExamplesError::Torn { found: 5, width: 2 })
    );
    assert_eq!(
        Examples::new(vec![0.0; 4], 2, Targets::Labels(vec![0])),
        Err(ExamplesError::Unequal { inputs: 2, targets: 1 })
    );
    assert_eq!(Examples::<f64>::new(vec![], 2, Targets::Labels(vec![])), Err(ExamplesError::Number(0)));
    let examples = Examples::new(vec![0.0; 4], 2, Targets::Labels(vec![0, 3])).unwrap();
    assert_eq!(network(&[3, 4]).accepts(&examples), Err(MismatchError::Inputs { found: 2, expected: 3 }));
    assert_eq!(network(&[2, 3]).accepts(&examples), Err(MismatchError::Label { example: 1, label: 3, outputs: 3 }));
    let regression = Examples::new(vec![0.0; 4], 2, Targets::Values(vec![0.0; 4], 2)).unwrap();
    assert_eq!(network(&[2, 3]).accepts(&regression), Err(MismatchError::Targets { found: 2, expected: 3 }));
}
