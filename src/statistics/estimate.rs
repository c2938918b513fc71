//! A value, how well it is known, and the intervals that follow.

use super::special::{student_t_quantile, student_t_survival};
use crate::math::ln;
use serde::{Deserialize, Serialize};

/// An estimate of a number from independent replicas.
///
/// Intervals are value ± t·SE with t from Student's distribution with `degrees_of_freedom`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Its standard error, ≥ 0.
    pub standard_error: f64,
    /// Degrees of freedom of the standard error: R − 1 for R replicas. Infinite (`null` in JSON) for an error that is
    /// known and not itself estimated, and for an exact number.
    #[serde(with = "infinite_as_null")]
    pub degrees_of_freedom: f64,
}

/// The relative standard error up to which [`Estimate::logarithm`] exists.
pub const LARGEST_RELATIVE_ERROR: f64 = 0.2;

impl Estimate {
    /// The mean of independent replicas, SE = s_R/√R with s_R² of divisor R − 1, and R − 1 degrees of freedom.
    ///
    /// `None` for fewer than 2 replicas or a value that is not finite: there is no error bar then.
    pub fn from_replicas(values: &[f64]) -> Option<Self> {
        let (mean, variance) = mean_and_variance(values)?;
        let replicas = values.len() as f64;
        Some(Self { value: mean, standard_error: (variance / replicas).sqrt(), degrees_of_freedom: replicas - 1.0 })
    }

    /// The mean of independent estimates, each counting the same: SE² = Σ SEᵢ²/k², degrees of freedom by Welch–Satterthwaite.
    ///
    /// `None` of nothing.
    pub fn mean_of(estimates: &[Self]) -> Option<Self> {
        let zero = Self::exact(0.0);
        let sum = estimates.iter().fold(zero, |sum, one| {
            // a + b as a − (−b), of which `minus` knows the error.
            sum.minus(&Self { value: -one.value, ..one.clone() })
        });
        let count = estimates.len() as f64;
        (count > 0.0).then(|| Self { value: sum.value / count, standard_error: sum.standard_error / count, ..sum })
    }

    /// A number without error, e.g. one computed and not sampled.
    pub fn exact(value: f64) -> Self {
        Self::with_known_error(value, 0.0)
    }

    /// A number whose standard error is known (infinitely many degrees of freedom), e.g. a prediction with its own error.
    pub fn with_known_error(value: f64, standard_error: f64) -> Self {
        Self { value, standard_error, degrees_of_freedom: f64::INFINITY }
    }

    /// The two-sided interval `[lower, upper]` that covers the truth with probability `level`, e.g. 0.95.
    ///
    /// `None` unless 0 < level < 1 and the bounds are finite.
    pub fn interval(&self, level: f64) -> Option<[f64; 2]> {
        if !(level > 0.0 && level < 1.0) {
            return None;
        }
        // The lower quantile: (1 − level)/2 keeps its digits for a level close to 1.
        let quantile = -student_t_quantile(0.5 * (1.0 - level), self.degrees_of_freedom);
        let half_width = quantile * self.standard_error;
        let bounds = [self.value - half_width, self.value + half_width];
        bounds.iter().all(|bound| bound.is_finite()).then_some(bounds)
    }

    /// P(T > (value − threshold)/SE): the one-sided p-value against "the truth is at most `threshold`".
    ///
    /// With no error at all it is 0 above the threshold and 1 otherwise.
    pub fn p_value_above(&self, threshold: f64) -> f64 {
        let excess = self.value - threshold;
        if self.standard_error == 0.0 {
            return if excess > 0.0 { 0.0 } else { 1.0 };
        }
        student_t_survival(excess / self.standard_error, self.degrees_of_freedom)
    }

    /// P(T > (|value| − margin)/SE) + P(T > (|value| + margin)/SE): the p-value against "the truth lies within ±`margin`".
    ///
    /// A truth at either end of ±margin may show itself beyond both ends. Where the margin is many standard errors wide the
    /// second term is nothing; without it the p-value would be half of what it has to be at a margin near 0. At a truth of ±margin
    /// P(p ≤ α) is at most α for every margin and any degrees of freedom (by integration over the estimated error).
    pub fn p_value_beyond(&self, margin: f64) -> f64 {
        let distance = Self { value: self.value.abs(), ..self.clone() };
        (distance.p_value_above(margin) + distance.p_value_above(-margin)).min(1.0)
    }

    /// `self − other` for two **independent** estimates: SE² = SE₁² + SE₂², degrees of freedom by
    /// Welch–Satterthwaite, ν = SE⁴/(SE₁⁴/ν₁ + SE₂⁴/ν₂).
    ///
    /// Source: B. L. Welch, Biometrika 34 (1947), 28–35. Not for paired replicas: take
    /// [`Estimate::from_replicas`] of their differences.
    pub fn minus(&self, other: &Self) -> Self {
        let (first, second) = (self.standard_error, other.standard_error);
        // Scaled by the larger error, so that no fourth power under- or overflows.
        let scale = first.max(second);
        let degrees_of_freedom = if scale == 0.0 {
            self.degrees_of_freedom.min(other.degrees_of_freedom)
        } else {
            let (a, b) = ((first / scale) * (first / scale), (second / scale) * (second / scale));
            (a + b) * (a + b) / (a * a / self.degrees_of_freedom + b * b / other.degrees_of_freedom)
        };
        Self { value: self.value - other.value, standard_error: libm::hypot(first, second), degrees_of_freedom }
    }

    /// The estimate of ln(truth) by the delta method: SE(ln x̂) = SE/x̂. `None` unless the value is positive and known to
    /// better than [`LARGEST_RELATIVE_ERROR`]: beyond that ln bends over the width of the error, and intervals by the
    /// delta method would be wrong far more often than they say.
    pub fn logarithm(&self) -> Option<Self> {
        let is_known = self.standard_error < LARGEST_RELATIVE_ERROR * self.value;
        (is_known && self.value.is_finite()).then(|| Self {
            value: ln(self.value),
            standard_error: self.standard_error / self.value,
            degrees_of_freedom: self.degrees_of_freedom,
        })
    }

    /// [`Estimate::logarithm`] of the mean of positive, skewed replicas, such as variances and times of independent runs.
    ///
    /// The mean of few such replicas lies below the truth more often than above, and by more when its own error is underestimated.
    /// With r = SE/x̂ and replicas of a Gamma law of any shape, P(T ≤ t) of T = (ln x̂ − ln x)/r is Φ(t) + φ(t)·r·(⅓ + t²/6) up to order
    /// 1/R; so the value is moved up by r²(⅓ + t²/6), at the t of a 90 % interval, whose two ends are then passed with 5 % each. The
    /// error of so skewed a law is known as if from ν/(1 + 3/2·(ν + 1)r²) degrees of freedom in place of ν (found by simulation, as was
    /// that ends are passed with 4.6 to 5.9 % from 16 replicas on where the truth of r is below 0.15).
    ///
    /// Source: P. Hall, "On the removal of skewness by transformation", J. R. Statist. Soc. B 54 (1992), 221–228, for the expansion.
    pub fn logarithm_of_skewed(&self) -> Option<Self> {
        let plain = self.logarithm()?;
        let squared = plain.standard_error * plain.standard_error;
        let known = plain.degrees_of_freedom;
        if !known.is_finite() {
            return Some(plain);
        }
        let degrees_of_freedom = known / (1.0 + 1.5 * (known + 1.0) * squared);
        let t = student_t_quantile(0.95, degrees_of_freedom);
        Some(Self { value: plain.value + squared * (1.0 / 3.0 + t * t / 6.0), degrees_of_freedom, ..plain })
    }

    /// True if no spread was seen although the error was *estimated* (finitely many degrees of freedom): replicas that
    /// all agree to the last bit say nothing about their error. An [`Estimate::exact`] number is not meant.
    pub fn has_no_spread(&self) -> bool {
        self.standard_error == 0.0 && self.degrees_of_freedom.is_finite()
    }

    /// True if the value and the error are finite numbers.
    pub fn is_finite(&self) -> bool {
        self.value.is_finite() && self.standard_error.is_finite()
    }
}

/// Mean and unbiased variance (divisor n − 1), in two passes; `None` for fewer than 2 values or one that is not finite.
pub(super) fn mean_and_variance(values: &[f64]) -> Option<(f64, f64)> {
    if values.len() < 2 || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let count = values.len() as f64;
    let first = values[0];
    // Shifted by the first value: equal values then give exactly zero variance, which the degenerate cases look for.
    let shift = values.iter().map(|value| value - first).sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - first - shift) * (value - first - shift)).sum();
    Some((first + shift, squares / (count - 1.0)))
}

/// JSON has no infinity: an infinite number is written as `null` and read back as infinity.
mod infinite_as_null {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        value.is_finite().then_some(*value).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::INFINITY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-13 * b.abs().max(1e-300)
    }

    #[test]
    fn mean_of_three_replicas_by_hand() {
        // 1, 2, 6: mean 3, s² = (4 + 1 + 9)/2 = 7, SE = √(7/3); t₂(0.975) = 4.302652729749462.
        let estimate = Estimate::from_replicas(&[1.0, 2.0, 6.0]).unwrap();
        assert!(close(estimate.value, 3.0));
        assert!(close(estimate.standard_error, (7.0_f64 / 3.0).sqrt()));
        assert_eq!(estimate.degrees_of_freedom, 2.0);
        let [lower, upper] = estimate.interval(0.95).unwrap();
        assert!(close(upper - lower, 2.0 * 4.302_652_729_749_462 * (7.0_f64 / 3.0).sqrt()));
    }

    #[test]
    fn no_error_bar_without_two_finite_replicas() {
        assert_eq!(Estimate::from_replicas(&[]), None);
        assert_eq!(Estimate::from_replicas(&[1.0]), None);
        assert_eq!(Estimate::from_replicas(&[1.0, f64::NAN]), None);
        let estimate = Estimate::from_replicas(&[1.0, 2.0]).unwrap();
        assert_eq!(estimate.interval(0.0), None);
        assert_eq!(estimate.interval(1.0), None);
        assert_eq!(estimate.interval(f64::NAN), None);
    }

    #[test]
    fn equal_replicas_have_exactly_no_spread() {
        assert!(Estimate::from_replicas(&[0.1; 7]).unwrap().has_no_spread());
        assert!(!Estimate::exact(0.1).has_no_spread());
    }

    #[test]
    fn welch_by_hand() {
        // SE 3 and 4 with 5 and 10 degrees of freedom: ν = 625/(81/5 + 256/10) = 14.952153…
        let a = Estimate { value: 2.0, standard_error: 3.0, degrees_of_freedom: 5.0 };
        let b = Estimate { value: 0.5, standard_error: 4.0, degrees_of_freedom: 10.0 };
        let difference = a.minus(&b);
        assert!(close(difference.value, 1.5));
        assert!(close(difference.standard_error, 5.0));
        assert!(close(difference.degrees_of_freedom, 625.0 / (81.0 / 5.0 + 256.0 / 10.0)));
        // Against an exact number nothing changes.
        assert_eq!(a.minus(&Estimate::exact(0.0)), a);
    }

    /// SE 3 and 4 with 5 and 10 degrees of freedom: the mean has SE 5/2 and the degrees of freedom of the sum.
    #[test]
    fn the_mean_of_independent_estimates_by_hand() {
        let a = Estimate { value: 2.0, standard_error: 3.0, degrees_of_freedom: 5.0 };
        let b = Estimate { value: 1.0, standard_error: 4.0, degrees_of_freedom: 10.0 };
        let mean = Estimate::mean_of(&[a.clone(), b]).unwrap();
        assert!(close(mean.value, 1.5) && close(mean.standard_error, 2.5));
        assert!(close(mean.degrees_of_freedom, 625.0 / (81.0 / 5.0 + 256.0 / 10.0)));
        assert_eq!(Estimate::mean_of(std::slice::from_ref(&a)), Some(a));
        assert_eq!(Estimate::mean_of(&[]), None);
    }

    #[test]
    fn logarithm_by_the_delta_method() {
        let estimate = Estimate { value: 4.0, standard_error: 0.2, degrees_of_freedom: 9.0 }.logarithm().unwrap();
        assert!(close(estimate.value, 4.0_f64.ln()));
        assert!(close(estimate.standard_error, 0.05));
        assert_eq!(Estimate::exact(-1.0).logarithm(), None);
        let vague = Estimate { value: 1.0, standard_error: 0.3, degrees_of_freedom: 9.0 };
        assert_eq!(vague.logarithm(), None);
    }

    #[test]
    fn infinite_degrees_of_freedom_survive_json() {
        let exact = Estimate::exact(1.5);
        let text = serde_json::to_string(&exact).unwrap();
        assert_eq!(text, r#"{"value":1.5,"standard_error":0.0,"degrees_of_freedom":null}"#);
        assert_eq!(serde_json::from_str::<Estimate>(&text).unwrap(), exact);
    }
}
