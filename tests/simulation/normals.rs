//! The normals that drive everything: their law, their independence, and an independent implementation of lane 0.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;
use sgd_sde::loss::LANES;
use sgd_sde::random::increments::IncrementBlock;
use sgd_sde::random::{Purpose, initial_state};
use statrs::distribution::{ContinuousCDF, Normal};

/// Rows drawn per trajectory block at a time: odd, so that the spare row is used as well.
const ROWS: usize = 1025;

/// Sums of x¹ … x⁸, and how many |x| are beyond 3, 4 and 5.
fn sums(block: u64, rows: usize) -> [f64; 11] {
    let mut normals = IncrementBlock::new(3000, block * LANES as u64);
    let mut buffer = vec![0.0; ROWS * LANES];
    let mut sums = [0.0; 11];
    for _ in 0..rows / ROWS {
        normals.fill(&mut buffer);
        for &x in &buffer {
            let mut power = 1.0;
            for sum in &mut sums[..8] {
                power *= x;
                *sum += power;
            }
            for (sum, bound) in sums[8..].iter_mut().zip([3.0, 4.0, 5.0]) {
                *sum += f64::from(u8::from(x.abs() > bound));
            }
        }
    }
    sums
}

/// False failure 10 × 6.8e-6 (4.5 standard errors) and 1e-6 (the Poisson number beyond 5σ, 113 expected, within 64 … 172).
///
/// 197 million draws: the variance is known to 0.01 %, the eighth moment (105) to 0.1 %, the mass beyond 4σ to 1 %.
#[test]
fn moments_to_the_eighth_order_and_tails_are_those_of_a_normal() {
    const BLOCKS: u64 = 64;
    let rows = 94 * ROWS;
    let count = BLOCKS as f64 * (rows * LANES) as f64;
    let parts: Vec<[f64; 11]> = (0..BLOCKS).into_par_iter().map(|block| sums(block, rows)).collect();
    let total: [f64; 11] = std::array::from_fn(|i| parts.iter().map(|part| part[i]).sum());
    // E xᵏ = (k − 1)!! for even k.
    let moment = |order: usize| if order % 2 == 1 { 0.0 } else { (1..order).step_by(2).map(|k| k as f64).product() };
    for order in 1..=8 {
        let expected: f64 = moment(order);
        let variance = moment(2 * order) - expected * expected;
        let z = (total[order - 1] / count - expected) / (variance / count).sqrt();
        assert!(z.abs() < 4.5, "E x^{order} = {}, z = {z:.2}", total[order - 1] / count);
    }
    for (beyond, bound) in total[8..10].iter().zip([3.0, 4.0]) {
        let tail = statrs::function::erf::erfc(bound / std::f64::consts::SQRT_2);
        let z = (beyond - count * tail) / (count * tail * (1.0 - tail)).sqrt();
        assert!(z.abs() < 4.5, "{beyond} of {count} beyond {bound}σ, z = {z:.2}");
    }
    assert!((64.0..=172.0).contains(&total[10]), "{} beyond 5σ", total[10]);
}

/// False failure 1e-4: Kolmogorov–Smirnov at n = 10⁶, √n·D < 2.226 (2e^(−2·2.226²) = 1e-4).
#[test]
fn a_million_normals_have_the_normal_distribution_function() {
    const COUNT: usize = 1_000_000;
    let mut draws = vec![0.0; COUNT];
    // 31,250 rows of 32 trajectories.
    IncrementBlock::new(3001, 0).fill(&mut draws);
    draws.sort_by(f64::total_cmp);
    let law = Normal::new(0.0, 1.0).unwrap();
    let distance = draws.iter().enumerate().fold(0.0f64, |distance, (i, &x)| {
        let p = law.cdf(x);
        let (below, above) = (i as f64 / COUNT as f64, (i + 1) as f64 / COUNT as f64);
        distance.max((p - below).abs()).max((above - p).abs())
    });
    assert!(distance * (COUNT as f64).sqrt() < 2.226, "√n·D = {}", distance * (COUNT as f64).sqrt());
}

/// False failure 1e-4: all 64·63/2 + 64 pairs of neighbouring trajectories and of equal trajectories under
/// neighbouring seeds, normals and their squares, and lags 1 … 4 of every trajectory; √n·|r| < 5.6 for each of 4,672
/// correlations at 2.1e-8 (squares have heavier tails: n = 2¹⁴ makes them normal enough).
#[test]
fn trajectories_and_seeds_share_no_correlation() {
    const ROWS: usize = 1 << 14;
    let paths = |seed: u64| -> Vec<Vec<f64>> {
        let mut paths = Vec::new();
        for block in 0..2 {
            let mut rows = vec![0.0; ROWS * LANES];
            IncrementBlock::new(seed, block * LANES as u64).fill(&mut rows);
            paths.extend((0..LANES).map(|lane| rows.iter().skip(lane).step_by(LANES).copied().collect::<Vec<f64>>()));
        }
        paths
    };
    let (one, two) = (paths(1), paths(2));
    let correlation = |x: &[f64], y: &[f64]| {
        let n = x.len().min(y.len()) as f64;
        let plain: f64 = x.iter().zip(y).map(|(x, y)| x * y).sum();
        let squares: f64 = x.iter().zip(y).map(|(x, y)| (x * x - 1.0) * (y * y - 1.0)).sum();
        [plain / n.sqrt(), squares / 2.0 / n.sqrt()]
    };
    let mut count = 0;
    let mut check = |what: String, [plain, squares]: [f64; 2]| {
        assert!(plain.abs() < 5.6 && squares.abs() < 5.6, "{what}: {plain:.2}, of squares {squares:.2}");
        count += 2;
    };
    for a in 0..one.len() {
        for b in a + 1..one.len() {
            check(format!("trajectories {a} and {b}"), correlation(&one[a], &one[b]));
        }
        check(format!("trajectory {a} of seeds 1 and 2"), correlation(&one[a], &two[a]));
        for lag in 1..=4 {
            check(format!("lag {lag} of trajectory {a}"), correlation(&one[a], &one[a][lag..]));
        }
    }
    assert_eq!(count, 2 * (64 * 63 / 2 + 64 + 4 * 64));
}

/// No chance worth naming (2⁻⁵⁰): two seeds and all purposes start from different words.
#[test]
fn seeds_trajectories_and_purposes_share_no_word() {
    let mut words = std::collections::HashSet::new();
    let mut count = 0;
    for seed in [0, 1, 2, 3, 1 << 32, u64::MAX] {
        for trajectory in (0..1000).chain([u64::MAX - 1, u64::MAX]) {
            for purpose in [Purpose::Dynamics, Purpose::Start, Purpose::Landscape] {
                words.extend(initial_state(seed, trajectory, purpose));
                count += 4;
            }
        }
    }
    assert_eq!(words.len(), count);
}

/// Version 1 of the stream as its description in `random` has it, written down independently, one number at a time:
/// the generator is that of `rand_xoshiro`, logarithm and sine are fdlibm's polynomials by Horner's rule.
#[allow(clippy::excessive_precision, reason = "fdlibm's coefficients, digit by digit as published")]
mod scalar {
    use super::{Rng, SeedableRng, Xoshiro256PlusPlus};

    const PHI: u64 = 0x9E37_79B9_7F4A_7C15;

    fn finalise(z: u64) -> u64 {
        let z = (z ^ z >> 30).wrapping_mul(0xBF58476D1CE4E5B9);
        let z = (z ^ z >> 27).wrapping_mul(0x94D049BB133111EB);
        z ^ z >> 31
    }

    fn horner(z: f64, coefficients: &[f64]) -> f64 {
        coefficients.iter().rev().copied().reduce(|sum, coefficient| coefficient + z * sum).unwrap()
    }

    /// ln u, 0 < u ≤ 1: u = 2ᵏ(1 + f) with √½ ≤ 1 + f < √2.
    fn ln(u: f64) -> f64 {
        let (mut mantissa, mut exponent) = (u, 0.0);
        while mantissa < f64::from_bits(0x3FE6_A09E_667F_3BCD) {
            mantissa *= 2.0;
            exponent -= 1.0;
        }
        let f = mantissa - 1.0;
        let s = f / (2.0 + f);
        let z = s * s;
        let r = z * horner(
            z,
            &[
                6.666666666666735130e-01,
                3.999999999940941908e-01,
                2.857142874366239149e-01,
                2.222219843214978396e-01,
                1.818357216161805012e-01,
                1.531383769920937332e-01,
                1.479819860511658591e-01,
            ],
        );
        let half = 0.5 * f * f;
        exponent * std::f64::consts::LN_2 + (f - (half - s * (half + r)))
    }

    fn sine(x: f64) -> f64 {
        let z = x * x;
        let tail = [
            -1.66666666666666324348e-01,
            8.33333333332248946124e-03,
            -1.98412698298579493134e-04,
            2.75573137070700676789e-06,
            -2.50507602534068634195e-08,
            1.58969099521155010221e-10,
        ];
        x + x * z * horner(z, &tail)
    }

    fn cosine(x: f64) -> f64 {
        let z = x * x;
        let tail = [
            4.16666666666666019037e-02,
            -1.38888888888741095749e-03,
            2.48015872894767294178e-05,
            -2.75573143513906633035e-07,
            2.08757232129817482790e-09,
            -1.13596475577881948265e-11,
        ];
        1.0 - 0.5 * z + z * z * horner(z, &tail)
    }

    pub fn normals(seed: u64, trajectory: u64, pairs: usize) -> Vec<f64> {
        let mut words = [0; 32];
        for i in 0..4 {
            let root = finalise(seed.wrapping_add(PHI));
            let row = finalise(root.wrapping_add(PHI.wrapping_mul(i as u64 + 1)));
            let word = finalise(row.wrapping_add(PHI.wrapping_mul(trajectory.wrapping_add(1))));
            words[8 * i..8 * (i + 1)].copy_from_slice(&word.to_le_bytes());
        }
        let mut generator = Xoshiro256PlusPlus::from_seed(words);
        (0..pairs)
            .flat_map(|_| {
                let (radius, angle) = (generator.next_u64(), generator.next_u64());
                let u = (u128::from(radius) + 1) as f64 / 2.0f64.powi(64);
                let radius = (-2.0 * ln(u)).sqrt();
                // 52 bits as a number in [−½, ½) of a quarter turn.
                let fraction = (angle % (1 << 52)) as f64 / 2.0f64.powi(52) - 0.5;
                let turn = fraction * std::f64::consts::FRAC_PI_2;
                let mirrored = if angle >> 63 == 1 { -cosine(turn) } else { cosine(turn) };
                if angle >> 62 & 1 == 1 {
                    [radius * sine(turn), radius * mirrored]
                } else {
                    [radius * mirrored, radius * sine(turn)]
                }
            })
            .collect()
    }
}

/// No chance at all: 20,000 normals of lane 0, and of others, bit for bit.
#[test]
fn an_independent_implementation_gives_the_same_bits() {
    for (seed, first, lane) in [(1, 0, 0), (42, 0, 0), (u64::MAX, 96, 0), (7, 64, 31), (7, u64::MAX - 31, 31)] {
        let expected = scalar::normals(seed, first + lane as u64, 10_000);
        let mut rows = vec![0.0; 20_000 * LANES];
        IncrementBlock::new(seed, first).fill(&mut rows);
        for (index, expected) in expected.into_iter().enumerate() {
            let normal = rows[index * LANES + lane];
            assert!(normal.to_bits() == expected.to_bits(), "seed {seed}, normal {index}: {normal:e} {expected:e}");
        }
    }
}
