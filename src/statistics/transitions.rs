//! Errors of occupancies that rest on few transitions.
//!
//! With many transitions the spread between replicas tells the error of an occupancy. With few it does not: where a state is rare,
//! most replicas never see it, and where its few sojourns happened to be short both its occupancy and the spread come out small.
//! The transitions themselves know better. Between its states a trajectory is a Markov chain; if that is reversible, the time mean of f
//! over R replicas of length T has for T → ∞ the variance 2⟨f, (−Q)⁻¹f⟩/(RT), and of a log-odds, f = 1_a/p_a − 1_b/p_b, it is
//!
//! SE² = 2 rᵀL⁺r = 4/M,  r = p·f = e_a − e_b,
//!
//! L the Laplacian of a network of conductances (N_ij + N_ji)/2 between the states, N the transitions seen: twice the resistance
//! between a and b. M is the number of transitions that counts: with two states all of them, with more those between a and b, ways
//! through other states included. (Asymptotic variance: Kipnis & Varadhan, Commun. Math. Phys. 104 (1986), 1–19; with
//! resistances: Doyle & Snell, Random Walks and Electric Networks, 1984.) Replicas that are not long beside the correlation time τ of
//! f hold more than that, for where each begins counts too: SE² shrinks by 1 − (τ/T)(1 − e^(−T/τ)), with τ = (4/M)·RT/(2 Σ r²/p) from the
//! same counts.
//!
//! Runs that show an interval or a verdict are selected: where M is small in the mean, those that reach [`FEWEST`] saw more than is
//! usual. Near it the error is enlarged, by [`enlargement`], so that intervals cover *given that they are shown*, wherever more than
//! one run in a hundred shows one. Nothing but M may select: an effective sample size does not, since it is large where sojourns
//! were short, and so is above any threshold in just those runs whose occupancies are off.

use super::estimate::Estimate;
use super::occupancy::Occupancies;
use super::special::{normal_quantile, student_t_quantile};
use crate::math;

/// Transitions below which a log-odds has no interval and no claim about it a verdict: some fourteen sojourns in either state.
/// Chosen by simulation of two-state chains (`benches/calibration/`): from here on intervals cover 93 to 99 % at every effort at which
/// one run in ten shows one.
pub const FEWEST: f64 = 28.0;
/// Transitions to be planned for: if so many are expected, 97 of 100 runs see [`FEWEST`] (their number has a variance of twice its
/// mean, since they come in pairs).
pub const PLANNED: f64 = 44.0;
/// From so many on the spread between replicas is known well, and counts count for less and less.
pub const MANY: f64 = 100.0;
/// At this confidence the wider of two intervals is chosen, that of the counts and that of the replicas.
const CONFIDENCE: f64 = 0.95;

/// Transitions between states, and the time spent there.
#[derive(Clone, Copy, Debug)]
pub struct Transitions<'a> {
    /// How often replicas went from one state to another, `[from][to]`, all replicas.
    pub counts: &'a [Vec<u64>],
    /// Where they were meanwhile; the states of `counts` come first.
    pub occupancies: &'a Occupancies,
}

/// The occupancy of a state.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// Mean over replicas.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// The 95 % interval: that of the log-odds against everything else, as probabilities.
    pub interval: Option<[f64; 2]>,
}

impl Transitions<'_> {
    /// M, the number of transitions that the log-odds of two states rests on; 0 where no way leads from one to the other.
    pub fn between(&self, a: usize, b: usize) -> f64 {
        self.currents_between(a, b).map_or(0.0, |currents| 2.0 / self.dissipation(&currents))
    }

    /// ln(p_a/p_b) with the wider one of the errors that replicas and transitions tell; `None` below [`FEWEST`] transitions, and as for
    /// [`Occupancies::log_odds`].
    pub fn log_odds(&self, a: usize, b: usize) -> Option<Estimate> {
        self.calibrated(self.occupancies.log_odds(a, b)?, &self.currents_between(a, b)?)
    }

    /// The occupancy of a state; `None` below [`FEWEST`] transitions between it and the others. With one state alone there are none
    /// to count, and replicas tell all.
    pub fn share(&self, state: usize) -> Option<Share> {
        let mean = self.occupancies.occupancy(state)?;
        if self.counts.len() < 2 || state >= self.counts.len() {
            let interval = mean.interval(CONFIDENCE);
            return Some(Share { value: mean.value, standard_error: mean.standard_error, interval });
        }
        let (p, rest) = (mean.value, 1.0 - mean.value);
        let slope = p * rest;
        let log_odds =
            Estimate { value: math::ln(p / rest), standard_error: mean.standard_error / slope, ..mean.clone() };
        let log_odds = self.calibrated(log_odds, &self.currents_out_of(state)?)?;
        let interval = log_odds.interval(CONFIDENCE).map(|ends| ends.map(math::logistic));
        Some(Share { value: p, standard_error: slope * log_odds.standard_error, interval })
    }

    /// Of the log-odds of all states that were visited against the most occupied, the one that rests on the fewest transitions, and
    /// on how many; `None` of fewer than two states.
    pub fn fewest(&self) -> Option<([usize; 2], f64)> {
        let visited = || (0..self.counts.len()).filter(|&state| self.occupancies.visited(state));
        let mean = |state: usize| self.occupancies.mean(state).unwrap_or(0.0);
        let reference = visited().max_by(|&a, &b| mean(a).total_cmp(&mean(b)))?;
        let pairs = visited().filter(|&state| state != reference).map(|state| [state, reference]);
        pairs.map(|[a, b]| ([a, b], self.between(a, b))).min_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// Why no verdict about the states can be given, if too few transitions between them were seen.
    pub fn too_few(&self, name: impl Fn(usize) -> String) -> Option<String> {
        let ([a, b], seen) = self.fewest().filter(|(_, seen)| *seen < FEWEST)?;
        let (a, b) = (name(a), name(b));
        let (seen_so_many, ways) = match self.counts.len() {
            2 => (format!("{seen:.0} transition{}", if seen.round() == 1.0 { "" } else { "s" }), ""),
            _ => (format!("{seen:.1} transitions that count"), ", ways through other minima included,"),
        };
        let advice = match PLANNED / seen {
            factor if factor <= 1000.0 => {
                format!("about {}× as many replicas × steps would do", factor.ceil().max(2.0))
            }
            _ => "lower the barrier, raise the temperature, or run much longer".into(),
        };
        Some(format!(
            "{seen_so_many} between {a} and {b}{ways} were seen, where {FEWEST} are needed for an error of ln(p_{a}/p_{b}) that can be \
             trusted; {advice}"
        ))
    }

    /// `spread` with its error enlarged to that of the transitions, if theirs gives the wider interval; `None` of too few.
    fn calibrated(&self, spread: Estimate, currents: &[f64]) -> Option<Estimate> {
        let dissipation = self.dissipation(currents);
        // Compared in this way 28 of two states are exactly 28.
        if !(dissipation <= 2.0 / FEWEST && spread.is_finite()) {
            return None;
        }
        let transitions = 2.0 / dissipation;
        let error = self.standard_error(transitions, currents)? * enlargement(transitions);
        let error = error * (MANY / transitions).min(1.0).sqrt();
        let tail = 0.5 * (1.0 - CONFIDENCE);
        let by_replicas = student_t_quantile(tail, spread.degrees_of_freedom) * spread.standard_error;
        let by_transitions = normal_quantile(tail) * error;
        Some(if by_transitions < by_replicas {
            Estimate { standard_error: error, degrees_of_freedom: f64::INFINITY, ..spread }
        } else {
            spread
        })
    }

    /// √(4/M·(1 − (τ/T)(1 − e^(−T/τ)))), T/τ = M Σ r²/p/(2R).
    fn standard_error(&self, transitions: f64, currents: &[f64]) -> Option<f64> {
        let mut variance = 0.0;
        for (state, current) in currents.iter().enumerate().filter(|(_, current)| **current != 0.0) {
            variance += current * current / self.occupancies.mean(state)?;
        }
        let times = 0.5 * transitions * variance / self.occupancies.replicas() as f64;
        // Below 1e−4 the difference would lose its digits: 1 − (1 − e^(−x))/x = x/2 − x²/6 …
        let kept = if times > 1e-4 { 1.0 - (1.0 - math::exp(-times)) / times } else { 0.5 * times };
        Some((4.0 / transitions * kept).sqrt())
    }

    fn currents_between(&self, a: usize, b: usize) -> Option<Vec<f64>> {
        let states = self.counts.len();
        (a < states && b < states && a != b).then(|| {
            let mut currents = vec![0.0; states];
            (currents[a], currents[b]) = (1.0, -1.0);
            currents
        })
    }

    /// p·f for the log-odds of a state against all others, f = (1_a − p_a)/(p_a(1 − p_a)): in at the state, out at the others by
    /// their occupancies.
    fn currents_out_of(&self, state: usize) -> Option<Vec<f64>> {
        let mean = |other: usize| self.occupancies.mean(other).filter(|_| other != state).unwrap_or(0.0);
        let rest: f64 = (0..self.counts.len()).map(mean).sum();
        (rest > 0.0).then(|| {
            (0..self.counts.len()).map(|other| if other == state { 1.0 } else { -mean(other) / rest }).collect()
        })
    }

    fn dissipation(&self, currents: &[f64]) -> f64 {
        let states = self.counts.len();
        let mut conductances = vec![0.0; states * states];
        for (i, row) in self.counts.iter().enumerate() {
            for (j, &count) in row.iter().enumerate().filter(|(j, _)| *j != i) {
                conductances[i * states + j] += 0.5 * count as f64;
                conductances[j * states + i] += 0.5 * count as f64;
            }
        }
        dissipation(conductances, currents)
    }
}

/// By how much the error of few transitions is enlarged, for runs are selected by seeing [`FEWEST`] of them: (1 − 0.8 (28/M)⁶)^(−½), 2.24
/// at the threshold and 1.03 at [`PLANNED`]. Half of the variance of a log-odds is that of M, the other half that of the lengths of
/// sojourns: with X normal, of variance 1 and seen only if X > 0, and Y as much again, the 95 % interval of the mean of X from X + Y has
/// to be 1.9 times as wide at X = 0 as without the selection to cover wherever one run in a thousand is seen, 1.5 times for one in
/// forty, and a few per cent at X = 1.6, which is M = 44. The power of 28/M is fitted to that, and checked by simulation.
pub fn enlargement(transitions: f64) -> f64 {
    let ratio = FEWEST / transitions;
    let cube = ratio * ratio * ratio;
    1.0 / (1.0 - 0.8 * (cube * cube).min(1.0)).sqrt()
}

/// rᵀL⁺r: what currents r into the nodes of a network, summing to 0, dissipate; `conductances` are symmetric, row by row. Infinite where
/// a current has no way out.
///
/// Nodes are taken out one by one, each replaced by what it conducts between the others (star to mesh): sums and products of positive
/// numbers, so that conductances of any ratio keep their digits.
pub fn dissipation(mut conductances: Vec<f64>, currents: &[f64]) -> f64 {
    /// A current that rounding left.
    const NO_CURRENT: f64 = 1e-9;
    let nodes = currents.len();
    let mut currents = currents.to_vec();
    let mut dissipated = 0.0;
    for node in 0..nodes {
        let row: Vec<f64> = (node + 1..nodes).map(|other| conductances[node * nodes + other]).collect();
        let total: f64 = row.iter().sum();
        let current = currents[node];
        if total <= 0.0 {
            if current.abs() > NO_CURRENT {
                return f64::INFINITY;
            }
            continue;
        }
        dissipated += current * current / total;
        for i in 0..row.len() {
            let share = row[i] / total;
            currents[node + 1 + i] += share * current;
            for j in (0..row.len()).filter(|&j| j != i) {
                conductances[(node + 1 + i) * nodes + node + 1 + j] += share * row[j];
            }
        }
    }
    dissipated
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 50 replicas in each of two states of which the second is rare: fractions .9/.1 and .7/.3 in turn.
    fn two_states() -> Occupancies {
        let rows = (0..100).flat_map(|r| if r % 2 == 0 { [0.9, 0.1, 0.0] } else { [0.7, 0.3, 0.0] });
        Occupancies::new(3, rows.collect()).unwrap()
    }

    fn counts(there: u64, back: u64) -> Vec<Vec<u64>> {
        vec![vec![0, there], vec![back, 0]]
    }

    #[test]
    fn two_states_rest_on_all_their_transitions_and_on_28_at_least() {
        let occupancies = two_states();
        for (there, back) in [(14, 14), (16, 13), (20, 21), (0, 30), (61, 60)] {
            let counts = counts(there, back);
            let counted = Transitions { counts: &counts, occupancies: &occupancies };
            assert!((counted.between(0, 1) - (there + back) as f64).abs() < 1e-12);
            assert_eq!(counted.fewest().unwrap().0, [1, 0]);
            assert!(
                counted.log_odds(0, 1).is_some()
                    && counted.share(1).is_some()
                    && counted.too_few(|_| "A".into()).is_none()
            );
        }
        for (there, back) in [(0, 0), (1, 1), (14, 13), (27, 0)] {
            let counts = counts(there, back);
            let counted = Transitions { counts: &counts, occupancies: &occupancies };
            assert_eq!((counted.log_odds(0, 1), counted.log_odds(1, 0), counted.share(0)), (None, None, None));
            let reason = counted.too_few(|state| ["A", "B"][state].into()).unwrap();
            assert!(
                reason.starts_with(&format!("{} transition", there + back)) && reason.contains("where 28 are needed"),
                "{reason}"
            );
        }
    }

    /// M = 40, R = 100, p = (.8, .2): T/τ = 40·(1/.8 + 1/.2)/200 = 1.25, and SE² = 4/40·(1 − (1 − e^(−1.25))/1.25)/(1 − .8·.7⁶). The
    /// influences of the replicas are ±.625: they say .625/√99 = .063.
    #[test]
    fn the_wider_error_counts() {
        let occupancies = two_states();
        let by_replicas = occupancies.log_odds(0, 1).unwrap();
        let of = |there: u64, back: u64| {
            Transitions { counts: &counts(there, back), occupancies: &occupancies }.log_odds(0, 1).unwrap()
        };
        let few = of(20, 20);
        let expected = (0.1 * (1.0 - (1.0 - (-1.25f64).exp()) / 1.25) / (1.0 - 0.8 * 0.7f64.powi(6))).sqrt();
        assert!((few.standard_error - expected).abs() < 1e-12 && few.standard_error > 3.0 * by_replicas.standard_error);
        assert_eq!((few.value, few.degrees_of_freedom), (by_replicas.value, f64::INFINITY));
        // From 100 on they count for less: 200 for √½ of what they say, 4/200·½, and 400 for less than the replicas.
        let some = of(100, 100);
        let expected = 0.01 * (1.0 - (1.0 - (-6.25f64).exp()) / 6.25) / (1.0 - 0.8 * 0.14f64.powi(6));
        assert!((some.standard_error - expected.sqrt()).abs() < 1e-12);
        assert_eq!(of(200, 200), by_replicas);
        assert_eq!(of(100_000, 100_000), by_replicas);
    }

    #[test]
    fn an_occupancy_has_the_interval_of_its_log_odds() {
        let occupancies = two_states();
        let counts = counts(20, 20);
        let counted = Transitions { counts: &counts, occupancies: &occupancies };
        let (share, odds) = (counted.share(1).unwrap(), counted.log_odds(1, 0).unwrap());
        let ends = odds.interval(0.95).unwrap().map(|x| 1.0 / (1.0 + (-x).exp()));
        let found = share.interval.unwrap();
        assert!((share.value - 0.2).abs() < 1e-12 && (share.standard_error - 0.16 * odds.standard_error).abs() < 1e-12);
        assert!((found[0] - ends[0]).abs() < 1e-12 && (found[1] - ends[1]).abs() < 1e-12, "{found:?} {ends:?}");
        // What is no state that transitions lead to is known by replicas alone, and so is a state that is alone.
        assert_eq!(counted.share(2), None);
        let alone = Occupancies::new(2, vec![0.9, 0.1, 0.8, 0.2]).unwrap();
        let counted = Transitions { counts: &[vec![0]], occupancies: &alone };
        assert_eq!(counted.share(0).unwrap().interval, alone.occupancy(0).unwrap().interval(0.95));
    }

    /// C – A – B: 40 transitions between C and A, 60 between A and B, in series 1/(1/40 + 1/60) = 24 between C and B. A ring adds a way.
    #[test]
    fn ways_through_other_states_count() {
        let rows = (0..20).flat_map(|r| if r % 2 == 0 { [0.5, 0.3, 0.2] } else { [0.6, 0.2, 0.2] });
        let occupancies = Occupancies::new(3, rows.collect()).unwrap();
        let line = [vec![0, 30, 20], vec![30, 0, 0], vec![20, 0, 0]];
        let counted = Transitions { counts: &line, occupancies: &occupancies };
        for (a, b, expected) in [(0, 1, 60.0), (0, 2, 40.0), (1, 2, 24.0), (2, 1, 24.0)] {
            assert!((counted.between(a, b) - expected).abs() < 1e-12, "{a} {b}");
        }
        assert_eq!((counted.fewest().unwrap().0, counted.log_odds(1, 2)), ([2, 0], None));
        let ring = [vec![0, 30, 20], vec![30, 0, 5], vec![20, 5, 0]];
        let counted = Transitions { counts: &ring, occupancies: &occupancies };
        assert!((counted.between(1, 2) - 34.0).abs() < 1e-12);
        // An island is reached by no way, however busy the others are.
        let island = [vec![0, 900, 0], vec![900, 0, 0], vec![0, 0, 0]];
        let counted = Transitions { counts: &island, occupancies: &occupancies };
        assert_eq!((counted.between(0, 2), counted.log_odds(0, 2), counted.share(2)), (0.0, None, None));
        assert!(counted.log_odds(0, 1).is_some());
        assert!(counted.too_few(|state| state.to_string()).unwrap().contains("between 2 and 0, ways through other"));
    }

    #[test]
    fn what_does_not_exist_is_none() {
        let occupancies = two_states();
        let counted = Transitions { counts: &counts(50, 50), occupancies: &occupancies };
        assert_eq!((counted.log_odds(0, 0), counted.log_odds(0, 7), counted.share(9)), (None, None, None));
        let nobody = Occupancies::new(3, vec![]).unwrap();
        let counted = Transitions { counts: &counts(50, 50), occupancies: &nobody };
        assert_eq!((counted.log_odds(0, 1), counted.share(0), counted.fewest()), (None, None, None));
    }

    #[test]
    fn the_enlargement_ends_soon_after_the_threshold() {
        assert!((enlargement(FEWEST) - 5.0f64.sqrt()).abs() < 1e-12);
        assert!((enlargement(PLANNED) - 1.03).abs() < 0.01 && enlargement(MANY) < 1.001);
    }
}
