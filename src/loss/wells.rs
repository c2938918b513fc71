//! Smooth minimum of parabolic wells: L(θ) = −s ln Σₖ exp(−(Lₖ + ½(θ−mₖ)ᵀHₖ(θ−mₖ))/s).
//!
//! As s → 0 this is the lower envelope of the parabolas, so depth Lₖ, place mₖ and curvature Hₖ of every minimum are
//! chosen at will, which is what a test of "deep against wide" needs. The smoothing s only rounds the ridges between
//! the wells (and moves the minima by an amount that is exponentially small in the ridge's height over s).

mod spec;

use nalgebra::{DMatrix, DVector};

pub use spec::{WellSpec, WellsSpec};

use super::curvature::Curvature;
use super::independence;
use super::kernel::{self, Descent, LaneGradient};
use super::scratch::with_scratch;
use super::{LANES, Loss};
use crate::instructions::vectorized;
use crate::math;

/// One parabolic well.
#[derive(Clone, Debug, PartialEq)]
pub struct Well {
    /// Where its minimum lies, mₖ ∈ ℝᵈ.
    pub position: Vec<f64>,
    /// The loss at its minimum, Lₖ.
    pub loss: f64,
    /// Its Hessian Hₖ, d × d, symmetric and positive definite.
    pub hessian: DMatrix<f64>,
}

/// What is wrong with a set of wells.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WellsError {
    /// There is nothing to take the minimum of.
    #[error("there is no well: give at least one")]
    Empty,
    /// The smoothing is not a positive number.
    #[error("smoothing is {0}: it must be a positive number")]
    Smoothing(f64),
    /// A well lives in another dimension than the first.
    #[error("well {index} has {found} coordinates, the first has {expected}")]
    Dimension {
        /// Which well, from 0.
        index: usize,
        /// Its dimension.
        found: usize,
        /// The dimension of the first well.
        expected: usize,
    },
    /// A Hessian is not symmetric positive definite.
    #[error("the Hessian of well {index} is not symmetric and positive definite")]
    Hessian {
        /// Which well, from 0.
        index: usize,
    },
}

/// Smooth minimum of parabolic wells.
///
/// ```
/// use nalgebra::dmatrix;
/// use sgd_sde::loss::{Loss, wells::{Well, Wells}};
///
/// let sharp = Well { position: vec![-1.0], loss: 0.0, hessian: dmatrix![8.0] };
/// let wide = Well { position: vec![1.0], loss: 0.1, hessian: dmatrix![1.5] };
/// let loss = Wells::new(&[sharp, wide], 0.1)?;
/// assert!((loss.value(&[1.0]) - 0.1).abs() < 1e-12);
/// # Ok::<(), sgd_sde::loss::wells::WellsError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Wells {
    wells: Vec<Well>,
    smoothing: f64,
    /// The Hessians of the wells.
    curvatures: Vec<Curvature>,
}

impl Wells {
    /// Wells in ℝᵈ with smoothing s > 0, in units of the loss.
    ///
    /// # Errors
    /// When there is no well, dimensions differ, a Hessian is not symmetric positive definite, or s is not positive.
    pub fn new(wells: &[Well], smoothing: f64) -> Result<Self, WellsError> {
        let first = wells.first().ok_or(WellsError::Empty)?;
        if !(smoothing > 0.0 && smoothing.is_finite()) {
            return Err(WellsError::Smoothing(smoothing));
        }
        let expected = first.position.len();
        for (index, well) in wells.iter().enumerate() {
            if well.position.len() != expected {
                return Err(WellsError::Dimension { index, found: well.position.len(), expected });
            }
            let square = well.hessian.nrows() == expected && well.hessian.ncols() == expected;
            if !square || well.hessian != well.hessian.transpose() || well.hessian.clone().cholesky().is_none() {
                return Err(WellsError::Hessian { index });
            }
        }
        let curvatures = wells.iter().map(|well| Curvature::new(&well.hessian)).collect();
        Ok(Self { wells: wells.to_vec(), smoothing, curvatures })
    }

    /// Numbers of scratch for N points at once: a weight and d slopes for every well, and d distances.
    fn scratch_length(&self, points: usize) -> usize {
        points * (self.wells.len() * (self.dimension() + 1) + self.dimension())
    }

    /// Softmax weights wₖ ∝ exp(−Eₖ/s) and slopes Hₖ(θ−mₖ) of every well at N points, where
    /// Eₖ = Lₖ + ½(θ−mₖ)ᵀHₖ(θ−mₖ); returns the lowest energy and Σ exp(−(Eₖ − lowest)/s).
    ///
    /// Rows are arrays of N on the stack: the compiler keeps them in vector registers.
    #[inline(always)]
    fn evaluate<const N: usize>(&self, theta: &[[f64; N]], scratch: &mut [[f64; N]]) -> ([f64; N], [f64; N]) {
        let d = theta.len();
        let (weights, rest) = scratch.split_at_mut(self.wells.len());
        let (slopes, distance) = rest.split_at_mut(self.wells.len() * d);
        let distance = &mut distance[..d];
        let mut lowest = [f64::INFINITY; N];
        for (k, (well, curvature)) in self.wells.iter().zip(&self.curvatures).enumerate() {
            for ((distance, x), m) in distance.iter_mut().zip(theta).zip(&well.position) {
                for l in 0..N {
                    distance[l] = x[l] - m;
                }
            }
            let slopes = &mut slopes[k * d..][..d];
            curvature.multiply(distance, slopes);
            let mut energy = [0.0; N];
            for (slope, distance) in slopes.iter().zip(&*distance) {
                for l in 0..N {
                    energy[l] += slope[l] * distance[l];
                }
            }
            for l in 0..N {
                energy[l] = well.loss + 0.5 * energy[l];
                lowest[l] = if energy[l] < lowest[l] { energy[l] } else { lowest[l] };
            }
            weights[k] = energy;
        }
        let scale = 1.0 / self.smoothing;
        let mut total = [0.0; N];
        for row in weights.iter_mut() {
            let mut weight = *row;
            for l in 0..N {
                weight[l] = math::exp((lowest[l] - weight[l]) * scale);
                total[l] += weight[l];
            }
            *row = weight;
        }
        for row in weights.iter_mut() {
            for l in 0..N {
                row[l] /= total[l];
            }
        }
        (lowest, total)
    }

    /// H·v = Σ wₖHₖv − (1/s)(Σ wₖ(gₖ·v)gₖ − (ḡ·v)ḡ) at N points; see [`Loss::hessian`].
    #[inline(always)]
    fn product_of<const N: usize>(
        &self,
        theta: &[[f64; N]],
        direction: &[[f64; N]],
        product: &mut [[f64; N]],
        scratch: &mut [[f64; N]],
    ) {
        let d = theta.len();
        self.evaluate(theta, scratch);
        let (weights, rest) = scratch.split_at_mut(self.wells.len());
        let (slopes, curved) = rest.split_at_mut(self.wells.len() * d);
        let curved = &mut curved[..d];
        let scale = 1.0 / self.smoothing;
        // Σ wₖ(gₖ·v) = ḡ·v, so that the last two terms are −(1/s)Σ wₖ(gₖ·v − ḡ·v)gₖ.
        let mut mean = [0.0; N];
        let along = |slopes: &[[f64; N]]| {
            let mut sum = [0.0; N];
            for (slope, v) in slopes.iter().zip(direction) {
                for l in 0..N {
                    sum[l] += slope[l] * v[l];
                }
            }
            sum
        };
        for (k, weight) in weights.iter().enumerate() {
            let along = along(&slopes[k * d..][..d]);
            for l in 0..N {
                mean[l] += weight[l] * along[l];
            }
        }
        product.fill([0.0; N]);
        for (k, (weight, curvature)) in weights.iter().zip(&self.curvatures).enumerate() {
            let slopes = &slopes[k * d..][..d];
            let along = along(slopes);
            curvature.multiply(direction, curved);
            for ((product, curved), slope) in product.iter_mut().zip(&*curved).zip(slopes) {
                for l in 0..N {
                    product[l] += weight[l] * (curved[l] - scale * (along[l] - mean[l]) * slope[l]);
                }
            }
        }
    }

    #[inline(always)]
    fn value_of<const N: usize>(&self, theta: &[f64], value: &mut [f64], scratch: &mut [f64]) {
        let (lowest, total) = self.evaluate::<N>(theta.as_chunks().0, scratch.as_chunks_mut().0);
        for l in 0..N {
            value[l] = lowest[l] - self.smoothing * math::ln(total[l]);
        }
    }
}

impl LaneGradient for Wells {
    #[inline(always)]
    fn gradient_of<const N: usize>(&self, theta: &[[f64; N]], gradient: &mut [[f64; N]], scratch: &mut [[f64; N]]) {
        let d = theta.len();
        self.evaluate(theta, scratch);
        let (weights, slopes) = scratch.split_at(self.wells.len());
        for (i, row) in gradient.iter_mut().enumerate() {
            let mut sum = [0.0; N];
            for (k, weight) in weights.iter().enumerate() {
                let slope = &slopes[k * d + i];
                for l in 0..N {
                    sum[l] += weight[l] * slope[l];
                }
            }
            *row = sum;
        }
    }
}

#[inline(always)]
fn value_lanes(wells: &Wells, theta: &[f64], value: &mut [f64], scratch: &mut [f64]) {
    wells.value_of::<LANES>(theta, value, scratch);
}

impl Loss for Wells {
    fn dimension(&self) -> usize {
        self.wells[0].position.len()
    }

    fn likely_minima(&self) -> Vec<Vec<f64>> {
        self.wells.iter().map(|well| well.position.clone()).collect()
    }

    fn value(&self, theta: &[f64]) -> f64 {
        let mut value = [0.0];
        with_scratch(self.scratch_length(1), |scratch| self.value_of::<1>(theta, &mut value, scratch));
        value[0]
    }

    fn gradient(&self, theta: &[f64], gradient: &mut [f64]) {
        with_scratch(self.scratch_length(1), |scratch| {
            self.gradient_of::<1>(theta.as_chunks().0, gradient.as_chunks_mut().0, scratch.as_chunks_mut().0);
        });
    }

    /// H = Σ wₖHₖ − (1/s)(Σ wₖgₖgₖᵀ − ḡḡᵀ), with softmax weights w and gₖ = Hₖ(θ−mₖ).
    fn hessian(&self, theta: &[f64]) -> DMatrix<f64> {
        let d = self.dimension();
        let mut scratch = vec![0.0; self.scratch_length(1)];
        self.evaluate::<1>(theta.as_chunks().0, scratch.as_chunks_mut().0);
        let (weights, slopes) = scratch.split_at(self.wells.len());
        let mut hessian = DMatrix::zeros(d, d);
        let mut mean = DVector::zeros(d);
        for (k, well) in self.wells.iter().enumerate() {
            let slope = DVector::from_column_slice(&slopes[k * d..(k + 1) * d]);
            hessian += (&well.hessian - &slope * slope.transpose() / self.smoothing) * weights[k];
            mean += slope * weights[k];
        }
        hessian + &mean * mean.transpose() / self.smoothing
    }

    /// A parabola that all wells have in common is a part of its own: −s ln Σ exp(−(Eₖ + E)/s) = E − s ln Σ exp(−Eₖ/s).
    fn independent_coordinates(&self) -> Vec<Vec<usize>> {
        let d = self.dimension();
        let first = &self.wells[0];
        let differs = |i: usize| {
            let of_well =
                |well: &Well| well.position[i] != first.position[i] || well.hessian.row(i) != first.hessian.row(i);
            self.wells.iter().any(of_well)
        };
        let differing: Vec<usize> = (0..d).filter(|&i| differs(i)).collect();
        let coupled = (0..d * d).map(|pair| (pair / d, pair % d));
        let coupled = coupled.filter(|&(i, j)| self.wells.iter().any(|well| well.hessian[(i, j)] != 0.0));
        independence::groups(d, differing.windows(2).map(|pair| (pair[0], pair[1])).chain(coupled))
    }

    fn block_scratch(&self) -> usize {
        self.scratch_length(LANES)
    }

    fn gradient_block(&self, theta: &[f64], gradient: &mut [f64], scratch: &mut [f64]) {
        kernel::gradient_block(self, theta, gradient, scratch);
    }

    fn hessian_product_scratch(&self) -> usize {
        self.scratch_length(LANES)
    }

    fn hessian_product_block(&self, theta: &[f64], direction: &[f64], product: &mut [f64], scratch: &mut [f64]) {
        vectorized(
            #[inline(always)]
            || {
                let (theta, direction) = (theta.as_chunks::<LANES>().0, direction.as_chunks().0);
                self.product_of(theta, direction, product.as_chunks_mut().0, scratch.as_chunks_mut().0);
            },
        );
    }

    fn descend_block(&self, descent: Descent<'_>) {
        kernel::descend_block(self, descent);
    }

    fn value_block(&self, theta: &[f64], value: &mut [f64], scratch: &mut [f64]) {
        vectorized(
            #[inline(always)]
            || value_lanes(self, theta, value, scratch),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::dmatrix;

    fn two_dimensional() -> Wells {
        let wells = [
            Well { position: vec![-1.0, 0.3], loss: 0.0, hessian: dmatrix![8.0, 1.0; 1.0, 2.0] },
            Well { position: vec![1.0, -0.2], loss: 0.1, hessian: dmatrix![1.5, 0.0; 0.0, 3.0] },
        ];
        Wells::new(&wells, 0.1).unwrap()
    }

    #[test]
    fn derivatives_agree_with_differences() {
        let loss = two_dimensional();
        for theta in [[0.1, 0.2], [-0.3, 0.05], [-0.368, 0.1], [0.9, -0.4]] {
            let mut gradient = [0.0; 2];
            loss.gradient(&theta, &mut gradient);
            let hessian = loss.hessian(&theta);
            let step = 1e-5;
            for i in 0..2 {
                let (mut up, mut down) = (theta, theta);
                up[i] += step;
                down[i] -= step;
                let slope = (loss.value(&up) - loss.value(&down)) / (2.0 * step);
                assert!((slope - gradient[i]).abs() < 1e-7, "{slope} {}", gradient[i]);
                let (mut above, mut below) = ([0.0; 2], [0.0; 2]);
                loss.gradient(&up, &mut above);
                loss.gradient(&down, &mut below);
                for j in 0..2 {
                    let curvature = (above[j] - below[j]) / (2.0 * step);
                    assert!((curvature - hessian[(i, j)]).abs() < 1e-5 * (1.0 + curvature.abs()));
                }
            }
        }
    }

    #[test]
    fn a_block_is_its_points() {
        let loss = two_dimensional();
        let theta: Vec<f64> = (0..2 * LANES).map(|i| (i as f64 * 0.37).rem_euclid(3.0) - 1.5).collect();
        let (mut gradient, mut value) = (vec![0.0; 2 * LANES], vec![0.0; LANES]);
        let mut scratch = vec![0.0; loss.block_scratch()];
        loss.gradient_block(&theta, &mut gradient, &mut scratch);
        loss.value_block(&theta, &mut value, &mut scratch);
        for lane in 0..LANES {
            let point = [theta[lane], theta[LANES + lane]];
            let mut slope = [0.0; 2];
            loss.gradient(&point, &mut slope);
            assert_eq!(slope, [gradient[lane], gradient[LANES + lane]]);
            assert_eq!(loss.value(&point), value[lane]);
        }
    }
}
