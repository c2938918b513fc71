//! The covariance of gradients, against the matrix written out.

use crate::support::{by_nalgebra, covered, is_nominal, residual, uniform_matrix, with_spectrum};
use nalgebra::DMatrix;
use sgd_sde::spectrum::{
    GRAM_UP_TO, GradientCovariance, LanczosPlan, MomentPlan, SymmetricOperator, alignment, dense_matrix, eigenpairs,
    moments,
};
use sgd_sde::statistics::Estimate;

/// Gradients with a mean that is large beside their spread, of which some directions rule.
fn gradients(examples: usize, dimension: usize, seed: u64) -> DMatrix<f64> {
    let rows = uniform_matrix(examples, dimension, seed);
    DMatrix::from_fn(examples, dimension, |i, j| 3.0 + j as f64 + rows[(i, j)] * (1.0 + 10.0 / (1.0 + j as f64)))
}

fn covariance(rows: &DMatrix<f64>) -> GradientCovariance<'static> {
    GradientCovariance::new(rows.transpose().as_slice().to_vec(), rows.ncols()).unwrap()
}

/// (1/N) Σ (gᵢ − ḡ)(gᵢ − ḡ)ᵀ, written out.
fn explicit(rows: &DMatrix<f64>) -> DMatrix<f64> {
    let mean = rows.row_mean();
    let mut centred = rows.clone();
    for mut row in centred.row_iter_mut() {
        row -= &mean;
    }
    centred.transpose() * &centred / rows.nrows() as f64
}

const SHAPES: [(usize, usize); 8] = [(1, 5), (2, 7), (12, 40), (40, 12), (20, 20), (60, 1), (90, 200), (200, 90)];

#[test]
fn everything_agrees_with_the_matrix_written_out() {
    for (seed, (examples, dimension)) in SHAPES.into_iter().enumerate() {
        let rows = gradients(examples, dimension, seed as u64);
        let (found, exact) = (covariance(&rows), explicit(&rows));
        assert_eq!((found.examples(), found.dimension()), (examples, dimension));
        let scale = exact.amax().max(1e-10);
        let (products, asymmetry) = dense_matrix(&mut found.products()).unwrap();
        assert!((&products - &exact).amax() < 1e-12 * scale && asymmetry < 1e-12);
        assert!((found.trace() - exact.trace()).abs() < 1e-11 * scale);
        let squares = exact.norm_squared();
        let squared = found.squared_frobenius(&MomentPlan::default()).unwrap();
        assert!((squared.value - squares).abs() < 1e-11 * squares.max(1e-20) && squared.standard_error == 0.0);
        let mut descending = by_nalgebra(&exact);
        descending.reverse();
        for count in [1, 5, dimension + 3] {
            let top = found.largest(count, 1).unwrap();
            assert!(top.converged);
            assert_eq!(top.pairs.len(), count.min(dimension));
            for (pair, exact) in top.pairs.iter().zip(&descending) {
                assert!((pair.value - exact).abs() < 1e-10 * scale, "{examples}×{dimension}: {} {exact}", pair.value);
                assert!(pair.residual < 1e-10 * scale);
                assert!(
                    (residual(&mut found.products(), pair.value, &pair.vector) - pair.residual).abs() < 1e-12 * scale
                );
            }
        }
        if examples == 1 {
            assert_eq!(found.anisotropy(0.0), None);
            assert_eq!(found.effective_rank(&squared), None);
        } else {
            let rank = found.effective_rank(&squared).unwrap();
            assert!((rank.value - exact.trace().powi(2) / squares).abs() < 1e-10 && rank.standard_error == 0.0);
            let anisotropy = found.anisotropy(descending[0]).unwrap();
            assert!((anisotropy - dimension as f64 * descending[0] / exact.trace()).abs() < 1e-10);
        }
    }
}

#[test]
fn lanczos_on_its_products_agrees_with_the_gram_matrix() {
    for (examples, dimension) in [(30, 80), (80, 30)] {
        let found = covariance(&gradients(examples, dimension, 3));
        let by_gram = found.largest(6, 0).unwrap();
        let by_lanczos = eigenpairs(&mut found.products(), &LanczosPlan::largest(6)).unwrap();
        for (a, b) in by_gram.pairs.iter().zip(&by_lanczos.pairs) {
            assert!((a.value - b.value).abs() < 1e-10 * a.value);
            let cosine: f64 = a.vector.iter().zip(&b.vector).map(|(a, b)| a * b).sum();
            assert!((cosine - 1.0).abs() < 1e-10, "{cosine}");
        }
        // ‖C‖²_F by probes on the products.
        let plan = MomentPlan { sketch: 8, exact_up_to: 0, ..MomentPlan::default() };
        let estimated = moments(&mut found.products(), &plan).unwrap();
        let exact = found.squared_frobenius(&plan).unwrap().value;
        let error = estimated.squared_frobenius.standard_error;
        assert!(error > 0.0);
        assert!((estimated.squared_frobenius.value - exact).abs() < 5.0 * error + 1e-9 * exact);
        assert!((estimated.trace.value - found.trace()).abs() < 5.0 * estimated.trace.standard_error);
    }
}

#[test]
fn many_examples_in_many_dimensions_need_no_gram_matrix() {
    // Examples 2j and 2j + 1 are ±aⱼeⱼ: C is diagonal, with 2aⱼ²/N.
    let dimension = GRAM_UP_TO + 1;
    let examples = 2 * dimension;
    let size = |j: usize| if j < 3 { 10.0 - j as f64 } else { 1.0 / (1.0 + j as f64) };
    let mut rows = vec![0.0; examples * dimension];
    for j in 0..dimension {
        rows[2 * j * dimension + j] = size(j);
        rows[(2 * j + 1) * dimension + j] = -size(j);
    }
    let found = GradientCovariance::new(rows, dimension).unwrap();
    let top = found.largest(3, 0).unwrap();
    for (j, pair) in top.pairs.iter().enumerate() {
        let exact = size(j) * size(j) / dimension as f64;
        assert!((pair.value - exact).abs() < 1e-12 && (pair.vector[j] - 1.0).abs() < 1e-9);
    }
    let squares: f64 = (0..dimension).map(|j| (size(j) * size(j) / dimension as f64).powi(2)).sum();
    let plan = MomentPlan { probes: 10, exact_up_to: 0, ..MomentPlan::default() };
    let squared = found.squared_frobenius(&plan).unwrap();
    assert!((squared.value - squares).abs() < 5.0 * squared.standard_error + 1e-12 * squares);
    assert_eq!(squared.degrees_of_freedom, 9.0);
}

#[test]
fn the_trace_with_a_curvature_and_the_alignment_agree_with_matrices() {
    for (examples, dimension) in [(15, 40), (60, 40)] {
        let rows = gradients(examples, dimension, 4);
        let (found, exact) = (covariance(&rows), explicit(&rows));
        let eigenvalues: Vec<f64> = (0..dimension).map(|i| 5.0 / (1.0 + i as f64) - 0.3).collect();
        let mut h = with_spectrum(&eigenvalues, 5);
        let trace = found.trace_of_product(&mut h, examples, 0).unwrap();
        let expected = (&h * &exact).trace();
        assert!((trace.value - expected).abs() < 1e-11 * expected.abs() && trace.standard_error == 0.0);
        let squared_h = moments(&mut h, &MomentPlan::default()).unwrap().squared_frobenius;
        let squared_c = found.squared_frobenius(&MomentPlan::default()).unwrap();
        let aligned = alignment(&trace, &squared_h, &squared_c).unwrap();
        assert!((aligned.value - expected / (h.norm() * exact.norm())).abs() < 1e-12);
        assert_eq!(aligned.standard_error, 0.0);
    }
}

#[test]
fn a_covariance_is_aligned_with_itself() {
    let found = covariance(&gradients(50, 30, 6));
    let trace = found.trace_of_product(&mut found.products(), usize::MAX, 0).unwrap();
    let squared = found.squared_frobenius(&MomentPlan::default()).unwrap();
    assert!((alignment(&trace, &squared, &squared).unwrap().value - 1.0).abs() < 1e-12);
}

#[test]
fn intervals_of_a_sample_of_examples_cover_as_often_as_they_say() {
    let (examples, dimension) = (120, 30);
    let found = covariance(&gradients(examples, dimension, 7));
    let mut h = with_spectrum(&(0..dimension).map(|i| 1.0 + i as f64).collect::<Vec<_>>(), 8);
    let truth = found.trace_of_product(&mut h, examples, 0).unwrap().value;
    // Half of the examples: without the factor 1 − 60/120 the errors would be too large by √2.
    let repeats: Vec<Estimate> = (0..400).map(|seed| found.trace_of_product(&mut h, 60, seed).unwrap()).collect();
    let count = covered(&repeats, truth);
    let mean = Estimate::from_replicas(&repeats.iter().map(|x| x.value).collect::<Vec<_>>()).unwrap();
    let stated = repeats.iter().map(|x| x.standard_error.powi(2)).sum::<f64>() / 400.0;
    let ratio = mean.standard_error.powi(2) * 400.0 / stated;
    assert!(is_nominal(count), "{count}");
    assert!((0.7..1.4).contains(&ratio), "{ratio}");
    assert!((mean.value - truth).abs() < 4.5 * mean.standard_error);
}

#[test]
fn a_sampled_alignment_covers() {
    let (examples, dimension) = (300, 60);
    let rows = gradients(examples, dimension, 9);
    let (found, exact) = (covariance(&rows), explicit(&rows));
    let mut h = with_spectrum(&(0..dimension).map(|i| 1.0 + (i % 5) as f64).collect::<Vec<_>>(), 10);
    let truth = (&h * &exact).trace() / (h.norm() * exact.norm());
    let repeats: Vec<Estimate> = (0..400)
        .map(|seed| {
            let plan = MomentPlan { probes: 30, sketch: 0, exact_up_to: 0, seed };
            let squared_h = moments(&mut h, &plan).unwrap().squared_frobenius;
            let squared_c = moments(&mut found.products(), &MomentPlan { probes: 200, seed: seed + 1_000, ..plan });
            let trace = found.trace_of_product(&mut h, 40, seed).unwrap();
            alignment(&trace, &squared_h, &squared_c.unwrap().squared_frobenius).unwrap()
        })
        .collect();
    let count = covered(&repeats, truth);
    assert!(is_nominal(count), "{count}");
}

#[test]
fn products_do_not_depend_on_what_the_output_held() {
    let found = covariance(&gradients(9, 4, 11));
    let (mut clean, mut used) = (vec![0.0; 4], vec![7.0; 4]);
    found.products().apply(&[1.0, 2.0, 3.0, 4.0], &mut clean);
    found.products().apply(&[1.0, 2.0, 3.0, 4.0], &mut used);
    assert_eq!(clean, used);
}
