//! The slide's formula: p_A ∝ m_A (det H_A)^(−½) exp(−L_A/T).
//!
//! The Gibbs mass of a basin with L replaced by its parabola at the minimum (Laplace's method): the leading order in T.
//! Source: Jastrzębski et al. 2017 (arXiv:1711.04623), eq. (9); the talk's slide "Implications of the Theory".

use super::normalize_log_weights;
use crate::landscape::CriticalPoint;

/// Occupancies of the minima at temperature T, in their order; they sum to 1.
///
/// m_A is the number of symmetric images that a minimum stands for. Works with log-determinants.
pub fn occupancies(minima: &[CriticalPoint], temperature: f64) -> Vec<f64> {
    let log_weights: Vec<f64> = minima
        .iter()
        .map(|minimum| {
            crate::math::ln(f64::from(minimum.multiplicity))
                - 0.5 * minimum.log_determinant()
                - minimum.loss / temperature
        })
        .collect();
    normalize_log_weights(&log_weights)
}
