//! Binomial stand-ins for standard normals: (K − 8)/2, where K of 16 random bits are set.
//!
//! A symmetric variable on a lattice of width ½ with mean 0, variance 1, all odd moments 0, and E x⁴ = 3 − 2/16 = 2.875. A method of weak order 1
//! asks for the moments up to the third (Kloeden & Platen 1992, §14.1), which are those of a normal, so its order stays
//! what it is. What is lost: the law of a single step is not normal, so the chain at a finite step has another stationary law (the
//! difference is of first order in δ, as that of Euler–Maruyama itself, and about a twenty-fifth of it: the fourth cumulant, −1/8, stands
//! beside 3); nothing lies beyond 4; and a method of order 2, which needs E x⁴ = 3, falls back to order 1.

use super::generator::{Generator, TILE};

/// The standard deviation of K is 2.
pub(super) const SCALE: f64 = 0.5;

/// The next four of K − 8 for every trajectory, of one word: its bits 0 … 15, 16 … 31, 32 … 47 and 48 … 63.
#[allow(clippy::redundant_closure, reason = "a closure can be told to be inlined, a function that is handed on cannot")]
#[inline(always)]
pub(super) fn four_counts(generator: &mut Generator) -> [[f32; TILE]; 4] {
    let counts = generator.draw().map(
        #[inline(always)]
        |word| bits_set_of_sixteen(word),
    );
    let (low, high) = (counts.low(), counts.high());
    [centred(low, 0), centred(low, 16), centred(high, 0), centred(high, 16)]
}

/// K − 8 for the K that stands in eight bits of every lane.
#[inline(always)]
fn centred(lanes: [u32; TILE], shift: u32) -> [f32; TILE] {
    let mut centred = [0.0; TILE];
    for l in 0..TILE {
        centred[l] = ((lanes[l] >> shift & 0xFF) as i32 - 8) as f32;
    }
    centred
}

/// How many bits are set in each group of 16, in place.
#[inline(always)]
fn bits_set_of_sixteen(word: u64) -> u64 {
    let pairs = word - ((word >> 1) & 0x5555_5555_5555_5555);
    let fours = (pairs & 0x3333_3333_3333_3333) + ((pairs >> 2) & 0x3333_3333_3333_3333);
    let bytes = (fours + (fours >> 4)) & 0x0F0F_0F0F_0F0F_0F0F;
    (bytes + (bytes >> 8)) & 0x00FF_00FF_00FF_00FF
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, stream::Stream};

    #[test]
    fn counts_are_those_of_the_bits_of_a_trajectorys_own_words() {
        let mut generator = Generator::new(9, 32, Purpose::Dynamics);
        let mut streams: Vec<Stream> = (32..64).map(|k| Stream::new(9, k, Purpose::Dynamics)).collect();
        for _ in 0..100 {
            let counts = four_counts(&mut generator);
            for (lane, stream) in streams.iter_mut().enumerate() {
                let word = stream.next_word();
                for (group, counts) in counts.iter().enumerate() {
                    assert_eq!(counts[lane], (word >> (16 * group) & 0xFFFF).count_ones() as f32 - 8.0);
                }
            }
        }
    }
}
