//! Time, counted in steps and in the examples that they stand for.

use super::Schedule;

/// How far training has come; the same for all replicas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Clock {
    /// Steps taken.
    pub steps: u64,
    /// S of every step, summed up.
    pub used: u64,
}

impl Clock {
    /// In epochs of so many examples.
    pub fn epochs(self, examples: usize) -> f64 {
        self.used as f64 / examples as f64
    }

    /// After one more step of `size` examples.
    pub fn after(self, size: usize) -> Self {
        Self { steps: self.steps + 1, used: self.used + size as u64 }
    }

    /// After steps until `until` epochs are reached, but `most` at the most.
    pub fn toward(mut self, until: f64, most: u64, sizes: &Schedule<usize>, examples: usize) -> Self {
        let last = self.steps.saturating_add(most);
        while self.steps < last && self.before(until, examples) {
            self = self.after(sizes.at(self.epochs(examples)));
        }
        self
    }

    /// Whether a step is left before `until` epochs. What sums of fractions of epochs round is far below an example.
    pub fn before(self, until: f64, examples: usize) -> bool {
        self.used as f64 + 1e-6 < until * examples as f64
    }
}
