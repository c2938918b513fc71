//! The invariant laws of the integrators: their order in δ, and exactly in a bowl. No chance is involved.

use std::sync::Arc;

use nalgebra::{DMatrix, dmatrix};
use sgd_sde::dynamics::euler_maruyama::EulerMaruyama;
use sgd_sde::dynamics::leimkuhler_matthews::LeimkuhlerMatthews;
use sgd_sde::dynamics::platen::Platen;
use sgd_sde::dynamics::{Block, Dynamics};
use sgd_sde::loss::closure::Closure;
use sgd_sde::loss::expression::Expression;
use sgd_sde::loss::quadratic::Quadratic;
use sgd_sde::loss::{LANES, Loss};
use sgd_sde::noise::covariance::ConstantCovariance;
use sgd_sde::noise::expression::FormulaNoise;
use sgd_sde::noise::isotropic::Isotropic;
use sgd_sde::theory::Scheme;
use sgd_sde::theory::ornstein_uhlenbeck::{scheme_covariance, stationary_covariance};
use sgd_sde::theory::quadrature::integrate;

use crate::deterministic::{Operator, stepped};
use crate::support::log_slope;

/// T of the quartic well.
const TEMPERATURE: f64 = 0.5;

/// L = x²/2 + x⁴/4.
fn quartic_well() -> Arc<dyn Loss> {
    let value = |x: &[f64]| x[0] * x[0] / 2.0 + x[0].powi(4) / 4.0;
    Arc::new(Closure::new(1, value, |x, gradient| gradient[0] = x[0] + x[0].powi(3)))
}

/// ⟨x²⟩ under exp(−L/T).
fn exact_mean_square() -> f64 {
    let density = |x: f64| libm::exp(-(x * x / 2.0 + x.powi(4) / 4.0) / TEMPERATURE);
    integrate(&|x| x * x * density(x), -4.0, 4.0, 64).value / integrate(&density, -4.0, 4.0, 64).value
}

/// Slope of ln |⟨x²⟩_δ − ⟨x²⟩| in ln δ.
fn order(mean_square: impl Fn(f64) -> f64) -> f64 {
    let exact = exact_mean_square();
    log_slope(&[0.08, 0.04, 0.02, 0.01].map(|step| (step, (mean_square(step) - exact).abs())))
}

fn noise() -> Arc<Isotropic> {
    Arc::new(Isotropic::new(1, (2.0 * TEMPERATURE).sqrt()))
}

#[test]
fn the_invariant_law_of_euler_maruyama_is_of_first_order() {
    let slope = order(|step| {
        let dynamics = EulerMaruyama::new(quartic_well(), noise(), 1.0, step);
        let advance = EulerMaruyama::step_on_given_normals;
        Operator::new(3.5, 281, |nodes, normal| stepped(&dynamics, advance, [nodes, &[], &vec![normal; nodes.len()]]))
            .stationary_mean(|x| x * x)
    });
    assert!((slope - 1.0).abs() < 0.2, "order {slope}");
}

/// With yₖ = θₖ − √(nδ)Bξₖ/2 the yₖ are a Markov chain: a step from θ = y + √(nδ)Bξ/2 with memory ξ and a next normal of
/// 0 leads to the next y. A scheme that gave the two normals unequal weights, or forgot the first, would have order 1.
#[test]
fn the_invariant_law_of_leimkuhler_matthews_is_of_second_order() {
    let slope = order(|step| {
        let dynamics = LeimkuhlerMatthews::new(quartic_well(), noise(), 1.0, step).unwrap();
        let half = 0.5 * (2.0 * TEMPERATURE * step).sqrt();
        let advance = LeimkuhlerMatthews::step_on_given_normals;
        let chain = Operator::new(3.5, 281, |nodes, normal| {
            let places: Vec<f64> = nodes.iter().map(|y| y + half * normal).collect();
            stepped(&dynamics, advance, [&places, &vec![normal; nodes.len()], &vec![0.0; nodes.len()]])
        });
        chain.stationary_mean(|y| y * y) + half * half
    });
    assert!((slope - 2.0).abs() < 0.2, "order {slope}");
}

#[test]
fn the_invariant_law_of_platen_is_of_second_order() {
    let slope = order(|step| {
        let dynamics = Platen::new(quartic_well(), noise(), 1.0, step);
        Operator::new(3.5, 281, |nodes, normal| {
            let advance = |dynamics: &Platen, block: &mut Block| dynamics.step_on_given_normals(block, &[]);
            stepped(&dynamics, advance, [nodes, &[], &vec![normal; nodes.len()]])
        })
        .stationary_mean(|x| x * x)
    });
    assert!((slope - 2.0).abs() < 0.2, "order {slope}");
}

#[test]
fn leimkuhler_matthews_refuses_noise_that_depends_on_theta() {
    let sigma = |formula: &str| Arc::new(FormulaNoise::new(Expression::new(&["x".into()], &[], formula).unwrap()));
    assert!(LeimkuhlerMatthews::new(quartic_well(), sigma("1 + x^2"), 1.0, 0.1).is_err());
    assert!(LeimkuhlerMatthews::new(quartic_well(), sigma("1 + 2"), 1.0, 0.1).is_ok());
}

/// The state (θ, memory) of a linear scheme goes to F·state + G·(next normals): its columns by single steps, the
/// stationary covariance of θ by P ← FPFᵀ + GGᵀ until it stands still; `None` where it grows without end.
fn fixed_point<D: Dynamics>(dynamics: &D, step: impl Fn(&D, &mut Block)) -> Option<DMatrix<f64>> {
    let d = dynamics.dimension();
    let states = d + dynamics.memory() / LANES;
    let columns: Vec<Vec<f64>> = (0..states + d)
        .map(|index| {
            let mut block = Block::new(dynamics, 0, 0);
            block.theta.fill(0.0);
            block.memory.fill(0.0);
            block.noise.fill(0.0);
            let unit = [&mut block.theta, &mut block.memory, &mut block.noise];
            unit.into_iter().flat_map(|rows| rows.chunks_exact_mut(LANES)).nth(index).unwrap()[0] = 1.0;
            step(dynamics, &mut block);
            block.theta.chunks_exact(LANES).chain(block.memory.chunks_exact(LANES)).map(|row| row[0]).collect()
        })
        .collect();
    let matrix = |from: usize, to: usize| DMatrix::from_fn(states, to - from, |i, j| columns[from + j][i]);
    let (mut transition, noise) = (matrix(0, states), matrix(states, states + d));
    let mut covariance = &noise * noise.transpose();
    for _ in 0..40 {
        // Doubling: after k rounds the sum over 2ᵏ steps.
        covariance = &transition * &covariance * transition.transpose() + &covariance;
        transition = &transition * &transition;
        if !(covariance.norm() < 1e12) {
            return None;
        }
    }
    Some(covariance.view((0, 0), (d, d)).into_owned())
}

/// The covariances that the theory gives are the fixed points of the recursions that the program runs, where H and C
/// do not commute, up to the limit δh = 2 and not beyond.
#[test]
fn in_a_bowl_every_scheme_has_its_own_covariance_up_to_its_limit() {
    let hessian = dmatrix![3.0, 0.8, 0.0; 0.8, 1.0, -0.3; 0.0, -0.3, 5.0];
    let noise = dmatrix![2.0, -0.6, 0.4; -0.6, 1.0, 0.0; 0.4, 0.0, 0.5];
    assert!((&hessian * &noise - &noise * &hessian).norm() > 1.0);
    let largest = hessian.clone().symmetric_eigenvalues().max();
    let loss = || Arc::new(Quadratic::new(hessian.clone()).unwrap());
    let shared = Arc::new(ConstantCovariance::new(noise.clone()).unwrap());
    for product in [0.01, 0.3, 1.0, 1.7, 1.99, 2.01] {
        let step = product / largest;
        let euler = EulerMaruyama::new(loss(), shared.clone(), 0.3, step);
        let leimkuhler = LeimkuhlerMatthews::new(loss(), shared.clone(), 0.3, step).unwrap();
        let platen = Platen::new(loss(), shared.clone(), 0.3, step);
        let found = [
            (euler.scheme(), fixed_point(&euler, EulerMaruyama::step_on_given_normals)),
            (leimkuhler.scheme(), fixed_point(&leimkuhler, LeimkuhlerMatthews::step_on_given_normals)),
            (platen.scheme(), fixed_point(&platen, |platen, block| platen.step_on_given_normals(block, &[]))),
        ];
        for (scheme, found) in found {
            let scheme = scheme.unwrap();
            let predicted = scheme_covariance(scheme, &hessian, &noise, 0.3, step);
            match (found, predicted) {
                (Some(found), Some(predicted)) => {
                    let error = (&found - &predicted).norm() / predicted.norm();
                    assert!(error < 1e-11, "{scheme:?}, δh = {product}: off by {error}");
                }
                (None, None) => assert!(product > 2.0),
                (found, predicted) => panic!("{scheme:?}, δh = {product}: {found:?}, predicted {predicted:?}"),
            }
        }
    }
}

/// What the documentation of the schemes says of isotropic noise, of a limit of small steps, and of noise that does not
/// commute with H.
#[test]
fn covariances_of_the_schemes_in_their_limits() {
    let hessian = dmatrix![4.0, 0.0; 0.0, 1.0];
    let noise = dmatrix![1.0, 0.5; 0.5, 2.0];
    let isotropic = dmatrix![2.0, 0.0; 0.0, 2.0];
    let sde = stationary_covariance(&hessian, &noise, 0.1, 0.0).unwrap();
    for scheme in [Scheme::EulerMaruyama, Scheme::LeimkuhlerMatthews, Scheme::Platen] {
        assert_eq!(scheme_covariance(scheme, &hessian, &noise, 0.1, 0.0).unwrap(), sde);
    }
    let leimkuhler = |noise, step| scheme_covariance(Scheme::LeimkuhlerMatthews, &hessian, noise, 0.1, step).unwrap();
    let exact = stationary_covariance(&hessian, &isotropic, 0.1, 0.0).unwrap();
    assert!((leimkuhler(&isotropic, 0.4) - exact).norm() < 1e-15);
    let relative = (leimkuhler(&noise, 1e-4)[(0, 1)] / sde[(0, 1)] - 1.0) / 1e-4;
    assert!((relative + 9.0 / 20.0).abs() < 1e-3, "−(h₁ − h₂)²/(4(h₁ + h₂)) = −0.45, found {relative}");
}
