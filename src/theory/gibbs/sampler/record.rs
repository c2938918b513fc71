//! What the ensembles saw, and what follows from it.

use super::walkers::{Moves, Walkers};
use crate::landscape::basins::{NO_BASIN, Workspace};
use crate::landscape::minimum_name;
use crate::lanes::LANES;
use crate::statistics::{Equilibration, EquilibrationInput, Observable, Occupancies, StartDesign};
use crate::theory::gibbs::curvature::Bends;
use crate::theory::gibbs::influences::Influences;

/// Diagnostics work on at most so many ensembles and block means each.
const FOLLOWED: usize = 256;
const BLOCKS: usize = 256;

/// The draws of a block of ensembles.
pub(super) struct Record {
    minima: usize,
    /// Per lane, one label per draw; `minima` stands for no basin.
    labels: Vec<Vec<u8>>,
    /// Per lane and minimum, Σ ΔL over the draws in its basin.
    laplacians: Vec<Vec<f64>>,
    /// Per minimum, the Hessians at the draws in its basin.
    bends: Vec<Bends>,
    /// Where the walkers were at the draws that have no labels yet, point after point.
    waiting: Vec<f64>,
    workspace: Workspace,
}

/// The labels of so many draws are found at once: flows of different lengths then keep each other company.
const DRAWS_AT_ONCE: usize = 32;
/// Of so many draws one has its largest curvature taken.
const DRAWS_PER_NORM: usize = 8;

impl Record {
    pub(super) fn new(moves: &Moves) -> Self {
        let minima = moves.landscape.minima.len();
        Self {
            minima,
            labels: vec![Vec::new(); LANES],
            laplacians: vec![vec![0.0; minima]; LANES],
            bends: vec![Bends::default(); minima],
            waiting: Vec::new(),
            workspace: Workspace::default(),
        }
    }

    /// Takes note of where the walkers are.
    pub(super) fn draw(&mut self, moves: &Moves, walkers: &Walkers) {
        let d = moves.loss.dimension();
        for lane in 0..LANES {
            let end = self.waiting.len();
            self.waiting.resize(end + d, 0.0);
            walkers.position(lane, &mut self.waiting[end..]);
        }
        if self.waiting.len() >= DRAWS_AT_ONCE * LANES * d {
            self.settle(moves);
        }
    }

    /// Finds the labels that are still missing.
    pub(super) fn settle(&mut self, moves: &Moves) {
        let d = moves.loss.dimension();
        let mut labels = vec![NO_BASIN; self.waiting.len() / d];
        moves.landscape.basins.label_all(&self.waiting, &mut labels, &mut self.workspace);
        for (index, (&label, point)) in labels.iter().zip(self.waiting.chunks_exact(d)).enumerate() {
            let (lane, is_nowhere) = (index % LANES, label == NO_BASIN);
            self.labels[lane].push(if is_nowhere { self.minima } else { label as usize } as u8);
            if !is_nowhere {
                let hessian = moves.loss.hessian(point);
                self.laplacians[lane][label as usize] += hessian.trace();
                let bends = &mut self.bends[label as usize];
                // Eigenvalues cost much more than a trace, and neighbouring draws are much alike.
                let is_measured = (self.labels[lane].len() - 1).is_multiple_of(DRAWS_PER_NORM);
                if is_measured { bends.add(point, hessian, 1.0) } else { bends.add_square(&hessian, 1.0) }
            }
        }
        self.waiting.clear();
    }
}

/// The ensembles of all blocks, side by side.
pub(super) struct Summary {
    minima: usize,
    labels: Vec<Vec<u8>>,
    /// Ensembles × states: the parts of the draws in each.
    fractions: Vec<Vec<f64>>,
    /// Ensembles × minima: Σ ΔL over the draws in each, per draw.
    laplacians: Vec<Vec<f64>>,
    pub(super) occupancies: Occupancies,
    /// Per minimum, the Hessians at the draws of all ensembles.
    pub(super) bends: Vec<Bends>,
}

impl Summary {
    pub(super) fn of<'a>(records: impl Iterator<Item = &'a Record>, minima: usize) -> Option<Self> {
        let (mut labels, mut laplacians) = (Vec::new(), Vec::new());
        let mut bends = vec![Bends::default(); minima];
        for record in records {
            bends.iter_mut().zip(&record.bends).for_each(|(all, part)| all.append(part));
            labels.extend(record.labels.iter().cloned());
            laplacians.extend(record.laplacians.iter().cloned());
        }
        let draws = labels.first()?.len() as f64;
        laplacians.iter_mut().flatten().for_each(|sum| *sum /= draws);
        let fraction = |labels: &Vec<u8>| {
            let mut counts = vec![0.0; minima + 1];
            labels.iter().for_each(|&label| counts[usize::from(label)] += 1.0 / draws);
            counts
        };
        let fractions: Vec<Vec<f64>> = labels.iter().map(fraction).collect();
        let occupancies = Occupancies::new(minima + 1, fractions.concat()).ok()?;
        Some(Self { minima, labels, fractions, laplacians, occupancies, bends })
    }

    /// The means over all ensembles, `other` last.
    pub(super) fn means(&self) -> Vec<f64> {
        (0..=self.minima).map(|state| self.occupancies.mean(state).unwrap_or(0.0)).collect()
    }

    /// The largest standard error of the log-odds of a minimum against the likeliest; `None` if one was never visited.
    pub(super) fn worst_standard_error(&self) -> Option<f64> {
        let means = self.means();
        let likeliest = (0..self.minima).max_by(|&a, &b| means[a].total_cmp(&means[b]))?;
        (0..self.minima).filter(|&minimum| minimum != likeliest).try_fold(0.0f64, |worst, minimum| {
            Some(worst.max(self.occupancies.log_odds(minimum, likeliest)?.standard_error))
        })
    }

    pub(super) fn log_masses(&self) -> Influences {
        Influences::of_fractions(&self.fractions, &self.means())
    }

    /// ⟨ΔL⟩ within every basin, Σ ΔL over Σ 1, and the ensembles' influences on it.
    pub(super) fn mean_laplacians(&self) -> (Vec<f64>, Influences) {
        let ensembles = self.laplacians.len() as f64;
        let means = self.means();
        let sum = |minimum: usize| self.laplacians.iter().map(|row| row[minimum]).sum::<f64>();
        let ratios: Vec<f64> = (0..self.minima).map(|minimum| sum(minimum) / ensembles / means[minimum]).collect();
        let rows = self.laplacians.iter().zip(&self.fractions).map(|(sums, fractions)| {
            let influence = |k: usize| (sums[k] - ratios[k] * fractions[k]) / means[k];
            (0..self.minima).map(influence).chain([0.0]).collect()
        });
        (ratios.clone(), Influences::from_rows(rows.collect()))
    }

    /// The sampler's own check: ensembles that started in different minima must have forgotten it.
    pub(super) fn equilibration(&self) -> Equilibration {
        let minima = self.minima;
        let draws = self.labels[0].len();
        let blocks = draws.min(BLOCKS);
        let course = |labels: &Vec<u8>, state: usize| -> Vec<f64> {
            let block = |k: usize| &labels[k * draws / blocks..(k + 1) * draws / blocks];
            let part = |block: &[u8]| {
                block.iter().filter(|&&label| usize::from(label) == state).count() as f64 / block.len() as f64
            };
            (0..blocks).map(|k| part(block(k))).collect()
        };
        // Two minima share the whole between them: the second would only say the same again.
        let watched = if minima == 2 { 1 } else { minima };
        let followed = &self.labels[..self.labels.len().min(FOLLOWED)];
        let series: Vec<Vec<Vec<f64>>> =
            (0..watched).map(|state| followed.iter().map(|labels| course(labels, state)).collect()).collect();
        let means: Vec<Vec<f64>> = (0..watched).map(|state| self.occupancies.column(state)).collect();
        let names: Vec<String> =
            (0..watched).map(|state| format!("the occupancy of {}", minimum_name(state))).collect();
        let observables: Vec<Observable> = (0..watched)
            .map(|state| Observable { label: &names[state], series: &series[state], replica_means: &means[state] })
            .collect();
        let groups: Vec<usize> = (0..self.labels.len()).map(|ensemble| ensemble % minima).collect();
        let input = EquilibrationInput {
            observables: &observables,
            start_groups: &(0..minima).map(minimum_name).collect::<Vec<_>>(),
            chain_groups: &groups[..followed.len()],
            replica_groups: &groups,
            design: if minima > 1 { StartDesign::SeveralGroups } else { StartDesign::OneRegion },
        };
        Equilibration::assess(&input)
            .unwrap_or_else(|error| Equilibration { reasons: vec![error.to_string()], ..Equilibration::default() })
    }
}
