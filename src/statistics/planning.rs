//! How long must a run be for a wanted standard error? Planned from a pilot run whose data are then thrown away.
//!
//! The main run's length is fixed before it begins and depends on nothing that enters the result, so its intervals and
//! verdicts have their declared error rates as if the length had been chosen by hand.

use super::special::chi_squared_quantile;

/// The pilot's variance is taken as large as it may well be: with this probability the true one is no larger.
pub const SAFETY_CONFIDENCE: f64 = 0.90;

/// By how much the variance seen with ν degrees of freedom is to be enlarged, so that the true one is below with 90 %
/// probability: ν/χ²_ν(0.1), for normal replicas. 1.18 for 127 degrees of freedom, 2.2 for 9, 63 for 1. `None` unless ν ≥ 1.
pub fn variance_safety(degrees_of_freedom: f64) -> Option<f64> {
    let quantile = chi_squared_quantile(1.0 - SAFETY_CONFIDENCE, degrees_of_freedom);
    (degrees_of_freedom >= 1.0 && quantile > 0.0).then(|| degrees_of_freedom / quantile)
}

/// The steps that bring a standard error down to `target`, as a pilot of `pilot_steps` steps had `standard_error` with ν
/// degrees of freedom: T·(SE/target)²·[`variance_safety`], since SE² falls as 1/T once T is many correlation times. `None`
/// unless all are positive.
pub fn steps_for(target: f64, pilot_steps: f64, standard_error: f64, degrees_of_freedom: f64) -> Option<f64> {
    let ratio = standard_error / target;
    let steps = pilot_steps * ratio * ratio * variance_safety(degrees_of_freedom)?;
    (target > 0.0 && steps > 0.0 && steps.is_finite()).then_some(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planned_by_hand() {
        // χ²₉(0.1) = 4.168159, so the variance is enlarged by 2.159227.
        assert!((variance_safety(9.0).unwrap() - 9.0 / 4.168_159_008_146_12).abs() < 1e-9);
        let steps = steps_for(0.02, 1000.0, 0.06, 9.0).unwrap();
        assert!((steps - 9000.0 * 9.0 / 4.168_159_008_146_12).abs() < 1e-5, "{steps}");
        for (target, steps, error, freedom) in
            [(0.0, 1e3, 0.1, 9.0), (0.1, 0.0, 0.1, 9.0), (0.1, 1e3, 0.0, 9.0), (0.1, 1e3, 0.1, 0.0)]
        {
            assert_eq!(steps_for(target, steps, error, freedom), None);
        }
        assert_eq!(steps_for(0.1, 1e3, f64::NAN, 9.0), None);
    }
}
