//! What minibatches ask of the rest of a scenario.

use super::read::Parts;
use super::{ExperimentKind, SgdSpec};
use crate::dynamics::DynamicsSpec;
use crate::input::{Problem, Source};
use crate::lanes::LANES;
use crate::noise::{MinibatchSpec, NoiseSpec, TiltsSpec};
use crate::random::batches::{BatchPlan, Sampling};
use crate::random::increments::Increments;

/// The most examples of a batch that are drawn one by one at every step.
const LARGEST_BATCH: u64 = 1_000_000;

/// All problems of minibatches with the loss, the batch size, the dynamics and the question; and of a dynamics that lacks them.
pub(super) fn check(parts: &Parts, source: &Source) -> Vec<Problem> {
    let Some(NoiseSpec::Minibatch(spec)) = &parts.noise else {
        let needs_batches = matches!(parts.dynamics, Some(DynamicsSpec::Svag { .. })) && parts.noise.is_some();
        let message = "found \"svag\" with noise that is Gaussian; SVAG is a combination of the gradients of two minibatches; write \
                       noise.kind = \"minibatch\", or kind = \"sgd\"";
        let mut problems: Vec<Problem> =
            needs_batches.then(|| source.problem("dynamics.kind", message)).into_iter().collect();
        if parts.experiment == Some(ExperimentKind::NoiseLadder) && parts.noise.is_some() {
            let message = "found noise without examples; experiment \"noise-ladder\" asks what of the noise of real minibatches moves \
                           SGD; write noise.kind = \"minibatch\"";
            problems.push(source.problem("noise.kind", message));
        }
        return problems;
    };
    let mut problems = Vec::new();
    if let (Some(tilts), Some(loss)) = (&spec.tilts, &parts.loss) {
        problems.extend(enough_examples(tilts, loss.dimension(), source));
    }
    if let (Some(sgd), Some(examples)) = (parts.sgd.flatten(), examples(parts)) {
        problems.extend(batch_size(spec, examples, sgd, largest_beta(parts), source));
    }
    problems.extend(parts.dynamics.as_ref().and_then(|dynamics| moved_by(spec, dynamics, source)));
    problems.extend(parts.experiment.and_then(|experiment| asked(spec, experiment, source)));
    let is_sgd = matches!(parts.dynamics, Some(DynamicsSpec::Sgd { .. }));
    if parts.experiment == Some(ExperimentKind::NoiseLadder) && parts.dynamics.is_some() && !is_sgd {
        let message = "found another dynamics than SGD; experiment \"noise-ladder\" sets SGD on minibatches beside the SDE, whose step it \
                       chooses itself; write kind = \"sgd\" and remove step, or leave out [dynamics]";
        let key = if source.has("dynamics.kind") { "dynamics.kind" } else { "dynamics" };
        problems.push(source.problem(key, message));
    }
    problems
}

/// Bytes that the batches of a replica take: of epochs an order of all examples.
pub(super) fn bytes_per_replica(parts: &Parts) -> u64 {
    let (Some(NoiseSpec::Minibatch(spec)), Some(Some(sgd))) = (&parts.noise, parts.sgd) else { return 0 };
    let plan = BatchPlan::new(spec.sampling, examples(parts).unwrap_or(0) as usize, sgd.batch_size as usize);
    plan.map_or(0, |plan| plan.bytes_per_block() / LANES) as u64
}

/// N, of synthetic examples or of those that the loss learns from.
fn examples(parts: &Parts) -> Option<u64> {
    match (&parts.noise, &parts.loss) {
        (Some(NoiseSpec::Minibatch(MinibatchSpec { tilts: Some(tilts), .. })), _) => Some(tilts.examples),
        (_, Some(loss)) => loss.data().map(|data| data.training.len() as u64),
        _ => None,
    }
}

/// The largest β of a scaling experiment, by which S grows.
fn largest_beta(parts: &Parts) -> f64 {
    let scaling = parts.scaling.as_ref().and_then(Option::as_ref);
    scaling.and_then(|scaling| scaling.beta.last().copied()).unwrap_or(1.0)
}

/// d + 1 examples at least, for a covariance of full rank.
fn enough_examples(spec: &TiltsSpec, dimension: usize, source: &Source) -> Option<Problem> {
    if spec.examples > dimension as u64 {
        return None;
    }
    let message = format!(
        "found {} examples for a loss of {dimension} coordinates; their covariance has full rank only with more examples than coordinates; \
         take at least {}",
        spec.examples,
        dimension + 1
    );
    Some(source.problem("noise.examples", message))
}

/// A batch of different examples leaves some out, or nothing is left to chance.
fn batch_size(spec: &MinibatchSpec, examples: u64, sgd: SgdSpec, beta: f64, source: &Source) -> Option<Problem> {
    let SgdSpec { batch_size, .. } = sgd;
    let (grown, how) = match beta {
        1.0 => (batch_size as f64, String::new()),
        _ => (beta * batch_size as f64, format!(", that is {} at β = {beta}", beta * batch_size as f64)),
    };
    let message = if grown > LARGEST_BATCH as f64 {
        format!(
            "found a batch of {batch_size}{how}; every step draws its examples one by one, and at most {LARGEST_BATCH} is allowed; take a \
             smaller batch, or noise of kind \"isotropic\""
        )
    } else if spec.sampling != Sampling::WithReplacement && grown >= examples as f64 {
        format!(
            "found a batch of {batch_size}{how}, from {} examples; a batch of different examples must leave some out, else its gradient has \
             no noise; take {}, more {}, or noise.sampling = \"with-replacement\"",
            examples,
            match ((examples - 1) as f64 / beta).floor() as u64 {
                0 => "a smaller largest β".to_owned(),
                most if beta > 1.0 => format!("at most {most}, or a smaller largest β"),
                most => format!("at most {most}"),
            },
            if spec.tilts.is_some() { "noise.examples" } else { "examples" }
        )
    } else {
        return None;
    };
    Some(source.problem("sgd.batch_size", message))
}

/// Increments are those of Gaussian noise, and epochs those of SGD.
fn moved_by(spec: &MinibatchSpec, dynamics: &DynamicsSpec, source: &Source) -> Option<Problem> {
    match dynamics {
        DynamicsSpec::Sgd { increments: Increments::Binomial } => {
            let message = "found \"binomial\" with SGD on minibatches, which takes no increments; remove increments, or write noise.kind = \
                           \"isotropic\" or \"covariance\"";
            Some(source.problem("dynamics.increments", message))
        }
        DynamicsSpec::Sgd { .. } => None,
        _ if spec.sampling == Sampling::Epochs => {
            let message = format!(
                "found \"epochs\" with {}; the batches of an epoch are dependent, and only SGD itself takes them; write dynamics.kind = \
                 \"sgd\", or sampling = \"without-replacement\"",
                dynamics.title()
            );
            Some(source.problem("noise.sampling", message))
        }
        DynamicsSpec::Svag { .. } | DynamicsSpec::EulerMaruyama { increments: Increments::Gaussian, .. } => None,
        _ if spec.tilts.is_none() => {
            let message = format!(
                "found {} with the noise of a network's examples, whose covariance is another at every θ; of the integrators only \
                 Euler–Maruyama with Gaussian increments takes it; write dynamics.kind = \"euler-maruyama\", or \"sgd\" for minibatches \
                 themselves",
                dynamics.title()
            );
            Some(source.problem("dynamics.kind", message))
        }
        _ => None,
    }
}

/// The questions whose predictions hold for every way to draw a batch.
fn asked(spec: &MinibatchSpec, experiment: ExperimentKind, source: &Source) -> Option<Problem> {
    let message = match (experiment, spec.sampling) {
        (ExperimentKind::NoiseLadder, Sampling::Epochs) => {
            "found \"epochs\" with experiment \"noise-ladder\"; the batches of an epoch are dependent, so that no Gaussian noise has their \
             covariance; write sampling = \"with-replacement\" or \"without-replacement\""
        }
        (ExperimentKind::Scaling, Sampling::WithoutReplacement | Sampling::Epochs) => {
            "found batches of different examples with experiment \"scaling\"; the share (N−S)/(N−1) of the noise that they have falls as S \
             grows, which is another effect than the one asked for; write sampling = \"with-replacement\""
        }
        (ExperimentKind::Covariance, Sampling::Epochs) => {
            "found \"epochs\" with experiment \"covariance\", whose equations are those of independent batches; write sampling = \
             \"without-replacement\" or \"with-replacement\""
        }
        _ => return None,
    };
    Some(source.problem("noise.sampling", message))
}
