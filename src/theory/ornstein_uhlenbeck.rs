//! The stationary covariance in a quadratic bowl with additive noise: exact for the SDE and for any stable step.

use nalgebra::{DMatrix, DVector, SymmetricEigen};

use super::Scheme;

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
    scheme_covariance(Scheme::EulerMaruyama, hessian, covariance, noise_scale, step)
}

/// The stationary covariance that a scheme has in a bowl at its step δ, exact; δ = 0 is the SDE for each of them.
/// `None` unless 0 < δh < 2 for every curvature h, which is where all schemes are stable.
///
/// A linear recursion θᵢ ← (1 − δuᵢ)θᵢ + noise has Σᵢⱼ = nCᵢⱼgᵢⱼ/(uᵢ + uⱼ − δuᵢuⱼ) in the eigenbasis of H, with
///
/// | scheme | uᵢ | gᵢⱼ |
/// |---|---|---|
/// | Euler–Maruyama, and minibatches drawn afresh | hᵢ | 1 |
/// | Leimkuhler–Matthews | hᵢ | 1 − δ(hᵢ + hⱼ)/4 |
/// | Platen (Heun) | hᵢ(1 − δhᵢ/2) | (1 − δhᵢ/2)(1 − δhⱼ/2) |
///
/// Leimkuhler–Matthews: with yₖ = θₖ − √(nδ)Bξₖ/2, yₖ₊₁ = (1 − δh)yₖ + √(nδ)(1 − δh/2)Bξₖ and ξₖ is independent of yₖ. For
/// C = σ²I it is nσ²/(2h), the SDE's.
pub fn scheme_covariance(
    scheme: Scheme,
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
    let half = |i: usize| 1.0 - 0.5 * step * h[i];
    let rate = |i: usize| if scheme == Scheme::Platen { h[i] * half(i) } else { h[i] };
    let gain = |i: usize, j: usize| match scheme {
        Scheme::EulerMaruyama | Scheme::Minibatches => 1.0,
        Scheme::LeimkuhlerMatthews => 0.5 * (half(i) + half(j)),
        Scheme::Platen => half(i) * half(j),
    };
    let solved = DMatrix::from_fn(h.len(), h.len(), |i, j| {
        let (u, v) = (rate(i), rate(j));
        noise_scale * rotated[(i, j)] * gain(i, j) / (u + v - step * u * v)
    });
    Some(&eigen.eigenvectors * solved * eigen.eigenvectors.transpose())
}
