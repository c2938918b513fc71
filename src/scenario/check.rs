//! Checks that concern several keys at once.

use std::sync::Arc;

use super::memory;
use super::minibatch;
use super::read::Parts;
use super::{EnsembleSpec, ExperimentKind, SgdSpec, Start};
use super::{fastest, scaling, training, weak_error, width};
use crate::dynamics::DynamicsSpec;
use crate::input::{LARGEST, Problem, SMALLEST, Source};
use crate::loss::network::{MOST_IMAGES, MOST_SEARCHED, NetworkSpec, images};
use crate::loss::{Loss, LossKind, LossSpec, MatrixSpec};
use crate::noise::expression::FormulaNoise;
use crate::noise::{GradientNoise, IsotropicSpec, MinibatchSpec, NoiseSpec, TiltsSpec};
use crate::theory::gibbs::MOST_BY_QUADRATURE;

/// Steps of all replicas together: a month of a large machine.
const MOST_STEPS: f64 = 1e16;

/// All problems between parts that are right by themselves.
pub(super) fn check(parts: &Parts, source: &Source) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let (Some(noise), Some(sgd)) = (&parts.noise, parts.sgd) {
        problems.extend(noise_and_sgd(noise, sgd, source));
    }
    problems.extend(sampled(parts, source));
    if let Some(ExperimentKind::Training(_)) = parts.experiment {
        problems.extend(minibatch::check(parts, source));
        problems.extend(training::check(parts, source));
        problems.extend(
            parts
                .scaling
                .as_ref()
                .zip(parts.sgd.flatten())
                .and_then(|(scaling, sgd)| scaling::whole_batches(scaling.as_ref()?, sgd, source)),
        );
        problems.extend(
            parts
                .width
                .as_ref()
                .zip(parts.sgd.flatten())
                .and_then(|(width, sgd)| width::whole_batches(width.as_ref()?, sgd, source)),
        );
        return problems;
    }
    if let Some(ensemble) = &parts.ensemble {
        problems.extend(steps(ensemble, source));
    }
    if let (Some(experiment), Some(scaling)) = (parts.experiment, &parts.scaling) {
        let (noise, dynamics) = (parts.noise.as_ref(), parts.dynamics.as_ref());
        problems.extend(scaling::check(experiment, scaling.as_ref(), noise, dynamics, parts.sgd.flatten(), source));
    }
    problems.extend(minibatch::check(parts, source));
    problems.extend(weak_error::check(parts, source));
    // An experiment or a noise that takes no integrator has told so.
    if problems.iter().all(|problem| problem.key != "dynamics.kind") {
        problems.extend(fastest::check(parts, source));
    }
    let Some(loss) = &parts.loss else { return problems };
    if let LossKind::Network(network) = &loss.kind
        && let Some(problem) = small_enough(network, source)
    {
        problems.push(problem);
        return problems;
    }
    if let Some(noise) = &parts.noise {
        problems.extend(dimensions(loss, noise, source));
        problems.extend(noise_of_theta(loss, noise, parts.dynamics.as_ref(), source));
    }
    if let Some(ensemble) = &parts.ensemble {
        let each = memory::of_replica(loss.dimension()) + minibatch::bytes_per_replica(parts);
        problems.extend(memory_suffices(each, ensemble, source, memory::of_machine()));
    }
    match loss.build() {
        Ok(built) => {
            problems.extend(defined_somewhere(loss, &built, source));
            if let Some(ensemble) = &parts.ensemble {
                problems.extend(starts(loss, &built, ensemble, source));
            }
        }
        // Reading has tried the same; should the two ever disagree, this is the message.
        Err(error) => problems.push(source.problem("loss", error.to_string())),
    }
    problems
}

/// A seed of the sampler only where there is one.
fn sampled(parts: &Parts, source: &Source) -> Option<Problem> {
    let (test, loss) = (parts.test.as_ref()?, parts.loss.as_ref()?);
    test.sampler_seed?;
    let dimensions = loss.dimension();
    let why = match parts.experiment? {
        ExperimentKind::Training(_) => "this question asks for no Gibbs law".to_string(),
        _ if dimensions > MOST_BY_QUADRATURE => return None,
        _ => format!(
            "up to {MOST_BY_QUADRATURE} dimensions, and here are {dimensions}, the Gibbs law is integrated without random numbers"
        ),
    };
    let message = format!("{why}; remove sampler_seed, which is for the sampler of laws in more dimensions");
    Some(source.problem("test.sampler_seed", message))
}

/// η and S where the noise needs them, none where it gives T; and a temperature that is a number.
fn noise_and_sgd(noise: &NoiseSpec, sgd: Option<SgdSpec>, source: &Source) -> Option<Problem> {
    match (noise, sgd) {
        (NoiseSpec::Temperature(spec), Some(sgd)) => {
            let sigma = (2.0 * spec.value * sgd.batch_size as f64 / sgd.learning_rate).sqrt();
            let message = format!(
                "found [sgd] beside noise kind \"temperature\", which already fixes T = {} whatever η and S are; remove \
                 [sgd], or write noise kind \"isotropic\" with sigma = {sigma}, which has that T at this η and S",
                spec.value
            );
            Some(source.problem("sgd", message))
        }
        (NoiseSpec::Temperature(_), None) => None,
        (_, None) => {
            let message = "the table [sgd] is missing; this noise is that of one example, and its effect depends on the \
                           learning rate and the batch size; add [sgd] with learning_rate = 0.05 and batch_size = 1, or \
                           write noise kind \"temperature\" with a value";
            Some(source.problem("sgd", message))
        }
        (NoiseSpec::Isotropic(IsotropicSpec { sigma }), Some(sgd))
        | (NoiseSpec::Minibatch(MinibatchSpec { tilts: Some(TiltsSpec { sigma: Some(sigma), .. }), .. }), Some(sgd)) => {
            let temperature = sgd.learning_rate / sgd.batch_size as f64 * sigma * sigma / 2.0;
            if (SMALLEST..=LARGEST).contains(&temperature) {
                return None;
            }
            let size = if temperature < 1.0 { "small" } else { "large" };
            let message = format!(
                "found {sigma:e}, with which the temperature nσ²/2 is {temperature:e}, too {size} to compute with; it must be \
                 from {SMALLEST:e} to {LARGEST:e}; change sigma, learning_rate or batch_size"
            );
            Some(source.problem("noise.sigma", message))
        }
        (NoiseSpec::Covariance(_) | NoiseSpec::Expression(_) | NoiseSpec::Minibatch(_), Some(_)) => None,
    }
}

/// A network whose minima can be found, and whose every minimum has images that can be kept.
fn small_enough(network: &NetworkSpec, source: &Source) -> Option<Problem> {
    let architecture = network.network().architecture;
    let d = architecture.parameters();
    if d > MOST_SEARCHED {
        let message = format!(
            "found a network of {d} parameters; its minima are looked for one by one, and their Hessians are taken in full: at most \
             {MOST_SEARCHED} parameters are allowed; take fewer units, or data with fewer features"
        );
        return Some(source.problem("loss.hidden", message));
    }
    if images(&architecture).is_none() {
        let message = format!(
            "found so many alike units that every minimum has more than {MOST_IMAGES} images (h! orders of h units, times 2^h signs for tanh); \
             take fewer units in a layer"
        );
        return Some(source.problem("loss.hidden", message));
    }
    None
}

/// The noise has the dimension of the loss.
fn dimensions(loss: &LossSpec, noise: &NoiseSpec, source: &Source) -> Option<Problem> {
    let d = loss.dimension();
    let found = noise.dimension().filter(|found| *found != d)?;
    let key = if source.has("noise.diagonal") { "noise.diagonal" } else { "noise.matrix" };
    let message = format!(
        "found a {found} × {found} covariance for a loss of {}; it must be {d} × {d}; give {}",
        coordinates(d),
        MatrixSpec::forms(d)
    );
    Some(source.problem(key, message))
}

/// σ(θ) is a number above 0 all over the domain, and the dynamics can do with noise that depends on θ.
fn noise_of_theta(
    loss: &LossSpec,
    noise: &NoiseSpec,
    dynamics: Option<&DynamicsSpec>,
    source: &Source,
) -> Vec<Problem> {
    let NoiseSpec::Expression(spec) = noise else { return Vec::new() };
    let variables = loss.variables();
    let built = match FormulaNoise::of(spec, &variables) {
        Ok(built) => built,
        // Reading has tried the same; should the two ever disagree, this is the message.
        Err(error) => return vec![source.problem("noise.sigma", error.to_string())],
    };
    let mut problems: Vec<Problem> = sigma_is_positive(loss, &built, source).into_iter().collect();
    if let (Some(DynamicsSpec::LeimkuhlerMatthews { .. }), false) = (dynamics, built.is_additive()) {
        let message = "found \"leimkuhler-matthews\" with noise that depends on θ (noise.sigma); half of each normal would be \
                       multiplied by the σ of another place, and its law would be wrong however small the step; write kind = \
                       \"platen\", of second order for any noise, or \"euler-maruyama\"";
        problems.push(source.problem("dynamics.kind", message));
    }
    problems
}

/// A σ of one sign, and that positive, at every place of the domain that is tried.
fn sigma_is_positive(loss: &LossSpec, noise: &FormulaNoise, source: &Source) -> Option<Problem> {
    let variables = loss.variables();
    let told = |(point, sigma): &(Vec<f64>, f64)| {
        let place: Vec<String> = variables.iter().zip(point).map(|(name, x)| format!("{name} = {x:.6}")).collect();
        format!("σ = {sigma:.6} at {}", crate::input::shorten(&place.join(", ")))
    };
    let tried: Vec<(Vec<f64>, f64)> = places(&loss.domain).map(|point| (point.clone(), noise.sigma(&point))).collect();
    let first = |wrong: fn(f64) -> bool| tried.iter().find(|(_, sigma)| wrong(*sigma));
    let message = if let Some(found) = first(|sigma| !sigma.is_finite()) {
        format!(
            "found {}; it must be a finite number all over the domain; correct the formula, or narrow loss.domain",
            told(found)
        )
    } else if let (Some(negative), Some(positive)) = (first(|sigma| sigma < 0.0), first(|sigma| sigma > 0.0)) {
        format!(
            "found {} and {}: it changes its sign and vanishes in between, where nothing moves θ but the slope and the \
             stationary law is not defined; σ must be above 0 all over the domain; add to it, such as sqrt(0.01 + (…)^2)",
            told(negative),
            told(positive)
        )
    } else if let Some(found) = first(|sigma| sigma < 0.0) {
        format!(
            "found {}; σ is a standard deviation and must be above 0; only σ² matters, so write it with the other sign",
            told(found)
        )
    } else if let Some(found) = first(|sigma| sigma == 0.0) {
        format!("found {}; σ must be above 0 all over the domain; add to it, or narrow loss.domain", told(found))
    } else {
        return None;
    };
    Some(source.problem("noise.sigma", message))
}

/// Points all over a domain, its centre first.
fn places(domain: &[[f64; 2]]) -> impl Iterator<Item = Vec<f64>> {
    const POINTS: usize = 1000;
    let centre: Vec<f64> = domain.iter().map(|[low, high]| 0.5 * low + 0.5 * high).collect();
    let others = (1..POINTS).map(move |index| {
        let coordinate = |(i, [low, high]): (usize, &[f64; 2])| {
            // Multiples of irrational numbers, a different one for each coordinate, fill the box evenly.
            let irrational = ((i + 1) as f64 * 0.618_033_988_749_895 + 0.123_456_789).fract();
            low + (index as f64 * irrational).fract() * (high - low)
        };
        domain.iter().enumerate().map(coordinate).collect()
    });
    std::iter::once(centre).chain(others)
}

/// All replicas together can end within a lifetime.
fn steps(ensemble: &EnsembleSpec, source: &Source) -> Option<Problem> {
    let per_replica = ensemble.least_steps() as f64;
    let total = per_replica * ensemble.replicas as f64;
    if total <= MOST_STEPS {
        return None;
    }
    let fitting = (MOST_STEPS / per_replica).floor().max(2.0);
    let advice = if fitting * per_replica <= MOST_STEPS {
        format!("with these steps {fitting} replicas would do")
    } else {
        "take fewer steps".to_owned()
    };
    let message = format!(
        "found {} replicas of {per_replica:e} steps, {total:.1e} in all; at most {MOST_STEPS:e} can ever end; {advice}",
        ensemble.replicas
    );
    Some(source.problem("ensemble.replicas", message))
}

/// All replicas fit in memory.
fn memory_suffices(each: u64, ensemble: &EnsembleSpec, source: &Source, available: Option<u64>) -> Option<Problem> {
    let available = available?;
    let needed = each as f64 * ensemble.replicas as f64;
    if needed <= available as f64 {
        return None;
    }
    let message = format!(
        "found {} replicas, which take about {}; this machine has {}; at most {} replicas fit",
        ensemble.replicas,
        memory::shown(needed),
        memory::shown(available as f64),
        available / each
    );
    Some(source.problem("ensemble.replicas", message))
}

/// The loss is a number somewhere in its domain.
fn defined_somewhere(loss: &LossSpec, built: &Arc<dyn Loss>, source: &Source) -> Option<Problem> {
    if places(&loss.domain).any(|point| built.value(&point).is_finite()) {
        return None;
    }
    let key = if matches!(loss.kind, LossKind::Expression(_)) { "loss.formula" } else { "loss" };
    let message = format!(
        "found no point of the domain where the loss is a finite number, of {} tried; correct the formula or the domain",
        places(&loss.domain).count()
    );
    Some(source.problem(key, message))
}

/// Start points have the right dimension, are not more than the replicas, and the loss is defined there.
fn starts(loss: &LossSpec, built: &Arc<dyn Loss>, ensemble: &EnsembleSpec, source: &Source) -> Vec<Problem> {
    const TOLD: usize = 5;
    let Start::Points(points) = &ensemble.start else { return Vec::new() };
    let d = loss.dimension();
    let mut problems = Vec::new();
    if points.len() as u64 > ensemble.replicas {
        let message = format!(
            "found {} start points for {} replicas; each point needs at least one; take at least {} replicas",
            points.len(),
            ensemble.replicas,
            points.len()
        );
        problems.push(source.problem("ensemble.start", message));
    }
    let mut slope = vec![0.0; d];
    for (index, point) in points.iter().enumerate() {
        let key = format!("ensemble.start[{index}]");
        if point.len() != d {
            let message = format!(
                "found a start point of {}; the loss has {}; the order is that of the variables ({})",
                coordinates(point.len()),
                coordinates(d),
                crate::input::shorten(&loss.variables().join(", "))
            );
            problems.push(source.problem(&key, message));
        } else {
            let value = built.value(point);
            built.gradient(point, &mut slope);
            if !value.is_finite() || !slope.iter().all(|g| g.is_finite()) {
                let what = if value.is_finite() { "slope of the loss" } else { "loss" };
                let message = format!(
                    "found a start point at which the {what} is not a finite number (a division by zero, say, or the \
                     root of a negative number); choose a point at which it is defined"
                );
                problems.push(source.problem(&key, message));
            }
        }
        if problems.len() >= TOLD {
            break;
        }
    }
    problems
}

fn coordinates(count: usize) -> String {
    if count == 1 { "1 coordinate".to_owned() } else { format!("{count} coordinates") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Document;

    #[test]
    fn more_replicas_than_fit_are_refused_with_the_number_that_would() {
        let source = Source::new(Document::parse(b"[ensemble]\nreplicas = 2000\n", "test.toml").unwrap());
        let ensemble = EnsembleSpec { replicas: 2000, ..EnsembleSpec::default() };
        let needed = 2000 * memory::of_replica(1);
        let each = memory::of_replica(1);
        assert_eq!(memory_suffices(each, &ensemble, &source, Some(needed)), None);
        assert_eq!(memory_suffices(each, &ensemble, &source, None), None);
        let problem = memory_suffices(each, &ensemble, &source, Some(needed - 1)).unwrap();
        assert!(problem.to_string().starts_with("test.toml:2:12: ensemble.replicas: "), "{problem}");
        assert!(problem.message.ends_with("at most 1999 replicas fit"), "{problem}");
    }
}
