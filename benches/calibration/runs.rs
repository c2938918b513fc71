//! Whole runs: for every kind of analytic question a scenario in which one prediction is exact and another is wrong by a difference that a knob
//! (the step, the learning rate) sets.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use sgd_sde::experiment::{self, Control, Prepared};
use sgd_sde::findings::{ClaimRecord, ContrastRecord, Findings};
use sgd_sde::scenario::{Loaded, parse};
use sgd_sde::statistics::special::normal_cdf;

use super::kinds::{DIFFERENCES, Kind, MANY, Outcome, Run, Tuned};
use super::scenarios::{BOWL, BOWL_DENSITY, BOWL_PAIR, BOWL_SCALING, CROSSING, ORDERS, WELLS};

/// A scenario with a claim that is true and one that is wrong.
struct Design {
    scenario: &'static str,
    right: &'static str,
    wrong: &'static str,
    /// ε of both claims.
    tolerance: f64,
    /// The key that sets the difference, and between which values.
    knob: (&'static str, [f64; 2]),
    /// What else is set, by the true difference in ε.
    set: fn(f64) -> Vec<String>,
    /// How far the wrong prediction is off, by the predictions at a value of the knob; rising with it.
    difference: fn(&Findings, f64) -> f64,
    /// What the estimate of the wrong claim tends to, by the findings of a run and the knob. That of the right one tends to what is predicted.
    truth: fn(&Findings, f64) -> Option<f64>,
    /// What is set for an effort, by the value of the knob.
    effort: fn(&[String], f64, f64) -> Vec<String>,
}

impl Design {
    /// The knob for a true difference, and all runs with it.
    fn tuned(&self, difference: f64) -> Tuned {
        let is_zero = difference == 0.0;
        // Nothing differs from the right claim: its scenario is that of the smallest difference.
        let knob = self.solve(self.tolerance * if is_zero { DIFFERENCES[1] } else { difference });
        let mut overrides = vec![format!("{}={knob}", self.knob.0)];
        overrides.extend((self.set)(difference));
        let found = (self.difference)(&predictions(self.scenario, &overrides), knob) / self.tolerance;
        let (scenario, effort, truth) = (self.scenario, self.effort, self.truth);
        let claim = if is_zero { self.right } else { self.wrong };
        let at_effort = move |wanted: f64| -> Run {
            let overrides = [overrides.clone(), effort(&overrides, knob, wanted)].concat();
            let prepared = Arc::new(prepared(&load(scenario, &overrides, 1)).brief());
            Box::new(move |seed| {
                let control = &mut Control { monitor: &mut |_| (), stop: &AtomicBool::new(false) };
                let (findings, _) = experiment::run(&load(scenario, &overrides, seed), &prepared, control).ok()?;
                let told = claim_of(&findings, claim)?;
                let wrong = truth(&findings, knob);
                let truth = |contrast: &ContrastRecord| if is_zero { contrast.predicted } else { wrong };
                let transitions = findings.diagnostics.as_ref().map_or(0, |diagnostics| diagnostics.transitions);
                Some(Outcome { transitions, ..Outcome::of(told, truth) })
            })
        };
        Tuned { difference: if is_zero { 0.0 } else { found }, at_effort: Box::new(at_effort) }
    }

    /// The value of the knob at which the difference is `wanted`, by bisection.
    fn solve(&self, wanted: f64) -> f64 {
        let (key, [mut low, mut high]) = self.knob;
        let at = |knob: f64| (self.difference)(&predictions(self.scenario, &[format!("{key}={knob}")]), knob);
        let ends = [at(low), at(high)];
        assert!(ends[0] < wanted && wanted < ends[1], "{}: {wanted} is not within {ends:?}", self.wrong);
        for _ in 0..12 {
            let middle = 0.5 * (low + high);
            if at(middle) < wanted { low = middle } else { high = middle }
        }
        0.5 * (low + high)
    }
}

fn load(text: &str, overrides: &[String], seed: u64) -> Loaded {
    parse(text, "calibration.toml", overrides, Some(seed)).unwrap_or_else(|problems| panic!("{problems}"))
}

fn prepared(loaded: &Loaded) -> Prepared {
    experiment::prepare(loaded).unwrap_or_else(|error| panic!("{error}"))
}

fn predictions(text: &str, overrides: &[String]) -> Findings {
    let loaded = load(text, overrides, 1);
    experiment::predict(&loaded, &prepared(&loaded).brief()).unwrap_or_else(|error| panic!("{error}"))
}

fn claim_of<'f>(findings: &'f Findings, id: &str) -> Option<&'f ClaimRecord> {
    findings.claims.iter().find(|claim| claim.id == id)
}

fn predicted(findings: &Findings, id: &str) -> f64 {
    claim_of(findings, id).and_then(|claim| claim.predicted).unwrap_or_else(|| panic!("no prediction of {id}"))
}

/// By how much two predictions of one number differ.
fn apart(findings: &Findings, one: &str, other: &str) -> f64 {
    (predicted(findings, one) - predicted(findings, other)).abs()
}

/// Independent replicas of every run.
const REPLICAS: f64 = 32.0;

/// Steps per replica for so many transitions in all, two on every way from well to well and back, by the chain's own passage times; the
/// burn-in is twenty relaxation times.
fn for_transitions(overrides: &[String], step: f64, transitions: f64) -> Vec<String> {
    transitions_of(WELLS, overrides, step, transitions)
}

/// The same at the middle n of a crossover, whose wells are those of an equilibrium.
fn for_transitions_of_crossing(overrides: &[String], step: f64, transitions: f64) -> Vec<String> {
    let wells = CROSSING.split("[crossover]").next().unwrap_or_default().replace("\"crossover\"", "\"equilibrium\"");
    transitions_of(&wells, overrides, step, transitions)
}

fn transitions_of(wells: &str, overrides: &[String], step: f64, transitions: f64) -> Vec<String> {
    let loaded = load(wells, overrides, 1);
    let findings = experiment::predict(&loaded, &prepared(&loaded)).unwrap_or_else(|error| panic!("{error}"));
    let times: Vec<f64> = findings.escape.iter().filter_map(|escape| escape.discrete).collect();
    let [there, back] = times[..] else { panic!("two wells have two passage times, found {times:?}") };
    let steps = transitions * (there + back) / (2.0 * step * REPLICAS);
    set_ensemble(REPLICAS, steps, 20.0 * there * back / (there + back) / step)
}

/// The same without a burn-in, all started in the left well.
fn for_transitions_from_one_well(overrides: &[String], step: f64, transitions: f64) -> Vec<String> {
    let mut set = for_transitions(overrides, step, transitions);
    set.truncate(2);
    set.extend(["ensemble.burn_in=0".to_owned(), "ensemble.start=[[-0.65]]".to_owned()]);
    set
}

/// Of a bowl of curvature 1 whose step is the knob: the time in relaxation times over all replicas.
fn for_relaxations(_: &[String], step: f64, times: f64) -> Vec<String> {
    set_ensemble(REPLICAS, times / (REPLICAS * step), 20.0 / step)
}

fn set_ensemble(replicas: f64, steps: f64, burn_in: f64) -> Vec<String> {
    let whole = |x: f64| x.ceil().max(1.0);
    vec![
        format!("ensemble.replicas={}", whole(replicas)),
        format!("ensemble.steps={}", whole(steps)),
        format!("ensemble.burn_in={}", whole(burn_in)),
    ]
}

fn nothing(_: f64) -> Vec<String> {
    Vec::new()
}

const TRANSITIONS: &[f64] = &[1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0];
const RELAXATIONS: &[f64] = &[30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0];

/// All analytic kinds.
pub fn kinds() -> Vec<Kind> {
    let kind = |name, what, unit, efforts, design: Design| Kind {
        name,
        what,
        unit,
        efforts,
        differences: &DIFFERENCES,
        most_seeds: MANY,
        tuned: Box::new(move |difference| design.tuned(difference)),
    };
    vec![
        kind(
            "equilibrium",
            "ln(p_A/p_B) of two wells: the chain's law is right, Laplace's wrong",
            "transitions",
            TRANSITIONS,
            wells(for_transitions),
        ),
        kind(
            "equilibrium, from one well",
            "The same without a burn-in, all replicas started in one well: any verdict on a short run is worth nothing",
            "transitions",
            TRANSITIONS,
            wells(for_transitions_from_one_well),
        ),
        kind(
            "crossover",
            "ln of the slope of ln(p_A/p_B) against 1/n, three n: the chain's law is right, Laplace's wrong",
            "transitions at the middle n",
            &[100.0, 300.0, 1000.0, 3000.0, 10000.0],
            Design {
                scenario: CROSSING,
                right: "crossover-slope-discrete",
                wrong: "crossover-slope-laplace",
                tolerance: 0.15,
                knob: ("dynamics.step", [0.002, 0.12]),
                set: nothing,
                difference: |findings, _| apart(findings, "crossover-slope-laplace", "crossover-slope-discrete"),
                truth: |findings, _| claim_of(findings, "crossover-slope-discrete")?.predicted,
                effort: for_transitions_of_crossing,
            },
        ),
        kind(
            "covariance",
            "ln of the variance in a bowl: the chain's is right, the SDE's wrong",
            "relaxation times",
            RELAXATIONS,
            Design {
                scenario: BOWL,
                right: "covariance-discrete",
                wrong: "covariance-laplace",
                tolerance: 0.1,
                knob: ("dynamics.step", [0.01, 1.0]),
                set: nothing,
                difference: |findings, _| apart(findings, "covariance-laplace", "covariance-discrete"),
                truth: |findings, _| claim_of(findings, "covariance-discrete")?.predicted,
                effort: for_relaxations,
            },
        ),
        kind(
            "density",
            "Kolmogorov distance of the law in a bowl: the chain's is right, Gibbs' wrong; intervals allow for the supremum, and cover more often",
            "relaxation times",
            &[100.0, 300.0, 1000.0, 3000.0, 10000.0, 30000.0],
            Design {
                scenario: BOWL_DENSITY,
                right: "density-discrete",
                wrong: "density-gibbs",
                tolerance: 0.04,
                knob: ("dynamics.step", [0.01, 1.5]),
                set: nothing,
                difference: |_, step| between_normal_laws(inflated(step)),
                truth: |_, step| Some(between_normal_laws(inflated(step))),
                effort: for_relaxations,
            },
        ),
        kind(
            "temperature-pair",
            "ln of the slope in L over the predicted one, in a bowl: right with Leimkuhler and Matthews' steps, wrong with Euler's",
            "relaxation times",
            RELAXATIONS,
            Design {
                scenario: BOWL_PAIR,
                right: "temperature-pair-slope",
                wrong: "temperature-pair-slope",
                tolerance: 0.15,
                knob: ("dynamics.step", [0.01, 1.0]),
                set: |difference| {
                    let kind = if difference == 0.0 { "leimkuhler-matthews" } else { "euler-maruyama" };
                    vec![format!("dynamics.kind={kind}")]
                },
                difference: |_, step| -(1.0 - 0.5 * step).ln(),
                truth: |_, step| Some((1.0 - 0.5 * step).ln()),
                effort: for_relaxations,
            },
        ),
        kind(
            "scaling",
            "ln of the variance in a bowl at β = 2: the chain's is right, “as at β = 1” wrong",
            "relaxation times",
            RELAXATIONS,
            Design {
                scenario: BOWL_SCALING,
                right: "scaling-discrete-beta-2",
                wrong: "scaling-unchanged-beta-2",
                tolerance: 0.1,
                knob: ("sgd.learning_rate", [0.01, 0.8]),
                set: nothing,
                difference: |_, rate| ((1.0 - 0.5 * rate) / (1.0 - rate)).ln(),
                truth: |_, rate| Some(((1.0 - 0.5 * rate) / (1.0 - rate)).ln()),
                effort: for_relaxations,
            },
        ),
        weak_error(),
    ]
}

fn wells(effort: fn(&[String], f64, f64) -> Vec<String>) -> Design {
    Design {
        scenario: WELLS,
        right: "occupancy-discrete",
        wrong: "occupancy-laplace",
        tolerance: 0.3,
        knob: ("dynamics.step", [0.002, 0.16]),
        set: nothing,
        difference: |findings, _| apart(findings, "occupancy-laplace", "occupancy-discrete"),
        truth: |findings, _| claim_of(findings, "occupancy-discrete")?.predicted,
        effort,
    }
}

/// The standard deviation of Euler's chain over that of the SDE, in a bowl of curvature 1.
fn inflated(step: f64) -> f64 {
    1.0 / (1.0 - 0.5 * step).sqrt()
}

/// sup |Φ(x) − Φ(x/s)| for s > 1: where the densities cross, x² = 2 ln s/(1 − 1/s²).
fn between_normal_laws(s: f64) -> f64 {
    let x = (2.0 * s.ln() / (1.0 - 1.0 / (s * s))).sqrt();
    normal_cdf(x) - normal_cdf(x / s)
}

/// The slope of ln|error| against ln η is not quite 1 at any η, by closed forms: ε is that difference over the wanted one. Errors are right by
/// their closed forms. Effort is replicas times (ε/0.3)², at which ε is as many standard errors for every difference.
fn weak_error() -> Kind {
    let tuned = |difference: f64| {
        let slope = slope_of_the_sde();
        let tolerance = if difference == 0.0 { 0.3 } else { (slope - 1.0).abs() / difference };
        let claim = if difference == 0.0 { "weak-error-exact" } else { "weak-error-first-order" };
        let at_effort = move |effort: f64| -> Run {
            let replicas = (effort * (0.3 / tolerance) * (0.3 / tolerance)).ceil().max(64.0);
            let overrides = vec![
                format!("ensemble.replicas={replicas}"),
                format!("test.tolerance={tolerance}"),
                format!("weak_error.first_order_tolerance={tolerance}"),
            ];
            let prepared = Arc::new(prepared(&load(ORDERS, &overrides, 1)).brief());
            Box::new(move |seed| {
                let control = &mut Control { monitor: &mut |_| (), stop: &AtomicBool::new(false) };
                let (findings, _) = experiment::run(&load(ORDERS, &overrides, seed), &prepared, control).ok()?;
                let told = claim_of(&findings, claim)?;
                // With the weights of the run.
                let slope = exact_slope(&findings);
                Some(Outcome::of(told, |contrast| if difference == 0.0 { contrast.predicted } else { slope }))
            })
        };
        Tuned { difference, at_effort: Box::new(at_effort) }
    };
    Kind {
        name: "weak-error",
        what: "ln|error| of the SDE at t = 1 in a bowl, right by its closed form; its slope in ln η is wrong by what the next order adds (to 5 %); a slope is shown where every error is told from zero, which selects where few are",
        unit: "replicas·(ε/0.3)²",
        efforts: &[300.0, 1000.0, 3000.0, 10000.0],
        differences: &DIFFERENCES,
        most_seeds: MANY,
        tuned: Box::new(tuned),
    }
}

/// The slope of ln|exact error| of the SDE with the weights that a long run gives its points.
fn slope_of_the_sde() -> f64 {
    const BEYOND_ALL_SEEDS: u64 = 1_000_000;
    let loaded = load(ORDERS, &["ensemble.replicas=100000".to_owned()], BEYOND_ALL_SEEDS);
    let control = &mut Control { monitor: &mut |_| (), stop: &AtomicBool::new(false) };
    let (findings, _) = experiment::run(&loaded, &prepared(&loaded), control).unwrap_or_else(|error| panic!("{error}"));
    exact_slope(&findings).unwrap_or_else(|| panic!("errors in a bowl are known"))
}

fn exact_slope(findings: &Findings) -> Option<f64> {
    findings.weak_error.as_ref()?.slopes.iter().find(|slope| slope.order == 1)?.exact
}
