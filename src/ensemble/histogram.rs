//! Where the trajectories are: counts over cells of θ in 1-D or 2-D, or of the loss L(θ), for independent groups of replicas.
//!
//! The groups (replica modulo their number) give every cell an error bar that knows nothing of the correlation within a
//! trajectory. Counts are integers, so their sum is the same for any order in which blocks hand them in; blocks write
//! into a few shared tables, so memory does not grow with the number of replicas.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Observer, View};
use crate::instructions::vectorized;
use crate::loss::{LANES, Loss};

/// Independent groups of replicas, unless another number is asked for.
pub const GROUPS: usize = 16;
const SHARDS: usize = 8;
/// 2⁵², from which on the last bit of a number counts integers.
const INTEGERS: f64 = 4_503_599_627_370_496.0;
/// Looks between two entries into the shared table, which bounds both memory per block and the time under lock.
const BUFFERED_LOOKS: usize = 4;

/// The cells and the counts of all blocks.
pub struct Histogram {
    axes: Vec<Axis>,
    /// Whose values are counted, if not θ.
    loss: Option<Arc<dyn Loss>>,
    groups: usize,
    /// `[shard][group * (cells + 2) + cell]`; the last two of a group count what lies below and above a single axis, or
    /// (the first of them) outside of several.
    shards: Vec<Mutex<Vec<u64>>>,
}

/// One coordinate cut into cells.
struct Axis {
    edges: Vec<f64>,
    /// Into which cell each of many equal steps falls; empty where the cells themselves are equal.
    cell_of_step: Vec<u32>,
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
        let axis = |&[low, high]: &[f64; 2]| Axis {
            edges: (0..=bins).map(|i| low + (high - low) * i as f64 / bins as f64).collect(),
            cell_of_step: Vec::new(),
        };
        Self::over(ranges.iter().map(axis).collect())
    }

    /// Over unequal cells of one coordinate: [low, high] is cut into `steps` equal steps, of which those in `starts` (ascending, the
    /// first 0) begin a cell.
    pub fn on_line([low, high]: [f64; 2], steps: usize, starts: &[usize]) -> Self {
        let place = |step: usize| low + (high - low) * step as f64 / steps as f64;
        let edges = starts.iter().map(|&step| place(step)).chain([high]).collect();
        let ends = starts.iter().skip(1).copied().chain([steps]);
        let cells = starts.iter().zip(ends).enumerate();
        let cell_of_step = cells.flat_map(|(cell, (&start, end))| vec![cell as u32; end - start]).collect();
        Self::over(vec![Axis { edges, cell_of_step }])
    }

    /// Over equal bins of the loss L(θ) in [low, high].
    pub fn of_loss(loss: Arc<dyn Loss>, range: [f64; 2], bins: usize) -> Self {
        Self { loss: Some(loss), ..Self::new(&[range], bins) }
    }

    fn over(axes: Vec<Axis>) -> Self {
        let mut histogram = Self { axes, loss: None, groups: 0, shards: Vec::new() };
        histogram.divide(GROUPS);
        histogram
    }

    /// The same with another number of groups. Nothing may have been counted yet.
    #[must_use]
    pub fn in_groups(mut self, groups: usize) -> Self {
        self.divide(groups.max(1));
        self
    }

    fn divide(&mut self, groups: usize) {
        self.groups = groups;
        let size = groups * (self.cells() + 2);
        self.shards = (0..SHARDS).map(|_| Mutex::new(vec![0; size])).collect();
    }

    /// Number of cells, without what lies outside.
    pub fn cells(&self) -> usize {
        self.axes.iter().map(|axis| axis.edges.len() - 1).product()
    }

    /// Edges along each coordinate.
    pub fn edges(&self) -> Vec<&[f64]> {
        self.axes.iter().map(|axis| axis.edges.as_slice()).collect()
    }

    /// The observer of the block that starts with replica `first`.
    pub fn observer(self: &Arc<Self>, first: u64) -> HistogramObserver {
        let shard = (first / LANES as u64) as usize % SHARDS;
        let group = |lane: usize| (first % self.groups as u64) as usize + lane;
        let groups = std::array::from_fn(|lane| (group(lane) % self.groups * (self.cells() + 2)) as u32);
        let buffer = Vec::with_capacity(BUFFERED_LOOKS * LANES);
        HistogramObserver { histogram: self.clone(), shard, groups, buffer }
    }

    /// The counts of all blocks: of every group those of the cells, of what lies below and of what lies above or outside.
    pub fn counts(&self) -> Vec<u64> {
        let mut counts = vec![0u64; self.groups * (self.cells() + 2)];
        for shard in &self.shards {
            for (sum, count) in counts.iter_mut().zip(shard.lock().unwrap_or_else(PoisonError::into_inner).iter()) {
                *sum += count;
            }
        }
        counts
    }

    /// Adds counts of an earlier run over the same cells; false if they are of another number of cells.
    pub fn add(&self, counts: &[u64]) -> bool {
        let mut shard = self.shards[0].lock().unwrap_or_else(PoisonError::into_inner);
        if shard.len() != counts.len() {
            return false;
        }
        shard.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        true
    }

    /// The fraction of its looks that each group spent in every cell, for the groups that were looked at: on a line what lies below,
    /// the cells, what lies above; else the cells, and what lies outside. Every row sums to 1.
    pub fn fractions(&self) -> Vec<Vec<f64>> {
        let width = self.cells() + 2;
        let counts = self.counts();
        let looked_at = |group: &&[u64]| group.iter().any(|&count| count > 0);
        let row = |group: &[u64]| {
            let total = group.iter().sum::<u64>() as f64;
            let fraction = |count: &u64| *count as f64 / total;
            let (cells, outside) = group.split_at(width - 2);
            let inside = cells.iter().map(fraction);
            if self.axes.len() == 1 {
                std::iter::once(fraction(&outside[0])).chain(inside).chain([fraction(&outside[1])]).collect()
            } else {
                inside.chain([fraction(&outside[0])]).collect()
            }
        };
        counts.chunks_exact(width).filter(looked_at).map(row).collect()
    }

    /// Densities over all replicas, with standard errors between the groups that were looked at.
    pub fn density(&self) -> Density {
        let single: Vec<Range<usize>> = (0..self.cells()).map(|cell| cell..cell + 1).collect();
        self.density_over(&single)
    }

    /// The same over cells put together: each part is a range of neighbouring cells (of a single axis, if it is more than one cell).
    pub fn density_over(&self, parts: &[Range<usize>]) -> Density {
        let rows = self.fractions();
        // On a line the first entry of a row is what lies below.
        let first = usize::from(self.axes.len() == 1);
        let number = rows.len() as f64;
        let mut density = Vec::with_capacity(parts.len());
        let mut standard_error = Vec::with_capacity(parts.len());
        for part in parts {
            let share = |row: &Vec<f64>| row[part.start + first..part.end + first].iter().sum::<f64>();
            let middle = rows.iter().map(share).sum::<f64>() / number;
            let spread: f64 = rows.iter().map(|row| (share(row) - middle) * (share(row) - middle)).sum();
            let volume = self.volume(part);
            density.push(middle / volume);
            standard_error.push((spread / (number - 1.0) / number).sqrt() / volume);
        }
        let outside = |row: &Vec<f64>| if first == 1 { row[0] + row[row.len() - 1] } else { row[row.len() - 1] };
        Density { density, standard_error, outside: rows.iter().map(outside).sum::<f64>() / number }
    }

    fn volume(&self, part: &Range<usize>) -> f64 {
        match self.axes.as_slice() {
            [axis] if !axis.cell_of_step.is_empty() || part.len() > 1 => axis.edges[part.end] - axis.edges[part.start],
            axes => axes.iter().map(|axis| axis.edges[1] - axis.edges[0]).product(),
        }
    }
}

impl Axis {
    fn cells(&self) -> usize {
        self.edges.len() - 1
    }

    /// Adds to every lane's bin the cell of its value, counted in steps of `stride`; a value below the cells adds `below`, one above
    /// (or not a number) `above`.
    #[inline(always)]
    fn locate(&self, values: &[f64; LANES], stride: u32, [below, above]: [u32; 2], bins: &mut [u32; LANES]) {
        let steps = if self.cell_of_step.is_empty() { self.cells() } else { self.cell_of_step.len() } as f64;
        let (low, high) = (self.edges[0], self.edges[self.cells()]);
        let factor = steps / (high - low);
        let (mut step, mut outside) = ([0u32; LANES], [0u32; LANES]);
        for l in 0..LANES {
            let place = (values[l] - low) * factor;
            let inside = (place >= 0.0) & (place < steps);
            // Of 2⁵² + k the low bits are k: a conversion that vectorizes everywhere, there being fewer than 2³² steps.
            step[l] = (if inside { place.floor() } else { 0.0 } + INTEGERS).to_bits() as u32;
            let side = if place < 0.0 { below } else { above };
            outside[l] = if inside { 0 } else { side };
        }
        if !self.cell_of_step.is_empty() {
            for step in &mut step {
                *step = self.cell_of_step[*step as usize];
            }
        }
        for l in 0..LANES {
            bins[l] += if outside[l] > 0 { outside[l] } else { stride * step[l] };
        }
    }
}

/// Counts one block into the shared table.
pub struct HistogramObserver {
    histogram: Arc<Histogram>,
    shard: usize,
    /// Where the counts of every lane's group begin.
    groups: [u32; LANES],
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
        let Histogram { axes, loss, .. } = self.histogram.as_ref();
        let cells = self.histogram.cells() as u32;
        let mut losses = [0.0; LANES];
        if let Some(loss) = loss {
            loss.value_block(view.theta, &mut losses, view.scratch);
        }
        let rows = if loss.is_some() { &losses } else { view.theta };
        // What is outside of several axes has one count, on either side; once outside, always outside.
        let beyond = if axes.len() == 1 { cells + 1 } else { cells };
        let bins = vectorized(
            #[inline(always)]
            || {
                let (mut bins, mut stride) = ([0; LANES], 1);
                for (axis, row) in axes.iter().zip(rows.as_chunks().0) {
                    axis.locate(row, stride, [cells, beyond], &mut bins);
                    stride *= axis.cells() as u32;
                }
                for l in 0..LANES {
                    bins[l] = self.groups[l] + bins[l].min(beyond);
                }
                bins
            },
        );
        if view.live.contains(&false) {
            self.buffer.extend(bins.iter().zip(view.live).filter(|(_, live)| **live).map(|(bin, _)| bin));
        } else {
            self.buffer.extend_from_slice(&bins);
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
                observer.observe(&mut View {
                    theta: &theta,
                    live: &[true; LANES],
                    lost: &mut [false; LANES],
                    scratch: &mut [],
                });
            }
            observer.end_stretch(looks);
            let measured = histogram.density();
            assert_eq!((measured.density, measured.outside), (vec![0.5; 2], 0.0));
            for error in measured.standard_error {
                assert!((error - (0.25f64 / 15.0).sqrt()).abs() < 1e-15, "{looks} looks: {error}");
            }
        }
    }

    /// Unequal cells: three of four steps, one of eight, one of four; what lies below, at an edge and above.
    #[test]
    fn unequal_cells_take_what_lies_in_them() {
        let histogram = Arc::new(Histogram::on_line([-1.0, 1.0], 16, &[0, 3, 4, 12]).in_groups(LANES));
        let expected = [-1.0, -0.625, -0.5, 0.5, 1.0];
        assert_eq!(histogram.edges()[0], expected);
        let places = [-7.0, -1.0, -0.626, -0.625, -0.5, 0.499, 0.5, 0.999, 1.0, 9.0];
        let theta: [f64; LANES] = std::array::from_fn(|lane| places[lane % places.len()]);
        let mut observer = histogram.observer(0);
        observer.observe(&mut View {
            theta: &theta,
            live: &[true; LANES],
            lost: &mut [false; LANES],
            scratch: &mut [],
        });
        observer.end_stretch(1);
        let rows = histogram.fractions();
        for (lane, cell) in [0, 1, 1, 2, 3, 3, 4, 4, 5, 5].into_iter().enumerate() {
            let found = rows[lane].iter().position(|&fraction| fraction == 1.0);
            assert_eq!(found, Some(cell), "{}", places[lane]);
        }
        // Cells put together: half of what lies inside of [−1, −0.5] and so on, by their own widths.
        let (whole, parts) = (histogram.density(), histogram.density_over(&[0..2, 2..4]));
        let mass = |density: &Density, edges: &[f64]| -> f64 {
            density.density.iter().zip(edges.windows(2)).map(|(p, pair)| p * (pair[1] - pair[0])).sum()
        };
        assert!((mass(&whole, &expected) - mass(&parts, &[-1.0, -0.5, 1.0])).abs() < 1e-15);
        assert!((mass(&whole, &expected) + whole.outside - 1.0).abs() < 1e-15);
    }

    /// A group is the replica's index modulo their number, whatever block it is in.
    #[test]
    fn groups_are_replicas_modulo_their_number() {
        let histogram = Arc::new(Histogram::new(&[[0.0, 40.0]], 40).in_groups(40));
        for first in [0, LANES as u64] {
            let theta: [f64; LANES] = std::array::from_fn(|lane| (first as usize + lane) as f64 % 40.0 + 0.5);
            let mut observer = histogram.observer(first);
            observer.observe(&mut View {
                theta: &theta,
                live: &[true; LANES],
                lost: &mut [false; LANES],
                scratch: &mut [],
            });
            observer.end_stretch(1);
        }
        for (group, row) in histogram.fractions().iter().enumerate() {
            assert_eq!(row[1 + group], 1.0, "group {group}");
        }
    }
}
