//! Streams of neighbouring trajectories and of neighbouring seeds have nothing to do with one another.

use std::collections::HashSet;

use nalgebra::DMatrix;
use rayon::prelude::*;
use sgd_sde::loss::LANES;
use sgd_sde::random::increments::IncrementBlock;
use sgd_sde::random::stream::Stream;
use sgd_sde::random::{Purpose, initial_state};
use statrs::function::beta::beta_reg;

use crate::scalar;

/// No chance worth naming (2⁻⁵⁰): two seeds and all purposes start from different words.
#[test]
fn seeds_trajectories_and_purposes_share_no_word() {
    let mut words = HashSet::new();
    let mut count = 0;
    for seed in [0, 1, 2, 3, 1 << 32, u64::MAX] {
        for trajectory in (0..1000).chain([u64::MAX - 1, u64::MAX]) {
            for purpose in [Purpose::Dynamics, Purpose::Start, Purpose::Landscape, Purpose::Data] {
                words.extend(initial_state(seed, trajectory, purpose));
                count += 4;
            }
        }
    }
    assert_eq!(words.len(), count);
}

/// No chance at all: what `examples/words.rs` hands to batteries of tests are the words of which increments are made.
#[test]
fn words_of_a_stream_are_those_of_its_increments() {
    for (seed, trajectory) in [(1, 0), (1, 1023), (1024, 0), (u64::MAX, u64::MAX)] {
        let mut stream = Stream::new(seed, trajectory, Purpose::Dynamics);
        assert!(scalar::words(seed, trajectory).take(10_000).all(|word| word == stream.next_word()));
    }
}

/// False failure 1e-4: all 64·63/2 + 64 pairs of neighbouring trajectories and of equal trajectories under
/// neighbouring seeds, normals and their squares, and lags 1 … 4 of every trajectory; √n·|r| < 5.6 for each of 4,672
/// correlations at 2.1e-8 (squares have heavier tails: n = 2¹⁴ makes them normal enough).
#[test]
fn trajectories_and_seeds_share_no_correlation() {
    const ROWS: usize = 1 << 14;
    const PATHS: usize = 64;
    let paths = |seed: u64| -> Vec<Vec<f64>> {
        let mut paths = Vec::new();
        for first in (0..PATHS).step_by(LANES) {
            let mut rows = vec![0.0; ROWS * LANES];
            IncrementBlock::new(seed, first as u64).fill(&mut rows);
            paths.extend((0..LANES).map(|lane| rows.iter().skip(lane).step_by(LANES).copied().collect::<Vec<f64>>()));
        }
        paths.truncate(PATHS);
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
    for a in 0..PATHS {
        for b in a + 1..PATHS {
            check(format!("trajectories {a} and {b}"), correlation(&one[a], &one[b]));
        }
        check(format!("trajectory {a} of seeds 1 and 2"), correlation(&one[a], &two[a]));
        for lag in 1..=4 {
            check(format!("lag {lag} of trajectory {a}"), correlation(&one[a], &one[a][lag..]));
        }
    }
    assert_eq!(count, 2 * (64 * 63 / 2 + 64 + 4 * 64));
}

/// Streams, and numbers of each, that are compared all with all.
const STREAMS: usize = 1024;
const LENGTH: usize = 2048;
const PAIRS: f64 = (STREAMS * (STREAMS - 1) / 2) as f64;

/// The largest |xᵢ·xⱼ| over all pairs of columns i < j, and the sum of (xᵢ·xⱼ)².
fn products_of_pairs(columns: &DMatrix<f64>) -> (f64, f64) {
    let gram = columns.transpose() * columns;
    let (mut largest, mut sum) = (0.0f64, 0.0);
    for j in 0..STREAMS {
        for i in 0..j {
            largest = largest.max(gram[(i, j)].abs());
            sum += gram[(i, j)] * gram[(i, j)];
        }
    }
    (largest, sum)
}

/// False failure 3.4e-5: by chance 1e-5 for the largest of all correlations, 6.8e-6 (4.5 standard errors) for the sum of their squares,
/// of the numbers themselves and once more of their magnitudes.
///
/// Vectors of n normals, scaled to length 1, are uniform on the sphere. Of two of them r² has the law Beta(½, (n − 1)/2), with mean
/// 1/n and variance 2(n − 1)/(n²(n + 2)), and the r of different pairs are independent of each other two by two, so that the
/// variances add up (Schott 2005). Whether |x| is above its median is a fair coin; a sum S of n products of two such signs has
/// E S² = n, Var S² = 2n(n − 1), P(|S| ≥ s) ≤ 2exp(−s²/(2n)) (Hoeffding 1963), and pairs are independent as before.
fn have_nothing_in_common(what: &str, mut normals: DMatrix<f64>) {
    const MEDIAN: f64 = 0.674_489_750_196_081_7;
    let n = LENGTH as f64;
    let magnitudes = normals.map(|x| if x.abs() > MEDIAN { 1.0 } else { -1.0 });
    normals.column_iter_mut().for_each(|mut column| column /= column.norm());

    let (largest, sum) = products_of_pairs(&normals);
    let chance = PAIRS * beta_reg((n - 1.0) / 2.0, 0.5, 1.0 - largest * largest);
    let z = (n * sum - PAIRS) / (PAIRS * 2.0 * (n - 1.0) / (n + 2.0)).sqrt();
    assert!(chance > 1e-5, "{what}: the largest correlation is {largest}, by chance {chance:e}");
    assert!(z.abs() < 4.5, "{what}: the correlations together, z = {z:.2}");

    let (largest, sum) = products_of_pairs(&magnitudes);
    let chance = PAIRS * 2.0 * (-largest * largest / (2.0 * n)).exp();
    let z = (sum / n - PAIRS) / (PAIRS * 2.0 * (1.0 - 1.0 / n)).sqrt();
    assert!(chance > 1e-5, "{what}: the largest correlation of magnitudes is {}, by chance {chance:e}", largest / n);
    assert!(z.abs() < 4.5, "{what}: the correlations of magnitudes together, z = {z:.2}");
}

/// False failure as above: 524,000 pairs, each correlation known to 0.022, all together to 0.14 % of what chance makes of them.
#[test]
fn a_thousand_neighbouring_trajectories_have_nothing_in_common() {
    let blocks: Vec<Vec<f64>> = (0..STREAMS / LANES).into_par_iter().map(|block| rows(3200, block * LANES)).collect();
    let of_stream = |row: usize, stream: usize| blocks[stream / LANES][row * LANES + stream % LANES];
    have_nothing_in_common("trajectories", DMatrix::from_fn(LENGTH, STREAMS, of_stream));
}

/// False failure as above: one trajectory under 1,024 seeds that follow one another.
#[test]
fn a_thousand_neighbouring_seeds_have_nothing_in_common() {
    let first_lane = |index: usize| rows(3201 + index as u64, 0).into_iter().step_by(LANES).collect();
    let paths: Vec<Vec<f64>> = (0..STREAMS).into_par_iter().map(first_lane).collect();
    have_nothing_in_common("seeds", DMatrix::from_fn(LENGTH, STREAMS, |row, stream| paths[stream][row]));
}

fn rows(seed: u64, first: usize) -> Vec<f64> {
    let mut rows = vec![0.0; LENGTH * LANES];
    IncrementBlock::new(seed, first as u64).fill(&mut rows);
    rows
}
