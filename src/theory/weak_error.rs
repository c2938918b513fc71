//! Weak errors in a bowl: SGD, its SDE and the modified equation of second order have means and covariances in closed form there, so
//! that E f of a quadratic f, and with it the error of either SDE, is known at every time without any simulation.
//!
//! In the eigenbasis of H, with additive noise and S fixed, from a point at t = 0:
//!
//! | | mean, component i | covariance, component ij |
//! |---|---|---|
//! | SGD, k = t/η steps | (1 − ηhᵢ)ᵏ | (η²/S)Cᵢⱼ (1 − (aᵢaⱼ)ᵏ)/(1 − aᵢaⱼ), a = 1 − ηh |
//! | SDE | e^(−uᵢt) with u = h | nCᵢⱼ (1 − e^(−(uᵢ+uⱼ)t))/(uᵢ + uⱼ) |
//! | modified equation | the same with u = h + ηh²/2 | the same |
//!
//! Source: Li, Tai & E 2017, and the closed solutions of linear recursions and linear SDEs.

use nalgebra::{DMatrix, DVector, SymmetricEigen};

use crate::math;

/// What moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Process {
    /// SGD with Gaussian noise of the covariance C/S.
    Sgd,
    /// dθ = −∇L dt + √n B dW.
    FirstOrder,
    /// dθ = −∇(L + (η/4)|∇L|²) dt + √n B dW.
    SecondOrder,
}

/// L = ½(θ − θ*)ᵀH(θ − θ*) with constant C.
#[derive(Clone, Debug)]
pub struct Bowl {
    minimum: DVector<f64>,
    curvatures: DVector<f64>,
    basis: DMatrix<f64>,
    /// C in that basis.
    covariance: DMatrix<f64>,
}

impl Bowl {
    /// A bowl with minimum θ*, Hessian H and per-example covariance C.
    pub fn new(minimum: &[f64], hessian: &DMatrix<f64>, covariance: &DMatrix<f64>) -> Self {
        let eigen = SymmetricEigen::new(hessian.clone());
        let covariance = eigen.eigenvectors.transpose() * covariance * &eigen.eigenvectors;
        let minimum = DVector::from_column_slice(minimum);
        Self { minimum, curvatures: eigen.eigenvalues, basis: eigen.eigenvectors, covariance }
    }

    /// Mean and covariance of θ at t = `steps`·η from `start`.
    pub fn moments(
        &self,
        process: Process,
        start: &[f64],
        learning_rate: f64,
        batch_size: f64,
        steps: u64,
    ) -> (DVector<f64>, DMatrix<f64>) {
        let d = self.curvatures.len();
        let time = steps as f64 * learning_rate;
        let rate = |i: usize| {
            let h = self.curvatures[i];
            if process == Process::SecondOrder { h * (1.0 + 0.5 * learning_rate * h) } else { h }
        };
        let factor = |i: usize| 1.0 - learning_rate * self.curvatures[i];
        let left = |i: usize| match process {
            Process::Sgd => power(factor(i), steps),
            _ => math::exp(-rate(i) * time),
        };
        let noise_scale = learning_rate / batch_size;
        let spread = DMatrix::from_fn(d, d, |i, j| {
            let forgotten = 1.0 - left(i) * left(j);
            self.covariance[(i, j)]
                * match process {
                    Process::Sgd => noise_scale * learning_rate * forgotten / (1.0 - factor(i) * factor(j)),
                    _ => noise_scale * forgotten / (rate(i) + rate(j)),
                }
        });
        let begin = self.basis.transpose() * (DVector::from_column_slice(start) - &self.minimum);
        let mean = DVector::from_fn(d, |i, _| left(i) * begin[i]);
        (&self.minimum + &self.basis * mean, &self.basis * spread * self.basis.transpose())
    }
}

/// xᵏ by multiplications alone.
fn power(x: f64, k: u64) -> f64 {
    let (mut result, mut square, mut left) = (1.0, x, k);
    while left > 0 {
        if left & 1 == 1 {
            result *= square;
        }
        square *= square;
        left >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use nalgebra::dmatrix;

    use super::*;

    /// L = x²/2 from 1, σ² = S = 1, t = 1: E x² by hand, and the errors of the design document.
    #[test]
    fn the_errors_of_the_reference_case() {
        let bowl = Bowl::new(&[0.0], &dmatrix![1.0], &dmatrix![1.0]);
        let expected = [
            (0.1, 10, [0.0108, 0.0036]),
            (0.05, 20, [0.0061, 0.000_87]),
            (0.025, 40, [0.0032, 0.000_22]),
            (0.0125, 80, [0.0017, 0.000_054]),
        ];
        for (learning_rate, steps, errors) in expected {
            let mean_square = |process| {
                let (mean, covariance) = bowl.moments(process, &[1.0], learning_rate, 1.0, steps);
                mean[0] * mean[0] + covariance[(0, 0)]
            };
            let sgd = mean_square(Process::Sgd);
            for (process, error) in [Process::FirstOrder, Process::SecondOrder].into_iter().zip(errors) {
                let found = (sgd - mean_square(process)).abs();
                // Two digits are given.
                assert!((found - error).abs() < 0.03 * error, "η = {learning_rate}: {found} for {error}");
            }
        }
    }

    /// In the plane, with C that does not commute with H, against the recursion and Euler's method of the moments' equations.
    #[test]
    fn moments_are_those_of_their_equations() {
        let (hessian, covariance) = (dmatrix![2.0, 0.5; 0.5, 1.0], dmatrix![1.0, 0.4; 0.4, 0.5]);
        let minimum = DVector::from_vec(vec![0.3, -0.2]);
        let bowl = Bowl::new(minimum.as_slice(), &hessian, &covariance);
        let (start, learning_rate, batch_size, steps) = ([1.0, 0.5], 0.1, 2.0, 7);
        let from = DVector::from_column_slice(&start) - &minimum;
        let identity = DMatrix::<f64>::identity(2, 2);
        let factor = &identity - &hessian * learning_rate;
        let (mut mean, mut spread) = (from.clone(), DMatrix::zeros(2, 2));
        for _ in 0..steps {
            mean = &factor * mean;
            spread = &factor * spread * &factor + &covariance * (learning_rate * learning_rate / batch_size);
        }
        let (found, found_spread) = bowl.moments(Process::Sgd, &start, learning_rate, batch_size, steps);
        assert!((found - &minimum - mean).norm() < 1e-14 && (found_spread - spread).norm() < 1e-14);
        for (process, drift) in [
            (Process::FirstOrder, hessian.clone()),
            (Process::SecondOrder, &hessian + &hessian * &hessian * (0.5 * learning_rate)),
        ] {
            let fine = 100_000;
            let step = 0.7 / f64::from(fine);
            let (mut mean, mut spread) = (from.clone(), DMatrix::zeros(2, 2));
            for _ in 0..fine {
                mean -= &drift * &mean * step;
                let change = &drift * &spread + &spread * &drift;
                spread += (&covariance * (learning_rate / batch_size) - change) * step;
            }
            let (found, found_spread) = bowl.moments(process, &start, learning_rate, batch_size, steps);
            assert!((found - &minimum - mean).norm() < 1e-5 && (found_spread - spread).norm() < 1e-6, "{process:?}");
        }
    }
}
