//! The random increments of a block of trajectories: standard normals, or what may stand for them.

use serde::{Deserialize, Serialize};
use serde_big_array::BigArray;

use super::Purpose;
use super::binomial::{self, four_counts};
use super::generator::{Generator, TILE};
use super::normal::four_normals;
use crate::instructions::vectorized;
use crate::lanes::LANES;

/// The law of the increments ξ, of mean 0 and variance 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Increments {
    /// Standard normals: the increments of Brownian motion themselves.
    #[default]
    Gaussian,
    /// Weak increments on a lattice: (K − 8)/2, K of 16 random bits being set. Moments up to the third are those of a normal, the
    /// fourth is 2.875. For methods of weak order 1; about twice as fast.
    Binomial,
}

/// Rows that are drawn together.
const ROWS: usize = 4;

/// One stream of increments per lane, and those that are drawn but not yet used.
///
/// ```
/// use sgd_sde::loss::LANES;
/// use sgd_sde::random::increments::IncrementBlock;
/// let mut rows = vec![0.0; 100 * LANES];
/// IncrementBlock::new(1, 0).fill(&mut rows); // 100 standard normals for each of trajectories 0 … LANES − 1 of seed 1
/// let variance = rows.iter().map(|x| x * x).sum::<f64>() / rows.len() as f64;
/// assert!((variance - 1.0).abs() < 0.1);
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IncrementBlock {
    law: Increments,
    generators: [Generator; LANES / TILE],
    /// The last `spare_rows` of these come next.
    #[serde(with = "BigArray")]
    spare: [f64; (ROWS - 1) * LANES],
    spare_rows: usize,
}

impl IncrementBlock {
    /// The standard normals of trajectories `first` … `first + LANES − 1`.
    pub fn new(seed: u64, first: u64) -> Self {
        Self::of(Increments::Gaussian, seed, first)
    }

    /// The increments of some law, of trajectories `first` … `first + LANES − 1`.
    pub fn of(law: Increments, seed: u64, first: u64) -> Self {
        Self::from(law, seed, first, Purpose::Dynamics)
    }

    /// Standard normals for something else than the increments of a dynamics.
    pub fn for_purpose(seed: u64, first: u64, purpose: Purpose) -> Self {
        Self::from(Increments::Gaussian, seed, first, purpose)
    }

    fn from(law: Increments, seed: u64, first: u64, purpose: Purpose) -> Self {
        let generator = |tile| Generator::new(seed, first.wrapping_add((tile * TILE) as u64), purpose);
        let generators = std::array::from_fn(generator);
        Self { law, generators, spare: [0.0; (ROWS - 1) * LANES], spare_rows: 0 }
    }

    /// Fills `rows`, a multiple of [`LANES`] long, with the next increments of each lane, row after row. The sequence of a
    /// lane does not depend on how many rows are asked for at a time.
    pub fn fill(&mut self, rows: &mut [f64]) {
        match self.law {
            Increments::Gaussian => vectorized(
                #[inline(always)]
                || fill_normals(self, rows),
            ),
            Increments::Binomial => vectorized(
                #[inline(always)]
                || fill_counts(self, rows),
            ),
        }
    }
}

#[allow(clippy::redundant_closure, reason = "a closure can be told to be inlined, a function that is handed on cannot")]
#[inline(always)]
fn fill_normals(block: &mut IncrementBlock, rows: &mut [f64]) {
    fill(
        block,
        rows,
        #[inline(always)]
        |generator| four_normals(generator),
        #[inline(always)]
        |normal| f64::from(normal),
    );
}

#[allow(clippy::redundant_closure, reason = "a closure can be told to be inlined, a function that is handed on cannot")]
#[inline(always)]
fn fill_counts(block: &mut IncrementBlock, rows: &mut [f64]) {
    fill(
        block,
        rows,
        #[inline(always)]
        |generator| four_counts(generator),
        #[inline(always)]
        |count| f64::from(count) * binomial::SCALE,
    );
}

/// Fills rows with what is drawn, one generator after another.
#[inline(always)]
fn fill<T: Copy + Default>(
    block: &mut IncrementBlock,
    rows: &mut [f64],
    draw: impl Fn(&mut Generator) -> [[T; TILE]; ROWS],
    number: impl Fn(T) -> f64,
) {
    let rows = rows.as_chunks_mut::<LANES>().0;
    let (kept, rows) = rows.split_at_mut(block.spare_rows.min(rows.len()));
    let next = ROWS - 1 - block.spare_rows;
    let spare = block.spare.as_chunks_mut::<LANES>().0;
    kept.copy_from_slice(&spare[next..next + kept.len()]);
    block.spare_rows -= kept.len();
    if rows.is_empty() {
        return;
    }
    let (whole, rest) = rows.as_chunks_mut::<ROWS>();
    // What is not asked for goes to the end of the spare rows.
    let spare = &mut spare[rest.len().max(1) - 1..];
    for (tile, kept) in block.generators.iter_mut().enumerate() {
        // Of a copy of its own the compiler knows that nobody else looks at it between two draws.
        let mut generator = kept.clone();
        for rows in &mut *whole {
            let drawn = draw(&mut generator);
            for (row, drawn) in rows.iter_mut().zip(&drawn) {
                write(&mut row.as_chunks_mut().0[tile], drawn, &number);
            }
        }
        if !rest.is_empty() {
            let drawn = draw(&mut generator);
            for (row, drawn) in rest.iter_mut().chain(&mut *spare).zip(&drawn) {
                write(&mut row.as_chunks_mut().0[tile], drawn, &number);
            }
        }
        *kept = generator;
    }
    block.spare_rows = (ROWS - rest.len()) % ROWS;
}

#[inline(always)]
fn write<T: Copy>(row: &mut [f64; TILE], drawn: &[T; TILE], number: impl Fn(T) -> f64) {
    for l in 0..TILE {
        row[l] = number(drawn[l]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::initial_state;

    const LAWS: [Increments; 2] = [Increments::Gaussian, Increments::Binomial];

    fn rows(mut block: IncrementBlock, count: usize) -> Vec<f64> {
        let mut rows = vec![0.0; count * LANES];
        block.fill(&mut rows);
        rows
    }

    #[test]
    fn rows_do_not_depend_on_how_they_are_asked_for() {
        for law in LAWS {
            let mut block = IncrementBlock::of(law, 7, 100);
            let mut pieces = Vec::new();
            for count in [1, 2, 3, 4, 5, 0, 1, 1, 1, 6, 7, 3, 8, 2, 9] {
                let mut piece = vec![0.0; count * LANES];
                block.fill(&mut piece);
                pieces.extend(piece);
            }
            assert_eq!(rows(IncrementBlock::of(law, 7, 100), 53), pieces);
        }
    }

    #[test]
    fn lanes_are_trajectories_wherever_the_block_begins() {
        for law in LAWS {
            // Within the first generator, so that even lanes become odd ones, and beyond it.
            for offset in [1, 5, TILE + 2] {
                let early = rows(IncrementBlock::of(law, 7, 0), 5);
                let late = rows(IncrementBlock::of(law, 7, offset as u64), 5);
                for (early, late) in early.chunks_exact(LANES).zip(late.chunks_exact(LANES)) {
                    assert_eq!(early[offset..], late[..LANES - offset]);
                }
            }
        }
    }

    /// Version 2 of the stream, from an independent implementation in Python, whose single precision is NumPy's. A change of these
    /// numbers is a new version.
    #[test]
    fn golden_values() {
        let words = [12793040940332582595, 11446999876264359965, 4472672866095287216, 14569959790180725771];
        assert_eq!(initial_state(1, 0, Purpose::Dynamics), words);
        let of_trajectory = |lane: usize, law| -> Vec<f64> {
            rows(IncrementBlock::of(law, 1, 0), 8).into_iter().skip(lane).step_by(LANES).collect()
        };
        let normals: [f32; 8] =
            [0xBF01_20BD, 0xBF36_87BF, 0x3F3A_D0D3, 0xBF97_64F3, 0xBF4C_E9D0, 0x3F0A_C1A5, 0xBE97_EA24, 0x3E0B_328B]
                .map(f32::from_bits);
        assert_eq!(of_trajectory(3, Increments::Gaussian), normals.map(f64::from));
        assert_eq!(of_trajectory(3, Increments::Binomial), [-2.0, 1.0, 3.0, 0.5, 0.0, -0.5, 1.0, 0.0]);
    }
}
