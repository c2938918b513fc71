//! A sum of example gradients with a weight for each, in one pass forward and one back.

use super::{Batch, Network, Real, Workspace};

impl Network {
    /// Writes Σ wᵢ∇ℓᵢ over a batch into `result`, length d, with a weight per example in the order of the batch; returns the loss, the
    /// plain mean as [`Network::gradient`] does.
    ///
    /// As in [`Network::example_gradients`] every ∇ℓᵢ has the weight decay in it: what is added is λθ·Σ wᵢ. Weights of 1/S give ∇L, and
    /// weights (ξᵢ − ξ̄)/√S with normals ξ a draw of noise whose covariance is that of the example gradients, at the cost of one gradient.
    ///
    /// # Panics
    /// If there are fewer weights than examples.
    pub fn weighted_gradient<T: Real>(
        &self,
        theta: &[T],
        batch: Batch<T>,
        weights: &[T],
        result: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> f64 {
        let (capacity, outputs) = (workspace.capacity, self.architecture.outputs());
        let weights = &weights[..batch.len()];
        let mut sum = 0.0;
        for (index, (piece, weights)) in batch.pieces(capacity).zip(weights.chunks(capacity)).enumerate() {
            let size = piece.len();
            self.gather(piece, workspace);
            self.forward(theta, size, workspace);
            sum += self.compare(size, workspace);
            let delta = &mut workspace.layers[self.architecture.depth() - 1].delta[..outputs * size];
            for row in delta.chunks_exact_mut(size) {
                row.iter_mut().zip(weights).for_each(|(delta, weight)| *delta *= *weight);
            }
            self.backward(theta, size, result, index > 0, workspace);
        }
        if self.weight_decay > 0.0 {
            let total: f64 = weights.iter().map(|weight| weight.to_f64()).sum();
            let decay = T::from_f64(self.weight_decay * total);
            result.iter_mut().zip(theta).for_each(|(result, theta)| *result += decay * *theta);
        }
        sum / batch.len() as f64 + self.decay_of(theta)
    }
}
