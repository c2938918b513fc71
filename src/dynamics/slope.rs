//! What a trajectory descends: ∇L, or the gradient of a loss that a finite step has modified.

use std::sync::Arc;

use crate::loss::Loss;

/// A slope at a block of points.
pub(super) trait Slope: Send + Sync {
    /// Number of parameters d.
    fn dimension(&self) -> usize;

    /// How many numbers of scratch [`Slope::slope_block`] needs.
    fn block_scratch(&self) -> usize;

    /// Writes the slope; layout as in [`crate::loss`].
    fn slope_block(&self, theta: &[f64], slope: &mut [f64], scratch: &mut [f64]);
}

/// ∇L.
impl Slope for Arc<dyn Loss> {
    fn dimension(&self) -> usize {
        self.as_ref().dimension()
    }

    fn block_scratch(&self) -> usize {
        self.as_ref().block_scratch()
    }

    fn slope_block(&self, theta: &[f64], slope: &mut [f64], scratch: &mut [f64]) {
        self.gradient_block(theta, slope, scratch);
    }
}
