//! Losses that are a mean over examples, and the gradients of their minibatches: what the noise of SGD is made of.

use nalgebra::DMatrix;

use super::scratch::with_scratch;
use super::{LANES, Loss};

/// A loss that is a mean over N examples: L(θ) = (1/N) Σᵢ ℓᵢ(θ).
///
/// [`Loss::gradient`] is the mean of all ∇ℓᵢ, up to rounding. A kind of loss implements the first three functions; the others have
/// defaults in terms of them, and are overridden for speed alone: lane by lane the block functions give the bits of the plain ones.
pub trait FiniteSum: Loss {
    /// N.
    fn examples(&self) -> usize;

    /// Writes the mean of ∇ℓᵢ over a batch (an index may stand in it twice) into `gradient`, length d.
    fn batch_gradient(&self, theta: &[f64], batch: &[u32], gradient: &mut [f64]);

    /// Writes ∇ℓᵢ of every example of the batch, row by row, `batch.len() × d`.
    fn example_gradients(&self, theta: &[f64], batch: &[u32], rows: &mut [f64]);

    /// Writes Σᵢ wᵢ∇ℓᵢ(θ) into `gradient`, length d; one weight of either sign for each of the N examples.
    ///
    /// It is B(θ) times N normals where wᵢ = (zᵢ − z̄)/√N ([`crate::dynamics::example_noise`]). A network needs one pass backwards for it, in which
    /// every example's derivative of the loss is multiplied by its weight.
    fn weighted_gradient(&self, theta: &[f64], weights: &[f64], gradient: &mut [f64]) {
        gradient.fill(0.0);
        let mut from = 0;
        each_gradient(self, theta, |row| {
            let weight = weights[from];
            for (sum, slope) in gradient.iter_mut().zip(row) {
                *sum += weight * slope;
            }
            from += 1;
        });
    }

    /// How many numbers of scratch the block functions need for batches of this many examples (N for weighted gradients). The caller
    /// allocates them once.
    fn sum_scratch(&self, examples: usize) -> usize {
        2 * self.dimension() + examples
    }

    /// Writes the gradient of every lane's own batch: `batches` is `[lane][S]`, `theta` and `gradient` hold d rows of [`LANES`].
    fn batch_gradient_block(&self, theta: &[f64], batches: &[u32], gradient: &mut [f64], scratch: &mut [f64]) {
        let d = self.dimension();
        let (point, slope) = scratch[..2 * d].split_at_mut(d);
        for (lane, batch) in batches.chunks_exact(batches.len() / LANES).enumerate() {
            gather(theta, lane, point);
            self.batch_gradient(point, batch, slope);
            scatter(slope, lane, gradient);
        }
    }

    /// Writes the weighted gradient of every lane: `weights` holds N rows of [`LANES`], the others d rows.
    fn weighted_gradient_block(&self, theta: &[f64], weights: &[f64], gradient: &mut [f64], scratch: &mut [f64]) {
        let d = self.dimension();
        let (point, scratch) = scratch.split_at_mut(d);
        let (slope, scratch) = scratch.split_at_mut(d);
        let own = &mut scratch[..weights.len() / LANES];
        for lane in 0..LANES {
            gather(theta, lane, point);
            gather(weights, lane, own);
            self.weighted_gradient(point, own, slope);
            scatter(slope, lane, gradient);
        }
    }
}

/// Copies what one lane has in each row.
pub(crate) fn gather(rows: &[f64], lane: usize, point: &mut [f64]) {
    for (row, coordinate) in rows.chunks_exact(LANES).zip(point) {
        *coordinate = row[lane];
    }
}

/// The way back.
fn scatter(point: &[f64], lane: usize, rows: &mut [f64]) {
    for (row, coordinate) in rows.chunks_exact_mut(LANES).zip(point) {
        row[lane] = *coordinate;
    }
}

/// Hands on ∇ℓᵢ(θ) of all examples in their order, a few at a time in memory.
fn each_gradient<S: FiniteSum + ?Sized>(sum: &S, theta: &[f64], mut each: impl FnMut(&[f64])) {
    const AT_ONCE: usize = 32;
    let d = sum.dimension();
    let examples = sum.examples();
    with_scratch(AT_ONCE * d, |rows| {
        for first in (0..examples).step_by(AT_ONCE) {
            let batch: [u32; AT_ONCE] = std::array::from_fn(|i| (first + i) as u32);
            let batch = &batch[..AT_ONCE.min(examples - first)];
            let rows = &mut rows[..batch.len() * d];
            sum.example_gradients(theta, batch, rows);
            rows.chunks_exact(d).for_each(&mut each);
        }
    });
}

/// C(θ) = (1/N) Σᵢ (∇ℓᵢ − ∇L)(∇ℓᵢ − ∇L)ᵀ, d × d: the covariance of the per-example gradient, divisor N.
pub fn example_covariance(sum: &dyn FiniteSum, theta: &[f64]) -> DMatrix<f64> {
    let d = sum.dimension();
    let mean = mean_gradient(sum, theta);
    let mut covariance: DMatrix<f64> = DMatrix::zeros(d, d);
    let mut deviation = vec![0.0; d];
    each_gradient(sum, theta, |row| {
        for ((deviation, slope), mean) in deviation.iter_mut().zip(row).zip(&mean) {
            *deviation = slope - mean;
        }
        for j in 0..d {
            for i in 0..=j {
                covariance[(i, j)] += deviation[i] * deviation[j];
            }
        }
    });
    let count = sum.examples() as f64;
    DMatrix::from_fn(d, d, |i, j| covariance[(i.min(j), i.max(j))] / count)
}

/// tr C(θ), without the matrix: N gradients and as many numbers.
pub fn example_trace(sum: &dyn FiniteSum, theta: &[f64]) -> f64 {
    let mean = mean_gradient(sum, theta);
    let mut total = 0.0;
    each_gradient(sum, theta, |row| {
        let square: f64 = row.iter().zip(&mean).map(|(slope, mean)| (slope - mean) * (slope - mean)).sum();
        total += square;
    });
    total / sum.examples() as f64
}

/// Writes tr C(θ), then eᵀC(θ)e for each of these directions e, into `variances`, without the matrix and without allocating; `mean` is room
/// for d numbers.
pub(crate) fn example_variances(
    sum: &dyn FiniteSum,
    theta: &[f64],
    directions: &[Vec<f64>],
    mean: &mut [f64],
    variances: &mut [f64],
) {
    write_mean_gradient(sum, theta, mean);
    variances.fill(0.0);
    each_gradient(sum, theta, |row| {
        let deviation = || row.iter().zip(&*mean).map(|(slope, mean)| slope - mean);
        variances[0] += deviation().map(|x| x * x).sum::<f64>();
        for (variance, direction) in variances[1..].iter_mut().zip(directions) {
            let along: f64 = deviation().zip(direction).map(|(x, e)| x * e).sum();
            *variance += along * along;
        }
    });
    let count = sum.examples() as f64;
    variances.iter_mut().for_each(|variance| *variance /= count);
}

/// The mean of all ∇ℓᵢ, summed as the deviations from it are.
fn mean_gradient(sum: &dyn FiniteSum, theta: &[f64]) -> Vec<f64> {
    let mut mean = vec![0.0; sum.dimension()];
    write_mean_gradient(sum, theta, &mut mean);
    mean
}

/// The same into `mean`.
fn write_mean_gradient(sum: &dyn FiniteSum, theta: &[f64], mean: &mut [f64]) {
    mean.fill(0.0);
    each_gradient(sum, theta, |row| mean.iter_mut().zip(row).for_each(|(mean, slope)| *mean += slope));
    let count = sum.examples() as f64;
    mean.iter_mut().for_each(|mean| *mean /= count);
}
