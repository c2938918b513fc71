//! More effort on demand: a run that is planned by a pilot, or that goes on from where an earlier one ended.
//!
//! An experiment that can do this asks its [`Effort`] for the plan and for the ensemble instead of calling
//! [`crate::ensemble::run`], judges at [`Effort::look`], and hands the finished run back with [`Effort::keep`]; then it
//! gets its arm in [`super::run_from`]. What is left of an UNDETERMINED run is a [`State`].

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::pilot::{self, Pilot, Planned};
use super::setting::Setting;
use super::state::{Earlier, Header, Keep, State};
use super::{Control, ExperimentError};
use crate::dynamics::Dynamics;
use crate::ensemble::checkpoint::{Misfit, Resumable, SavedRun};
use crate::ensemble::histogram::Histogram;
use crate::ensemble::{Plan, Progress, Run};
use crate::findings::Findings;
use crate::random::STREAM_VERSION;
use crate::scenario::Loaded;
use crate::statistics::looks::percent;
use crate::statistics::{Look, Verdict};

/// How much a run simulates, from where, and what it leaves.
#[derive(Default)]
pub struct Effort {
    look: Look,
    earlier: Option<Earlier>,
    planned: Option<Planned>,
    /// Measured steps per replica before this look.
    steps_before: u64,
    /// Measured steps per replica of this look.
    steps: u64,
    kept: Option<Box<dyn Keep>>,
}

impl From<Option<Earlier>> for Effort {
    fn from(earlier: Option<Earlier>) -> Self {
        let Some(earlier) = earlier else { return Self::default() };
        let Header { look, steps, .. } = earlier.header;
        Self {
            look: look.next().unwrap_or(look),
            steps_before: steps,
            planned: earlier.header.planned.clone(),
            earlier: Some(earlier),
            ..Self::default()
        }
    }
}

impl Effort {
    /// Which look at the run this is.
    pub fn look(&self) -> Look {
        self.look
    }

    /// The plan of this look: the scenario's, shortened by a pilot where the scenario gives a standard error to reach.
    pub(super) fn plan<O: Resumable>(
        &mut self,
        loaded: &Loaded,
        setting: &Setting,
        pilot: &Pilot<O>,
        control: &mut Control,
    ) -> Result<Plan, ExperimentError> {
        let plan = setting.plan(loaded);
        if let (Some(target), None) = (loaded.scenario.ensemble.target_standard_error, &self.planned) {
            self.planned = Some(pilot::plan(target, &plan, setting, pilot, control)?);
        }
        Ok(self.planned.as_ref().map_or(plan, |planned| Plan { steps: planned.steps, ..plan }))
    }

    /// Runs the ensemble of this look: from the start, or on from the earlier one. `shared` is the table that observers
    /// of all blocks count into, if they do.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn advance<O: Resumable>(
        &mut self,
        dynamics: &dyn Dynamics,
        plan: &Plan,
        start: &(dyn Fn(u64, &mut [f64]) + Sync),
        observer: &(dyn Fn(u64, usize) -> O + Sync),
        shared: Option<&Histogram>,
        monitor: &mut dyn FnMut(&Progress<O>),
        stop: &AtomicBool,
    ) -> Result<Run<O>, ExperimentError> {
        let mut run = match self.earlier.take() {
            None => Run::begin(dynamics, plan, start, observer),
            Some(earlier) => {
                let (saved, counts): (SavedRun<O::State>, Option<Vec<u64>>) = earlier.body()?;
                if !shared.zip(counts.as_ref()).is_none_or(|(histogram, counts)| histogram.add(counts)) {
                    return Err(Misfit("histogram").into());
                }
                Run::resume(dynamics, plan, observer, saved)?
            }
        };
        let before =
            if self.look == Look::FIRST { self.planned.as_ref().map_or(0, |planned| planned.steps_run) } else { 0 };
        let mut after_pilot = |progress: &Progress<O>| {
            monitor(&Progress {
                steps_done: before + progress.steps_done,
                steps_in_all: before + progress.steps_in_all,
                observers: progress.observers,
            });
        };
        run.advance(dynamics, plan.looks(), &mut after_pilot, stop)?;
        self.steps = plan.looks() * plan.observe_every;
        Ok(run)
    }

    /// Keeps what the next look would go on from.
    pub(super) fn keep<O: Resumable + 'static>(&mut self, run: Run<O>, shared: Option<Arc<Histogram>>) {
        self.kept = Some(Box::new((run, shared)));
    }

    /// What a reader must know of how the run came about.
    pub(super) fn tell(&self, findings: &mut Findings) {
        let steps = self.steps_before + self.steps;
        if let Some(diagnostics) = &mut findings.diagnostics {
            diagnostics.looks = self.look;
            diagnostics.steps = steps;
            diagnostics.planned_steps = self.planned.as_ref().map(|planned| planned.steps);
            diagnostics.pilot_steps = self.planned.as_ref().map(|planned| planned.pilot_steps);
        }
        findings.notes.extend(self.planned.as_ref().map(|planned| planned.note.clone()));
        if self.look > Look::FIRST {
            findings.notes.push(look_note(self.look, steps));
        }
    }

    /// Keeps no state: no number of steps settles a question about a law that there is not.
    pub(super) fn give_up(&mut self) {
        self.kept = None;
    }

    /// The state of an UNDETERMINED run that more steps could settle: the others are answered, and another look would only spoil
    /// the error rate.
    pub(super) fn into_state(self, findings: &Findings) -> Option<State> {
        // Averages over survivors are biased, however many more steps they take.
        let diverged = findings.diagnostics.as_ref().is_some_and(|diagnostics| diagnostics.diverged > 0);
        let may_go_on = findings.verdict == Some(Verdict::Undetermined) && !diverged;
        let body = self.kept.filter(|_| may_go_on)?;
        let header = Header {
            version: findings.program.version.clone(),
            stream: STREAM_VERSION,
            scenario: Header::scenario_text(&findings.scenario),
            look: self.look,
            steps: self.steps_before + self.steps,
            planned: self.planned,
        };
        Some(State { header, body })
    }
}

fn look_note(look: Look, steps: u64) -> String {
    let k = look.number();
    format!(
        "look {k} at one run: an UNDETERMINED result was continued {} time(s), to {steps} measured steps per replica in all. \
         So that looking again does not make a false verdict likelier than twice the declared rate, this look is judged at \
         1/{} of that rate: HOLDS by {} % intervals, REJECTED by {} %. Intervals shown are nominal; where runs \
         end by their verdicts, a nominal 95 % interval covers, at a true difference of about ±ε, 92 % after two looks, 89 % after four and 87 % \
         after twenty, elsewhere up to 98 %",
        k - 1,
        1u64 << (k - 1),
        percent(look.holds_level()),
        percent(look.rejected_level()),
    )
}
