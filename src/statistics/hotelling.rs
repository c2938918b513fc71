//! Hotelling's T²: all occupancies against all predictions at once.

use super::error::StatisticsError;
use super::occupancy::Occupancies;
use super::special::f_survival;
use serde::{Deserialize, Serialize};

/// A pivot of the correlation matrix below this means that the states are linearly dependent over the replicas.
const SMALLEST_PIVOT: f64 = 1e-10;

/// The outcome of Hotelling's one-sample test on the replica means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HotellingTest {
    /// T² = R (p̄ − p)ᵀ S⁻¹ (p̄ − p), S the covariance of the replicas (divisor R − 1), one state dropped.
    pub t_squared: f64,
    /// T²(R − q)/((R − 1)q), which follows F(q, R − q) if the predictions are true and the replica means nearly normal.
    pub f: f64,
    /// q: the number of states less the one dropped.
    pub numerator_degrees_of_freedom: usize,
    /// R − q.
    pub denominator_degrees_of_freedom: usize,
    /// P(F > f): small speaks against the predictions. Large does not speak for them (equivalence needs a margin).
    pub p_value: f64,
}

/// Tests all states of `occupancies` against `predicted` probabilities (one per state, summing to 1) at once.
///
/// One state is dropped, since fractions sum to 1 (the likeliest, for conditioning: T² does not depend on which). A state
/// that is predicted to have probability 0 and was never visited carries no information and is left out.
///
/// Undefined, with the reason: a state with a positive prediction that no replica visited; fewer than two states left; too few
/// replicas (R > q is needed); occupancies that are linearly dependent over the replicas.
pub fn hotelling(occupancies: &Occupancies, predicted: &[f64]) -> Result<HotellingTest, StatisticsError> {
    let undefined = |message: String| Err(StatisticsError::Undefined(message));
    if predicted.len() != occupancies.states() {
        let what = "predicted probabilities".to_string();
        return Err(StatisticsError::Shape { what, found: predicted.len(), expected: occupancies.states() });
    }
    if let Some(&value) = predicted.iter().find(|&&p| !(0.0..=1.0).contains(&p)) {
        let what = "a predicted probability".to_string();
        return Err(StatisticsError::Value { what, value, allowed: "it must lie in [0, 1]" });
    }
    let value: f64 = predicted.iter().sum();
    if (value - 1.0).abs() > 1e-6 {
        let what = "the sum of the predicted probabilities".to_string();
        return Err(StatisticsError::Value { what, value, allowed: "it must be 1" });
    }
    if occupancies.replicas() == 0 {
        return undefined("there are no replicas".into());
    }
    let mut states = Vec::new();
    for (state, &probability) in predicted.iter().enumerate() {
        if occupancies.visited(state) {
            states.push(state);
        } else if probability > 0.0 {
            return undefined(format!(
                "state {state} was never visited, although its predicted probability is {probability:.3e}"
            ));
        }
    }
    let means: Vec<f64> = (0..predicted.len()).map(|state| occupancies.mean(state).unwrap_or(0.0)).collect();
    let mean = |state: usize| means[state];
    let Some(likeliest) = states.iter().copied().max_by(|&a, &b| mean(a).total_cmp(&mean(b))) else {
        return undefined("there are no replicas".into());
    };
    states.retain(|&state| state != likeliest);
    let (dimension, replicas) = (states.len(), occupancies.replicas());
    if dimension == 0 {
        return undefined("only one state was visited: there is nothing to compare".into());
    }
    if replicas <= dimension {
        return undefined(format!(
            "{replicas} replicas are too few for {dimension} free occupancies: more replicas than those are needed"
        ));
    }

    // Deviations in units of each state's own spread: the Cholesky factor is then that of the correlation matrix, whose
    // pivots show linear dependence whatever the scale of the occupancies.
    let mut deviations = Vec::with_capacity(dimension);
    let mut distance = Vec::with_capacity(dimension);
    for &state in &states {
        let column: Vec<f64> = occupancies.column(state).iter().map(|fraction| fraction - mean(state)).collect();
        let spread = (column.iter().map(|d| d * d).sum::<f64>() / (replicas as f64 - 1.0)).sqrt();
        if spread <= 0.0 {
            return undefined(format!("state {state} has the same occupancy in all replicas"));
        }
        distance.push((mean(state) - predicted[state]) / spread);
        deviations.push(column.iter().map(|d| d / spread).collect::<Vec<f64>>());
    }
    let correlation = |i: usize, j: usize| -> f64 {
        deviations[i].iter().zip(&deviations[j]).map(|(a, b)| a * b).sum::<f64>() / (replicas as f64 - 1.0)
    };
    let Some(squared_length) = whitened_squared_length(dimension, correlation, &distance) else {
        return undefined("the occupancies are linearly dependent over the replicas".into());
    };
    let (q, r) = (dimension as f64, replicas as f64);
    let t_squared = r * squared_length;
    let f = t_squared * (r - q) / ((r - 1.0) * q);
    Ok(HotellingTest {
        t_squared,
        f,
        numerator_degrees_of_freedom: dimension,
        denominator_degrees_of_freedom: replicas - dimension,
        p_value: f_survival(f, q, r - q),
    })
}

/// vᵀM⁻¹v for a positive definite matrix M, as |L⁻¹v|² with M = LLᵀ (Cholesky); `None` if M is singular.
///
/// Written out, because the matrix products of a linear algebra library choose their instructions by machine.
fn whitened_squared_length(dimension: usize, matrix: impl Fn(usize, usize) -> f64, vector: &[f64]) -> Option<f64> {
    let mut factor = vec![0.0; dimension * dimension];
    let mut whitened = vec![0.0; dimension];
    for i in 0..dimension {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| factor[i * dimension + k] * factor[j * dimension + k]).sum();
            let rest = matrix(i, j) - dot;
            if i > j {
                factor[i * dimension + j] = rest / factor[j * dimension + j];
            } else if rest > SMALLEST_PIVOT {
                factor[i * dimension + i] = rest.sqrt();
            } else {
                return None;
            }
        }
        let dot: f64 = (0..i).map(|k| factor[i * dimension + k] * whitened[k]).sum();
        whitened[i] = (vector[i] - dot) / factor[i * dimension + i];
    }
    Some(whitened.iter().map(|w| w * w).sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::special::student_t_survival;

    #[test]
    fn two_states_give_the_square_of_students_t() {
        let occupancies = Occupancies::new(2, vec![0.5, 0.5, 0.7, 0.3, 0.6, 0.4, 0.65, 0.35]).unwrap();
        let test = hotelling(&occupancies, &[0.5, 0.5]).unwrap();
        let estimate = occupancies.occupancy(0).unwrap();
        let t = (estimate.value - 0.5) / estimate.standard_error;
        assert!((test.t_squared - t * t).abs() < 1e-10);
        assert!((test.p_value - 2.0 * student_t_survival(t, 3.0)).abs() < 1e-12);
        assert_eq!((test.numerator_degrees_of_freedom, test.denominator_degrees_of_freedom), (1, 3));
    }

    #[test]
    fn three_states_by_hand() {
        // Dropping state 0: deviations of states 1, 2 from .3, .2: (−.1, 0), (.1, .1), (0, −.1), (0, 0).
        // S = [[.02, .01], [.01, .02]]/3, v = (.05, −.05).
        let fractions = vec![0.6, 0.2, 0.2, 0.3, 0.4, 0.3, 0.6, 0.3, 0.1, 0.5, 0.3, 0.2];
        let occupancies = Occupancies::new(3, fractions).unwrap();
        let test = hotelling(&occupancies, &[0.5, 0.25, 0.25]).unwrap();
        // S⁻¹ = 3/(.0004 − .0001)·[[.02, −.01], [−.01, .02]]; vᵀS⁻¹v = 1e4·(.02 + .01 + .01 + .02)·.0025 = 1.5.
        assert!((test.t_squared - 6.0).abs() < 1e-10, "{}", test.t_squared);
        assert!((test.f - 6.0 * 2.0 / (3.0 * 2.0)).abs() < 1e-10);
        // F(2, 2): P(F > f) = 1/(1 + f).
        assert!((test.p_value - 1.0 / 3.0).abs() < 1e-10);
    }

    #[test]
    fn degenerate_cases_have_a_reason() {
        let two = |fractions: Vec<f64>| Occupancies::new(2, fractions).unwrap();
        let reason = |result: Result<HotellingTest, StatisticsError>| result.unwrap_err().to_string();
        assert!(reason(hotelling(&two(vec![1.0, 0.0, 1.0, 0.0]), &[0.9, 0.1])).contains("never visited"));
        assert!(reason(hotelling(&two(vec![1.0, 0.0, 1.0, 0.0]), &[1.0, 0.0])).contains("only one state"));
        assert!(reason(hotelling(&two(vec![0.5, 0.5, 0.5, 0.5]), &[0.4, 0.6])).contains("same occupancy"));
        assert!(reason(hotelling(&two(vec![0.5, 0.5]), &[0.4, 0.6])).contains("too few"));
        assert!(reason(hotelling(&two(vec![]), &[1.0, 0.0])).contains("no replicas"));
        assert!(reason(hotelling(&two(vec![0.5, 0.5]), &[0.4])).contains("expected 2"));
        assert!(reason(hotelling(&two(vec![0.5, 0.5]), &[0.4, 0.7])).contains("sum"));
        assert!(hotelling(&two(vec![0.5, 0.5]), &[f64::NAN, 0.7]).is_err());
        let dependent = vec![0.5, 0.3, 0.2, 0.65, 0.2, 0.15, 0.35, 0.4, 0.25, 0.2, 0.5, 0.3];
        let dependent = Occupancies::new(3, dependent).unwrap();
        assert!(reason(hotelling(&dependent, &[0.5, 0.3, 0.2])).contains("linearly dependent"));
        // A state that is neither predicted nor seen ("other") is left out.
        let padded = Occupancies::new(3, vec![0.5, 0.5, 0.0, 0.7, 0.3, 0.0, 0.6, 0.4, 0.0]).unwrap();
        assert_eq!(hotelling(&padded, &[0.5, 0.5, 0.0]).unwrap().numerator_degrees_of_freedom, 1);
    }
}
