//! Curvature of the training loss of a network, by exact Hessian products in double precision.

use std::fmt;

use super::course::Course;
use crate::network::{Batch, Examples, Workspace};
use crate::plain::{decimals, significant};
use crate::spectrum::{LanczosPlan, Products, eigenpairs};
use crate::training::examples;

/// Operations of a Hessian product, a hundredth of a second, of which a hundred are taken unasked.
const MOST_OPERATIONS: f64 = 2e8;
/// Of a larger network or more data so many products are taken, of so many examples that all of them are a second's work.
const FEW_PRODUCTS: usize = 12;
const FEW_OPERATIONS: f64 = 2e10;
const FEWEST_EXAMPLES: f64 = 32.0;
/// Examples that pass through the network at once.
pub(super) const PIECE: usize = 256;

/// The training examples in double precision; `None` where the network does not take them, which a course rules out.
pub(super) fn double_examples(course: &Course) -> Option<Examples<f64>> {
    examples(&course.network, &course.data.training).ok()
}

/// The largest eigenvalue of H at θ, to 1e−4 of it.
pub(super) fn sharpest(course: &Course, examples: &Examples<f64>, theta: &[f64]) -> Option<f64> {
    let plan = LanczosPlan { tolerance: 1e-4, maximum_products: 2_000, ..LanczosPlan::largest(1) };
    largest_eigenvalue(course, Batch::all(examples), theta, &plan)
}

/// A lower bound of it, close where it stands apart, by a few products of the Hessian of a part of the examples, of which it is an estimate;
/// and of how many.
fn about_sharpest(course: &Course, examples: &Examples<f64>, theta: &[f64]) -> Option<(f64, usize)> {
    let per_example = 12.0 * theta.len() as f64 * FEW_PRODUCTS as f64;
    let count = examples.count();
    let sample = ((FEW_OPERATIONS / per_example).max(FEWEST_EXAMPLES) as usize).min(count);
    let indices: Vec<u32> = (0..sample).map(|index| (index * count / sample) as u32).collect();
    let plan =
        LanczosPlan { tolerance: 0.1, basis: FEW_PRODUCTS, maximum_products: FEW_PRODUCTS, ..LanczosPlan::largest(1) };
    Some((largest_eigenvalue(course, Batch::of(examples, &indices), theta, &plan)?, sample))
}

fn largest_eigenvalue(course: &Course, batch: Batch<'_, f64>, theta: &[f64], plan: &LanczosPlan) -> Option<f64> {
    let mut workspace = Workspace::new(&course.network, PIECE);
    let product = |v: &[f64], out: &mut [f64]| {
        course.network.hessian_product(theta, batch, v, out, &mut workspace);
    };
    let mut hessian = Products::new(theta.len(), product);
    let found = eigenpairs(&mut hessian, plan).ok()?;
    found.pairs.first().map(|pair| pair.value).filter(|value| value.is_finite())
}

/// A learning rate at which gradient descent climbs away from the first weights.
#[derive(Clone, Copy, Debug)]
pub struct Unstable {
    /// The largest η of any group.
    pub learning_rate: f64,
    /// 2(1 + μ)/λ_max of H at the first weights of the first replica: heavy-ball descent of a parabola of curvature λ_max is stable below
    /// it (B. T. Polyak, USSR Computational Mathematics and Mathematical Physics 4 (1964)).
    pub largest_stable: f64,
    /// Of how many examples it was estimated, where all of them would take too long.
    pub sample: Option<usize>,
}

impl fmt::Display for Unstable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "η = {} is above {}, beyond which gradient descent climbs out of the bowl that the network begins in: its steps are not small \
             against the curvature, as the SDE assumes, and it may learn nothing at all; take η below that",
            significant(self.learning_rate, 4),
            significant(self.largest_stable, 3)
        )?;
        match self.sample {
            Some(sample) => {
                write!(out, " (about: by {FEW_PRODUCTS} products of the Hessian of {sample} of the examples)")
            }
            None => Ok(()),
        }
    }
}

impl Unstable {
    /// Whether some group's learning rate is one.
    pub(super) fn of(course: &Course, learning_rates: impl Iterator<Item = f64>) -> Option<Self> {
        let learning_rate = learning_rates.fold(0.0, f64::max);
        let (rate, sample) = largest_stable_rate(course)?;
        let largest_stable = (1.0 + course.spec.momentum) * rate;
        (learning_rate > largest_stable).then_some(Self { learning_rate, largest_stable, sample })
    }
}

/// 2/λ_max at the first weights in words.
pub(super) fn stable_rate_in_words(course: &Course) -> Option<String> {
    let (rate, sample) = largest_stable_rate(course)?;
    let about = sample.map_or(String::new(), |sample| format!(" (about, by {sample} of the examples)"));
    Some(format!("{}{about}", decimals(rate, 4)))
}

/// 2/λ_max of H at the first weights of the first replica; of how many examples it was estimated, where all of them would take more than
/// seconds.
fn largest_stable_rate(course: &Course) -> Option<(f64, Option<usize>)> {
    let (examples, theta) = (double_examples(course)?, course.first_weights());
    let product = 12.0 * theta.len() as f64 * examples.count() as f64;
    let (sharpest, sample) = if product <= MOST_OPERATIONS {
        (sharpest(course, &examples, &theta)?, None)
    } else {
        let (sharpest, sample) = about_sharpest(course, &examples, &theta)?;
        (sharpest, Some(sample))
    };
    (sharpest > 0.0).then_some((2.0 / sharpest, sample))
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
