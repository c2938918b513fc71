//! Losses of a known law in place of trained replicas: what would be said of them? So the verdicts of questions about networks are calibrated without
//! training any; everything after the training is the questions' own.

use super::comparison::{Comparison, Quantity};
use super::course::Course;
use super::group::Group;
use super::{curves, document, stationary_loss};
use crate::experiment::ExperimentError;
use crate::findings::Findings;
use crate::math;
use crate::scenario::{ExperimentKind, Loaded, TrainingExperiment};
use crate::training::{Look, Measured, Score};

/// L by group, look and replica: groups in the order of the question's own (`curves`: pilot, every β, control; `stationary-loss`: every β, control),
/// the first look that of the start.
pub type Losses = Vec<Vec<Vec<f64>>>;

/// Judges losses as if they had come from training.
///
/// # Errors
/// For questions that are not about losses alone, and where there is not one list for each group.
pub fn judge_losses(loaded: &Loaded, course: &Course, losses: &Losses) -> Result<Findings, ExperimentError> {
    let kind = loaded.scenario.experiment;
    let mut groups = match kind {
        ExperimentKind::Training(TrainingExperiment::Curves) => curves::groups(loaded, course),
        ExperimentKind::Training(TrainingExperiment::StationaryLoss) => stationary_loss::groups(loaded, course),
        _ => return Err(ExperimentError::OtherExperiment),
    };
    if groups.len() != losses.len() {
        let message = format!("found losses of {} groups; the question has {}", losses.len(), groups.len());
        return Err(loaded.source.problem("experiment", message).into());
    }
    for (group, losses) in groups.iter_mut().zip(losses) {
        give(group, losses, course);
    }
    let (claims, verdict) = match (kind, &groups[..]) {
        (ExperimentKind::Training(TrainingExperiment::Curves), [pilot, first, others @ ..]) => {
            curves::judged(loaded, &[Comparison::new(Quantity::Loss, pilot, first)], others)
        }
        _ => stationary_loss::judged_groups(loaded, &groups),
    };
    Ok(document(
        loaded,
        course,
        groups.iter().map(|group| group.record(&[])).collect(),
        claims,
        Some(verdict),
        Vec::new(),
    ))
}

/// Looks as far apart as those of the scenario.
fn give(group: &mut Group, losses: &[Vec<f64>], course: &Course) {
    let every = course.spec.look_every * group.stretch as f64;
    let steps = group.steps as f64 * course.spec.look_every / course.spec.epochs;
    let measured = |&loss: &f64| {
        let training = Score { loss, log_loss: math::ln(loss), accuracy: None };
        Some(Measured { training, test: None, gradient_square: None })
    };
    let look = |(index, losses): (usize, &Vec<f64>)| Look {
        epochs: every * index as f64,
        steps: (steps * index as f64) as u64,
        replicas: losses.iter().map(measured).collect(),
    };
    group.looks = losses.iter().enumerate().map(look).collect();
}
