//! Questions about a network in training: groups of replicas that differ in η, S or noise, and what they come to.
//!
//! Minima are not looked for, so a network may be of any size. Each question has a file; [`Course`] is what they share.

mod comparison;
mod course;
mod curvature;
mod curves;
mod given;
mod gradient_noise;
mod group;
mod stationary_loss;
mod svag;
mod timetable;
mod trainees;
mod width;

pub use course::Course;
pub use curvature::Unstable;
use curvature::stable_rate_in_words;
pub use given::{Losses, judge_losses};
pub use group::Group;
pub use trainees::Trainees;

use super::forecast::Forecast;
use super::{Control, ExperimentError};
use crate::findings::{ClaimRecord, DataRecord, FigureData, Findings, GroupRecord, OutputFile, Program, SCHEMA};
use crate::scenario::{ExperimentKind, Loaded, TrainingExperiment};
use crate::statistics::Verdict;

/// Operations a second of one thread on networks of everyday size, roughly.
const SPEED: f64 = 1.5e10;

/// The course of a scenario, if it allows the scenario's question.
///
/// # Errors
/// When data, weights or batches do not go with the network, or with the question.
pub fn prepare(loaded: &Loaded, kind: TrainingExperiment) -> Result<Course, ExperimentError> {
    let course = Course::of(loaded)?;
    match kind {
        TrainingExperiment::Curves => curves::prepare(loaded, &course)?,
        TrainingExperiment::Svag => svag::prepare(loaded, &course)?,
        TrainingExperiment::StationaryLoss => stationary_loss::prepare(loaded, &course)?,
        TrainingExperiment::Width => width::prepare(loaded, &course)?,
        TrainingExperiment::GradientNoise => gradient_noise::prepare(loaded, &course)?,
    }
    Ok(course)
}

/// What is going to be compared, nothing trained.
pub fn predict(loaded: &Loaded, kind: TrainingExperiment, course: &Course) -> Findings {
    match kind {
        TrainingExperiment::Curves => curves::predict(loaded, course),
        TrainingExperiment::Svag => svag::predict(loaded, course),
        TrainingExperiment::StationaryLoss => stationary_loss::predict(loaded, course),
        TrainingExperiment::Width => width::predict(loaded, course),
        TrainingExperiment::GradientNoise => gradient_noise::predict(loaded, course),
    }
}

/// Trains, compares and judges.
///
/// # Errors
/// When the run was stopped, or nothing is left to compare with.
pub fn run(
    loaded: &Loaded,
    kind: TrainingExperiment,
    course: &Course,
    control: &mut Control,
) -> Result<(Findings, FigureData), ExperimentError> {
    match kind {
        TrainingExperiment::Curves => curves::run(loaded, course, control),
        TrainingExperiment::GradientNoise => gradient_noise::run(loaded, course, control),
        TrainingExperiment::Svag => svag::run(loaded, course, control),
        TrainingExperiment::StationaryLoss => stationary_loss::run(loaded, course, control),
        TrainingExperiment::Width => {
            width::run(loaded, course, control).map(|(findings, figures, _)| (findings, figures))
        }
    }
}

/// [`run`] with the files that a question leaves beside its findings, such as weights.
///
/// # Errors
/// As [`run`].
pub fn run_with_files(
    loaded: &Loaded,
    kind: TrainingExperiment,
    course: &Course,
    control: &mut Control,
) -> Result<(Findings, FigureData, Vec<OutputFile>), ExperimentError> {
    match kind {
        TrainingExperiment::Width => width::run(loaded, course, control),
        _ => run(loaded, kind, course, control).map(|(findings, figures)| (findings, figures, Vec::new())),
    }
}

/// What a run will cost. Its power is not foreseen.
pub(super) fn forecast(loaded: &Loaded, course: &Course, threads: usize) -> Forecast {
    let scenario = &loaded.scenario;
    let groups = match scenario.experiment {
        ExperimentKind::Training(TrainingExperiment::Curves) => curves::groups(loaded, course),
        ExperimentKind::Training(TrainingExperiment::Svag) => svag::groups(loaded, course),
        ExperimentKind::Training(TrainingExperiment::StationaryLoss) => stationary_loss::groups(loaded, course),
        ExperimentKind::Training(TrainingExperiment::Width) => width::groups(loaded, course),
        ExperimentKind::Training(TrainingExperiment::GradientNoise) => gradient_noise::groups(loaded, course),
        _ => Vec::new(),
    };
    let replicas = course.replicas as f64;
    let beside_training = match scenario.experiment {
        ExperimentKind::Training(TrainingExperiment::Width) => width::seconds_of_curvature(course, groups.len()),
        ExperimentKind::Training(TrainingExperiment::GradientNoise) => scenario.rough_seconds() * 2.0,
        _ => 0.0,
    };
    let steps: f64 = groups.iter().map(|group| group.steps as f64).sum();
    let parameters = course.network.parameters() as f64;
    Forecast::of_training(
        [groups.len(), course.network.parameters()],
        replicas * steps,
        60e6 + replicas * parameters * 24.0 + gradient_noise::memory(loaded, course),
        (replicas * groups.iter().map(|group| group.work(course)).sum::<f64>() / SPEED + beside_training)
            / threads.min(course.replicas).max(1) as f64,
        scenario.test.tolerance,
        Unstable::of(course, groups.iter().map(Group::learning_rate)),
    )
}

/// Everything that no training changes, with what a question adds to it.
fn document(
    loaded: &Loaded,
    course: &Course,
    groups: Vec<GroupRecord>,
    claims: Vec<ClaimRecord>,
    verdict: Option<Verdict>,
    mut notes: Vec<String>,
) -> Findings {
    let lost = of_the_lost(course, &groups);
    let unstable = || Unstable::of(course, groups.iter().map(|group| group.learning_rate));
    notes.extend(lost.or_else(|| Some(format!("step too large at the first weights: {}", unstable()?))));
    let scenario = loaded.scenario.clone();
    Findings {
        schema: SCHEMA,
        program: Program { name: "sgd-sde".into(), version: env!("CARGO_PKG_VERSION").into() },
        data: Some(DataRecord::of(&course.data)),
        noise_scale: scenario.noise_scale(),
        temperature: None,
        effective_temperature: None,
        minima: Vec::new(),
        saddles: Vec::new(),
        escape: Vec::new(),
        occupancy: Vec::new(),
        points: Vec::new(),
        groups,
        gradient_noise: Vec::new(),
        crossover: None,
        scaling: None,
        weak_error: None,
        claims,
        verdict,
        expected: scenario.expect,
        diagnostics: None,
        notes,
        scenario,
        study: None,
    }
}

/// Which groups lost replicas, and the learning rate up to which gradient descent would not have.
fn of_the_lost(course: &Course, groups: &[GroupRecord]) -> Option<String> {
    let told = groups.iter().filter_map(|group| {
        let lost = group.diverged.filter(|diverged| *diverged > 0)?;
        let first = group.diverged_replicas.iter().map(|record| record.step).min()?;
        let rate = crate::plain::significant(group.learning_rate, 4);
        Some(format!("{lost} of {} replicas of {} with η = {rate}, from step {first}", group.replicas, group.name))
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() {
        return None;
    }
    Some(format!(
        "diverged: {}. Gradient descent is stable at the first weights up to η = 2/λ_max = {}; what is left of such a group is biased",
        told.join("; "),
        largest_stable(course)
    ))
}

fn largest_stable(course: &Course) -> String {
    stable_rate_in_words(course).unwrap_or_else(|| "not known".to_owned())
}

/// Nothing is left of a group that others are compared with.
fn lost(course: &Course, group: &Group) -> ExperimentError {
    ExperimentError::TrainingDiverged {
        replicas: group.diverged.len() as u64,
        first_step: group.diverged.iter().map(|&(_, step)| step).min().unwrap_or(0),
        learning_rate: group.learning_rate(),
        largest: largest_stable(course),
    }
}
