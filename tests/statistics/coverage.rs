//! Do nominal 95 % intervals cover 95 %, and are p-values uniform?
//!
//! 2,000 repeats; a true coverage of 95 % lies in 1,867–1,931 with probability 1 − 1e−3, in 1,862–1,937 with 1 − 1e−4. The
//! main figures are held to the narrow bounds, the variations on them to the wide ones, so that the sum of all false
//! failures stays small.

use crate::markov::{Chain, Random, random};
use rand::RngExt;
use sgd_sde::statistics::{Estimate, hotelling};

const REPEATS: usize = 2000;

/// False failure 1e-3.
fn assert_coverage(covered: usize, what: &str) {
    assert!((1867..=1931).contains(&covered), "{what}: the 95 % interval covered {covered} times of {REPEATS}");
}

/// False failure 1e-4.
fn assert_coverage_widely(covered: usize, what: &str) {
    assert!((1862..=1937).contains(&covered), "{what}: the 95 % interval covered {covered} times of {REPEATS}");
}

fn covers(estimate: &Estimate, truth: f64) -> bool {
    let [lower, upper] = estimate.interval(0.95).unwrap();
    lower <= truth && truth <= upper
}

/// D of the empirical distribution of `values` against the uniform one.
fn kolmogorov(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let count = values.len() as f64;
    let distance = |(i, v): (usize, &f64)| (v - i as f64 / count).abs().max(((i + 1) as f64 / count - v).abs());
    values.iter().enumerate().map(distance).fold(0.0, f64::max)
}

fn normal(random: &mut Random) -> f64 {
    let (u, v): (f64, f64) = (random.random(), random.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// False failure 1e-3 for 3 replicas, 1e-4 for 5 and for 20. Few replicas are where Student's t and the divisor R − 1 matter:
/// with the normal quantile 3 replicas would cover 81 %, with divisor R 92.8 %.
#[test]
fn mean_of_few_replicas() {
    let mut random = random(101);
    for replicas in [3, 5, 20] {
        let covered = (0..REPEATS)
            .filter(|_| {
                let values: Vec<f64> = (0..replicas).map(|_| 7.0 + 3.0 * normal(&mut random)).collect();
                covers(&Estimate::from_replicas(&values).unwrap(), 7.0)
            })
            .count();
        let assert = if replicas == 3 { assert_coverage } else { assert_coverage_widely };
        assert(covered, &format!("mean of {replicas} replicas"));
    }
}

/// False failure 1e-4: Welch's interval for a difference of groups of unlike size and spread. The pooled (equal-variance) interval
/// would cover about 77 %.
#[test]
fn welch_difference() {
    let mut random = random(102);
    let covered = (0..REPEATS)
        .filter(|_| {
            let first: Vec<f64> = (0..6).map(|_| 5.0 * normal(&mut random)).collect();
            let second: Vec<f64> = (0..30).map(|_| normal(&mut random)).collect();
            let difference = Estimate::from_replicas(&first).unwrap().minus(&Estimate::from_replicas(&second).unwrap());
            covers(&difference, 0.0)
        })
        .count();
    assert_coverage_widely(covered, "Welch difference");
}

/// False failure 1e-3 for each of 2 intervals with 64 replicas, 1e-4 with 6: two states, p = 0.7, correlation time 20 steps.
/// (Steps counted as independent would cover about a third of the time.)
#[test]
fn occupancy_and_log_odds_of_two_states() {
    let chain = Chain::two_states(0.7, 0.95);
    let log_odds = (0.7_f64 / 0.3).ln();
    for (seed, replicas, blocks) in [(103, 64, 20), (104, 6, 200)] {
        let mut random = random(seed);
        let (mut occupancy, mut odds) = (0, 0);
        for _ in 0..REPEATS {
            let run = chain.run(&mut random, replicas, &[0, 1], 400, blocks, 100);
            occupancy += usize::from(covers(&run.occupancies.occupancy(0).unwrap(), 0.7));
            odds += usize::from(covers(&run.occupancies.log_odds(0, 1).unwrap(), log_odds));
        }
        let assert = if replicas == 64 { assert_coverage } else { assert_coverage_widely };
        assert(occupancy, &format!("occupancy, {replicas} replicas"));
        assert(odds, &format!("log-odds, {replicas} replicas"));
    }
}

/// False failure 1e-4 for each of 4 intervals of three states, where the two occupancies of a log-odds are not mirror images;
/// 1e-3 for Hotelling's p-values, Kolmogorov's D < 1.95/√2000.
#[test]
fn three_states_one_by_one_and_at_once() {
    let law = [0.5, 0.3, 0.2];
    let chain = Chain::three_states(law, 0.05);
    let mut random = random(105);
    let mut covered = [0; 4];
    let mut p_values = Vec::with_capacity(REPEATS);
    for _ in 0..REPEATS {
        let run = chain.run(&mut random, 40, &[0, 1, 2], 400, 40, 100);
        for state in 0..3 {
            covered[state] += usize::from(covers(&run.occupancies.occupancy(state).unwrap(), law[state]));
        }
        covered[3] += usize::from(covers(&run.occupancies.log_odds(1, 2).unwrap(), 1.5_f64.ln()));
        p_values.push(hotelling(&run.occupancies, &law).unwrap().p_value);
    }
    for (index, covered) in covered.into_iter().enumerate() {
        assert_coverage_widely(covered, &format!("three states, interval {index}"));
    }
    let distance = kolmogorov(p_values);
    assert!(distance < 1.95 / (REPEATS as f64).sqrt(), "Hotelling p-values: D = {distance}");
}

/// False failure 1e-4 (D < 2.225/√2000): with few replicas (8, two free states) F and not χ² is what makes the p-values uniform.
#[test]
fn hotelling_with_few_replicas() {
    let law = [0.5, 0.3, 0.2];
    let chain = Chain::three_states(law, 0.05);
    let mut random = random(106);
    let p_value =
        |_| hotelling(&chain.run(&mut random, 8, &[0, 1, 2], 400, 200, 100).occupancies, &law).unwrap().p_value;
    let distance = kolmogorov((0..REPEATS).map(p_value).collect());
    assert!(distance < 2.225 / (REPEATS as f64).sqrt(), "Hotelling p-values: D = {distance}");
}
