//! Is SGD its SDE for small η? |E f(SGD) − E f(SDE)| at a fixed time t and fixed S, with η halved again and again: the slope of its
//! logarithm against ln η is 1 for dθ = −∇L dt + √n B dW, and 2 for the modified equation with drift −∇(L + (η/4)|∇L|²).
//!
//! SGD and both SDEs move on the same Brownian path ([`crate::dynamics::coupled`]), an independent ensemble at every η. Three errors are
//! kept apart: chance (standard errors between replicas, in the claims), the finite step of the integrator (measured with steps twice as
//! long, and a slope that it could move by more than a fifth of ε has no estimate), and the theory's own next order in η (in a bowl known
//! exactly, elsewhere seen as scatter about the line).

mod claims;
mod figure;
mod forecast;
mod measured;
mod question;
mod slope;

pub(super) use forecast::forecast;

use super::records::document;
use super::setting::Setting;
use super::{Control, ExperimentError, Status};
use crate::findings::{FigureData, Findings, WeakErrorPoint, WeakErrorRecord, WeakErrorSlope};
use crate::plain::exact;
use crate::random::derived_seed;
use crate::scenario::Loaded;
use measured::{Measured, OrderError};
use question::{Order, Question};
use slope::{Fit, fit};

/// The setting, of the largest η.
pub(super) fn prepare(loaded: &Loaded) -> Result<Setting, ExperimentError> {
    require_stable(loaded, &Setting::unchecked(loaded)?)?;
    let setting = Setting::from_scenario(loaded)?;
    Question::new(loaded, &setting)?;
    Ok(setting)
}

/// ηh < 2 at every minimum for the largest η, told where that one is typed.
fn require_stable(loaded: &Loaded, setting: &Setting) -> Result<(), ExperimentError> {
    let (rate, sharpest) = (setting.step(), setting.sharpest());
    if rate * sharpest < 2.0 {
        return Ok(());
    }
    let message = format!(
        "found {} as the largest learning rate, which is unstable at a minimum of curvature h = {sharpest:.6e}: ηh = {:.4} is not below 2; \
         take learning rates well below {:.4e}",
        exact(rate),
        rate * sharpest,
        2.0 / sharpest
    );
    Err(loaded.source.problem("weak_error.learning_rates", message).into())
}

/// The slopes that are claimed, and in a bowl the errors themselves.
///
/// # Errors
/// When the scenario does not ask this question.
pub fn predict(loaded: &Loaded, setting: &Setting) -> Result<Findings, ExperimentError> {
    let question = Question::new(loaded, setting)?;
    let claims = claims::predicted(&question);
    let mut findings = document(loaded, setting, None, Vec::new(), claims, None);
    findings.weak_error = Some(record(&question, None));
    Ok(finished(findings, &question))
}

/// The same with the measurement, judged.
///
/// # Errors
/// When the run was stopped, or every replica of a learning rate diverged.
pub fn run(
    loaded: &Loaded,
    setting: &Setting,
    control: &mut Control,
) -> Result<(Findings, FigureData), ExperimentError> {
    let question = Question::new(loaded, setting)?;
    let run = Run::new(&question, measure(&question, control)?);
    let (claims, verdict) = claims::judged(&question, &run);
    let mut findings = document(loaded, setting, None, Vec::new(), claims, None);
    findings.verdict = Some(verdict);
    findings.weak_error = Some(record(&question, Some(&run)));
    findings.notes.extend(run.notes());
    let figures = FigureData { weak_error: Some(figure::data(&question, &run)), ..FigureData::default() };
    Ok((finished(findings, &question), figures))
}

/// One ensemble per η, under one progress line.
fn measure(question: &Question, control: &mut Control) -> Result<Vec<Measured>, ExperimentError> {
    let steps: Vec<u64> = question.spec.learning_rates.iter().map(|&rate| question.spec.steps(rate)).collect();
    let (in_all, stop) = (steps.iter().sum(), control.stop);
    let mut before = 0;
    let mut results = Vec::with_capacity(steps.len());
    for (index, of_this) in steps.into_iter().enumerate() {
        let seed = derived_seed(question.loaded.scenario.seed, index as u64);
        let mut monitor = |status: &Status| {
            (control.monitor)(&Status { steps_done: before + status.steps_done, steps_in_all: in_all, ..*status });
        };
        let replicas = question.loaded.scenario.ensemble.replicas;
        results.push(Measured::take(question, index, replicas, seed, &mut Control { monitor: &mut monitor, stop })?);
        before += of_this;
    }
    Ok(results)
}

/// The ensembles of all learning rates, and the line through each kind of error.
struct Run {
    points: Vec<Measured>,
    /// Observable by observable, either order.
    fits: Vec<[Result<Fit, String>; 2]>,
}

impl Run {
    fn new(question: &Question, points: Vec<Measured>) -> Self {
        let of = |observable: usize, order: Order| {
            let errors: Vec<&OrderError> = points.iter().map(|point| point.error(observable, order)).collect();
            fit(&question.spec.learning_rates, &errors, order.tolerance(&question.spec))
        };
        let fits = (0..question.observables.len()).map(|index| Order::BOTH.map(|order| of(index, order))).collect();
        Self { points, fits }
    }

    fn diverged(&self) -> usize {
        self.points.iter().map(|point| point.diverged).sum()
    }

    fn fit(&self, observable: usize, order: Order) -> &Result<Fit, String> {
        &self.fits[observable][order.index()]
    }

    fn notes(&self) -> Vec<String> {
        let diverged = self.diverged();
        let told = (diverged > 0).then(|| {
            format!(
                "{diverged} replicas diverged (SGD, one of its SDEs, or f where they were), over all learning rates; the means are of the \
                 others"
            )
        });
        told.into_iter().collect()
    }
}

fn record(question: &Question, run: Option<&Run>) -> WeakErrorRecord {
    let spec = &question.spec;
    let mut record =
        WeakErrorRecord { time: spec.time, substeps: spec.substeps, errors: Vec::new(), slopes: Vec::new() };
    for (observable, name) in spec.observables.iter().enumerate() {
        for order in Order::BOTH {
            for (index, &learning_rate) in spec.learning_rates.iter().enumerate() {
                let error = run.map(|run| run.points[index].error(observable, order));
                let measured = error.and_then(|error| error.error.as_ref());
                let integrator = error.and_then(|error| error.integrator.as_ref());
                record.errors.push(WeakErrorPoint {
                    order: order.number(),
                    observable: name.clone(),
                    learning_rate,
                    steps: spec.steps(learning_rate),
                    exact: question.exact(index, observable, order),
                    measured: measured.map(|estimate| estimate.value),
                    standard_error: measured.map(|estimate| estimate.standard_error),
                    interval: measured.and_then(|estimate| estimate.interval(0.95)),
                    integrator: integrator.map(|estimate| estimate.value),
                    integrator_standard_error: integrator.map(|estimate| estimate.standard_error),
                    diverged: run.map(|run| run.points[index].diverged as u64),
                });
            }
            let fit = run.and_then(|run| run.fit(observable, order).as_ref().ok());
            record.slopes.extend(fit.map(|fit| WeakErrorSlope {
                order: order.number(),
                observable: name.clone(),
                slope: fit.line.slope.value,
                standard_error: fit.line.slope.standard_error,
                intercept: fit.line.intercept.value,
                exact: fit.exact_slope(&exact_errors(question, observable, order)),
                integrator: fit.integrator,
                chi_square: fit.line.chi_square,
                chi_square_p_value: fit.line.p_value,
            }));
        }
    }
    record
}

/// At every η, where they are known.
fn exact_errors(question: &Question, observable: usize, order: Order) -> Vec<f64> {
    (0..question.spec.learning_rates.len()).filter_map(|index| question.exact(index, observable, order)).collect()
}

/// What every document of this question says beside its numbers.
fn finished(mut findings: Findings, question: &Question) -> Findings {
    // Nothing is looked at before the time is over.
    findings.scenario.ensemble.observe_every = None;
    if !question.has_exact() {
        findings.notes.push(
            "errors in closed form exist in a bowl with additive noise, for an f of at most second degree; here the slopes alone are predicted"
                .into(),
        );
    }
    findings
}
