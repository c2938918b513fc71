//! Linear regression: L(θ) = (1/N) Σᵢ ½(xᵢ·θ − yᵢ)², the finite sum whose minibatch noise depends on θ and is still known exactly.

use std::sync::Arc;

use nalgebra::{Cholesky, DMatrix, DVector};

use super::curvature::Curvature;
use super::finite_sum::FiniteSum;
use super::kernel::{self, Descent, LaneGradient};
use super::scratch::with_scratch;
use super::tilts::{multiply_lower, standard_normals};
use super::{LANES, Loss};
use crate::instructions::vectorized;

/// Data that a regression cannot be made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegressionError {
    /// None, or of unequal lengths, or not finite.
    #[error("a regression needs examples with as many finite features each, and a finite label for each of them")]
    Shape,
    /// XᵀX has no inverse.
    #[error(
        "the features do not span their space, so that the minimum is not one point: take more examples or fewer features"
    )]
    Singular,
    /// A covariance that no features can have.
    #[error("the covariance of the features must be square, symmetric and positive definite")]
    Covariance,
}

/// Least squares on N examples.
///
/// ```
/// use sgd_sde::loss::{Loss, finite_sum::FiniteSum, regression::Regression};
/// let line = Regression::new(&[vec![1.0], vec![2.0]], &[1.0, 3.0])?;
/// assert!((line.minimum()[0] - 1.4).abs() < 1e-15);
/// let mut gradient = [0.0];
/// line.batch_gradient(&[0.0], &[1], &mut gradient);
/// assert_eq!(gradient, [-6.0]);
/// # Ok::<(), sgd_sde::loss::regression::RegressionError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Regression {
    dimension: usize,
    /// xᵢ, one after another.
    features: Vec<f64>,
    labels: Vec<f64>,
    /// θ̂.
    minimum: Vec<f64>,
    /// L(θ̂).
    floor: f64,
    hessian: DMatrix<f64>,
    curvature: Curvature,
}

impl Regression {
    /// The regression of `labels` on `features`, one row for each example.
    ///
    /// # Errors
    /// When the data are no matrix of finite numbers and as many labels, or the features do not span their space.
    pub fn new(features: &[Vec<f64>], labels: &[f64]) -> Result<Self, RegressionError> {
        let d = features.first().map_or(0, Vec::len);
        let sound = |row: &Vec<f64>| row.len() == d && row.iter().all(|x| x.is_finite());
        if d == 0 || features.len() != labels.len() || !features.iter().all(sound) {
            return Err(RegressionError::Shape);
        }
        if !labels.iter().all(|y| y.is_finite()) {
            return Err(RegressionError::Shape);
        }
        let count = features.len() as f64;
        let moment = |i: usize, j: usize| features.iter().map(|x| x[i] * x[j]).sum::<f64>() / count;
        let hessian = DMatrix::from_fn(d, d, |i, j| moment(i.min(j), i.max(j)));
        let slope = |i: usize| features.iter().zip(labels).map(|(x, y)| x[i] * y).sum::<f64>() / count;
        let factor = Cholesky::new(hessian.clone()).ok_or(RegressionError::Singular)?;
        let minimum: Vec<f64> = factor.solve(&DVector::from_fn(d, |i, _| slope(i))).iter().copied().collect();
        let mut regression = Self {
            dimension: d,
            features: features.concat(),
            labels: labels.to_vec(),
            minimum,
            floor: 0.0,
            curvature: Curvature::new(&hessian),
            hessian,
        };
        regression.floor = 0.5 * regression.residuals().iter().map(|e| e * e).sum::<f64>() / count;
        Ok(regression)
    }

    /// N examples drawn once from `seed`: x ~ N(0, `covariance`), y = x·`weights` + a normal of standard deviation `label_noise`.
    ///
    /// # Errors
    /// When the matrix is no covariance of full rank, the weights are not as many, or N < d.
    pub fn normal(
        covariance: &DMatrix<f64>,
        weights: &[f64],
        label_noise: f64,
        examples: usize,
        seed: u64,
    ) -> Result<Self, RegressionError> {
        let d = weights.len();
        if covariance.shape() != (d, d) || *covariance != covariance.transpose() {
            return Err(RegressionError::Covariance);
        }
        let factor = Cholesky::new(covariance.clone()).ok_or(RegressionError::Covariance)?.l();
        let (features, labels): (Vec<Vec<f64>>, Vec<f64>) = standard_normals(d + 1, examples, seed)
            .into_iter()
            .map(|mut drawn| {
                let noise = label_noise * drawn[d];
                drawn.truncate(d);
                multiply_lower(&factor, &mut drawn);
                let label = dot(&drawn, weights) + noise;
                (drawn, label)
            })
            .unzip();
        Self::new(&features, &labels)
    }

    /// θ̂, where L is least.
    pub fn minimum(&self) -> &[f64] {
        &self.minimum
    }

    /// The features of an example.
    pub fn features(&self, example: usize) -> &[f64] {
        &self.features[example * self.dimension..(example + 1) * self.dimension]
    }

    /// yᵢ − xᵢ·θ̂ of every example.
    pub fn residuals(&self) -> Vec<f64> {
        (0..self.labels.len()).map(|i| self.labels[i] - dot(self.features(i), &self.minimum)).collect()
    }

    #[inline(always)]
    fn value_of<const N: usize>(&self, theta: &[[f64; N]], value: &mut [f64; N], scratch: &mut [[f64; N]]) {
        let (away, slopes) = scratch.split_at_mut(self.dimension);
        self.away_from_minimum(theta, away);
        self.curvature.multiply(away, slopes);
        let mut sum = [0.0; N];
        for (slope, away) in slopes.iter().zip(away) {
            for l in 0..N {
                sum[l] += slope[l] * away[l];
            }
        }
        for l in 0..N {
            value[l] = 0.5 * sum[l] + self.floor;
        }
    }

    /// θ − θ̂.
    #[inline(always)]
    fn away_from_minimum<const N: usize>(&self, theta: &[[f64; N]], away: &mut [[f64; N]]) {
        for ((x, minimum), away) in theta.iter().zip(&self.minimum).zip(away) {
            for l in 0..N {
                away[l] = x[l] - minimum;
            }
        }
    }
}

#[inline]
fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

impl LaneGradient for Regression {
    #[inline(always)]
    fn gradient_of<const N: usize>(&self, theta: &[[f64; N]], gradient: &mut [[f64; N]], scratch: &mut [[f64; N]]) {
        let away = &mut scratch[..self.dimension];
        self.away_from_minimum(theta, away);
        self.curvature.multiply(away, gradient);
    }
}

impl FiniteSum for Regression {
    fn examples(&self) -> usize {
        self.labels.len()
    }

    fn batch_gradient(&self, theta: &[f64], batch: &[u32], gradient: &mut [f64]) {
        gradient.fill(0.0);
        for &example in batch {
            let x = self.features(example as usize);
            let error = dot(x, theta) - self.labels[example as usize];
            for (slope, x) in gradient.iter_mut().zip(x) {
                *slope += error * x;
            }
        }
        let size = batch.len() as f64;
        gradient.iter_mut().for_each(|slope| *slope /= size);
    }

    fn example_gradients(&self, theta: &[f64], batch: &[u32], rows: &mut [f64]) {
        for (&example, row) in batch.iter().zip(rows.chunks_exact_mut(self.dimension)) {
            let x = self.features(example as usize);
            let error = dot(x, theta) - self.labels[example as usize];
            row.iter_mut().zip(x).for_each(|(slope, x)| *slope = error * x);
        }
    }
}

impl Loss for Regression {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn value(&self, theta: &[f64]) -> f64 {
        let mut value = [0.0];
        with_scratch(2 * theta.len(), |scratch| {
            self.value_of::<1>(theta.as_chunks().0, &mut value, scratch.as_chunks_mut().0);
        });
        value[0]
    }

    fn gradient(&self, theta: &[f64], gradient: &mut [f64]) {
        with_scratch(theta.len(), |scratch| {
            self.gradient_of::<1>(theta.as_chunks().0, gradient.as_chunks_mut().0, scratch.as_chunks_mut().0);
        });
    }

    fn hessian(&self, _theta: &[f64]) -> DMatrix<f64> {
        self.hessian.clone()
    }

    fn finite_sum(self: Arc<Self>) -> Option<Arc<dyn FiniteSum>> {
        Some(self)
    }

    fn block_scratch(&self) -> usize {
        2 * self.dimension * LANES
    }

    fn value_block(&self, theta: &[f64], value: &mut [f64], scratch: &mut [f64]) {
        let Some(value) = value.first_chunk_mut::<LANES>() else { return };
        vectorized(
            #[inline(always)]
            || self.value_of(theta.as_chunks::<LANES>().0, value, scratch.as_chunks_mut().0),
        );
    }

    fn gradient_block(&self, theta: &[f64], gradient: &mut [f64], scratch: &mut [f64]) {
        kernel::gradient_block(self, theta, gradient, scratch);
    }

    fn descend_block(&self, descent: Descent<'_>) {
        kernel::descend_block(self, descent);
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::dmatrix;

    use super::*;

    /// The loss and its gradient are means over the examples, and the block side has the bits of the plain one.
    #[test]
    fn it_is_the_mean_over_its_examples() {
        let regression = Regression::normal(&dmatrix![1.0, 0.3; 0.3, 0.5], &[0.7, -0.2], 0.4, 50, 3).unwrap();
        let all: Vec<u32> = (0..50).collect();
        let theta: Vec<f64> = (0..2 * LANES).map(|i| (i as f64).sqrt() - 3.0).collect();
        let mut scratch = vec![f64::NAN; regression.block_scratch()];
        let (mut slopes, mut values) = (vec![0.0; 2 * LANES], vec![0.0; LANES]);
        regression.gradient_block(&theta, &mut slopes, &mut scratch);
        regression.value_block(&theta, &mut values, &mut scratch);
        for lane in 0..LANES {
            let point = [theta[lane], theta[LANES + lane]];
            let mean = (0..50)
                .map(|i| 0.5 * (dot(regression.features(i), &point) - regression.labels[i]).powi(2))
                .sum::<f64>()
                / 50.0;
            let (mut plain, mut summed) = ([0.0; 2], [0.0; 2]);
            regression.gradient(&point, &mut plain);
            regression.batch_gradient(&point, &all, &mut summed);
            assert_eq!(regression.value(&point).to_bits(), values[lane].to_bits());
            assert!((values[lane] - mean).abs() < 1e-12 * (1.0 + mean));
            for i in 0..2 {
                assert_eq!(plain[i].to_bits(), slopes[i * LANES + lane].to_bits());
                assert!((plain[i] - summed[i]).abs() < 1e-12 * (1.0 + mean));
            }
        }
        assert_eq!(Regression::new(&[vec![1.0, 2.0]], &[1.0]).err(), Some(RegressionError::Singular));
        assert_eq!(Regression::new(&[vec![1.0]], &[1.0, 2.0]).err(), Some(RegressionError::Shape));
    }
}
