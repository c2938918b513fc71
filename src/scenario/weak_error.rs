//! `[weak_error]`: at which time and learning rates SGD is set beside its SDEs, and what they ask of the rest of a scenario.

use serde::{Deserialize, Serialize};

use super::read::Parts;
use super::{EnsembleSpec, ExperimentKind, Rung, Start};
use crate::dynamics::DynamicsSpec;
use crate::input::{Integer, Number, Problem, Source, Table};
use crate::loss::expression::Expression;
use crate::loss::{ExpressionSpec, LossSpec};
use crate::noise::NoiseSpec;
use crate::random::increments::Increments;

/// Keys of the table `[weak_error]` of a scenario with `experiment = "weak-error"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeakErrorSpec {
    /// The SDE time t at which E f is compared.
    pub time: f64,
    /// η, descending; each goes into t a whole number of times.
    pub learning_rates: Vec<f64>,
    /// f(θ), formulas in the variables of the loss.
    pub observables: Vec<String>,
    /// Steps of the SDEs' integrator within one of SGD, an even number: δ = η/substeps.
    pub substeps: u64,
    /// ε of the slope of the SDE's error, which is to be 1.
    pub first_order_tolerance: f64,
    /// ε of the slope of the modified equation's error, which is to be 2.
    pub second_order_tolerance: f64,
}

/// Fewer points always lie on a line, or nearly.
const FEWEST: usize = 3;
const MOST: usize = 50;
/// The most steps of SGD that a trajectory may take.
const MOST_STEPS: f64 = 1e6;
/// How far t/η may be from a whole number, relatively: what is lost when η is typed with ten digits.
const WHOLE: f64 = 1e-9;
const KEY: &str = "weak_error";

impl WeakErrorSpec {
    /// Reads `[weak_error]` where it belongs; `Some(None)` for another experiment. `None` after a problem was told.
    pub(super) fn of(
        root: &Table<'_>,
        experiment: Option<ExperimentKind>,
        loss: Option<&LossSpec>,
    ) -> Option<Option<Self>> {
        if experiment != Some(ExperimentKind::WeakError) {
            // A misspelt experiment may be the one that the table belongs to.
            if experiment.is_none() {
                root.has(KEY);
                return None;
            }
            root.refuse(
                KEY,
                "the table [weak_error] belongs to experiment = \"weak-error\"; write that, or remove the table",
            );
            return Some(None);
        }
        let example =
            "[weak_error] with time = 1.0, learning_rates = [0.05, 0.025, 0.0125] and observables = [\"x^2\"]";
        let table = root.table(KEY, example)?;
        Self::read(&table, loss.map(LossSpec::variables).as_deref()).map(Some)
    }

    fn read(table: &Table<'_>, variables: Option<&[String]>) -> Option<Self> {
        let time = table.number("time", &Number::positive("t, the SDE time at which E f is compared,", "1.0"));
        let learning_rates = read_rates(table, time);
        let observables = read_observables(table, variables);
        let substeps = Integer {
            what: "the number of the integrator's steps within one of SGD",
            example: "8",
            range: 2..=1_000,
            reason: "the error of the step is told from steps twice as long",
        };
        let substeps = table.integer_or("substeps", &substeps, 8).filter(|&substeps| {
            if substeps % 2 == 1 {
                let message = format!("found {substeps}, which is odd; half as many steps are taken too, to tell the error of the step; take {}", substeps + 1);
                table.problem("substeps", message);
            }
            substeps % 2 == 0
        });
        let first = Number::positive("ε of the slope of the SDE's error", "0.15");
        let first = table.number_or("first_order_tolerance", &first, 0.15);
        let second = Number::positive("ε of the slope of the modified equation's error", "0.2");
        let second = table.number_or("second_order_tolerance", &second, 0.2);
        table.finish();
        Some(Self {
            time: time?,
            learning_rates: learning_rates?,
            observables: observables?,
            substeps: substeps?,
            first_order_tolerance: first?,
            second_order_tolerance: second?,
        })
    }

    /// Steps of SGD at a learning rate.
    pub fn steps(&self, learning_rate: f64) -> u64 {
        (self.time / learning_rate).round() as u64
    }

    /// Steps of SGD at the smallest learning rate.
    pub fn most_steps(&self) -> u64 {
        self.learning_rates.iter().map(|&rate| self.steps(rate)).max().unwrap_or(1)
    }

    /// What a step of SGD and of what is coupled to it costs, in gradients (a Hessian product counts as one).
    pub fn gradients_per_step(&self) -> f64 {
        1.0 + 9.0 * self.substeps as f64
    }

    /// The largest learning rate: that of the scenario's `[sgd]`.
    pub fn largest(&self) -> f64 {
        self.learning_rates.first().copied().unwrap_or(f64::NAN)
    }

    /// The same where the question is this one. Of a table that is wrong, which was told, any number: the scenario is not whole.
    pub(super) fn largest_of(experiment: Option<ExperimentKind>, spec: Option<&Self>) -> Option<f64> {
        (experiment == Some(ExperimentKind::WeakError)).then(|| spec.map_or(0.01, Self::largest))
    }

    /// What follows from the table and was left out of `[ensemble]`.
    pub(super) fn complete(&self, ensemble: EnsembleSpec, given: impl Fn(&str) -> bool) -> EnsembleSpec {
        EnsembleSpec {
            steps: if given("steps") { ensemble.steps } else { self.most_steps() },
            burn_in: Some(ensemble.burn_in.unwrap_or(0)),
            ..ensemble
        }
    }
}

/// η, descending.
fn read_rates(table: &Table<'_>, time: Option<f64>) -> Option<Vec<f64>> {
    const KEY: &str = "learning_rates";
    let mut rates = table.numbers(KEY, &Number::positive("the learning rates η", "[0.05, 0.025, 0.0125, 0.00625]"))?;
    // A wrong time was told, and nothing can be a part of it.
    let time = time?;
    for (index, &rate) in rates.iter().enumerate() {
        if let Some(message) = not_whole(time, rate) {
            table.problem(&format!("{KEY}[{index}]"), message);
            return None;
        }
    }
    rates.sort_by(|a, b| b.total_cmp(a));
    let distinct = rates.windows(2).all(|pair| pair[0] / pair[1] > 1.0 + 1e-6);
    if (FEWEST..=MOST).contains(&rates.len()) && distinct {
        return Some(rates);
    }
    let found =
        if distinct { format!("{} learning rates", rates.len()) } else { "the same learning rate twice".into() };
    let message = format!(
        "found {found}; a slope needs {FEWEST} to {MOST} different ones to be tested; take, for example, learning_rates = [0.05, 0.025, \
         0.0125, 0.00625]"
    );
    table.problem(KEY, message);
    None
}

/// Why no whole number of steps of η makes t, if so.
fn not_whole(time: f64, rate: f64) -> Option<String> {
    let steps = time / rate;
    if steps > MOST_STEPS {
        return Some(format!(
            "found {rate}, of which t = {time} is {steps:.3e} steps; at most {MOST_STEPS:e} are allowed; take at least {}",
            time / MOST_STEPS
        ));
    }
    let whole = steps.round();
    if whole >= 1.0 && (steps - whole).abs() <= WHOLE * steps {
        return None;
    }
    let (fewer, more) = (steps.floor().max(1.0), steps.ceil().max(1.0));
    let near = |steps: f64| format!("{} ({steps} step{})", time / steps, if steps == 1.0 { "" } else { "s" });
    let nearest = if fewer == more { near(more) } else { format!("{} and {}", near(fewer), near(more)) };
    Some(format!(
        "found {rate}, of which t = {time} is {steps:.4} steps; SGD takes whole steps; the nearest that do are {nearest}"
    ))
}

/// Formulas in the variables of the loss, no constants.
fn read_observables(table: &Table<'_>, variables: Option<&[String]>) -> Option<Vec<String>> {
    const KEY: &str = "observables";
    let formulas = table.texts(KEY, "what E f is compared of, formulas in the variables,", "[\"x^2\"]")?;
    // Without its variables a formula cannot be judged; what is wrong with the loss has been told.
    let variables = variables?;
    let mut sound = true;
    for (index, formula) in formulas.iter().enumerate() {
        let key = format!("{KEY}[{index}]");
        let spec =
            ExpressionSpec { variables: variables.to_vec(), parameters: Default::default(), formula: formula.clone() };
        let Some(spec) = spec.checked(table, &key) else {
            sound = false;
            continue;
        };
        let varies = Expression::new(&spec.variables, &[], formula).is_ok_and(|built| built.constant().is_none());
        if !varies || formulas[..index].contains(formula) {
            let fault = if varies { "the same formula twice" } else { "a formula in which no variable occurs" };
            table
                .problem(&key, format!("found {fault}; its error would tell nothing; remove it, or write another one"));
            sound = false;
        }
    }
    sound.then_some(formulas)
}

/// What the question asks of the rest of the scenario.
pub(super) fn check(parts: &Parts, source: &Source) -> Vec<Problem> {
    let Some(Some(spec)) = &parts.weak_error else { return Vec::new() };
    let mut problems = Vec::new();
    let mut refuse = |key: &str, message: String| problems.push(source.problem(key, message));
    if let Some(noise) = &parts.noise {
        of_noise(noise).into_iter().for_each(|(key, message)| refuse(key, message));
    }
    if let Some(Some(sgd)) = parts.sgd
        && sgd.learning_rate != spec.largest()
    {
        refuse(
            "sgd.learning_rate",
            format!(
                "found {}; the learning rates are those of weak_error.learning_rates, whose largest is {}; remove the key (or write that \
                 number)",
                sgd.learning_rate,
                spec.largest()
            ),
        );
    }
    match &parts.dynamics {
        Some(DynamicsSpec::Sgd { increments: Increments::Binomial }) => refuse(
            "dynamics.increments",
            "found \"binomial\"; SGD and its SDEs are driven by one Brownian path, whose increments are normals; remove increments".into(),
        ),
        Some(DynamicsSpec::Sgd { .. }) | None => {}
        Some(other) => refuse(
            "dynamics.kind",
            format!(
                "found {}; this question moves SGD and both of its SDEs by itself (steps of η/substeps by Platen's scheme); remove [dynamics]",
                other.title()
            ),
        ),
    }
    if parts.test.is_some_and(|test| test.against != Rung::Discrete) {
        refuse(
            "test.against",
            "found a rung of the ladder of stationary laws; this question is about a fixed time, and its slopes are 1 and 2 by theory; \
             remove against"
                .into(),
        );
    }
    if let Some(ensemble) = &parts.ensemble {
        of_ensemble(spec, ensemble).into_iter().for_each(|(key, message)| refuse(key, message));
    }
    problems
}

/// Noise that can be put on a Brownian path, of an η and an S.
fn of_noise(noise: &NoiseSpec) -> Option<(&'static str, String)> {
    match noise {
        NoiseSpec::Temperature(_) => Some((
            "noise.kind",
            "found \"temperature\"; η goes down at a fixed batch size S here, and with it T = ησ²/(2S); write noise kind \"isotropic\" with \
             a sigma, and [sgd] with batch_size"
                .into(),
        )),
        NoiseSpec::Minibatch(_) => Some((
            "noise.kind",
            "found \"minibatch\"; a real batch is no function of the Brownian path that drives the SDE, and without common increments the \
             error, of size η², drowns in the spread of f, of size √η: some η^(−3) replicas would be needed; write noise kind \"covariance\" \
             or \"isotropic\", which has the same C"
                .into(),
        )),
        NoiseSpec::Isotropic(_) | NoiseSpec::Covariance(_) | NoiseSpec::Expression(_) => None,
    }
}

/// Starts at points, and nothing about steps that does not follow from the time.
fn of_ensemble(spec: &WeakErrorSpec, ensemble: &EnsembleSpec) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    match &ensemble.start {
        Start::Points(points) if ensemble.replicas < 2 * points.len() as u64 => found.push((
            "ensemble.replicas",
            format!("found {} replicas for {} start points; each point needs two for an error bar", ensemble.replicas, points.len()),
        )),
        Start::Points(_) => {}
        Start::Minima | Start::Uniform => found.push((
            "ensemble.start",
            "found a start by name; E f at a fixed time is that from a given point, and from a minimum the error of order η vanishes; write points, \
             for example start = [[1.0]]"
                .into(),
        )),
    }
    if ensemble.steps != spec.most_steps() {
        let message = format!(
            "found {}; steps follow from weak_error.time: at every η as many as make t, here at most {}; remove the key",
            ensemble.steps,
            spec.most_steps()
        );
        found.push(("ensemble.steps", message));
    }
    if let Some(burn_in) = ensemble.burn_in.filter(|burn_in| *burn_in != 0) {
        let message = format!("found {burn_in}; time begins at the start points here; remove the key");
        found.push(("ensemble.burn_in", message));
    }
    if ensemble.observe_every.is_some() {
        found.push((
            "ensemble.observe_every",
            "trajectories are looked at when the time is over; remove the key".into(),
        ));
    }
    found
}
