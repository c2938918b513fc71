//! Experiments: one file per question, each pairing predictions with estimates into claims.

mod cloud;
mod cost;
pub mod covariance;
pub mod crossover;
pub mod density;
mod effort;
mod elsewhere;
pub mod equilibrium;
mod exchange;
mod explored;
pub mod fastest;
mod figures;
pub mod forecast;
mod irregular;
pub mod ladder;
pub mod measurement;
mod moved;
pub mod noise_ladder;
pub mod overshoot;
mod pilot;
mod points;
mod reason;
mod records;
pub mod scaling;
pub mod setting;
mod softest;
pub mod state;
mod state_dependent;
mod stationarity;
pub mod temperature_pair;
pub mod training;
pub mod weak_error;

use std::sync::atomic::AtomicBool;

use crate::ensemble::Interrupted;
use crate::findings::{FigureData, Findings, OutputFile};
use crate::input::{Problem, Problems};
use crate::plain::exact;
use crate::scenario::{ExperimentKind, Loaded};
use setting::Setting;
use training::Course;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum ExperimentError {
    /// The scenario cannot be run as it is.
    #[error(transparent)]
    Input(#[from] Problems),
    /// The run was told to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// No replica came to its end.
    #[error(
        "all {replicas} replicas diverged, the first by step {first_step}: nothing is left to measure. The step δ = {} is \
         too large for the curvature that the trajectories meet, or the loss is no number where they go: lower the step, or \
         correct the formula",
        exact(*step)
    )]
    AllDiverged {
        /// How many.
        replicas: u64,
        /// The earliest step at which one was seen to have diverged.
        first_step: u64,
        /// δ.
        step: f64,
    },
    /// No replica of a network in training came to its end.
    #[error(
        "all {replicas} replicas with η = {} diverged, the first at step {first_step}: nothing is left to compare with. Gradient \
         descent is stable at the first weights up to η = 2/λ_max = {largest}; lower sgd.learning_rate, or standardise the data",
        exact(*learning_rate)
    )]
    TrainingDiverged {
        /// How many.
        replicas: u64,
        /// The earliest step at which one was seen to have diverged.
        first_step: u64,
        /// η.
        learning_rate: f64,
        /// 2/λ_max in words.
        largest: String,
    },
    /// What was prepared is of another experiment.
    #[error("what was prepared is of another experiment than this scenario's; prepare the scenario itself")]
    OtherExperiment,
    /// A saved state is not of this run.
    #[error("the run cannot be continued: the saved state {0}")]
    State(#[from] state::StateError),
    /// A saved state has another shape than this run.
    #[error("the run cannot be continued: {0}")]
    Misfit(#[from] crate::ensemble::checkpoint::Misfit),
    /// The statistics refused the measurement's shape.
    #[error("the measurement cannot be judged: {0}")]
    Statistics(#[from] crate::statistics::StatisticsError),
}

impl From<Problem> for ExperimentError {
    fn from(problem: Problem) -> Self {
        Self::Input(problem.into())
    }
}

/// Where a run stands, for a progress line.
pub struct Status<'a> {
    /// Steps per replica so far, burn-in included.
    pub steps_done: u64,
    /// Of so many.
    pub steps_in_all: u64,
    /// What is measured so far: a name, the value and its standard error. Computed when asked for.
    pub estimate: &'a dyn Fn() -> Option<(String, f64, f64)>,
}

/// What a run needs from outside: somebody to tell how it goes, and a way to be stopped.
pub struct Control<'a> {
    /// Called often; it must be quick.
    pub monitor: &'a mut dyn FnMut(&Status),
    /// Set at any time to end the run without a result.
    pub stop: &'a AtomicBool,
}

/// Runs `parts` ensembles of about equal length one after another, under one progress line.
///
/// # Errors
/// The first error of a part.
pub fn in_turn<T>(
    parts: usize,
    control: &mut Control,
    mut run: impl FnMut(usize, &mut Control) -> Result<T, ExperimentError>,
) -> Result<Vec<T>, ExperimentError> {
    let stop = control.stop;
    let mut results = Vec::with_capacity(parts);
    for part in 0..parts {
        let mut monitor = |status: &Status| {
            (control.monitor)(&Status {
                steps_done: part as u64 * status.steps_in_all + status.steps_done,
                steps_in_all: parts as u64 * status.steps_in_all,
                estimate: status.estimate,
            });
        };
        results.push(run(part, &mut Control { monitor: &mut monitor, stop })?);
    }
    Ok(results)
}

/// A scenario made into what its experiment needs.
pub enum Prepared {
    /// A loss whose minima were found.
    Landscape(Box<Setting>),
    /// A network to train.
    Training(Box<Course>),
}

impl Prepared {
    /// The same with only what claims need, for the points of a study.
    pub fn brief(self) -> Self {
        match self {
            Self::Landscape(setting) => Self::Landscape(Box::new(Setting { brief: true, ..*setting })),
            Self::Training(course) => Self::Training(course),
        }
    }

    /// T = nσ²/2; `None` where there is none.
    pub fn temperature(&self) -> Option<f64> {
        match self {
            Self::Landscape(setting) => setting.temperature(),
            Self::Training(_) => None,
        }
    }
}

/// What the experiment of a scenario needs, if the scenario allows the question: everything that can be refused before a prediction
/// or a run is refused here.
///
/// # Errors
/// When loss or data do not allow the question.
pub fn prepare(loaded: &Loaded) -> Result<Prepared, ExperimentError> {
    let ensemble = &loaded.scenario.ensemble;
    if ensemble.target_standard_error.is_some() && !is_on_demand(loaded.scenario.experiment) {
        let message = "found a standard error to reach, but this experiment cannot plan its own length; remove the key and give \
             ensemble.steps";
        return Err(loaded.source.problem("ensemble.target_standard_error", message).into());
    }
    let setting = match loaded.scenario.experiment {
        ExperimentKind::Equilibrium => equilibrium::prepare(loaded),
        ExperimentKind::Covariance => covariance::prepare(loaded),
        ExperimentKind::Crossover => crossover::prepare(loaded),
        ExperimentKind::Scaling => scaling::prepare(loaded),
        ExperimentKind::NoiseLadder => noise_ladder::prepare(loaded),
        ExperimentKind::Density => density::prepare(loaded),
        ExperimentKind::TemperaturePair => temperature_pair::prepare(loaded),
        ExperimentKind::WeakError => weak_error::prepare(loaded),
        ExperimentKind::Training(kind) => return Ok(Prepared::Training(Box::new(training::prepare(loaded, kind)?))),
    };
    Ok(Prepared::Landscape(Box::new(setting?)))
}

/// The theory alone: the document with the measured fields null. `prepared` is what [`prepare`] made of the scenario.
///
/// # Errors
/// When the theory does not reach the question.
pub fn predict(loaded: &Loaded, prepared: &Prepared) -> Result<Findings, ExperimentError> {
    match (loaded.scenario.experiment, prepared) {
        (ExperimentKind::Equilibrium, Prepared::Landscape(setting)) => equilibrium::predict(loaded, setting),
        (ExperimentKind::Covariance, Prepared::Landscape(setting)) => covariance::predict(loaded, setting),
        (ExperimentKind::Crossover, Prepared::Landscape(setting)) => crossover::predict(loaded, setting),
        (ExperimentKind::Scaling, Prepared::Landscape(setting)) => scaling::predict(loaded, setting),
        (ExperimentKind::NoiseLadder, Prepared::Landscape(setting)) => noise_ladder::predict(loaded, setting),
        (ExperimentKind::Density, Prepared::Landscape(setting)) => density::predict(loaded, setting),
        (ExperimentKind::TemperaturePair, Prepared::Landscape(setting)) => temperature_pair::predict(loaded, setting),
        (ExperimentKind::WeakError, Prepared::Landscape(setting)) => weak_error::predict(loaded, setting),
        (ExperimentKind::Training(kind), Prepared::Training(course)) => Ok(training::predict(loaded, kind, course)),
        _ => Err(ExperimentError::OtherExperiment),
    }
}

/// Simulates, compares and judges. `prepared` is what [`prepare`] made of the scenario. For a run that may be continued, and
/// to continue one, see [`run_from`].
///
/// # Errors
/// When the theory does not reach the question, the run was stopped, or every replica diverged.
pub fn run(
    loaded: &Loaded,
    prepared: &Prepared,
    control: &mut Control,
) -> Result<(Findings, FigureData), ExperimentError> {
    match (loaded.scenario.experiment, prepared) {
        (ExperimentKind::Equilibrium | ExperimentKind::Covariance, _) => {
            run_from(loaded, prepared, None, control).map(|finished| (finished.findings, finished.figures))
        }
        (ExperimentKind::Crossover, Prepared::Landscape(setting)) => crossover::run(loaded, setting, control),
        (ExperimentKind::Scaling, Prepared::Landscape(setting)) => scaling::run(loaded, setting, control),
        (ExperimentKind::NoiseLadder, Prepared::Landscape(setting)) => noise_ladder::run(loaded, setting, control),
        (ExperimentKind::Density, Prepared::Landscape(setting)) => density::run(loaded, setting, control),
        (ExperimentKind::TemperaturePair, Prepared::Landscape(setting)) => {
            temperature_pair::run(loaded, setting, control)
        }
        (ExperimentKind::WeakError, Prepared::Landscape(setting)) => weak_error::run(loaded, setting, control),
        (ExperimentKind::Training(kind), Prepared::Training(course)) => training::run(loaded, kind, course, control),
        _ => Err(ExperimentError::OtherExperiment),
    }
}

/// What a run came to.
pub struct Finished {
    /// The document.
    pub findings: Findings,
    /// What the figures are drawn from.
    pub figures: FigureData,
    /// What the next look goes on from; `None` where the question is answered or the experiment cannot be continued.
    pub state: Option<state::State>,
    /// Further files of the result, such as weights.
    pub files: Vec<OutputFile>,
}

/// Whether runs of an experiment can be planned by a pilot and continued.
pub fn is_on_demand(kind: ExperimentKind) -> bool {
    kind == ExperimentKind::Equilibrium || kind == ExperimentKind::Covariance
}

/// Simulates, compares and judges; goes on from `earlier` if there is one, which must be of the very same scenario
/// ([`state::Earlier::require`]).
///
/// # Errors
/// As [`run`]; and when `earlier` does not fit.
pub fn run_from(
    loaded: &Loaded,
    prepared: &Prepared,
    earlier: Option<state::Earlier>,
    control: &mut Control,
) -> Result<Finished, ExperimentError> {
    let kind = loaded.scenario.experiment;
    if let (ExperimentKind::Training(kind), Prepared::Training(course)) = (kind, prepared) {
        let (findings, figures, files) = training::run_with_files(loaded, kind, course, control)?;
        return Ok(Finished { findings, figures, state: None, files });
    }
    if !is_on_demand(kind) {
        let (findings, figures) = run(loaded, prepared, control)?;
        return Ok(Finished { findings, figures, state: None, files: Vec::new() });
    }
    let Prepared::Landscape(setting) = prepared else { return Err(ExperimentError::OtherExperiment) };
    let mut effort = effort::Effort::from(earlier);
    let (mut findings, figures) = if kind == ExperimentKind::Covariance {
        covariance::run(loaded, setting, &mut effort, control)?
    } else {
        equilibrium::run(loaded, setting, &mut effort, control)?
    };
    effort.tell(&mut findings);
    let state = effort.into_state(&findings);
    Ok(Finished { findings, figures, state, files: Vec::new() })
}
