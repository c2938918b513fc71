//! Binomial stand-ins for standard normals: (K − 16)/√8, where K of 32 random bits are set.
//!
//! A symmetric variable on a lattice with mean 0, variance 1, all odd moments 0, and E x⁴ = 3 − 2/32 = 2.9375. A method of weak order 1
//! asks for the moments up to the third (Kloeden & Platen 1992, §14.1), which are those of a normal, so its order and its error's
//! leading term in δ for functions whose fourth derivative plays no part stay what they are. What is lost: the law of a single step
//! is not normal (so the exact law of the chain at a finite step is another one), nothing lies beyond √32 = 5.66, and a method of
//! order 2, which needs E x⁴ = 3, falls back to order 1.

use super::generator::Generator;
use crate::loss::LANES;

/// 1/√8: the standard deviation of K is √8.
pub(super) const SCALE: f64 = 0.5 * std::f64::consts::FRAC_1_SQRT_2;

/// The next four of K − 16 for every lane, of two words.
#[inline(always)]
pub(super) fn four_counts(generator: &mut Generator) -> [[f32; LANES]; 4] {
    let (first, second) = (generator.draw(), generator.draw());
    let [a, b, c, d] = [first.low(), first.high(), second.low(), second.high()];
    [centred_count(a), centred_count(b), centred_count(c), centred_count(d)]
}

#[inline(always)]
fn centred_count(bits: [u32; LANES]) -> [f32; LANES] {
    let mut counts = [0.0; LANES];
    for l in 0..LANES {
        counts[l] = (bits[l].count_ones() as i32 - 16) as f32;
    }
    counts
}
