//! A run in pieces: begun, advanced as often as wanted, ended. Its pieces together are the very run that one piece of
//! their length would have been.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::{Fate, Interrupted, MOST_STRETCHES, Observer, Plan, Progress, View};
use crate::dynamics::{Block, Dynamics};
use crate::instructions::vectorized;
use crate::lanes::LANES;

/// Beyond this a trajectory counts as diverged even if its numbers are finite.
const FAR: f64 = 1e15;
/// A section of a run, after which threads wait for each other, should take about so long.
const SHORT: Duration = Duration::from_millis(50);
/// How many steps a block takes at most between two glances at the stop flag.
const STEPS_BETWEEN_GLANCES: u64 = 1 << 14;
/// Stretches that observers keep at most: before there would be more, neighbours are merged two by two.
pub const MOST_STRETCHES_KEPT: u64 = 2 * MOST_STRETCHES;

/// An ensemble between two pieces of its run.
pub struct Run<O> {
    pub(super) plan: Plan,
    pub(super) members: Vec<Member<O>>,
    /// Looks taken in each stretch so far, those merged counting as one.
    pub(super) stretches: Vec<u64>,
}

/// A block of replicas with what watches them.
pub(super) struct Member<O> {
    pub block: Block,
    pub live: [bool; LANES],
    /// Lanes that diverged, and when. A list, since it is nearly always empty and there may be many blocks.
    pub diverged: Vec<(usize, u64)>,
    pub observer: O,
    pub step: u64,
}

impl<O: Observer> Run<O> {
    /// Every replica at its start, nothing advanced; for the arguments see [`super::run`].
    pub fn begin(
        dynamics: &dyn Dynamics,
        plan: &Plan,
        start: &(dyn Fn(u64, &mut [f64]) + Sync),
        observer: &(dyn Fn(u64, usize) -> O + Sync),
    ) -> Self {
        let members = (0..plan.blocks())
            .into_par_iter()
            .map(|block| {
                let (first, count) = plan.replicas_of(block);
                Member::new(dynamics, plan.seed, first, count, start, observer(first, count))
            })
            .collect();
        Self { plan: *plan, members, stretches: Vec::new() }
    }

    /// Takes `looks` more looks at every replica; the first time after the burn-in.
    ///
    /// # Errors
    /// [`Interrupted`] when `stop` was set; the run is then good for nothing.
    pub fn advance(
        &mut self,
        dynamics: &dyn Dynamics,
        looks: u64,
        monitor: &mut dyn FnMut(&Progress<O>),
        stop: &AtomicBool,
    ) -> Result<(), Interrupted> {
        let every = self.plan.observe_every;
        let begins = self.stretches.is_empty() && self.members.iter().all(|member| member.step == 0);
        let burn_in = if begins { self.plan.burn_in } else { 0 };
        let steps_in_all = burn_in + looks * every;
        // The burn-in too goes by stretches, so that the progress line moves and Ctrl-C is heard.
        let burn_in_stretches = burn_in.min(50);
        for stretch in 0..burn_in_stretches {
            let until = part(burn_in, stretch + 1, burn_in_stretches);
            self.one_by_one().for_each(|member| member.advance(dynamics, until - member.step, stop));
            self.report(until, steps_in_all, monitor, stop)?;
        }
        let stretches = self.make_room(looks);
        let taken = |stretch: u64| part(looks, stretch + 1, stretches) - part(looks, stretch, stretches);
        // Threads wait for each other after some stretches: of a short run many, of a long one few, so that waiting is rare and the
        // progress line alive. What is computed does not depend on it.
        let (mut done, mut at_once) = (0, 1);
        while done < stretches {
            let section = done..(done + at_once).min(stretches);
            let clock = Instant::now();
            self.one_by_one().for_each(|member| {
                section.clone().for_each(|stretch| member.observe(dynamics, taken(stretch), every, stop));
            });
            at_once = if clock.elapsed() < SHORT { 2 * at_once } else { at_once.div_ceil(2) };
            done = section.end;
            self.stretches.extend(section.map(taken));
            self.report(burn_in + part(looks, done, stretches) * every, steps_in_all, monitor, stop)?;
        }
        Ok(())
    }

    /// The members, handed out to the threads one at a time: a thread that another program slows down then holds the others up by one
    /// member at most.
    fn one_by_one(&mut self) -> impl ParallelIterator<Item = &mut Member<O>> {
        self.members.par_iter_mut().with_max_len(1)
    }

    /// Into how many stretches the next `looks` looks go: as long as those before, which are merged if there would be
    /// too many.
    fn make_room(&mut self, looks: u64) -> u64 {
        if self.stretches.is_empty() {
            return looks.min(MOST_STRETCHES);
        }
        loop {
            let (kept, taken) = (self.stretches.len() as u64, self.looks());
            let wanted = (looks as f64 * kept as f64 / taken as f64).round() as u64;
            let wanted = wanted.clamp(looks.min(1), looks);
            if kept + wanted <= MOST_STRETCHES_KEPT || kept == 1 {
                return wanted.min(MOST_STRETCHES_KEPT - 1);
            }
            let stretches = &self.stretches;
            self.members.par_iter_mut().for_each(|member| member.observer.merge_stretches(stretches));
            self.stretches = self.stretches.chunks(2).map(|pair| pair.iter().sum()).collect();
        }
    }

    fn report(
        &self,
        steps_done: u64,
        steps_in_all: u64,
        monitor: &mut dyn FnMut(&Progress<O>),
        stop: &AtomicBool,
    ) -> Result<(), Interrupted> {
        if stop.load(Ordering::Relaxed) {
            return Err(Interrupted);
        }
        monitor(&Progress { steps_done, steps_in_all, observers: &self.observers() });
        Ok(())
    }

    /// One observer per block, in order; block b holds replicas b·LANES … .
    pub fn observers(&self) -> Vec<&O> {
        self.members.iter().map(|member| &member.observer).collect()
    }

    /// The same, for good.
    pub fn into_observers(self) -> Vec<O> {
        self.members.into_iter().map(|member| member.observer).collect()
    }

    /// What has become of each replica so far.
    pub fn fates(&self) -> Vec<Fate> {
        let mut fates = vec![Fate::Finished; self.plan.replicas as usize];
        for (member, fates) in self.members.iter().zip(fates.chunks_mut(LANES)) {
            for &(lane, step) in &member.diverged {
                fates[lane] = Fate::Diverged { step };
            }
        }
        fates
    }

    /// Looks taken in each stretch, for what observers keep by stretches.
    pub fn stretches(&self) -> &[u64] {
        &self.stretches
    }

    /// Looks taken at each replica.
    pub fn looks(&self) -> u64 {
        self.stretches.iter().sum()
    }

    /// Where a replica is, into `point`.
    pub fn point(&self, replica: u64, point: &mut [f64]) {
        self.members[replica as usize / LANES].block.point(replica as usize % LANES, point);
    }
}

/// `whole · numerator / denominator`, rounded down.
fn part(whole: u64, numerator: u64, denominator: u64) -> u64 {
    (u128::from(whole) * u128::from(numerator) / u128::from(denominator.max(1))) as u64
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
            let mut lost = [false; LANES];
            self.observer.observe(&mut View { theta, live: &self.live, lost: &mut lost, scratch });
            self.mark_diverged(&lost);
        }
        self.observer.end_stretch(looks);
    }

    /// Marks the lanes that left the finite numbers. They stay in the block, unwatched: averaging the survivors would
    /// be bias, so the caller must look at the fates.
    fn find_diverged(&mut self) {
        let gone = vectorized(
            #[inline(always)]
            || {
                let mut far = [0u64; LANES];
                for row in self.block.theta.as_chunks::<LANES>().0 {
                    for l in 0..LANES {
                        far[l] |= u64::from(!(row[l].abs() <= FAR));
                    }
                }
                far
            },
        );
        if gone.iter().sum::<u64>() > 0 {
            self.mark_diverged(&gone.map(|far| far > 0));
        }
    }

    fn mark_diverged(&mut self, gone: &[bool; LANES]) {
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
