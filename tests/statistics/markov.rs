//! Markov chains whose law is known, simulated jump by jump, and the public path from them to a verdict.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use sgd_sde::statistics::{
    Equilibration, EquilibrationInput, Evidence, Observable, Occupancies, StartDesign, Transitions,
};

pub type Random = Xoshiro256PlusPlus;

pub fn random(seed: u64) -> Random {
    Random::seed_from_u64(seed)
}

/// A chain on few states: from state i it leaves with probability `leave[i]` at each step, to a state drawn from `next[i]`.
pub struct Chain {
    pub leave: Vec<f64>,
    pub next: Vec<Vec<f64>>,
}

/// What an ensemble yields: per-replica fractions, and the indicator of each state in block means.
pub struct Run {
    pub occupancies: Occupancies,
    /// [state][replica][block]
    pub series: Vec<Vec<Vec<f64>>>,
    pub starts: Vec<usize>,
    pub transitions: usize,
    /// [from][to]
    pub jumps: Vec<Vec<u64>>,
}

impl Chain {
    /// Two states with stationary probability `p` of the first and correlation ρ = 1 − leave₀ − leave₁ per step.
    pub fn two_states(p: f64, correlation: f64) -> Self {
        let leave = 1.0 - correlation;
        Self { leave: vec![leave * (1.0 - p), leave * p], next: vec![vec![0.0, 1.0], vec![1.0, 0.0]] }
    }

    /// Three states with stationary law `p` and given fluxes per step (0 ⇄ 1, 0 ⇄ 2, 1 ⇄ 2), the same both ways.
    pub fn of_fluxes(p: [f64; 3], [ab, ac, bc]: [f64; 3]) -> Self {
        let out = [[0.0, ab, ac], [ab, 0.0, bc], [ac, bc, 0.0]];
        let total = |i: usize| out[i].iter().sum::<f64>();
        Self {
            leave: (0..3).map(|i| total(i) / p[i]).collect(),
            next: (0..3).map(|i| out[i].iter().map(|flux| flux / total(i)).collect()).collect(),
        }
    }

    /// Three states that are left alike and entered with the given probabilities: a renewal chain with stationary law `p`.
    pub fn three_states(p: [f64; 3], rate: f64) -> Self {
        let leave: Vec<f64> = p.iter().map(|p| rate * (1.0 - p)).collect();
        let without = |i: usize| (0..3).map(|j| if i == j { 0.0 } else { p[j] / (1.0 - p[i]) }).collect();
        Self { leave, next: (0..3).map(without).collect() }
    }

    /// Replicas started in turn in the states `starts`, `burn_in` steps unmeasured, then `blocks` blocks of `block` steps.
    pub fn run(
        &self,
        random: &mut Random,
        replicas: usize,
        starts: &[usize],
        burn_in: usize,
        blocks: usize,
        block: usize,
    ) -> Run {
        let states = self.leave.len();
        let steps = blocks * block;
        let mut series = vec![vec![vec![0.0; blocks]; replicas]; states];
        let mut fractions = Vec::with_capacity(replicas * states);
        let mut transitions = 0;
        let mut jumps = vec![vec![0; states]; states];
        for replica in 0..replicas {
            let mut state = starts[replica % starts.len()];
            let mut time = -(burn_in as i64);
            while time < steps as i64 {
                let end = time.saturating_add(dwell(random, self.leave[state])).min(steps as i64);
                let (mut from, to) = (time.max(0), end.max(0));
                while from < to {
                    let index = from as usize / block;
                    let until = to.min(((index + 1) * block) as i64);
                    series[state][replica][index] += (until - from) as f64 / block as f64;
                    from = until;
                }
                time = end;
                if time < steps as i64 {
                    transitions += usize::from(time > 0);
                    let next = choose(random, &self.next[state]);
                    jumps[state][next] += u64::from(time > 0);
                    state = next;
                }
            }
            let mean = |s: usize| series[s][replica].iter().sum::<f64>() / blocks as f64;
            fractions.extend((0..states).map(mean));
        }
        Run {
            occupancies: Occupancies::new(states, fractions).unwrap(),
            series,
            starts: (0..replicas).map(|replica| replica % starts.len()).collect(),
            transitions,
            jumps,
        }
    }
}

/// A geometric dwell time: the step at which the state is left, at least 1.
fn dwell(random: &mut Random, leave: f64) -> i64 {
    if leave <= 0.0 {
        return i64::MAX / 4;
    }
    let uniform: f64 = random.random();
    1 + ((1.0 - uniform).ln() / (1.0 - leave).ln()).floor() as i64
}

fn choose(random: &mut Random, probabilities: &[f64]) -> usize {
    let mut uniform: f64 = random.random();
    for (state, p) in probabilities.iter().enumerate() {
        uniform -= p;
        if uniform < 0.0 {
            return state;
        }
    }
    probabilities.iter().rposition(|p| *p > 0.0).unwrap()
}

impl Run {
    /// The gate where transitions are not counted: every state's indicator, every start group.
    pub fn equilibration(&self) -> Equilibration {
        self.assess(StartDesign::SeveralGroups)
    }

    fn assess(&self, design: StartDesign) -> Equilibration {
        let names: Vec<String> = (0..self.occupancies.states()).map(|state| format!("state {state}")).collect();
        let columns: Vec<Vec<f64>> = (0..names.len()).map(|state| self.occupancies.column(state)).collect();
        let observables: Vec<Observable<'_>> = names
            .iter()
            .enumerate()
            .map(|(state, label)| Observable { label, series: &self.series[state], replica_means: &columns[state] })
            .collect();
        let groups = self.starts.iter().max().unwrap() + 1;
        Equilibration::assess(&EquilibrationInput {
            observables: &observables,
            start_groups: &names[..groups],
            chain_groups: &self.starts,
            replica_groups: &self.starts,
            design,
        })
        .unwrap()
    }

    /// Transitions and occupancies, from which both get their errors.
    pub fn counted(&self) -> Transitions<'_> {
        Transitions { counts: &self.jumps, occupancies: &self.occupancies }
    }

    /// What stands behind a claim, as an experiment about several minima has it.
    pub fn counted_evidence(&self) -> Evidence {
        let too_few = self.counted().too_few(|state| state.to_string());
        Evidence::at_equilibrium(&self.assess(StartDesign::CountedGroups).with_too_few(too_few), 0)
    }

    pub fn evidence(&self) -> Evidence {
        Evidence::at_equilibrium(&self.equilibration(), 0)
    }
}
