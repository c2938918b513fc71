//! Mean and covariance of every noise against C, summed up from the example gradients.
//!
//! 4,000 replicas take two steps of a tiny η from the same weights. Their displacement over −η has mean 2∇L and, the noises of two steps
//! being independent, twice the covariance of a step. Each of 12 means and 78 second moments is compared in units of its own standard
//! error, within 5.5 of them: 90 · 3.8·10⁻⁸ = 3·10⁻⁶ false failures a noise for normal errors; products are skewed, for which we allow ten times
//! as many. For 8 noises that is below 3·10⁻⁴.

use sgd_sde::random::batches::Sampling;
use sgd_sde::training::Noise;

use crate::support::{EXAMPLES, all, ensemble, example_gradients, mean_gradient, recipe, steps, weights};

const REPLICAS: usize = 4_000;
const SIZE: usize = 3;
const RATE: f64 = 1e-6;
const BOUND: f64 = 5.5;

/// C(θ), divisor N.
fn covariance(theta: &[f64]) -> Vec<Vec<f64>> {
    let (rows, mean) = (example_gradients(theta, &all()), mean_gradient(theta, &all()));
    let of = |i: usize, j: usize| rows.iter().map(|row| (row[i] - mean[i]) * (row[j] - mean[j])).sum::<f64>();
    (0..theta.len()).map(|i| (0..theta.len()).map(|j| of(i, j) / EXAMPLES as f64).collect()).collect()
}

/// Deviation from `expected`, in standard errors of the mean of `values`.
fn standard_errors(values: impl Iterator<Item = f64> + Clone, expected: f64) -> f64 {
    let count = REPLICAS as f64;
    let mean = values.clone().sum::<f64>() / count;
    let variance = values.map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
    (mean - expected).abs() / ((variance / count).sqrt() + 1e-9)
}

/// `steps_of_rate` is the number of steps whose gradients add up, `step` what a step multiplies them by.
fn assert_noise(noise: Noise, rate: f64, covariance: impl Fn(usize, usize) -> f64) {
    let name = format!("{noise:?}");
    let theta: Vec<f64> = weights();
    let mut ensemble = ensemble(&recipe(RATE, SIZE, noise), vec![theta.clone(); REPLICAS]);
    steps(&mut ensemble, 2, SIZE);
    let gradient = mean_gradient(&theta, &all());
    let moved = |r: usize, k: usize| (theta[k] - ensemble.weights(r)[k]) / rate - 2.0 * gradient[k];
    for i in 0..theta.len() {
        let errors = standard_errors((0..REPLICAS).map(|r| moved(r, i)), 0.0);
        assert!(errors < BOUND, "{name}: mean {i} is off by {errors} standard errors");
        for j in 0..=i {
            let errors = standard_errors((0..REPLICAS).map(|r| moved(r, i) * moved(r, j)), 2.0 * covariance(i, j));
            assert!(errors < BOUND, "{name}: covariance {i}, {j} is off by {errors} standard errors");
        }
    }
}

#[test]
fn minibatches_have_the_covariance_of_their_sampling() {
    let c = covariance(&weights::<f64>());
    let share = 1.0 / SIZE as f64;
    assert_noise(Noise::Minibatch(Sampling::WithReplacement), RATE, |i, j| c[i][j] * share);
    let finite = (EXAMPLES - SIZE) as f64 / (EXAMPLES - 1) as f64;
    assert_noise(Noise::Minibatch(Sampling::WithoutReplacement), RATE, |i, j| c[i][j] * share * finite);
    // Two batches of an epoch are negatively correlated: together they are one subset of twice the size.
    let finite = (EXAMPLES - 2 * SIZE) as f64 / (EXAMPLES - 1) as f64;
    assert_noise(Noise::Minibatch(Sampling::Epochs), RATE, |i, j| c[i][j] * share * finite);
}

#[test]
fn gaussian_noise_has_the_covariance_of_the_present_weights() {
    let c = covariance(&weights::<f64>());
    assert_noise(Noise::ExampleGaussian, RATE, |i, j| c[i][j] / SIZE as f64);
}

#[test]
fn frozen_noise_has_the_covariance_of_its_weights() {
    let at: Vec<f64> = weights::<f64>().iter().map(|x| 2.0 * x + 0.3).collect();
    let c = covariance(&at);
    assert_noise(Noise::FrozenGaussian(at), RATE, |i, j| c[i][j] / SIZE as f64);
}

#[test]
fn isotropic_noise_has_its_variance_in_every_direction() {
    let c = covariance(&weights::<f64>());
    let variance = c.iter().enumerate().map(|(i, row)| row[i]).sum::<f64>() / c.len() as f64;
    assert_noise(Noise::Isotropic { variance }, RATE, |i, j| if i == j { variance / SIZE as f64 } else { 0.0 });
}

#[test]
fn svag_has_l_times_the_covariance_at_an_lth_of_the_step() {
    let c = covariance(&weights::<f64>());
    for (sampling, finite) in [(Sampling::WithReplacement, 1.0), (Sampling::WithoutReplacement, 9.0 / 11.0)] {
        let noise = Noise::Svag { sampling, amplification: 4 };
        assert_noise(noise, RATE / 4.0, |i, j| 4.0 * c[i][j] * finite / SIZE as f64);
    }
}

/// Not only of another distribution: no number of one replica is a number of another, nor is one used twice.
#[test]
fn no_two_replicas_share_a_normal() {
    let theta: Vec<f64> = weights();
    let mut ensemble = ensemble(&recipe(1.0, 1, Noise::Isotropic { variance: 1.0 }), vec![theta.clone(); 50]);
    steps(&mut ensemble, 1, 1);
    let gradient = mean_gradient(&theta, &all());
    let normal = |r: usize, k: usize| theta[k] - ensemble.weights(r)[k] - gradient[k];
    let mut normals: Vec<f64> =
        (0..50).flat_map(|r| (0..theta.len()).map(move |k| (r, k))).map(|(r, k)| normal(r, k)).collect();
    normals.sort_by(f64::total_cmp);
    // Normals of single precision may be equal by accident: 600 of them with 2²⁴ digits, one time in a hundred.
    let equal = normals.windows(2).filter(|pair| pair[1] - pair[0] < 1e-12).count();
    assert!(equal < 3, "{equal} normals came twice");
}
