//! What the ensembles saw, and what follows from it.

use super::walkers::{Moves, Walkers};
use crate::landscape::basins::{NO_BASIN, Workspace};
use crate::landscape::minimum_name;
use crate::landscape::strays::Strays;
use crate::lanes::LANES;
use crate::statistics::{Equilibration, EquilibrationInput, Observable, Occupancies, StartDesign};
use crate::theory::gibbs::curvature::Bends;
use crate::theory::gibbs::influences::Influences;
use crate::theory::outskirts::Place;

/// Diagnostics work on at most so many ensembles and block means each.
const FOLLOWED: usize = 256;
const BLOCKS: usize = 256;

/// The draws of a block of ensembles.
pub(super) struct Record {
    minima: usize,
    /// Per lane, one label per draw; `minima` stands for no basin.
    labels: Vec<Vec<u8>>,
    /// Per lane and minimum, the draws in its basin.
    visits: Vec<Vec<usize>>,
    /// Per lane and minimum, Σ ΔL over those of them whose Hessian was taken.
    laplacians: Vec<Vec<f64>>,
    /// Per minimum, these Hessians.
    bends: Vec<Bends>,
    /// Where the walkers were at the draws that have no labels yet, point after point.
    waiting: Vec<f64>,
    workspace: Workspace,
    /// The lowest draw in the domain that lies in no basin, lane by lane.
    strays: Strays,
    /// The lowest draw of all that lies in no basin.
    elsewhere: Option<Place>,
}

/// The labels of so many draws are found at once: flows of different lengths then keep each other company.
const DRAWS_AT_ONCE: usize = 32;
/// Of so many draws in a basin the first has its Hessian taken, which costs more than all that leads from one draw to the next:
/// neighbouring draws are much alike.
const DRAWS_PER_HESSIAN: usize = 8;

impl Record {
    pub(super) fn new(moves: &Moves) -> Self {
        let minima = moves.landscape.minima.len();
        Self {
            minima,
            labels: vec![Vec::new(); LANES],
            visits: vec![vec![0; minima]; LANES],
            laplacians: vec![vec![0.0; minima]; LANES],
            bends: vec![Bends::default(); minima],
            waiting: Vec::new(),
            workspace: Workspace::default(),
            strays: Strays::new(&moves.landscape.domain),
            elsewhere: None,
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

    /// The lowest draws in the domain that lie in no basin.
    pub(super) fn strays(&self) -> &Strays {
        &self.strays
    }

    /// The lowest draw of all that lies in no basin.
    pub(super) fn elsewhere(&self) -> Option<&Place> {
        self.elsewhere.as_ref()
    }

    /// Finds the labels that are still missing.
    pub(super) fn settle(&mut self, moves: &Moves) {
        let d = moves.loss.dimension();
        let mut labels = vec![NO_BASIN; self.waiting.len() / d];
        moves.landscape.basins.label_all(&self.waiting, &mut labels, &mut self.workspace);
        for (index, (&label, point)) in labels.iter().zip(self.waiting.chunks_exact(d)).enumerate() {
            let (lane, is_nowhere) = (index % LANES, label == NO_BASIN);
            self.labels[lane].push(if is_nowhere { self.minima } else { label as usize } as u8);
            if is_nowhere {
                let loss = moves.loss.value(point);
                self.strays.see(lane, point, loss);
                if self.elsewhere.as_ref().is_none_or(|lowest| loss < lowest.loss) {
                    self.elsewhere = Some(Place { theta: point.to_vec(), loss });
                }
            } else {
                let visits = &mut self.visits[lane][label as usize];
                if visits.is_multiple_of(DRAWS_PER_HESSIAN) {
                    let hessian = moves.loss.hessian(point);
                    self.laplacians[lane][label as usize] += hessian.trace();
                    self.bends[label as usize].add_draw(point, hessian);
                }
                *visits += 1;
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
    /// Ensembles × minima: how many draws in each had their Hessian taken, and Σ ΔL over them.
    measured: Vec<Vec<f64>>,
    laplacians: Vec<Vec<f64>>,
    pub(super) occupancies: Occupancies,
    /// Per minimum, the Hessians at the draws of all ensembles.
    pub(super) bends: Vec<Bends>,
}

impl Summary {
    pub(super) fn of<'a>(records: impl Iterator<Item = &'a Record>, minima: usize) -> Option<Self> {
        let (mut labels, mut measured, mut laplacians) = (Vec::new(), Vec::new(), Vec::new());
        let measured_of = |visits: &Vec<usize>| -> Vec<f64> {
            visits.iter().map(|visits| visits.div_ceil(DRAWS_PER_HESSIAN) as f64).collect()
        };
        let mut bends = vec![Bends::default(); minima];
        for record in records {
            bends.iter_mut().zip(&record.bends).for_each(|(all, part)| all.append(part));
            labels.extend(record.labels.iter().cloned());
            measured.extend(record.visits.iter().map(measured_of));
            laplacians.extend(record.laplacians.iter().cloned());
        }
        let draws = labels.first()?.len() as f64;
        let fraction = |labels: &Vec<u8>| {
            let mut counts = vec![0.0; minima + 1];
            labels.iter().for_each(|&label| counts[usize::from(label)] += 1.0 / draws);
            counts
        };
        let fractions: Vec<Vec<f64>> = labels.iter().map(fraction).collect();
        let occupancies = Occupancies::new(minima + 1, fractions.concat()).ok()?;
        Some(Self { minima, labels, fractions, measured, laplacians, occupancies, bends })
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
        let mean = |rows: &[Vec<f64>], minimum: usize| rows.iter().map(|row| row[minimum]).sum::<f64>() / ensembles;
        let means: Vec<f64> = (0..self.minima).map(|minimum| mean(&self.measured, minimum)).collect();
        let ratios: Vec<f64> =
            (0..self.minima).map(|minimum| mean(&self.laplacians, minimum) / means[minimum]).collect();
        let rows = self.laplacians.iter().zip(&self.measured).map(|(sums, measured)| {
            let influence = |k: usize| (sums[k] - ratios[k] * measured[k]) / means[k];
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
