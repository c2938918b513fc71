//! The Gibbs law beyond three dimensions: Markov chains whose stationary law is exp(−L/T) exactly, since every move is
//! accepted by the rule of Metropolis and Hastings, tempered so that they cross the barriers.
//!
//! The unit of evidence is an ensemble: one walker at each of a ladder of temperatures (`temperatures.rs`), which exchange
//! places (`walkers.rs`). Many ensembles, independent of one another, start shared out over the minima; from their spread
//! follow all standard errors, and from their start groups the check that they have forgotten where they began (nested
//! R̂, effective sample size, start contrast: [`crate::statistics::Equilibration`]). A sampler that fails it gives no law.
//!
//! A pilot of its own, which is then discarded, finds the steps; they never change afterwards. The ensembles then run in
//! stages, each as long as all before it together, until the standard error of every contrast is small enough or the
//! budget is spent. Only the size of the standard errors decides, never a mean.

mod jumps;
mod record;
mod temperatures;
mod walkers;

use rayon::prelude::*;

use super::influences::Influences;
use super::{Gibbs, NoGibbs, summaries};
use crate::landscape::strays::lowest;
use crate::landscape::{Landscape, minimum_name};
use crate::loss::{LANES, Loss};
use crate::math;
use crate::statistics::Equilibration;
use crate::theory::outskirts::Place;
use record::{Record, Summary};
use walkers::{Moves, Tally, Walkers};

/// Of all the sampler's randomness: a prediction is a pure function of the case, and does not change with the seed of
/// the scenario that it is compared with.
pub const SEED: u64 = 1;
/// Langevin moves at every temperature between two draws; one jump between wells comes with them. Where so large a part
/// ([`JUMPS_SUFFICE`]) of the jumps is accepted that these alone forget a place within a few draws, one sweep.
const SWEEPS_PER_DRAW: u64 = 5;
const JUMPS_SUFFICE: f64 = 0.3;
/// What a draw costs beside its sweeps, in Langevin moves: its jump and its label.
const MOVES_PER_DRAW: usize = 16;
/// The acceptance at which MALA is fastest (Roberts & Rosenthal 1998).
const BEST_ACCEPTANCE: f64 = 0.574;
/// Rounds of the pilot that tunes the steps, and sweeps in each.
const PILOT_ROUNDS: u32 = 60;
const PILOT_SWEEPS: u64 = 10;
/// The first ensemble of the pilot: no other has its random numbers.
const PILOT: u64 = 1 << 40;

/// How much work goes into a sampled law.
#[derive(Clone, Debug)]
pub struct Effort {
    /// Independent ensembles, at least; there are at least four for every minimum, and a multiple of [`LANES`].
    pub ensembles: u64,
    /// Draws of every ensemble before anything is recorded.
    pub burn_in: u64,
    /// Recorded draws of every ensemble in the first stage.
    pub first_stage: u64,
    /// No stage begins after which more than so many moves times coordinates would have been made, a draw counting as a few:
    /// time grows a little faster than they do.
    pub budget: f64,
    /// The standard error of the log-odds of every minimum against the likeliest that ends the run.
    pub standard_error: f64,
    /// Of all random numbers.
    pub seed: u64,
}

impl Default for Effort {
    fn default() -> Self {
        Self { ensembles: 128, burn_in: 100, first_stage: 256, budget: 3e8, standard_error: 0.01, seed: SEED }
    }
}

/// How a law was sampled, and how well.
#[derive(Clone, Debug)]
pub struct Sampling {
    /// Influences on ln p_k; `other` last.
    pub log_masses: Influences,
    /// Influences on ⟨ΔL⟩ within each basin.
    pub laplacians: Influences,
    /// Standard error of the mass in no basin; `None` where no draw lay there.
    pub other_standard_error: Option<f64>,
    /// The largest standard error of the log-odds of a minimum against the likeliest.
    pub worst_standard_error: f64,
    /// Whether that is what was asked for; else the budget was spent before.
    pub settled: bool,
    /// Independent ensembles.
    pub ensembles: u64,
    /// Recorded draws of each.
    pub draws: u64,
    /// nested R̂ and the like: none of them speaks against the ensembles having forgotten their starts.
    pub equilibration: Equilibration,
    /// From the case's own upwards.
    pub temperatures: Vec<f64>,
    /// Accepted part of the exchanges between each temperature and the next.
    pub exchange_acceptance: Vec<f64>,
    /// Accepted part of the Langevin moves at each temperature.
    pub langevin_acceptance: Vec<f64>,
    /// Accepted part of the jumps between wells.
    pub jump_acceptance: f64,
}

impl Sampling {
    /// Standard error of ⟨ΔL⟩ in each basin.
    pub fn laplacian_standard_error(&self, minimum: usize) -> f64 {
        self.laplacians.state_standard_error(minimum)
    }
}

/// Samples the Gibbs law.
///
/// # Errors
/// When exp(−L/T) has no finite integral, the ensembles still remember their starts when the run ends, a basin was never visited, or they
/// came to minima that the landscape does not have.
pub fn sample(
    loss: &dyn Loss,
    landscape: &Landscape,
    domain: &[[f64; 2]],
    temperature: f64,
    effort: &Effort,
) -> Result<Gibbs, NoGibbs> {
    let temperatures = temperatures::ladder(loss, landscape, domain, temperature).ok_or(NoGibbs::NotConfined)?;
    let mut moves = Moves::new(loss, landscape, temperatures);
    tune(&mut moves, effort.seed);
    let mut run = Run::begin(&moves, effort);
    let mut stage = effort.first_stage;
    let summary = loop {
        run.advance(&moves, stage);
        let missed = landscape.missed(loss, &run.strays());
        if !missed.is_empty() {
            return Err(NoGibbs::Missed(missed));
        }
        // `None` only without draws or ensembles: a first stage has both.
        let summary = run.summary(&moves).ok_or(NoGibbs::NotConfined)?;
        let settled = summary.worst_standard_error().is_some_and(|error| error <= effort.standard_error);
        if settled || run.cost(&moves, 2 * run.draws) > effort.budget {
            break summary;
        }
        stage = run.draws;
    };
    run.conclude(&moves, &summary, effort)
}

/// Finds the steps by stochastic approximation (Robbins & Monro 1951) on a pilot block, and how many sweeps the jumps leave
/// to be made between two draws.
fn tune(moves: &mut Moves, seed: u64) {
    let mut pilot = Walkers::new(moves, seed, PILOT);
    let mut jumps = Tally::default();
    for round in 0..PILOT_ROUNDS {
        pilot.forget_tallies();
        pilot.advance(moves, PILOT_SWEEPS);
        let gain = 2.0 / f64::from(round + 1).sqrt();
        for (step, tally) in moves.steps.iter_mut().zip(&pilot.langevin) {
            *step *= math::exp(gain * (tally.rate() - BEST_ACCEPTANCE));
        }
        // By half of the rounds the pilot has left the minima where it began.
        if round >= PILOT_ROUNDS / 2 {
            jumps.add(&pilot.jumps);
        }
    }
    if jumps.rate() >= JUMPS_SUFFICE {
        moves.sweeps_per_draw = 1;
    }
}

/// All ensembles, block by block.
struct Run {
    blocks: Vec<(Walkers, Record)>,
    draws: u64,
}

impl Run {
    fn begin(moves: &Moves, effort: &Effort) -> Self {
        let wanted = effort.ensembles.max(4 * moves.landscape.minima.len() as u64);
        let blocks = (0..wanted.div_ceil(LANES as u64))
            .into_par_iter()
            .map(|block| {
                let mut walkers = Walkers::new(moves, effort.seed, block * LANES as u64);
                (0..effort.burn_in).for_each(|_| walkers.advance(moves, moves.sweeps_per_draw));
                walkers.forget_tallies();
                (walkers, Record::new(moves))
            })
            .collect();
        Self { blocks, draws: 0 }
    }

    fn advance(&mut self, moves: &Moves, draws: u64) {
        self.blocks.par_iter_mut().for_each(|(walkers, record)| {
            for _ in 0..draws {
                walkers.advance(moves, moves.sweeps_per_draw);
                record.draw(moves, walkers);
            }
            record.settle(moves);
        });
        self.draws += draws;
    }

    /// Moves times coordinates of so many draws of all ensembles.
    fn cost(&self, moves: &Moves, draws: u64) -> f64 {
        let per_draw = moves.sweeps_per_draw as usize * moves.temperatures.len() + MOVES_PER_DRAW;
        (self.blocks.len() * LANES * per_draw * moves.loss.dimension()) as f64 * draws as f64
    }

    fn strays(&self) -> Vec<Vec<f64>> {
        lowest(self.blocks.iter().map(|(_, record)| record.strays()))
    }

    fn summary(&self, moves: &Moves) -> Option<Summary> {
        Summary::of(self.blocks.iter().map(|(_, record)| record), moves.landscape.minima.len())
    }

    fn conclude(&self, moves: &Moves, summary: &Summary, effort: &Effort) -> Result<Gibbs, NoGibbs> {
        let minima = moves.landscape.minima.len();
        let equilibration = summary.equilibration();
        if let Some(reason) = equilibration.reasons.first() {
            return Err(NoGibbs::DoesNotMix(reason.clone()));
        }
        if let Some(never) = (0..minima).find(|&minimum| !summary.occupancies.visited(minimum)) {
            return Err(NoGibbs::NeverVisited(minimum_name(never)));
        }
        let worst_standard_error = summary.worst_standard_error().unwrap_or(f64::INFINITY);
        let total = |pick: &dyn Fn(&Walkers) -> &Tally| {
            let mut sum = Tally::default();
            self.blocks.iter().for_each(|(walkers, _)| sum.add(pick(walkers)));
            sum.rate()
        };
        let levels = moves.temperatures.len();
        let (mean_laplacian, laplacians) = summary.mean_laplacians();
        let mut occupancies = summary.means();
        let other = occupancies.pop().unwrap_or(0.0);
        let sampling = Sampling {
            log_masses: summary.log_masses(),
            laplacians,
            other_standard_error: summary.occupancies.occupancy(minima).map(|other| other.standard_error),
            worst_standard_error,
            settled: worst_standard_error <= effort.standard_error,
            ensembles: (self.blocks.len() * LANES) as u64,
            draws: self.draws,
            equilibration,
            temperatures: moves.temperatures.clone(),
            exchange_acceptance: (0..levels - 1).map(|k| total(&|walkers| &walkers.exchanges[k])).collect(),
            langevin_acceptance: (0..levels).map(|k| total(&|walkers| &walkers.langevin[k])).collect(),
            jump_acceptance: total(&|walkers| &walkers.jumps),
        };
        let curvature = summaries(moves.landscape, &summary.bends);
        let seen = self.blocks.iter().map(|(_, record)| record.elsewhere().cloned());
        let elsewhere = seen.fold(None, Place::lower);
        let (mean_excess, spread, log_normalization) = (None, Vec::new(), None);
        Ok(Gibbs {
            occupancies,
            other,
            elsewhere,
            mean_laplacian,
            mean_excess,
            spread,
            curvature,
            log_normalization,
            sampling: Some(sampling),
        })
    }
}
