use super::*;
use crate::statistics::special::normal_cdf;

/// Ten skewed numbers, three of them alike.
const ODD: [f64; 10] = [0.0, 0.0, 0.0, 0.31, -0.7, 1.13, 2.9, -0.2, 5.77, 0.5];

/// Half of 60 numbers is 0, as the gradients of a unit that is off; the others are spread.
fn half_off() -> Vec<f64> {
    (0..60).map(|i| if i % 2 == 0 { 0.0 } else { (f64::from(i) * 0.37).sin() * (1.0 + 0.02 * f64::from(i)) }).collect()
}

/// Quantiles of Student's law with two degrees of freedom: (2p − 1)√(2/(4p(1 − p))).
fn heavy(count: usize) -> Vec<f64> {
    let quantile = |p: f64| (2.0 * p - 1.0) / (2.0 * p * (1.0 - p)).sqrt();
    (0..count).map(|k| quantile((k as f64 + 0.3) / count as f64)).collect()
}

/// All batches one by one: standardized means, ascending.
fn all_batches(numbers: &[f64], size: usize, drawing: Drawing) -> Vec<f64> {
    fn add(numbers: &[f64], left: usize, from: usize, sum: f64, repeats: bool, sums: &mut Vec<f64>) {
        if left == 0 {
            return sums.push(sum);
        }
        for k in if repeats { 0 } else { from }..numbers.len() {
            add(numbers, left - 1, k + 1, sum + numbers[k], repeats, sums);
        }
    }
    let mut sums = Vec::new();
    add(numbers, size, 0, 0.0, drawing == Drawing::Independent, &mut sums);
    let mean = sums.iter().sum::<f64>() / sums.len() as f64;
    let deviation = (sums.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / sums.len() as f64).sqrt();
    sums.iter_mut().for_each(|sum| *sum = (*sum - mean) / deviation);
    sums.sort_by(f64::total_cmp);
    sums
}

fn empirical(sorted: &[f64], z: f64) -> f64 {
    sorted.partition_point(|x| *x <= z) as f64 / sorted.len() as f64
}

/// sup |F − Φ| of an empirical law, from both sides of every step.
fn empirical_distance(sorted: &[f64]) -> f64 {
    let count = sorted.len() as f64;
    let at = |(k, z): (usize, &f64)| {
        let phi = normal_cdf(*z);
        let rank = sorted.partition_point(|x| x - z <= 1e-9) as f64;
        (rank / count - phi).max(phi - k as f64 / count)
    };
    sorted.iter().enumerate().map(at).fold(0.0, f64::max)
}

/// F lies between the bounds, on a grid and right beside every value; they are at most `width` apart but near jumps.
fn holds_between(law: &BatchLaw, sorted: &[f64], width: f64, what: &str) {
    let beside = sorted.iter().step_by(1 + sorted.len() / 3_000).flat_map(|z| [z - 3e-8, z + 3e-8]);
    for z in beside.chain((-800..800).map(|k| f64::from(k) * 0.0101)) {
        let ([low, high], exact) = (law.bounds(z), empirical(sorted, z));
        assert!(low <= exact + 1e-12 && exact <= high + 1e-12, "{what}: {low} ≤ {exact} ≤ {high} at {z}");
    }
    let ([low, high], exact) = (law.distance(), empirical_distance(sorted));
    assert!(low <= exact + 1e-12 && exact <= high + 1e-12, "{what}: distance {low} ≤ {exact} ≤ {high}");
    assert!(high - low <= width, "{what}: distance between {low} and {high}");
}

fn on_lattice(numbers: &[f64], size: u64) -> BatchLaw {
    let summands = Summands::of(numbers).unwrap();
    let deviation = (size as f64 * summands.variance).sqrt();
    BatchLaw { law: Kind::Lattice(Lattice::of(&summands, size, deviation)), route: Route::Lattice }
}

fn counted(numbers: &[f64], size: u64) -> BatchLaw {
    let law = BatchLaw::of(numbers, size, Drawing::Independent).unwrap();
    assert_eq!(law.route(), Route::Counted);
    law
}

/// ±1: the sum of S is binomial, the largest jump is at 0 for even S.
#[test]
fn two_values_keep_their_jumps() {
    for (size, distance) in [(1, normal_cdf(1.0) - 0.5), (2, 0.25), (4, 0.1875), (16, 12_870.0 / 131_072.0)] {
        let law = counted(&[1.0, -1.0].repeat(32), size);
        let [low, high] = law.distance();
        assert!((low - distance).abs() < 1e-7 && (high - distance).abs() < 1e-7, "S = {size}: {low} to {high}");
        let [low, high] = on_lattice(&[1.0, -1.0], size).distance();
        assert!(low <= distance && distance <= high && high - low < 0.005, "S = {size}: {low} to {high} on a lattice");
    }
}

/// By all batches one by one: skewed with an atom, heavy tails, half of them off; S = 1 to 5.
#[test]
fn counted_laws_are_those_of_all_batches() {
    let cases = [(ODD.to_vec(), 5), (heavy(12), 4), (half_off(), 3), (vec![3.0, -1.0, 0.5, 0.2], 5)];
    for (numbers, largest) in cases {
        for size in 1..=largest {
            let all = all_batches(&numbers, size as usize, Drawing::Independent);
            holds_between(&counted(&numbers, size), &all, 1e-6, &format!("{numbers:?}, S = {size}"));
        }
    }
}

#[test]
fn the_lattice_bounds_the_law_of_all_batches() {
    for (numbers, largest) in [(ODD.to_vec(), 5), (heavy(12), 5), (half_off(), 3), (vec![3.0, -1.0, 0.5, 0.2], 7)] {
        for size in 1..=largest {
            let all = all_batches(&numbers, size as usize, Drawing::Independent);
            // Jumps of the law are blurred: between them the bounds are .005 of a standard deviation apart.
            holds_between(&on_lattice(&numbers, size), &all, 0.01, &format!("{numbers:?}, S = {size}"));
        }
    }
}

/// Sums of many: the lattice against counting, where numbers of few values allow it.
#[test]
fn the_lattice_bounds_the_law_of_large_batches() {
    for numbers in [vec![0.0, 1.0, 1.0, 1.0, 7.0], vec![-1.0, 0.3, 0.3, 1.6], [vec![0.0; 99], vec![1.0]].concat()] {
        for size in [16, 64, 256] {
            let (exact, bounds) = (counted(&numbers, size), on_lattice(&numbers, size));
            for z in (-600..600).map(|k| f64::from(k) * 0.01003) {
                let ([least, most], [low, high]) = (exact.bounds(z), bounds.bounds(z));
                assert!(
                    low <= least && most <= high,
                    "{numbers:?}, S = {size}: {low} ≤ {least}, {most} ≤ {high} at {z}"
                );
            }
            let ([least, most], [low, high]) = (exact.distance(), bounds.distance());
            assert!(
                low <= least && most <= high && high - low < 0.005,
                "{numbers:?}, S = {size}: {least} in {low} to {high}"
            );
        }
    }
}

/// What all of a batch have is a jump that stands where it is: bounds right beside it are close together.
#[test]
fn the_jump_of_the_commonest_number_is_sharp() {
    let law = on_lattice(&half_off(), 4);
    let summands = Summands::of(&half_off()).unwrap();
    let jump = 4.0 * summands.values[summands.counts.iter().position(|count| *count == 30).unwrap()]
        / (4.0 * summands.variance).sqrt();
    let (before, after) = (law.bounds(jump - 1e-6), law.bounds(jump + 1e-6));
    assert!(after[0] - before[1] > 0.055 && before[1] - before[0] < 0.01, "{before:?}, {after:?} about 1/16");
}

/// A hundred thousand random pairs' worth of numbers are too many to count: the bounds are those of the lattice, and narrow, at every S.
#[test]
fn bounds_are_narrow_for_every_size() {
    let numbers = heavy(1_500);
    assert_eq!(BatchLaw::of(&numbers, 1, Drawing::Independent).unwrap().route(), Route::Counted);
    let mut last = 1.0;
    for size in [2, 16, 256, 4_096] {
        let law = BatchLaw::of(&numbers, size, Drawing::Independent).unwrap();
        assert_eq!(law.route(), Route::Lattice);
        let [low, high] = law.distance();
        assert!(high - low < 0.01, "S = {size}: {low} to {high}");
        assert!(high < last, "S = {size}: {high} after {last}");
        last = low;
        let [left, right] = [law.bounds(-1.0), law.bounds(1.0)];
        assert!(right[1] - right[0] < 0.01 && left[1] - left[0] < 0.01, "{left:?}, {right:?}");
    }
    // Beyond what fits the lattice is coarser, and says so.
    let [low, high] = BatchLaw::of(&numbers, 1_000_000, Drawing::Independent).unwrap().distance();
    assert!(low < 1e-3 && high < 0.05, "{low} to {high}");
}

/// One number in 1,500 makes nearly all of the variance, and the longest transform leaves the others a step that is wide beside them: their bounds
/// are 13 of such steps apart, and still tell where they are.
#[test]
fn what_crowds_beside_a_large_number_is_resolved() {
    let mut numbers: Vec<f64> = (0..1_499).map(|k| (f64::from(k) * 0.71).sin()).collect();
    numbers.push(2_000.0);
    let law = BatchLaw::of(&numbers, 4, Drawing::Independent).unwrap();
    assert_eq!(law.route(), Route::Lattice);
    // 1,499/1,500 to the fourth is the probability that it is in no batch, and half of that lies below about the mean of the rest.
    let place = (0..400).map(|k| -0.06 + 0.0002 * f64::from(k));
    let widest = place.map(|z| law.bounds(z)).map(|[low, high]| high - low).fold(0.0, f64::max);
    assert!(widest < 0.05, "{widest}");
    let [before, after] = [law.bounds(-0.2), law.bounds(0.2)];
    let exact = (1_499.0f64 / 1_500.0).powi(4);
    assert!(
        before[1] < 1e-5 && after[0] < exact && exact < after[1] && after[1] - after[0] < 1e-5,
        "{before:?} {after:?}"
    );
}

#[test]
fn subsets_are_counted() {
    let four = [3.0, -1.0, 0.5, 0.2];
    for (numbers, sizes) in [(four.to_vec(), 1..4), (ODD.to_vec(), 1..10), (heavy(11), 1..11)] {
        for size in sizes {
            let all = all_batches(&numbers, size, Drawing::Subset);
            let law = BatchLaw::of(&numbers, size as u64, Drawing::Subset).unwrap();
            assert_eq!(law.route(), Route::Counted);
            holds_between(&law, &all, 1e-6, &format!("{numbers:?}, S = {size}"));
        }
    }
    // 32 of each of two values: hypergeometric, P(8 of 16) = C(32, 8)²/C(64, 16), whose half is the distance.
    let law = BatchLaw::of(&[1.0, -1.0].repeat(32), 16, Drawing::Subset).unwrap();
    let [low, high] = law.distance();
    let expected = 0.5 * 10_518_300.0f64.powi(2) / 488_526_937_079_580.0;
    assert!(low <= expected + 1e-9 && expected <= high + 1e-9 && high - low < 1e-7, "{low} to {high}: {expected}");
}

/// A false alarm of 1e−3, for this fixed seed once and for all: the band of random subsets against all of them.
#[test]
fn sampled_subsets_are_within_their_error() {
    for (numbers, size) in [(ODD.to_vec(), 3), (ODD.to_vec(), 8), (heavy(14), 7)] {
        let summands = Summands::of(&numbers).unwrap();
        let count = numbers.len() as f64;
        let deviation = (size as f64 * (count - size as f64) / (count - 1.0) * summands.variance).sqrt();
        let law = Kind::Atoms(subsets::sampled(&summands, size, deviation));
        let law = BatchLaw { law, route: Route::Sampled };
        holds_between(
            &law,
            &all_batches(&numbers, size as usize, Drawing::Subset),
            0.008,
            &format!("{numbers:?}, {size}"),
        );
    }
    assert_eq!(BatchLaw::of(&heavy(400), 20, Drawing::Subset).unwrap().route(), Route::Sampled);
}

#[test]
fn what_is_left_to_nothing_has_no_law() {
    for (numbers, size) in [(vec![2.0; 5], 2), (vec![], 1), (vec![1.0, f64::NAN], 1), (ODD.to_vec(), 0)] {
        assert!(BatchLaw::of(&numbers, size, Drawing::Independent).is_none(), "{numbers:?}");
        assert!(BatchLaw::of(&numbers, size, Drawing::Subset).is_none(), "{numbers:?}");
    }
    for size in [10, 11] {
        assert!(BatchLaw::of(&ODD, size, Drawing::Subset).is_none());
    }
}

#[test]
fn transforms_are_sums_over_roots_of_unity() {
    let values: Vec<[f64; 2]> = (0..16).map(|k| [f64::from(k * k % 7), f64::from(k % 3) - 1.0]).collect();
    let mut transformed = values.clone();
    fourier::Fourier::of(16).transform(&mut transformed);
    for (j, found) in transformed.iter().enumerate() {
        let mut sum = [0.0, 0.0];
        for (k, value) in values.iter().enumerate() {
            let angle = -std::f64::consts::TAU * (j * k % 16) as f64 / 16.0;
            let term = fourier::product(*value, [angle.cos(), angle.sin()]);
            sum = [sum[0] + term[0], sum[1] + term[1]];
        }
        assert!((sum[0] - found[0]).abs() < 1e-12 && (sum[1] - found[1]).abs() < 1e-12, "{j}");
    }
}
