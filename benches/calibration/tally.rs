//! Runs a question over many seeds and counts what came of them.

use rayon::prelude::*;
use sgd_sde::statistics::Verdict;

use super::kinds::{Outcome, Run};

/// How often what was said.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Runs.
    pub seeds: u64,
    /// HOLDS.
    pub holds: u64,
    /// REJECTED.
    pub rejected: u64,
    /// Without a result.
    pub failed: u64,
    /// Intervals, one or several a run.
    pub shown: u64,
    /// Those that contain the truth.
    pub covered: u64,
    /// Intervals beside a verdict.
    pub decided: u64,
    /// Those of them that contain the truth.
    pub decided_covered: u64,
    /// Transitions of all runs.
    pub transitions: u64,
}

impl Tally {
    fn of(outcome: Option<Outcome>) -> Self {
        let Some(Outcome { verdict, intervals, transitions }) = outcome else {
            return Self { seeds: 1, failed: 1, ..Self::default() };
        };
        let is_decided = verdict.is_some_and(|verdict| verdict != Verdict::Undetermined);
        let shown = intervals.len() as u64;
        let covered = intervals.iter().filter(|([low, high], truth)| low <= truth && truth <= high).count() as u64;
        Self {
            seeds: 1,
            holds: u64::from(verdict == Some(Verdict::Holds)),
            rejected: u64::from(verdict == Some(Verdict::Rejected)),
            failed: 0,
            shown,
            covered,
            decided: if is_decided { shown } else { 0 },
            decided_covered: if is_decided { covered } else { 0 },
            transitions,
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            seeds: self.seeds + other.seeds,
            holds: self.holds + other.holds,
            rejected: self.rejected + other.rejected,
            failed: self.failed + other.failed,
            shown: self.shown + other.shown,
            covered: self.covered + other.covered,
            decided: self.decided + other.decided,
            decided_covered: self.decided_covered + other.decided_covered,
            transitions: self.transitions + other.transitions,
        }
    }
}

/// Over the seeds 1 … `seeds`.
pub fn over_seeds(run: &Run, seeds: u64) -> Tally {
    (1..=seeds).into_par_iter().map(|seed| Tally::of(run(seed))).reduce(Tally::default, Tally::plus)
}
