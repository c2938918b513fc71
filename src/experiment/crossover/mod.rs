//! At which noise do width and depth weigh the same? ln(p_A/p_B) against 1/n: its slope, its intercept, and n*.
//!
//! One independent ensemble per noise scale, each with its own gate; a weighted straight line through their log-odds.

mod figure;
mod theory;

use super::forecast::{Power, slowest, steps_factor};
use super::points::{self, Measured};
use super::reason::RUNGS;
use super::records::{Claim, document};
use super::setting::Setting;
use super::{Control, ExperimentError, equilibrium, in_turn};
use crate::findings::{ClaimRecord, CrossingRecord, CrossoverRecord, Diagnostics, FigureData, Findings, PointRecord};
use crate::landscape::minimum_name;
use crate::math;
use crate::scenario::{Loaded, Rung};
use crate::statistics::{
    Contrast, Estimate, Evidence, Judgement, Line, LinePoint, Verdict, effort, judge, scenario_verdict,
};
use theory::{Question, Theory};

/// A straight line is doubted below this p-value of its χ².
const CROOKED: f64 = 1e-3;

/// The setting, if the landscape has a crossover.
pub(super) fn prepare(loaded: &Loaded) -> Result<Setting, ExperimentError> {
    let setting = Setting::from_scenario(loaded)?;
    if setting.temperature().is_none() && loaded.scenario.test.against == Rung::Discrete {
        let message = "found \"discrete\"; that rung needs noise with C = σ²I, here C is not; choose \"laplace\" or \"gibbs\"";
        return Err(loaded.source.problem("test.against", message).into());
    }
    let question = Question::new(loaded, &setting)?;
    // SGD's own step grows with n.
    let strongest = question.spec().factors.into_iter().fold(1.0, f64::max);
    question.at(strongest)?.require_stable(loaded)?;
    question.require_crossover()?;
    Ok(setting)
}

/// The lines and crossings by every rung.
///
/// # Errors
/// When the loss does not allow the question.
pub fn predict(loaded: &Loaded, setting: &Setting) -> Result<Findings, ExperimentError> {
    let question = Question::new(loaded, setting)?;
    let theory = Theory::new(&question)?;
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
    let theory = Theory::new(&question)?;
    for ladder in &theory.ladders {
        ladder.require_primary(loaded)?;
    }
    if theory.crossing(loaded.scenario.test.against).is_none() {
        let against = loaded.scenario.test.against.name();
        let message = format!("found \"{against}\", which predicts no crossover here; choose another rung, such as \"gibbs\"");
        return Err(loaded.source.problem("test.against", message).into());
    }
    let measured = in_turn(theory.settings.len(), control, |point, control| {
        let plan = points::plan(setting, loaded, point);
        Measured::take(&theory.settings[point], &theory.ladders[point], &plan, loaded, control)
    })?;
    let measured = Run::new(&question, &theory, measured);
    let findings = findings(&question, &theory, loaded, setting, Some(&measured));
    let figures = FigureData {
        crossover: Some(figure::data(&theory, &measured)),
        ..FigureData::default()
    };
    Ok((findings, figures))
}

/// What the run will show of n*, slope and intercept, by the escape times at every point.
pub(super) fn power(loaded: &Loaded, setting: &Setting) -> Result<Power, ExperimentError> {
    let question = Question::new(loaded, setting)?;
    let theory = Theory::new(&question)?;
    for ladder in &theory.ladders {
        ladder.require_primary(loaded)?;
    }
    let ensemble = &loaded.scenario.ensemble;
    let (replicas, steps) = (ensemble.replicas as f64, ensemble.steps as f64);
    let against = loaded.scenario.test.against;
    let mut power = Power {
        quantity: format!("ln {}*", question.varied),
        slowest: theory.ladders.iter().filter_map(slowest).max_by(|a, b| a.1.total_cmp(&b.1)),
        time: theory.settings.iter().map(|setting| setting.step() * steps).fold(f64::INFINITY, f64::min),
        ..Power::default()
    };
    let Some(errors) = theory.expected_errors(replicas, steps) else { return Ok(power) };
    power.transitions = Some(errors.iter().filter_map(|error| effort::transitions_for_standard_error(*error)).sum());
    // The points as the best rung has them.
    let has = |rung: &Rung| (0..theory.inverse.len()).all(|point| theory.log_odds(point, *rung).is_some());
    let best = RUNGS.into_iter().rev().find(has).unwrap_or(Rung::Laplace);
    let expected = |point: usize| Estimate::with_known_error(theory.log_odds(point, best).unwrap_or(f64::NAN), errors[point]);
    let points: Vec<LinePoint> =
        theory.inverse.iter().enumerate().map(|(point, &x)| LinePoint { x, y: expected(point) }).collect();
    let line = Line::fit(&points);
    let factor = |aspect: Aspect| {
        let contrast = aspect.contrast(against, &question, &theory, &errors, line.as_ref())?;
        let measured = contrast.measured?;
        let difference = measured.value - contrast.predicted;
        Some((measured.standard_error, difference, steps_factor(measured.standard_error, aspect.tolerance(loaded, &question), difference)))
    };
    let expectations: Vec<_> = Aspect::ALL.into_iter().map(factor).collect();
    if let Some((error, difference, _)) = expectations[0] {
        power.standard_error = Some(error);
        power.bias = (best > against).then_some((difference.abs(), best.name()));
    }
    let factors: Option<Vec<f64>> = expectations.into_iter().map(|expectation| expectation?.2).collect();
    power.steps_factor = factors.and_then(|factors| factors.into_iter().reduce(f64::max));
    Ok(power)
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
        let measured: Option<Vec<LinePoint>> = log_odds
            .iter()
            .zip(&theory.inverse)
            .map(|(y, &x)| y.clone().map(|y| LinePoint { x, y }))
            .collect();
        let names = theory.inverse.iter().map(|x| format!("{} = {:.4}", question.varied, 1.0 / x)).collect();
        Self { points, names, log_odds, line: measured.and_then(|points| Line::fit(&points)) }
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

/// What is compared: the crossing and the two numbers of the line.
#[derive(Clone, Copy, PartialEq)]
enum Aspect {
    Point,
    Slope,
    Intercept,
}

impl Aspect {
    const ALL: [Aspect; 3] = [Aspect::Point, Aspect::Slope, Aspect::Intercept];

    fn name(self) -> &'static str {
        match self {
            Aspect::Point => "point",
            Aspect::Slope => "slope",
            Aspect::Intercept => "intercept",
        }
    }

    fn tolerance(self, loaded: &Loaded, question: &Question) -> f64 {
        match self {
            Aspect::Point => loaded.scenario.test.tolerance,
            Aspect::Slope => question.spec().slope_tolerance,
            Aspect::Intercept => question.spec().intercept_tolerance,
        }
    }

    /// Prediction and measurement; `None` where the rung has no such prediction.
    fn contrast(
        self,
        rung: Rung,
        question: &Question,
        theory: &Theory,
        errors: &[f64],
        measured: Option<&Line>,
    ) -> Option<Contrast> {
        let [slope, intercept] = theory.line(rung, errors)?;
        let (label, predicted, measured) = match self {
            Aspect::Point => {
                let label = format!("ln {}*", question.varied);
                (label, math::ln(theory.crossing(rung)?), measured.and_then(Line::log_inverse_root))
            }
            Aspect::Slope => {
                // A slope of the other sign has no ln ratio: no estimate, and no HOLDS.
                let towards = |line: &Line| Estimate { value: line.slope.value * slope.signum(), ..line.slope.clone() };
                let label = format!("ln slope of {}", equilibrium::pair_name(question.pair));
                (label, math::ln(slope.abs()), measured.and_then(|line| towards(line).logarithm()))
            }
            Aspect::Intercept => {
                let label = format!("intercept of {}", equilibrium::pair_name(question.pair));
                (label, intercept, measured.map(|line| line.intercept.clone()))
            }
        };
        Some(Contrast { label, predicted, predicted_standard_error: 0.0, measured })
    }

    fn statement(self, rung: Rung, question: &Question) -> String {
        let [a, b] = question.pair.map(minimum_name);
        let n = question.varied;
        let whose = match rung {
            Rung::Laplace => "the slide's formula",
            Rung::Gibbs => "the Gibbs law",
            Rung::Discrete => "the law of the chain at its finite step",
        };
        match self {
            Aspect::Point => format!(
                "{a} and {b} are equally likely at the noise {n}* of {whose}: below it depth decides, above it width"
            ),
            Aspect::Slope => format!("ln(p_{a}/p_{b}) falls with {n} by the slope in 1/{n} of {whose}: the depths"),
            Aspect::Intercept => {
                format!("ln(p_{a}/p_{b}) goes to the intercept of {whose} as 1/{n} → 0: the widths")
            }
        }
    }

    fn source(self, rung: Rung) -> &'static str {
        match (self, rung) {
            (Aspect::Point, Rung::Laplace) => {
                "n* = 4(L_B − L_A)/(σ² ln(det H_A/det H_B)), where the slide's two weights are equal; arXiv:1711.04623"
            }
            (Aspect::Slope, Rung::Laplace) => "slope −2(L_A − L_B)/σ² of the slide's formula; arXiv:1711.04623",
            (Aspect::Intercept, Rung::Laplace) => "intercept −½ ln(det H_A/det H_B) of the slide's formula; arXiv:1711.04623",
            (Aspect::Point, Rung::Gibbs) => "zero of ln ∫_A exp(−L/T) dθ − ln ∫_B exp(−L/T) dθ, T = nσ²/2",
            (Aspect::Point, Rung::Discrete) => "zero of the log-odds of the chain's stationary law",
            (_, Rung::Gibbs) => "weighted line through the Gibbs log-odds at the same n, with the weights of the measurement",
            (_, Rung::Discrete) => "weighted line through the chain's log-odds at the same n, with the weights of the measurement",
        }
    }
}

fn claim(aspect: Aspect, rung: Rung, question: &Question, loaded: &Loaded) -> Claim {
    Claim {
        id: format!("crossover-{}-{}", aspect.name(), rung.name()),
        primary: rung == loaded.scenario.test.against,
        statement: aspect.statement(rung, question),
        source: aspect.source(rung).into(),
        tolerance: aspect.tolerance(loaded, question),
    }
}

fn findings(
    question: &Question,
    theory: &Theory,
    loaded: &Loaded,
    setting: &Setting,
    run: Option<&Run>,
) -> Findings {
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
    findings.notes.extend(notes(question, theory, &errors, run));
    findings.points = (0..theory.inverse.len()).map(|point| record(question, theory, point, run)).collect();
    findings.crossover = Some(crossover_record(question, theory, &errors, run));
    findings.verdict = verdict;
    if setting.temperature().is_none() {
        findings.effective_temperature = Some(setting.effective_temperature());
    }
    findings
}

/// Every claim with its verdict, and that of the scenario.
fn judged(
    aspects: impl Iterator<Item = (Aspect, Rung)>,
    question: &Question,
    theory: &Theory,
    loaded: &Loaded,
    errors: &[f64],
    run: &Run,
) -> (Vec<ClaimRecord>, Option<Verdict>) {
    let evidence = run.evidence();
    let mut judgements: Vec<(Aspect, Rung, Judgement)> = aspects
        .filter_map(|(aspect, rung)| {
            let contrast = aspect.contrast(rung, question, theory, errors, run.line.as_ref())?;
            let mut judgement = judge(&[contrast], aspect.tolerance(loaded, question), &evidence);
            if aspect == Aspect::Point && run.is_extrapolated(theory) == Some(true) {
                judgement.bar_holding(&format!(
                    "the measured {}* lies outside of the measured points, which makes it an extrapolation",
                    question.varied
                ));
            }
            Some((aspect, rung, judgement))
        })
        .collect();
    let against = loaded.scenario.test.against;
    let mut primary: Vec<&mut Judgement> =
        judgements.iter_mut().filter(|(_, rung, _)| *rung == against).map(|(_, _, judgement)| judgement).collect();
    let verdict = scenario_verdict(&mut primary);
    let claims = judgements.iter().filter_map(|(aspect, rung, judgement)| {
        let mut reason = judgement.reason.clone();
        if judgement.contrasts.iter().any(|judged| judged.contrast.measured.is_none()) {
            reason = format!("{reason}; {}", missing(*aspect, run));
        }
        if judgement.verdict == Verdict::Rejected {
            reason = format!("{reason}; {}", other_rungs(*aspect, question, theory, errors));
        }
        claim(*aspect, *rung, question, loaded).judged(judgement, reason)
    });
    (claims.collect(), Some(verdict))
}

/// Why there is no estimate.
fn missing(aspect: Aspect, run: &Run) -> String {
    match (&run.line, aspect) {
        (None, _) => "a point without an estimate leaves no line".into(),
        (Some(_), Aspect::Point) => {
            "the measured slope and intercept are of one sign, or not both told from zero (10 standard errors), so that their \
             ratio has no error bar"
                .into()
        }
        (Some(_), _) => "the measured slope has the other sign".into(),
    }
}

/// What every rung predicts: which approximation broke is where they part.
fn other_rungs(aspect: Aspect, question: &Question, theory: &Theory, errors: &[f64]) -> String {
    let values = RUNGS.into_iter().filter_map(|rung| {
        let contrast = aspect.contrast(rung, question, theory, errors, None)?;
        Some(format!("{} {:.4}", rung.name(), contrast.predicted))
    });
    format!("the rungs of the ladder: {}", values.collect::<Vec<_>>().join(", "))
}

fn record(question: &Question, theory: &Theory, point: usize, run: Option<&Run>) -> PointRecord {
    let measured = run.and_then(|run| run.log_odds[point].as_ref());
    let diagnostics = run.map(|run| &run.points[point].diagnostics);
    PointRecord {
        varied: question.varied.into(),
        at: 1.0 / theory.inverse[point],
        quantity: equilibrium::pair_name(question.pair),
        laplace: theory.log_odds(point, Rung::Laplace),
        gibbs: theory.log_odds(point, Rung::Gibbs),
        discrete: theory.log_odds(point, Rung::Discrete),
        measured: measured.map(|estimate| estimate.value),
        standard_error: measured.map(|estimate| estimate.standard_error),
        interval: measured.and_then(|estimate| estimate.interval(0.95)),
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

/// What the reader must know to read the lines rightly.
fn notes(question: &Question, theory: &Theory, errors: &[f64], run: Option<&Run>) -> Vec<String> {
    let n = question.varied;
    let weights = if run.is_some() { "of the measurement" } else { "that the escape times let expect" };
    let mut notes = vec![format!(
        "slope and intercept of gibbs and discrete are those of the weighted line through their log-odds at the same {n}, with \
         the weights {weights}; their {n}* is the zero of the log-odds themselves"
    )];
    for rung in [Rung::Gibbs, Rung::Discrete] {
        if let (Some([slope, intercept]), Some(exact)) = (theory.line(rung, errors), theory.crossing(rung)) {
            let bend = math::ln(-slope / intercept / exact);
            if bend.is_finite() && bend.abs() > 0.2 * question.tolerance() {
                notes.push(format!(
                    "the line through the {} log-odds crosses zero {bend:+.4} in ln {n} from where they are zero themselves: they \
                     are bent over these {n}; closer factors would be straighter",
                    rung.name()
                ));
            }
        }
    }
    if let (Some(&hot), Some(&cold), Some(exact)) =
        (theory.inverse.last(), theory.inverse.first(), theory.crossing(Rung::Gibbs))
    {
        if !(hot..=cold).contains(&(1.0 / exact)) {
            notes.push(format!(
                "the {n}* = {exact:.4} of the Gibbs law lies outside of the points, {n} = {:.4} to {:.4}: choose factors on both \
                 sides of it",
                1.0 / cold,
                1.0 / hot
            ));
        }
    }
    if let Some((chi, p)) = run.and_then(|run| run.line.as_ref()).and_then(|line| Some((line.chi_square, line.p_value?))) {
        if p < CROOKED {
            notes.push(format!(
                "the points scatter about their line by more than their errors (χ² = {chi:.1}, p = {p:.1e}): ln(p_A/p_B) is not \
                 straight in 1/{n} at this precision"
            ));
        }
    }
    notes
}
