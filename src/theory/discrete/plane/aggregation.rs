//! The stationary vector by steps of the chain in turn with exact solutions for blocks of nodes (iterative aggregation and
//! disaggregation; Takahashi 1975, Koury, McAllister & Stewart 1984).
//!
//! Steps alone forget the start within a block soon, the exchange between distant blocks, or over a barrier, hardly ever. So after a
//! few steps the blocks, with the mass as it is distributed within each, make a small chain, whose stationary law by elimination
//! without subtractions has all digits however rarely the wells exchange; it tells the masses of the blocks.

use super::lattice::Lattice;
use super::{MOST_WORK, NoDiscreteLaw};
use crate::theory::markov_chain::BandedChain;

/// Steps between two solutions for the blocks.
const STEPS: usize = 6;
/// Solutions after which it has to stand still.
const MOST_CYCLES: usize = 200;
/// The largest relative change of a block's mass that counts as standing still.
const STILL: f64 = 1e-7;
/// A change that is still good enough where the work is spent.
const NEARLY_STILL: f64 = 1e-5;
/// A chain that would leave the lattice more often than this a step has no stationary law on it.
const ESCAPES: f64 = 1e-6;

/// The stationary law over the sources of a lattice, which sums to 1, from a positive one that is near to it.
pub(super) fn stationary(lattice: &Lattice, start: Vec<f64>) -> Result<Vec<f64>, NoDiscreteLaw> {
    let mut law = start;
    let mut room = lattice.room();
    let band = band(lattice);
    let cycles = MOST_CYCLES.min((MOST_WORK / (lattice.entries() * STEPS) as f64) as usize);
    let mut change = f64::INFINITY;

    for _ in 0..cycles {
        change = balance(lattice, band, &mut law)?;
        (0..STEPS).for_each(|_| lattice.step(&mut law, &mut room));
        if change < STILL {
            break;
        }
    }
    if !(change < NEARLY_STILL) {
        return Err(NoDiscreteLaw::Unsettled);
    }
    let whole: f64 = law.iter().sum();
    law.iter_mut().for_each(|p| *p /= whole);
    let escapes: f64 = law.iter().zip(&lattice.sources).map(|(p, source)| p * source.stays).sum();
    if escapes > ESCAPES { Err(NoDiscreteLaw::Escapes(escapes)) } else { Ok(law) }
}

/// The largest difference of the numbers of blocks between which the chain steps.
fn band(lattice: &Lattice) -> usize {
    let mut band = 1;
    for (index, source) in lattice.sources.iter().enumerate() {
        lattice.arrivals(index, &mut |to, _| band = band.max(source.block.abs_diff(to)));
    }
    band
}

/// Gives every block the mass that it has by the chain of blocks; returns the largest relative change.
fn balance(lattice: &Lattice, band: usize, law: &mut [f64]) -> Result<f64, NoDiscreteLaw> {
    let mut masses = vec![0.0; lattice.blocks.count];
    for (p, source) in law.iter().zip(&lattice.sources) {
        masses[source.block] += p;
    }
    let mut chain = BandedChain::new(masses.len(), band);
    for (index, (p, source)) in law.iter().zip(&lattice.sources).enumerate() {
        let (from, share) = (source.block, p / masses[source.block]);
        lattice.arrivals(index, &mut |to, probability| {
            if to != from {
                chain.add(from, to, share * probability);
            }
        });
    }
    let balanced = chain.stationary().ok_or(NoDiscreteLaw::Disconnected)?;
    let whole: f64 = masses.iter().sum();
    let factors: Vec<f64> = balanced.iter().zip(&masses).map(|(new, old)| new / (old / whole)).collect();
    let mut largest = 0.0f64;
    for (p, source) in law.iter_mut().zip(&lattice.sources) {
        let factor = factors[source.block];
        *p *= factor;
        // A block without any mass has no factor that is a number.
        largest = largest.max(if factor.is_finite() { (factor - 1.0).abs() } else { f64::INFINITY });
    }
    if largest.is_finite() { Ok(largest) } else { Err(NoDiscreteLaw::Disconnected) }
}
