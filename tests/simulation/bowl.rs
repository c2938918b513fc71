//! In a quadratic bowl the stationary covariance is known exactly, at any stable step.

use std::sync::Arc;

use nalgebra::{DMatrix, DVector, SymmetricEigen};
use sgd_sde::dynamics::{Dynamics, euler_maruyama::EulerMaruyama, sgd::Sgd};
use sgd_sde::ensemble::Plan;
use sgd_sde::loss::quadratic::Quadratic;
use sgd_sde::noise::covariance::ConstantCovariance;
use sgd_sde::noise::isotropic::Isotropic;
use sgd_sde::theory::ornstein_uhlenbeck::stationary_covariance;

use crate::support::{column, second_moments, z};

/// The largest relative standard error of a measured variance.
const RESOLVED: f64 = 0.005;

/// Variance of x in a bowl of curvature h with step δ, by a plan that resolves it to 0.4 %: θ is autoregressive with
/// ρ = 1 − δh, so that x² decorrelates by ρ² a step. Returns how many standard errors it is off.
fn check(dynamics: &dyn Dynamics, curvature: f64, expected: f64, seed: u64) -> f64 {
    const REPLICAS: u64 = 1024;
    let contraction = (1.0 - dynamics.step() * curvature).abs().max(1e-3);
    // As often as is of use: every third of the relaxation time of x².
    let observe_every = ((-1.0 / contraction.ln() / 6.0) as u64).max(1);
    let correlation = contraction.powf(2.0 * observe_every as f64);
    let looks = 2.0 / (0.004 * 0.004) * (1.0 + correlation) / (1.0 - correlation) / REPLICAS as f64;
    // What is left of the start at the origin: e⁻³⁰.
    let burn_in = (-15.0 / contraction.ln()).ceil() as u64;
    let plan = Plan { replicas: REPLICAS, burn_in, steps: looks.ceil() as u64 * observe_every, observe_every, seed };
    let measured = column(&second_moments(dynamics, &plan), 0);
    let case = format!("δ = {}, h = {curvature}", dynamics.step());
    assert!(
        measured.standard_error / expected < RESOLVED,
        "{case}: resolved to {}",
        measured.standard_error / expected
    );
    let z = z(&measured, expected);
    assert!(z.abs() < 4.4, "{case}: {} against {expected}, z = {z:.2}", measured.value);
    z
}

/// False failure 21 × 1.2e-5 (|t| < 4.4 with 1,023 degrees of freedom, for each and for all together, which resolves a
/// common factor to 0.1 %).
///
/// An integrator that took δ for 2δ, n for n/2 or the SDE's variance for the chain's (off by δh/2, from 0.5 % to
/// 90 %; 17 of the pairs are 1 % or more away) would fail.
#[test]
fn euler_maruyama_has_the_variance_of_its_own_step() {
    let products =
        [0.01, 0.03, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 1.0, 1.1, 1.25, 1.4, 1.5, 1.55, 1.6, 1.65, 1.7, 1.73, 1.77, 1.8];
    let mut total = 0.0;
    for (index, product) in products.into_iter().enumerate() {
        let curvature = [0.1, 0.5, 1.0, 2.0, 8.0, 50.0][index % 6];
        let (step, sigma, scale) = (product / curvature, 0.5 + index as f64 / 4.0, 0.05 * (1.0 + (index % 4) as f64));
        let noise = Arc::new(Isotropic::new(1, sigma));
        let dynamics = EulerMaruyama::new(Arc::new(Quadratic::from_eigenvalues(&[curvature])), noise, scale, step);
        let variance = scale * sigma * sigma / (2.0 * curvature * (1.0 - product / 2.0));
        total += check(&dynamics, curvature, variance, 1000 + index as u64);
    }
    let together = total / (products.len() as f64).sqrt();
    assert!(together.abs() < 4.4, "all together, z = {together:.2}");
}

/// False failure 4 × 1.2e-5. SGD itself: δ = η, n = η/S.
#[test]
fn sgd_has_the_variance_of_its_learning_rate() {
    for (index, (rate, batch, curvature)) in
        [(0.05, 1.0, 2.0), (0.1, 8.0, 5.0), (0.4, 3.0, 3.0), (0.85, 64.0, 2.0)].into_iter().enumerate()
    {
        let noise = Arc::new(Isotropic::new(1, 1.5));
        let dynamics = Sgd::new(Arc::new(Quadratic::from_eigenvalues(&[curvature])), noise, rate, batch);
        let variance = rate / batch * 1.5 * 1.5 / (2.0 * curvature * (1.0 - rate * curvature / 2.0));
        check(&dynamics, curvature, variance, 1100 + index as u64);
    }
}

/// A symmetric matrix with the given eigenvalues in a frame turned by `angle` in every coordinate plane.
fn turned(eigenvalues: &[f64], angle: f64) -> DMatrix<f64> {
    let d = eigenvalues.len();
    let mut frame: DMatrix<f64> = DMatrix::identity(d, d);
    for i in 0..d {
        for j in i + 1..d {
            let mut turn: DMatrix<f64> = DMatrix::identity(d, d);
            let angle = angle * (1.0 + (i * d + j) as f64 / 10.0);
            (turn[(i, i)], turn[(j, j)]) = (angle.cos(), angle.cos());
            (turn[(i, j)], turn[(j, i)]) = (-angle.sin(), angle.sin());
            frame *= turn;
        }
    }
    let diagonal = DMatrix::from_diagonal(&DVector::from_column_slice(eigenvalues));
    let matrix = &frame * diagonal * frame.transpose();
    // Symmetric to the last bit.
    (&matrix + matrix.transpose()) * 0.5
}

/// False failure 15 × 6e-7: all entries of a 5-D covariance, |z| < 5, where H and C do not commute.
#[test]
fn five_dimensions_solve_the_discrete_lyapunov_equation() {
    let (scale, step) = (0.1, 0.12);
    let hessian = turned(&[0.8, 1.5, 3.0, 5.0, 8.0], 0.4);
    let noise = turned(&[4.0, 0.5, 2.0, 1.0, 3.0], -0.7);
    let commutator = &hessian * &noise - &noise * &hessian;
    assert!(commutator.norm() > 0.1 * hessian.norm() * noise.norm(), "they must not commute");

    let theory = |step: f64| {
        let sigma = stationary_covariance(&hessian, &noise, scale, step).unwrap();
        let residual = &hessian * &sigma + &sigma * &hessian - &hessian * &sigma * &hessian * step - &noise * scale;
        assert!(residual.norm() < 1e-12, "δ = {step}: the equation is missed by {}", residual.norm());
        assert!(SymmetricEigen::new(sigma.clone()).eigenvalues.min() > 0.0);
        sigma
    };
    let (discrete, continuous) = (theory(step), theory(0.0));

    let loss = Arc::new(Quadratic::new(hessian.clone()).unwrap());
    let noise = Arc::new(ConstantCovariance::new(noise.clone()).unwrap());
    let dynamics = EulerMaruyama::new(loss, noise, scale, step);
    let plan = Plan { replicas: 1024, burn_in: 400, steps: 3_200, observe_every: 4, seed: 1200 };
    let rows = second_moments(&dynamics, &plan);
    let mut farthest: f64 = 0.0;
    let mut index = 0;
    for i in 0..5 {
        for j in i..5 {
            let measured = column(&rows, index);
            let z_discrete = z(&measured, discrete[(i, j)]);
            assert!(z_discrete.abs() < 5.0, "Σ[{i}][{j}] = {}, z = {z_discrete:.2}", measured.value);
            farthest = farthest.max(z(&measured, continuous[(i, j)]).abs());
            index += 1;
        }
    }
    assert_eq!(index, rows[0].len());
    assert!(farthest > 20.0, "the measurement must tell δ = {step} from 0: z = {farthest:.1}");
}
