//! What cannot be computed is told.

use crate::support::diagonal;
use nalgebra::DMatrix;
use sgd_sde::spectrum::{
    GradientCovariance, LanczosPlan, MomentPlan, Products, QuadraturePlan, SpectrumError, eigenpairs, full_spectrum,
    moments, spectral_measure,
};

fn is_plan<T: std::fmt::Debug>(result: Result<T, SpectrumError>, field: &str) -> bool {
    matches!(result, Err(SpectrumError::Plan { name, .. }) if name == field)
}

#[test]
fn matrices_without_rows() {
    let mut empty = DMatrix::zeros(0, 0);
    assert_eq!(eigenpairs(&mut empty, &LanczosPlan::largest(1)), Err(SpectrumError::Empty));
    assert_eq!(moments(&mut empty, &MomentPlan::default()), Err(SpectrumError::Empty));
    assert_eq!(spectral_measure(&mut empty, &QuadraturePlan::default()), Err(SpectrumError::Empty));
    assert_eq!(full_spectrum(&mut empty), Err(SpectrumError::Empty));
    assert!(matches!(GradientCovariance::new(vec![], 3), Err(SpectrumError::Empty)));
}

#[test]
fn products_that_are_not_finite() {
    for bad in [f64::NAN, f64::INFINITY, f64::MAX] {
        let mut operator = Products::new(5, move |v: &[f64], out: &mut [f64]| {
            out.copy_from_slice(v);
            out[2] = bad * (1.0 + v[2].abs());
        });
        let not_finite = |error| matches!(error, SpectrumError::NotFinite { .. });
        assert!(not_finite(eigenpairs(&mut operator, &LanczosPlan::largest(1)).unwrap_err()));
        assert!(not_finite(moments(&mut operator, &MomentPlan::default()).unwrap_err()));
        assert!(not_finite(spectral_measure(&mut operator, &QuadraturePlan::default()).unwrap_err()));
        assert!(not_finite(full_spectrum(&mut operator).unwrap_err()));
    }
    let error = GradientCovariance::new(vec![1.0, 2.0, f64::NAN, 4.0], 2).unwrap_err();
    assert_eq!(
        error.to_string(),
        "coordinate 0 of the gradient of example 1 is not a finite number; the loss may be undefined or overflow at this point"
    );
}

#[test]
fn plans_out_of_range() {
    let mut operator = diagonal(vec![1.0; 3]);
    let plan = LanczosPlan::largest(2);
    assert!(is_plan(eigenpairs(&mut operator, &LanczosPlan::largest(0)), "count"));
    assert!(is_plan(eigenpairs(&mut operator, &LanczosPlan { tolerance: f64::NAN, ..plan.clone() }), "tolerance"));
    assert!(is_plan(eigenpairs(&mut operator, &LanczosPlan { tolerance: 1e-16, ..plan.clone() }), "tolerance"));
    assert!(is_plan(eigenpairs(&mut operator, &LanczosPlan { basis: 9, ..plan }), "basis"));
    assert!(is_plan(moments(&mut operator, &MomentPlan { probes: 1, ..MomentPlan::default() }), "probes"));
    assert!(is_plan(
        moments(&mut operator, &MomentPlan { exact_up_to: 5_000, ..MomentPlan::default() }),
        "exact_up_to"
    ));
    assert!(is_plan(spectral_measure(&mut operator, &QuadraturePlan { probes: 1, steps: 3, seed: 0 }), "probes"));
    assert!(is_plan(spectral_measure(&mut operator, &QuadraturePlan { probes: 2, steps: 0, seed: 0 }), "steps"));
    let covariance = GradientCovariance::new(vec![1.0, 2.0, 3.0], 1).unwrap();
    assert!(is_plan(covariance.largest(0, 0), "count"));
    assert!(is_plan(covariance.trace_of_product(&mut diagonal(vec![1.0]), 1, 0), "examples"));
}

#[test]
fn sizes_that_do_not_fit() {
    let error = full_spectrum(&mut diagonal(vec![1.0; 2_001])).unwrap_err();
    assert_eq!(error, SpectrumError::TooLarge { dimension: 2_001, limit: 2_000 });
    assert!(matches!(
        GradientCovariance::new(vec![1.0; 7], 3),
        Err(SpectrumError::Dimension { found: 7, expected: 9, .. })
    ));
    let covariance = GradientCovariance::new(vec![1.0, 2.0, 3.0, 4.0], 2).unwrap();
    let error = covariance.trace_of_product(&mut diagonal(vec![1.0; 3]), 2, 0).unwrap_err();
    assert!(matches!(error, SpectrumError::Dimension { found: 3, expected: 2, .. }));
}

#[test]
fn what_is_not_symmetric_shows() {
    let mut rotation = Products::new(2, |v: &[f64], out: &mut [f64]| {
        out[0] = v[1];
        out[1] = -v[0];
    });
    assert_eq!(full_spectrum(&mut rotation).unwrap().asymmetry, 2.0);
}
