//! Any loss as a mean over synthetic examples that tilt it: ℓᵢ(θ) = L(θ) + ξᵢ·θ.

use std::sync::Arc;

use nalgebra::DMatrix;

use super::finite_sum::FiniteSum;
use super::kernel::Descent;
use super::tilts::Tilts;
use super::{LANES, Loss};
use crate::instructions::vectorized;

/// The tilts have another dimension than the loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("tilts of {tilts} coordinates for a loss of {loss}")]
pub struct TiltedError {
    /// Coordinates of a tilt.
    pub tilts: usize,
    /// Of the loss.
    pub loss: usize,
}

/// L(θ) = (1/N) Σᵢ (L(θ) + ξᵢ·θ), Σξᵢ = 0: per-example gradients ∇L + ξᵢ, whose covariance is that of ξ everywhere.
///
/// ```
/// use std::sync::Arc;
/// use sgd_sde::loss::{finite_sum::FiniteSum, quadratic::Quadratic, tilted::Tilted, tilts::Tilts};
/// let tilts = Tilts::given(&[vec![-1.0], vec![1.0]]).unwrap();
/// let sum = Tilted::new(Arc::new(Quadratic::from_eigenvalues(&[2.0])), tilts)?;
/// let mut gradient = [0.0];
/// sum.batch_gradient(&[3.0], &[1, 1], &mut gradient);
/// assert_eq!(gradient, [7.0]);
/// # Ok::<(), sgd_sde::loss::tilted::TiltedError>(())
/// ```
#[derive(Clone)]
pub struct Tilted {
    loss: Arc<dyn Loss>,
    tilts: Tilts,
}

impl Tilted {
    /// `loss`, tilted by each of `tilts`.
    ///
    /// # Errors
    /// When they have another dimension.
    pub fn new(loss: Arc<dyn Loss>, tilts: Tilts) -> Result<Self, TiltedError> {
        if tilts.dimension() != loss.dimension() {
            return Err(TiltedError { tilts: tilts.dimension(), loss: loss.dimension() });
        }
        Ok(Self { loss, tilts })
    }

    /// ξ₁ … ξ_N.
    pub fn tilts(&self) -> &Tilts {
        &self.tilts
    }
}

/// The mean of one coordinate of ξ over a batch.
#[inline(always)]
fn mean_tilt(row: &[f64], batch: &[u32]) -> f64 {
    let sum: f64 = batch.iter().map(|&example| row[example as usize]).sum();
    sum / batch.len() as f64
}

/// gradient ← (Σᵢwᵢ)·gradient + Σᵢ wᵢξᵢ at N points; `total` is room for a row.
#[inline(always)]
fn weigh<const N: usize>(tilts: &Tilts, weights: &[f64], gradient: &mut [f64]) {
    let (weights, gradient) = (weights.as_chunks::<N>().0, gradient.as_chunks_mut::<N>().0);
    let mut total = [0.0; N];
    for weight in weights {
        for l in 0..N {
            total[l] += weight[l];
        }
    }
    for (i, gradient) in gradient.iter_mut().enumerate() {
        let mut sum = [0.0; N];
        for (weight, tilt) in weights.iter().zip(tilts.row(i)) {
            for l in 0..N {
                sum[l] += weight[l] * tilt;
            }
        }
        for l in 0..N {
            gradient[l] = total[l] * gradient[l] + sum[l];
        }
    }
}

impl FiniteSum for Tilted {
    fn examples(&self) -> usize {
        self.tilts.examples()
    }

    fn batch_gradient(&self, theta: &[f64], batch: &[u32], gradient: &mut [f64]) {
        self.loss.gradient(theta, gradient);
        for (i, slope) in gradient.iter_mut().enumerate() {
            *slope += mean_tilt(self.tilts.row(i), batch);
        }
    }

    fn example_gradients(&self, theta: &[f64], batch: &[u32], rows: &mut [f64]) {
        let d = self.dimension();
        let Some(first) = rows.get_mut(..d) else { return };
        self.loss.gradient(theta, first);
        // From the last to the first, which is the gradient itself until then.
        for (row, &example) in batch.iter().enumerate().rev() {
            for i in 0..d {
                rows[row * d + i] = rows[i] + self.tilts.row(i)[example as usize];
            }
        }
    }

    fn weighted_gradient(&self, theta: &[f64], weights: &[f64], gradient: &mut [f64]) {
        self.loss.gradient(theta, gradient);
        weigh::<1>(&self.tilts, weights, gradient);
    }

    fn sum_scratch(&self, _examples: usize) -> usize {
        self.loss.block_scratch()
    }

    fn batch_gradient_block(&self, theta: &[f64], batches: &[u32], gradient: &mut [f64], scratch: &mut [f64]) {
        self.loss.gradient_block(theta, gradient, scratch);
        let size = batches.len() / LANES;
        for (i, slopes) in gradient.chunks_exact_mut(LANES).enumerate() {
            let row = self.tilts.row(i);
            for (slope, batch) in slopes.iter_mut().zip(batches.chunks_exact(size)) {
                *slope += mean_tilt(row, batch);
            }
        }
    }

    fn weighted_gradient_block(&self, theta: &[f64], weights: &[f64], gradient: &mut [f64], scratch: &mut [f64]) {
        self.loss.gradient_block(theta, gradient, scratch);
        vectorized(
            #[inline(always)]
            || weigh::<LANES>(&self.tilts, weights, gradient),
        );
    }
}

impl Loss for Tilted {
    fn dimension(&self) -> usize {
        self.loss.dimension()
    }

    fn value(&self, theta: &[f64]) -> f64 {
        self.loss.value(theta)
    }

    fn gradient(&self, theta: &[f64], gradient: &mut [f64]) {
        self.loss.gradient(theta, gradient);
    }

    fn hessian(&self, theta: &[f64]) -> DMatrix<f64> {
        self.loss.hessian(theta)
    }

    fn likely_minima(&self) -> Vec<Vec<f64>> {
        self.loss.likely_minima()
    }

    fn finite_sum(self: Arc<Self>) -> Option<Arc<dyn FiniteSum>> {
        Some(self)
    }

    fn block_scratch(&self) -> usize {
        self.loss.block_scratch()
    }

    fn gradient_block(&self, theta: &[f64], gradient: &mut [f64], scratch: &mut [f64]) {
        self.loss.gradient_block(theta, gradient, scratch);
    }

    fn descend_block(&self, descent: Descent<'_>) {
        self.loss.descend_block(descent);
    }

    fn value_block(&self, theta: &[f64], value: &mut [f64], scratch: &mut [f64]) {
        self.loss.value_block(theta, value, scratch);
    }
}
