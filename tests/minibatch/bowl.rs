//! What moves by minibatches in a quadratic bowl, whose stationary covariance is known exactly.

use nalgebra::dmatrix;
use sgd_sde::dynamics::{Dynamics, minibatch_sgd::MinibatchSgd, momentum::Momentum, svag::Svag};
use sgd_sde::ensemble::Plan;
use sgd_sde::random::batches::Sampling;
use sgd_sde::theory::minibatch::{epoch_covariance, finite_population, momentum_variance};
use sgd_sde::theory::ornstein_uhlenbeck::stationary_covariance;

use crate::support::{compare, second_moments, tilted_bowl};

/// h, c, η, S, N of the one-dimensional cases.
const H: f64 = 2.0;
const C: f64 = 1.7;
const RATE: f64 = 0.3;
const BATCH: usize = 4;
const EXAMPLES: usize = 32;

/// Looks far enough apart to resolve a variance to about half a per cent with 1,024 replicas.
fn plan(seed: u64, steps: u64, observe_every: u64) -> Plan {
    Plan { replicas: 1024, burn_in: 400, steps, observe_every, seed }
}

/// z of the measured ⟨x²⟩, which must be resolved to 0.5 %.
fn off(dynamics: &dyn Dynamics, expected: f64, plan: &Plan) -> f64 {
    let (z, error) = compare(&second_moments(dynamics, plan), 0, expected);
    assert!(error < 0.005, "resolved to {error}");
    z
}

/// False failure 4 × 1.2e-5 (|t| < 4.4). l = 1 is SGD; each l is told from the next and from the SDE.
#[test]
fn svag_has_the_variance_of_its_l() {
    let sum = tilted_bowl(dmatrix![H], &dmatrix![C], EXAMPLES, 7);
    let n = RATE / BATCH as f64;
    let limit = n * C / (2.0 * H);
    for (index, l) in [1u32, 2, 4, 8].into_iter().enumerate() {
        let dynamics = Svag::new(sum.clone(), Sampling::WithReplacement, RATE, BATCH, l).unwrap();
        let expected = limit / (1.0 - RATE * H / (2.0 * f64::from(l)));
        let by_equation = stationary_covariance(&dmatrix![H], &dmatrix![C], n, dynamics.step()).unwrap()[(0, 0)];
        assert!((by_equation / expected - 1.0).abs() < 1e-14);
        let plan = plan(300 + index as u64, 1_600 * u64::from(l), 2 * u64::from(l));
        let z = off(&dynamics, expected, &plan);
        assert!(z.abs() < 4.4, "l = {l}: z = {z:.2}");
        let to_the_next = limit / (1.0 - RATE * H / (4.0 * f64::from(l)));
        assert!(off(&dynamics, to_the_next, &plan) > 4.4, "l = {l} is not told from {}", 2 * l);
    }
}

/// False failure 2 × 1.2e-5: SGD with fresh batches, with and without replacement.
#[test]
fn fresh_minibatches_have_the_variance_of_their_factor() {
    let sum = tilted_bowl(dmatrix![H], &dmatrix![C], EXAMPLES, 7);
    let with = RATE / BATCH as f64 * C / (2.0 * H * (1.0 - RATE * H / 2.0));
    let without = with * finite_population(EXAMPLES, BATCH);
    for (sampling, expected, other, seed) in
        [(Sampling::WithReplacement, with, without, 310), (Sampling::WithoutReplacement, without, with, 311)]
    {
        let dynamics = MinibatchSgd::new(sum.clone(), sampling, RATE, BATCH).unwrap();
        let z = off(&dynamics, expected, &plan(seed, 1_200, 2));
        assert!(z.abs() < 4.4, "{sampling:?}: z = {z:.2}");
        assert!(off(&dynamics, other, &plan(seed, 1_200, 2)).abs() > 10.0, "{sampling:?} is not told from the other");
    }
}

/// False failure 6 × 6e-7 + 1.2e-5. Shuffled epochs: all entries of a 2-D covariance where H and C do not commute, against the derived formula
/// (|z| < 5); S divides N in one case and does not in the other. That of fresh subsets must fail where they differ, down to a few per cent.
#[test]
fn shuffled_epochs_have_the_covariance_of_dependent_batches() {
    let (hessian, covariance) = (dmatrix![2.0, 0.5; 0.5, 1.0], dmatrix![1.0, -0.4; -0.4, 1.5]);
    for (examples, batch, rate, seed) in [(32, 4, 0.3, 320), (50, 8, 0.4, 321)] {
        let sum = tilted_bowl(hessian.clone(), &covariance, examples, 8);
        let dynamics = MinibatchSgd::new(sum, Sampling::Epochs, rate, batch).unwrap();
        assert!(dynamics.scheme().is_none());
        let expected = epoch_covariance(&hessian, &covariance, rate, examples, batch).unwrap();
        let subset = &covariance * finite_population(examples, batch);
        let fresh = stationary_covariance(&hessian, &subset, rate / batch as f64, rate).unwrap();
        // Looks at every step, so that all places of an epoch count the same.
        let steps = (examples / batch) as u64;
        let rows = second_moments(&dynamics, &plan(seed, 200 * steps, 1));
        for (entry, (i, j)) in [(0, 0), (0, 1), (1, 1)].into_iter().enumerate() {
            let (z, error) = compare(&rows, entry, expected[(i, j)]);
            assert!(z.abs() < 5.0 && error < 0.01, "N = {examples}, Σ[{i}][{j}]: z = {z:.2}, resolved to {error}");
            let (z, _) = compare(&rows, entry, fresh[(i, j)]);
            let gap = expected[(i, j)] / fresh[(i, j)] - 1.0;
            assert!(z.abs() > 5.0, "N = {examples}, Σ[{i}][{j}], {gap:+.3} of the fresh one: not told, z = {z:.2}");
        }
    }
}

/// False failure 3 × 1.2e-5. Heavy ball, against the variance of its autoregression; without momentum it is SGD to the bit.
#[test]
fn momentum_has_the_variance_of_its_autoregression() {
    let sum = tilted_bowl(dmatrix![H], &dmatrix![C], EXAMPLES, 7);
    for (index, momentum) in [0.5, 0.9, 0.99].into_iter().enumerate() {
        let dynamics = Momentum::new(sum.clone(), Sampling::WithReplacement, RATE, momentum, BATCH).unwrap();
        let expected = momentum_variance(H, C, RATE, momentum, BATCH as f64).unwrap();
        let plan = Plan { burn_in: 4_000, ..plan(330 + index as u64, 1_200 * (1 << (3 * index)), 1 << (2 * index)) };
        let z = off(&dynamics, expected, &plan);
        assert!(z.abs() < 4.4, "μ = {momentum}: z = {z:.2}");
        let of_the_limit = RATE / (1.0 - momentum) / BATCH as f64 * C / (2.0 * H);
        assert!(off(&dynamics, of_the_limit, &plan).abs() > 4.4, "μ = {momentum} is not told from η → 0");
    }
    let still = Momentum::new(sum.clone(), Sampling::Epochs, RATE, 0.0, BATCH).unwrap();
    let sgd = MinibatchSgd::new(sum, Sampling::Epochs, RATE, BATCH).unwrap();
    let short = Plan { replicas: 64, burn_in: 0, steps: 40, observe_every: 1, seed: 339 };
    assert_eq!(second_moments(&still, &short), second_moments(&sgd, &short));
}
