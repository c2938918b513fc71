//! Against JAX, on the same weights and examples, in one batch and in pieces.

use sgd_sde::network::{Batch, Real, Workspace};

use crate::support::{Case, Values, cases, distance, numbers};

fn compare<T: Real>(case: &Case, values: &Values, bound: f64) {
    let network = case.network();
    let examples = case.examples::<T>();
    network.accepts(&examples).unwrap();
    let (theta, direction) = (numbers::<T>(&case.theta), numbers::<T>(&case.direction));
    let d = network.parameters();
    for capacity in [1, 3, 7, 100] {
        let workspace = &mut Workspace::new(&network, capacity);
        let batch = Batch::all(&examples);
        let check = |what: &str, found: &[T], expected: &[f64]| {
            let distance = distance(found, expected);
            assert!(distance < bound, "{}, {what}, {capacity} at once: {distance:e}", case.name);
        };
        let mut gradient = vec![T::from_f64(f64::NAN); d];
        let loss = network.gradient(&theta, batch, &mut gradient, workspace);
        assert!((loss - values.loss).abs() < bound * values.loss.abs().max(1.0), "{}: {loss}", case.name);
        assert_eq!(network.loss(&theta, batch, workspace), loss);
        check("gradient", &gradient, &values.gradient);
        let mut rows = vec![T::from_f64(f64::NAN); d * examples.count()];
        network.example_gradients(&theta, batch, &mut rows, workspace);
        check("example gradients", &rows, &values.example_gradients);
        let mut product = vec![T::from_f64(f64::NAN); d];
        network.hessian_product(&theta, batch, &direction, &mut product, workspace);
        check("Hessian product", &product, &values.hessian_product);
    }
}

#[test]
fn double_precision_is_that_of_jax() {
    for case in cases() {
        compare::<f64>(&case, &case.double, 1e-12);
    }
}

#[test]
fn single_precision_is_that_of_jax() {
    for case in cases() {
        compare::<f32>(&case, &case.single, 1e-5);
    }
}

#[test]
fn hessians_are_those_of_jax() {
    let mut compared = 0;
    for case in cases().iter().filter(|case| !case.double.hessian.is_empty()) {
        let (network, examples) = (case.network(), case.examples::<f64>());
        let mut workspace = Workspace::new(&network, 7);
        let hessian = network.hessian(&case.theta, Batch::all(&examples), &mut workspace);
        let distance = distance(hessian.as_slice(), &case.double.hessian);
        assert!(distance < 1e-12, "{}: {distance:e}", case.name);
        compared += 1;
    }
    assert_eq!(compared, 4);
}
