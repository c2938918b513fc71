//! Scenarios: a file of TOML as typed, checked, and turned into what an experiment needs.

mod check;
mod crossover;
mod data;
mod fastest;
mod gradient_noise;
mod load;
mod memory;
mod minibatch;
mod read;
mod scaling;
mod shipped;
mod study;
mod svag;
mod temperature_pair;
mod training;
mod weak_error;
mod width;

use serde::ser::{SerializeStruct, Serializer};
use serde::{Deserialize, Serialize};

pub use crossover::CrossoverSpec;
pub(crate) use fastest::no_known_bias;
pub use gradient_noise::{DRAWS_PER_BATCH, GROUPS, GradientNoiseSpec};
pub use load::{Loaded, load, parse};
pub use scaling::ScalingSpec;
pub use shipped::{Shipped, resolve, shipped};
pub use study::{AxisSpec, MOST_POINTS, Points, StudySpec};
pub use svag::{NoiseName, SvagSpec};
pub use temperature_pair::TemperaturePairSpec;
pub use training::{InitializationName, Precision, TrainingSpec};
pub use weak_error::WeakErrorSpec;
pub use width::WidthSpec;

use crate::data::DataSpec;
use crate::dynamics::DynamicsSpec;
use crate::loss::LossSpec;
use crate::noise::NoiseSpec;
use crate::statistics::claim::Verdict;

/// A scenario with every key read and every default that needs no computation filled in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scenario {
    /// Names the output folder: letters, digits, `-` and `_`.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// What is asked, in one sentence.
    pub question: String,
    /// What is measured.
    pub experiment: ExperimentKind,
    /// The verdict that its author expects.
    pub expect: Verdict,
    /// Of all randomness.
    pub seed: u64,
    /// L(θ) and where its minima are looked for.
    pub loss: LossSpec,
    /// What a network learns from; absent for other losses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataSpec>,
    /// Covariance of the per-example gradient, or the temperature.
    pub noise: NoiseSpec,
    /// η and S; absent where the noise is given as a temperature.
    pub sgd: Option<SgdSpec>,
    /// How θ moves.
    pub dynamics: DynamicsSpec,
    /// How many replicas, for how long.
    pub ensemble: EnsembleSpec,
    /// When a claim holds.
    pub test: TestSpec,
    /// At which noise scales, for a crossover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crossover: Option<CrossoverSpec>,
    /// By which factors, for proportional scaling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling: Option<ScalingSpec>,
    /// What the two ensembles of a `temperature-pair` differ by; absent in other experiments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_pair: Option<TemperaturePairSpec>,
    /// How the SDE of a network's SGD is approached; absent in other experiments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub svag: Option<SvagSpec>,
    /// How a network is trained; absent in experiments that train none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<TrainingSpec>,
    /// At which time and learning rates SGD is set beside its SDEs; absent in other experiments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weak_error: Option<WeakErrorSpec>,
    /// Which η and S are compared at which loss; absent in experiments other than `width`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<WidthSpec>,
    /// Where and of which batches the noise of the gradient is measured; absent in other experiments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradient_noise: Option<GradientNoiseSpec>,
    /// What a study varies; absent for a single run.
    #[serde(default)]
    pub study: Option<StudySpec>,
}

/// The experiments, one file each in `crate::experiment`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExperimentKind {
    /// Occupancy of every minimum against the ladder of predictions.
    Equilibrium,
    /// Stationary covariance in a bowl against the Lyapunov equations.
    Covariance,
    /// ln(p_A/p_B) against 1/n: slope, intercept, and n* where the two minima are even.
    Crossover,
    /// η → βη, S → βS on the discrete dynamics: what stays the same, and at which β it no longer does.
    Scaling,
    /// The occupancies under one form of noise after another, from the one that the formula assumes to real minibatches.
    NoiseLadder,
    /// The distance between the stationary density and exp(−L/T)/Z.
    Density,
    /// The ratio of the laws of L at two temperatures.
    TemperaturePair,
    /// How |E f(SGD) − E f(SDE)| at a fixed time falls with η, for the SDE and for its modification of second order.
    WeakError,
    /// A question about a network in training.
    #[serde(untagged)]
    Training(TrainingExperiment),
}

/// Questions about networks in training, which ask for no minima, one file each in `crate::experiment::training`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrainingExperiment {
    /// η → βη, S → βS: loss and accuracy against epochs, between β.
    Curves,
    /// How far SGD and SVAG(l) are from the SDE.
    Svag,
    /// η → βη, S → βS: the mean loss once training has come to rest.
    StationaryLoss,
    /// Curvature at equal training loss against η/S.
    Width,
    /// The covariance of the minibatch gradient, and how it approaches the normal law.
    GradientNoise,
}

/// Learning rate and batch size.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SgdSpec {
    /// η > 0.
    pub learning_rate: f64,
    /// S ≥ 1.
    pub batch_size: u64,
}

/// How many replicas, for how long. Where a network is trained `[training]` says how long, and `replicas` is all there is: `steps` is 0.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct EnsembleSpec {
    /// Independent trajectories R ≥ 2.
    pub replicas: u64,
    /// Measured steps per replica.
    #[serde(default)]
    pub steps: u64,
    /// Steps before anything is measured; left out: a twentieth of `steps`, or as many more as the softest curvature of the minima asks for.
    pub burn_in: Option<u64>,
    /// Where replicas start.
    #[serde(default)]
    pub start: Start,
    /// Steps between two looks at a trajectory; left out: a fraction of the fastest relaxation time.
    pub observe_every: Option<u64>,
    /// A standard error to reach: a pilot run then plans the length, and `steps` is the most that may be; left out: `steps`
    /// are run.
    pub target_standard_error: Option<f64>,
}

impl EnsembleSpec {
    /// Steps of a replica, as far as they are known without the loss: of a burn-in that is left out only the twentieth of `steps`.
    pub fn least_steps(&self) -> u64 {
        self.steps + self.burn_in.unwrap_or(self.steps / 20)
    }
}

impl Serialize for EnsembleSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut keys = serializer.serialize_struct("EnsembleSpec", if self.steps > 0 { 6 } else { 1 })?;
        keys.serialize_field("replicas", &self.replicas)?;
        if self.steps > 0 {
            keys.serialize_field("steps", &self.steps)?;
            keys.serialize_field("burn_in", &self.burn_in)?;
            keys.serialize_field("start", &self.start)?;
            keys.serialize_field("observe_every", &self.observe_every)?;
            keys.serialize_field("target_standard_error", &self.target_standard_error)?;
        }
        keys.end()
    }
}

/// Where replicas start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// Shared out equally over the minima: replica r starts in minimum r mod K.
    #[default]
    Minima,
    /// Uniform in the domain, by the replica's own random stream.
    Uniform,
    /// Shared out equally over these points.
    #[serde(untagged)]
    Points(Vec<Vec<f64>>),
}

/// When a claim holds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestSpec {
    /// ε: in log-odds for occupancies, in ln ratio for positive quantities, a distance for densities.
    pub tolerance: f64,
    /// The rung that the scenario's verdict is about.
    pub against: Rung,
    /// Of the sampler of the Gibbs law in more than three dimensions, which draws the same numbers for every seed of the scenario: with
    /// another one a law moves within its standard errors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampler_seed: Option<u64>,
}

/// A rung of the ladder of predictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// The slide's formula.
    Laplace,
    /// exp(−L/T)/Z integrated over basins.
    Gibbs,
    /// The Itô equation's own density where the noise depends on θ, integrated over basins (1-D).
    Ito,
    /// The stationary law of the chain at its finite step.
    Discrete,
}

/// The commented scenario that `sgd-sde new` writes.
pub const STARTER: &str = include_str!("starter.toml");

/// Trajectory-steps per second and coordinate of a machine with two cores, for rough estimates before anything ran.
const ROUGH_SPEED: f64 = 6e8;
/// The same per coordinate and example of a small network, labels of what is looked at included; and seconds that its Gibbs law takes.
const ROUGH_SPEED_OF_NETWORKS: f64 = 1.1e9;
const ROUGH_SECONDS_OF_SAMPLING: f64 = 6.0;

impl Scenario {
    /// Number of parameters d.
    pub fn dimension(&self) -> usize {
        self.loss.dimension()
    }

    /// Names of the coordinates of θ.
    pub fn variables(&self) -> Vec<String> {
        self.loss.variables()
    }

    /// n = η/S; `None` where the noise is given as a temperature. The noise that [`NoiseSpec::build`] then gives has
    /// that temperature with n = 1.
    pub fn noise_scale(&self) -> Option<f64> {
        self.sgd.map(|sgd| sgd.learning_rate / sgd.batch_size as f64)
    }

    /// The same scenario with n (or, where the noise is given as a temperature, T) `factor` times as large, by the
    /// learning rate. An integrator's step δ stays as it is; SGD's own step is η and moves along.
    pub fn with_noise_times(&self, factor: f64) -> Self {
        let mut changed = self.clone();
        if let NoiseSpec::Temperature(spec) = &mut changed.noise {
            spec.value *= factor;
        }
        if let Some(sgd) = &mut changed.sgd {
            sgd.learning_rate *= factor;
        }
        changed
    }

    /// δ, SDE time per step: η for SGD itself, η/l for SVAG.
    pub fn step(&self) -> f64 {
        match (self.dynamics.step(), self.sgd) {
            (Some(step), _) => step,
            (None, Some(sgd)) => sgd.learning_rate / self.dynamics.steps_per_learning_rate(),
            // Reading refuses this combination; a scenario made by hand gets a step that no check lets pass.
            (None, None) => f64::NAN,
        }
    }

    /// How many ensembles a run simulates, one after another.
    pub fn ensembles(&self) -> usize {
        match self.experiment {
            ExperimentKind::Crossover => self.crossover.as_ref().map_or(1, |crossover| crossover.factors.len()),
            ExperimentKind::Scaling => self.scaling.as_ref().map_or(1, |scaling| scaling.beta.len()),
            // All that the noise of a batch may differ in; which of them it does the landscape tells.
            ExperimentKind::NoiseLadder => 5,
            ExperimentKind::TemperaturePair => 2,
            ExperimentKind::WeakError => self.weak_error.as_ref().map_or(1, |spec| spec.learning_rates.len()),
            ExperimentKind::Equilibrium | ExperimentKind::Covariance | ExperimentKind::Density => 1,
            ExperimentKind::Training(TrainingExperiment::GradientNoise) => 1,
            ExperimentKind::Training(TrainingExperiment::Curves) => {
                // One of the first β for the margin and one that differs.
                self.scaling.as_ref().map_or(1, |scaling| scaling.beta.len()) + 2
            }
            ExperimentKind::Training(TrainingExperiment::StationaryLoss) => {
                self.scaling.as_ref().map_or(1, |scaling| scaling.beta.len()) + 1
            }
            ExperimentKind::Training(TrainingExperiment::Svag) => {
                self.svag.as_ref().map_or(3, |svag| svag.amplifications.len() + svag.beside.len() + 3)
            }
            ExperimentKind::Training(TrainingExperiment::Width) => {
                self.width.as_ref().map_or(1, |width| width.factors.len())
            }
        }
    }

    /// Seconds that a run takes, to an order of magnitude.
    pub fn rough_seconds(&self) -> f64 {
        if let Some(training) = &self.training {
            // Six operations a weight and example, of which a machine with two cores does some 3·10¹⁰ a second.
            let examples = self.loss.data().map_or(0, |data| data.training.len()) as f64;
            let batch = self.sgd.map_or(1.0, |sgd| sgd.batch_size as f64);
            let passes = match &self.svag {
                // Two batches at each of l steps; what has no batches takes all examples at every step.
                Some(svag) => {
                    2.0 + 2.0 * svag.amplifications.iter().sum::<f64>()
                        + (svag.beside.len() + 1) as f64 * examples / batch
                }
                None => self.ensembles() as f64,
            };
            let work = 6.0 * self.dimension() as f64 * examples * training.epochs * self.ensemble.replicas as f64;
            return passes * work / 3e10 + self.rough_seconds_of_noise();
        }
        let steps = self.ensemble.least_steps() as f64;
        let ensembles = match &self.weak_error {
            // An ensemble of η takes t/η steps of its own; their sum over that of the smallest η.
            Some(spec) => {
                spec.gradients_per_step() * spec.learning_rates.iter().map(|&rate| spec.steps(rate) as f64).sum::<f64>()
                    / steps
            }
            None => self.ensembles() as f64,
        };
        let trajectory_steps = ensembles * steps * self.ensemble.replicas as f64;
        if let (ExperimentKind::Equilibrium, Some(data)) = (self.experiment, self.loss.data()) {
            let work = trajectory_steps * (self.dimension() * data.training.len()) as f64;
            return work / ROUGH_SPEED_OF_NETWORKS + ROUGH_SECONDS_OF_SAMPLING;
        }
        // Of a ladder of noise most are the small steps of the SDE, some of them with a normal for every example.
        let costly = if self.experiment == ExperimentKind::NoiseLadder { 10.0 } else { 1.0 };
        costly * trajectory_steps * self.dimension() as f64 / ROUGH_SPEED
    }

    /// Seconds of the gradients that [`GradientNoiseSpec`] asks for at every point of every replica, some 4 µs a batch beside the work, and of the
    /// products that the spectra of H and C take, as many as gradients of all examples that have been counted in runs.
    fn rough_seconds_of_noise(&self) -> f64 {
        const PRODUCTS: f64 = 2_500.0;
        let Some(spec) = &self.gradient_noise else { return 0.0 };
        let points = spec.epochs.len() as f64 * self.ensemble.replicas as f64;
        let examples = self.loss.data().map_or(0, |data| data.training.len()) as f64;
        let gradients = spec.example_gradients() + PRODUCTS * examples;
        points * (6.0 * self.dimension() as f64 * gradients / 3e10 + 4e-6 * spec.all_batches() as f64)
    }

    /// The scenario as a file that reads back to the same one, every default filled in.
    ///
    /// # Errors
    /// When a number is beyond what TOML holds; never for a scenario that was read.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }
}
