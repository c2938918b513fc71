//! Many independent trajectories in parallel, watched by observers, in memory that does not grow with the steps.
//!
//! Replicas are grouped into blocks of [`LANES`]; rayon shares out the blocks. The run proceeds in stretches: within a
//! stretch every block advances on its own, between stretches the caller sees all observers (for a progress line) and
//! may stop the run. Nothing that reaches a result depends on the grouping, the number of threads or their timing.
//! A [`Run`] can be put away between two pieces and taken up again ([`checkpoint`]), and nothing is lost.

pub mod balance;
pub mod checkpoint;
pub mod defined;
pub mod histogram;
mod lanes;
pub mod moments;
pub mod occupancy;
pub mod replay;
mod run;

use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};

use crate::dynamics::Dynamics;
use crate::lanes::LANES;

pub use run::{MOST_STRETCHES_KEPT, Run};

/// How many replicas, for how long, and how often they are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Independent trajectories R.
    pub replicas: u64,
    /// Steps before anything is observed.
    pub burn_in: u64,
    /// Observed steps.
    pub steps: u64,
    /// Steps between two looks, at least 1 and at most `steps`.
    pub observe_every: u64,
    /// Of all randomness.
    pub seed: u64,
}

/// The most stretches of a run from its start: so many points has a running estimate.
pub const MOST_STRETCHES: u64 = 500;
/// At most so many replicas, the first ones, are asked to keep their course in time, for the diagnostics.
pub const FOLLOWED: u64 = 256;

impl Plan {
    /// Number of blocks that the replicas fill.
    pub fn blocks(&self) -> u64 {
        self.replicas.div_ceil(LANES as u64)
    }

    /// The first replica of a block, and how many the block holds.
    fn replicas_of(&self, block: u64) -> (u64, usize) {
        let first = block * LANES as u64;
        (first, (self.replicas - first).min(LANES as u64) as usize)
    }

    /// How often each trajectory is looked at. Steps after the last look are not run.
    pub fn looks(&self) -> u64 {
        self.steps / self.observe_every
    }
}

/// What an observer sees at a look.
pub struct View<'a> {
    /// θ of the block, coordinate by coordinate.
    pub theta: &'a [f64],
    /// Which lanes hold a replica that has not diverged.
    pub live: &'a [bool; LANES],
    /// Lanes that an observer sets have left where the loss is defined: from here on they count as diverged.
    pub lost: &'a mut [bool; LANES],
    /// Room to work in, at least as much as the loss's block functions need; what it holds means nothing.
    pub scratch: &'a mut [f64],
}

/// Folds what it sees into statistics of fixed size. One per block.
pub trait Observer: Send {
    /// A look at the block.
    fn observe(&mut self, view: &mut View);

    /// A stretch ends: `looks` looks were taken in it.
    fn end_stretch(&mut self, looks: u64);

    /// What is kept by stretches, of which `looks` were taken in each so far, is merged two by two: the first with the
    /// second, the third with the fourth, …; an odd one at the end stays. Nothing to do where nothing is kept.
    fn merge_stretches(&mut self, looks: &[u64]) {
        let _ = looks;
    }
}

/// Means by stretches, `width` of them at a time, merged two by two with the looks as weights; see
/// [`Observer::merge_stretches`].
fn merge_means<T: Copy + Into<f64>>(means: &mut Vec<T>, width: usize, looks: &[u64], narrow: fn(f64) -> T) {
    let mut merged = Vec::with_capacity(means.len() / 2 + width);
    for (rows, looks) in means.chunks(2 * width.max(1)).zip(looks.chunks(2)) {
        let (first, second) = rows.split_at(width);
        match looks {
            [a, b] => merged.extend(first.iter().zip(second).map(|(&x, &y)| {
                let (x, y): (f64, f64) = (x.into(), y.into());
                narrow((x * *a as f64 + y * *b as f64) / (a + b) as f64)
            })),
            _ => merged.extend_from_slice(first),
        }
    }
    *means = merged;
}

impl<A: Observer, B: Observer> Observer for (A, B) {
    fn observe(&mut self, view: &mut View) {
        self.0.observe(view);
        self.1.observe(view);
    }

    fn end_stretch(&mut self, looks: u64) {
        self.0.end_stretch(looks);
        self.1.end_stretch(looks);
    }

    fn merge_stretches(&mut self, looks: &[u64]) {
        self.0.merge_stretches(looks);
        self.1.merge_stretches(looks);
    }
}

impl<A: Observer> Observer for Option<A> {
    fn observe(&mut self, view: &mut View) {
        if let Some(observer) = self {
            observer.observe(view);
        }
    }

    fn end_stretch(&mut self, looks: u64) {
        if let Some(observer) = self {
            observer.end_stretch(looks);
        }
    }

    fn merge_stretches(&mut self, looks: &[u64]) {
        if let Some(observer) = self {
            observer.merge_stretches(looks);
        }
    }
}

/// What became of a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It ran to the end.
    Finished,
    /// It was found to have left the finite numbers, 10¹⁵ in some coordinate, or where the loss is a number, at this step (counted from the start
    /// of the burn-in; trajectories are looked at every `observe_every` steps).
    Diverged {
        /// The step of the look.
        step: u64,
    },
}

/// A run that came to its end.
pub struct Outcome<O> {
    /// One observer per block, in order; block b holds replicas b·LANES … .
    pub observers: Vec<O>,
    /// One fate per replica.
    pub fates: Vec<Fate>,
}

/// The run was told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the run was interrupted")]
pub struct Interrupted;

/// Where a run stands.
pub struct Progress<'a, O> {
    /// Steps per replica so far, burn-in included.
    pub steps_done: u64,
    /// Of so many.
    pub steps_in_all: u64,
    /// The observers, one per block; borrowed between two stretches.
    pub observers: &'a [&'a O],
}

/// Runs an ensemble from its start to its end.
///
/// `start` writes the starting point of a replica; `observer(first, count)` makes the observer of the block that holds
/// replicas `first … first + count − 1`. `monitor` is called between stretches; `stop` may be set at any time.
///
/// # Errors
/// [`Interrupted`] when `stop` was set; then there is no result.
pub fn run<O: Observer>(
    dynamics: &dyn Dynamics,
    plan: &Plan,
    start: &(dyn Fn(u64, &mut [f64]) + Sync),
    observer: &(dyn Fn(u64, usize) -> O + Sync),
    monitor: &mut dyn FnMut(&Progress<O>),
    stop: &AtomicBool,
) -> Result<Outcome<O>, Interrupted> {
    let mut run = Run::begin(dynamics, plan, start, observer);
    run.advance(dynamics, plan.looks(), monitor, stop)?;
    let fates = run.fates();
    Ok(Outcome { observers: run.into_observers(), fates })
}
