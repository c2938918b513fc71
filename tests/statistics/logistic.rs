//! The ratio of two laws: against an independent maximum, and on Markov chains with a known tilt.

use crate::markov::{Chain, random};
use sgd_sde::statistics::Estimate;
use sgd_sde::statistics::logistic::LogRatio;

/// Five places, laws that are no tilt of each other. The maxima and the errors were found by another program (tests/data/logistic.py:
/// the zero of the score in 60 digits, errors from how it moves when the weight of a replica is changed a little).
#[test]
fn the_maximum_is_that_of_another_program() {
    let x = [0.0, 0.4, 1.0, 1.7, 3.0];
    let first = vec![
        vec![0.40, 0.25, 0.20, 0.10, 0.05],
        vec![0.35, 0.30, 0.15, 0.15, 0.05],
        vec![0.45, 0.20, 0.20, 0.05, 0.10],
    ];
    let second = vec![
        vec![0.15, 0.20, 0.25, 0.20, 0.20],
        vec![0.10, 0.15, 0.30, 0.30, 0.15],
        vec![0.20, 0.15, 0.20, 0.20, 0.25],
        vec![0.15, 0.25, 0.20, 0.25, 0.15],
    ];
    let close = |estimate: Estimate, [value, error]: [f64; 2], what: &str| {
        assert!((estimate.value - value).abs() < 1e-7, "{what}: {estimate:?}, {value}");
        assert!((estimate.standard_error / error - 1.0).abs() < 1e-6, "{what}: {estimate:?}, {error}");
    };
    let straight = LogRatio::fit(&x, &first, &second, 1).unwrap();
    close(straight.slope(), STRAIGHT_SLOPE, "slope");
    close(straight.value(0.0), STRAIGHT_AT_0, "at 0");
    let bent = LogRatio::fit(&x, &first, &second, 2).unwrap();
    // Half of the range is 1: the bend is the quadratic coefficient.
    close(bent.bend([0.5, 2.5]), QUADRATIC, "bend");
    close(bent.value(0.0), BENT_AT_0, "bent, at 0");
}

const STRAIGHT_SLOPE: [f64; 2] = [-0.738_663_486_758_716, 0.068_454_932_972_870_5];
const STRAIGHT_AT_0: [f64; 2] = [0.688_726_709_194_682, 0.066_057_192_948_582_5];
const QUADRATIC: [f64; 2] = [0.301_853_046_573_765, 0.148_555_225_359_24];
const BENT_AT_0: [f64; 2] = [0.945_001_434_749_632, 0.146_767_748_985_513];

/// False failure 3 × 3e-7: 2,000 repeats, 1,900 of which should be covered, within 5 standard errors of 9.7. Three states with x = 0, 1, 2
/// whose laws at the two temperatures are tilts of each other by exp(−0.6x), left once in 20 steps: draws counted as
/// independent would cover a third of the time.
#[test]
fn intervals_of_slope_value_and_bend_cover() {
    const REPEATS: usize = 2_000;
    const TILT: f64 = -0.6;
    let density = [0.3, 0.4, 0.3];
    let law = |slope: f64| -> [f64; 3] {
        let weights: [f64; 3] = std::array::from_fn(|k| density[k] * (slope * k as f64).exp());
        weights.map(|weight| weight / weights.iter().sum::<f64>())
    };
    let (cold, hot) = (law(TILT - 0.2), law(-0.2));
    let chains = [Chain::three_states(cold, 0.05), Chain::three_states(hot, 0.05)];
    let truth = [TILT, (cold[1] / hot[1]).ln(), 0.0];
    let mut random = random(304);
    let mut covered = [0; 3];
    for _ in 0..REPEATS {
        let rows = [0, 1].map(|index| {
            let run = chains[index].run(&mut random, 16, &[0, 1, 2], 400, 20, 100).occupancies;
            (0..16).map(|replica| run.replica(replica).to_vec()).collect::<Vec<_>>()
        });
        let x = [0.0, 1.0, 2.0];
        let straight = LogRatio::fit(&x, &rows[0], &rows[1], 1).unwrap();
        let bent = LogRatio::fit(&x, &rows[0], &rows[1], 2).unwrap();
        let estimates = [straight.slope(), straight.value(1.0), bent.bend([0.0, 2.0])];
        for ((estimate, truth), covered) in estimates.into_iter().zip(truth).zip(&mut covered) {
            let [low, high] = estimate.interval(0.95).unwrap();
            *covered += usize::from(low <= truth && truth <= high);
        }
    }
    for (what, covered) in ["slope", "value", "bend"].into_iter().zip(covered) {
        assert!((1_850..=1_950).contains(&covered), "{what}: the 95 % interval covered {covered} times of {REPEATS}");
    }
}
