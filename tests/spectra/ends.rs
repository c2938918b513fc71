//! Eigenpairs at the ends of a spectrum, against full decompositions.

use crate::support::{by_nalgebra, diagonal, residual, uniform_matrix, with_spectrum};
use nalgebra::DMatrix;
use sgd_sde::spectrum::{
    Eigenpairs, LanczosPlan, SymmetricOperator, Which, eigenpairs, full_decomposition, full_spectrum,
};

/// The best `count` of ascending eigenvalues.
fn best(ascending: &[f64], which: Which, count: usize) -> Vec<f64> {
    let mut values = ascending.to_vec();
    match which {
        Which::Largest => values.reverse(),
        Which::Smallest => {}
        Which::LargestMagnitude => values.sort_by(|a, b| b.abs().total_cmp(&a.abs())),
    }
    values.truncate(count);
    values
}

/// d values from `low` to `high` at equal distances.
fn ramp(low: f64, high: f64, d: usize) -> Vec<f64> {
    (0..d).map(|i| low + (high - low) * i as f64 / (d.max(2) - 1) as f64).collect()
}

/// Spectra with their difficulties.
fn spectra() -> Vec<(&'static str, Vec<f64>)> {
    let beside = |first: &[f64], rest: Vec<f64>| [first, &rest].concat();
    vec![
        ("one number", vec![-2.5]),
        ("two numbers", vec![3.0, -1.0]),
        ("twice the same", vec![1.5, 1.5]),
        ("three numbers", vec![1.0, 2.0, -4.0]),
        ("three with a pair", vec![1.0, 1.0, -4.0]),
        ("zero", vec![0.0; 30]),
        ("identity", vec![1.0; 200]),
        ("clustered", beside(&[10.0, 10.0 - 1e-6, 10.0 - 2e-6, 9.0, 9.0 - 1e-4], ramp(0.0, 5.0, 195))),
        ("multiple", beside(&[7.0, 7.0, 7.0, 6.0, 6.0], ramp(-1.0, 5.0, 195))),
        ("multiple all over", beside(&[4.0; 8], [[2.0; 60], [-1.0; 60], [-3.0; 60]].concat())),
        ("rank 3", beside(&[5.0, 3.0, 2.0], vec![0.0; 197])),
        ("rank 7, indefinite", beside(&[5.0, 3.0, 2.0, -1.0, -1.0, -6.0, -8.0], vec![0.0; 193])),
        ("projector of rank 6", beside(&[1.0; 6], vec![0.0; 194])),
        ("indefinite", beside(&[20.0, 12.0, -15.0, -12.0, 8.0], ramp(-2.0, 4.0, 195))),
        ("negative definite", ramp(-9.0, -1.0, 200)),
        ("symmetric about 0", ramp(-1.0, 1.0, 200)),
        ("geometric", (0..200).map(|i| 0.8f64.powi(i)).collect()),
    ]
}

/// A cluster of eigenvalues at 0 that no number of products takes apart: it has no smallest one to be found.
const WITHOUT_BOTTOM: &str = "geometric";

/// Values, residuals and vectors of the found pairs against the exact spectrum.
fn check(name: &str, operator: &mut dyn SymmetricOperator, found: &Eigenpairs, expected: &[f64], scale: f64) {
    assert!(found.converged, "{name}");
    assert_eq!(found.pairs.len(), expected.len(), "{name}");
    let rounding = 4e-15 * scale * (operator.dimension() as f64).sqrt();
    for (pair, &exact) in found.pairs.iter().zip(expected) {
        let error = (pair.value - exact).abs();
        assert!(error <= 1e-6 * exact.abs() + rounding, "{name}: {} for {exact}", pair.value);
        assert!(error <= pair.residual + rounding, "{name}: error {error:e}, residual {:e}", pair.residual);
        assert!(error <= pair.gap_bound() + rounding, "{name}: error {error:e}, bound {:e}", pair.gap_bound());
        let again = residual(operator, pair.value, &pair.vector);
        assert!((again - pair.residual).abs() <= rounding, "{name}: {again:e} {:e}", pair.residual);
        assert!(pair.residual <= 1e-7 * scale + rounding, "{name}: {:e}", pair.residual);
        for other in &found.pairs {
            let product: f64 = pair.vector.iter().zip(&other.vector).map(|(a, b)| a * b).sum();
            let expected = if std::ptr::eq(pair, other) { 1.0 } else { 0.0 };
            assert!((product - expected).abs() < 1e-12, "{name}: vectors {product}");
        }
    }
}

#[test]
fn every_end_of_every_spectrum_is_found() {
    for (seed, (name, spectrum)) in spectra().into_iter().enumerate() {
        let mut matrix = with_spectrum(&spectrum, seed as u64);
        let exact = by_nalgebra(&matrix);
        let scale = exact.iter().fold(0.0f64, |a, x| a.max(x.abs()));
        for which in [Which::Largest, Which::Smallest, Which::LargestMagnitude] {
            if which == Which::Smallest && name == WITHOUT_BOTTOM {
                continue;
            }
            for count in [1, 5, 20] {
                let found = eigenpairs(&mut matrix, &LanczosPlan::new(count, which)).unwrap();
                let mut expected = best(&exact, which, count);
                if which == Which::LargestMagnitude {
                    // Values of equal magnitude and different sign have no order: of each pair whatever was found.
                    for (expected, pair) in expected.iter_mut().zip(&found.pairs) {
                        *expected = expected.abs().copysign(pair.value);
                    }
                }
                let case = format!("{name}, {count} {which:?}");
                check(&case, &mut matrix, &found, &expected, scale);
            }
        }
    }
}

#[test]
fn twenty_thousand_dimensions_with_clusters_and_copies() {
    let d = 20_000;
    let mut spectrum: Vec<f64> = ramp(-0.5, 1.0, d - 7);
    spectrum.extend([30.0, 12.0, 12.0, 12.0 - 1e-5, 5.0, -8.0, -8.0]);
    let mut ascending = spectrum.clone();
    ascending.sort_by(f64::total_cmp);
    let mut operator = diagonal(spectrum);
    for (which, count) in [(Which::Largest, 5), (Which::LargestMagnitude, 7), (Which::Smallest, 2)] {
        let found = eigenpairs(&mut operator, &LanczosPlan::new(count, which)).unwrap();
        check(&format!("{which:?}"), &mut operator, &found, &best(&ascending, which, count), 30.0);
        // The dense bulk beside them is not taken apart to see that no copy was overlooked.
        assert!(found.products < 150, "{}", found.products);
    }
}

#[test]
fn a_copy_that_shows_slowly_is_not_overlooked() {
    // In a fresh start the second 1.1 stays below 1.05, which would be taken for the next best, for more than ten steps.
    let spectrum = [ramp(-1.0, 1.0, 4_000), vec![1.05, 1.1, 1.1]].concat();
    for seed in 0..5 {
        let mut operator = diagonal(spectrum.clone());
        let found = eigenpairs(&mut operator, &LanczosPlan { seed, ..LanczosPlan::largest(2) }).unwrap();
        check("slow copy", &mut operator, &found, &[1.1, 1.1], 1.1);
    }
}

#[test]
fn an_end_without_outliers_takes_restarts() {
    // The distance to the next eigenvalue is 2.5e-4 of the range.
    let spectrum = ramp(0.0, 1.0, 4_000);
    let mut operator = diagonal(spectrum.clone());
    let found = eigenpairs(&mut operator, &LanczosPlan::largest(5)).unwrap();
    check("ramp", &mut operator, &found, &best(&spectrum, Which::Largest, 5), 1.0);
    assert!(found.products > 200);
}

#[test]
fn bounds_are_not_loose_in_any_unit() {
    for unit in [1.0, 1e4, 1e-4] {
        // A large tolerance, so that errors are far above rounding.
        let mut spectrum = ramp(0.0, 1.0, 300);
        spectrum.extend([2.0, 1.8, 1.6, 1.4, 1.2]);
        let mut matrix = with_spectrum(&spectrum, 5) * unit;
        let exact = best(&by_nalgebra(&matrix), Which::Largest, 5);
        let mut compared = 0;
        for seed in 0..10 {
            let plan = LanczosPlan { tolerance: 1e-3, seed, ..LanczosPlan::largest(5) };
            let found = eigenpairs(&mut matrix, &plan).unwrap();
            for (pair, exact) in found.pairs.iter().zip(&exact) {
                let error = (pair.value - exact).abs();
                assert!(error <= pair.gap_bound() + 1e-14 * unit, "{pair:?}");
                assert!(pair.gap_bound() <= pair.residual && pair.residual <= 4e-3 * unit);
                if error > 1e-12 * unit {
                    compared += 1;
                    assert!(pair.gap_bound() <= 1e3 * error, "{pair:?}");
                }
            }
        }
        assert!(compared >= 10, "{compared}");
    }
}

#[test]
fn the_residual_is_the_error_where_nothing_separates() {
    // A vector in the middle between two close eigenvalues: no bound without a gap can be smaller than its residual.
    let mut spectrum = vec![0.0; 50];
    spectrum.extend([1.0, 1.0 - 1e-4]);
    let mut operator = diagonal(spectrum);
    let found = eigenpairs(&mut operator, &LanczosPlan { tolerance: 1e-3, ..LanczosPlan::largest(1) }).unwrap();
    let pair = &found.pairs[0];
    let error = (pair.value - 1.0).abs().min((pair.value - 1.0 + 1e-4).abs());
    assert!(error <= pair.residual + 1e-15, "{error:e} {:e}", pair.residual);
}

#[test]
fn the_angle_to_the_eigenvector_is_bounded() {
    let mut spectrum = ramp(0.0, 1.0, 200);
    spectrum.extend([1.5, 2.0]);
    let mut operator = diagonal(spectrum);
    let found = eigenpairs(&mut operator, &LanczosPlan { tolerance: 1e-2, ..LanczosPlan::largest(2) }).unwrap();
    for (pair, coordinate) in found.pairs.iter().zip([201, 200]) {
        let cosine = pair.vector[coordinate];
        let sine = (1.0 - cosine * cosine).max(0.0).sqrt();
        assert!(cosine > 0.0 && sine <= pair.angle_bound() + 1e-7, "{sine:e} {:e}", pair.angle_bound());
        assert!(pair.angle_bound() < 0.1 && pair.angle_bound() <= 100.0 * sine + 1e-7);
    }
}

#[test]
fn a_search_without_enough_products_says_so_and_its_residuals_hold() {
    let spectrum = ramp(0.0, 1.0, 4_000);
    let mut operator = diagonal(spectrum.clone());
    let plan = LanczosPlan { maximum_products: 60, ..LanczosPlan::largest(5) };
    let found = eigenpairs(&mut operator, &plan).unwrap();
    assert!(!found.converged && found.pairs.len() == 5 && found.products <= 65);
    for pair in &found.pairs {
        let nearest = spectrum.iter().map(|h| (h - pair.value).abs()).fold(f64::INFINITY, f64::min);
        assert!(nearest <= pair.residual && pair.residual > 1e-8);
        assert_eq!(pair.gap, None);
    }
}

#[test]
fn a_cluster_that_cannot_be_taken_apart_is_told() {
    let eigenvalues: Vec<f64> = (0..200).map(|i| 0.8f64.powi(i)).collect();
    let plan = LanczosPlan { maximum_products: 500, ..LanczosPlan::smallest(1) };
    let found = eigenpairs(&mut diagonal(eigenvalues), &plan).unwrap();
    assert!(!found.converged);
    let pair = &found.pairs[0];
    assert!(pair.value > 0.0 && pair.value < 1e-5 && pair.residual > 1e-8, "{pair:?}");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let mut matrix = with_spectrum(&spectra()[8].1, 3);
    let plan = LanczosPlan { seed: 7, ..LanczosPlan::largest(5) };
    let first = eigenpairs(&mut matrix, &plan).unwrap();
    assert_eq!(first, eigenpairs(&mut matrix, &plan).unwrap());
    let other = eigenpairs(&mut matrix, &LanczosPlan { seed: 8, ..plan }).unwrap();
    assert_ne!(first, other);
    assert!(first.values().iter().zip(other.values()).all(|(a, b)| (a - b).abs() < 1e-12));
}

#[test]
fn full_spectra_agree_with_nalgebra() {
    for d in [1, 2, 3, 60, 200] {
        let square = uniform_matrix(d, d, d as u64);
        let mut matrix: DMatrix<f64> = &square + square.transpose();
        let expected = by_nalgebra(&matrix);
        let found = full_spectrum(&mut matrix).unwrap();
        assert_eq!(found.asymmetry, 0.0);
        assert!(found.values.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-12));
        let (again, vectors) = full_decomposition(&mut matrix).unwrap();
        assert!(again.values.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-12));
        for (j, value) in again.values.iter().enumerate() {
            assert!(residual(&mut matrix, *value, vectors.column(j).as_slice()) < 1e-12);
        }
    }
    for (name, spectrum) in spectra() {
        let mut sorted = spectrum.clone();
        sorted.sort_by(f64::total_cmp);
        let found = full_spectrum(&mut with_spectrum(&spectrum, 1)).unwrap();
        assert!(found.values.iter().zip(&sorted).all(|(a, b)| (a - b).abs() < 1e-12), "{name}");
    }
}
