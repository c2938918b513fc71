//! Trace and Frobenius norm.

use crate::support::{by_nalgebra, covered, diagonal, is_nominal, with_spectrum};
use sgd_sde::spectrum::{MomentPlan, Moments, moments};
use sgd_sde::statistics::Estimate;

const REPEATS: u64 = 400;

/// Larger eigenvalues of both signs beside smaller ones, of which none rules: what a probe says is then nearly normal.
fn spectrum() -> Vec<f64> {
    (0..200).map(|i| if i % 3 == 0 { -1.0 } else { 1.0 } * (1.0 + 2.0 / (1.0 + 0.1 * i as f64))).collect()
}

fn sums(eigenvalues: &[f64]) -> [f64; 2] {
    [eigenvalues.iter().sum(), eigenvalues.iter().map(|h| h * h).sum()]
}

#[test]
fn small_matrices_are_summed_exactly() {
    for d in [1, 2, 3, 200] {
        let eigenvalues: Vec<f64> = spectrum().into_iter().take(d).collect();
        let mut matrix = with_spectrum(&eigenvalues, 1);
        let found = moments(&mut matrix, &MomentPlan::default()).unwrap();
        let [trace, squares] = sums(&eigenvalues);
        assert!((found.trace.value - trace).abs() < 1e-11 && found.trace.standard_error == 0.0);
        assert!((found.squared_frobenius.value - squares).abs() < 1e-11 * squares);
        assert!(found.trace.degrees_of_freedom.is_infinite() && found.products == d);
        assert!((found.frobenius().unwrap().value - squares.sqrt()).abs() < 1e-12 * squares);
    }
}

#[test]
fn intervals_cover_as_often_as_they_say() {
    let mut matrix = with_spectrum(&spectrum(), 2);
    let [trace, squares] = sums(&by_nalgebra(&matrix));
    for sketch in [0, 12] {
        let found: Vec<Moments> = (0..REPEATS)
            .map(|seed| moments(&mut matrix, &MomentPlan { probes: 40, sketch, exact_up_to: 0, seed }).unwrap())
            .collect();
        let traces: Vec<Estimate> = found.iter().map(|found| found.trace.clone()).collect();
        let frobenius: Vec<Estimate> = found.iter().map(|found| found.squared_frobenius.clone()).collect();
        for (name, estimates, truth) in [("trace", traces, trace), ("Frobenius", frobenius, squares)] {
            assert!(estimates.iter().take(20).all(|x| (x.value - truth).abs() < 5.0 * x.standard_error), "{name}");
            let count = covered(&estimates, truth);
            let mean = Estimate::from_replicas(&estimates.iter().map(|x| x.value).collect::<Vec<_>>()).unwrap();
            assert!(is_nominal(count), "{name}, sketch {sketch}: {count}");
            assert!((mean.value - truth).abs() < 4.5 * mean.standard_error, "{name}, sketch {sketch}");
            // The spread between repeats is the error that each states.
            let stated = estimates.iter().map(|x| x.standard_error.powi(2)).sum::<f64>() / REPEATS as f64;
            let ratio = mean.standard_error.powi(2) * REPEATS as f64 / stated;
            assert!((0.68..1.4).contains(&ratio), "{name}, sketch {sketch}: {ratio}");
        }
    }
}

#[test]
fn the_error_of_hutchinson_is_that_of_theory() {
    let mut matrix = with_spectrum(&spectrum(), 3);
    let probes = 2_000;
    let found = moments(&mut matrix, &MomentPlan { probes, sketch: 0, exact_up_to: 0, seed: 1 }).unwrap();
    // Var zᵀAz = 2 Σ_{i≠j} a²ᵢⱼ.
    let off_diagonal: f64 =
        matrix.iter().map(|a| a * a).sum::<f64>() - matrix.diagonal().iter().map(|a| a * a).sum::<f64>();
    let expected = (2.0 * off_diagonal / probes as f64).sqrt();
    assert!((found.trace.standard_error / expected - 1.0).abs() < 0.1);
    assert_eq!(found.products, probes);
}

#[test]
fn a_sketch_pays_where_few_eigenvalues_rule() {
    let eigenvalues: Vec<f64> = (0..300).map(|i| 100.0 / (1.0 + i as f64).powi(2)).collect();
    let mut matrix = with_spectrum(&eigenvalues, 4);
    let [trace, _] = sums(&eigenvalues);
    let plain = moments(&mut matrix, &MomentPlan { probes: 100, sketch: 0, exact_up_to: 0, seed: 2 }).unwrap();
    let sketched = moments(&mut matrix, &MomentPlan { probes: 60, sketch: 20, exact_up_to: 0, seed: 2 }).unwrap();
    assert_eq!(plain.products, sketched.products);
    assert!(sketched.trace.standard_error < 0.05 * plain.trace.standard_error);
    for found in [plain, sketched] {
        assert!((found.trace.value - trace).abs() < 5.0 * found.trace.standard_error);
    }
}

#[test]
fn a_matrix_within_the_sketch_has_no_error() {
    let mut eigenvalues = vec![0.0; 120];
    eigenvalues[..4].copy_from_slice(&[9.0, -4.0, 2.0, 1.0]);
    let mut matrix = with_spectrum(&eigenvalues, 5);
    let found = moments(&mut matrix, &MomentPlan { probes: 5, sketch: 10, exact_up_to: 0, seed: 3 }).unwrap();
    assert!((found.trace.value - 8.0).abs() < 1e-12 && found.trace.standard_error < 1e-12);
    assert!((found.squared_frobenius.value - 102.0).abs() < 1e-10 && found.squared_frobenius.standard_error < 1e-10);
    // More vectors than dimensions, and a matrix of zeros.
    let mut small = with_spectrum(&[1.0, 2.0, 3.0], 6);
    let found = moments(&mut small, &MomentPlan { probes: 5, sketch: 10, exact_up_to: 0, seed: 3 }).unwrap();
    assert!((found.trace.value - 6.0).abs() < 1e-12 && (found.squared_frobenius.value - 14.0).abs() < 1e-12);
    let found = moments(&mut diagonal(vec![0.0; 9]), &MomentPlan { exact_up_to: 0, ..MomentPlan::default() }).unwrap();
    assert_eq!((found.trace.value, found.squared_frobenius.value), (0.0, 0.0));
    assert_eq!(found.frobenius().unwrap().value, 0.0);
}

#[test]
fn signs_know_the_trace_of_a_diagonal_matrix() {
    let eigenvalues: Vec<f64> = (0..20_000).map(|i| (i % 7) as f64 - 2.0).collect();
    let [trace, squares] = sums(&eigenvalues);
    let plan = MomentPlan { probes: 3, sketch: 0, ..MomentPlan::default() };
    let found = moments(&mut diagonal(eigenvalues), &plan).unwrap();
    assert_eq!((found.trace.value, found.trace.standard_error), (trace, 0.0));
    assert_eq!((found.squared_frobenius.value, found.squared_frobenius.standard_error), (squares, 0.0));
    assert_eq!((found.trace.degrees_of_freedom, found.products), (2.0, 3));
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let mut matrix = with_spectrum(&spectrum(), 7);
    let plan = MomentPlan { exact_up_to: 0, seed: 4, ..MomentPlan::default() };
    let first = moments(&mut matrix, &plan).unwrap();
    assert_eq!(first, moments(&mut matrix, &plan).unwrap());
    assert_ne!(first, moments(&mut matrix, &MomentPlan { seed: 5, ..plan }).unwrap());
}
