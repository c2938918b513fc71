//! Training to a level of the loss instead of to a time, so that replicas can be compared at equal loss.

use rayon::prelude::*;

use super::ensemble::{Control, Ensemble, Interrupted, in_room};
use super::metrics::training_loss;
use super::replica::Fate;
use crate::network::Real;

/// When a replica was first seen at the level, and what its loss was then.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arrival {
    /// In epochs.
    pub epochs: f64,
    /// In steps.
    pub steps: u64,
    /// L over all training examples, weight decay included, in the precision of the training.
    pub loss: f64,
}

impl<T: Real> Ensemble<T> {
    /// Trains every replica until L over all training examples is at most `level`, for so many epochs at most, looking every `every` epochs:
    /// the loss of an arrival lies below the level by what it fell, or its noise, since the look before. A replica that has arrived rests
    /// for good, with the weights of its arrival. `None` for those that diverged or did not arrive.
    ///
    /// # Errors
    /// [`Interrupted`] when told to stop.
    pub fn train_to(
        &mut self,
        level: f64,
        epochs: f64,
        every: f64,
        control: &mut Control,
    ) -> Result<Vec<Option<Arrival>>, Interrupted> {
        let mut arrivals = vec![None; self.replicas.len()];
        self.settle(level, &mut arrivals);
        let mut left = epochs;
        // A remainder that is but rounding is no stretch of its own.
        while left > 1e-9 && self.replicas.iter().any(|replica| replica.moves()) {
            let next = if every > 0.0 && left > every * (1.0 + 1e-9) { every } else { left };
            self.advance(next, control)?;
            left -= next;
            self.settle(level, &mut arrivals);
        }
        Ok(arrivals)
    }

    /// Lays to rest those that are at the level, and ends those whose loss or weights are no finite numbers.
    fn settle(&mut self, level: f64, arrivals: &mut [Option<Arrival>]) {
        self.make_room();
        let Self { network, data, replicas, rooms, clock, .. } = self;
        let (epochs, steps) = (clock.epochs(data.training.count()), clock.steps);
        replicas.par_iter_mut().zip(arrivals).filter(|(replica, _)| replica.moves()).for_each(|(replica, arrival)| {
            replica.check(steps);
            if !replica.is_live() {
                return;
            }
            let loss = in_room(rooms, |room| training_loss(network, &data.training, &replica.theta, room));
            if !loss.is_finite() {
                replica.fate = Fate::Diverged { step: steps };
            } else if loss <= level {
                replica.at_rest = true;
                *arrival = Some(Arrival { epochs, steps, loss });
            }
        });
    }
}
