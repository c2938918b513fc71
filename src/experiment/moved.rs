//! Where the descriptions of noise and dynamics meet the loss.

use std::fmt::Display;
use std::sync::Arc;

use crate::dynamics::{
    Dynamics, DynamicsSpec, euler_maruyama::EulerMaruyama, example_noise::ExampleNoise,
    leimkuhler_matthews::LeimkuhlerMatthews, minibatch_sgd::MinibatchSgd, platen::Platen, sgd::Sgd, svag::Svag,
};
use crate::input::Problem;
use crate::loss::Loss;
use crate::loss::finite_sum::FiniteSum;
use crate::noise::{GradientNoise, MinibatchSpec, NoiseError, NoiseSpec};
use crate::scenario::{Loaded, SgdSpec};

/// What moves θ, made from a scenario.
pub(super) struct Moved {
    pub noise: Arc<dyn GradientNoise>,
    pub noise_scale: f64,
    pub dynamics: Arc<dyn Dynamics>,
}

/// n, the noise and the dynamics of a scenario. A temperature stands for n = 1 and σ² = 2T: only their product matters to the SDE.
pub(super) fn moved(loaded: &Loaded, loss: &Arc<dyn Loss>) -> Result<Moved, Problem> {
    let scenario = &loaded.scenario;
    let at = |key: &str, error: &dyn Display| loaded.source.problem(key, error.to_string());
    let batch_size = scenario.sgd.map_or(1, |sgd| sgd.batch_size);
    let noise = scenario.noise.build(loss, &scenario.variables(), batch_size).map_err(|error| at("noise", &error))?;
    let noise_scale = scenario.noise_scale().unwrap_or(1.0);
    let (step, loss, shared) = (scenario.step(), loss.clone(), noise.clone());
    let dynamics: Arc<dyn Dynamics> = match (&scenario.dynamics, scenario.sgd, &scenario.noise) {
        (DynamicsSpec::Sgd { .. }, Some(sgd), NoiseSpec::Minibatch(spec)) => {
            let dynamics = minibatch_sgd(spec, &loss, sgd.learning_rate, sgd.batch_size);
            dynamics.map_err(|error| at("sgd.batch_size", &error))?
        }
        (DynamicsSpec::Svag { amplification }, Some(sgd), NoiseSpec::Minibatch(spec)) => {
            let sum = spec.sum(&loss).map_err(|error| at("noise", &error))?;
            let SgdSpec { learning_rate, batch_size } = sgd;
            let svag = Svag::new(sum, spec.sampling, learning_rate, batch_size as usize, *amplification);
            Arc::new(svag.map_err(|error| at("dynamics.kind", &error))?)
        }
        (DynamicsSpec::Svag { .. }, ..) => {
            return Err(at("dynamics.kind", &"SVAG needs minibatches; write noise.kind = \"minibatch\""));
        }
        // Reading lets no other integrator pass.
        (DynamicsSpec::EulerMaruyama { .. }, Some(sgd), NoiseSpec::Minibatch(spec)) if spec.tilts.is_none() => {
            gaussian(spec, &loss, &noise, sgd, step).map_err(|error| at("noise", &error))?
        }
        (DynamicsSpec::Sgd { increments }, Some(sgd), _) => {
            let dynamics = Sgd::new(loss, shared, sgd.learning_rate, sgd.batch_size as f64);
            Arc::new(dynamics.with_increments(*increments))
        }
        (DynamicsSpec::LeimkuhlerMatthews { .. }, ..) => {
            let dynamics = LeimkuhlerMatthews::new(loss, shared, noise_scale, step);
            Arc::new(dynamics.map_err(|error| at("dynamics.kind", &error))?)
        }
        (DynamicsSpec::Fastest { .. }, ..) => {
            let message =
                "\"fastest\" stands for a scheme that has not been chosen yet (experiment::fastest::settle does)";
            return Err(at("dynamics.kind", &message));
        }
        (DynamicsSpec::Platen { .. }, ..) => Arc::new(Platen::new(loss, shared, noise_scale, step)),
        (dynamics @ (DynamicsSpec::EulerMaruyama { .. } | DynamicsSpec::Sgd { .. }), ..) => {
            let increments = dynamics.increments();
            Arc::new(EulerMaruyama::new(loss, shared, noise_scale, step).with_increments(increments))
        }
    };
    Ok(Moved { noise, noise_scale, dynamics })
}

/// Euler–Maruyama with normal noise of the covariance of the examples, `noise`: that of a loss's own examples is another at every θ.
pub(super) fn gaussian(
    spec: &MinibatchSpec,
    loss: &Arc<dyn Loss>,
    noise: &Arc<dyn GradientNoise>,
    sgd: SgdSpec,
    step: f64,
) -> Result<Arc<dyn Dynamics>, NoiseError> {
    let SgdSpec { learning_rate, batch_size } = sgd;
    let noise_scale = learning_rate / batch_size as f64;
    if spec.tilts.is_some() {
        return Ok(Arc::new(EulerMaruyama::new(loss.clone(), noise.clone(), noise_scale, step)));
    }
    let sum = spec.sum(loss)?;
    let noise_scale = noise_scale * spec.factor(sum.examples() as u64, batch_size);
    Ok(Arc::new(ExampleNoise::new(sum, noise_scale, step)))
}

/// SGD on batches of a scenario's examples.
pub(super) fn minibatch_sgd(
    spec: &MinibatchSpec,
    loss: &Arc<dyn Loss>,
    learning_rate: f64,
    batch_size: u64,
) -> Result<Arc<dyn Dynamics>, String> {
    let sum: Arc<dyn FiniteSum> = spec.sum(loss).map_err(|error| error.to_string())?;
    let dynamics = MinibatchSgd::new(sum, spec.sampling, learning_rate, batch_size as usize);
    Ok(Arc::new(dynamics.map_err(|error| error.to_string())?))
}
