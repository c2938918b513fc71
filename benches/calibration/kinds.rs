//! The kinds of questions, and what a run of one comes to.

use sgd_sde::findings::{ClaimRecord, ContrastRecord};
use sgd_sde::statistics::Verdict;

use super::{judgements, runs};

/// The true differences, in ε.
pub const DIFFERENCES: [f64; 4] = [0.0, 0.5, 1.0, 2.0];
/// Seeds of a kind that is quick.
pub const MANY: u64 = 1_000;

/// What one seed came to.
pub struct Outcome {
    /// Of the claim that is asked about.
    pub verdict: Option<Verdict>,
    /// Those of its contrasts that are shown, each with what its estimate tends to.
    pub intervals: Vec<([f64; 2], f64)>,
    /// From well to well, of all replicas.
    pub transitions: u64,
}

impl Outcome {
    /// Of a claim, by what the estimate of each contrast tends to.
    pub fn of(claim: &ClaimRecord, truth: impl Fn(&ContrastRecord) -> Option<f64>) -> Self {
        let shown = claim.contrasts.iter().filter_map(|contrast| Some((contrast.interval?, truth(contrast)?)));
        Self { verdict: claim.verdict, intervals: shown.collect(), transitions: 0 }
    }
}

/// A run by its seed; `None` where there is no result.
pub type Run = Box<dyn Fn(u64) -> Option<Outcome> + Sync>;

/// A kind of question at one true difference.
pub struct Tuned {
    /// The true difference as it came out, in ε.
    pub difference: f64,
    /// What is run at an effort.
    pub at_effort: Box<dyn Fn(f64) -> Run>,
}

/// A kind of question.
pub struct Kind {
    /// Its experiment, and what is special about it.
    pub name: &'static str,
    /// What is measured, and which prediction is how wrong.
    pub what: &'static str,
    /// What effort is counted in.
    pub unit: &'static str,
    /// From far too small to ample.
    pub efforts: &'static [f64],
    /// The true differences, in ε.
    pub differences: &'static [f64],
    /// Over so many seeds at most.
    pub most_seeds: u64,
    /// What it asks at a true difference, in ε.
    pub tuned: Box<dyn Fn(f64) -> Tuned>,
}

/// All kinds, in the order of the table.
pub fn all() -> Vec<Kind> {
    runs::kinds().into_iter().chain(judgements::kinds()).collect()
}
