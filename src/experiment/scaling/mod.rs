//! Does nothing change when the learning rate and the batch size grow in proportion? η → βη, S → βS on SGD itself.
//!
//! The SDE depends on n = η/S alone, so the claim has content for the discrete process only. In a bowl the stationary
//! variance changes by (1 − ηh/2)/(1 − βηh/2) and diverges at β = 2/(ηh); between wells the chain's own law changes.

mod case;
mod claims;
mod divergence;
mod figure;

use super::cloud::{Cloud, NOTE};
use super::forecast::{Power, slowest, steps_factor, transition_rate};
use super::points::{self, Measured};
use super::reason::RUNGS;
use super::records::{all_diverged, document};
use super::setting::Setting;
use super::softest::softest_of;
use super::{Control, ExperimentError, in_turn};
use crate::findings::{Diagnostics, FigureData, Findings, PointRecord, ScalingRecord};
use crate::math;
use crate::noise::NoiseSpec;
use crate::scenario::{Loaded, Rung};
use crate::statistics::{Estimate, Verdict, effort};
use case::{Case, Kind};
use divergence::Bracket;

/// The setting, if the first β is stable: what the others are compared with must exist.
pub(super) fn prepare(loaded: &Loaded) -> Result<Setting, ExperimentError> {
    let setting = Setting::from_scenario(loaded)?;
    let (first, limit) = (case::list(loaded)[0], case::divergence(&setting));
    if first >= limit {
        let message = format!(
            "found {first} as the first β, at which SGD is unstable (β = 2/(ηh) = {limit:.4}), so that nothing is left to compare \
             the others with; begin with a smaller β"
        );
        return Err(loaded.source.problem("scaling.beta[0]", message).into());
    }
    let between_wells_by_the_chain =
        setting.landscape.minima.len() > 1 && loaded.scenario.test.against == Rung::Discrete;
    if between_wells_by_the_chain && matches!(loaded.scenario.noise, NoiseSpec::Minibatch(_)) {
        let message = "found \"discrete\"; between wells that rung is the law of a chain with normal steps, which those of minibatches \
                       are not; choose \"laplace\", which stands for the slide's claim that nothing changes, or noise kind \"isotropic\"";
        return Err(loaded.source.problem("test.against", message).into());
    }
    if between_wells_by_the_chain && setting.temperature().is_none() && setting.noise.is_additive() {
        let message = "found \"discrete\"; between wells that rung needs noise with C = σ²I, here C is not; choose \"laplace\", which \
                       stands for the slide's claim that nothing changes";
        return Err(loaded.source.problem("test.against", message).into());
    }
    Ok(setting)
}

/// The chain's own law at every β.
///
/// # Errors
/// When the theory does not reach the tested claim.
pub fn predict(loaded: &Loaded, setting: &Setting) -> Result<Findings, ExperimentError> {
    Ok(findings(&Case::new(loaded, setting), loaded, setting, None))
}

/// The law at every β beside the measurement, judged.
///
/// # Errors
/// When the theory does not reach the tested claim, the run was stopped, or every replica at the first β diverged.
pub fn run(
    loaded: &Loaded,
    setting: &Setting,
    control: &mut Control,
) -> Result<(Findings, FigureData), ExperimentError> {
    let case = Case::new(loaded, setting);
    if let (Kind::Wells(_, ladders), Rung::Discrete) = (&case.kind, loaded.scenario.test.against) {
        ladders[0].require_primary(loaded)?;
    }
    let points =
        in_turn(case.beta.len(), control, |index, control| Point::measure(&case, setting, loaded, index, control))?;
    let diverges = if case.is_bowl() {
        let stayed = points.iter().take_while(|point| point.diagnostics.diverged == 0).count();
        let stays = case.beta[stayed.saturating_sub(1)];
        Some(divergence::search(&case, loaded, stays, control)?)
    } else {
        None
    };
    let run = Run { points, diverges };
    let findings = findings(&case, loaded, setting, Some(&run));
    let figures = FigureData { scaling: Some(figure::data(&case, &run)), ..FigureData::default() };
    Ok((findings, figures))
}

/// What the run will show at the β where it shows least.
pub(super) fn power(loaded: &Loaded, setting: &Setting) -> Result<Power, ExperimentError> {
    let case = Case::new(loaded, setting);
    let ensemble = &loaded.scenario.ensemble;
    let (replicas, steps) = (ensemble.replicas as f64, ensemble.steps as f64);
    let mut power = Power {
        time: case.settings.iter().map(|setting| setting.step() * steps).fold(f64::INFINITY, f64::min),
        ..Power::default()
    };
    let largest = |errors: Vec<f64>| errors.into_iter().reduce(f64::max);
    match &case.kind {
        Kind::Bowl(_) => {
            // x is autoregressive with ρ = 1 − βηh, so the mean of x² over N looks has a relative variance of
            // (2/N)(1 + r)/(1 − r), r = ρ^(2·steps between looks).
            let plan = setting.plan(loaded);
            let curvatures = &setting.landscape.minima[0].eigenvalues;
            let stable = case.settings.iter().zip(&case.beta).filter(|(_, beta)| !is_beyond(&case, **beta));
            let errors = stable.flat_map(|(at, _)| {
                curvatures.iter().map(|h| {
                    let contraction = (1.0 - at.step() * h).abs();
                    let correlation = math::exp(2.0 * plan.observe_every as f64 * math::ln(contraction));
                    (2.0 / (replicas * plan.looks() as f64) * (1.0 + correlation) / (1.0 - correlation)).sqrt()
                })
            });
            power.quantity = "ln Var, at the β that shows least".into();
            power.standard_error = largest(errors.collect());
        }
        Kind::Wells(pairs, ladders) => {
            if loaded.scenario.test.against == Rung::Discrete {
                ladders[0].require_primary(loaded)?;
            }
            let transitions: Option<Vec<f64>> = ladders
                .iter()
                .zip(&case.settings)
                .map(|(ladder, at)| Some(transition_rate(ladder)? * steps * at.step() * replicas))
                .collect();
            let errors = transitions.iter().flatten().map(|&m| effort::log_odds_standard_error(m));
            power.quantity = "ln(p_A/p_B), at the β that shows least".into();
            power.standard_error = errors.collect::<Option<Vec<f64>>>().filter(|_| pairs.len() == 1).and_then(largest);
            power.fewest_transitions = power.standard_error.and_then(effort::transitions_for_standard_error);
            power.transitions = transitions.map(|transitions| transitions.iter().sum());
            power.no_law = ladders.iter().find_map(|ladder| ladder.no_law.clone());
            power.softest = softest_of(case.settings.iter().zip(ladders), loaded);
            power.slowest = ladders.iter().filter_map(slowest).max_by(|a, b| a.1.total_cmp(&b.1));
        }
    }
    power.steps_factor = power.standard_error.and_then(|e| steps_factor(e, loaded.scenario.test.tolerance, 0.0));
    Ok(power)
}

/// What was measured.
struct Run {
    points: Vec<Point>,
    diverges: Option<Bracket>,
}

/// One β.
struct Point {
    name: String,
    /// ln Var or log-odds, one per quantity.
    estimates: Vec<Option<Estimate>>,
    diagnostics: Diagnostics,
}

impl Point {
    /// Runs the ensemble at a β of the list. Beyond the first, divergence is a finding.
    fn measure(
        case: &Case,
        base: &Setting,
        loaded: &Loaded,
        index: usize,
        control: &mut Control,
    ) -> Result<Self, ExperimentError> {
        let setting = &case.settings[index];
        let plan = points::plan(base, loaded, index);
        let name = format!("β = {}", case.beta[index]);
        let gone = || Diagnostics {
            diverged: plan.replicas,
            reasons: vec!["every replica diverged".into()],
            observed_every: plan.observe_every,
            ..Diagnostics::default()
        };
        let (estimates, diagnostics) = match &case.kind {
            Kind::Bowl(directions) => {
                let cloud = Cloud::measure(setting, &plan, &loaded.scenario.ensemble.start, control)?;
                if cloud.is_empty() && index == 0 {
                    return Err(all_diverged(&cloud.fates, setting.step()));
                }
                let variance = |direction| cloud.variance(direction)?.logarithm_of_skewed();
                let diagnostics = if cloud.is_empty() { gone() } else { cloud.diagnostics(&plan) };
                (directions.iter().map(variance).collect(), diagnostics)
            }
            Kind::Wells(pairs, ladders) => match Measured::take(setting, &ladders[index], &plan, loaded, control) {
                Ok(measured) => (pairs.iter().map(|&pair| measured.log_odds(pair)).collect(), measured.diagnostics),
                Err(ExperimentError::AllDiverged { .. }) if index > 0 => (vec![None; pairs.len()], gone()),
                Err(error) => return Err(error),
            },
        };
        Ok(Self { name, estimates, diagnostics })
    }
}

fn findings(case: &Case, loaded: &Loaded, setting: &Setting, run: Option<&Run>) -> Findings {
    let (claims, verdict) = claims::all(case, loaded, setting, run);
    // Where divergence was predicted nothing is at equilibrium, and nothing ought to be.
    let watched = |run: &Run| -> Diagnostics {
        let at_rest = run.points.iter().zip(&case.beta).filter(|(_, beta)| !is_beyond(case, **beta));
        points::together(at_rest.map(|(point, _)| (point.name.as_str(), &point.diagnostics)))
    };
    let mut findings = document(loaded, setting, None, Vec::new(), claims, run.map(watched));
    findings.verdict = verdict;
    let lost = lost_without_claim(case, run);
    if findings.verdict == Some(Verdict::Holds) && !lost.is_empty() {
        findings.verdict = Some(Verdict::Undetermined);
    }
    findings.points = records(case, run);
    findings.notes = notes(case, loaded, run);
    findings.notes.extend(lost.into_iter().map(|beta| {
        format!("at β = {beta} replicas diverged where no divergence was predicted and no claim speaks of it: that bars HOLDS")
    }));
    let tolerance = loaded.scenario.test.tolerance;
    findings.scaling = Some(ScalingRecord {
        breaks_predicted: case.breaks(tolerance),
        breaks_measured: claims::break_in_list(case, &findings.claims),
        diverges_predicted: case.divergence(),
        diverges_measured: run.and_then(|run| run.diverges),
    });
    findings
}

/// The β at which replicas diverged although nothing was predicted of it: neither divergence nor a law.
fn lost_without_claim(case: &Case, run: Option<&Run>) -> Vec<f64> {
    let points = run.into_iter().flat_map(|run| &run.points);
    let lost = |(index, point): &(usize, &Point)| {
        point.diagnostics.diverged > 0 && case.chain[*index].is_none() && !is_beyond(case, case.beta[*index])
    };
    points.enumerate().filter(lost).map(|(index, _)| case.beta[index]).collect()
}

/// Whether a bowl is predicted to diverge at β.
fn is_beyond(case: &Case, beta: f64) -> bool {
    case.divergence().is_some_and(|divergence| beta >= divergence)
}

/// One row per β and quantity. Variances are given as such, not as logarithms.
fn records(case: &Case, run: Option<&Run>) -> Vec<PointRecord> {
    let shown = |x: f64| if case.is_bowl() { math::exp(x) } else { x };
    let mut rows = Vec::new();
    for (point, &beta) in case.beta.iter().enumerate() {
        let rungs = RUNGS.map(|rung| case.rung(point, rung));
        for (index, quantity) in case.quantities.iter().enumerate() {
            let [laplace, gibbs, ito, discrete] =
                rungs.each_ref().map(|rung| rung.as_ref().map(|values| shown(values[index])));
            let measured = run.map(|run| &run.points[point]);
            let estimate = measured.and_then(|point| point.estimates[index].as_ref());
            let remembers_start = measured.is_some_and(|point| point.diagnostics.remembers_start);
            let scale = estimate.map_or(1.0, |estimate| if case.is_bowl() { math::exp(estimate.value) } else { 1.0 });
            rows.push(PointRecord {
                varied: "β".into(),
                at: beta,
                quantity: quantity.clone(),
                laplace,
                gibbs,
                ito,
                discrete,
                measured: estimate.map(|estimate| shown(estimate.value)),
                standard_error: estimate.map(|estimate| scale * estimate.standard_error),
                interval: (estimate.and_then(|estimate| estimate.interval(0.95)))
                    .filter(|_| !remembers_start)
                    .map(|ends| ends.map(shown)),
                equilibrated: measured.map(|point| point.diagnostics.equilibrated),
                diverged: measured.map(|point| point.diagnostics.diverged),
            });
        }
    }
    rows
}

/// What the reader must know to read the points rightly.
fn notes(case: &Case, loaded: &Loaded, run: Option<&Run>) -> Vec<String> {
    let mut notes = Vec::new();
    match &case.kind {
        Kind::Bowl(_) => notes.push(NOTE.into()),
        Kind::Wells(_, ladders) => {
            let of_beta = ladders.iter().zip(&case.beta);
            let all = of_beta.flat_map(|(ladder, beta)| ladder.notes.iter().map(move |note| (*beta, note.as_str())));
            notes.extend(points::together_where_alike("β", all));
        }
    }
    for (point, &beta) in case.beta.iter().enumerate() {
        let seen = run.map(|run| (run.points[point].diagnostics.diverged, loaded.scenario.ensemble.replicas));
        let seen =
            seen.map_or(String::new(), |(diverged, replicas)| format!("; {diverged} of {replicas} replicas did"));
        if is_beyond(case, beta) {
            notes.push(format!("at β = {beta}, beyond 2/(ηh), divergence is predicted{seen}"));
        }
    }
    let unknown = case.beta.iter().zip(&case.chain).filter(|(beta, chain)| chain.is_none() && !is_beyond(case, **beta));
    let unknown =
        unknown.map(|(beta, _)| (*beta, "the chain's own law is not known: no claim compares it with the measurement"));
    notes.extend(points::together_where_alike("β", unknown));
    let tolerance = loaded.scenario.test.tolerance;
    if case.breaks(tolerance).is_none() && case.chain[0].is_some() && !case.curve.is_empty() {
        notes.push(format!("by the chain's own law nothing changes by ε = {tolerance} up to the largest β looked at"));
    }
    notes
}
