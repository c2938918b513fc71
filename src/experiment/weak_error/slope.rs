//! The slope of ln|error| against ln η, or why there is none.

use super::measured::OrderError;
use crate::math;
use crate::statistics::estimate::LARGEST_RELATIVE_ERROR;
use crate::statistics::{Estimate, Line, LinePoint};

/// The share of ε by which the integrator's step may move a slope.
pub(super) const LARGEST_SHARE: f64 = 0.2;

/// A weighted straight line through the logarithms.
pub(super) struct Fit {
    pub(super) line: Line,
    /// The most by which the integrator's step may have moved the slope.
    pub(super) integrator: f64,
    /// Slopes between neighbouring learning rates.
    pub(super) local: Vec<f64>,
}

impl Fit {
    /// The slope of these errors with the weights of the measurement.
    pub(super) fn exact_slope(&self, errors: &[f64]) -> Option<f64> {
        let points = self.line.points();
        if errors.len() != points.len() || errors.contains(&0.0) {
            return None;
        }
        let exact = points.iter().zip(errors).map(|(point, error)| LinePoint {
            x: point.x,
            y: Estimate::with_known_error(math::ln(error.abs()), point.y.standard_error),
        });
        Some(Line::fit(&exact.collect::<Vec<_>>())?.slope.value)
    }
}

/// The line through the errors at these learning rates.
///
/// # Errors
/// Why there is no slope: an error that is not told from zero has no logarithm, one that changes its sign no power of η, and one that the
/// integrator blurs is not that of the SDE.
pub(super) fn fit(learning_rates: &[f64], errors: &[&OrderError], tolerance: f64) -> Result<Fit, String> {
    let mut points = Vec::with_capacity(errors.len());
    let mut relative = Vec::with_capacity(errors.len());
    let mut signs = Vec::with_capacity(errors.len());
    for (&rate, error) in learning_rates.iter().zip(errors) {
        let (Some(measured), Some(integrator)) = (&error.error, &error.integrator) else {
            return Err(format!("at η = {rate} too few replicas are left for an error bar"));
        };
        let size = Estimate { value: measured.value.abs(), ..measured.clone() };
        let Some(y) = size.logarithm() else {
            return Err(format!(
                "at η = {rate} the error is {:.3e} ± {:.1e}, not told from zero (a logarithm needs {:.0} standard errors); {}",
                measured.value,
                measured.standard_error,
                1.0 / LARGEST_RELATIVE_ERROR,
                replicas_wanted(measured)
            ));
        };
        points.push(LinePoint { x: math::ln(rate), y });
        relative.push(bound(integrator) / size.value);
        signs.push(measured.value.signum());
    }
    if let Some(at) = signs.windows(2).position(|pair| pair[0] != pair[1]) {
        return Err(format!(
            "the error changes its sign between η = {} and {}, where it is no power of η; take smaller learning rates, or another f",
            learning_rates[at],
            learning_rates[at + 1]
        ));
    }
    let Some(line) = Line::fit(&points) else { return Err("the errors have no error bars to weigh them by".into()) };
    let [integrator, _] = line.bounds_of_further_errors(&relative);
    if !(integrator <= LARGEST_SHARE * tolerance) {
        return Err(format!(
            "the finite step of the SDE's integrator may move the slope by {integrator:.3}, more than a fifth of ε = {tolerance}; take more \
             weak_error.substeps (or more replicas, where chance blurs what it is)"
        ));
    }
    let local = points.windows(2).map(|pair| (pair[1].y.value - pair[0].y.value) / (pair[1].x - pair[0].x)).collect();
    Ok(Fit { line, integrator, local })
}

/// A 95 % bound of the error of a step.
pub(super) fn bound(integrator: &Estimate) -> f64 {
    integrator.interval(0.95).map_or(f64::INFINITY, |[low, high]| low.abs().max(high.abs()))
}

/// How many times the replicas would tell an error of this size from zero.
fn replicas_wanted(measured: &Estimate) -> String {
    let ratio = measured.standard_error / (LARGEST_RELATIVE_ERROR * measured.value.abs());
    let factor = 1.2 * ratio * ratio;
    if factor.is_finite() && factor < 1e4 {
        format!("about {:.0} times the replicas would do if it is as measured", factor.max(2.0).ceil())
    } else {
        "leave out the smallest learning rates, or take another f".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(value: f64, standard_error: f64, integrator: f64) -> OrderError {
        let estimate = |value, standard_error| Estimate { value, standard_error, degrees_of_freedom: 1000.0 };
        OrderError {
            error: Some(estimate(value, standard_error)),
            integrator: Some(estimate(integrator, 0.01 * integrator.abs())),
        }
    }

    fn fitted(errors: [OrderError; 3]) -> Result<Fit, String> {
        fit(&[0.1, 0.05, 0.025], &errors.iter().collect::<Vec<_>>(), 0.2)
    }

    #[test]
    fn a_power_of_the_learning_rate_has_its_slope_whatever_its_sign() {
        for sign in [1.0, -1.0] {
            let of = |rate: f64| error(sign * 3.0 * rate * rate, 0.01 * rate * rate, 1e-9);
            let fit = fitted([of(0.1), of(0.05), of(0.025)]).unwrap();
            assert!((fit.line.slope.value - 2.0).abs() < 1e-12);
            // Equal relative errors r = 1/300: SE = r/√Σ(x − x̄)² = r/(√2 ln 2).
            let expected = 1.0 / 300.0 / (2f64.sqrt() * 2f64.ln());
            assert!((fit.line.slope.standard_error - expected).abs() < 1e-9);
            assert!(fit.local.iter().all(|slope| (slope - 2.0).abs() < 1e-12));
            assert!((fit.exact_slope(&[4.0, 2.0, 1.0]).unwrap() - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn there_is_no_slope_where_an_error_is_not_told_from_zero_or_changes_its_sign() {
        let refused = |errors| fitted(errors).err().unwrap();
        let reason = refused([error(0.4, 0.01, 0.0), error(0.1, 0.01, 0.0), error(0.02, 0.01, 0.0)]);
        assert!(reason.contains("η = 0.025") && reason.contains("not told from zero"), "{reason}");
        let reason = refused([error(0.4, 0.01, 0.0), error(0.1, 0.01, 0.0), error(-0.1, 0.01, 0.0)]);
        assert!(reason.contains("changes its sign between η = 0.05 and 0.025"), "{reason}");
    }

    #[test]
    fn an_integrator_that_could_move_the_slope_by_a_fifth_of_the_tolerance_bars_it() {
        // Σ|cᵢ| = 1/ln 2 with equal weights: a relative bound of 0.02·(1 + 1.96/100) everywhere moves the slope by 0.0294 at most.
        let of = |rate: f64, share: f64| error(rate, 0.01 * rate, share * rate);
        let fit = fitted([of(0.1, 0.02), of(0.05, 0.02), of(0.025, 0.02)]).unwrap();
        assert!((fit.integrator - 0.02 * 1.019_6 / 2f64.ln()).abs() < 1e-4, "{}", fit.integrator);
        let reason = fitted([of(0.1, 0.03), of(0.05, 0.03), of(0.025, 0.03)]).err().unwrap();
        assert!(reason.contains("weak_error.substeps"), "{reason}");
    }
}
