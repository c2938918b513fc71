//! What changes as training goes on, in steps.

/// A value that is constant from epoch to epoch; an epoch is N examples ([`crate::training`]).
///
/// ```
/// use sgd_sde::training::Schedule;
/// let rate = Schedule::piecewise(vec![(0.0, 0.1), (10.0, 0.01)])?;
/// assert_eq!((rate.at(9.99), rate.at(10.0)), (0.1, 0.01));
/// # Ok::<(), sgd_sde::training::ScheduleError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule<V> {
    /// (from this epoch, this value), the first from 0, in order.
    pieces: Vec<(f64, V)>,
}

/// Pieces that make no schedule.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum ScheduleError {
    /// There is none, or the first does not begin with training.
    #[error("a schedule must say what holds from epoch 0 on; let its first piece begin at 0")]
    Start,
    /// A piece that does not begin after the one before.
    #[error(
        "found a piece that begins at epoch {found} after one that begins at {before}; epochs must be finite and increase"
    )]
    Order {
        /// Where the piece before begins.
        before: f64,
        /// Where this one begins.
        found: f64,
    },
}

impl<V: Copy> Schedule<V> {
    /// The same value for ever.
    pub fn constant(value: V) -> Self {
        Self { pieces: vec![(0.0, value)] }
    }

    /// From pairs of the epoch at which a value begins to hold, and the value.
    ///
    /// # Errors
    /// When the first epoch is not 0, or epochs do not increase or are not finite.
    pub fn piecewise(pieces: Vec<(f64, V)>) -> Result<Self, ScheduleError> {
        if pieces.first().is_none_or(|piece| piece.0 != 0.0) {
            return Err(ScheduleError::Start);
        }
        for pair in pieces.windows(2) {
            let (before, found) = (pair[0].0, pair[1].0);
            if !(found > before && found.is_finite()) {
                return Err(ScheduleError::Order { before, found });
            }
        }
        Ok(Self { pieces })
    }

    /// What holds at this time, in epochs.
    pub fn at(&self, epoch: f64) -> V {
        let begun = self.pieces.iter().rev().find(|piece| piece.0 <= epoch);
        begun.unwrap_or(&self.pieces[0]).1
    }

    /// All values that it takes, in order.
    pub fn values(&self) -> impl Iterator<Item = V> + '_ {
        self.pieces.iter().map(|piece| piece.1)
    }
}
