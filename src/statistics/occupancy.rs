//! How often replicas are in each state: occupancies and their log-odds.

use super::error::StatisticsError;
use super::estimate::Estimate;
use crate::math::ln;
use serde::{Deserialize, Serialize};

/// How far a row of fractions may sum from 1: the rounding of a division per state.
const SUM_TOLERANCE: f64 = 1e-9;

/// Fractions of time that each independent replica spent in each state, replicas × states, row by row.
///
/// The last state may be "other": what lies in no found basin. Every replica must have finished: leaving out those that
/// diverged is a bias that the caller has to report ([`super::Evidence::diverged`]).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Occupancies {
    states: usize,
    fractions: Vec<f64>,
}

/// What is read from a file, before the checks of [`Occupancies::new`].
#[derive(Deserialize)]
struct Unchecked {
    states: usize,
    fractions: Vec<f64>,
}

impl TryFrom<Unchecked> for Occupancies {
    type Error = StatisticsError;

    fn try_from(Unchecked { states, fractions }: Unchecked) -> Result<Self, StatisticsError> {
        Self::new(states, fractions)
    }
}

impl Occupancies {
    /// From a flat array of `replicas × states` fractions; each row must be ≥ 0 and sum to 1.
    pub fn new(states: usize, fractions: Vec<f64>) -> Result<Self, StatisticsError> {
        if states == 0 || !fractions.len().is_multiple_of(states) {
            return Err(StatisticsError::Shape {
                what: format!("fractions of {states} states per replica"),
                found: fractions.len(),
                expected: fractions.len().div_ceil(states.max(1)) * states,
            });
        }
        for (replica, row) in fractions.chunks_exact(states).enumerate() {
            if let Some(&value) = row.iter().find(|&&value| !value.is_finite() || value < 0.0) {
                let what = format!("a fraction of replica {replica}");
                return Err(StatisticsError::Value { what, value, allowed: "a fraction is at least 0 and finite" });
            }
            let value: f64 = row.iter().sum();
            if (value - 1.0).abs() > SUM_TOLERANCE {
                let what = format!("the sum of the fractions of replica {replica}");
                return Err(StatisticsError::Value { what, value, allowed: "the fractions of a replica sum to 1" });
            }
        }
        Ok(Self { states, fractions })
    }

    /// The number of states, "other" included.
    pub fn states(&self) -> usize {
        self.states
    }

    /// The number R of independent replicas.
    pub fn replicas(&self) -> usize {
        self.fractions.len() / self.states
    }

    /// The fractions of one replica, one per state; empty if there is no such replica.
    pub fn replica(&self, replica: usize) -> &[f64] {
        let start = replica.saturating_mul(self.states);
        self.fractions.get(start..start.saturating_add(self.states)).unwrap_or(&[])
    }

    /// The fractions of one state, one per replica; empty if there is no such state.
    pub fn column(&self, state: usize) -> Vec<f64> {
        if state >= self.states {
            return Vec::new();
        }
        self.fractions.chunks_exact(self.states).map(|row| row[state]).collect()
    }

    /// The mean fraction p̄ of a state over the replicas; `None` without replicas or such a state.
    pub fn mean(&self, state: usize) -> Option<f64> {
        let column = self.column(state);
        (!column.is_empty()).then(|| column.iter().sum::<f64>() / column.len() as f64)
    }

    /// True if some replica spent time in the state.
    pub fn visited(&self, state: usize) -> bool {
        self.column(state).iter().any(|&fraction| fraction > 0.0)
    }

    /// The occupancy of a state: mean over replicas, SE = s_R/√R, R − 1 degrees of freedom.
    ///
    /// `None` for a state that no replica ever visited: never seen is no estimate, and not 0 (for "other", where an
    /// exact zero means something, the caller may report 0 itself). `None` too for fewer than 2 replicas.
    pub fn occupancy(&self, state: usize) -> Option<Estimate> {
        if !self.visited(state) {
            return None;
        }
        Estimate::from_replicas(&self.column(state))
    }

    /// ln(p_a/p_b) of the mean occupancies, SE = sd(g)/√R with the per-replica influence
    /// g_r = p_{r,a}/p̄_a − p_{r,b}/p̄_b (the delta method, which keeps the correlation of the two states).
    ///
    /// `None` if either state was never visited or there are fewer than 2 replicas.
    pub fn log_odds(&self, a: usize, b: usize) -> Option<Estimate> {
        if !self.visited(a) || !self.visited(b) {
            return None;
        }
        let (mean_a, mean_b) = (self.mean(a)?, self.mean(b)?);
        let influence: Vec<f64> =
            self.fractions.chunks_exact(self.states).map(|row| row[a] / mean_a - row[b] / mean_b).collect();
        let spread = Estimate::from_replicas(&influence)?;
        Some(Estimate { value: ln(mean_a / mean_b), ..spread })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_odds_by_hand() {
        // p_a = .5, .7, .6 (mean .6), p_b = .5, .3, .4 (mean .4): g = .5/.6 − .5/.4, … = −5/12, 5/12, 0; sd = 5/12.
        let occupancies = Occupancies::new(2, vec![0.5, 0.5, 0.7, 0.3, 0.6, 0.4]).unwrap();
        let estimate = occupancies.log_odds(0, 1).unwrap();
        assert!((estimate.value - 1.5_f64.ln()).abs() < 1e-14);
        assert!((estimate.standard_error - 5.0 / 12.0 / 3.0_f64.sqrt()).abs() < 1e-14);
        assert_eq!(estimate.degrees_of_freedom, 2.0);
        let occupancy = occupancies.occupancy(0).unwrap();
        assert!((occupancy.value - 0.6).abs() < 1e-15);
        assert!((occupancy.standard_error - 0.1 / 3.0_f64.sqrt()).abs() < 1e-15);
    }

    #[test]
    fn a_state_never_visited_gives_no_estimate() {
        let occupancies = Occupancies::new(3, vec![0.5, 0.5, 0.0, 0.25, 0.75, 0.0]).unwrap();
        assert_eq!(occupancies.occupancy(2), None);
        assert_eq!(occupancies.log_odds(0, 2), None);
        assert_eq!(occupancies.log_odds(2, 0), None);
        assert!(occupancies.log_odds(0, 1).is_some());
        // States and replicas that do not exist are no panic.
        assert_eq!(occupancies.log_odds(0, 9), None);
        assert!(occupancies.column(9).is_empty() && occupancies.replica(9).is_empty());
    }

    #[test]
    fn bad_fractions_are_refused() {
        assert!(Occupancies::new(0, vec![]).is_err());
        assert!(Occupancies::new(2, vec![1.0, 0.0, 1.0]).is_err());
        assert!(Occupancies::new(2, vec![0.5, 0.4]).is_err());
        assert!(Occupancies::new(2, vec![1.5, -0.5]).is_err());
        assert!(Occupancies::new(2, vec![f64::NAN, 1.0]).is_err());
        assert!(Occupancies::new(2, vec![]).unwrap().log_odds(0, 1).is_none());
        assert!(serde_json::from_str::<Occupancies>(r#"{"states":0,"fractions":[]}"#).is_err());
        assert!(serde_json::from_str::<Occupancies>(r#"{"states":2,"fractions":[0.5,0.5]}"#).is_ok());
    }
}
