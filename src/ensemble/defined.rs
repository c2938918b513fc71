//! Is the loss a number where the trajectories are?
//!
//! A step can jump over the edge of where a formula is defined (log x at x < 0), and its gradient may well be finite
//! there: such a trajectory has left the problem, and counts as diverged.

use std::sync::Arc;

use super::{Observer, View};
use crate::loss::{LANES, Loss};

/// Marks the lanes at which the loss is not a finite number. For observers that do not compute the loss themselves.
pub struct Defined {
    loss: Arc<dyn Loss>,
}

impl Defined {
    /// Of this loss.
    pub fn new(loss: Arc<dyn Loss>) -> Self {
        Self { loss }
    }
}

impl Observer for Defined {
    fn observe(&mut self, view: &mut View) {
        let mut loss = [0.0; LANES];
        self.loss.value_block(view.theta, &mut loss, view.scratch);
        for (lost, loss) in view.lost.iter_mut().zip(loss) {
            *lost |= !loss.is_finite();
        }
    }

    fn end_stretch(&mut self, _looks: u64) {}
}
