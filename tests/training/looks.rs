//! What is measured, against the plain functions of the network.

use std::sync::atomic::{AtomicBool, Ordering};

use sgd_sde::network::{Batch, Workspace};
use sgd_sde::random::batches::Sampling;
use sgd_sde::training::{Control, Interrupted, Noise};

use crate::support::{all, data, ensemble, mean_gradient, network, recipe, weights};

#[test]
fn losses_and_accuracies_are_those_of_the_network() {
    let (network, data) = (network(), data::<f64>());
    let workspace = &mut Workspace::new(&network, 4);
    let mut ensemble = ensemble::<f64>(&recipe(0.3, 4, Noise::Minibatch(Sampling::Epochs)), vec![weights(); 3]);
    let stop = AtomicBool::new(false);
    let mut looks = Vec::new();
    let mut statuses = Vec::new();
    let control = &mut Control { monitor: &mut |status| statuses.push(*status), stop: &stop };
    ensemble.train(3.0, 0.5, true, &mut |look| looks.push(look.clone()), control).unwrap();
    // An epoch has three steps, so half an epoch ends with the second.
    let times: Vec<u64> = looks.iter().map(|look| look.steps).collect();
    assert_eq!(times, [0, 2, 3, 5, 6, 8, 9]);
    assert!(statuses.first().unwrap().steps == 0 && statuses.last().unwrap().steps == 9);

    for replica in 0..3 {
        let theta = ensemble.weights(replica).to_vec();
        let found = looks.last().unwrap().replicas[replica].unwrap();
        let test = data.test.as_ref().unwrap();
        assert!((found.training.loss - network.loss(&theta, Batch::all(&data.training), workspace)).abs() < 1e-14);
        let accuracy = network.correct(&theta, Batch::all(&data.training), workspace) as f64 / 12.0;
        assert_eq!(found.training.accuracy, Some(accuracy));
        let mut plain = network.clone();
        plain.weight_decay = 0.0;
        let score = found.test.unwrap();
        assert!((score.loss - plain.loss(&theta, Batch::all(test), workspace)).abs() < 1e-14);
        assert_eq!(score.accuracy, Some(network.correct(&theta, Batch::all(test), workspace) as f64 / 7.0));
        let square: f64 = mean_gradient(&theta, &all()).iter().map(|g| g * g).sum();
        assert!((found.gradient_square.unwrap() - square).abs() < 1e-14);
    }
}

#[test]
fn who_stops_can_go_on() {
    let recipe = recipe(0.3, 4, Noise::Minibatch(Sampling::WithReplacement));
    let mut whole = ensemble::<f32>(&recipe, vec![weights(); 3]);
    crate::support::advance(&mut whole, 20.0);
    let mut stopped = ensemble::<f32>(&recipe, vec![weights(); 3]);
    let stop = AtomicBool::new(false);
    let mut monitor = |status: &sgd_sde::training::Status| stop.store(status.steps >= 5, Ordering::Relaxed);
    let result = stopped.advance(20.0, &mut Control { monitor: &mut monitor, stop: &stop });
    assert_eq!(result, Err(Interrupted));
    assert!((5..60).contains(&stopped.status().steps));
    assert_eq!(stopped.status().epochs_in_all, 20.0);
    crate::support::advance(&mut stopped, 0.0);
    assert_eq!(stopped.weights(2), whole.weights(2));
}
