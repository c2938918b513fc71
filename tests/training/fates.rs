//! Divergence is a fate with its step.

use std::sync::Arc;

use sgd_sde::network::{Activation, Architecture, Batch, Examples, Network, Objective, Real, Targets, Workspace};
use sgd_sde::random::batches::Sampling;
use sgd_sde::training::{Ensemble, Fate, Noise, Recipe, Starts, TrainingData};

use crate::support::{advance, recipe};

/// Two linear layers and the squared error: L is a quartic in θ, whose descent explodes from far out.
fn network() -> Network {
    let architecture = Architecture { widths: vec![1, 2, 1], activation: Activation::Identity, bias: false };
    Network { architecture, objective: Objective::SquaredError, weight_decay: 0.0 }
}

fn examples<T: Real>() -> Examples<T> {
    let numbers = |numbers: [f64; 4]| numbers.map(T::from_f64).to_vec();
    Examples::new(numbers([1.0, -0.5, 2.0, -1.5]), 1, Targets::Values(numbers([0.9, -0.6, 2.1, -1.4]), 1)).unwrap()
}

const NEAR: f64 = 0.3;
const FAR: f64 = 20.0;

fn ensemble<T: Real>(recipe: &Recipe) -> Ensemble<T> {
    let data = Arc::new(TrainingData { training: examples(), test: None });
    let starts = [NEAR, FAR, NEAR, FAR].map(|x| vec![T::from_f64(x); 4]).to_vec();
    Ensemble::begin(&network(), data, recipe, 1, Starts::Given(starts), 0).unwrap()
}

/// The step at which gradient descent from far out is found to be lost: its loss is no number, or its weights are too large at the end of
/// an epoch.
fn lost<T: Real>(rate: f64, steps_of_epoch: u64) -> u64 {
    let (network, examples) = (network(), examples::<T>());
    let workspace = &mut Workspace::new(&network, 4);
    let (mut theta, mut gradient) = (vec![T::from_f64(FAR); 4], vec![T::ZERO; 4]);
    for step in 0.. {
        if !network.gradient(&theta, Batch::all(&examples), &mut gradient, workspace).is_finite() {
            return step;
        }
        theta.iter_mut().zip(&gradient).for_each(|(theta, g)| *theta -= T::from_f64(rate) * *g);
        let ends = (step + 1_u64).is_multiple_of(steps_of_epoch);
        if ends && theta.iter().any(|theta| !(theta.to_f64().abs() <= 1e15)) {
            return step + 1;
        }
    }
    unreachable!()
}

fn assert_fates<T: Real>(size: usize) {
    let steps_of_epoch = 4 / size as u64;
    let mut ensemble = ensemble::<T>(&recipe(0.05, size, Noise::None));
    advance(&mut ensemble, 40.0 / steps_of_epoch as f64);
    let step = lost::<T>(0.05, steps_of_epoch);
    assert!(step > 1 && step < 40);
    for replica in 0..4 {
        let expected = if replica % 2 == 0 { Fate::Trained } else { Fate::Diverged { step } };
        assert_eq!(ensemble.fate(replica), expected);
    }
    assert_eq!((ensemble.status().diverged, ensemble.status().steps), (2, 40));
    let look = ensemble.look(false);
    assert!(look.replicas[0].is_some_and(|found| found.training.loss < 0.05 && found.training.accuracy.is_none()));
    assert!(look.replicas[1].is_none() && look.replicas[3].is_none());
    // It stays as it was.
    let before = ensemble.weights(1).to_vec();
    advance(&mut ensemble, 5.0 / steps_of_epoch as f64);
    assert_eq!((ensemble.weights(1) == before, ensemble.status().steps), (true, 45));
}

#[test]
fn divergence_is_a_fate_with_its_step() {
    // With a batch as large as the set every step ends an epoch; with single examples the loss tells before the epoch ends.
    for size in [4, 1] {
        assert_fates::<f32>(size);
        assert_fates::<f64>(size);
    }
    let found = (lost::<f32>(0.05, 1), lost::<f64>(0.05, 1));
    assert!(!(found.0.is_multiple_of(4) && found.1.is_multiple_of(4)), "{found:?}: no case in which the loss tells");
}

/// The loss of a step tells within an epoch, and every noise takes its own way to tell.
#[test]
fn every_noise_notices_divergence() {
    let sampling = Sampling::WithReplacement;
    let noises = [
        Noise::Minibatch(sampling),
        Noise::ExampleGaussian,
        Noise::FrozenGaussian(vec![NEAR; 4]),
        Noise::Isotropic { variance: 0.1 },
        Noise::Svag { sampling, amplification: 1 },
    ];
    for noise in noises {
        let mut ensemble = ensemble::<f32>(&recipe(0.05, 1, noise.clone()));
        advance(&mut ensemble, 20.0);
        assert!(matches!(ensemble.fate(1), Fate::Diverged { step } if step > 0 && step < 80), "{noise:?}");
        assert_eq!(ensemble.fate(0), Fate::Trained, "{noise:?}");
    }
}

/// tanh hides weights from the loss, not from the check.
#[test]
fn large_weights_have_diverged_even_with_a_finite_loss() {
    let architecture = Architecture { widths: vec![1, 1, 1], activation: Activation::Tanh, bias: false };
    let network = Network { architecture, objective: Objective::SquaredError, weight_decay: 0.0 };
    let data = Arc::new(TrainingData { training: examples::<f64>(), test: None });
    let starts = Starts::Given(vec![vec![1e16, 0.5], vec![1e14, 0.5]]);
    let mut ensemble = Ensemble::begin(&network, data, &recipe(0.01, 1, Noise::None), 1, starts, 0).unwrap();
    advance(&mut ensemble, 2.0);
    assert_eq!((ensemble.fate(0), ensemble.fate(1)), (Fate::Diverged { step: 4 }, Fate::Trained));
}
