//! What terminal, page and figures say alike: names, the setting, the verdict in a sentence.

use crate::dynamics::DynamicsSpec;
use crate::findings::{ClaimRecord, ContrastRecord, Findings, OccupancyRecord, Outlook, StudyPoint, StudyRecord};
use crate::loss::LossKind;
use crate::noise::NoiseSpec;
use crate::random::batches::Sampling;
use crate::scenario::{ExperimentKind, Rung, Scenario, Start, StudySpec, TrainingSpec};
use crate::statistics::Look;

use super::number::{count, significant};

/// From the coarsest prediction to the finest.
pub(super) const RUNGS: [Rung; 4] = [Rung::Laplace, Rung::Gibbs, Rung::Ito, Rung::Discrete];

/// The name of a rung in tables and keys.
pub(super) fn rung_name(rung: Rung) -> &'static str {
    match rung {
        Rung::Laplace => "Laplace",
        Rung::Gibbs => "Gibbs",
        Rung::Ito => "Itô",
        Rung::Discrete => "discrete",
    }
}

/// What a rung predicts for one minimum.
pub(super) fn predicted(row: &OccupancyRecord, rung: Rung) -> Option<f64> {
    match rung {
        Rung::Laplace => row.laplace,
        Rung::Gibbs => row.gibbs,
        Rung::Ito => row.ito,
        Rung::Discrete => row.discrete,
    }
}

/// The standard error of a prediction that was sampled; `None` where it is computed.
pub(super) fn predicted_error(row: &OccupancyRecord, rung: Rung) -> Option<f64> {
    match rung {
        Rung::Gibbs => row.gibbs_standard_error,
        Rung::Discrete => row.discrete_standard_error,
        _ => None,
    }
}

/// ` (may be off by 0.0034)`, where a prediction is not exact.
pub(super) fn bound(contrast: &ContrastRecord) -> String {
    contrast.predicted_bound.map_or(String::new(), |bound| format!(" (may be off by {})", significant(bound, 2)))
}

/// Which rung a claim is about, told by its id.
pub(super) fn rung_of(claim: &ClaimRecord) -> Option<Rung> {
    RUNGS.into_iter().find(|rung| claim.id.split('-').any(|part| part == rung.name()))
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
        match &scenario.weak_error {
            // n, T and δ below are those of the first.
            Some(spec) => {
                let rates: Vec<String> = spec.learning_rates.iter().map(|&rate| number(rate)).collect();
                add(
                    "η",
                    rates.join(", "),
                    "learning rates, an ensemble each; n, T and δ here are those of the largest",
                );
            }
            None => add("η", number(sgd.learning_rate), "learning rate"),
        }
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
        NoiseSpec::Expression(noise) => {
            let parameters: Vec<String> =
                noise.parameters.iter().map(|(name, value)| format!(", {name} = {}", number(*value))).collect();
            add(
                "σ",
                format!("{}{}", noise.sigma, parameters.concat()),
                "standard deviation of the per-example gradient in each coordinate, C = σ(θ)²I (Itô)",
            );
        }
        NoiseSpec::Temperature(_) => {}
        NoiseSpec::Minibatch(noise) => {
            let how = match noise.sampling {
                Sampling::WithReplacement => "batches are drawn with replacement",
                Sampling::WithoutReplacement => "batches are random subsets, which have (N−S)/(N−1) of the noise",
                Sampling::Epochs => "batches are the pieces of shuffled epochs, whose batches are dependent",
            };
            match &noise.tilts {
                Some(tilts) => add("N", count(tilts.examples), &format!("examples ℓᵢ = L + ξᵢ·θ; {how}")),
                None => {
                    let examples = findings.data.as_ref().map_or(VARIES.into(), |data| count(data.training.examples));
                    add("N", examples, &format!("examples that are trained on; {how}"));
                }
            }
            if let Some(sigma) = noise.tilts.as_ref().and_then(|tilts| tilts.sigma) {
                let meaning = "variance of the per-example gradient in each coordinate, C = σ²I";
                add("σ²", number(sigma * sigma), meaning);
            }
        }
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
            "there is no temperature, as C is not σ²I with one σ; the slide's formula is given n tr C/(2d), averaged over the minima",
        ),
        (None, None) => {}
    }
    let step = match scenario.dynamics.step() {
        Some(step) => {
            let scheme = scenario.dynamics.title();
            add("δ", number(step), &format!("step of the {scheme} integrator in SDE time: t = kδ after k steps"));
            Some(step)
        }
        None => {
            let step = scenario.sgd.map(|_| scenario.step());
            if let Some(step) = step {
                let meaning = match scenario.dynamics {
                    DynamicsSpec::Svag { .. } => "one step is one SVAG step, δ = η/l, in SDE time t = kδ",
                    _ => "one step is one SGD step, δ = η, in SDE time t = kη",
                };
                add("δ", number(step), meaning);
            }
            step
        }
    };
    match &scenario.training {
        Some(training) => quantities.extend(trained(scenario, training)),
        None => quantities.extend(simulated(findings, step)),
    }
    if let Some(study) = &scenario.study {
        mark_varied(&mut quantities, study);
    }
    quantities
}

/// The setting of an ensemble of trajectories with this step, after loss and noise.
fn simulated(findings: &Findings, step: Option<f64>) -> Vec<Quantity> {
    let scenario = &findings.scenario;
    let mut quantities = Vec::new();
    let mut add = |symbol, value: String, meaning: &str| {
        quantities.push(Quantity { symbol, value, meaning: meaning.to_owned() });
    };
    let number = |value: f64| significant(value, 6);
    let ensemble = &scenario.ensemble;
    let start = match &ensemble.start {
        Start::Minima => "shared out equally over the minima",
        Start::Uniform => "started uniformly in the domain",
        Start::Points(_) => "shared out equally over given points",
    };
    add("R", count(ensemble.replicas), &format!("independent replicas, {start}"));
    let (steps, how) = measured_steps(findings);
    let (steps, how, step) = match &scenario.weak_error {
        Some(spec) => {
            add("t", number(spec.time), "SDE time at which E f is compared, t = kη");
            (spec.most_steps(), " at the smallest η".to_owned(), None)
        }
        None => (steps, how, step),
    };
    let time = step.map_or(String::new(), |step| format!(" (SDE time {})", number(step * steps as f64)));
    add("steps", format!("{}{time}", count(steps)), &format!("measured steps of each replica{how}"));
    match ensemble.burn_in {
        Some(burn_in) => add("burn-in", count(burn_in), "steps before anything is measured"),
        // A document of a single run has the number.
        None => add(
            "burn-in",
            "by default".into(),
            "a twentieth of the steps, or more where the softest curvature asks for it",
        ),
    }
    add("seed", scenario.seed.to_string(), "of all randomness: the same seed gives the same result");
    if let Some(pair) = scenario.temperature_pair {
        add("T₂/T₁", number(pair.factor), "temperature of the second ensemble over that of the first, which is T");
    }
    let tolerance = match scenario.experiment {
        ExperimentKind::Density => "the largest distance between the laws that counts as none, fixed before the run",
        ExperimentKind::WeakError => {
            "tolerance of ln|error| against its closed form, in a bowl; those of the slopes are in [weak_error]"
        }
        _ => "tolerance of the test, in log-odds or ln ratio, fixed before the run",
    };
    add("ε", number(scenario.test.tolerance), tolerance);
    quantities
}

/// The setting of a network in training, after η, S and how batches are drawn.
fn trained(scenario: &Scenario, training: &TrainingSpec) -> Vec<Quantity> {
    let quantity = |symbol, value: String, meaning: &str| Quantity { symbol, value, meaning: meaning.to_owned() };
    let number = |value: f64| significant(value, 6);
    let mut quantities = vec![quantity("d", count(scenario.dimension() as u64), "weights and biases of the network")];
    if let LossKind::Network(network) = &scenario.loss.kind {
        quantities.push(quantity("λ", number(network.weight_decay), "weight decay: L has (λ/2)|θ|² in it"));
    }
    if training.momentum > 0.0 {
        quantities.push(quantity("μ", number(training.momentum), "momentum: v ← μv + g, θ ← θ − ηv"));
    }
    let start = match &training.weights {
        Some(_) => "all starting from the given weights",
        None => "each starting from weights of its own, the same in every group",
    };
    let replicas = format!("independent replicas in each group, {start}");
    quantities.extend([
        quantity("R", count(scenario.ensemble.replicas), &replicas),
        quantity("epochs", number(training.epochs), "of N/S steps each"),
        quantity("seed", scenario.seed.to_string(), "of all randomness: the same seed gives the same result"),
        quantity("ε", number(scenario.test.tolerance), "tolerance of the test, fixed before the run"),
    ]);
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

/// What a study varies has no one value.
fn mark_varied(quantities: &mut [Quantity], study: &StudySpec) {
    const KEYS: [(&str, &[&str]); 17] = [
        ("N", &["noise.examples", "data"]),
        (
            "d",
            &[
                "loss.hidden",
                "loss.bias",
                "data.kind",
                "data.only_classes",
                "data.pool",
                "data.classes",
                "data.dimension",
            ],
        ),
        ("λ", &["loss.weight_decay"]),
        ("μ", &["training.momentum"]),
        ("epochs", &["training.epochs"]),
        ("η", &["sgd.learning_rate"]),
        ("S", &["sgd.batch_size"]),
        ("σ²", &["noise.sigma", "noise.kind"]),
        ("C", &["noise"]),
        // The document has them where all points agree.
        ("n", &[]),
        ("T", &[]),
        ("δ", &["dynamics", "sgd.learning_rate"]),
        ("R", &["ensemble.replicas"]),
        ("steps", &["ensemble.steps"]),
        ("burn-in", &["ensemble.burn_in"]),
        ("seed", &["seed"]),
        ("ε", &["test.tolerance"]),
    ];
    for quantity in quantities {
        let keys = KEYS.iter().find(|(symbol, _)| *symbol == quantity.symbol).map_or(&[][..], |(_, keys)| *keys);
        if keys.iter().any(|key| study.varies(key)) {
            quantity.value = VARIES.to_owned();
        } else if let ("steps", Some((count, _))) = (quantity.symbol, quantity.value.split_once(" (SDE time")) {
            // The time that they cover depends on the step.
            if study.varies("dynamics") || study.varies("sgd.learning_rate") {
                quantity.value = count.to_owned();
            }
        }
    }
}

/// In the place of a value that a study varies.
pub(super) const VARIES: &str = "varies";

/// A value of an axis as people write it.
pub(super) fn axis_value(value: &toml::Value) -> String {
    match value {
        toml::Value::Float(number) => significant(*number, 6),
        toml::Value::Integer(number) if *number >= 0 => count(number.unsigned_abs()),
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A point in words, with its number.
pub(super) fn point_name(study: &StudySpec, index: u64) -> String {
    format!("point {} ({})", count(index), study.describe(index))
}

/// What a row says instead of a verdict's word alone: that it is predicted to diverge, or has no result.
pub(super) fn outcome(row: &StudyPoint) -> String {
    let verdict = row.verdict.map_or("–".to_owned(), |verdict| verdict.to_string());
    match (row.predicted, row.claims.is_empty()) {
        (Some(Outlook::Diverges), _) => format!("{verdict} (unstable)"),
        (_, true) => format!("{verdict} (no result)"),
        _ => verdict,
    }
}

/// The rows of a study that are worth showing where there is room for `most`: all, or those that decide.
pub(super) fn notable<'a>(study: &StudyRecord, rows: &'a [StudyPoint], most: usize) -> Vec<&'a StudyPoint> {
    if rows.len() <= most {
        return rows.iter().collect();
    }
    let worst = study.claims.iter().map(|claim| claim.worst);
    let mut wanted: Vec<u64> = study.deciding.iter().copied().chain(worst).collect();
    wanted.sort_unstable();
    wanted.dedup();
    rows.iter().filter(|row| wanted.binary_search(&row.index).is_ok()).take(most).collect()
}
