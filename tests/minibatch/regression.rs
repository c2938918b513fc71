//! Linear regression, whose minibatch noise grows with the distance from the minimum: the equation of additive noise holds for large
//! batches and fails for small ones, where the exact equation holds.

use std::sync::Arc;

use nalgebra::{DMatrix, dmatrix};
use sgd_sde::dynamics::euler_maruyama::EulerMaruyama;
use sgd_sde::dynamics::{Dynamics, example_noise::ExampleNoise, minibatch_sgd::MinibatchSgd, svag::Svag};
use sgd_sde::ensemble::Plan;
use sgd_sde::loss::Loss;
use sgd_sde::loss::finite_sum::{FiniteSum, example_covariance};
use sgd_sde::loss::regression::Regression;
use sgd_sde::noise::{GradientNoise, covariance::ConstantCovariance, isotropic::Isotropic};
use sgd_sde::random::batches::{BatchPlan, Sampling};
use sgd_sde::theory::minibatch::finite_population;
use sgd_sde::theory::ornstein_uhlenbeck::stationary_covariance;
use sgd_sde::theory::regression::{Batches, of_examples, of_label_noise, of_normal_features};

use crate::gradients::farthest;
use crate::support::{compare, moments_about};

const LABEL_NOISE: f64 = 0.5;

fn features() -> DMatrix<f64> {
    dmatrix![1.0, 0.3; 0.3, 0.5]
}

fn regression(examples: usize, seed: u64) -> Arc<Regression> {
    Arc::new(Regression::normal(&features(), &[0.7, -0.4], LABEL_NOISE, examples, seed).unwrap())
}

/// The exact covariance for this very set of examples.
fn exact(sum: &Regression, batches: &Batches) -> DMatrix<f64> {
    let residuals = sum.residuals();
    let examples = (0..residuals.len()).map(|i| (sum.features(i), residuals[i]));
    of_examples(examples, batches).unwrap()
}

/// The largest |z| of the three entries of the covariance about the minimum.
fn off(rows: &[Vec<f64>], expected: &DMatrix<f64>) -> f64 {
    let entries = [(0, 0), (0, 1), (1, 1)].into_iter().enumerate();
    entries.map(|(entry, place)| compare(rows, entry, expected[place]).0.abs()).fold(0.0, f64::max)
}

fn measure(sum: &Regression, dynamics: &dyn Dynamics, plan: &Plan) -> Vec<Vec<f64>> {
    moments_about(dynamics, plan, sum.minimum())
}

fn plan(seed: u64, steps: u64, observe_every: u64) -> Plan {
    Plan { replicas: 1024, burn_in: 600, steps, observe_every, seed }
}

/// False failure 3 × 6e-7 (|z| < 5), each entry resolved to 1 %. Small batches: the exact equation of these examples holds, that of additive
/// noise is rejected by far, and that of normal features is the exact one up to what 20,000 examples have of other fourth moments.
#[test]
fn small_batches_need_the_whole_equation() {
    let sum = regression(20_000, 21);
    let batches = Batches::independent(0.2, 1);
    let expected = exact(&sum, &batches);
    let of_normals = of_normal_features(&features(), LABEL_NOISE * LABEL_NOISE, &batches).unwrap();
    assert!((&of_normals - &expected).norm() < 0.05 * expected.norm());
    let plain = of_label_noise(&sum.hessian(&[0.0; 2]), LABEL_NOISE * LABEL_NOISE, &batches).unwrap();
    assert!((&plain - &expected).norm() > 0.15 * expected.norm());
    let dynamics = MinibatchSgd::new(sum.clone(), Sampling::WithReplacement, 0.2, 1).unwrap();
    let rows = measure(&sum, &dynamics, &plan(500, 4_000, 4));
    let (z, error) = compare(&rows, 0, expected[(0, 0)]);
    assert!(error < 0.01 && z.abs() < 5.0);
    assert!(off(&rows, &expected) < 5.0);
    assert!(off(&rows, &plain) > 10.0, "the equation of additive noise must fail");
    assert!(off(&rows, &(&plain * (expected.trace() / plain.trace()))) > 5.0, "and not by a common factor only");
}

/// False failure 3 × 6e-7. Large batches: both equations hold, within 1 % of each other, for the label noise that these examples have.
#[test]
fn large_batches_do_not_feel_the_noise_of_the_features() {
    let sum = regression(20_000, 21);
    let batches = Batches::independent(0.1, 64);
    let expected = exact(&sum, &batches);
    let residual = example_covariance(sum.as_ref(), sum.minimum());
    let plain = stationary_covariance(&sum.hessian(&[0.0; 2]), &residual, 0.1 / 64.0, 0.1).unwrap();
    assert!((&plain - &expected).norm() < 0.01 * expected.norm());
    let dynamics = MinibatchSgd::new(sum.clone(), Sampling::WithReplacement, 0.1, 64).unwrap();
    let rows = measure(&sum, &dynamics, &plan(501, 1_600, 8));
    assert!(off(&rows, &expected) < 5.0);
    assert!(off(&rows, &plain) < 5.0);
}

/// False failure 9 × 6e-7. A set of few examples: fresh subsets have (N−S)/(N−1) of the noise, SVAG(4) and Gaussian noise of the same C(θ)
/// the exact equation at their own step, since it asks for two moments of a step only.
#[test]
fn subsets_svag_and_gaussian_noise_of_examples_follow_the_same_equation() {
    let sum = regression(24, 22);
    let factor = finite_population(24, 4);
    let (with, without) = (Batches::independent(0.4, 4), Batches { factor, ..Batches::independent(0.4, 4) });
    let subsets = MinibatchSgd::new(sum.clone(), Sampling::WithoutReplacement, 0.4, 4).unwrap();
    let rows = measure(&sum, &subsets, &plan(502, 1_600, 4));
    assert!(off(&rows, &exact(&sum, &without)) < 5.0);
    assert!(off(&rows, &exact(&sum, &with)) > 10.0);

    // Steps of η/l with l times the covariance.
    let amplified = Batches { learning_rate: 0.1, size: 1.0, factor: 1.0 };
    let svag = Svag::new(sum.clone(), Sampling::WithReplacement, 0.4, 4, 4).unwrap();
    let rows = measure(&sum, &svag, &plan(503, 4_800, 12));
    assert!(off(&rows, &exact(&sum, &amplified)) < 5.0);
    assert!(off(&rows, &exact(&sum, &with)) > 5.0);

    let gaussian = ExampleNoise::new(sum.clone(), 0.1, 0.4);
    let rows = measure(&sum, &gaussian, &plan(504, 1_600, 4));
    assert!(off(&rows, &exact(&sum, &with)) < 5.0);
    assert!(off(&rows, &exact(&sum, &without)) > 5.0);
}

/// False failure 5 × 6e-7. Noise that is kept as it was measured at the minimum, all of it or its trace, has the covariance of additive
/// noise, and not that of the noise that grows.
#[test]
fn measured_noise_is_additive() {
    let sum = regression(24, 22);
    let loss: Arc<dyn Loss> = sum.clone();
    let hessian = sum.hessian(&[0.0; 2]);
    let covariance: Arc<dyn GradientNoise> =
        Arc::new(ConstantCovariance::measured(sum.as_ref(), sum.minimum()).unwrap());
    let trace: Arc<dyn GradientNoise> = Arc::new(Isotropic::of_equal_trace(sum.as_ref(), sum.minimum()));
    let traces = [&covariance, &trace].map(|noise| noise.covariance(&[0.0; 2]).trace());
    assert!((traces[0] - traces[1]).abs() < 1e-14);
    let exact = exact(&sum, &Batches::independent(0.4, 2));
    for (noise, seed) in [(covariance, 505), (trace, 506)] {
        let expected = stationary_covariance(&hessian, &noise.covariance(&[0.0; 2]), 0.2, 0.4).unwrap();
        let dynamics = EulerMaruyama::new(loss.clone(), noise, 0.2, 0.4);
        let rows = measure(&sum, &dynamics, &plan(seed, 1_600, 4));
        assert!(off(&rows, &expected) < 5.0);
        assert!(off(&rows, &exact) > 5.0);
    }
}

/// False failure 5 × 6e-7. Away from the minimum C is another one, and minibatch gradients have it.
#[test]
fn the_covariance_of_the_gradient_is_that_of_the_place() {
    let sum = regression(24, 22);
    let theta = [2.0, -1.0];
    let there = example_covariance(sum.as_ref(), &theta);
    let at_the_minimum = example_covariance(sum.as_ref(), sum.minimum());
    let plan = BatchPlan::new(Sampling::WithReplacement, sum.examples(), 3).unwrap();
    assert!(farthest(sum.as_ref(), &theta, plan, &there, 4_000, 507) < 5.0);
    assert!(farthest(sum.as_ref(), &theta, plan, &at_the_minimum, 4_000, 507) > 20.0);
}
