//! What the escape times let expect of the log-odds of two minima among several.
//!
//! Minima exchange mass like the nodes of a network of conductances F_ij, the stationary flux from i to j (equal both ways). Over a
//! time t the log-odds of a and b are known to SE² = 2 R_ab/t, R_ab the effective resistance between the two: the asymptotic variance
//! of a reversible jump process, for f = 1_a/p_a − 1_b/p_b. With two minima F t is half the number M of transitions, and it is 4/M.

use super::forecast::best_time;
use super::ladder::Ladder;
use super::reason::RUNGS;
use crate::findings::EscapeRecord;
use crate::landscape::minimum_name;
use crate::statistics::transitions::dissipation;

/// Stationary fluxes between minima.
pub(super) struct Exchange {
    minima: usize,
    flux: Vec<f64>,
}

impl Exchange {
    /// By the best occupancies and times that the ladder has; `None` where a time is missing.
    pub(super) fn of(ladder: &Ladder) -> Option<Self> {
        let occupancies = RUNGS.into_iter().rev().find_map(|rung| ladder.rung(rung))?;
        let minima = occupancies.len();
        let index = |name: &str| (0..minima).find(|&index| minimum_name(index) == *name);
        let edges: Option<Vec<(usize, usize, &EscapeRecord)>> =
            ladder.escape.iter().map(|escape| Some((index(&escape.from)?, index(&escape.to)?, escape))).collect();
        let edges = edges?;
        let mut exchange = Self { minima, flux: vec![0.0; minima * minima] };
        for &(from, to, escape) in &edges {
            // A mean passage time from i to j counts the excursions beyond i on the way: the flux is then all the mass on i's side
            // of the pass over it. Kramers' time is that of leaving i itself.
            let is_passage = escape.discrete.or(escape.exact).is_some();
            let mass: f64 = if is_passage {
                side(&edges, minima, [from, to])?.iter().map(|&minimum| occupancies[minimum]).sum()
            } else {
                occupancies[from]
            };
            // Both ways it is the same but for approximations: their mean.
            let half = 0.5 * mass / best_time(escape)?;
            exchange.flux[from * minima + to] += half;
            exchange.flux[to * minima + from] += half;
        }
        Some(exchange)
    }

    /// Transitions between any two minima per unit of time, both ways.
    pub(super) fn rate(&self) -> f64 {
        self.flux.iter().sum()
    }

    /// Standard error of ln(p_a/p_b) after replicas × time; `None` where the two exchange nothing.
    pub(super) fn log_odds_error(&self, [a, b]: [usize; 2], time: f64) -> Option<f64> {
        let mut currents = vec![0.0; self.minima];
        (currents[a], currents[b]) = (1.0, -1.0);
        let error = (2.0 * dissipation(self.flux.clone(), &currents) / time).sqrt();
        (error.is_finite() && error > 0.0).then_some(error)
    }
}

/// The minima on the side of `from` when the pass to `to` is closed; `None` where there is another way round, so that the
/// passage time tells no flux.
fn side(edges: &[(usize, usize, &EscapeRecord)], minima: usize, [from, to]: [usize; 2]) -> Option<Vec<usize>> {
    let mut reached = vec![from];
    let mut next = 0;
    while next < reached.len() {
        let here = reached[next];
        for &(start, end, _) in edges {
            let is_closed = [start, end] == [from, to] || [end, start] == [from, to];
            if start == here && !is_closed && !reached.contains(&end) {
                reached.push(end);
            }
        }
        next += 1;
    }
    (!reached.contains(&to) && reached.len() < minima).then_some(reached)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ladder(occupancies: &[f64], times: &[(usize, usize, f64)], are_passages: bool) -> Ladder {
        let escape = times.iter().map(|&(from, to, time)| EscapeRecord {
            from: minimum_name(from),
            to: minimum_name(to),
            kramers: Some(if are_passages { f64::NAN } else { time }),
            exact: are_passages.then_some(time),
            discrete: None,
        });
        Ladder {
            laplace: Some(occupancies.to_vec()),
            gibbs: None,
            ito: None,
            scheme_bias: None,
            discrete: None,
            escape: escape.collect(),
            notes: Vec::new(),
            no_law: None,
        }
    }

    #[test]
    fn two_minima_are_known_by_their_transitions() {
        let exchange = Exchange::of(&ladder(&[0.75, 0.25], &[(0, 1, 30.0), (1, 0, 10.0)], false)).unwrap();
        assert!((exchange.rate() - 0.05).abs() < 1e-15);
        // M = 0.05 t transitions: 2/√M.
        let error = exchange.log_odds_error([0, 1], 8_000.0).unwrap();
        assert!((error - 2.0 / 400f64.sqrt()).abs() < 1e-12, "{error}");
    }

    /// A line C – A – B whose pass between A and B is never crossed: the busy pair says nothing of the other.
    #[test]
    fn the_busy_pair_says_nothing_of_the_rare_one() {
        let times = [(0, 1, 1e13), (1, 0, 1e13), (0, 2, 2.0), (2, 0, 1.0)];
        let exchange = Exchange::of(&ladder(&[0.5, 0.25, 0.25], &times, false)).unwrap();
        let time = 1e6;
        let (rare, busy) =
            (exchange.log_odds_error([0, 1], time).unwrap(), exchange.log_odds_error([0, 2], time).unwrap());
        assert!(rare > 1e3 && busy < 3e-3, "{rare} {busy}");
        // In series: resistances add.
        let both = exchange.log_odds_error([1, 2], time).unwrap();
        assert!((both * both - rare * rare - busy * busy).abs() < 1e-12 * both * both);
    }

    /// Mean passage times of a three-state chain, which count the time beyond: the fluxes are those that it was made of.
    #[test]
    fn passage_times_give_the_fluxes_of_a_chain() {
        let (p, ab, bc) = ([0.2, 0.5, 0.3], 0.01, 0.04);
        // Into A from B comes all that is not A; out of A to B only A itself.
        let times = [(0, 1, p[0] / ab), (1, 0, (p[1] + p[2]) / ab), (1, 2, (p[0] + p[1]) / bc), (2, 1, p[2] / bc)];
        let exchange = Exchange::of(&ladder(&p, &times, true)).unwrap();
        assert!((exchange.rate() - 2.0 * (ab + bc)).abs() < 1e-15);
        let error = exchange.log_odds_error([0, 2], 100.0).unwrap();
        assert!((error * error - 2.0 / 100.0 * (1.0 / ab + 1.0 / bc)).abs() < 1e-12);
    }
}
