//! Many replicas at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::clock::Clock;
use super::metrics::{Look, measure};
use super::replica::{Fate, Replica};
use super::step::{Room, Stepper};
use super::{Recipe, RecipeError, TrainingData};
use crate::network::{Initialization, MismatchError, Network, Real};

/// How long replicas are let alone between two calls of the monitor.
const STRETCH: Duration = Duration::from_millis(200);

/// R independent replicas of a network in training.
pub struct Ensemble<T> {
    pub(super) network: Network,
    pub(super) data: Arc<TrainingData<T>>,
    recipe: Recipe,
    frozen: Vec<T>,
    pub(super) replicas: Vec<Replica<T>>,
    pub(super) clock: Clock,
    /// Epochs that have been asked for; steps are whole, so the clock may be ahead by a part of one.
    asked: f64,
    /// One per thread.
    pub(super) rooms: Vec<Mutex<Room<T>>>,
    /// Steps of the last stretch, from which the length of the next is guessed.
    stretch: u64,
}

/// Where replicas begin.
#[derive(Clone, Debug, PartialEq)]
pub enum Starts<T> {
    /// Weights drawn at random, for each replica its own.
    Drawn {
        /// Their law.
        law: Initialization,
        /// R.
        replicas: usize,
    },
    /// These weights, a replica for each.
    Given(Vec<Vec<T>>),
}

/// A training that cannot begin.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BeginError {
    /// No replica.
    #[error("found no replicas to train; there must be at least one")]
    NoReplicas,
    /// Weights of another network.
    #[error("found {found} weights to start replica {replica} from; the network has {expected}")]
    StartLength {
        /// Which replica, from 0.
        replica: usize,
        /// Its weights.
        found: usize,
        /// d.
        expected: usize,
    },
    /// Weights that are no numbers.
    #[error("weight {place} to start replica {replica} from is no finite number; correct it")]
    StartValue {
        /// Which replica, from 0.
        replica: usize,
        /// Index of the weight.
        place: usize,
    },
    /// The recipe.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The data.
    #[error(transparent)]
    Data(#[from] MismatchError),
}

/// Where a training stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Status {
    /// Steps per replica so far.
    pub steps: u64,
    /// Epochs so far.
    pub epochs: f64,
    /// Epochs that are asked for.
    pub epochs_in_all: f64,
    /// Replicas that have diverged.
    pub diverged: usize,
}

/// What a training needs from outside: somebody to tell how it goes, and a way to be stopped.
pub struct Control<'a> {
    /// Called several times a second; it must be quick.
    pub monitor: &'a mut dyn FnMut(&Status),
    /// Set at any time to stop between two steps.
    pub stop: &'a AtomicBool,
}

/// The training was told to stop. All replicas have then taken as many steps, and it can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the training was interrupted")]
pub struct Interrupted;

impl<T: Real> Ensemble<T> {
    /// Replicas at their starts. Their random streams, of batches and normals, are those of `first_stream` and the numbers after it: ensembles
    /// that are to be independent of each other must not share any, while the same starts make them comparable pair by pair.
    ///
    /// # Errors
    /// When recipe, data or starts are not of the network.
    pub fn begin(
        network: &Network,
        data: Arc<TrainingData<T>>,
        recipe: &Recipe,
        seed: u64,
        starts: Starts<T>,
        first_stream: u64,
    ) -> Result<Self, BeginError> {
        let examples = data.training.count();
        network.accepts(&data.training)?;
        data.test.as_ref().map_or(Ok(()), |test| network.accepts(test))?;
        recipe.check(network, examples)?;
        let frozen = match &recipe.noise {
            super::Noise::FrozenGaussian(at) => at.iter().map(|&x| T::from_f64(x)).collect(),
            _ => Vec::new(),
        };
        let replica = |(index, theta)| {
            Replica::new(theta, recipe.momentum, &recipe.noise, examples, seed, index).map_err(RecipeError::from)
        };
        let starts = first_weights(network, seed, starts)?;
        let replicas = (first_stream..).zip(starts).map(replica).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            network: network.clone(),
            data,
            recipe: recipe.clone(),
            frozen,
            replicas,
            clock: Clock::default(),
            asked: 0.0,
            rooms: Vec::new(),
            stretch: 1,
        })
    }

    /// Trains all replicas for so many epochs more; nothing happens for 0 or less.
    ///
    /// Loss and weights are checked at the end of every epoch, the loss of a step at every step.
    ///
    /// # Errors
    /// [`Interrupted`] when told to stop.
    pub fn advance(&mut self, epochs: f64, control: &mut Control) -> Result<(), Interrupted> {
        self.advance_to(if epochs > 0.0 { self.asked + epochs } else { self.asked }, control)
    }

    /// Trains all replicas until so many epochs since the start; nothing happens where they have been asked for before.
    ///
    /// # Errors
    /// [`Interrupted`] when told to stop.
    pub fn advance_to(&mut self, epochs: f64, control: &mut Control) -> Result<(), Interrupted> {
        self.make_room();
        if epochs > self.asked {
            self.asked = epochs;
        }
        let examples = self.data.training.count();
        (control.monitor)(&self.status());
        while self.clock.before(self.asked, examples) {
            if control.stop.load(Ordering::Relaxed) {
                return Err(Interrupted);
            }
            // The 1e-9 are for an end of an epoch that has been reached but for rounding.
            let end = (self.clock.epochs(examples) + 1e-9).floor() + 1.0;
            let (begun, from) = (Instant::now(), self.clock);
            let to = from.toward(self.asked.min(end), self.stretch, &self.recipe.batch_size, examples);
            self.take(from, to, !to.before(end, examples));
            let faster = STRETCH.as_secs_f64() / begun.elapsed().as_secs_f64().max(1e-9);
            // A stretch that an epoch ended early tells of speed all the same.
            let steps = (to.steps - from.steps) as f64 * faster.clamp(0.1, 8.0);
            self.stretch = (steps as u64).max(1);
            (control.monitor)(&self.status());
        }
        Ok(())
    }

    /// Trains for so many epochs more and looks at all replicas every `every` epochs, at the beginning and at the end too.
    ///
    /// Looks are handed over and forgotten, so memory does not grow with their number.
    ///
    /// # Errors
    /// [`Interrupted`] when told to stop.
    pub fn train(
        &mut self,
        epochs: f64,
        every: f64,
        with_gradient: bool,
        on_look: &mut dyn FnMut(&Look),
        control: &mut Control,
    ) -> Result<(), Interrupted> {
        on_look(&self.look(with_gradient));
        let mut left = epochs;
        // A remainder that is but rounding is no stretch of its own.
        while left > 1e-9 {
            let next = if every > 0.0 && left > every * (1.0 + 1e-9) { every } else { left };
            self.advance(next, control)?;
            left -= next;
            on_look(&self.look(with_gradient));
        }
        Ok(())
    }

    /// Trains and looks at all replicas at these epochs since the start, which ascend.
    ///
    /// # Errors
    /// [`Interrupted`] when told to stop.
    pub fn train_through(
        &mut self,
        looks: &[f64],
        on_look: &mut dyn FnMut(&Look),
        control: &mut Control,
    ) -> Result<(), Interrupted> {
        for &epochs in looks {
            self.advance_to(epochs, control)?;
            on_look(&self.look(false));
        }
        Ok(())
    }

    /// Measures all replicas that have not diverged, and ends those whose loss or weights are no finite numbers.
    pub fn look(&mut self, with_gradient: bool) -> Look {
        self.make_room();
        let Self { network, data, replicas, rooms, clock, .. } = self;
        let replicas = replicas
            .par_iter_mut()
            .map(|replica| {
                replica.check(clock.steps);
                if !replica.is_live() {
                    return None;
                }
                let found = in_room(rooms, |room| measure(network, data, &replica.theta, with_gradient, room));
                if found.training.loss.is_finite() {
                    return Some(found);
                }
                replica.fate = Fate::Diverged { step: clock.steps };
                None
            })
            .collect();
        Look { epochs: clock.epochs(data.training.count()), steps: clock.steps, replicas }
    }

    /// Where the training stands.
    pub fn status(&self) -> Status {
        Status {
            steps: self.clock.steps,
            epochs: self.clock.epochs(self.data.training.count()),
            epochs_in_all: self.asked,
            diverged: self.replicas.iter().filter(|replica| !replica.is_live()).count(),
        }
    }

    /// What is trained.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Number of replicas R.
    pub fn replicas(&self) -> usize {
        self.replicas.len()
    }

    /// θ of a replica.
    ///
    /// # Panics
    /// When there is no such replica.
    pub fn weights(&self, replica: usize) -> &[T] {
        &self.replicas[replica].theta
    }

    /// What has become of a replica.
    ///
    /// # Panics
    /// When there is no such replica.
    pub fn fate(&self, replica: usize) -> Fate {
        self.replicas[replica].fate
    }

    /// All replicas from one time to another.
    fn take(&mut self, from: Clock, to: Clock, check: bool) {
        let Self { network, data, recipe, frozen, replicas, rooms, .. } = self;
        let stepper = Stepper { network, examples: &data.training, recipe, frozen };
        replicas.par_iter_mut().filter(|replica| replica.moves()).for_each(|replica| {
            in_room(rooms, |room| stepper.advance(replica, from, to, room));
            if check {
                replica.check(to.steps);
            }
        });
        self.clock = to;
    }

    pub(super) fn make_room(&mut self) {
        let examples = self.data.training.count();
        while self.rooms.len() < rayon::current_num_threads() {
            self.rooms.push(Mutex::new(Room::new(&self.network, &self.recipe, examples)));
        }
    }
}

/// Work in the room of this thread, which nobody else is in.
pub(super) fn in_room<T, R>(rooms: &[Mutex<Room<T>>], work: impl FnOnce(&mut Room<T>) -> R) -> R {
    let thread = rayon::current_thread_index().unwrap_or(0) % rooms.len();
    // What a room holds means nothing, so neither does a panic in it.
    work(&mut rooms[thread].lock().unwrap_or_else(PoisonError::into_inner))
}

/// The weights of each replica.
fn first_weights<T: Real>(network: &Network, seed: u64, starts: Starts<T>) -> Result<Vec<Vec<T>>, BeginError> {
    let starts = match starts {
        Starts::Drawn { law, replicas } => {
            (0..replicas as u64).map(|replica| law.draw(&network.architecture, seed, replica)).collect()
        }
        Starts::Given(starts) => starts,
    };
    if starts.is_empty() {
        return Err(BeginError::NoReplicas);
    }
    let expected = network.parameters();
    for (replica, theta) in starts.iter().enumerate() {
        if theta.len() != expected {
            return Err(BeginError::StartLength { replica, found: theta.len(), expected });
        }
        if let Some(place) = theta.iter().position(|theta| !theta.to_f64().is_finite()) {
            return Err(BeginError::StartValue { replica, place });
        }
    }
    Ok(starts)
}
