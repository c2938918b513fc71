//! The stationary covariance in a quadratic bowl with additive noise: exact for the SDE and for any stable step.

use nalgebra::{DMatrix, DVector, SymmetricEigen};

/// Σ with HΣ + ΣH − δHΣH = nC; δ = 0 is the SDE, HΣ + ΣH = nC. `None` unless 0 < δh < 2 for every curvature h.
///
/// In the eigenbasis of H with curvatures hᵢ: Σᵢⱼ = nCᵢⱼ/(hᵢ + hⱼ − δhᵢhⱼ). Source: Mandt, Hoffman & Blei 2017
/// (arXiv:1704.04289), eq. (10) for δ = 0; the fixed point of Σ ← (I − δH)Σ(I − δH) + nδC otherwise.
///
/// ```
/// use nalgebra::dmatrix;
/// use sgd_sde::theory::ornstein_uhlenbeck::stationary_covariance;
/// let sigma = stationary_covariance(&dmatrix![2.0], &dmatrix![4.0], 0.1, 0.1).unwrap();
/// assert!((sigma[(0, 0)] - 0.1 * 4.0 / (2.0 * 2.0 * (1.0 - 0.1 * 2.0 / 2.0))).abs() < 1e-15);
/// ```
pub fn stationary_covariance(
    hessian: &DMatrix<f64>,
    covariance: &DMatrix<f64>,
    noise_scale: f64,
    step: f64,
) -> Option<DMatrix<f64>> {
    let eigen = SymmetricEigen::new(hessian.clone());
    let h: &DVector<f64> = &eigen.eigenvalues;
    if h.iter().any(|&h| !(h > 0.0 && step * h < 2.0)) {
        return None;
    }
    let rotated = eigen.eigenvectors.transpose() * covariance * &eigen.eigenvectors;
    let solved =
        DMatrix::from_fn(h.len(), h.len(), |i, j| noise_scale * rotated[(i, j)] / (h[i] + h[j] - step * h[i] * h[j]));
    Some(&eigen.eigenvectors * solved * eigen.eigenvectors.transpose())
}
