//! Steps against their formulas, on gradients that are summed up example by example.

use sgd_sde::random::batches::{BatchPlan, Batches, Sampling};
use sgd_sde::training::{Noise, Schedule};

use crate::support::{EXAMPLES, SEED, all, assert_near, ensemble, mean_gradient, recipe, steps, weights};

fn batches(sampling: Sampling, replica: u64) -> impl FnMut() -> Vec<u32> {
    let mut batches = Batches::new(BatchPlan::new(sampling, EXAMPLES, 5).unwrap(), SEED, replica);
    move || {
        let mut batch = vec![0; 5];
        batches.draw(&mut batch);
        batch
    }
}

fn descend(theta: &mut [f64], rate: f64, gradient: &[f64]) {
    theta.iter_mut().zip(gradient).for_each(|(theta, g)| *theta -= rate * g);
}

#[test]
fn minibatch_steps_are_those_of_the_formula() {
    for sampling in [Sampling::WithReplacement, Sampling::WithoutReplacement, Sampling::Epochs] {
        let mut ensemble = ensemble(&recipe(0.2, 5, Noise::Minibatch(sampling)), vec![weights(); 2]);
        steps(&mut ensemble, 7, 5);
        for replica in 0..2 {
            let (mut theta, mut next) = (weights(), batches(sampling, replica as u64));
            for _ in 0..7 {
                let gradient = mean_gradient(&theta, &next());
                descend(&mut theta, 0.2, &gradient);
            }
            assert_near(ensemble.weights(replica), &theta);
        }
        assert_ne!(ensemble.weights(0), ensemble.weights(1));
    }
}

/// v ← μv + g, θ ← θ − ηv: a smaller η at once slows down what v has gathered, as in PyTorch.
#[test]
fn momentum_is_that_of_pytorch() {
    let mut recipe = recipe(0.2, EXAMPLES, Noise::None);
    recipe.momentum = 0.9;
    recipe.learning_rate = Schedule::piecewise(vec![(0.0, 0.2), (2.0, 0.05)]).unwrap();
    let mut ensemble = ensemble(&recipe, vec![weights()]);
    steps(&mut ensemble, 4, EXAMPLES);
    let mut theta: Vec<f64> = weights();
    let mut velocity = vec![0.0; theta.len()];
    for rate in [0.2, 0.2, 0.05, 0.05] {
        let gradient = mean_gradient(&theta, &all());
        velocity.iter_mut().zip(&gradient).for_each(|(v, g)| *v = 0.9 * *v + g);
        descend(&mut theta, rate, &velocity);
    }
    assert_near(ensemble.weights(0), &theta);
}

#[test]
fn svag_steps_are_those_of_the_formula() {
    let sampling = Sampling::WithReplacement;
    let mut ensemble = ensemble(&recipe(0.3, 5, Noise::Svag { sampling, amplification: 3 }), vec![weights()]);
    steps(&mut ensemble, 4, 5);
    let (mut theta, mut next) = (weights::<f64>(), batches(sampling, 0));
    let root = 5f64.sqrt();
    for _ in 0..4 {
        let (first, second) = (mean_gradient(&theta, &next()), mean_gradient(&theta, &next()));
        descend(&mut theta, 0.1 * 0.5 * (1.0 + root), &first);
        descend(&mut theta, 0.1 * 0.5 * (1.0 - root), &second);
    }
    assert_near(ensemble.weights(0), &theta);
}

#[test]
fn without_noise_it_is_gradient_descent_for_any_batch_size() {
    let mut ensemble = ensemble(&recipe(0.2, 4, Noise::None), vec![weights(); 2]);
    steps(&mut ensemble, 5, 4);
    let mut theta: Vec<f64> = weights();
    for _ in 0..5 {
        let gradient = mean_gradient(&theta, &all());
        descend(&mut theta, 0.2, &gradient);
    }
    assert_near(ensemble.weights(0), &theta);
    assert_eq!(ensemble.weights(0), ensemble.weights(1));
}
