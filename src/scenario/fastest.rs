//! Where the bias of a scheme can be known, and `dynamics.kind = "fastest"` be asked for.

use super::read::Parts;
use super::{ExperimentKind, Rung};
use crate::dynamics::DynamicsSpec;
use crate::input::{Problem, Source};
use crate::noise::NoiseSpec;

/// What was asked for has to be possible: "fastest", or a bias that is counted.
pub(super) fn check(parts: &Parts, source: &Source) -> Option<Problem> {
    let (key, found) = match parts.dynamics.as_ref()? {
        DynamicsSpec::Fastest { .. } => ("dynamics.kind", "\"fastest\""),
        dynamics if dynamics.counts_bias() => ("dynamics.count_bias", "true"),
        _ => return None,
    };
    let why = no_known_bias(parts.experiment?, parts.noise.as_ref()?, parts.test.as_ref()?.against)?;
    let remedy = if key == "dynamics.kind" {
        "write kind = \"euler-maruyama\", \"platen\" or, where C is constant, \"leimkuhler-matthews\", with a step, and halve it to \
         see what it does"
    } else {
        "remove the key"
    };
    Some(source.problem(key, format!("found {found}, but {why}; {remedy}")))
}

/// Why it is not known how far a scheme is off; `None` where it can be.
pub(crate) fn no_known_bias(experiment: ExperimentKind, noise: &NoiseSpec, against: Rung) -> Option<&'static str> {
    match (experiment, noise, against) {
        (ExperimentKind::Equilibrium | ExperimentKind::Crossover, ..) => {}
        _ => {
            return Some(
                "how far a scheme is off is known of log-odds between minima, the experiments \"equilibrium\" and \"crossover\"",
            );
        }
    }
    match noise {
        NoiseSpec::Isotropic(_) | NoiseSpec::Temperature(_) | NoiseSpec::Covariance(_) => {}
        NoiseSpec::Expression(_) => {
            return Some(
                "how far a scheme is off is known where C = σ²I, noise kinds \"isotropic\" and \"temperature\", and here σ is a formula",
            );
        }
        NoiseSpec::Minibatch(_) => {
            return Some(
                "how far a scheme is off is known where C = σ²I, noise kinds \"isotropic\" and \"temperature\", and this is the noise of minibatches",
            );
        }
    }
    match against {
        Rung::Laplace | Rung::Gibbs => None,
        Rung::Ito | Rung::Discrete => Some(
            "a bias is one from the SDE's own law where C = σ²I, which the verdict is about with test.against = \"laplace\" or \"gibbs\"",
        ),
    }
}
