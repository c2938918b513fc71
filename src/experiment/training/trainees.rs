//! An ensemble in training in the precision of its scenario.

use std::sync::atomic::AtomicBool;

use crate::ensemble::Interrupted;
use crate::network::Real;
use crate::training::{Arrival, Control, Ensemble, Fate, Look, Status};

/// An ensemble of either precision.
pub enum Trainees {
    /// 32 bits.
    Single(Ensemble<f32>),
    /// 64 bits.
    Double(Ensemble<f64>),
}

impl Trainees {
    /// As [`Ensemble::train`], without gradients.
    ///
    /// # Errors
    /// When it was told to stop.
    pub fn train(
        &mut self,
        epochs: f64,
        every: f64,
        on_look: &mut dyn FnMut(&Look),
        monitor: &mut dyn FnMut(&Status),
        stop: &AtomicBool,
    ) -> Result<(), Interrupted> {
        let control = &mut Control { monitor, stop };
        match self {
            Self::Single(ensemble) => ensemble.train(epochs, every, false, on_look, control),
            Self::Double(ensemble) => ensemble.train(epochs, every, false, on_look, control),
        }
        .map_err(|_| Interrupted)
    }

    /// As [`Ensemble::train_through`].
    ///
    /// # Errors
    /// When it was told to stop.
    pub fn train_through(
        &mut self,
        looks: &[f64],
        on_look: &mut dyn FnMut(&Look),
        monitor: &mut dyn FnMut(&Status),
        stop: &AtomicBool,
    ) -> Result<(), Interrupted> {
        let control = &mut Control { monitor, stop };
        match self {
            Self::Single(ensemble) => ensemble.train_through(looks, on_look, control),
            Self::Double(ensemble) => ensemble.train_through(looks, on_look, control),
        }
        .map_err(|_| Interrupted)
    }

    /// As [`Ensemble::train_to`].
    ///
    /// # Errors
    /// When it was told to stop.
    pub fn train_to(
        &mut self,
        level: f64,
        [epochs, every]: [f64; 2],
        monitor: &mut dyn FnMut(&Status),
        stop: &AtomicBool,
    ) -> Result<Vec<Option<Arrival>>, Interrupted> {
        let control = &mut Control { monitor, stop };
        match self {
            Self::Single(ensemble) => ensemble.train_to(level, epochs, every, control),
            Self::Double(ensemble) => ensemble.train_to(level, epochs, every, control),
        }
        .map_err(|_| Interrupted)
    }

    /// Number of replicas.
    pub fn replicas(&self) -> usize {
        match self {
            Self::Single(ensemble) => ensemble.replicas(),
            Self::Double(ensemble) => ensemble.replicas(),
        }
    }

    /// What has become of a replica.
    ///
    /// # Panics
    /// When there is no such replica.
    pub fn fate(&self, replica: usize) -> Fate {
        match self {
            Self::Single(ensemble) => ensemble.fate(replica),
            Self::Double(ensemble) => ensemble.fate(replica),
        }
    }

    /// θ of a replica in double precision.
    ///
    /// # Panics
    /// When there is no such replica.
    pub fn weights(&self, replica: usize) -> Vec<f64> {
        fn double<T: Real>(theta: &[T]) -> Vec<f64> {
            theta.iter().map(|x| x.to_f64()).collect()
        }
        match self {
            Self::Single(ensemble) => double(ensemble.weights(replica)),
            Self::Double(ensemble) => double(ensemble.weights(replica)),
        }
    }
}
