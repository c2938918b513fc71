//! The loop over the steps of one replica.

use super::clock::Clock;
use super::replica::{Fate, Replica};
use super::{Noise, Recipe};
use crate::instructions::vectorized;
use crate::lanes::LANES;
use crate::network::{Batch, Examples, Network, Real, Workspace};

/// Examples that pass through a network at once: what a layer then holds stays in the second cache.
const CAPACITY: usize = 256;

/// What all replicas share.
pub(super) struct Stepper<'a, T> {
    pub network: &'a Network,
    pub examples: &'a Examples<T>,
    pub recipe: &'a Recipe,
    /// θ* of frozen noise; else empty.
    pub frozen: &'a [T],
}

/// Room to work in, one per thread; what it holds between steps means nothing.
pub(super) struct Room<T> {
    pub workspace: Workspace<T>,
    pub gradient: Vec<T>,
    /// A second gradient, where a step takes two.
    second: Vec<T>,
    batch: Vec<u32>,
    normals: Vec<f64>,
    weights: Vec<T>,
}

impl<T: Real> Room<T> {
    pub fn new(network: &Network, recipe: &Recipe, examples: usize) -> Self {
        let d = network.parameters();
        let (second, batch) = match recipe.noise {
            Noise::FrozenGaussian(_) => (d, 0),
            Noise::Svag { .. } => (d, 1),
            Noise::Minibatch(_) => (0, 1),
            Noise::ExampleGaussian | Noise::Isotropic { .. } | Noise::None => (0, 0),
        };
        let largest = recipe.batch_size.values().max().unwrap_or(1);
        let normals = recipe.noise.normals(examples, d);
        let weights = if matches!(recipe.noise, Noise::Isotropic { .. }) { 0 } else { normals };
        Self {
            workspace: Workspace::new(network, CAPACITY),
            gradient: vec![T::ZERO; d],
            second: vec![T::ZERO; second],
            batch: vec![0; batch * largest],
            normals: vec![0.0; normals.next_multiple_of(LANES)],
            weights: vec![T::ZERO; weights],
        }
    }
}

impl<T: Real> Stepper<'_, T> {
    /// Steps of a replica, until the clock has gone from `from` to `to`.
    pub fn advance(&self, replica: &mut Replica<T>, from: Clock, to: Clock, room: &mut Room<T>) {
        let mut clock = from;
        while clock.steps < to.steps && replica.is_live() {
            let epoch = clock.epochs(self.examples.count());
            let (size, rate) = (self.recipe.batch_size.at(epoch), self.recipe.learning_rate.at(epoch));
            let loss = self.gradient(replica, size, room);
            if loss.is_finite() {
                self.descend(replica, rate, &room.gradient);
                clock = clock.after(size);
            } else {
                replica.fate = Fate::Diverged { step: clock.steps };
            }
        }
    }

    /// Writes g into the room and returns a loss by which divergence shows.
    fn gradient(&self, replica: &mut Replica<T>, size: usize, room: &mut Room<T>) -> f64 {
        let all = Batch::all(self.examples);
        let Room { workspace, gradient, .. } = &mut *room;
        match &self.recipe.noise {
            Noise::Minibatch(_) => self.minibatch(replica, size, room),
            Noise::None => self.network.gradient(&replica.theta, all, gradient, workspace),
            Noise::ExampleGaussian => {
                self.weigh(replica, size, 1.0 / self.examples.count() as f64, room);
                let Room { workspace, gradient, weights, .. } = room;
                self.network.weighted_gradient(&replica.theta, all, weights, gradient, workspace)
            }
            Noise::FrozenGaussian(_) => {
                self.weigh(replica, size, 0.0, room);
                let Room { workspace, gradient, second, weights, .. } = room;
                self.network.weighted_gradient(self.frozen, all, weights, second, workspace);
                let loss = self.network.gradient(&replica.theta, all, gradient, workspace);
                add(gradient, second);
                loss
            }
            Noise::Isotropic { variance } => {
                let loss = self.network.gradient(&replica.theta, all, gradient, workspace);
                draw(replica, &mut room.normals);
                disturb(&mut room.gradient, &room.normals, (variance / size as f64).sqrt());
                loss
            }
            Noise::Svag { amplification, .. } => {
                let loss = self.minibatch(replica, size, room);
                std::mem::swap(&mut room.gradient, &mut room.second);
                let other = self.minibatch(replica, size, room);
                combine(&mut room.gradient, &room.second, *amplification);
                loss + other
            }
        }
    }

    /// The gradient of the next batch.
    fn minibatch(&self, replica: &mut Replica<T>, size: usize, room: &mut Room<T>) -> f64 {
        let Room { workspace, gradient, batch, .. } = room;
        let batch = &mut batch[..size];
        if let Some(batches) = &mut replica.batches {
            batches.draw(batch);
        }
        self.network.gradient(&replica.theta, Batch::of(self.examples, batch), gradient, workspace)
    }

    /// Weights `mean` + (ξᵢ − ξ̄)/√(NS).
    fn weigh(&self, replica: &mut Replica<T>, size: usize, mean: f64, room: &mut Room<T>) {
        let Room { normals, weights, .. } = room;
        draw(replica, normals);
        let count = weights.len() as f64;
        let normals = &normals[..weights.len()];
        let center = normals.iter().sum::<f64>() / count;
        let scale = 1.0 / (count * size as f64).sqrt();
        for (weight, normal) in weights.iter_mut().zip(normals) {
            *weight = T::from_f64(mean + (normal - center) * scale);
        }
    }

    /// v ← μv + g, θ ← θ − ηv.
    fn descend(&self, replica: &mut Replica<T>, rate: f64, gradient: &[T]) {
        let rate = match self.recipe.noise {
            Noise::Svag { amplification, .. } => rate / f64::from(amplification),
            _ => rate,
        };
        let (rate, momentum) = (T::from_f64(rate), T::from_f64(self.recipe.momentum));
        let Replica { theta, velocity, .. } = replica;
        vectorized(
            #[inline(always)]
            || {
                if velocity.is_empty() {
                    for (theta, g) in theta.iter_mut().zip(gradient) {
                        *theta -= rate * *g;
                    }
                    return;
                }
                for ((theta, v), g) in theta.iter_mut().zip(velocity.iter_mut()).zip(gradient) {
                    *v = momentum * *v + *g;
                    *theta -= rate * *v;
                }
            },
        );
    }
}

fn draw<T>(replica: &mut Replica<T>, room: &mut [f64]) {
    if let Some(normals) = &mut replica.normals {
        normals.fill(room);
    }
}

/// g ← g + deviation·ξ.
fn disturb<T: Real>(gradient: &mut [T], normals: &[f64], deviation: f64) {
    for (g, normal) in gradient.iter_mut().zip(normals) {
        *g += T::from_f64(deviation * normal);
    }
}

/// g ← g + noise.
fn add<T: Real>(gradient: &mut [T], noise: &[T]) {
    gradient.iter_mut().zip(noise).for_each(|(g, noise)| *g += *noise);
}

/// second ← (1 + √(2l−1))/2 · first + (1 − √(2l−1))/2 · second: weights whose sum is 1 and whose squares add up to l.
fn combine<T: Real>(second: &mut [T], first: &[T], amplification: u32) {
    let root = (2.0 * f64::from(amplification) - 1.0).sqrt();
    let (up, down) = (T::from_f64(0.5 * (1.0 + root)), T::from_f64(0.5 * (1.0 - root)));
    second.iter_mut().zip(first).for_each(|(second, first)| *second = up * *first + down * *second);
}
