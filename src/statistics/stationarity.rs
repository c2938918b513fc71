//! Means that are 0 at stationarity, tested over independent replicas.
//!
//! A time mean over a run has a skewed law where the run is short beside what it watches: a mean of squares then is small in most replicas
//! and large in a few, and Student's t of it is far too often far below 0. Hall's cubic transformation takes the skewness out (P. Hall, J. R.
//! Statist. Soc. B 54 (1992), 221–228): with T = x̄/s and the skewness g of the replicas, √R (T + gT²/3 + g²T³/27 + g/(6R)) is
//! compared with Student's quantile. It increases in T, and is t itself where g = 0.

use super::estimate::Estimate;
use super::special::student_t_quantile;

/// The probability, over all means of a family together, of calling an ensemble that is stationary something else.
pub const FALSE_ALARM: f64 = 1e-3;
/// Fewer replicas do not know the skewness of their law: of squares of normals 16 are found at odds with a true mean 20 times as
/// often as they should be, 32 less than five times.
pub const FEWEST_REPLICAS: usize = 32;

/// A mean that should be 0.
#[derive(Clone, Debug, PartialEq)]
pub struct ZeroTest {
    /// What it is the mean of.
    pub quantity: String,
    /// The mean over the replicas.
    pub estimate: Estimate,
    /// How many standard errors it is from 0, less what skewness makes of it; `None` for a mean without any spread that is not 0.
    pub t: Option<f64>,
    /// What |t| may be: Student's two-sided quantile at 1 − [`FALSE_ALARM`]/(number of means in the family).
    pub threshold: f64,
}

impl ZeroTest {
    /// Whether 0 is compatible with it.
    pub fn is_consistent_with_zero(&self) -> bool {
        self.t.is_some_and(|t| t.abs() <= self.threshold)
    }

    /// |t| in units of what is allowed: above 1 it is not.
    pub fn excess(&self) -> f64 {
        self.t.map_or(f64::INFINITY, |t| t.abs() / self.threshold)
    }
}

/// Tests a family of means, each given by its name and one number per replica, Bonferroni-corrected over the family.
///
/// `None` in place of a mean that has no error: of fewer than two replicas, or of a number that is not finite.
pub fn zero_tests(family: &[(String, Vec<f64>)]) -> Vec<Option<ZeroTest>> {
    let level = FALSE_ALARM / family.len().max(1) as f64;
    let test = |(quantity, values): &(String, Vec<f64>)| {
        let estimate = Estimate::from_replicas(values)?;
        let threshold = -student_t_quantile(0.5 * level, estimate.degrees_of_freedom);
        let t = if estimate.standard_error > 0.0 {
            Some(without_skewness(values, &estimate))
        } else {
            (estimate.value == 0.0).then_some(0.0)
        };
        Some(ZeroTest { quantity: quantity.clone(), estimate, t, threshold })
    };
    family.iter().map(test).collect()
}

/// Hall's transformation of Student's t.
fn without_skewness(values: &[f64], estimate: &Estimate) -> f64 {
    let replicas = values.len() as f64;
    let spread = estimate.standard_error * replicas.sqrt();
    let third = values.iter().map(|value| {
        let z = (value - estimate.value) / spread;
        z * z * z
    });
    let skewness = third.sum::<f64>() / replicas;
    let t = estimate.value / spread;
    let cubic = t + skewness * t * t / 3.0 + skewness * skewness * t * t * t / 27.0;
    replicas.sqrt() * (cubic + skewness / (6.0 * replicas))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family(values: &[f64]) -> Vec<(String, Vec<f64>)> {
        vec![("x".into(), values.to_vec())]
    }

    #[test]
    fn what_is_not_skewed_has_students_t() {
        // Mean 2, s² = 2.5, five replicas: t = 2/√0.5.
        let test = zero_tests(&family(&[0.0, 1.0, 2.0, 3.0, 4.0]))[0].clone().unwrap();
        assert!((test.t.unwrap() - 2.0 / 0.5f64.sqrt()).abs() < 1e-14);
        assert!((test.threshold + student_t_quantile(0.5 * FALSE_ALARM, 4.0)).abs() < 1e-12);
        assert!(test.is_consistent_with_zero());
        // Of two means each is allowed half of the level.
        let two = [family(&[0.0, 1.0, 2.0, 3.0, 4.0]), family(&[1.0, 1.5, 0.0, 2.0, 7.0])].concat();
        let both = zero_tests(&two);
        assert!(both[0].as_ref().unwrap().threshold > test.threshold + 0.1);
    }

    /// Values 0, 0, 0, 4: mean 1, s = 2, g = Σz³/4 = (3·(−½)³ + 1.5³)/4 = 0.75; T = ½.
    #[test]
    fn skewness_is_taken_out() {
        let test = zero_tests(&family(&[0.0, 0.0, 0.0, 4.0]))[0].clone().unwrap();
        let expected = 2.0 * (0.5 + 0.75 * 0.25 / 3.0 + 0.5625 * 0.125 / 27.0 + 0.75 / 24.0);
        assert!((test.t.unwrap() - expected).abs() < 1e-14, "{:?}", test.t);
    }

    #[test]
    fn degenerate_cases_are_explicit() {
        let of = |values: &[f64]| zero_tests(&family(values))[0].clone();
        assert!(of(&[0.0; 5]).unwrap().is_consistent_with_zero());
        let frozen = of(&[0.5; 5]).unwrap();
        assert_eq!(frozen.t, None);
        assert!(!frozen.is_consistent_with_zero() && frozen.excess().is_infinite());
        assert_eq!((of(&[1.0]), of(&[1.0, f64::NAN])), (None, None));
    }
}
