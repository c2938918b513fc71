//! The slide's formula: p_A ∝ m_A (det H_A)^(−½) exp(−L_A/T).
//!
//! The Gibbs mass of a basin with L replaced by its parabola at the minimum (Laplace's method): the leading order in T.
//! Source: Jastrzębski et al. 2017 (arXiv:1711.04623), eq. (9); the talk's slide "Implications of the Theory".

use super::normalize_log_weights;
use crate::landscape::CriticalPoint;

/// Occupancies of the minima at temperature T, in their order; they sum to 1. `None` where a Hessian is singular.
///
/// m_A is the number of symmetric images that a minimum stands for. Works with log-determinants.
pub fn occupancies(minima: &[CriticalPoint], temperature: f64) -> Option<Vec<f64>> {
    minima.iter().all(CriticalPoint::is_regular).then(|| shares(minima, temperature))
}

/// The same wherever there are minima: where the Hessian is zero along a direction, with the curvature that exp(−L/T) feels there. A first
/// guess of the masses, and no more.
pub fn shares(minima: &[CriticalPoint], temperature: f64) -> Vec<f64> {
    let log_weight = |minimum: &CriticalPoint| {
        let log_determinant: f64 = minimum.curvatures_at(temperature).iter().map(|h| crate::math::ln(h.abs())).sum();
        crate::math::ln(f64::from(minimum.multiplicity)) - 0.5 * log_determinant - minimum.loss / temperature
    };
    normalize_log_weights(&minima.iter().map(log_weight).collect::<Vec<f64>>())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::landscape::Landscape;
    use crate::loss::expression::Expression;

    /// Where the loss rises as x⁴ there is no determinant, and so no formula; a first guess there is.
    #[test]
    fn no_formula_without_curvature() {
        let minima = |formula: &str| {
            let loss = Expression::new(&["x".to_owned()], &[], formula).unwrap();
            Landscape::explore(Arc::new(loss), &[[-2.0, 2.0]]).unwrap().minima
        };
        let flat = minima("(x^2 - 1)^4");
        assert_eq!((flat.len(), occupancies(&flat, 0.1)), (2, None));
        assert!((shares(&flat, 0.1)[0] - 0.5).abs() < 1e-9);
        assert!((occupancies(&minima("(x^2 - 1)^2"), 0.1).unwrap()[0] - 0.5).abs() < 1e-9);
    }
}
