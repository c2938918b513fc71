//! Spectral densities by quadrature.

use crate::support::{by_nalgebra, covered, diagonal, is_nominal, with_spectrum};
use nalgebra::{DMatrix, DVector};
use sgd_sde::spectrum::{QuadraturePlan, SpectralMeasure, full_spectrum, probe_vector, spectral_measure};
use sgd_sde::statistics::Estimate;

/// A bulk of −1 … 1 and four outliers.
fn spectrum(d: usize) -> Vec<f64> {
    let mut spectrum: Vec<f64> = (0..d - 4).map(|i| -1.0 + 2.0 * i as f64 / (d - 5) as f64).collect();
    spectrum.extend([2.0, 3.0, 3.0, -2.5]);
    spectrum
}

fn moment(eigenvalues: &[f64], power: i32) -> f64 {
    eigenvalues.iter().map(|h| h.powi(power)).sum::<f64>() / eigenvalues.len() as f64
}

#[test]
fn every_probe_has_the_moments_of_a_diagonal_matrix() {
    // Signs squared are 1: vᵀAᵖv = (1/d) tr Aᵖ for every probe of a diagonal matrix.
    let spectrum = spectrum(2_000);
    let steps = 8;
    let plan = QuadraturePlan { probes: 3, steps, seed: 1 };
    let measure = spectral_measure(&mut diagonal(spectrum.clone()), &plan).unwrap();
    assert_eq!(measure.products, 3 * steps);
    for probe in &measure.probes {
        assert_eq!(probe.nodes.len(), steps);
        assert!(probe.weights.iter().all(|&weight| weight > 0.0));
        for power in 0..2 * steps as i32 {
            let (found, exact) = (probe.integral(|h| h.powi(power)), moment(&spectrum, power));
            assert!((found - exact).abs() < 1e-12 * 3f64.powi(power).max(1.0), "{power}: {found} {exact}");
        }
        // A quadrature of m nodes does not have the moment of degree 2m.
        let degree = 2 * steps as i32;
        assert!((probe.integral(|h| h.powi(degree)) - moment(&spectrum, degree)).abs() > 1e-9);
    }
}

#[test]
fn every_probe_has_the_moments_of_its_vector() {
    let d = 120;
    let mut matrix = with_spectrum(&spectrum(d), 2);
    let steps = 10;
    let measure = spectral_measure(&mut matrix, &QuadraturePlan { probes: 4, steps, seed: 9 }).unwrap();
    for (index, probe) in measure.probes.iter().enumerate() {
        let start = DVector::from_vec(probe_vector(9, index as u64, d)) / (d as f64).sqrt();
        let mut image = start.clone();
        for power in 0..2 * steps as i32 {
            let (found, exact) = (probe.integral(|h| h.powi(power)), start.dot(&image));
            assert!((found - exact).abs() < 1e-12 * 3f64.powi(power).max(1.0), "{power}: {found} {exact}");
            image = &matrix * image;
        }
    }
    for power in 0..6 {
        let estimate = measure.moment(power);
        assert!((estimate.value - moment(&spectrum(d), power)).abs() < 10.0 * estimate.standard_error + 1e-13);
    }
}

#[test]
fn intervals_cover_as_often_as_they_say() {
    let mut matrix = with_spectrum(&spectrum(150), 3);
    let exact = by_nalgebra(&matrix);
    let truth = exact.iter().map(|h| h.abs()).sum::<f64>() / 150.0;
    let repeats: Vec<Estimate> = (0..400)
        .map(|seed| {
            let plan = QuadraturePlan { probes: 12, steps: 40, seed };
            spectral_measure(&mut matrix, &plan).unwrap().integral(f64::abs)
        })
        .collect();
    let count = covered(&repeats, truth);
    assert!(is_nominal(count), "{count}");
}

#[test]
fn densities_agree_with_the_full_spectrum() {
    let d = 400;
    let mut matrix = with_spectrum(&spectrum(d), 4);
    let width = 0.15;
    let measure = spectral_measure(&mut matrix, &QuadraturePlan { probes: 40, steps: 60, seed: 2 }).unwrap();
    let grid = measure.grid(301, width);
    let (found, exact) = (measure.density(&grid, width), full_spectrum(&mut matrix).unwrap().measure());
    assert!(exact.is_exact() && !measure.is_exact());
    let mut worst = 0.0f64;
    for (found, exact) in found.iter().zip(exact.density(&grid, width)) {
        assert_eq!(exact.standard_error, 0.0);
        let off = (found.value - exact.value).abs() - 1e-6;
        worst = worst.max(off / found.standard_error.max(1e-12));
    }
    assert!(worst < 6.0, "{worst}");
    let area: f64 = found.iter().map(|x| x.value).sum::<f64>() * (grid[1] - grid[0]);
    assert!((area - 1.0).abs() < 1e-4, "{area}");
    let [low, high] = measure.range();
    assert!((low + 2.5).abs() < 1e-6 && (high - 3.0).abs() < 1e-6);
}

#[test]
fn the_broadened_density_by_hand() {
    // Half of the eigenvalues at 0, half at 1: at x = 0 the density is (1 + exp(−1/(2w²)))/(2w√(2π)).
    let measure = SpectralMeasure::exact(&[1.0, 0.0, 1.0, 0.0]);
    let width: f64 = 0.5;
    let expected = (1.0 + (-0.5 / (width * width)).exp()) / (2.0 * width * (2.0 * std::f64::consts::PI).sqrt());
    assert!((measure.density(&[0.0], width)[0].value - expected).abs() < 1e-15);
    assert_eq!(measure.grid(3, width), [-2.0, 0.5, 3.0]);
    assert_eq!(measure.moment(2), Estimate::exact(0.5));
}

#[test]
fn invariant_spaces_need_fewer_nodes() {
    let plan = QuadraturePlan { probes: 2, steps: 30, seed: 0 };
    for (matrix, most) in [
        (DMatrix::identity(50, 50) * 3.0, 1),
        (DMatrix::zeros(50, 50), 1),
        (DMatrix::from_element(1, 1, -2.0), 1),
        (with_spectrum(&[1.0, 2.0, 2.0, 5.0], 1), 3),
        (with_spectrum(&[vec![0.0; 90], vec![4.0; 5], vec![-1.0; 5]].concat(), 1), 3),
    ] {
        let mut matrix = matrix;
        let trace = matrix.trace() / matrix.nrows() as f64;
        let measure = spectral_measure(&mut matrix, &plan).unwrap();
        for probe in &measure.probes {
            assert!(probe.nodes.len() <= most, "{:?}", probe.nodes);
            assert!((probe.weights.iter().sum::<f64>() - 1.0).abs() < 1e-13);
        }
        if most == 1 {
            assert!((measure.moment(1).value - trace).abs() < 1e-14);
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let mut matrix = with_spectrum(&spectrum(60), 5);
    let plan = QuadraturePlan { probes: 3, steps: 20, seed: 6 };
    let first = spectral_measure(&mut matrix, &plan).unwrap();
    assert_eq!(first, spectral_measure(&mut matrix, &plan).unwrap());
    assert_ne!(first, spectral_measure(&mut matrix, &QuadraturePlan { seed: 7, ..plan }).unwrap());
}
