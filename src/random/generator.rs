//! xoshiro256++ (Blackman & Vigna 2021) for 32 trajectories side by side.
//!
//! Trajectories of even and of odd index stand in rows of their own. What needs 32 bits a trajectory then takes half a word of an
//! even one and half a word of its odd neighbour and has both side by side, in the order of the trajectories, by a shift and
//! a mask; no lane ever crosses a register:
//!
//! ```text
//! even   │  0  │  2  │  4  │ … │ 30  │     16 words of 64 bits
//! odd    │  1  │  3  │  5  │ … │ 31  │     16 words of 64 bits
//! halves │ 0 1 │ 2 3 │ 4 5 │ … │30 31│     32 lanes of 32 bits
//! ```
//!
//! Shorter rows would fit the registers better, but loops over eight words are unrolled by the compiler before it looks for vectors, and
//! then are left as scalar code.

use serde::{Deserialize, Serialize};

use super::{Purpose, initial_state};

/// Trajectories of a generator.
pub(super) const TILE: usize = 32;

const HALF: usize = TILE / 2;

/// A word for each of half of the trajectories: those of even index, or those of odd index.
type Words = [u64; HALF];

const LOW: u64 = 0xFFFF_FFFF;

/// One xoshiro256++ per trajectory.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Generator {
    even: [Words; 4],
    odd: [Words; 4],
}

/// The next word of every trajectory.
pub(super) struct Draw {
    even: Words,
    odd: Words,
}

impl Generator {
    /// The generators of trajectories `first` … `first + TILE − 1`.
    pub(super) fn new(seed: u64, first: u64, purpose: Purpose) -> Self {
        let mut generator = Self { even: [[0; HALF]; 4], odd: [[0; HALF]; 4] };
        for lane in 0..TILE {
            let words = initial_state(seed, first.wrapping_add(lane as u64), purpose);
            let rows = if lane % 2 == 0 { &mut generator.even } else { &mut generator.odd };
            for (row, word) in rows.iter_mut().zip(words) {
                row[lane / 2] = word;
            }
        }
        generator
    }

    /// The next word of every trajectory.
    #[inline(always)]
    pub(super) fn draw(&mut self) -> Draw {
        Draw { even: next(&mut self.even), odd: next(&mut self.odd) }
    }
}

#[inline(always)]
fn next(state: &mut [Words; 4]) -> Words {
    let [s0, s1, s2, s3] = state;
    let mut words = [0; HALF];
    for l in 0..HALF {
        words[l] = s0[l].wrapping_add(s3[l]).rotate_left(23).wrapping_add(s0[l]);
        let t = s1[l] << 17;
        let c = s2[l] ^ s0[l];
        let d = s3[l] ^ s1[l];
        s1[l] ^= c;
        s0[l] ^= d;
        s2[l] = c ^ t;
        s3[l] = d.rotate_left(45);
    }
    words
}

impl Draw {
    /// The upper halves of the words.
    #[inline(always)]
    pub(super) fn high(&self) -> [u32; TILE] {
        let mut pairs = [0; HALF];
        for l in 0..HALF {
            pairs[l] = (self.even[l] >> 32) | (self.odd[l] & !LOW);
        }
        lanes(pairs)
    }

    /// The lower halves of the words.
    #[inline(always)]
    pub(super) fn low(&self) -> [u32; TILE] {
        let mut pairs = [0; HALF];
        for l in 0..HALF {
            pairs[l] = (self.even[l] & LOW) | (self.odd[l] << 32);
        }
        lanes(pairs)
    }

    /// The same function of every word.
    #[inline(always)]
    pub(super) fn map(mut self, function: impl Fn(u64) -> u64) -> Self {
        for l in 0..HALF {
            self.even[l] = function(self.even[l]);
        }
        for l in 0..HALF {
            self.odd[l] = function(self.odd[l]);
        }
        self
    }
}

/// The halves of 64-bit numbers as 32-bit lanes, the low half first.
#[inline(always)]
fn lanes(mut pairs: Words) -> [u32; TILE] {
    if cfg!(target_endian = "big") {
        for pair in &mut pairs {
            *pair = pair.rotate_left(32);
        }
    }
    bytemuck::cast(pairs)
}
