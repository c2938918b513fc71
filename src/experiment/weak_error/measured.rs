//! The ensemble at one learning rate: SGD and its SDEs side by side, replica by replica.

use super::question::{Order, Question};
use crate::dynamics::coupled::{Coupled, MEMBERS};
use crate::ensemble::{Fate, Observer, Plan, Run, View};
use crate::experiment::records::all_diverged;
use crate::experiment::{Control, ExperimentError, Status};
use crate::loss::Loss;
use crate::statistics::Estimate;

/// A trajectory is asked whether it has diverged at most so often; each time is as well a move of the progress line.
const MOST_LOOKS: u64 = 50;

/// One error, with what the integrator has to do with it; `None` where there is no error bar.
pub(super) struct OrderError {
    /// E f(SGD) − E f(SDE), the difference taken within each replica.
    pub(super) error: Option<Estimate>,
    /// How far the integrator's step δ puts E f(SDE) off: a third of what 2δ adds.
    pub(super) integrator: Option<Estimate>,
}

/// What is known at one learning rate.
pub(super) struct Measured {
    /// By observable and order.
    errors: Vec<[OrderError; 2]>,
    /// Replicas that have no f.
    pub(super) diverged: usize,
}

/// Nothing is seen on the way: what counts is where the trajectories are in the end.
struct Unwatched;

impl Observer for Unwatched {
    fn observe(&mut self, _view: &mut View) {}
    fn end_stretch(&mut self, _looks: u64) {}
}

/// f(SGD) − f(SDE) and (f at δ − f at 2δ)/−3 of the replicas from one start, for one observable and order.
#[derive(Clone, Default)]
struct Differences {
    error: Vec<f64>,
    integrator: Vec<f64>,
}

impl Measured {
    /// Runs `replicas` replicas to the time, at the learning rate of this index.
    ///
    /// # Errors
    /// When the run was stopped, or every replica diverged.
    pub(super) fn take(
        question: &Question,
        index: usize,
        replicas: u64,
        seed: u64,
        control: &mut Control,
    ) -> Result<Self, ExperimentError> {
        let (setting, rate) = (question.setting, question.spec.learning_rates[index]);
        let substeps = question.spec.substeps as usize;
        let dynamics = Coupled::new(&setting.loss, &setting.noise, rate, question.batch_size, substeps);
        let steps = question.spec.steps(rate);
        // All of the time is run: the looks are a whole number of steps apart.
        let observe_every = (steps.div_ceil(MOST_LOOKS)..=steps).find(|every| steps.is_multiple_of(*every));
        let plan = Plan { replicas, burn_in: 0, steps, observe_every: observe_every.unwrap_or(steps), seed };
        let start = |replica: u64, point: &mut [f64]| {
            let from = &question.starts[start_of(question, replica)];
            point.chunks_exact_mut(from.len()).for_each(|member| member.copy_from_slice(from));
        };
        let mut run = Run::begin(&dynamics, &plan, &start, &|_, _| Unwatched);
        let mut monitor = |progress: &crate::ensemble::Progress<Unwatched>| {
            let (steps_done, steps_in_all) = (progress.steps_done, progress.steps_in_all);
            (control.monitor)(&Status { steps_done, steps_in_all, estimate: &|| None });
        };
        run.advance(&dynamics, plan.looks(), &mut monitor, control.stop)?;
        Self::of(question, &run, replicas, rate)
    }

    fn of(question: &Question, run: &Run<Unwatched>, replicas: u64, rate: f64) -> Result<Self, ExperimentError> {
        let d = question.dimension();
        let of_start = vec![[Differences::default(), Differences::default()]; question.observables.len()];
        let mut starts = vec![of_start; question.starts.len()];
        let fates = run.fates();
        let mut place = vec![0.0; MEMBERS * d];
        let mut values = vec![[0.0; MEMBERS]; question.observables.len()];
        let mut diverged = 0;
        // In the order of the replicas, whatever thread moved them.
        for replica in 0..replicas {
            run.point(replica, &mut place);
            for (values, f) in values.iter_mut().zip(&question.observables) {
                values.iter_mut().zip(place.chunks_exact(d)).for_each(|(value, theta)| *value = f.value(theta));
            }
            let is_finite = values.iter().flatten().all(|value| value.is_finite());
            if fates[replica as usize] != Fate::Finished || !is_finite {
                diverged += 1;
                continue;
            }
            for (differences, values) in starts[start_of(question, replica)].iter_mut().zip(&values) {
                let [sgd, first, second, first_coarse, second_coarse] = *values;
                differences[0].add(sgd, first, first_coarse);
                differences[1].add(sgd, second, second_coarse);
            }
        }
        if diverged as u64 == replicas {
            return Err(all_diverged(&fates, rate));
        }
        let over_starts = |observable: usize, order: Order, of: fn(&Differences) -> &Vec<f64>| {
            let estimates = starts.iter().map(|start| Estimate::from_replicas(of(&start[observable][order.index()])));
            Estimate::mean_of(&estimates.collect::<Option<Vec<_>>>()?)
        };
        let error = |observable: usize, order: Order| OrderError {
            error: over_starts(observable, order, |differences| &differences.error),
            integrator: over_starts(observable, order, |differences| &differences.integrator),
        };
        let errors = (0..question.observables.len()).map(|index| Order::BOTH.map(|order| error(index, order)));
        Ok(Self { errors: errors.collect(), diverged })
    }

    pub(super) fn error(&self, observable: usize, order: Order) -> &OrderError {
        &self.errors[observable][order.index()]
    }
}

impl Differences {
    fn add(&mut self, sgd: f64, fine: f64, coarse: f64) {
        self.error.push(sgd - fine);
        // The error of a step δ is cδ², that of 2δ is 4cδ²: their difference is three times the former.
        self.integrator.push((coarse - fine) / 3.0);
    }
}

/// Replicas are shared out equally over the start points.
fn start_of(question: &Question, replica: u64) -> usize {
    (replica % question.starts.len() as u64) as usize
}
