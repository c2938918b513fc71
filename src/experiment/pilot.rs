//! A pilot run: how long must the main run be to reach a wanted standard error?
//!
//! The pilot has random streams of its own, starts and burns in like the main run, and its data are thrown away. Its
//! length doubles until every replica has run about twenty correlation times ([`ENOUGH`]), from where SE² falls as 1/T to
//! within 5 %, and then once more; but not beyond a tenth of `ensemble.steps`. Once more, because replicas that happen to agree
//! seem to have run long enough too early: a length at which they were found to agree is no place to read their spread. How well R replicas know their own variance is a matter of R, which
//! no length changes: it goes into the plan as a safety factor ([`crate::statistics::planning`]).

use serde::{Deserialize, Serialize};

use super::setting::Setting;
use super::{Control, ExperimentError, Status};
use crate::ensemble::checkpoint::Resumable;
use crate::ensemble::{Plan, Progress, Run};
use crate::random::derived_seed;
use crate::statistics::planning::{SAFETY_CONFIDENCE, steps_for, variance_safety};
use crate::statistics::{Equilibration, Estimate};

/// The part of `ensemble.steps` that the pilot takes at most.
const LARGEST_SHARE: u64 = 10;
/// The pilot begins with this part of the longest.
const FIRST_SHARE: u64 = 64;
/// … but with as many looks at least, so that there is something to diagnose.
const FEWEST_LOOKS: u64 = 64;
/// Effective draws that each replica must have taken: T ≈ 2τ·ESS, and SE² is short of its 1/T law by τ/T.
pub(super) const ENOUGH: f64 = 10.0;
/// The pilot's index among the seeds derived from the scenario's: far from those of the parts of an experiment.
const SEED_INDEX: u64 = 0x0050_494C_4F54;

/// The running estimate for the progress line: name, value and error.
type Estimator<O> = dyn Fn(&[&O]) -> Option<(String, f64, f64)>;
/// Reads a run.
type Reader<'a, O> = dyn Fn(&Plan, &Run<O>) -> Result<Reading, ExperimentError> + 'a;

/// What a pilot needs to know of its experiment.
pub(super) struct Pilot<'a, O> {
    /// Writes where a replica starts, by the seed.
    pub start: &'a (dyn Fn(u64, u64, &mut [f64]) + Sync),
    /// Makes the observer of a block.
    pub observer: &'a (dyn Fn(u64, usize) -> O + Sync),
    /// The running estimate, for the progress line.
    pub estimate: &'a Estimator<O>,
    /// Reads a run.
    pub read: &'a Reader<'a, O>,
}

/// What a pilot shows.
pub(super) struct Reading {
    /// The contrast of the primary claim with the largest standard error; `None` where one has no estimate yet.
    pub worst: Option<(String, Estimate)>,
    /// Effective draws per replica, at their fewest.
    pub draws: f64,
}

impl Reading {
    /// The worst of the primary claim's contrasts, each with its estimate if there is one.
    pub fn new(
        contrasts: impl Iterator<Item = (String, Option<Estimate>)>,
        equilibration: &Equilibration,
        followed: usize,
    ) -> Self {
        let estimates: Option<Vec<(String, Estimate)>> =
            contrasts.map(|(label, estimate)| Some((label, estimate.filter(|e| !e.has_no_spread())?))).collect();
        let groups = equilibration.effective_sample_size.len() as f64;
        Self {
            worst: estimates
                .unwrap_or_default()
                .into_iter()
                .max_by(|a, b| a.1.standard_error.total_cmp(&b.1.standard_error)),
            draws: equilibration.minimum_effective_sample_size.unwrap_or(0.0) * groups / followed.max(1) as f64,
        }
    }
}

/// The length of the main run, and how it was found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Planned {
    /// Measured steps per replica of the main run.
    pub steps: u64,
    /// Measured steps per replica of the pilot.
    pub pilot_steps: u64,
    /// Steps per replica that the pilot took, burn-in included.
    pub steps_run: u64,
    /// In words.
    pub note: String,
}

/// Runs the pilot of a main run planned as `plan`, whose steps are the most that may be, and plans for `target`.
pub(super) fn plan<O: Resumable>(
    target: f64,
    plan: &Plan,
    setting: &Setting,
    pilot: &Pilot<O>,
    control: &mut Control,
) -> Result<Planned, ExperimentError> {
    let most = (plan.looks() / LARGEST_SHARE).max(1);
    let trial = Plan { seed: derived_seed(plan.seed, SEED_INDEX), steps: most * plan.observe_every, ..*plan };
    let start = |replica: u64, point: &mut [f64]| (pilot.start)(trial.seed, replica, point);
    let mut run = Run::begin(setting.dynamics.as_ref(), &trial, &start, pilot.observer);
    let mut was_enough = false;
    let mut next = (most / FIRST_SHARE).max(FEWEST_LOOKS).min(most);
    loop {
        let looks_before = run.looks();
        let before = if looks_before == 0 { 0 } else { trial.burn_in + looks_before * trial.observe_every };
        let mut monitor = |progress: &Progress<O>| {
            let estimate =
                || (pilot.estimate)(progress.observers).map(|(name, x, error)| (format!("pilot: {name}"), x, error));
            (control.monitor)(&Status {
                steps_done: before + progress.steps_done,
                steps_in_all: before + progress.steps_in_all,
                estimate: &estimate,
            });
        };
        run.advance(setting.dynamics.as_ref(), next, &mut monitor, control.stop)?;
        let reading = (pilot.read)(&trial, &run)?;
        let enough = reading.worst.is_some() && reading.draws >= ENOUGH;
        if (enough && was_enough) || run.looks() >= most {
            return Ok(Planned::new(target, plan, run.looks() * plan.observe_every, &reading, enough));
        }
        was_enough |= enough;
        next = run.looks().min(most - run.looks());
    }
}

impl Planned {
    fn new(target: f64, plan: &Plan, pilot_steps: u64, reading: &Reading, enough: bool) -> Self {
        let whole = |steps: u64| Self {
            steps,
            pilot_steps,
            steps_run: plan.burn_in + pilot_steps,
            note: format!(
                "ensemble.target_standard_error = {target}: a pilot of {pilot_steps} steps per replica, with random numbers of \
                 its own and its data discarded, "
            ),
        };
        let wanted = reading.worst.as_ref().filter(|_| enough).and_then(|(label, estimate)| {
            let freedom = estimate.degrees_of_freedom;
            let steps = steps_for(target, pilot_steps as f64, estimate.standard_error, freedom)?;
            Some((label, estimate, steps, variance_safety(freedom)?))
        });
        let Some((label, estimate, wanted, safety)) = wanted else {
            let mut planned = whole(plan.steps);
            planned.note += &format!(
                "was too short to plan by ({:.1} effective draws per replica where {ENOUGH} are asked for, or a contrast \
                 without an estimate): all of ensemble.steps = {} are run",
                reading.draws, plan.steps
            );
            return planned;
        };
        // Not shorter than the pilot, which had to be as long to be read; up to whole looks.
        let looks = (wanted / plan.observe_every as f64).ceil().max((pilot_steps / plan.observe_every) as f64);
        let steps = (looks * plan.observe_every as f64).min(plan.steps as f64) as u64;
        let mut planned = whole(steps);
        planned.note += &format!(
            "gave {label} a standard error of {:.4}; T·(SE/target)²·{safety:.3} = {wanted:.0} steps, where {safety:.3} allows for \
             what {} degrees of freedom do not know of the error ({:.0} % confidence)",
            estimate.standard_error,
            estimate.degrees_of_freedom,
            100.0 * SAFETY_CONFIDENCE
        );
        if wanted > plan.steps as f64 {
            let expected = estimate.standard_error * (pilot_steps as f64 / plan.steps as f64).sqrt();
            planned.note += &format!(
                ". That is more than ensemble.steps = {}, the limit, which is run instead: a standard error of about \
                 {expected:.4} is to be expected",
                plan.steps
            );
        } else {
            planned.note += &format!(": {steps} steps were planned before the main run began");
        }
        planned
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::dynamics::euler_maruyama::EulerMaruyama;
    use crate::ensemble::moments::Moments;
    use crate::loss::Loss;
    use crate::loss::closure::Closure;
    use crate::noise::isotropic::Isotropic;

    const PLAN: Plan = Plan { replicas: 32, burn_in: 10, steps: 64_000, observe_every: 2, seed: 7 };

    /// The plan for a target when the pilot reads what `read` makes of the looks so far, and the seeds it started from.
    fn planned(target: f64, read: impl Fn(f64) -> Reading) -> (Planned, Vec<u64>, Vec<u64>) {
        let loss: Arc<dyn Loss> = Arc::new(Closure::new(1, |x| 0.5 * x[0] * x[0], |x, gradient| gradient[0] = x[0]));
        let noise = Arc::new(Isotropic::new(1, 1.0));
        let dynamics = Arc::new(EulerMaruyama::new(loss.clone(), noise.clone(), 0.1, 0.1));
        let setting = Setting::new(loss, noise, dynamics, 0.1, &[[-1.0, 1.0]]).unwrap();
        let (seeds, lengths) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
        let pilot = Pilot {
            start: &|seed, _, point| {
                seeds.lock().unwrap().push(seed);
                point.fill(0.0);
            },
            observer: &|_, _| Moments::new(1),
            estimate: &|_| None,
            read: &|_, run| {
                lengths.lock().unwrap().push(run.looks());
                Ok(read(run.looks() as f64))
            },
        };
        let control = &mut Control { monitor: &mut |_| (), stop: &AtomicBool::new(false) };
        let planned = plan(target, &PLAN, &setting, &pilot, control).unwrap();
        (planned, seeds.into_inner().unwrap(), lengths.into_inner().unwrap())
    }

    /// SE² = 1/looks, an effective draw for every 20 looks.
    fn ideal(looks: f64) -> Reading {
        let standard_error = 1.0 / looks.sqrt();
        let estimate = Estimate { value: 0.0, standard_error, degrees_of_freedom: 31.0 };
        Reading { worst: Some(("x".into(), estimate)), draws: looks / 20.0 }
    }

    #[test]
    fn the_pilot_has_a_seed_of_its_own_and_doubles_until_it_is_long_enough_and_once_more() {
        let (planned, seeds, lengths) = planned(0.02, ideal);
        assert!(!seeds.is_empty() && seeds.iter().all(|&seed| seed == derived_seed(7, SEED_INDEX) && seed != 7));
        // 200 looks are ten draws; 64, 128, 256 and once more.
        assert_eq!(lengths, [64, 128, 256, 512]);
        assert_eq!((planned.pilot_steps, planned.steps_run), (1_024, 1_034));
        // 1/0.02² = 2,500 looks, times ν/χ²_ν(0.1) for 31 degrees of freedom.
        let looks = (2_500.0 * variance_safety(31.0).unwrap()).ceil() as u64;
        assert_eq!(planned.steps, 2 * looks);
    }

    #[test]
    fn what_the_pilot_cannot_plan_is_the_whole_length_and_told() {
        let (unreachable, _, _) = planned(0.001, ideal);
        assert_eq!(unreachable.steps, PLAN.steps);
        assert!(
            unreachable.note.contains("the limit") && unreachable.note.contains("about 0.005"),
            "{}",
            unreachable.note
        );
        // A tenth of the steps at most, whatever it reads.
        for reading in
            [|looks: f64| Reading { draws: 1.0, ..ideal(looks) }, |looks: f64| Reading { worst: None, ..ideal(looks) }]
        {
            let (blind, _, lengths) = planned(0.02, reading);
            assert_eq!((blind.steps, blind.pilot_steps, lengths.last()), (PLAN.steps, 6_400, Some(&3_200)));
            assert!(blind.note.contains("too short to plan by"), "{}", blind.note);
        }
        // No shorter than the pilot had to be.
        let (easy, _, _) = planned(1.0, ideal);
        assert_eq!((easy.steps, easy.pilot_steps), (1_024, 1_024));
    }

    #[test]
    fn the_worst_contrast_counts_and_one_without_an_estimate_is_none() {
        let estimate = |standard_error| Some(Estimate { value: 0.0, standard_error, degrees_of_freedom: 9.0 });
        let equilibration = Equilibration { minimum_effective_sample_size: Some(300.0), ..Equilibration::default() };
        let read = |errors: Vec<Option<Estimate>>| {
            let contrasts = errors.into_iter().enumerate().map(|(index, error)| (index.to_string(), error));
            Reading::new(contrasts, &equilibration, 10).worst.map(|(label, _)| label)
        };
        assert_eq!(read(vec![estimate(0.1), estimate(0.3), estimate(0.2)]), Some("1".into()));
        assert_eq!(read(vec![estimate(0.1), None]), None);
        assert_eq!(read(vec![estimate(0.1), estimate(0.0)]), None);
        assert_eq!(read(vec![]), None);
    }
}
