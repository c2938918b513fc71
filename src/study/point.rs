//! One point of a study: a scenario becomes a row.

use std::sync::atomic::AtomicBool;

use crate::ensemble::{self, Fate, Interrupted, Observer, Progress, View};
use crate::experiment::{self, ExperimentError, fastest, setting::Setting};
use crate::findings::{Findings, Outlook, PointClaim, StudyPoint};
use crate::input::Problems;
use crate::math;
use crate::scenario::{ExperimentKind, Loaded, Points};
use crate::statistics::Verdict;

/// The name of the claim that an unstable point makes.
pub(super) const DIVERGENCE: &str = "divergence";
/// A predicted divergence holds where the share of replicas that diverge is above 1 − this, at 95 % confidence.
const DIVERGENCE_TOLERANCE: f64 = 0.1;

/// As that of an experiment; the monitor is told the number of replicas as well.
pub(super) struct Control<'a> {
    pub(super) monitor: &'a mut dyn FnMut(&experiment::Status, u64),
    pub(super) stop: &'a AtomicBool,
}

/// What a point allows.
pub(super) enum Prepared {
    Ready(experiment::Prepared),
    /// δh ≥ 2 at a minimum: what the refusal of a single run says.
    Unstable(Box<Setting>, String),
}

pub(super) fn prepare(loaded: &Loaded) -> Result<Prepared, String> {
    if let ExperimentKind::Training(_) = loaded.scenario.experiment {
        return experiment::prepare(loaded).map(Prepared::Ready).map_err(|error| reason(&error));
    }
    let bare = Setting::unchecked(loaded).map_err(|problems| in_words(&problems))?;
    if let Err(problem) = bare.require_stable(loaded) {
        return Ok(Prepared::Unstable(Box::new(bare), problem.message));
    }
    let prepared = experiment::prepare(loaded).map_err(|error| reason(&error))?;
    Ok(Prepared::Ready(prepared.brief()))
}

/// Measures a point.
///
/// # Errors
/// When it was told to stop. Whatever else keeps a point from being run becomes its reason.
pub(super) fn run(points: &Points, index: u64, control: &mut Control) -> Result<StudyPoint, Interrupted> {
    let (mut row, loaded) = begin(points, index);
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(why) => return Ok(not_run(row, why)),
    };
    let replicas = loaded.scenario.ensemble.replicas;
    let prepared = match prepare(&loaded) {
        Ok(Prepared::Ready(prepared)) => prepared,
        Ok(Prepared::Unstable(setting, why)) => {
            row.temperature = setting.temperature();
            diverging(&setting, &loaded, why, &mut row, control)?;
            return Ok(row);
        }
        Err(why) => return Ok(not_run(row, why)),
    };
    row.temperature = prepared.temperature();
    let mut monitor = |status: &experiment::Status| (control.monitor)(status, replicas);
    let result =
        experiment::run(&loaded, &prepared, &mut experiment::Control { monitor: &mut monitor, stop: control.stop });
    match result {
        Ok((findings, _)) => Ok(filled(row, &findings)),
        Err(ExperimentError::Interrupted(interrupted)) => Err(interrupted),
        Err(error) => {
            if let ExperimentError::AllDiverged { replicas, .. } = error {
                row.predicted = Some(Outlook::Stationary);
                row.diverged = Some(replicas);
            }
            Ok(not_run(row, reason(&error)))
        }
    }
}

/// The theory of a point alone.
pub(super) fn predict(points: &Points, index: u64) -> StudyPoint {
    let (mut row, loaded) = begin(points, index);
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(why) => return StudyPoint { verdict: None, ..not_run(row, why) },
    };
    let predicted = match prepare(&loaded) {
        Ok(Prepared::Ready(prepared)) => {
            row.temperature = prepared.temperature();
            experiment::predict(&loaded, &prepared).map_err(|error| reason(&error))
        }
        Ok(Prepared::Unstable(setting, why)) => {
            let claims = vec![divergence(None, None)];
            return StudyPoint { temperature: setting.temperature(), ..unstable(row, why, claims) };
        }
        Err(why) => Err(why),
    };
    match predicted {
        Ok(findings) => filled(row, &findings),
        Err(why) => StudyPoint { verdict: None, ..not_run(row, why) },
    }
}

/// The claims of a point as its theory states them, for their words.
pub(super) fn claims(points: &Points, index: u64) -> Vec<crate::findings::ClaimRecord> {
    let Ok(loaded) = scenario_of(points, index) else { return Vec::new() };
    match prepare(&loaded) {
        Ok(Prepared::Ready(prepared)) => {
            experiment::predict(&loaded, &prepared).map_or(Vec::new(), |findings| findings.claims)
        }
        _ => Vec::new(),
    }
}

/// The scenario of a point, with its scheme where that is to be the fastest.
///
/// # Errors
/// When it is none, or no scheme is known to be near enough to the SDE.
pub(super) fn scenario_of(points: &Points, index: u64) -> Result<Loaded, Problems> {
    points.get(index).and_then(fastest::settle)
}

/// The row of a point before anything is known, and its scenario; why it is none, which reading has ruled out.
fn begin(points: &Points, index: u64) -> (StudyPoint, Result<Loaded, String>) {
    let loaded = points.get(index).map_err(|problems| in_words(&problems));
    let row = StudyPoint {
        index,
        values: points.spec().values(index),
        seed: loaded.as_ref().map_or(0, |loaded| loaded.scenario.seed),
        noise_scale: loaded.as_ref().ok().and_then(|loaded| loaded.scenario.noise_scale()),
        temperature: None,
        predicted: None,
        verdict: None,
        equilibrated: None,
        transitions: None,
        diverged: None,
        reason: String::new(),
        claims: Vec::new(),
    };
    (row, loaded.and_then(|loaded| fastest::settle(loaded).map_err(|problems| in_words(&problems))))
}

fn filled(row: StudyPoint, findings: &Findings) -> StudyPoint {
    let diagnostics = findings.diagnostics.as_ref();
    StudyPoint {
        predicted: Some(Outlook::Stationary),
        verdict: findings.verdict,
        equilibrated: diagnostics.map(|diagnostics| diagnostics.equilibrated),
        transitions: diagnostics.map(|diagnostics| diagnostics.transitions),
        diverged: diagnostics.map(|diagnostics| diagnostics.diverged),
        reason: open_question(findings),
        claims: findings.claims.iter().map(PointClaim::from).collect(),
        ..row
    }
}

/// Why the first primary claim that does not hold does not.
fn open_question(findings: &Findings) -> String {
    let mut open = findings.claims.iter().filter(|claim| claim.primary && claim.verdict.is_some());
    open.find(|claim| claim.verdict != Some(Verdict::Holds)).map_or(String::new(), |claim| claim.reason.clone())
}

/// A point without a result counts as undetermined.
fn not_run(row: StudyPoint, reason: String) -> StudyPoint {
    StudyPoint { verdict: Some(Verdict::Undetermined), reason, ..row }
}

fn unstable(row: StudyPoint, reason: String, claims: Vec<PointClaim>) -> StudyPoint {
    StudyPoint { predicted: Some(Outlook::Diverges), reason, claims, ..row }
}

/// Watches whether trajectories with an unstable step diverge, as predicted.
fn diverging(
    setting: &Setting,
    loaded: &Loaded,
    why: String,
    row: &mut StudyPoint,
    control: &mut Control,
) -> Result<(), Interrupted> {
    let plan = setting.plan(loaded);
    let start = &loaded.scenario.ensemble.start;
    let place = |replica: u64, point: &mut [f64]| setting.start(start, plan.seed, replica, point);
    let mut monitor = |progress: &Progress<Nothing>| {
        let (steps_done, steps_in_all) = (progress.steps_done, progress.steps_in_all);
        (control.monitor)(&experiment::Status { steps_done, steps_in_all, estimate: &|| None }, plan.replicas);
    };
    let observer = |_: u64, _: usize| Nothing;
    let outcome = ensemble::run(setting.dynamics.as_ref(), &plan, &place, &observer, &mut monitor, control.stop)?;
    let steps = outcome.fates.iter().filter_map(|fate| match fate {
        Fate::Diverged { step } => Some(*step),
        Fate::Finished => None,
    });
    let (diverged, last) = steps.fold((0, 0), |(count, last), step| (count + 1, last.max(step)));
    let replicas = plan.replicas;
    // Exact binomial bound: if all R of R diverged, p > 0.05^(1/R) at 95 %.
    let bound = if diverged == replicas { math::exp(math::ln(0.05) / replicas as f64) } else { 0.0 };
    let (verdict, seen) = if bound > 1.0 - DIVERGENCE_TOLERANCE {
        (Verdict::Holds, format!("predicted to diverge, and all {replicas} replicas did, by step {last}"))
    } else if diverged == replicas {
        (
            Verdict::Undetermined,
            format!("predicted to diverge, and all {replicas} replicas did; at least 29 are needed to tell"),
        )
    } else {
        let seen = format!("predicted to diverge, yet {diverged} of {replicas} replicas did in this run");
        (Verdict::Undetermined, format!("{seen}: it is too short, or other wells hold the rest"))
    };
    let share = diverged as f64 / replicas as f64;
    let claims = vec![divergence(Some(share), Some(verdict))];
    let row_before = row.clone();
    *row = StudyPoint {
        verdict: Some(verdict),
        diverged: Some(diverged),
        ..unstable(row_before, format!("{seen}: {why}"), claims)
    };
    Ok(())
}

fn divergence(measured: Option<f64>, verdict: Option<Verdict>) -> PointClaim {
    PointClaim {
        id: DIVERGENCE.into(),
        primary: true,
        quantity: "fraction of replicas that diverged".into(),
        predicted: Some(1.0),
        measured,
        standard_error: None,
        tolerance: DIVERGENCE_TOLERANCE,
        verdict,
        rejection_p_value: None,
        contrasts: Vec::new(),
    }
}

/// Only the fates are asked for.
struct Nothing;

impl Observer for Nothing {
    fn observe(&mut self, _: &mut View) {}

    fn end_stretch(&mut self, _: u64) {}
}

pub(super) fn reason(error: &ExperimentError) -> String {
    match error {
        ExperimentError::Input(problems) => in_words(problems),
        error => one_line(&error.to_string()),
    }
}

/// What is wrong, without the places: they are those of a document that nobody wrote.
pub(super) fn in_words(problems: &Problems) -> String {
    let messages: Vec<String> = problems.0.iter().map(|problem| one_line(&problem.message)).collect();
    messages.join("; ")
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}
