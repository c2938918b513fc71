//! Curvature of the training loss of a network, by exact Hessian products in double precision.

use super::course::Course;
use crate::network::{Batch, Examples, Workspace};
use crate::spectrum::{LanczosPlan, Products, eigenpairs};
use crate::training::examples;

/// Examples that pass through the network at once.
pub(super) const PIECE: usize = 256;

/// The training examples in double precision; `None` where the network does not take them, which a course rules out.
pub(super) fn double_examples(course: &Course) -> Option<Examples<f64>> {
    examples(&course.network, &course.data.training).ok()
}

/// The largest eigenvalue of H at θ, to 1e−4 of it.
pub(super) fn sharpest(course: &Course, examples: &Examples<f64>, theta: &[f64]) -> Option<f64> {
    let mut workspace = Workspace::new(&course.network, PIECE);
    let product = |v: &[f64], out: &mut [f64]| {
        course.network.hessian_product(theta, Batch::all(examples), v, out, &mut workspace);
    };
    let mut hessian = Products::new(theta.len(), product);
    let plan = LanczosPlan { tolerance: 1e-4, maximum_products: 2_000, ..LanczosPlan::largest(1) };
    let found = eigenpairs(&mut hessian, &plan).ok()?;
    found.pairs.first().map(|pair| pair.value).filter(|value| value.is_finite())
}

/// 2/λ_max of H at the first weights of the first replica.
pub(super) fn largest_stable_rate(course: &Course) -> Option<f64> {
    let examples = double_examples(course)?;
    let sharpest = sharpest(course, &examples, &course.first_weights())?;
    (sharpest > 0.0).then_some(2.0 / sharpest)
}

/// tr C(θ)/d of the example gradients: σ² of isotropic noise with the same trace. `None` where it is no number.
pub(super) fn mean_variance(course: &Course, theta: &[f64]) -> Option<f64> {
    let examples = double_examples(course)?;
    let (count, d) = (examples.count(), theta.len());
    let mut workspace = Workspace::new(&course.network, PIECE);
    let mut mean = vec![0.0; d];
    course.network.gradient(theta, Batch::all(&examples), &mut mean, &mut workspace);
    let mut rows = vec![0.0; PIECE.min(count) * d];
    let mut total = 0.0;
    for first in (0..count).step_by(PIECE) {
        let batch: Vec<u32> = (first..count.min(first + PIECE)).map(|example| example as u32).collect();
        let rows = &mut rows[..batch.len() * d];
        course.network.example_gradients(theta, Batch::of(&examples, &batch), rows, &mut workspace);
        for row in rows.chunks_exact(d) {
            total += row.iter().zip(&mean).map(|(slope, mean)| (slope - mean) * (slope - mean)).sum::<f64>();
        }
    }
    Some(total / (count * d) as f64).filter(|variance| variance.is_finite())
}
