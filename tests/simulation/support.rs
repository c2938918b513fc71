//! What several of these tests need: losses, noises, an undisturbed run, and estimates from its observers.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use nalgebra::DMatrix;
use sgd_sde::dynamics::{Dynamics, euler_maruyama::EulerMaruyama};
use sgd_sde::ensemble::moments::Moments;
use sgd_sde::ensemble::{Observer, Outcome, Plan, run};
use sgd_sde::loss::closure::Closure;
use sgd_sde::loss::{LANES, Loss};
use sgd_sde::noise::isotropic::Isotropic;
use sgd_sde::statistics::Estimate;
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// L = x⁴/4 − x²/2 + 0.1x.
pub fn double_well() -> Arc<dyn Loss> {
    let value = |x: &[f64]| x[0].powi(4) / 4.0 - x[0] * x[0] / 2.0 + 0.1 * x[0];
    let gradient = |x: &[f64], g: &mut [f64]| g[0] = x[0] * x[0] * x[0] - x[0] + 0.1;
    Arc::new(Closure::new(1, value, gradient).with_hessian(|x| DMatrix::from_element(1, 1, 3.0 * x[0] * x[0] - 1.0)))
}

/// Euler–Maruyama of a one-dimensional loss at temperature T.
pub fn at_temperature(loss: Arc<dyn Loss>, temperature: f64, step: f64) -> EulerMaruyama {
    EulerMaruyama::new(loss, Arc::new(Isotropic::new(1, (2.0 * temperature).sqrt())), 1.0, step)
}

/// A run that nobody watches or stops.
pub fn undisturbed<O: Observer>(
    dynamics: &dyn Dynamics,
    plan: &Plan,
    start: &(dyn Fn(u64, &mut [f64]) + Sync),
    observer: &(dyn Fn(u64, usize) -> O + Sync),
) -> Outcome<O> {
    run(dynamics, plan, start, observer, &mut |_| (), &AtomicBool::new(false)).unwrap()
}

/// Time means of the second moments ⟨θᵢθⱼ⟩ (i ≤ j), one row per replica, of a run from the origin.
pub fn second_moments(dynamics: &dyn Dynamics, plan: &Plan) -> Vec<Vec<f64>> {
    let observer = |_: u64, _: usize| Moments::new(dynamics.dimension());
    let outcome = undisturbed(dynamics, plan, &|_, point| point.fill(0.0), &observer);
    (0..plan.replicas as usize)
        .map(|replica| outcome.observers[replica / LANES].means(replica % LANES).unwrap().1)
        .collect()
}

/// The mean of one column over replicas.
pub fn column(rows: &[Vec<f64>], index: usize) -> Estimate {
    let values: Vec<f64> = rows.iter().map(|row| row[index]).collect();
    Estimate::from_replicas(&values).unwrap()
}

/// How many standard errors an estimate is above a number.
pub fn z(estimate: &Estimate, expected: f64) -> f64 {
    (estimate.value - expected) / estimate.standard_error
}

/// Slope of the least-squares line through (ln x, ln y).
pub fn log_slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let x_mean = points.iter().map(|(x, _)| x.ln()).sum::<f64>() / count;
    let y_mean = points.iter().map(|(_, y)| y.ln()).sum::<f64>() / count;
    let covariance: f64 = points.iter().map(|(x, y)| (x.ln() - x_mean) * (y.ln() - y_mean)).sum();
    let variance: f64 = points.iter().map(|(x, _)| (x.ln() - x_mean) * (x.ln() - x_mean)).sum();
    covariance / variance
}

/// How likely frequencies as far from their law are, by chance.
pub fn chi_squared_p_value(frequencies: &[u64], probabilities: &[f64]) -> f64 {
    let total = frequencies.iter().sum::<u64>() as f64;
    let terms =
        frequencies.iter().zip(probabilities).map(|(&found, p)| (found as f64 - total * p).powi(2) / (total * p));
    ChiSquared::new((frequencies.len() - 1) as f64).unwrap().sf(terms.sum())
}

/// Rows of increments that are drawn together.
pub const GROUP: usize = 4;

/// False failure 22 × 1e-6: the joint frequencies of the classes of two increments of a trajectory, for the 6 pairs of one group of
/// rows and the 16 of a group and the next. Classes stand row after row; their law is known.
pub fn neighbouring_rows_are_independent(classes: &[usize], law: &[f64]) {
    let joint: Vec<f64> = law.iter().flat_map(|p| law.iter().map(move |q| p * q)).collect();
    for first in 0..GROUP {
        for second in first + 1..2 * GROUP {
            let distance = (second - first) * LANES;
            let mut frequencies = vec![0; joint.len()];
            for row in (first * LANES..classes.len() - distance).step_by(GROUP * LANES) {
                for (a, b) in classes[row..row + LANES].iter().zip(&classes[row + distance..]) {
                    frequencies[law.len() * a + b] += 1;
                }
            }
            let p = chi_squared_p_value(&frequencies, &joint);
            assert!(p > 1e-6, "rows {first} and {second} of a group: p = {p:e}");
        }
    }
}
