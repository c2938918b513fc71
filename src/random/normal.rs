//! Standard normals for a block of trajectories, by Box and Muller's method without branches.
//!
//! Two words per lane give two normals r cos φ and r sin φ with r = √(−2 ln u):
//! u = (word + 1)·2⁻⁶⁴ in (0, 1] keeps all 64 bits, so the tail is right beyond 9σ. The angle is uniform in
//! [−π/4, π/4) by 52 bits of the second word; its top two bits mirror the cosine and swap the two, which covers the
//! circle. Logarithm, sine and cosine are the polynomials of fdlibm (Sun Microsystems 1993) on exactly those ranges,
//! accurate to a few 1e−16. There are no branches and only `+ − × ÷ √`: the compiler turns the loops into vector
//! code, and the bits are the same for every vector width.

use serde::{Deserialize, Serialize};

use crate::loss::LANES;

use super::{Purpose, initial_state};

/// One generator per lane, and the normals that are drawn but not yet used.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NormalBlock {
    state: [[u64; LANES]; 4],
    spare: [f64; LANES],
    has_spare: bool,
}

impl NormalBlock {
    /// The streams of trajectories `first` … `first + LANES − 1`.
    pub fn new(seed: u64, first: u64) -> Self {
        Self::for_purpose(seed, first, Purpose::Dynamics)
    }

    /// The same for something else than the increments of a dynamics.
    pub fn for_purpose(seed: u64, first: u64, purpose: Purpose) -> Self {
        let mut state = [[0; LANES]; 4];
        for lane in 0..LANES {
            let words = initial_state(seed, first.wrapping_add(lane as u64), purpose);
            for (row, word) in state.iter_mut().zip(words) {
                row[lane] = word;
            }
        }
        Self { state, spare: [0.0; LANES], has_spare: false }
    }

    /// Fills `rows`, a multiple of [`LANES`] long, with the next normals of each lane, row after row.
    pub fn fill(&mut self, rows: &mut [f64]) {
        fill(self, rows);
    }
}

#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw", "x86_64+avx2"))]
fn fill(block: &mut NormalBlock, rows: &mut [f64]) {
    let mut rows = rows.chunks_exact_mut(LANES);
    if block.has_spare
        && let Some(row) = rows.next()
    {
        row.copy_from_slice(&block.spare);
        block.has_spare = false;
    }
    while let Some(first) = rows.next() {
        let first: &mut [f64; LANES] = first.try_into().expect("chunks are LANES long");
        match rows.next() {
            Some(second) => pair(&mut block.state, first, second.try_into().expect("chunks are LANES long")),
            None => {
                pair(&mut block.state, first, &mut block.spare);
                block.has_spare = true;
            }
        }
    }
}

/// The next two normals of every lane.
#[inline(always)]
fn pair(state: &mut [[u64; LANES]; 4], first: &mut [f64; LANES], second: &mut [f64; LANES]) {
    let (mut radius_word, mut angle_word) = ([0u64; LANES], [0u64; LANES]);
    next_words(state, &mut radius_word);
    next_words(state, &mut angle_word);
    for l in 0..LANES {
        let u = uniform_open_closed(radius_word[l]);
        let radius = (-2.0 * ln_of_uniform(u)).sqrt();
        let word = angle_word[l];
        let unit = f64::from_bits((word & MANTISSA) | ONE) - 1.5;
        let (sine, cosine) = sine_cosine(unit * std::f64::consts::FRAC_PI_2);
        let cosine = f64::from_bits(cosine.to_bits() ^ (word & SIGN));
        let swap = word & (SIGN >> 1) != 0;
        first[l] = radius * if swap { sine } else { cosine };
        second[l] = radius * if swap { cosine } else { sine };
    }
}

const MANTISSA: u64 = (1 << 52) - 1;
const ONE: u64 = 0x3FF0_0000_0000_0000;
const SIGN: u64 = 1 << 63;

/// xoshiro256++, every lane.
#[inline(always)]
fn next_words(state: &mut [[u64; LANES]; 4], words: &mut [u64; LANES]) {
    let [s0, s1, s2, s3] = state;
    for l in 0..LANES {
        words[l] = s0[l].wrapping_add(s3[l]).rotate_left(23).wrapping_add(s0[l]);
        let t = s1[l] << 17;
        let c = s2[l] ^ s0[l];
        let d = s3[l] ^ s1[l];
        s1[l] ^= c;
        s0[l] ^= d;
        s2[l] = c ^ t;
        s3[l] = d.rotate_left(45);
    }
}

/// (word + 1)·2⁻⁶⁴, rounded. Halves of 32 bits are placed in mantissas by their bit patterns, because AVX2 has no
/// conversion of 64-bit integers.
#[inline(always)]
fn uniform_open_closed(word: u64) -> f64 {
    const TWO_52: u64 = 0x4330_0000_0000_0000;
    const TWO_84: u64 = 0x4530_0000_0000_0000;
    // 2⁸⁴ + 2⁵² − 1: what the two patterns below carry beside the halves, less the one that makes u positive.
    const OFFSET: f64 = 19_342_813_118_337_666_422_669_312.0 - 1.0;
    let high = f64::from_bits((word >> 32) | TWO_84);
    let low = f64::from_bits((word & 0xFFFF_FFFF) | TWO_52);
    ((high - OFFSET) + (low + 1.0)) * (1.0 / 18_446_744_073_709_551_616.0)
}

/// ln u for a normal positive number u ≤ 1, by fdlibm's reduction to [√½, √2) and its polynomial.
#[inline(always)]
fn ln_of_uniform(u: f64) -> f64 {
    const SQRT_HALF: u64 = 0x3FE6_A09E_667F_3BCD;
    let offset = u.to_bits().wrapping_sub(SQRT_HALF);
    // The exponent, shifted so that it is never negative (u ≥ 2⁻⁶⁴), read through a mantissa.
    let shifted = (offset.wrapping_add(1024 << 52)) >> 52;
    let exponent = f64::from_bits(shifted | 0x4330_0000_0000_0000) - (4_503_599_627_370_496.0 + 1024.0);
    let mantissa = f64::from_bits((offset & MANTISSA).wrapping_add(SQRT_HALF));
    let f = mantissa - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let tail = z
        * (6.666_666_666_666_735e-1
            + z * (3.999_999_999_940_942e-1
                + z * (2.857_142_874_366_239e-1
                    + z * (2.222_219_843_214_978_4e-1
                        + z * (1.818_357_216_161_805e-1
                            + z * (1.531_383_769_920_937_3e-1 + z * 1.479_819_860_511_658_6e-1))))));
    let half_square = 0.5 * f * f;
    exponent * std::f64::consts::LN_2 + (f - (half_square - s * (half_square + tail)))
}

/// sin x and cos x for |x| ≤ π/4, by fdlibm's polynomials.
#[inline(always)]
fn sine_cosine(x: f64) -> (f64, f64) {
    let z = x * x;
    let sine = x + x
        * z
        * (-1.666_666_666_666_663_2e-1
            + z * (8.333_333_333_322_49e-3
                + z * (-1.984_126_982_985_795e-4
                    + z * (2.755_731_370_707_006_8e-6
                        + z * (-2.505_076_025_340_686_3e-8 + z * 1.589_690_995_211_55e-10)))));
    let cosine = 1.0 - 0.5 * z
        + z * z
            * (4.166_666_666_666_66e-2
                + z * (-1.388_888_888_887_411e-3
                    + z * (2.480_158_728_947_673e-5
                        + z * (-2.755_731_435_139_066_3e-7
                            + z * (2.087_572_321_298_175e-9 - z * 1.135_964_755_778_819_5e-11)))));
    (sine, cosine)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream::Stream;

    #[test]
    fn polynomials_agree_with_libm() {
        let mut stream = Stream::new(3, 0, Purpose::Start);
        for i in 0..200_000u64 {
            let word = stream.next_word() >> (i % 64);
            let u = uniform_open_closed(word);
            let exact = (word as f64 + 1.0) / 18_446_744_073_709_551_616.0;
            assert!((u - exact).abs() <= 4e-16 * exact, "{word}: {u} {exact}");
            let (ours, theirs) = (ln_of_uniform(u), libm::log(u));
            assert!((ours - theirs).abs() <= 1e-15 * theirs.abs() + 1e-16, "{u}: {ours} {theirs}");
            let x = (stream.uniform() - 0.5) * std::f64::consts::FRAC_PI_2;
            let (sine, cosine) = sine_cosine(x);
            assert!((sine - libm::sin(x)).abs() < 2e-16 && (cosine - libm::cos(x)).abs() < 3e-16);
        }
        assert_eq!(ln_of_uniform(1.0), 0.0);
        assert_eq!(uniform_open_closed(u64::MAX), 1.0);
        assert!(uniform_open_closed(0) > 0.0);
    }

    #[test]
    fn rows_do_not_depend_on_how_they_are_asked_for() {
        let (mut one, mut many) = (NormalBlock::new(7, 100), NormalBlock::new(7, 100));
        let mut all = vec![0.0; 15 * LANES];
        many.fill(&mut all);
        let mut pieces = Vec::new();
        for rows in [1, 2, 3, 4, 5] {
            let mut piece = vec![0.0; rows * LANES];
            one.fill(&mut piece);
            pieces.extend(piece);
        }
        assert_eq!(all, pieces);
    }

    #[test]
    fn lanes_are_trajectories_wherever_the_block_begins() {
        let (mut early, mut late) = (NormalBlock::new(7, 0), NormalBlock::new(7, 5));
        let (mut a, mut b) = (vec![0.0; 4 * LANES], vec![0.0; 4 * LANES]);
        early.fill(&mut a);
        late.fill(&mut b);
        for row in 0..4 {
            assert_eq!(a[row * LANES + 5..(row + 1) * LANES], b[row * LANES..(row + 1) * LANES - 5]);
        }
    }

    /// Version 1 of the stream, from an independent implementation in Python (whose logarithm and sine are the C
    /// library's, hence the tolerance). A change of these numbers is a new version.
    #[test]
    fn golden_values() {
        let words = [12793040940332582595, 11446999876264359965, 4472672866095287216, 14569959790180725771];
        assert_eq!(initial_state(1, 0, Purpose::Dynamics), words);
        let mut rows = vec![0.0; 4 * LANES];
        NormalBlock::new(1, 0).fill(&mut rows);
        let expected = [-0.1941004940576559, 0.8515467357158069, -1.1282728160778785, -0.903123787976909];
        for (row, expected) in expected.into_iter().enumerate() {
            let normal = rows[row * LANES + 3];
            assert!((normal - expected).abs() < 1e-14, "row {row}: {normal}");
        }
    }
}
