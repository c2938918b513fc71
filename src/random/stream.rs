//! The stream of one trajectory, one number at a time.

use std::convert::Infallible;

use rand::rand_core::TryRng;
use serde::{Deserialize, Serialize};

use super::{Purpose, initial_state};

/// xoshiro256++ started from (seed, trajectory, purpose). Works with everything in `rand` and `rand_distr`.
///
/// ```
/// use sgd_sde::random::{Purpose, stream::Stream};
/// let mut stream = Stream::new(1, 0, Purpose::Start);
/// let u = stream.uniform();
/// assert!((0.0..1.0).contains(&u));
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stream {
    state: [u64; 4],
}

impl Stream {
    /// The stream of one trajectory for one purpose.
    pub fn new(seed: u64, trajectory: u64, purpose: Purpose) -> Self {
        Self { state: initial_state(seed, trajectory, purpose) }
    }

    /// The next 64 bits.
    pub fn next_word(&mut self) -> u64 {
        let s = &mut self.state;
        let word = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        word
    }

    /// Uniform in [0, 1), 53 bits.
    pub fn uniform(&mut self) -> f64 {
        (self.next_word() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in {0, …, bound − 1}, exactly: Lemire's method (2019, ACM Trans. Model. Comput. Simul. 29, algorithm 5) on words of 64
    /// bits, of which it takes one, and a second one less than once in 2³² draws. `bound` must be above 0.
    #[inline]
    pub fn below(&mut self, bound: u32) -> u32 {
        let wide = u64::from(bound);
        let mut product = u128::from(self.next_word()) * u128::from(wide);
        // The lower half tells a word of the incomplete last round, of which there are 2⁶⁴ mod `bound`.
        if (product as u64) < wide {
            let incomplete = wide.wrapping_neg() % wide;
            while (product as u64) < incomplete {
                product = u128::from(self.next_word()) * u128::from(wide);
            }
        }
        (product >> 64) as u32
    }
}

impl TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.next_word() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next_word())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next_word().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}
