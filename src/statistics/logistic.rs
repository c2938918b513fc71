//! The ratio of two laws as a function of one number x: ln[P₁(x)/P₂(x)] as a polynomial in x, fitted by maximum likelihood.
//!
//! Draw from either law with equal chances: the odds of "from the first" at x are P₁(x)/P₂(x). An exponential tilt,
//! ln(P₁/P₂) = a + bx, is therefore exactly a logistic regression of the law's index on x, whatever the laws themselves are, and it
//! stays one when both are cut to the same range of x (Anderson, Biometrika 59 (1972), 19–35).
//!
//! Counts on a fine grid stand for the draws. The draws of one replica depend on each other, so the errors are clustered by
//! independent replicas: the sandwich A⁻¹VA⁻¹, with A the information and V the covariance of the score between the
//! replicas of each law (White, Econometrica 50 (1982), 1–25; Liang & Zeger, Biometrika 73 (1986), 13–22).

use super::error::StatisticsError;
use super::estimate::Estimate;
use crate::math;

/// The largest degree of the polynomial.
const MOST: usize = 2;
const SIZE: usize = MOST + 1;
/// Newton's method converges quadratically; more steps mean that there is no maximum.
const MOST_STEPS: usize = 60;
const SETTLED: f64 = 1e-11;

/// ln(P₁/P₂) = Σ cⱼ zʲ, z = (x − center)/scale.
#[derive(Clone, Debug)]
pub struct LogRatio {
    center: f64,
    scale: f64,
    coefficients: [f64; SIZE],
    /// A⁻¹ times the score of every replica of the first and of the second law.
    influences: [Vec<[f64; SIZE]>; 2],
}

impl LogRatio {
    /// Fits a polynomial of `degree` 1 or 2.
    ///
    /// `first` and `second` hold a row for each independent replica of either law: the fraction of its draws at each of the
    /// places `x`. Rows may sum to less than 1 where draws beyond the range of x were left out.
    ///
    /// Errors: rows of another length than x; fewer than two replicas of a law; laws that do not overlap, so that no ratio has
    /// the greatest likelihood.
    pub fn fit(x: &[f64], first: &[Vec<f64>], second: &[Vec<f64>], degree: usize) -> Result<Self, StatisticsError> {
        for row in first.iter().chain(second) {
            if row.len() != x.len() {
                let what = "fractions of a replica".to_string();
                return Err(StatisticsError::Shape { what, found: row.len(), expected: x.len() });
            }
        }
        if first.len().min(second.len()) < 2 {
            return Err(StatisticsError::Undefined("a ratio of laws needs two replicas of each".into()));
        }
        let weights = [mean(first, x.len()), mean(second, x.len())];
        let (center, scale) = center_and_scale(x, &weights)?;
        let z: Vec<f64> = x.iter().map(|x| (x - center) / scale).collect();
        let size = degree.clamp(1, MOST) + 1;
        let mut fit = Self { center, scale, coefficients: [0.0; SIZE], influences: [Vec::new(), Vec::new()] };
        let inverse = fit.climb(&z, &weights, size)?;
        let probabilities: Vec<f64> = z.iter().map(|&z| math::logistic(fit.at(z))).collect();
        // The score of a draw from the first law is (1 − π)zʲ, from the second −πzʲ.
        let first_factors: Vec<f64> = probabilities.iter().map(|p| 1.0 - p).collect();
        let influence = |row: &Vec<f64>, factors: &[f64]| product(&inverse, &score(&z, row, factors, size));
        fit.influences = [
            first.iter().map(|row| influence(row, &first_factors)).collect(),
            second.iter().map(|row| influence(row, &probabilities)).collect(),
        ];
        Ok(fit)
    }

    /// Newton's method from no tilt at all; the likelihood is concave, and steps are halved until it rises. Leaves the
    /// coefficients at the maximum and returns the inverse of the information.
    fn climb(
        &mut self,
        z: &[f64],
        weights: &[Vec<f64>; 2],
        size: usize,
    ) -> Result<[[f64; SIZE]; SIZE], StatisticsError> {
        let apart = || StatisticsError::Undefined("the two laws overlap too little to have a ratio".into());
        let mut likelihood = self.likelihood(z, weights);
        for _ in 0..MOST_STEPS {
            let probabilities: Vec<f64> = z.iter().map(|&z| math::logistic(self.at(z))).collect();
            let rest: Vec<f64> =
                (0..z.len()).map(|k| weights[0][k] - (weights[0][k] + weights[1][k]) * probabilities[k]).collect();
            let slope = score(z, &rest, &vec![1.0; z.len()], size);
            let inverse = inverse(&information(z, weights, &probabilities, size), size).ok_or_else(apart)?;
            let mut step = product(&inverse, &slope);
            if step.iter().all(|part| part.abs() < SETTLED) {
                return Ok(inverse);
            }
            let before = self.coefficients;
            for _ in 0..40 {
                for (coefficient, (start, part)) in self.coefficients.iter_mut().zip(before.iter().zip(&step)) {
                    *coefficient = start + part;
                }
                let now = self.likelihood(z, weights);
                // Near the maximum the likelihood is flat to rounding: there the step itself tells.
                if now >= likelihood - 1e-13 * likelihood.abs() {
                    likelihood = now;
                    break;
                }
                step.iter_mut().for_each(|part| *part *= 0.5);
            }
        }
        Err(apart())
    }

    fn likelihood(&self, z: &[f64], weights: &[Vec<f64>; 2]) -> f64 {
        let part = |k: usize| {
            let log_odds = self.at(z[k]);
            weights[0][k] * log_odds - (weights[0][k] + weights[1][k]) * math::softplus(log_odds)
        };
        (0..z.len()).map(part).sum()
    }

    fn at(&self, z: f64) -> f64 {
        let [constant, linear, quadratic] = self.coefficients;
        constant + z * (linear + z * quadratic)
    }

    /// Σ fⱼ cⱼ with its error between replicas (Welch's degrees of freedom over the two laws).
    fn combination(&self, factors: [f64; SIZE]) -> Estimate {
        let along = |row: &[f64; SIZE]| row.iter().zip(factors).map(|(part, factor)| part * factor).sum::<f64>();
        let spread = |rows: &[[f64; SIZE]]| {
            let values: Vec<f64> = rows.iter().map(along).collect();
            // Two replicas of each law were asked for, and finite fractions give finite scores.
            Estimate::from_replicas(&values).unwrap_or(Estimate {
                value: 0.0,
                standard_error: f64::NAN,
                degrees_of_freedom: 1.0,
            })
        };
        let value = along(&self.coefficients);
        Estimate { value, ..spread(&self.influences[0]).minus(&spread(&self.influences[1])) }
    }

    /// ln[P₁(x)/P₂(x)].
    pub fn value(&self, x: f64) -> Estimate {
        let z = (x - self.center) / self.scale;
        self.combination([1.0, z, z * z])
    }

    /// d ln(P₁/P₂)/dx at the mean of x over both laws; everywhere, for a fit of degree 1.
    pub fn slope(&self) -> Estimate {
        self.combination([0.0, 1.0 / self.scale, 0.0])
    }

    /// How far the curve sags below its chord over a range of x, at its middle: the quadratic coefficient times the square of half the
    /// range. 0 without error for a fit of degree 1.
    pub fn bend(&self, [low, high]: [f64; 2]) -> Estimate {
        let half = 0.5 * (high - low) / self.scale;
        self.combination([0.0, 0.0, half * half])
    }

    /// The mean of x over both laws alike.
    pub fn center(&self) -> f64 {
        self.center
    }
}

/// The range of x between the two tails of (1 − `part`)/2 each, of the law with the given weights at ascending places x.
pub fn central_range(x: &[f64], weights: &[f64], part: f64) -> [f64; 2] {
    let total: f64 = weights.iter().sum();
    let tail = 0.5 * (1.0 - part) * total;
    let reach = |mut order: Box<dyn Iterator<Item = usize>>| {
        let mut sum = 0.0;
        let found = order.find(|&k| {
            sum += weights[k];
            sum > tail
        });
        found.map_or(0.0, |k| x[k])
    };
    [reach(Box::new(0..x.len())), reach(Box::new((0..x.len()).rev()))]
}

/// The mean fraction at every place.
pub fn mean(rows: &[Vec<f64>], places: usize) -> Vec<f64> {
    let mut sums = vec![0.0; places];
    for row in rows {
        for (sum, part) in sums.iter_mut().zip(row) {
            *sum += part;
        }
    }
    sums.iter().map(|sum| sum / rows.len() as f64).collect()
}

fn center_and_scale(x: &[f64], weights: &[Vec<f64>; 2]) -> Result<(f64, f64), StatisticsError> {
    let weight = |k: usize| weights[0][k] + weights[1][k];
    let total: f64 = (0..x.len()).map(weight).sum();
    let center = (0..x.len()).map(|k| weight(k) * x[k]).sum::<f64>() / total;
    let square = (0..x.len()).map(|k| weight(k) * (x[k] - center) * (x[k] - center)).sum::<f64>() / total;
    if square > 0.0 && square.is_finite() {
        return Ok((center, square.sqrt()));
    }
    Err(StatisticsError::Undefined("all draws lie at one place: there is no ratio as a function of it".into()))
}

/// Σₖ rowₖ factorₖ zₖʲ.
fn score(z: &[f64], row: &[f64], factors: &[f64], size: usize) -> [f64; SIZE] {
    let mut sums = [0.0; SIZE];
    for k in 0..z.len() {
        let mut term = row[k] * factors[k];
        for sum in &mut sums[..size] {
            *sum += term;
            term *= z[k];
        }
    }
    sums
}

/// A = Σₖ wₖ πₖ(1 − πₖ) zₖⁱ⁺ʲ.
fn information(z: &[f64], weights: &[Vec<f64>; 2], probabilities: &[f64], size: usize) -> [[f64; SIZE]; SIZE] {
    let mut moments = [0.0; 2 * MOST + 1];
    for k in 0..z.len() {
        let mut term = (weights[0][k] + weights[1][k]) * probabilities[k] * (1.0 - probabilities[k]);
        for moment in &mut moments[..2 * size - 1] {
            *moment += term;
            term *= z[k];
        }
    }
    std::array::from_fn(|i| std::array::from_fn(|j| moments[i + j]))
}

fn product(matrix: &[[f64; SIZE]; SIZE], vector: &[f64; SIZE]) -> [f64; SIZE] {
    std::array::from_fn(|i| matrix[i].iter().zip(vector).map(|(a, b)| a * b).sum())
}

/// The inverse of the leading `size` rows and columns of a positive definite matrix (Gauss–Jordan), zero elsewhere; `None` if
/// a pivot is lost to rounding.
fn inverse(matrix: &[[f64; SIZE]; SIZE], size: usize) -> Option<[[f64; SIZE]; SIZE]> {
    let mut left = *matrix;
    let mut right: [[f64; SIZE]; SIZE] =
        std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j && i < size))));
    for k in 0..size {
        let pivot = left[k][k];
        if !(pivot > 1e-13 * matrix[k][k]) {
            return None;
        }
        for j in 0..size {
            left[k][j] /= pivot;
            right[k][j] /= pivot;
        }
        for i in (0..size).filter(|&i| i != k) {
            let factor = left[i][k];
            for j in 0..size {
                left[i][j] -= factor * left[k][j];
                right[i][j] -= factor * right[k][j];
            }
        }
    }
    Some(right)
}

#[cfg(test)]
mod tests {
    use super::super::occupancy::Occupancies;
    use super::*;

    /// Two places, one parameter too many for nothing: the fit passes through both ratios, and its slope is a difference of
    /// log-odds whose errors [`Occupancies`] knows.
    #[test]
    fn with_two_places_the_slope_is_a_difference_of_log_odds() {
        let first = vec![vec![0.5, 0.5], vec![0.7, 0.3], vec![0.6, 0.4]];
        let second = vec![vec![0.2, 0.8], vec![0.3, 0.7], vec![0.1, 0.9], vec![0.25, 0.75]];
        let odds = |rows: &[Vec<f64>]| Occupancies::new(2, rows.concat()).unwrap().log_odds(1, 0).unwrap();
        let expected = odds(&first).minus(&odds(&second));
        let slope = LogRatio::fit(&[1.0, 3.0], &first, &second, 1).unwrap().slope();
        assert!((slope.value - expected.value / 2.0).abs() < 1e-11, "{slope:?} {expected:?}");
        assert!((slope.standard_error - expected.standard_error / 2.0).abs() < 1e-11, "{slope:?} {expected:?}");
        assert!((slope.degrees_of_freedom - expected.degrees_of_freedom).abs() < 1e-6, "{slope:?} {expected:?}");
        // The first law has the smaller x: the ratio falls.
        assert!(slope.value < 0.0);
    }

    /// Three places and a parabola: it passes through all three ratios.
    #[test]
    fn with_three_places_the_parabola_passes_through_all_ratios() {
        let x = [0.0, 1.0, 3.0];
        let first = vec![vec![0.5, 0.3, 0.2], vec![0.3, 0.3, 0.4]];
        let second = vec![vec![0.1, 0.6, 0.3], vec![0.3, 0.4, 0.3]];
        let fit = LogRatio::fit(&x, &first, &second, 2).unwrap();
        let ratios = [0.4f64 / 0.2, 0.3 / 0.5, 0.3 / 0.3].map(f64::ln);
        for (x, ratio) in x.into_iter().zip(ratios) {
            assert!((fit.value(x).value - ratio).abs() < 1e-10, "{x}");
        }
        // The sag at the middle of a range by its definition.
        let [low, high] = [0.5, 2.5];
        let chord = 0.5 * (fit.value(low).value + fit.value(high).value);
        assert!((chord - fit.value(1.5).value - fit.bend([low, high]).value).abs() < 1e-10);
        assert!(fit.bend([low, high]).standard_error > 0.0);
    }

    #[test]
    fn a_central_range_by_hand() {
        let (x, weights) = ([1.0, 2.0, 3.0, 4.0, 5.0], [0.02, 0.2, 0.56, 0.2, 0.02]);
        assert_eq!(central_range(&x, &weights, 0.95), [2.0, 4.0]);
        assert_eq!(central_range(&x, &weights, 0.97), [1.0, 5.0]);
    }

    #[test]
    fn what_has_no_ratio_is_refused() {
        let x = [0.0, 1.0, 2.0, 3.0];
        let (low, high) = (vec![0.5, 0.5, 0.0, 0.0], vec![0.0, 0.0, 0.5, 0.5]);
        let apart = LogRatio::fit(&x, &[low.clone(), low.clone()], &[high.clone(), high], 1);
        assert!(apart.unwrap_err().to_string().contains("overlap"));
        assert!(LogRatio::fit(&x, std::slice::from_ref(&low), &[low.clone(), low.clone()], 1).is_err());
        assert!(LogRatio::fit(&x[..3], &[low.clone(), low.clone()], &[low.clone(), low], 1).is_err());
        let one = vec![1.0, 0.0];
        assert!(LogRatio::fit(&x[..2], &[one.clone(), one.clone()], &[one.clone(), one], 1).is_err());
    }
}
