//! Finite sums, undisturbed runs, and estimates from independent replicas.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use nalgebra::DMatrix;
use sgd_sde::dynamics::Dynamics;
use sgd_sde::ensemble::moments::Moments;
use sgd_sde::ensemble::{Plan, run};
use sgd_sde::loss::{LANES, quadratic::Quadratic, tilted::Tilted, tilts::Tilts};
use sgd_sde::random::batches::Sampling;
use sgd_sde::statistics::Estimate;

pub const SAMPLINGS: [Sampling; 3] = [Sampling::WithReplacement, Sampling::WithoutReplacement, Sampling::Epochs];

/// A bowl whose examples are tilted by normal vectors of the given covariance.
pub fn tilted_bowl(hessian: DMatrix<f64>, covariance: &DMatrix<f64>, examples: usize, seed: u64) -> Arc<Tilted> {
    let tilts = Tilts::normal(covariance, examples, seed).unwrap();
    Arc::new(Tilted::new(Arc::new(Quadratic::new(hessian).unwrap()), tilts).unwrap())
}

/// Time means of ⟨θᵢθⱼ⟩ (i ≤ j), one row per replica, of a run from the origin.
pub fn second_moments(dynamics: &dyn Dynamics, plan: &Plan) -> Vec<Vec<f64>> {
    moments_about(dynamics, plan, &vec![0.0; dynamics.dimension()])
}

/// Time means of ⟨(θᵢ − cᵢ)(θⱼ − cⱼ)⟩ (i ≤ j), one row per replica, of a run from c.
pub fn moments_about(dynamics: &dyn Dynamics, plan: &Plan, center: &[f64]) -> Vec<Vec<f64>> {
    let d = dynamics.dimension();
    let observer = |_: u64, _: usize| Moments::new(d);
    let start = |_: u64, point: &mut [f64]| point.copy_from_slice(center);
    let outcome = run(dynamics, plan, &start, &observer, &mut |_| (), &AtomicBool::new(false)).unwrap();
    let of_replica = |replica: usize| {
        let (mean, mut second) = outcome.observers[replica / LANES].means(replica % LANES).unwrap();
        let pairs = (0..d).flat_map(|i| (i..d).map(move |j| (i, j)));
        for (entry, (i, j)) in second.iter_mut().zip(pairs) {
            *entry += center[i] * center[j] - mean[i] * center[j] - center[i] * mean[j];
        }
        second
    };
    (0..plan.replicas as usize).map(of_replica).collect()
}

/// How many standard errors the mean of a column over replicas is above what is expected, and its relative standard error.
pub fn compare(rows: &[Vec<f64>], index: usize, expected: f64) -> (f64, f64) {
    let values: Vec<f64> = rows.iter().map(|row| row[index]).collect();
    let estimate = Estimate::from_replicas(&values).unwrap();
    println!("measured {:.6e} ± {:.1e}, expected {expected:.6e}", estimate.value, estimate.standard_error);
    ((estimate.value - expected) / estimate.standard_error, (estimate.standard_error / expected).abs())
}
