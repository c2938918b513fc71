//! What terminal, page and figures say alike: names, the setting, the verdict in a sentence.

use crate::dynamics::DynamicsSpec;
use crate::findings::{ClaimRecord, Findings, OccupancyRecord};
use crate::noise::NoiseSpec;
use crate::scenario::{Rung, Start};
use crate::statistics::Look;

use super::number::{count, significant};

/// From the coarsest prediction to the finest.
pub(super) const RUNGS: [Rung; 3] = [Rung::Laplace, Rung::Gibbs, Rung::Discrete];

/// The name of a rung in tables and keys.
pub(super) fn rung_name(rung: Rung) -> &'static str {
    match rung {
        Rung::Laplace => "Laplace",
        Rung::Gibbs => "Gibbs",
        Rung::Discrete => "discrete",
    }
}

/// What a rung predicts for one minimum.
pub(super) fn predicted(row: &OccupancyRecord, rung: Rung) -> Option<f64> {
    match rung {
        Rung::Laplace => row.laplace,
        Rung::Gibbs => row.gibbs,
        Rung::Discrete => row.discrete,
    }
}

/// Which rung a claim is about, told by its id.
pub(super) fn rung_of(claim: &ClaimRecord) -> Option<Rung> {
    RUNGS.into_iter().find(|rung| claim.id.split('-').any(|part| part.eq_ignore_ascii_case(rung_name(*rung))))
}

/// `as expected`, or what was expected instead.
pub(super) fn expectation(findings: &Findings) -> String {
    match findings.verdict {
        Some(verdict) if verdict == findings.expected => "as expected".to_owned(),
        _ => format!("expected: {}", findings.expected),
    }
}

/// A quantity of the setting: symbol, value and what the symbol means.
pub(super) struct Quantity {
    pub(super) symbol: &'static str,
    pub(super) value: String,
    pub(super) meaning: String,
}

/// The setting, in the order in which the quantities build on each other.
pub(super) fn setting(findings: &Findings) -> Vec<Quantity> {
    let scenario = &findings.scenario;
    let mut quantities = Vec::new();
    let mut add = |symbol, value: String, meaning: &str| {
        quantities.push(Quantity { symbol, value, meaning: meaning.to_owned() });
    };
    let number = |value: f64| significant(value, 6);
    if let Some(sgd) = scenario.sgd {
        add("η", number(sgd.learning_rate), "learning rate");
        add("S", count(sgd.batch_size), "batch size");
    }
    if let Some(noise_scale) = findings.noise_scale {
        add("n", number(noise_scale), "noise scale, n = η/S");
    }
    match &scenario.noise {
        NoiseSpec::Isotropic(noise) => {
            add(
                "σ²",
                number(noise.sigma * noise.sigma),
                "variance of the per-example gradient in each coordinate, C = σ²I",
            );
        }
        NoiseSpec::Temperature(_) => {}
        NoiseSpec::Covariance(_) => {
            let form = if findings.temperature.is_some() { "σ²I" } else { "not σ²I" };
            add("C", form.to_owned(), "covariance of the per-example gradient; the exact one is in the scenario");
        }
    }
    match (findings.temperature, findings.effective_temperature) {
        (Some(temperature), _) => {
            add("T", number(temperature), "temperature, T = nσ²/2: the slide's exp(−2L/(nσ²)) is exp(−L/T)");
        }
        (None, Some(effective)) => add(
            "T",
            format!("none; {} given to the slide's formula", number(effective)),
            "there is no temperature, as C is not σ²I; the slide's formula is given n tr C/(2d), averaged over the minima",
        ),
        (None, None) => {}
    }
    let step = match scenario.dynamics {
        DynamicsSpec::EulerMaruyama { step } => {
            add("δ", number(step), "step of the Euler–Maruyama integrator in SDE time: t = kδ after k steps");
            Some(step)
        }
        _ => {
            let step = scenario.sgd.map(|sgd| sgd.learning_rate);
            if let Some(step) = step {
                add("δ", number(step), "one step is one SGD step, δ = η, in SDE time t = kη");
            }
            step
        }
    };
    let ensemble = &scenario.ensemble;
    let start = match &ensemble.start {
        Start::Minima => "shared out equally over the minima",
        Start::Uniform => "started uniformly in the domain",
        Start::Points(_) => "shared out equally over given points",
    };
    add("R", count(ensemble.replicas), &format!("independent replicas, {start}"));
    let (steps, how) = measured_steps(findings);
    let time = step.map_or(String::new(), |step| format!(" (SDE time {})", number(step * steps as f64)));
    add("steps", format!("{}{time}", count(steps)), &format!("measured steps of each replica{how}"));
    add("burn-in", count(ensemble.burn_in), "steps before anything is measured");
    add("seed", scenario.seed.to_string(), "of all randomness: the same seed gives the same result");
    add("ε", number(scenario.test.tolerance), "tolerance of the test, in log-odds or ln ratio, fixed before the run");
    quantities
}

/// Measured steps per replica in all, and how there came to be so many.
fn measured_steps(findings: &Findings) -> (u64, String) {
    let given = (findings.scenario.ensemble.steps, String::new());
    let Some(diagnostics) = &findings.diagnostics else { return given };
    let mut how = Vec::new();
    if diagnostics.planned_steps.is_some() {
        how.push(format!("planned by a pilot, of at most {}", count(given.0)));
    }
    if diagnostics.looks > Look::FIRST {
        how.push(format!("over {} looks at one run", diagnostics.looks.number()));
    }
    if how.is_empty() { given } else { (diagnostics.steps, format!(", {}", how.join(", "))) }
}
