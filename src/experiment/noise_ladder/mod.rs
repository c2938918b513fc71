//! Which property of minibatch noise moves SGD away from the formula? The same loss, η, S and SDE time under one form of noise after
//! another: the one that the formula assumes, unequal directions, dependence on θ, the finite step, and real minibatches. A
//! disagreement then names the assumption that broke.

mod claims;
mod form;

use super::cost::seconds_per_block_step;
use super::equilibrium::{contrast_pairs, pair_name};
use super::forecast::{Cost, Power};
use super::ladder::Ladder;
use super::measurement::Measurement;
use super::points::{self, Measured, of_occupancies};
use super::records::document;
use super::setting::Setting;
use super::{Control, ExperimentError, equilibrium, in_turn};
use crate::findings::{
    Diagnostics, FigureData, Findings, GroupRecord, MeasureRecord, NoiseLadderFigure, NoiseLadderMark,
};
use crate::input::Problem;
use crate::scenario::{Loaded, Rung};
use crate::statistics::Estimate;
use crate::theory::laplace;
use form::Form;

/// The setting, if it has several minima and the tested rung is one of the formula's.
pub(super) fn prepare(loaded: &Loaded) -> Result<Setting, ExperimentError> {
    let against = loaded.scenario.test.against;
    if !matches!(against, Rung::Laplace | Rung::Gibbs) {
        let message = format!(
            "found \"{}\"; this question is how far minibatches are from the slide's formula, which knows neither a step nor noise that \
             depends on θ; choose \"laplace\" or \"gibbs\"",
            against.name()
        );
        return Err(loaded.source.problem("test.against", message).into());
    }
    equilibrium::prepare(loaded)
}

/// The ladder of predictions, and what is going to be compared.
///
/// # Errors
/// When the theory does not reach the tested claim, or a form of noise cannot be built.
pub fn predict(loaded: &Loaded, setting: &Setting) -> Result<Findings, ExperimentError> {
    Ok(findings(&Case::new(loaded, setting)?, loaded, None))
}

/// Every form of noise simulated and judged.
///
/// # Errors
/// As [`predict`]; when the run was stopped, or every replica of a form diverged.
pub fn run(
    loaded: &Loaded,
    setting: &Setting,
    control: &mut Control,
) -> Result<(Findings, FigureData), ExperimentError> {
    let case = Case::new(loaded, setting)?;
    case.ladder.require_primary(loaded)?;
    let mut measured = in_turn(case.forms.len(), control, |index, control| measure(&case, loaded, index, control))?;
    let points = measured.iter().map(|measured| Point::of(&case, measured)).collect();
    let Some(minibatches) = measured.pop().map(|measured| measured.measurement) else {
        return Err(ExperimentError::OtherExperiment);
    };
    let run = Run { points, minibatches };
    let findings = findings(&case, loaded, Some(&run));
    let figures = FigureData { noise_ladder: Some(figure(&case, &run)), ..FigureData::default() };
    Ok((findings, figures))
}

/// How long it takes: the SDE's small steps make it several times the run of SGD alone. What it will show is not known beforehand,
/// since no formula tells how seldom minibatches leave a minimum.
pub(super) fn power(loaded: &Loaded, setting: &Setting) -> Result<Power, ExperimentError> {
    let case = Case::new(loaded, setting)?;
    case.ladder.require_primary(loaded)?;
    let observe_every = setting.plan(loaded).observe_every;
    let seconds = |form: &Form| {
        let steps = form.steps_of_one;
        steps as f64 * seconds_per_block_step(&form.setting, steps * observe_every)
    };
    Ok(Power {
        time: setting.step() * loaded.scenario.ensemble.steps as f64,
        quantity: case.quantities.first().cloned().unwrap_or_default(),
        no_law: case.ladder.no_law.clone(),
        cost: Some(Cost {
            steps: case.forms.iter().map(|form| form.steps_of_one as f64).sum(),
            seconds: case.forms.iter().map(seconds).sum(),
        }),
        ..Power::default()
    })
}

/// A scenario with its predictions and its forms of noise.
struct Case<'a> {
    setting: &'a Setting,
    ladder: Ladder,
    pairs: Vec<[usize; 2]>,
    quantities: Vec<String>,
    forms: Vec<Form>,
    notes: Vec<String>,
}

impl<'a> Case<'a> {
    fn new(loaded: &Loaded, setting: &'a Setting) -> Result<Self, Problem> {
        let ladder = Ladder::climb(setting);
        let shares = laplace::shares(&setting.landscape.minima, setting.effective_temperature());
        let pairs = contrast_pairs(ladder.rung(loaded.scenario.test.against).unwrap_or(&shares));
        let quantities = pairs.iter().map(|&pair| pair_name(pair)).collect();
        let (forms, notes) = form::all(loaded, setting)?;
        Ok(Self { setting, ladder, pairs, quantities, forms, notes })
    }

    /// ln(p_a/p_b) of every pair by a rung.
    fn log_odds(&self, rung: Rung) -> Option<Vec<f64>> {
        let occupancies = self.ladder.rung(rung)?;
        self.pairs.iter().map(|&pair| of_occupancies(occupancies, pair)).collect()
    }
}

/// What was measured.
struct Run {
    points: Vec<Point>,
    /// The last of them in full.
    minibatches: Measurement,
}

/// One form of noise.
struct Point {
    /// ln(p_a/p_b), one per pair.
    estimates: Vec<Option<Estimate>>,
    diagnostics: Diagnostics,
}

impl Point {
    fn of(case: &Case, measured: &Measured) -> Self {
        Self {
            estimates: case.pairs.iter().map(|&pair| measured.log_odds(pair)).collect(),
            diagnostics: measured.diagnostics.clone(),
        }
    }

    /// The 95 % interval; none where the start is remembered.
    fn interval(&self, estimate: &Estimate) -> Option<[f64; 2]> {
        estimate.interval(0.95).filter(|_| !self.diagnostics.remembers_start)
    }
}

fn measure(case: &Case, loaded: &Loaded, index: usize, control: &mut Control) -> Result<Measured, ExperimentError> {
    let form = &case.forms[index];
    let plan = form.plan(points::plan(case.setting, loaded, index));
    Measured::take(&form.setting, &case.ladder, &plan, loaded, control)
}

fn findings(case: &Case, loaded: &Loaded, run: Option<&Run>) -> Findings {
    let (claims, verdict) = claims::all(case, loaded, run);
    let diagnostics = run.map(|run| {
        points::together(
            case.forms.iter().zip(&run.points).map(|(form, point)| (form.name.as_str(), &point.diagnostics)),
        )
    });
    let occupancy = equilibrium::occupancy_records(case.setting, &case.ladder, run.map(|run| &run.minibatches));
    let mut findings = document(loaded, case.setting, Some(&case.ladder), occupancy, claims, diagnostics);
    findings.verdict = verdict;
    findings.groups = case
        .forms
        .iter()
        .enumerate()
        .map(|(index, form)| group(case, loaded, form, run.map(|run| &run.points[index])))
        .collect();
    findings.notes.extend(case.notes.iter().cloned());
    findings
}

/// A form of noise as a row.
fn group(case: &Case, loaded: &Loaded, form: &Form, point: Option<&Point>) -> GroupRecord {
    let (scenario, sgd) = (&loaded.scenario, loaded.scenario.sgd);
    let measure = |(quantity, estimate): (&String, &Option<Estimate>)| {
        let estimate = estimate.as_ref()?;
        Some(MeasureRecord {
            quantity: quantity.clone(),
            measured: estimate.value,
            standard_error: estimate.standard_error,
            interval: point?.interval(estimate),
            left_out: None,
        })
    };
    GroupRecord {
        name: form.name.clone(),
        learning_rate: sgd.map_or(f64::NAN, |sgd| sgd.learning_rate),
        batch_size: sgd.map_or(1, |sgd| sgd.batch_size),
        noise_scale: case.setting.noise_scale,
        replicas: scenario.ensemble.replicas,
        steps: form.plan(case.setting.plan(loaded)).steps,
        diverged: point.map(|point| point.diagnostics.diverged),
        diverged_replicas: point.map_or(Vec::new(), |point| point.diagnostics.diverged_replicas.clone()),
        looks: Vec::new(),
        measures: point
            .map_or(Vec::new(), |point| case.quantities.iter().zip(&point.estimates).filter_map(measure).collect()),
    }
}

fn figure(case: &Case, run: &Run) -> NoiseLadderFigure {
    let mut marks = Vec::new();
    for (pair, quantity) in case.quantities.iter().enumerate() {
        let mark =
            |form: &str, is_measured: bool, is_equilibrated: bool, value: f64, [low, high]: [f64; 2]| NoiseLadderMark {
                quantity: quantity.clone(),
                form: form.to_owned(),
                is_measured,
                is_equilibrated,
                value,
                low,
                high,
            };
        let rungs = [Rung::Laplace, Rung::Gibbs].into_iter();
        let predicted =
            rungs.filter_map(|rung| Some(mark(rung.name(), false, true, case.log_odds(rung)?[pair], [f64::NAN; 2])));
        marks.extend(predicted);
        for (form, point) in case.forms.iter().zip(&run.points) {
            let estimate = point.estimates[pair].as_ref();
            let interval = estimate.and_then(|estimate| point.interval(estimate)).unwrap_or([f64::NAN; 2]);
            let value = estimate.map_or(f64::NAN, |estimate| estimate.value);
            marks.push(mark(&form.name, true, point.diagnostics.equilibrated, value, interval));
        }
    }
    NoiseLadderFigure { marks }
}
