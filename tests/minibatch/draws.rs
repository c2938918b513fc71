//! Which examples are drawn.

use sgd_sde::loss::LANES;
use sgd_sde::random::batches::{BatchBlock, BatchPlan, Sampling};
use sgd_sde::random::{Purpose, stream::Stream};
use statrs::distribution::{ChiSquared, ContinuousCDF};

use crate::support::SAMPLINGS;

/// How likely frequencies as far from equal ones are, by chance.
fn p_value(frequencies: &[u64]) -> f64 {
    let expected = frequencies.iter().sum::<u64>() as f64 / frequencies.len() as f64;
    let statistic: f64 = frequencies.iter().map(|&found| (found as f64 - expected).powi(2) / expected).sum();
    ChiSquared::new((frequencies.len() - 1) as f64).unwrap().sf(statistic)
}

/// False failure 6e-6: bounded integers are uniform, for a bound that 2⁶⁴ is no multiple of.
#[test]
fn bounded_integers_are_uniform() {
    for (bound, seed) in [(7u32, 1), (48, 2), (1_797, 3), (60_000, 4), (3, 5), (1, 6)] {
        let mut stream = Stream::new(seed, 0, Purpose::Batches);
        let mut frequencies = vec![0u64; bound as usize];
        (0..20 * u64::from(bound).max(50_000)).for_each(|_| frequencies[stream.below(bound) as usize] += 1);
        let p = if bound == 1 { 1.0 } else { p_value(&frequencies) };
        assert!(p > 1e-6, "bound {bound}: p = {p:e}");
    }
}

/// Words of the incomplete last round are thrown away: with a bound of 3·2³⁰ a quarter of 32-bit words would be, and the first third
/// would come out half as often again without.
/// False failure 1e-6.
#[test]
fn large_bounds_are_uniform_too() {
    let mut stream = Stream::new(7, 0, Purpose::Batches);
    let mut frequencies = [0u64; 3];
    (0..300_000).for_each(|_| frequencies[(stream.below(3 << 30) >> 30) as usize] += 1);
    assert!(p_value(&frequencies) > 1e-6, "{frequencies:?}");
}

/// False failure 12e-6: in each place of a batch every example is as likely, at every step, and so is every ordered pair of examples in
/// neighbouring places (different ones, or with replacement any).
#[test]
fn every_example_and_pair_is_as_likely_in_each_place() {
    const EXAMPLES: usize = 7;
    for (sampling, size) in SAMPLINGS.into_iter().flat_map(|sampling| [(sampling, 3), (sampling, 7)]) {
        let mut batches = BatchBlock::new(BatchPlan::new(sampling, EXAMPLES, size).unwrap(), 11, 0);
        let mut singles = vec![0u64; EXAMPLES * size];
        let mut pairs = vec![0u64; EXAMPLES * EXAMPLES * (size - 1)];
        for _ in 0..4_000 {
            for batch in batches.draw().chunks_exact(size) {
                for (place, &example) in batch.iter().enumerate() {
                    singles[place * EXAMPLES + example as usize] += 1;
                }
                for (place, pair) in batch.windows(2).enumerate() {
                    pairs[(place * EXAMPLES + pair[0] as usize) * EXAMPLES + pair[1] as usize] += 1;
                }
            }
        }
        for place in 0..size {
            let p = p_value(&singles[place * EXAMPLES..(place + 1) * EXAMPLES]);
            assert!(p > 1e-7, "{sampling:?}, S = {size}, place {place}: p = {p:e}");
        }
        for place in 0..size - 1 {
            let cells = pairs[place * EXAMPLES * EXAMPLES..(place + 1) * EXAMPLES * EXAMPLES].iter().enumerate();
            let possible = |cell: usize| sampling == Sampling::WithReplacement || cell / EXAMPLES != cell % EXAMPLES;
            assert!(cells.clone().all(|(cell, &count)| possible(cell) || count == 0));
            let frequencies: Vec<u64> = cells.filter(|(cell, _)| possible(*cell)).map(|(_, &count)| count).collect();
            let p = p_value(&frequencies);
            assert!(p > 1e-7, "{sampling:?}, S = {size}, pair {place}: p = {p:e}");
        }
    }
}

/// False failure 4e-6: two batches one after another. Fresh ones share S²/N examples in the mean, those of an epoch none, and the last of
/// an epoch and the first of the next S²/N again; trajectories know nothing of each other.
#[test]
fn neighbouring_batches_and_lanes_are_independent_but_for_epochs() {
    const STEPS: usize = 4_000;
    let (examples, size) = (12, 3);
    for sampling in SAMPLINGS {
        let mut batches = BatchBlock::new(BatchPlan::new(sampling, examples, size).unwrap(), 12, 0);
        let drawn: Vec<Vec<u32>> = (0..STEPS).map(|_| batches.draw().to_vec()).collect();
        let in_common = |a: &[u32], b: &[u32]| a.iter().map(|x| b.iter().filter(|y| *y == x).count()).sum::<usize>();
        let between = |steps: &mut dyn Iterator<Item = usize>, other_lane: usize| {
            let counts: Vec<f64> = steps
                .flat_map(|step| (0..LANES).map(move |lane| (step, lane)))
                .map(|(step, lane)| {
                    let other = (lane + other_lane) % LANES;
                    let next = if other_lane == 0 { step + 1 } else { step };
                    let batch = |step: usize, lane: usize| &drawn[step][lane * size..(lane + 1) * size];
                    in_common(batch(step, lane), batch(next, other)) as f64
                })
                .collect();
            let mean = counts.iter().sum::<f64>() / counts.len() as f64;
            let variance = counts.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / counts.len() as f64;
            (mean, (variance / counts.len() as f64).sqrt())
        };
        let expected = (size * size) as f64 / examples as f64;
        let (lanes, error) = between(&mut (0..STEPS), 1);
        assert!((lanes - expected).abs() < 5.0 * error, "{sampling:?}: {lanes}");
        let (mut within, mut across) = ((0..STEPS - 1).filter(|k| k % 4 != 3), (0..STEPS - 1).filter(|k| k % 4 == 3));
        if sampling == Sampling::Epochs {
            assert_eq!(between(&mut within, 0).0, 0.0);
            let (found, error) = between(&mut across, 0);
            assert!((found - expected).abs() < 5.0 * error, "across epochs: {found}");
        } else {
            let (found, error) = between(&mut (0..STEPS - 1), 0);
            assert!((found - expected).abs() < 5.0 * error, "{sampling:?}: {found}");
        }
    }
}
