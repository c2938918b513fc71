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
    /// With an interval.
    pub shown: u64,
    /// Whose interval contains the truth.
    pub covered: u64,
    /// With a verdict and an interval.
    pub decided: u64,
    /// Whose interval contains the truth, of these.
    pub decided_covered: u64,
    /// Transitions of all runs.
    pub transitions: u64,
}

impl Tally {
    fn of(outcome: Option<Outcome>) -> Self {
        let Some(Outcome { verdict, interval, truth, transitions }) = outcome else {
            return Self { seeds: 1, failed: 1, ..Self::default() };
        };
        let one = u64::from;
        let is_decided = verdict.is_some_and(|verdict| verdict != Verdict::Undetermined);
        let covered = interval.zip(truth).map(|([low, high], truth)| low <= truth && truth <= high);
        Self {
            seeds: 1,
            holds: one(verdict == Some(Verdict::Holds)),
            rejected: one(verdict == Some(Verdict::Rejected)),
            failed: 0,
            shown: one(covered.is_some()),
            covered: one(covered == Some(true)),
            decided: one(is_decided && covered.is_some()),
            decided_covered: one(is_decided && covered == Some(true)),
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
