//! Many independent trajectories in parallel, watched by observers, in memory that does not grow with the steps.
//!
//! Replicas are grouped into blocks of [`LANES`]; rayon shares out the blocks. The run proceeds in stretches: within a
//! stretch every block advances on its own, between stretches the caller sees all observers (for a progress line) and
//! may stop the run. Nothing that reaches a result depends on the grouping, the number of threads or their timing.

pub mod histogram;
pub mod moments;
pub mod occupancy;
pub mod replay;

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use crate::dynamics::{Block, Dynamics};
use crate::loss::LANES;

/// How many replicas, for how long, and how often they are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// The most stretches of a run: so many points has a running estimate.
pub const MOST_STRETCHES: u64 = 500;

impl Plan {
    /// How often each trajectory is looked at. Steps after the last look are not run.
    pub fn looks(&self) -> u64 {
        self.steps / self.observe_every
    }

    /// Number of stretches.
    pub fn stretches(&self) -> u64 {
        self.looks().min(MOST_STRETCHES)
    }

    /// Looks taken by the end of a stretch: equal parts to within one look.
    pub fn looks_until(&self, stretches: u64) -> u64 {
        (u128::from(self.looks()) * u128::from(stretches) / u128::from(self.stretches().max(1))) as u64
    }
}

/// What an observer sees at a look.
pub struct View<'a> {
    /// θ of the block, coordinate by coordinate.
    pub theta: &'a [f64],
    /// Which lanes hold a replica that has not diverged.
    pub live: &'a [bool; LANES],
    /// Room to work in, at least as much as the loss's block functions need; what it holds means nothing.
    pub scratch: &'a mut [f64],
}

/// Folds what it sees into statistics of fixed size. One per block.
pub trait Observer: Send {
    /// A look at the block.
    fn observe(&mut self, view: &mut View);

    /// A stretch ends: `looks` looks were taken in it.
    fn end_stretch(&mut self, looks: u64);
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
}

/// What became of a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It ran to the end.
    Finished,
    /// It was found to have left the finite numbers, or 10¹⁵ in some coordinate, at this step (counted from the start
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

/// Beyond this a trajectory counts as diverged even if its numbers are finite.
const FAR: f64 = 1e15;
/// How many steps a block takes at most between two glances at the stop flag.
const STEPS_BETWEEN_GLANCES: u64 = 1 << 14;

struct Member<O> {
    block: Block,
    live: [bool; LANES],
    /// Lanes that diverged, and when. A list, since it is nearly always empty and there may be many blocks.
    diverged: Vec<(usize, u64)>,
    observer: O,
    step: u64,
}

/// Runs an ensemble.
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
    let mut members: Vec<Member<O>> = (0..plan.replicas.div_ceil(LANES as u64))
        .into_par_iter()
        .map(|block| {
            let first = block * LANES as u64;
            let count = (plan.replicas - first).min(LANES as u64) as usize;
            Member::new(dynamics, plan.seed, first, count, start, observer(first, count))
        })
        .collect();
    let steps_in_all = plan.burn_in + plan.looks() * plan.observe_every;
    // The burn-in too goes by stretches, so that the progress line moves and Ctrl-C is heard.
    let burn_in_stretches = plan.burn_in.min(50);
    for stretch in 0..burn_in_stretches {
        let until = (u128::from(plan.burn_in) * u128::from(stretch + 1) / u128::from(burn_in_stretches)) as u64;
        members.par_iter_mut().for_each(|member| member.advance(dynamics, until - member.step, stop));
        report(&members, until, steps_in_all, monitor, stop)?;
    }
    for stretch in 0..plan.stretches() {
        let looks = plan.looks_until(stretch + 1) - plan.looks_until(stretch);
        members.par_iter_mut().for_each(|member| member.observe(dynamics, looks, plan.observe_every, stop));
        let done = plan.burn_in + plan.looks_until(stretch + 1) * plan.observe_every;
        report(&members, done, steps_in_all, monitor, stop)?;
    }
    let mut fates = vec![Fate::Finished; plan.replicas as usize];
    for (member, fates) in members.iter().zip(fates.chunks_mut(LANES)) {
        for &(lane, step) in &member.diverged {
            fates[lane] = Fate::Diverged { step };
        }
    }
    Ok(Outcome { observers: members.into_iter().map(|member| member.observer).collect(), fates })
}

fn report<O>(
    members: &[Member<O>],
    steps_done: u64,
    steps_in_all: u64,
    monitor: &mut dyn FnMut(&Progress<O>),
    stop: &AtomicBool,
) -> Result<(), Interrupted> {
    if stop.load(Ordering::Relaxed) {
        return Err(Interrupted);
    }
    let observers: Vec<&O> = members.iter().map(|member| &member.observer).collect();
    monitor(&Progress { steps_done, steps_in_all, observers: &observers });
    Ok(())
}

impl<O: Observer> Member<O> {
    fn new(
        dynamics: &dyn Dynamics,
        seed: u64,
        first: u64,
        count: usize,
        start: &(dyn Fn(u64, &mut [f64]) + Sync),
        observer: O,
    ) -> Self {
        let mut block = Block::new(dynamics, seed, first);
        let mut point = vec![0.0; dynamics.dimension()];
        for lane in 0..LANES {
            // Lanes without a replica run along from the first one's start; nobody looks at them.
            start(first + if lane < count { lane as u64 } else { 0 }, &mut point);
            block.place(lane, &point);
        }
        let live = std::array::from_fn(|lane| lane < count);
        Self { block, live, diverged: Vec::new(), observer, step: 0 }
    }

    fn advance(&mut self, dynamics: &dyn Dynamics, steps: u64, stop: &AtomicBool) {
        let mut left = steps;
        while left > 0 && !stop.load(Ordering::Relaxed) {
            let piece = left.min(STEPS_BETWEEN_GLANCES);
            dynamics.advance(&mut self.block, piece);
            self.step += piece;
            left -= piece;
        }
        self.find_diverged();
    }

    fn observe(&mut self, dynamics: &dyn Dynamics, looks: u64, every: u64, stop: &AtomicBool) {
        for look in 0..looks {
            if look % 256 == 0 && stop.load(Ordering::Relaxed) {
                return;
            }
            dynamics.advance(&mut self.block, every);
            self.step += every;
            self.find_diverged();
            let Block { theta, scratch, .. } = &mut self.block;
            self.observer.observe(&mut View { theta, live: &self.live, scratch });
        }
        self.observer.end_stretch(looks);
    }

    /// Marks the lanes that left the finite numbers. They stay in the block, unwatched: averaging the survivors would
    /// be bias, so the caller must look at the fates.
    fn find_diverged(&mut self) {
        let mut gone = [false; LANES];
        for row in self.block.theta.chunks_exact(LANES) {
            for (gone, x) in gone.iter_mut().zip(row) {
                *gone |= !(x.abs() <= FAR);
            }
        }
        if gone.contains(&true) {
            for lane in 0..LANES {
                if gone[lane] && self.live[lane] {
                    self.live[lane] = false;
                    self.diverged.push((lane, self.step));
                }
            }
        }
    }
}
