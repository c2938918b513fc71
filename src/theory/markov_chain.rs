//! Markov chains on a line with a banded transition matrix, solved without subtractions.
//!
//! Elimination in the manner of Grassmann, Taksar and Heyman (1985): every pivot is a sum of probabilities, never a
//! difference, so stationary laws and passage times keep their relative accuracy even where wells exchange mass once
//! in 10²⁰ steps (O'Cinneide 1993).

/// Transition probabilities among `n` states, nonzero only within `band` of the diagonal, and the probability of
/// leaving for good from each state. Rows need not sum exactly to 1: what is missing counts as staying.
#[derive(Clone, Debug)]
pub struct BandedChain {
    states: usize,
    band: usize,
    /// Row i, columns i − band … i + band.
    entries: Vec<f64>,
    exit: Vec<f64>,
}

impl BandedChain {
    /// A chain in which nothing moves yet.
    pub fn new(states: usize, band: usize) -> Self {
        let band = band.min(states.saturating_sub(1));
        Self { states, band, entries: vec![0.0; states * (2 * band + 1)], exit: vec![0.0; states] }
    }

    fn index(&self, from: usize, to: usize) -> usize {
        from * (2 * self.band + 1) + (to + self.band - from)
    }

    /// Adds to the probability of one step; beyond the band it is dropped.
    pub fn add(&mut self, from: usize, to: usize, probability: f64) {
        if from.abs_diff(to) <= self.band {
            let index = self.index(from, to);
            self.entries[index] += probability;
        }
    }

    /// Sets the probability of leaving for good.
    pub fn set_exit(&mut self, from: usize, probability: f64) {
        self.exit[from] = probability;
    }

    /// The stationary law; `None` where the chain falls apart into parts that do not reach each other.
    pub fn stationary(mut self) -> Option<Vec<f64>> {
        let n = self.states;
        for k in (1..n).rev() {
            let lowest = k.saturating_sub(self.band);
            let leave: f64 = (lowest..k).map(|j| self.entries[self.index(k, j)]).sum();
            if !(leave > 0.0) {
                return None;
            }
            self.eliminate(k, lowest, leave);
        }
        let mut law = vec![0.0; n];
        law[0] = 1.0;
        for k in 1..n {
            // After elimination column k holds the expected visits to k per visit to each lower state.
            law[k] = (k.saturating_sub(self.band)..k).map(|i| law[i] * self.entries[self.index(i, k)]).sum();
            // Cold chains span hundreds of orders of magnitude.
            if law[k] > 1e200 {
                law[..=k].iter_mut().for_each(|p| *p *= 1e-200);
            }
        }
        let total: f64 = law.iter().sum();
        law.iter_mut().for_each(|p| *p /= total);
        Some(law)
    }

    /// Folds state k, the highest left, into the lower ones: paths through it become direct steps.
    fn eliminate(&mut self, k: usize, lowest: usize, leave: f64) {
        let count = k - lowest;
        let from = self.index(k, lowest);
        let (below, row) = self.entries.split_at_mut(k * (2 * self.band + 1));
        let outward = &row[from - below.len()..][..count];
        for i in lowest..k {
            let into = i * (2 * self.band + 1) + (k + self.band - i);
            below[into] /= leave;
            let visits = below[into];
            if visits == 0.0 {
                continue;
            }
            let direct = &mut below[i * (2 * self.band + 1) + (lowest + self.band - i)..][..count];
            for (step, onward) in direct.iter_mut().zip(outward) {
                *step += visits * onward;
            }
            self.exit[i] += visits * self.exit[k];
        }
    }

    /// Mean time until the chain has left for good, from every state, when a step takes `step`; `None` where some state
    /// cannot leave.
    pub fn mean_exit_times(self, step: f64) -> Option<Vec<f64>> {
        let n = self.states;
        let ascent = self.ascend(step);
        (ascent.climbed == n).then(|| ascent.times(0, n))?
    }

    /// Folds the states into the higher ones from the lowest on. What is left knows the mean times from anywhere up to any state, for
    /// one elimination: paths through the states below are direct steps then, whatever the target.
    pub fn ascend(mut self, step: f64) -> Ascent {
        let (n, band) = (self.states, self.band);
        let width = 2 * band + 1;
        let mut holding = vec![step; n];
        let mut pivots = Vec::with_capacity(n);
        for k in 0..n {
            let highest = (k + band).min(n - 1);
            let count = highest - k;
            let (row, above) = self.entries[k * width..].split_at_mut(width);
            let outward = &row[band + 1..][..count];
            let leave = outward.iter().sum::<f64>() + self.exit[k];
            if !(leave > 0.0) {
                break;
            }
            pivots.push(leave);
            for i in k + 1..=highest {
                let row = &mut above[(i - k - 1) * width..][..width];
                let into = k + band - i;
                let visits = row[into] / leave;
                if visits == 0.0 {
                    continue;
                }
                for (step, onward) in row[into + 1..][..count].iter_mut().zip(outward) {
                    *step += visits * onward;
                }
                self.exit[i] += visits * self.exit[k];
                holding[i] += visits * holding[k];
            }
        }
        let climbed = pivots.len();
        Ascent { chain: self, holding, pivots, climbed }
    }
}

/// A chain whose states were folded into the higher ones.
pub struct Ascent {
    chain: BandedChain,
    /// Mean time in a state and the ones below it before a step to a higher one, times the probability of that step.
    holding: Vec<f64>,
    /// Probability of a step to a higher state, or out.
    pivots: Vec<f64>,
    /// States from which higher ones are reached.
    climbed: usize,
}

impl Ascent {
    /// Mean times from the states `first` … `target` − 1 until the chain is at `target` or above, or out; `None` where it never is.
    pub fn times(&self, first: usize, target: usize) -> Option<Vec<f64>> {
        if target > self.climbed || first > target {
            return None;
        }
        let band = self.chain.band;
        let mut times = vec![0.0; target - first];
        for k in (first..target).rev() {
            let steps = &self.chain.entries[k * (2 * band + 1) + band + 1..][..band.min(target - 1 - k)];
            let onward: f64 = steps.iter().zip(&times[k + 1 - first..]).map(|(step, time)| step * time).sum();
            times[k - first] = (self.holding[k] + onward) / self.pivots[k];
        }
        times.iter().all(|time| time.is_finite()).then_some(times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_states() {
        let mut chain = BandedChain::new(2, 1);
        chain.add(0, 1, 0.1);
        chain.add(1, 0, 1e-12);
        let law = chain.stationary().unwrap();
        assert!((law[0] / (1e-12 / (0.1 + 1e-12)) - 1.0).abs() < 1e-14);
    }

    /// Symmetric walk on 0 … n−1, reflecting at the left, leaving at the right: (n(n+1) − i(i+1)) steps from i.
    #[test]
    fn random_walk() {
        let n = 12;
        let mut chain = BandedChain::new(n, 2);
        for i in 0..n {
            if i > 0 {
                chain.add(i, i - 1, 0.5);
            }
            if i + 1 < n {
                chain.add(i, i + 1, 0.5);
            }
        }
        chain.set_exit(n - 1, 0.5);
        let times = chain.mean_exit_times(1.0).unwrap();
        for (i, time) in times.iter().enumerate() {
            let exact = (n * (n + 1) - i * (i + 1)) as f64;
            assert!((time - exact).abs() < 1e-10, "{i}: {time} {exact}");
        }
    }

    /// The same walk up to every state: (j(j+1) − i(i+1)) steps from i to j, whatever lies above j.
    #[test]
    fn one_elimination_knows_the_times_to_every_state() {
        let n = 30;
        let mut chain = BandedChain::new(n, 3);
        for i in 0..n {
            chain.add(i, i.saturating_sub(1), 0.5);
            chain.add(i, (i + 1).min(n - 1), 0.5);
        }
        let ascent = chain.ascend(1.0);
        for target in [1, 2, 9, 29] {
            let first = target / 2;
            for (i, time) in (first..).zip(ascent.times(first, target).unwrap()) {
                let exact = (target * (target + 1) - i * (i + 1)) as f64;
                assert!((time - exact).abs() < 1e-10 * exact, "{i} to {target}: {time} {exact}");
            }
        }
        // Nothing is above the highest state.
        assert!(ascent.times(0, n).is_none());
    }

    #[test]
    fn a_chain_in_two_parts_has_no_single_law() {
        let mut chain = BandedChain::new(4, 1);
        chain.add(0, 1, 0.5);
        chain.add(1, 0, 0.5);
        chain.add(2, 3, 0.5);
        chain.add(3, 2, 0.5);
        assert!(chain.stationary().is_none());
    }
}
