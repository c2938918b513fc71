//! At which noise do width and depth weigh the same? ln(p_A/p_B) against 1/n: its slope, its intercept, and n*.
//!
//! One independent ensemble per noise scale, each with its own gate; a weighted straight line through their log-odds.

mod claims;
mod figure;
mod notes;
mod power;
mod theory;

pub(super) use power::{bias_per_tolerance, power};

use super::points::{self, Measured};
use super::reason::RUNGS;
use super::records::document;
use super::setting::Setting;
use super::{Control, ExperimentError, equilibrium, in_turn};
use crate::findings::{CrossingRecord, CrossoverRecord, Diagnostics, FigureData, Findings, PointRecord};
use crate::landscape::minimum_name;
use crate::math;
use crate::plain::decimals;
use crate::scenario::{Loaded, Rung};
use crate::statistics::{Estimate, Evidence, Line, LinePoint};
use claims::{Aspect, claim, judged};
use theory::{Question, Theory};

/// The setting, if the landscape has a crossover.
pub(super) fn prepare(loaded: &Loaded) -> Result<Setting, ExperimentError> {
    let setting = Setting::from_scenario(loaded)?;
    if setting.temperature().is_none() && setting.noise.is_additive() && loaded.scenario.test.against == Rung::Discrete
    {
        let message = "found \"discrete\"; that rung needs noise with C = σ²I, here C is a constant but not that; choose \"laplace\" or \"gibbs\"";
        return Err(loaded.source.problem("test.against", message).into());
    }
    let question = Question::new(loaded, &setting)?;
    require_stable(&question, loaded)?;
    question.require_crossover()?;
    Ok(setting)
}

/// δh < 2 at every minimum and every n: SGD's own step grows with n.
fn require_stable(question: &Question, loaded: &Loaded) -> Result<(), ExperimentError> {
    let strongest = question.spec().factors.into_iter().fold(1.0, f64::max);
    let setting = question.at(strongest)?;
    let (step, sharpest) = (setting.step(), setting.sharpest());
    if step * sharpest < 2.0 {
        return Ok(());
    }
    let message = format!(
        "found {strongest} as the largest factor, with which SGD's step η = {} is unstable at a minimum of curvature h = {}: ηh = {} is not below \
         2; take factors below {}, or an integrator, whose step is fixed",
        decimals(step, 4),
        decimals(sharpest, 4),
        decimals(step * sharpest, 4),
        decimals(strongest * 2.0 / (step * sharpest), 4)
    );
    Err(loaded.source.problem("crossover.factors", message).into())
}

/// The lines and crossings by every rung.
///
/// # Errors
/// When the loss does not allow the question.
pub fn predict(loaded: &Loaded, setting: &Setting) -> Result<Findings, ExperimentError> {
    let question = Question::new(loaded, setting)?;
    let theory = Theory::of(&question)?;
    Ok(findings(&question, &theory, loaded, setting, None))
}

/// The lines beside the measurement, judged.
///
/// # Errors
/// When the loss does not allow the question, the run was stopped, or every replica of a point diverged.
pub fn run(
    loaded: &Loaded,
    setting: &Setting,
    control: &mut Control,
) -> Result<(Findings, FigureData), ExperimentError> {
    let question = Question::new(loaded, setting)?;
    let theory = Theory::of(&question)?;
    for ladder in &theory.ladders {
        ladder.require_primary(loaded)?;
    }
    if theory.crossing(loaded.scenario.test.against).is_none() {
        let against = loaded.scenario.test.against.name();
        let message =
            format!("found \"{against}\", which predicts no crossover here; choose another rung, such as \"gibbs\"");
        return Err(loaded.source.problem("test.against", message).into());
    }
    let measured = in_turn(theory.settings.len(), control, |point, control| {
        let plan = points::plan(setting, loaded, point);
        Measured::take(&theory.settings[point], &theory.ladders[point], &plan, loaded, control)
    })?;
    let measured = Run::new(&question, &theory, measured);
    let findings = findings(&question, &theory, loaded, setting, Some(&measured));
    let figures = FigureData { crossover: Some(figure::data(&theory, &measured)), ..FigureData::default() };
    Ok((findings, figures))
}

/// The ensembles of all points, and the line through them.
struct Run {
    points: Vec<Measured>,
    names: Vec<String>,
    log_odds: Vec<Option<Estimate>>,
    line: Option<Line>,
}

impl Run {
    fn new(question: &Question, theory: &Theory, points: Vec<Measured>) -> Self {
        let log_odds: Vec<Option<Estimate>> = points.iter().map(|point| point.log_odds(question.pair)).collect();
        let measured: Option<Vec<LinePoint>> =
            log_odds.iter().zip(&theory.inverse).map(|(y, &x)| y.clone().map(|y| LinePoint { x, y })).collect();
        let names = theory.inverse.iter().map(|x| format!("{} = {:.4}", question.varied, 1.0 / x)).collect();
        // Ensembles that remember their starts have no log-odds with an error bar, and a line through them says nothing.
        let at_rest = points.iter().all(|point| point.diagnostics.equilibrated);
        Self { points, names, log_odds, line: measured.filter(|_| at_rest).and_then(|points| Line::fit(&points)) }
    }

    fn diagnostics(&self) -> impl Iterator<Item = (&str, &Diagnostics)> {
        self.names.iter().map(String::as_str).zip(self.points.iter().map(|point| &point.diagnostics))
    }

    fn evidence(&self) -> Evidence {
        points::evidence(self.diagnostics())
    }

    /// ln n* of the measured line.
    fn crossing(&self) -> Option<Estimate> {
        self.line.as_ref()?.log_inverse_root()
    }

    /// Whether n* lies outside of the measured points.
    fn is_extrapolated(&self, theory: &Theory) -> Option<bool> {
        let inverse = math::exp(-self.crossing()?.value);
        let (hot, cold) = (theory.inverse.last()?, theory.inverse.first()?);
        Some(!(*hot..=*cold).contains(&inverse))
    }
}

fn findings(question: &Question, theory: &Theory, loaded: &Loaded, setting: &Setting, run: Option<&Run>) -> Findings {
    let ensemble = &loaded.scenario.ensemble;
    let errors: Vec<f64> = match run.map(|run| run.log_odds.iter().map(|y| y.as_ref().map(|y| y.standard_error))) {
        Some(measured) => measured.map(|error| error.filter(|error| *error > 0.0).unwrap_or(1.0)).collect(),
        None => theory
            .expected_errors(ensemble.replicas as f64, ensemble.steps as f64)
            .unwrap_or_else(|| vec![1.0; theory.inverse.len()]),
    };
    let aspects = || RUNGS.into_iter().flat_map(|rung| Aspect::ALL.map(|aspect| (aspect, rung)));
    let (claims, verdict) = match run {
        None => {
            let predicted = |(aspect, rung): (Aspect, Rung)| {
                let contrast = aspect.contrast(rung, question, theory, &errors, None)?;
                claim(aspect, rung, question, loaded).predicted(&[contrast])
            };
            (aspects().filter_map(predicted).collect(), None)
        }
        Some(run) => judged(aspects(), question, theory, loaded, &errors, run),
    };
    let diagnostics = run.map(|run| points::together(run.diagnostics()));
    let unchanged = question.spec().factors.iter().position(|factor| *factor == 1.0);
    let mut findings = document(loaded, setting, None, Vec::new(), claims, diagnostics);
    findings.escape = unchanged.map_or(Vec::new(), |point| theory.ladders[point].escape.clone());
    findings.notes = points::notes(theory.ladders.iter());
    findings.notes.extend(notes::notes(question, theory, &errors, run));
    findings.points = (0..theory.inverse.len()).map(|point| record(question, theory, point, run)).collect();
    findings.crossover = Some(crossover_record(question, theory, &errors, run));
    findings.verdict = verdict;
    if setting.temperature().is_none() {
        findings.effective_temperature = Some(setting.effective_temperature());
    }
    findings
}

fn record(question: &Question, theory: &Theory, point: usize, run: Option<&Run>) -> PointRecord {
    let measured = run.and_then(|run| run.log_odds[point].as_ref());
    let diagnostics = run.map(|run| &run.points[point].diagnostics);
    let remembers_start = diagnostics.is_some_and(|diagnostics| diagnostics.remembers_start);
    PointRecord {
        varied: question.varied.into(),
        at: 1.0 / theory.inverse[point],
        quantity: equilibrium::pair_name(question.pair),
        laplace: theory.log_odds(point, Rung::Laplace),
        gibbs: theory.log_odds(point, Rung::Gibbs),
        ito: theory.log_odds(point, Rung::Ito),
        discrete: theory.log_odds(point, Rung::Discrete),
        measured: measured.map(|estimate| estimate.value),
        standard_error: measured.map(|estimate| estimate.standard_error),
        interval: measured.and_then(|estimate| estimate.interval(0.95)).filter(|_| !remembers_start),
        equilibrated: diagnostics.map(|diagnostics| diagnostics.equilibrated),
        diverged: diagnostics.map(|diagnostics| diagnostics.diverged),
    }
}

fn crossover_record(question: &Question, theory: &Theory, errors: &[f64], run: Option<&Run>) -> CrossoverRecord {
    let line = run.and_then(|run| run.line.as_ref());
    let measured = line.map(|line| CrossingRecord {
        name: "measured".into(),
        slope: line.slope.value,
        slope_standard_error: Some(line.slope.standard_error),
        intercept: line.intercept.value,
        intercept_standard_error: Some(line.intercept.standard_error),
        line_crossing: line.log_inverse_root().map(|root| math::exp(root.value)),
        exact_crossing: None,
        interval: line.log_inverse_root().and_then(|root| root.interval(0.95)).map(|ends| ends.map(math::exp)),
    });
    CrossoverRecord {
        varied: question.varied.into(),
        pair: question.pair.map(minimum_name),
        barriers: question.barriers(),
        predicted: RUNGS.into_iter().filter_map(|rung| theory.record(rung, errors)).collect(),
        measured,
        covariance: line.map(|line| line.covariance),
        chi_square: line.map(|line| line.chi_square),
        chi_square_p_value: line.and_then(|line| line.p_value),
        extrapolated: run.and_then(|run| run.is_extrapolated(theory)),
    }
}
