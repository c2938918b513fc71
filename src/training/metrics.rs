//! What is looked at in a replica.

use super::TrainingData;
use super::step::Room;
use crate::math;
use crate::network::{Batch, Examples, Network, Real, Targets};

/// All replicas at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// Epochs so far.
    pub epochs: f64,
    /// Steps so far.
    pub steps: u64,
    /// One per replica, in order; `None` for those that have diverged.
    pub replicas: Vec<Option<Measured>>,
}

/// One replica at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// On the training examples; its loss is L(θ), weight decay included.
    pub training: Score,
    /// On the test examples, if there are any; its loss is the mean of ℓ, without weight decay.
    pub test: Option<Score>,
    /// |∇L|² over the training examples, if asked for.
    pub gradient_square: Option<f64>,
}

/// Loss and accuracy on a set of examples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Mean over the examples.
    pub loss: f64,
    /// Its logarithm, which is a number even where the loss is below the smallest double; −∞ only where the loss of every example is 0.
    pub log_loss: f64,
    /// The fraction of examples whose largest output is at their label, from 0 to 1; `None` where there are no labels.
    pub accuracy: Option<f64>,
}

/// Measures a replica; a pass forward over all examples, and one back if |∇L|² is asked for.
pub(super) fn measure<T: Real>(
    network: &Network,
    data: &TrainingData<T>,
    theta: &[T],
    with_gradient: bool,
    room: &mut Room<T>,
) -> Measured {
    let decay = network.decay_of(theta);
    let mut training = score(network, &data.training, theta, room);
    if decay > 0.0 {
        training.loss += decay;
        training.log_loss = math::ln(training.loss);
    }
    let test = data.test.as_ref().map(|test| score(network, test, theta, room));
    let gradient_square = with_gradient.then(|| {
        let Room { workspace, gradient, .. } = room;
        network.gradient(theta, Batch::all(&data.training), gradient, workspace);
        gradient.iter().map(|g| g.to_f64() * g.to_f64()).sum()
    });
    Measured { training, test, gradient_square }
}

/// L over the training examples, weight decay included: a pass forward.
pub(super) fn training_loss<T: Real>(
    network: &Network,
    examples: &Examples<T>,
    theta: &[T],
    room: &mut Room<T>,
) -> f64 {
    network.evaluate(theta, Batch::all(examples), &mut room.workspace).objective + network.decay_of(theta)
}

fn score<T: Real>(network: &Network, examples: &Examples<T>, theta: &[T], room: &mut Room<T>) -> Score {
    let found = network.evaluate(theta, Batch::all(examples), &mut room.workspace);
    let labelled = matches!(examples.targets(), Targets::Labels(_));
    let accuracy = labelled.then(|| found.correct as f64 / examples.count() as f64);
    Score { loss: found.objective, log_loss: found.log_objective, accuracy }
}
