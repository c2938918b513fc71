//! Version 2 of the stream as its description in `random` has it, written down independently, one number at a time: the generator is
//! that of `rand_xoshiro`, logarithm, sine and cosine are the polynomials of Cephes by Horner's rule.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

const PHI: u64 = 0x9E37_79B9_7F4A_7C15;

fn finalise(z: u64) -> u64 {
    let z = (z ^ z >> 30).wrapping_mul(0xBF58476D1CE4E5B9);
    let z = (z ^ z >> 27).wrapping_mul(0x94D049BB133111EB);
    z ^ z >> 31
}

/// The 64-bit words of the increments of one trajectory.
pub fn words(seed: u64, trajectory: u64) -> impl Iterator<Item = u64> {
    let mut state = [0; 32];
    for i in 0..4 {
        let root = finalise(seed.wrapping_add(PHI));
        let row = finalise(root.wrapping_add(PHI.wrapping_mul(i as u64 + 1)));
        let word = finalise(row.wrapping_add(PHI.wrapping_mul(trajectory.wrapping_add(1))));
        state[8 * i..8 * (i + 1)].copy_from_slice(&word.to_le_bytes());
    }
    let mut generator = Xoshiro256PlusPlus::from_seed(state);
    std::iter::repeat_with(move || generator.next_u64())
}

fn horner(z: f32, coefficients: &[f32]) -> f32 {
    coefficients.iter().rev().copied().reduce(|sum, coefficient| coefficient + z * sum).unwrap()
}

/// √(−2 ln u) with u = 2ᵏ(1 + f), √½ ≤ 1 + f < √2. The last bit of a half word is lost, that of u is always 1.
#[allow(clippy::excessive_precision, reason = "the coefficients digit by digit as published")]
fn radius(word: u64) -> f32 {
    let (high, low) = (word >> 33, (word & 0xFFFF_FFFF) >> 1 | 1);
    let (mut mantissa, mut exponent) = (high as f32 / 2.0f32.powi(31) + low as f32 / 2.0f32.powi(62), 0.0);
    while mantissa < std::f32::consts::FRAC_1_SQRT_2 {
        mantissa *= 2.0;
        exponent -= 1.0;
    }
    let f = mantissa - 1.0;
    let tail = [
        3.3333331174e-1,
        -2.4999993993e-1,
        2.0000714765e-1,
        -1.6668057665e-1,
        1.4249322787e-1,
        -1.2420140846e-1,
        1.1676998740e-1,
        -1.1514610310e-1,
        7.0376836292e-2,
    ];
    let of_mantissa = f * f * (1.0 - 2.0 * f * horner(f, &tail)) - 2.0 * f;
    (of_mantissa - exponent * (2.0 * std::f32::consts::LN_2)).sqrt()
}

/// r cos φ and r sin φ: bit 0 mirrors the cosine, bit 1 swaps the two, bits 8 … 31 are an angle in [−π/4, π/4).
#[allow(clippy::excessive_precision, reason = "the coefficients digit by digit as published")]
fn on_circle(radius: f32, bits: u32) -> [f32; 2] {
    let signed = if bits >> 31 == 1 { i64::from(bits >> 8) - (1 << 24) } else { i64::from(bits >> 8) };
    let angle = signed as f32 * (std::f32::consts::FRAC_PI_2 / 2.0f32.powi(24));
    let z = angle * angle;
    let sine = angle + angle * z * horner(z, &[-1.6666654611e-1, 8.3321608736e-3, -1.9515295891e-4]);
    let tail = z * z * horner(z, &[4.166664568298827e-2, -1.388731625493765e-3, 2.443315711809948e-5]);
    let cosine = 1.0 - 0.5 * z + tail;
    let mirrored = if bits & 1 == 1 { -cosine } else { cosine };
    if bits & 2 == 2 { [radius * sine, radius * mirrored] } else { [radius * mirrored, radius * sine] }
}

/// Standard normals: four of every three words.
pub fn normals(seed: u64, trajectory: u64) -> impl Iterator<Item = f64> {
    let mut words = words(seed, trajectory);
    let four = move || {
        let mut word = || words.next().unwrap();
        let (first, second, angles) = (word(), word(), word());
        [on_circle(radius(first), angles as u32), on_circle(radius(second), (angles >> 32) as u32)]
    };
    std::iter::repeat_with(four).flat_map(|pairs| pairs.concat()).map(f64::from)
}

/// Binomial increments: four of every word.
pub fn binomials(seed: u64, trajectory: u64) -> impl Iterator<Item = f64> {
    words(seed, trajectory)
        .flat_map(|word| [0, 16, 32, 48].map(|shift| (f64::from((word >> shift & 0xFFFF).count_ones()) - 8.0) / 2.0))
}
