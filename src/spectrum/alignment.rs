//! How much of the noise lies in the directions of curvature.

use crate::math::powi;
use crate::statistics::Estimate;
use crate::statistics::estimate::LARGEST_RELATIVE_ERROR;

/// tr(HC)/(‖H‖_F‖C‖_F) from independent estimates of tr(HC), ‖H‖²_F and ‖C‖²_F.
///
/// 1 if C ∝ H, 0 if they share no direction, tr H/(√d‖H‖_F) for C = σ²I. By the delta method
/// SE² = SE(t)²/(hc) + a²/4 · (SE(h)²/h² + SE(c)²/c²), degrees of freedom by Welch–Satterthwaite. `None` unless h and c are positive and known
/// to better than [`LARGEST_RELATIVE_ERROR`].
pub fn alignment(trace_of_product: &Estimate, squared_h: &Estimate, squared_c: &Estimate) -> Option<Estimate> {
    let scale = root(squared_h)? * root(squared_c)?;
    let value = trace_of_product.value / scale;
    let parts = [
        (trace_of_product.standard_error / scale, trace_of_product.degrees_of_freedom),
        (0.5 * value * squared_h.standard_error / squared_h.value, squared_h.degrees_of_freedom),
        (0.5 * value * squared_c.standard_error / squared_c.value, squared_c.degrees_of_freedom),
    ];
    let variance: f64 = parts.iter().map(|(error, _)| error * error).sum();
    if variance == 0.0 {
        return Some(Estimate::exact(value));
    }
    let over_freedom: f64 = parts.iter().map(|(error, freedom)| powi(error * error / variance, 2) / freedom).sum();
    Some(Estimate { value, standard_error: variance.sqrt(), degrees_of_freedom: 1.0 / over_freedom })
}

/// √x̂ of a positive number that is known well enough.
fn root(square: &Estimate) -> Option<f64> {
    let is_known = square.value > 0.0 && square.standard_error < LARGEST_RELATIVE_ERROR * square.value;
    is_known.then(|| square.value.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alignment_by_hand() {
        // t = 6 ± 0.6, h = 4 ± 0.4, c = 9 exactly: a = 1, SE² = (0.6/6)² + ¼·(0.1)² = 0.0125.
        let trace = Estimate { value: 6.0, standard_error: 0.6, degrees_of_freedom: 8.0 };
        let squared_h = Estimate { value: 4.0, standard_error: 0.4, degrees_of_freedom: 5.0 };
        let found = alignment(&trace, &squared_h, &Estimate::exact(9.0)).unwrap();
        assert!((found.value - 1.0).abs() < 1e-15);
        assert!((found.standard_error - 0.0125f64.sqrt()).abs() < 1e-15);
        // 1/ν = 0.8²/8 + 0.2²/5.
        assert!((found.degrees_of_freedom - 1.0 / (0.08 + 0.008)).abs() < 1e-12);
    }

    #[test]
    fn nothing_is_aligned_with_a_matrix_of_zeros() {
        let one = Estimate::exact(1.0);
        assert_eq!(alignment(&Estimate::exact(0.0), &Estimate::exact(0.0), &one), None);
        assert_eq!(alignment(&one, &one, &Estimate::with_known_error(1.0, 0.5)), None);
        assert_eq!(alignment(&one, &one, &one), Some(one));
    }
}
