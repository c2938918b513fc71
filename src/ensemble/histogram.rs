//! Where the trajectories are: counts on a grid in 1-D or 2-D, for independent groups of replicas.
//!
//! The groups (lane modulo [`GROUPS`]) give every bin an error bar that knows nothing of the correlation within a
//! trajectory. Counts are integers, so their sum is the same for any order in which blocks hand them in; blocks write
//! into a few shared tables, so memory does not grow with the number of replicas.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Observer, View};
use crate::loss::LANES;

/// Independent groups of replicas.
pub const GROUPS: usize = 16;
const SHARDS: usize = 8;
/// Looks between two entries into the shared table, which bounds both memory per block and the time under lock.
const BUFFERED_LOOKS: usize = 4;

/// The grid and the counts of all blocks.
pub struct Histogram {
    edges: Vec<Vec<f64>>,
    /// `[shard][group * bins + bin]`; the last bin of a group counts what lies outside of the grid.
    shards: Vec<Mutex<Vec<u64>>>,
}

/// Densities with their errors.
#[derive(Clone, Debug)]
pub struct Density {
    /// Probability density per bin, first coordinate running fastest.
    pub density: Vec<f64>,
    /// Its standard error between the groups.
    pub standard_error: Vec<f64>,
    /// Probability outside of the grid.
    pub outside: f64,
}

impl Histogram {
    /// Over equal bins: one [low, high] and a number of bins per coordinate (one or two).
    pub fn new(ranges: &[[f64; 2]], bins: usize) -> Self {
        let edges: Vec<Vec<f64>> = ranges
            .iter()
            .map(|[low, high]| (0..=bins).map(|i| low + (high - low) * i as f64 / bins as f64).collect())
            .collect();
        let cells = bins.pow(ranges.len() as u32) + 1;
        Self { edges, shards: (0..SHARDS).map(|_| Mutex::new(vec![0; GROUPS * cells])).collect() }
    }

    /// Edges along each coordinate.
    pub fn edges(&self) -> &[Vec<f64>] {
        &self.edges
    }

    /// The observer of the block that starts with replica `first`.
    pub fn observer(self: &Arc<Self>, first: u64) -> HistogramObserver {
        let shard = (first / LANES as u64) as usize % SHARDS;
        HistogramObserver { histogram: self.clone(), shard, buffer: Vec::with_capacity(BUFFERED_LOOKS * LANES) }
    }

    /// The counts of all blocks, `group * (bins + 1) + bin`.
    pub fn counts(&self) -> Vec<u64> {
        let cells = self.edges.iter().map(|edges| edges.len() - 1).product::<usize>();
        let mut counts = vec![0u64; GROUPS * (cells + 1)];
        for shard in &self.shards {
            for (sum, count) in counts.iter_mut().zip(shard.lock().unwrap_or_else(PoisonError::into_inner).iter()) {
                *sum += count;
            }
        }
        counts
    }

    /// Adds counts of an earlier run over the same bins; false if they are of another number of bins.
    pub fn add(&self, counts: &[u64]) -> bool {
        let mut shard = self.shards[0].lock().unwrap_or_else(PoisonError::into_inner);
        if shard.len() != counts.len() {
            return false;
        }
        shard.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        true
    }

    /// Densities over all replicas, with standard errors between the groups that were looked at.
    pub fn density(&self) -> Density {
        let cells = self.edges.iter().map(|edges| edges.len() - 1).product::<usize>();
        let counts = self.counts();
        let volume: f64 = self.edges.iter().map(|edges| edges[1] - edges[0]).product();
        let groups: Vec<&[u64]> =
            counts.chunks_exact(cells + 1).filter(|group| group.iter().any(|&count| count > 0)).collect();
        let totals: Vec<f64> = groups.iter().map(|group| group.iter().sum::<u64>() as f64).collect();
        let number = groups.len() as f64;
        let mean = |bin: usize| {
            groups.iter().zip(&totals).map(|(group, total)| group[bin] as f64 / total).sum::<f64>() / number
        };
        let mut density = Vec::with_capacity(cells);
        let mut standard_error = Vec::with_capacity(cells);
        for bin in 0..cells {
            let middle = mean(bin);
            let spread: f64 = groups
                .iter()
                .zip(&totals)
                .map(|(group, total)| (group[bin] as f64 / total - middle) * (group[bin] as f64 / total - middle))
                .sum();
            density.push(middle / volume);
            standard_error.push((spread / (number - 1.0) / number).sqrt() / volume);
        }
        Density { density, standard_error, outside: mean(cells) }
    }
}

/// Counts one block into the shared table.
pub struct HistogramObserver {
    histogram: Arc<Histogram>,
    shard: usize,
    buffer: Vec<u32>,
}

impl HistogramObserver {
    fn flush(&mut self) {
        let mut table = self.histogram.shards[self.shard].lock().unwrap_or_else(PoisonError::into_inner);
        for &index in &self.buffer {
            table[index as usize] += 1;
        }
        self.buffer.clear();
    }
}

impl Observer for HistogramObserver {
    fn observe(&mut self, view: &mut View) {
        let axes = &self.histogram.edges;
        let cells = axes.iter().map(|edges| edges.len() - 1).product::<usize>();
        let mut bin = [0usize; LANES];
        let mut stride = 1;
        for (edges, row) in axes.iter().zip(view.theta.chunks_exact(LANES)) {
            let bins = edges.len() - 1;
            let (low, scale) = (edges[0], bins as f64 / (edges[bins] - edges[0]));
            for lane in 0..LANES {
                let place = (row[lane] - low) * scale;
                let inside = place >= 0.0 && place < bins as f64;
                // Once outside, always outside: a bin past the last cell stays past it.
                bin[lane] += if inside { stride * place as usize } else { cells };
            }
            stride *= bins;
        }
        for lane in 0..LANES {
            if view.live[lane] {
                self.buffer.push((lane % GROUPS * (cells + 1) + bin[lane].min(cells)) as u32);
            }
        }
        if self.buffer.len() + LANES > BUFFERED_LOOKS * LANES {
            self.flush();
        }
    }

    fn end_stretch(&mut self, _looks: u64) {
        self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Replicas that stand still, half of the groups in either bin: however often they are looked at, the error is that of
    /// 16 groups, √(¼/15), and not that of as many samples as there were looks.
    #[test]
    fn the_error_is_between_groups_however_many_looks() {
        let theta: [f64; LANES] = std::array::from_fn(|lane| if lane % GROUPS < GROUPS / 2 { 0.5 } else { 1.5 });
        for looks in [1, 1000] {
            let histogram = Arc::new(Histogram::new(&[[0.0, 2.0]], 2));
            let mut observer = histogram.observer(0);
            for _ in 0..looks {
                observer.observe(&mut View { theta: &theta, live: &[true; LANES], scratch: &mut [] });
            }
            observer.end_stretch(looks);
            let measured = histogram.density();
            assert_eq!((measured.density, measured.outside), (vec![0.5; 2], 0.0));
            for error in measured.standard_error {
                assert!((error - (0.25f64 / 15.0).sqrt()).abs() < 1e-15, "{looks} looks: {error}");
            }
        }
    }
}
