//! The lattice on which the transfer operator of a chain in the plane is written down, and one step of the chain on it.
//!
//! A row of the operator is the product of a factor along either coordinate, so that the matrix, of some 10⁷ to 10⁸ entries, is never
//! stored. What a step would carry off the lattice stays where it is: the matrix is stochastic.

use std::f64::consts::PI;

use rayon::prelude::*;

use super::blocks::Blocks;
use super::{Chain, MOST_ENTRIES, NoDiscreteLaw, REACH};
use crate::instructions::vectorized;
use crate::loss::values::values_in_parallel;
use crate::math;

/// Parts of the sources, each with a sum of its own: the same for any number of threads.
const PARTS: usize = 8;
/// Numbers that are added at once.
const AT_ONCE: usize = 8;
/// A node that keeps more than this of its mass at every step is a trap, and no place of the chain: a wall throws it off the lattice.
const TRAP: f64 = 0.95;
/// Rounds in which traps are removed, which may make others.
const MOST_ROUNDS: usize = 100;

/// A node of the lattice.
pub(super) struct Source {
    /// Its place in arrays over the whole lattice, row by row.
    pub place: usize,
    /// The number of its block.
    pub block: usize,
    /// exp(−(L − L_A)/T).
    pub weight: f64,
    /// The part of its mass that a step would carry off the lattice.
    pub stays: f64,
    /// The first column and row of where a step from it leads.
    first: [usize; 2],
}

/// A lattice and the chain on it.
pub(super) struct Lattice {
    /// The first node.
    pub origin: [f64; 2],
    /// Between neighbouring nodes.
    pub spacing: f64,
    /// Columns and rows.
    pub sides: [usize; 2],
    /// The nodes in square blocks, each of which is on the lattice as a whole or not at all.
    pub blocks: Blocks,
    /// Row by row.
    pub sources: Vec<Source>,
    /// Of how many nodes along either coordinate a step is made.
    length: usize,
    /// Per source, its factors along the first and then along the second coordinate.
    factors: Vec<f64>,
}

impl Lattice {
    pub(super) fn new(
        chain: &Chain,
        region: &[[f64; 2]; 2],
        per_sigma: f64,
        height: f64,
    ) -> Result<Self, NoDiscreteLaw> {
        let sigma = (2.0 * chain.temperature * chain.step).sqrt();
        let spacing = sigma / per_sigma;
        let length = (2 * (REACH * per_sigma).ceil() as usize + 1).next_multiple_of(AT_ONCE);
        let nodes = |axis: usize| ((region[axis][1] - region[axis][0]) / spacing).ceil() + 1.0;
        if !(nodes(0) * nodes(1) < MOST_ENTRIES as f64) {
            return Err(NoDiscreteLaw::TooFine(MOST_ENTRIES));
        }
        // A step's nodes must fit in, also where the lattice is small.
        let sides = [0, 1].map(|axis| (nodes(axis) as usize).max(length));
        let blocks = Blocks::new(sides);
        let origin = region.map(|[low, _]| low);
        let mut lattice = Self { origin, spacing, sides, blocks, sources: Vec::new(), length, factors: Vec::new() };
        let above = lattice.heights(chain);
        lattice.find_blocks(&above, height);
        for _ in 0..MOST_ROUNDS {
            lattice.find_sources(&above);
            if lattice.entries() > MOST_ENTRIES {
                return Err(NoDiscreteLaw::TooFine(MOST_ENTRIES));
            }
            lattice.write_factors(chain, sigma);
            if !lattice.remove_traps() {
                return Ok(lattice);
            }
        }
        Err(NoDiscreteLaw::Escapes(1.0))
    }

    /// Of the operator.
    pub(super) fn entries(&self) -> usize {
        self.sources.len() * self.length * self.length
    }

    /// Nodes in all, in arrays over the whole lattice.
    pub(super) fn nodes(&self) -> usize {
        self.sides[0] * self.sides[1]
    }

    /// Where a node is.
    pub(super) fn point(&self, place: usize) -> [f64; 2] {
        let [column, row] = [place % self.sides[0], place / self.sides[0]];
        [self.origin[0] + self.spacing * column as f64, self.origin[1] + self.spacing * row as f64]
    }

    /// (L − L_A)/T at every node.
    fn heights(&self, chain: &Chain) -> Vec<f64> {
        let lowest = chain.landscape.minima[0].loss;
        let points: Vec<f64> = (0..self.nodes()).flat_map(|place| self.point(place)).collect();
        let mut values = values_in_parallel(chain.loss, &points);
        values.iter_mut().for_each(|value| *value = (*value - lowest) / chain.temperature);
        values
    }

    /// The blocks with a node that is low enough, and none where the loss is not defined.
    fn find_blocks(&mut self, above: &[f64], height: f64) {
        self.blocks.keep(|nodes| {
            let mut nodes = nodes.map(|place| above[place]);
            let mut is_low = false;
            nodes.all(|above| {
                is_low |= above <= height;
                above.is_finite()
            }) && is_low
        });
    }

    fn find_sources(&mut self, above: &[f64]) {
        let source = |place: usize| {
            let block = self.blocks.number(place)?;
            let weight = math::exp(-above[place]);
            Some(Source { place, block, weight, stays: 0.0, first: [0; 2] })
        };
        self.sources = (0..self.nodes()).into_par_iter().filter_map(source).collect();
    }

    fn write_factors(&mut self, chain: &Chain, sigma: f64) {
        let mut factors = vec![0.0; self.sources.len() * 2 * self.length];
        let mut sources = std::mem::take(&mut self.sources);
        let write = |(source, factors): (&mut Source, &mut [f64])| {
            let point = self.point(source.place);
            let mut gradient = [0.0; 2];
            chain.loss.gradient(&point, &mut gradient);
            for axis in 0..2 {
                // In units of the spacing, from the first node. A target that is no number is far outside.
                let target = (point[axis] - chain.step * gradient[axis] - self.origin[axis]) / self.spacing;
                let target = if target.is_finite() { target } else { -1e9 };
                let farthest = (self.sides[axis] - self.length) as f64;
                let first = (target.round() - (self.length / 2) as f64).clamp(0.0, farthest);
                source.first[axis] = first as usize;
                let unit = self.spacing / sigma;
                // The sum over an endless lattice is not quite an integral (Poisson): so a row sums to 1.
                let ripple =
                    2.0 * math::exp(-2.0 * PI * PI / (unit * unit)) * math::cos(2.0 * PI * (target - target.floor()));
                let size = unit / (2.0 * PI).sqrt() / (1.0 + ripple);
                for (node, factor) in factors[axis * self.length..][..self.length].iter_mut().enumerate() {
                    let z = (first + node as f64 - target) * unit;
                    *factor = if z.abs() <= REACH { size * math::exp(-0.5 * z * z) } else { 0.0 };
                }
            }
            let mut arrives = 0.0;
            self.blocks.arrivals(source.first, factors, &mut |_, probability| arrives += probability);
            source.stays = (1.0 - arrives).max(0.0);
        };
        sources.par_iter_mut().zip(factors.par_chunks_mut(2 * self.length)).for_each(write);
        (self.sources, self.factors) = (sources, factors);
    }

    /// Whether there were any.
    fn remove_traps(&mut self) -> bool {
        let traps: Vec<usize> =
            self.sources.iter().filter(|source| source.stays > TRAP).map(|source| source.place).collect();
        traps.iter().for_each(|&place| self.blocks.remove(place));
        !traps.is_empty()
    }

    /// Calls with the blocks into which a step from a source leads, and the probabilities.
    pub(super) fn arrivals(&self, source: usize, found: &mut dyn FnMut(usize, f64)) {
        self.blocks.arrivals(self.sources[source].first, self.factors(source), found);
    }

    fn factors(&self, source: usize) -> &[f64] {
        &self.factors[source * 2 * self.length..][..2 * self.length]
    }

    /// Room for [`Lattice::step`].
    pub(super) fn room(&self) -> Vec<Vec<f64>> {
        vec![vec![0.0; self.nodes()]; PARTS]
    }

    /// One step of the chain: `law`, over the sources, becomes the law one step later.
    pub(super) fn step(&self, law: &mut [f64], room: &mut [Vec<f64>]) {
        let part = self.sources.len().div_ceil(PARTS);
        room.par_iter_mut().enumerate().for_each(|(index, sums)| {
            let first = (index * part).min(self.sources.len());
            let last = (first + part).min(self.sources.len());
            sums.fill(0.0);
            self.spread(first..last, law, sums);
        });
        let sum = |(p, source): (&mut f64, &Source)| {
            *p = *p * source.stays + room.iter().map(|sums| sums[source.place]).sum::<f64>();
        };
        law.par_iter_mut().zip(&self.sources).with_min_len(4096).for_each(sum);
    }

    /// Adds where the mass of some sources goes.
    fn spread(&self, sources: std::ops::Range<usize>, law: &[f64], sums: &mut [f64]) {
        vectorized(
            #[inline(always)]
            || {
                for index in sources {
                    let [column, row] = self.sources[index].first;
                    let (across, along) = self.factors(index).split_at(self.length);
                    let across = across.as_chunks::<AT_ONCE>().0;
                    for (line, factor) in along.iter().enumerate() {
                        let share = law[index] * factor;
                        let arrivals = &mut sums[(row + line) * self.sides[0] + column..][..self.length];
                        for (sums, factors) in arrivals.as_chunks_mut::<AT_ONCE>().0.iter_mut().zip(across) {
                            for lane in 0..AT_ONCE {
                                sums[lane] += share * factors[lane];
                            }
                        }
                    }
                }
            },
        );
    }
}
