//! What is left of the start: how far the mean over a run still is from where it would go if the run went on for ever.
//!
//! The other diagnostics ask whether a memory can be *seen*; a memory too small to be seen by them may still be several standard errors
//! of a log-odds, where one state is rare. This one *predicts* it. Between its minima a trajectory is a Markov chain in continuous
//! time, whose rates the run itself has measured: q_ij = (transitions i → j) / (time in i). From the shares w of the replicas over
//! their starts it has, averaged over the measured steps b … b + K, the occupancies
//!
//! p̄ = (1/K) ∫_b^{b+K} w e^{Qs} ds,
//!
//! and π, with πQ = 0, in the long run. ln(p̄_i/p̄_j) − ln(π_i/π_j) is the bias of a measured log-odds. With two states it is that of
//! p̄ − π = (w − π) e^{−b/τ} (1 − e^{−K/τ}) τ/K, 1/τ = q₁₂ + q₂₁.
//!
//! The rates are those of the same run: where it happened to stay near the shares that it started with, they foretell next to no bias, and a
//! limit on that alone would let pass just the runs whose intervals do not cover. So the limit is on what the bias may be within the errors of
//! the rates: what share of a log-odds of the start is left, times two standard errors, comes on top. That share is no matter of chance.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::Occupancies;
use crate::math;

/// The largest bias of a log-odds that goes unmentioned, in its standard errors: a 95 % interval then covers in 94.5 % of all cases.
pub const LARGEST_BIAS: f64 = 0.2;
/// So many standard errors farther from the start than by the run's rates the log-odds may be.
pub const FARTHER: f64 = 2.0;
/// The burn-in that is advised leaves less: the rates by which a run foretells its bias are themselves known from some tens of
/// transitions, and at the limit itself every other run would still be barred.
pub const ADVISED_BIAS: f64 = 0.05;

/// A run of replicas that jump between states.
#[derive(Clone, Copy, Debug)]
pub struct Jumps<'a> {
    /// How often they jumped, `[from][to]`, all replicas, during the measured steps.
    pub transitions: &'a [Vec<u64>],
    /// Where they were during the measured steps; the states of `transitions` come first.
    pub occupancies: &'a Occupancies,
    /// Share of the replicas that started in each of these states.
    pub starts: &'a [f64],
    /// Steps before the measured ones.
    pub burn_in: f64,
    /// Measured steps of each replica.
    pub steps: f64,
}

/// The largest bias by the start, in standard errors of what it is a bias of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StartMemory {
    /// The two states whose log-odds it is.
    pub states: [usize; 2],
    /// ln(p̄_i/p̄_j) − ln(π_i/π_j); `None` if one of them is not entered at all.
    pub bias: Option<f64>,
    /// Standard error of the measured log-odds.
    pub standard_error: f64,
    /// Of a small difference of the start's log-odds from those in the long run, the share that is left in the measured one: 1 − dln(p̄_i/p̄_j)/dln(π_i/π_j).
    pub left: f64,
    /// The longest time in which the chain forgets all but 1/e, in steps.
    pub relaxation: f64,
}

impl StartMemory {
    /// The largest bias among the log-odds of each state against the most occupied one; `None` if no two states were visited by
    /// two replicas.
    pub fn of(jumps: &Jumps<'_>) -> Option<Self> {
        let states = jumps.transitions.len();
        let occupancy: Vec<f64> = (0..states).map(|state| jumps.occupancies.mean(state).unwrap_or(0.0)).collect();
        let reference = (0..states).max_by(|&a, &b| occupancy[a].total_cmp(&occupancy[b]))?;
        let generator = generator(jumps, &occupancy);
        let mean = mean_over_steps(&generator, jumps);
        let averaged = mean.tr_mul(&DVector::from_column_slice(jumps.starts));
        let stationary = stationary(&generator);
        let relaxation = relaxation(&generator);
        let bias = |state: usize| -> Option<f64> {
            let stationary = stationary.as_ref()?;
            let odds = |law: &DVector<f64>| math::ln(law[state] / law[reference]);
            let bias = odds(&averaged) - odds(stationary);
            bias.is_finite().then_some(bias)
        };
        let left = |state: usize| -> f64 {
            const ASIDE: f64 = 1e-3;
            let of = |stationary: &DVector<f64>| {
                let mut start = stationary.clone();
                start[state] *= math::exp(ASIDE);
                let law = mean.tr_mul(&start);
                math::ln(law[state] / law[reference] / (stationary[state] / stationary[reference])) / ASIDE
            };
            stationary.as_ref().map(of).filter(|left| left.is_finite()).map_or(1.0, f64::abs)
        };
        (0..states)
            .filter(|&state| state != reference)
            .filter_map(|state| {
                let standard_error = jumps.occupancies.log_odds(state, reference)?.standard_error;
                Some(Self {
                    states: [state, reference],
                    bias: bias(state),
                    standard_error,
                    left: left(state),
                    relaxation,
                })
            })
            .max_by(|a, b| a.largest().total_cmp(&b.largest()))
    }

    /// The bias in standard errors.
    pub fn size(&self) -> f64 {
        self.bias.map_or(f64::INFINITY, |bias| bias.abs() / self.standard_error)
    }

    /// The same within the errors of the rates.
    pub fn largest(&self) -> f64 {
        self.size() + FARTHER * self.left
    }

    /// Whether it may be left out of account.
    pub fn is_negligible(&self) -> bool {
        self.largest() <= LARGEST_BIAS
    }

    /// The burn-in, in steps, that would bring the bias to [`ADVISED_BIAS`]; `None` if that cannot be told.
    pub fn burn_in_wanted(&self, burn_in: f64) -> Option<f64> {
        let wanted = burn_in + self.relaxation * math::ln(self.largest() / ADVISED_BIAS).max(0.0);
        wanted.is_finite().then_some(wanted)
    }
}

/// Q: rates per step, rows summing to 0.
fn generator(jumps: &Jumps<'_>, occupancy: &[f64]) -> DMatrix<f64> {
    let states = occupancy.len();
    let replicas = jumps.occupancies.replicas() as f64;
    let mut generator = DMatrix::zeros(states, states);
    for from in 0..states {
        let time = replicas * jumps.steps * occupancy[from];
        for to in (0..states).filter(|&to| to != from && time > 0.0) {
            let rate = jumps.transitions[from][to] as f64 / time;
            generator[(from, to)] = rate;
            generator[(from, from)] -= rate;
        }
    }
    generator
}

/// The matrix M of p̄ = wM, by the exponential of [[Q, I], [0, 0]], whose upper right corner is ∫ e^{Qs} ds.
fn mean_over_steps(generator: &DMatrix<f64>, jumps: &Jumps<'_>) -> DMatrix<f64> {
    let states = generator.nrows();
    let mut block = DMatrix::zeros(2 * states, 2 * states);
    block.view_mut((0, 0), (states, states)).copy_from(&(generator * jumps.steps));
    block.view_mut((0, states), (states, states)).fill_with_identity();
    let mean = block.exp().view((0, states), (states, states)).into_owned();
    (generator * jumps.burn_in).exp() * mean
}

/// π, with πQ = 0 and Σπ = 1; `None` if there is more than one.
fn stationary(generator: &DMatrix<f64>) -> Option<DVector<f64>> {
    let states = generator.nrows();
    let mut equations = generator.transpose();
    equations.row_mut(states - 1).fill(1.0);
    // Rates may be far from 1, the sum is not.
    let scale = generator.amax();
    equations.rows_mut(0, states - 1).iter_mut().for_each(|entry| *entry /= scale);
    let mut right = DVector::zeros(states);
    right[states - 1] = 1.0;
    let law = equations.lu().solve(&right)?;
    law.iter().all(|p| p.is_finite()).then_some(law)
}

/// 1/|Re λ| of the slowest decay.
fn relaxation(generator: &DMatrix<f64>) -> f64 {
    let mut rates: Vec<f64> = generator.complex_eigenvalues().iter().map(|value| value.re.abs()).collect();
    rates.sort_unstable_by(f64::total_cmp);
    // The first is that of π itself, 0.
    rates.get(1).map_or(f64::INFINITY, |rate| 1.0 / rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 100 replicas for 1,000 steps, half in either of two states.
    fn memory(transitions: [u64; 2], starts: [f64; 2], burn_in: f64) -> StartMemory {
        let fractions = (0..100).flat_map(|r| if r % 2 == 0 { [0.6, 0.4, 0.0] } else { [0.4, 0.6, 0.0] }).collect();
        let occupancies = Occupancies::new(3, fractions).unwrap();
        let transitions = [vec![0, transitions[0]], vec![transitions[1], 0]];
        let jumps =
            Jumps { transitions: &transitions, occupancies: &occupancies, starts: &starts, burn_in, steps: 1000.0 };
        StartMemory::of(&jumps).unwrap()
    }

    #[test]
    fn with_two_states_it_is_the_closed_form() {
        let found = memory([50, 150], [0.2, 0.8], 300.0);
        // 50,000 steps in either state: rates 0.001 and 0.003, π = (0.75, 0.25), τ = 250.
        assert!((found.relaxation - 250.0).abs() < 1e-9, "{}", found.relaxation);
        let left = (0.2 - 0.75) * (-300.0f64 / 250.0).exp() * (1.0 - (-4.0f64).exp()) / 4.0;
        let (first, second) = (0.75 + left, 0.25 - left);
        let sign = if found.states == [0, 1] { 1.0 } else { -1.0 };
        let bias = sign * ((first / second).ln() - 3.0f64.ln());
        assert!((found.bias.unwrap() - bias).abs() < 1e-10, "{:?} {bias}", found.bias);
        // Where replicas start in equilibrium there is nothing to forget.
        assert!(memory([50, 150], [0.75, 0.25], 0.0).bias.unwrap().abs() < 1e-9);
        let share = (-300.0f64 / 250.0).exp() * (1.0 - (-4.0f64).exp()) / 4.0;
        assert!((found.left - share).abs() < 1e-3 * share, "{} {share}", found.left);
    }

    #[test]
    fn a_longer_burn_in_makes_it_negligible() {
        let early = memory([500, 1500], [0.5, 0.5], 10.0);
        assert!(!early.is_negligible());
        let wanted = early.burn_in_wanted(10.0).unwrap();
        let size = memory([500, 1500], [0.5, 0.5], wanted).largest();
        assert!((size / ADVISED_BIAS - 1.0).abs() < 0.1, "{size}");
        assert!(memory([500, 1500], [0.5, 0.5], 1.1 * wanted).is_negligible());
    }

    #[test]
    fn a_state_that_is_never_entered_is_remembered_for_ever() {
        let found = memory([0, 20], [0.5, 0.5], 1e6);
        assert_eq!((found.bias, found.is_negligible(), found.burn_in_wanted(0.0)), (None, false, None));
        assert_eq!(memory([0, 0], [0.5, 0.5], 0.0).bias, None);
    }
}
