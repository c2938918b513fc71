//! Moves between the wells: proposals from a mixture of the Gaussians that Laplace's method puts at the minima.
//!
//! An independence sampler (Hastings 1970): the proposal does not depend on where the walker is, and is accepted with
//! probability min(1, π(θ′)q(θ)/(π(θ)q(θ′))). Where the wells are nearly parabolic it mixes at once; where they are not it
//! does no harm, since the acceptance is exact.

use nalgebra::{Cholesky, DMatrix};

use crate::instructions::vectorized;
use crate::landscape::CriticalPoint;
use crate::loss::LANES;
use crate::math;
use crate::theory::laplace;

/// q(θ) = Σ ωₖ N(θ; mₖ, cT Hₖ⁻¹).
pub(super) struct Mixture {
    wells: Vec<Gaussian>,
    /// Sums of the weights ω up to each well, the last one being 1.
    cumulated: Vec<f64>,
    /// cT, with c = 1 + 1/d: tails a little wider than Laplace's, at a cost in acceptance of at most √e.
    spread: f64,
}

struct Gaussian {
    center: Vec<f64>,
    /// H = U^T U with U upper triangular, row by row.
    upper: DMatrix<f64>,
    /// U⁻¹: it makes normals of covariance H⁻¹.
    inverse: DMatrix<f64>,
    /// ln ω + ½ ln det H.
    log_weight: f64,
}

impl Mixture {
    /// `minima` are all images of all minima.
    pub(super) fn new(minima: &[CriticalPoint], temperature: f64) -> Self {
        let masses = laplace::shares(minima, temperature);
        // The mass of a minimum is that of all its images; here each counts by itself.
        let masses: Vec<f64> =
            masses.iter().zip(minima).map(|(mass, minimum)| mass / f64::from(minimum.multiplicity)).collect();
        let all: f64 = masses.iter().sum();
        // Half of the proposals by Laplace's masses, half in equal parts, so that no well is forgotten.
        let weights: Vec<f64> = masses.iter().map(|mass| 0.5 * (mass / all + 1.0 / minima.len() as f64)).collect();
        let wells =
            minima.iter().zip(&weights).map(|(minimum, weight)| Gaussian::at(minimum, temperature, *weight)).collect();
        let mut sum = 0.0;
        let mut cumulated: Vec<f64> = weights
            .iter()
            .map(|weight| {
                sum += weight;
                sum
            })
            .collect();
        cumulated[minima.len() - 1] = 1.0;
        let dimension = minima[0].theta.len() as f64;
        Self { wells, cumulated, spread: temperature * (1.0 + 1.0 / dimension) }
    }

    /// Writes a proposal into `theta`, from a uniform number and d standard normals.
    pub(super) fn propose(&self, uniform: f64, normals: &[f64], theta: &mut [f64]) {
        let chosen = self.cumulated.iter().position(|&bound| uniform < bound).unwrap_or(self.wells.len() - 1);
        let well = &self.wells[chosen];
        let scale = self.spread.sqrt();
        for (i, x) in theta.iter_mut().enumerate() {
            let sum: f64 = (i..normals.len()).map(|j| well.inverse[(i, j)] * normals[j]).sum();
            *x = well.center[i] + scale * sum;
        }
    }

    /// ln q(θ), but for a constant, of a block of places; `apart` has room for as many numbers as they have.
    pub(super) fn log_densities(&self, theta: &[f64], apart: &mut [f64]) -> [f64; LANES] {
        let (mut largest, mut sums) = ([f64::NEG_INFINITY; LANES], [0.0; LANES]);
        for well in &self.wells {
            let squares = well.squares(theta, apart);
            for lane in 0..LANES {
                let term = well.log_weight - 0.5 * squares[lane] / self.spread;
                if term > largest[lane] {
                    sums[lane] = sums[lane] * math::exp(largest[lane] - term) + 1.0;
                    largest[lane] = term;
                } else {
                    sums[lane] += math::exp(term - largest[lane]);
                }
            }
        }
        std::array::from_fn(|lane| largest[lane] + math::ln(sums[lane]))
    }
}

impl Gaussian {
    fn at(minimum: &CriticalPoint, temperature: f64, weight: f64) -> Self {
        let curvatures = minimum.curvatures_at(temperature);
        let upper = upper_root(&minimum.bowl(&curvatures));
        let log_determinant: f64 = curvatures.iter().map(|h| math::ln(h.abs())).sum();
        let inverse = upper_inverse(&upper);
        Self { center: minimum.theta.clone(), upper, inverse, log_weight: math::ln(weight) + 0.5 * log_determinant }
    }

    /// (θ−m)ᵀH(θ−m) of a block of places; θ−m is left in `apart`.
    fn squares(&self, theta: &[f64], apart: &mut [f64]) -> [f64; LANES] {
        let mut squares = [0.0; LANES];
        vectorized(
            #[inline(always)]
            || {
                let (theta, apart) = (theta.as_chunks::<LANES>().0, apart.as_chunks_mut::<LANES>().0);
                for ((apart, x), center) in apart.iter_mut().zip(theta).zip(&self.center) {
                    for lane in 0..LANES {
                        apart[lane] = x[lane] - center;
                    }
                }
                for i in 0..theta.len() {
                    let mut row = [0.0; LANES];
                    for (j, apart) in apart.iter().enumerate().skip(i) {
                        let factor = self.upper[(i, j)];
                        for lane in 0..LANES {
                            row[lane] += factor * apart[lane];
                        }
                    }
                    for lane in 0..LANES {
                        squares[lane] += row[lane] * row[lane];
                    }
                }
            },
        );
        squares
    }
}

/// The Hessian of the bowl that exp(−L/T) feels at a minimum: H, but for flat directions.
pub(super) fn bowl(minimum: &CriticalPoint, temperature: f64) -> DMatrix<f64> {
    minimum.bowl(&minimum.curvatures_at(temperature))
}

/// U, upper triangular, with UᵀU = H.
pub(super) fn upper_root(matrix: &DMatrix<f64>) -> DMatrix<f64> {
    // Its curvatures are positive: those of a minimum, and along flat directions T/u².
    let root = Cholesky::new(matrix.clone()).expect("the bowl at a minimum is positive definite");
    root.l().transpose()
}

/// U⁻¹ of an upper triangular U, by back substitution.
pub(super) fn upper_inverse(upper: &DMatrix<f64>) -> DMatrix<f64> {
    let d = upper.nrows();
    let mut inverse = DMatrix::zeros(d, d);
    for column in 0..d {
        inverse[(column, column)] = 1.0 / upper[(column, column)];
        for row in (0..column).rev() {
            let sum: f64 = (row + 1..=column).map(|k| upper[(row, k)] * inverse[(k, column)]).sum();
            inverse[(row, column)] = -sum / upper[(row, row)];
        }
    }
    inverse
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use nalgebra::dmatrix;

    use super::*;
    use crate::landscape::Landscape;
    use crate::loss::wells::{Well, Wells};

    /// ln q at one place.
    fn log_density(mixture: &Mixture, theta: &[f64]) -> f64 {
        let block: Vec<f64> = theta.iter().flat_map(|&x| [x; LANES]).collect();
        mixture.log_densities(&block, &mut vec![0.0; block.len()])[0]
    }

    /// q is normalised: ∫ exp(ln q) over the plane is (2πcT)^(d/2), the constant that is left out. And proposals have
    /// the mean and covariance of q.
    #[test]
    fn proposals_have_the_density_that_is_accounted_for() {
        let well = |x: f64, loss: f64, hessian| Well { position: vec![x, 0.3 * x], loss, hessian };
        let wells = [well(-1.0, 0.0, dmatrix![4.0, 1.0; 1.0, 2.0]), well(1.0, 0.1, dmatrix![1.0, 0.0; 0.0, 3.0])];
        let loss = Arc::new(Wells::new(&wells, 0.02).unwrap());
        let landscape = Landscape::explore(loss, &[[-2.0, 2.0]; 2]).unwrap();
        let mixture = Mixture::new(&landscape.minima, 0.1);
        let (mut whole, mut mean, n) = (0.0, [0.0; 2], 600);
        for index in 0..n * n {
            let theta = [-4.0 + 8.0 * (index % n) as f64 / n as f64, -4.0 + 8.0 * (index / n) as f64 / n as f64];
            let weight = math::exp(log_density(&mixture, &theta)) * (8.0 / n as f64) * (8.0 / n as f64);
            whole += weight;
            (0..2).for_each(|i| mean[i] += weight * theta[i]);
        }
        let constant = 2.0 * std::f64::consts::PI * 0.1 * 1.5;
        assert!((whole / constant - 1.0).abs() < 1e-9, "{whole} {constant}");
        // The midpoints of equal parts of the normal distribution stand for random normals.
        let normal = |k: usize| crate::statistics::special::normal_quantile((k as f64 + 0.5) / 40.0);
        let mut average = [0.0; 2];
        for index in 0..400 * 1600 {
            let normals = [normal(index / 400 % 40), normal(index / 16_000)];
            let mut theta = [0.0; 2];
            mixture.propose((index % 400) as f64 / 400.0 + 0.00125, &normals, &mut theta);
            (0..2).for_each(|i| average[i] += theta[i] / (400.0 * 1600.0));
        }
        assert!((0..2).all(|i| (average[i] - mean[i] / whole).abs() < 4e-3), "{average:?} {mean:?}");
    }

    /// Three images of a minimum and one of another, far apart: at each the density is that of its own Gaussian alone.
    #[test]
    fn images_share_the_mass_of_their_minimum() {
        let image = |place: f64, loss: f64, eigenvalues: [f64; 2], multiplicity| CriticalPoint {
            theta: vec![place, 0.0],
            loss,
            eigenvalues: eigenvalues.to_vec(),
            eigenvectors: DMatrix::identity(2, 2),
            multiplicity,
            flat: Vec::new(),
        };
        let narrow = |place| image(place, 0.0, [2.0, 8.0], 3);
        let images = [narrow(-100.0), narrow(0.0), narrow(100.0), image(200.0, 0.1, [1.0, 1.0], 1)];
        let mixture = Mixture::new(&images, 0.1);
        // By Laplace, one image of the first weighs 1/√16, the second e⁻¹; half of the proposals go by weight, half in equal parts.
        let weights = [0.25, 0.25, 0.25, (-1.0f64).exp()];
        let all: f64 = weights.iter().sum();
        for ((image, weight), root) in images.iter().zip(weights).zip([4.0, 4.0, 4.0, 1.0]) {
            let expected = (root * 0.5 * (weight / all + 0.25)).ln();
            assert!((log_density(&mixture, &image.theta) - expected).abs() < 1e-13, "{expected}");
        }
    }
}
