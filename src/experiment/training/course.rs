//! A scenario that trains a network, made into objects: network, data, recipe, and where replicas begin.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::super::{ExperimentError, Status};
use super::group::Group;
use super::trainees::Trainees;
use crate::data::Data;
use crate::input::Problem;
use crate::loss::LossKind;
use crate::network::{Network, Real};
use crate::noise::NoiseSpec;
use crate::random::batches::Sampling;
use crate::scenario::{Loaded, Precision, Scenario, SgdSpec, TrainingSpec};
use crate::training::{DataMismatch, Ensemble, Noise, Recipe, Schedule, Starts, TrainingData, weights};

/// Everything that the groups of replicas of an experiment share.
///
/// A *group* is an ensemble with one learning rate, one batch size and one kind of noise. Groups start from the same weights, replica by
/// replica, and have random streams of their own: what is compared between them is compared pair by pair.
pub struct Course {
    /// What is trained.
    pub network: Network,
    /// What on.
    pub data: Arc<Data>,
    /// How long, how often to look, and in which precision.
    pub spec: TrainingSpec,
    /// How minibatches are drawn.
    pub sampling: Sampling,
    /// η and S that the scenario gives.
    pub sgd: SgdSpec,
    /// Replicas of a group.
    pub replicas: usize,
    /// Of all randomness.
    pub seed: u64,
    /// Weights that all replicas start from, in place of drawn ones.
    given: Option<Vec<f64>>,
    examples: Precise,
}

/// The data in the precision of the scenario.
#[derive(Clone)]
enum Precise {
    Single(Arc<TrainingData<f32>>),
    Double(Arc<TrainingData<f64>>),
}

impl Course {
    /// From a scenario; problems name the key that causes them.
    ///
    /// # Errors
    /// When the data are not for the network, or the file of first weights is not of it.
    pub fn of(loaded: &Loaded) -> Result<Self, Problem> {
        let Scenario { loss, noise, sgd, training, ensemble, seed, .. } = &loaded.scenario;
        let at = |key: &str, message: &str| loaded.source.problem(key, message);
        let LossKind::Network(spec) = &loss.kind else {
            return Err(at("loss.kind", "this experiment trains a network; write loss.kind = \"network\""));
        };
        let Some(data) = spec.data.clone() else {
            return Err(at("data", "the examples are not loaded; read the scenario from its file"));
        };
        // Reading lets no other scenario pass.
        let (Some(training), Some(sgd), NoiseSpec::Minibatch(noise)) = (training, sgd, noise) else {
            return Err(at("training", "a network is trained with [training], [sgd] and noise.kind = \"minibatch\""));
        };
        let network = spec.network();
        let mismatch = |error: DataMismatch| loaded.source.problem("data", error.to_string());
        let examples = match training.precision {
            Precision::Single => Precise::Single(Arc::new(training_data(&network, &data).map_err(mismatch)?)),
            Precision::Double => Precise::Double(Arc::new(training_data(&network, &data).map_err(mismatch)?)),
        };
        let given = match &training.weights {
            None => None,
            Some(file) => Some(
                weights::load::<f64>(&path(&loaded.source, file), &network.architecture)
                    .map_err(|error| loaded.source.problem("training.weights", error.to_string()))?,
            ),
        };
        Ok(Self {
            network,
            data,
            spec: training.clone(),
            sampling: noise.sampling,
            sgd: *sgd,
            replicas: ensemble.replicas as usize,
            seed: *seed,
            given,
            examples,
        })
    }

    /// N.
    pub fn examples(&self) -> usize {
        self.data.training.len()
    }

    /// The recipe of plain minibatch SGD with these η and S, and the schedules of the scenario.
    pub fn recipe(&self, learning_rate: f64, batch_size: u64) -> Recipe {
        self.recipe_of(learning_rate, batch_size, Noise::Minibatch(self.sampling))
    }

    /// The recipe with the scenario's own η and S, and this noise.
    pub fn noisy_recipe(&self, noise: Noise) -> Recipe {
        self.recipe_of(self.sgd.learning_rate, self.sgd.batch_size, noise)
    }

    /// Schedules are in epochs of the scenario, for which a noise may need several of its own.
    fn recipe_of(&self, learning_rate: f64, batch_size: u64, noise: Noise) -> Recipe {
        let stretch = noise.epochs_per_epoch();
        let rates = pieces(&self.spec.learning_rate_factors);
        let rates = rates.map(|[epoch, factor]| (stretch as f64 * epoch, learning_rate * factor));
        let sizes = pieces(&self.spec.batch_size_factors);
        let sizes = sizes.map(|[epoch, factor]| (stretch as f64 * epoch, (batch_size as f64 * factor) as usize));
        Recipe {
            // Reading has checked the order; a schedule that is none is that of its first piece.
            learning_rate: Schedule::piecewise(rates.collect()).unwrap_or(Schedule::constant(learning_rate)),
            batch_size: Schedule::piecewise(sizes.collect()).unwrap_or(Schedule::constant(batch_size as usize)),
            momentum: self.spec.momentum,
            noise,
        }
    }

    /// A group at its start. Groups with different `index` share no random numbers but those of their starts: replica r of every group
    /// starts from weights r of `block`, of which each holds as many as there are replicas.
    ///
    /// # Errors
    /// When the recipe cannot be followed, told at the key of the batch size or the learning rate.
    pub fn begin(&self, loaded: &Loaded, recipe: &Recipe, index: u64, block: u64) -> Result<Trainees, ExperimentError> {
        let first = index * self.replicas as u64;
        let begun = match &self.examples {
            Precise::Single(data) => Ensemble::begin(
                &self.network,
                data.clone(),
                recipe,
                self.seed,
                Starts::Given(self.starts(block)),
                first,
            )
            .map(Trainees::Single),
            Precise::Double(data) => Ensemble::begin(
                &self.network,
                data.clone(),
                recipe,
                self.seed,
                Starts::Given(self.starts(block)),
                first,
            )
            .map(Trainees::Double),
        };
        Ok(begun.map_err(|error| loaded.source.problem("sgd", error.to_string()))?)
    }

    /// The weights that the replicas of a block start from.
    fn starts<T: Real>(&self, block: u64) -> Vec<Vec<T>> {
        match &self.given {
            Some(theta) => vec![theta.iter().map(|&x| T::from_f64(x)).collect(); self.replicas],
            None => {
                let first = block * self.replicas as u64;
                let draw = |replica| self.spec.law().draw(&self.network.architecture, self.seed, replica);
                (first..first + self.replicas as u64).map(draw).collect()
            }
        }
    }

    /// Weights of the first replica in double precision.
    pub(super) fn first_weights(&self) -> Vec<f64> {
        self.starts(0).into_iter().next().unwrap_or_default()
    }
}

/// [epoch, factor] from epoch 0 on.
fn pieces(factors: &[[f64; 2]]) -> impl Iterator<Item = [f64; 2]> + '_ {
    let begins = factors.first().is_none_or(|first| first[0] > 0.0);
    begins.then_some([0.0, 1.0]).into_iter().chain(factors.iter().copied())
}

fn training_data<T: Real>(network: &Network, data: &Data) -> Result<TrainingData<T>, DataMismatch> {
    TrainingData::new(network, &data.training, data.test.as_ref())
}

/// A relative path starts at the folder of the scenario.
fn path(source: &crate::input::Source, file: &str) -> PathBuf {
    source.folder().join(Path::new(file))
}

/// Refuses groups whose batches cannot be drawn at some time of the schedule, or that have no common times.
///
/// # Errors
/// At the key that causes it.
pub(super) fn check(loaded: &Loaded, course: &Course, groups: &mut [Group]) -> Result<(), Problem> {
    check_batches(loaded, course, groups)?;
    Group::meet(groups, course).map_err(|clash| clash.problem(loaded))
}

/// Refuses factors on S that make a batch of a group into none.
///
/// # Errors
/// At the factor.
fn check_batches(loaded: &Loaded, course: &Course, groups: &[Group]) -> Result<(), Problem> {
    for (index, [_, factor]) in course.spec.batch_size_factors.iter().enumerate() {
        for group in groups {
            let (size, most) = (group.batch_size() as f64 * factor, course.examples());
            let why = if size.fract() != 0.0 || size < 1.0 {
                "a batch has a whole number of examples".to_owned()
            } else if size > most as f64 && course.sampling != Sampling::WithReplacement {
                format!("a batch of different examples has at most as many as there are, {most}")
            } else {
                continue;
            };
            let message = format!(
                "found the factor {factor}, which makes the batch size {} of {} into {size}; {why}; take another factor, or other batch sizes",
                group.batch_size(),
                group.name
            );
            return Err(loaded.source.problem(&format!("training.batch_size_factors[{index}]"), message));
        }
    }
    Ok(())
}

/// Trains a group to its end, looking at it when its timetable says.
///
/// # Errors
/// When it was told to stop.
pub(super) fn train(
    course: &Course,
    trainees: &mut Trainees,
    group: &mut Group,
    progress: &mut Progress<'_, '_>,
) -> Result<(), ExperimentError> {
    let mut looks = Vec::new();
    let epochs = group.epochs_of_looks(course);
    progress
        .follow(|stop, monitor| trainees.train_through(&epochs, &mut |look| looks.push(look.clone()), monitor, stop))?;
    group.take(looks, trainees);
    Ok(())
}

/// The progress of several groups as that of one run.
pub(super) struct Progress<'c, 'm> {
    control: &'c mut super::super::Control<'m>,
    /// Steps of the groups that are finished.
    done: u64,
    /// Steps of the group that was followed last.
    last: u64,
    /// Steps of all groups.
    in_all: u64,
}

impl<'c, 'm> Progress<'c, 'm> {
    pub(super) fn new(control: &'c mut super::super::Control<'m>, in_all: u64) -> Self {
        Self { control, done: 0, last: 0, in_all }
    }

    /// A group took fewer than the `planned` steps, and is finished.
    pub(super) fn leave_out(&mut self, planned: u64) {
        self.in_all = self.in_all.saturating_sub(planned.saturating_sub(self.last));
    }

    /// Follows the steps of one group.
    pub(super) fn follow<T>(
        &mut self,
        work: impl FnOnce(&AtomicBool, &mut dyn FnMut(&crate::training::Status)) -> T,
    ) -> T {
        let (stop, done, in_all) = (self.control.stop, self.done, self.in_all);
        let mut last = 0;
        let monitor = &mut self.control.monitor;
        let result = work(stop, &mut |status: &crate::training::Status| {
            last = status.steps;
            let estimate = || None;
            monitor(&Status { steps_done: done + status.steps, steps_in_all: in_all, estimate: &estimate });
        });
        self.done += last;
        self.last = last;
        result
    }
}
