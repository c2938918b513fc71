//! The spectral norm of a Hessian: how strongly the loss bends at a place.

use nalgebra::{Cholesky, DMatrix};

/// The largest |eigenvalue| of a symmetric matrix; ∞ where an entry is not finite.
pub(crate) fn spectral_norm(matrix: DMatrix<f64>) -> f64 {
    if matrix.iter().any(|x| !x.is_finite()) {
        return f64::INFINITY;
    }
    match matrix.as_slice() {
        [h] => h.abs(),
        [a, b, _, d] => 0.5 * (a + d).abs() + libm::hypot(0.5 * (a - d), *b),
        _ => matrix.symmetric_eigenvalues().iter().fold(0.0f64, |largest, h| largest.max(h.abs())),
    }
}

/// The spectral norm if it is more than `floor`, which costs far less to find out than the norm itself: |λ| < floor for all
/// eigenvalues just where floor·1 − H and floor·1 + H have roots of Cholesky.
pub(crate) fn spectral_norm_above(matrix: DMatrix<f64>, floor: f64) -> Option<f64> {
    if matrix.nrows() > 2 && floor.is_finite() {
        let floors = DMatrix::from_diagonal_element(matrix.nrows(), matrix.nrows(), floor);
        if Cholesky::new(&floors - &matrix).is_some() && Cholesky::new(floors + &matrix).is_some() {
            return None;
        }
    }
    Some(spectral_norm(matrix)).filter(|&norm| norm > floor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::dmatrix;

    #[test]
    fn norms_of_symmetric_matrices() {
        assert_eq!(spectral_norm(dmatrix![-3.0]), 3.0);
        assert!((spectral_norm(dmatrix![1.0, 2.0; 2.0, -2.0]) - 3.0).abs() < 1e-15);
        assert!((spectral_norm(dmatrix![1.0, 2.0, 0.0; 2.0, -2.0, 0.0; 0.0, 0.0, 2.5]) - 3.0).abs() < 1e-14);
        assert_eq!(spectral_norm(dmatrix![f64::NAN]), f64::INFINITY);
    }

    /// The eigenvalue of largest size may be the lowest or the highest; what is not finite is more than any floor.
    #[test]
    fn norms_above_a_floor() {
        let lowest = dmatrix![1.0, 2.0, 0.0; 2.0, -2.0, 0.0; 0.0, 0.0, 2.5];
        for matrix in [lowest.clone(), -lowest, dmatrix![1.0, 2.0; 2.0, -2.0], dmatrix![-3.0]] {
            assert_eq!(spectral_norm_above(matrix.clone(), 3.0 + 1e-12), None);
            assert_eq!(spectral_norm_above(matrix.clone(), 3.0 - 1e-12), Some(spectral_norm(matrix.clone())));
            assert_eq!(spectral_norm_above(matrix.clone(), 0.0), Some(spectral_norm(matrix)));
        }
        let broken = DMatrix::from_element(3, 3, f64::NAN);
        assert_eq!(spectral_norm_above(broken.clone(), 1e9), Some(f64::INFINITY));
        assert_eq!(spectral_norm_above(broken, f64::INFINITY), None);
    }
}
