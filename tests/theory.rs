//! The tables of reference numbers: every rung, both losses.
#![allow(missing_docs)]

use std::sync::Arc;

use nalgebra::{DMatrix, dmatrix};
use sgd_sde::landscape::Landscape;
use sgd_sde::loss::Loss;
use sgd_sde::loss::closure::Closure;
use sgd_sde::loss::wells::{Well, Wells};
use sgd_sde::theory::discrete::{Chain, first_order::first_order};
use sgd_sde::theory::{escape, gibbs, laplace};

const DOMAIN: [[f64; 2]; 1] = [[-3.0, 3.0]];

fn quartic() -> Arc<dyn Loss> {
    let value = |x: &[f64]| x[0].powi(4) / 4.0 - x[0] * x[0] / 2.0 + 0.1 * x[0];
    let gradient = |x: &[f64], g: &mut [f64]| g[0] = x[0] * x[0] * x[0] - x[0] + 0.1;
    Arc::new(Closure::new(1, value, gradient).with_hessian(|x| DMatrix::from_element(1, 1, 3.0 * x[0] * x[0] - 1.0)))
}

fn wells() -> Arc<dyn Loss> {
    let sharp = Well { position: vec![-1.0], loss: 0.0, hessian: dmatrix![8.0] };
    let wide = Well { position: vec![1.0], loss: 0.1, hessian: dmatrix![1.5] };
    Arc::new(Wells::new(&[sharp, wide], 0.1).unwrap())
}

struct Row {
    temperature: f64,
    gibbs: f64,
    laplace: f64,
    discrete: [f64; 3],
    passage: f64,
    kramers: f64,
}

fn check(loss: Arc<dyn Loss>, rows: &[Row]) {
    let landscape = Landscape::explore(loss.clone(), &DOMAIN).unwrap();
    assert_eq!(landscape.minima.len(), 2);
    let left = landscape.minima.iter().position(|minimum| minimum.theta[0] < 0.0).unwrap();
    let place = |index: usize| landscape.minima[index].theta[0];
    for row in rows {
        let t = row.temperature;
        let slide = laplace::occupancies(&landscape.minima, t).unwrap()[left];
        assert!((slide - row.laplace).abs() < 1e-6, "Laplace {slide} {}", row.laplace);
        let law = gibbs::by_quadrature(loss.as_ref(), &landscape, &DOMAIN, t).unwrap();
        assert!((law.occupancies[left] - row.gibbs).abs() < 1e-6, "Gibbs {} {}", law.occupancies[left], row.gibbs);
        assert!((law.occupancies.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for (step, expected) in [0.01, 0.05, 0.1].into_iter().zip(row.discrete) {
            let chain = Chain::new(loss.as_ref(), &landscape, DOMAIN[0], t, step).unwrap();
            let occupancy = chain.stationary().unwrap().occupancies[left];
            assert!((occupancy - expected).abs() < 2e-5, "T {t}, step {step}: {occupancy} {expected}");
        }
        let passage = escape::exact_passage_time(loss.as_ref(), DOMAIN[0], place(left), place(1 - left), t).unwrap();
        assert!((passage / row.passage - 1.0).abs() < 1e-4, "passage {passage} {}", row.passage);
        let kramers = escape::kramers(&landscape, left, 1 - left, t).unwrap();
        assert!((kramers / row.kramers - 1.0).abs() < 1e-4, "Kramers {kramers} {}", row.kramers);
    }
}

#[test]
fn quartic_table() {
    check(
        quartic(),
        &[
            Row {
                temperature: 0.05,
                gibbs: 0.977954,
                laplace: 0.978992,
                discrete: [0.977913, 0.977713, 0.977368],
                passage: 5890.92,
                kramers: 5367.52,
            },
            Row {
                temperature: 0.1,
                gibbs: 0.859060,
                laplace: 0.863438,
                discrete: [0.858848, 0.857866, 0.856287],
                passage: 177.970,
                kramers: 150.506,
            },
        ],
    );
}

#[test]
fn wells_table() {
    check(
        wells(),
        &[
            Row {
                temperature: 0.1,
                gibbs: 0.540663,
                laplace: 0.540663,
                discrete: [0.514379, 0.224984, 0.025013],
                passage: 731820.0,
                kramers: 540593.0,
            },
            Row {
                temperature: 0.2,
                gibbs: 0.416559,
                laplace: 0.416541,
                discrete: [0.402340, 0.269226, 0.106871],
                passage: 592.059,
                kramers: 346.263,
            },
        ],
    );
}

/// Short of the step's first order, the chain's passage to c is the SDE's to c + 0.5826 √(2Tδ), because it is looked
/// at only at its steps (Broadie, Glasserman & Kou 1997: 0.5826 = −ζ(½)/√(2π)); what is left falls as δ. And at a large
/// step it is what a plain simulation of the chain says (2 × 50,000 passages, 4 standard errors: false-failure rate
/// 1.3e−4).
#[test]
fn passage_time_of_the_chain() {
    let loss = quartic();
    let landscape = Landscape::explore(loss.clone(), &DOMAIN).unwrap();
    let left_over = |step: f64| {
        let chain = Chain::new(loss.as_ref(), &landscape, DOMAIN[0], 0.1, step).unwrap();
        let target = 0.5826 * (2.0f64 * 0.1 * step).sqrt();
        let exact = escape::exact_passage_time(loss.as_ref(), DOMAIN[0], -1.0, target, 0.1).unwrap();
        chain.mean_passage_time(-1.0, 0.0).unwrap() / exact - 1.0
    };
    let (coarse, fine) = (left_over(0.01), left_over(0.0025));
    assert!(coarse.abs() < 0.02 && (coarse / fine - 4.0).abs() < 0.4, "{coarse} {fine}");

    use rand_distr::{Distribution, StandardNormal};
    use sgd_sde::random::{Purpose, stream::Stream};
    let (step, temperature) = (0.2, 0.1);
    let chain = Chain::new(loss.as_ref(), &landscape, DOMAIN[0], temperature, step).unwrap();
    let mut stream = Stream::new(11, 0, Purpose::Start);
    let spread = (2.0f64 * temperature * step).sqrt();
    for (from, to) in [(-1.0, -0.4), (0.9, 0.2)] {
        let predicted = chain.mean_passage_time(from, to).unwrap();
        let times: Vec<f64> = (0..50_000)
            .map(|_| {
                let (mut x, mut steps): (f64, u32) = (from, 0);
                while (x - to) * (from - to) > 0.0 {
                    let normal: f64 = StandardNormal.sample(&mut stream);
                    x = x - step * (x * x * x - x + 0.1) + spread * normal;
                    steps += 1;
                }
                f64::from(steps) * step
            })
            .collect();
        let mean = times.iter().sum::<f64>() / times.len() as f64;
        let variance = times.iter().map(|t| (t - mean) * (t - mean)).sum::<f64>() / (times.len() - 1) as f64;
        let error = (variance / times.len() as f64).sqrt();
        assert!((mean - predicted).abs() < 4.0 * error, "{mean} ± {error}, predicted {predicted}");
    }
}

/// A separable loss in the plane: the Gibbs masses are those of the line.
#[test]
fn plane_agrees_with_the_line() {
    let value = |x: &[f64]| x[0].powi(4) / 4.0 - x[0] * x[0] / 2.0 + 0.1 * x[0] + 1.5 * x[1] * x[1];
    let gradient = |x: &[f64], g: &mut [f64]| {
        g[0] = x[0] * x[0] * x[0] - x[0] + 0.1;
        g[1] = 3.0 * x[1];
    };
    let loss: Arc<dyn Loss> = Arc::new(Closure::new(2, value, gradient));
    let domain = [[-2.0, 2.0], [-2.0, 2.0]];
    let landscape = Landscape::explore(loss.clone(), &domain).unwrap();
    assert_eq!((landscape.minima.len(), landscape.saddles.len()), (2, 1));
    assert!((landscape.saddles[0].point.theta[0] - 0.101031).abs() < 1e-6);
    let law = gibbs::by_quadrature(loss.as_ref(), &landscape, &domain, 0.1).unwrap();
    assert!((law.occupancies[0] - 0.859060).abs() < 1e-5, "{}", law.occupancies[0]);
}

/// The first order in the step against the transfer operator, where the first order is good.
#[test]
fn first_order_of_the_step() {
    let loss = quartic();
    let landscape = Landscape::explore(loss.clone(), &DOMAIN).unwrap();
    let law = gibbs::by_quadrature(loss.as_ref(), &landscape, &DOMAIN, 0.1).unwrap();
    // What the first order leaves, relative to the whole shift, is of order δ.
    let left_over = |step: f64| {
        let chain = Chain::new(loss.as_ref(), &landscape, DOMAIN[0], 0.1, step).unwrap().stationary().unwrap();
        let first = first_order(loss.as_ref(), &landscape, &law, 0.1, step).unwrap();
        (first.occupancies[0] - chain.occupancies[0]) / (chain.occupancies[0] - law.occupancies[0])
    };
    let (coarse, fine) = (left_over(0.012), left_over(0.003));
    assert!(coarse.abs() < 0.1 && (coarse / fine - 4.0).abs() < 0.4, "{coarse} {fine}");
    assert!(first_order(loss.as_ref(), &landscape, &law, 0.1, 0.1).is_err());
}

/// At a step so large that the chain in the end escapes to infinity, its law is that of what stays (as long as next to
/// nothing escapes): against a plain simulation of 64 × 400,000 steps, 4.5 standard errors of 64 replicas
/// (false-failure rate 2 × 3e−5).
#[test]
fn law_of_the_chain_that_is_only_quasi_stationary() {
    use rand_distr::{Distribution, StandardNormal};
    use sgd_sde::random::{Purpose, stream::Stream};
    let loss = quartic();
    let landscape = Landscape::explore(loss.clone(), &DOMAIN).unwrap();
    for step in [0.3, 0.35] {
        let chain = Chain::new(loss.as_ref(), &landscape, DOMAIN[0], 0.1, step).unwrap();
        let predicted = chain.stationary().unwrap().occupancies[0];
        let spread = (2.0f64 * 0.1 * step).sqrt();
        let fractions: Vec<f64> = (0..64)
            .map(|replica| {
                let mut stream = Stream::new(17, replica, Purpose::Start);
                let (mut x, mut left) = (if replica % 2 == 0 { -1.0 } else { 0.9 }, 0);
                for k in -10_000..400_000 {
                    let normal: f64 = StandardNormal.sample(&mut stream);
                    x = x - step * (x * x * x - x + 0.1) + spread * normal;
                    left += i32::from(k >= 0 && x < landscape.saddles[0].point.theta[0]);
                }
                f64::from(left) / 400_000.0
            })
            .collect();
        let mean = fractions.iter().sum::<f64>() / 64.0;
        let error = (fractions.iter().map(|f| (f - mean) * (f - mean)).sum::<f64>() / 63.0 / 64.0).sqrt();
        assert!((mean - predicted).abs() < 4.5 * error, "step {step}: {mean} ± {error}, predicted {predicted}");
        assert!(error < 1e-3);
    }
}
