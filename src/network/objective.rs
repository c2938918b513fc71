//! What the output of a network is compared by, with two derivatives with respect to the output.

use serde::{Deserialize, Serialize};

use super::Real;
use crate::instructions::vectorized;
use crate::math;

/// ℓ(z, y), the loss of one example with output z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// Softmax cross-entropy: −Σ_c y_c ln p_c, p = softmax(z), natural logarithm.
    CrossEntropy,
    /// ½|z − y|²; a class stands for 1 at its place among zeros.
    SquaredError,
}

/// Outputs and targets of a batch, `[output][S]`, and what becomes of them.
pub(super) struct Comparison<'a, T> {
    /// z when it comes in; goes out as softmax(z) under cross-entropy and as it was under squared error.
    pub output: &'a mut [T],
    pub target: &'a [T],
    /// Becomes ∂ℓ/∂z.
    pub delta: &'a mut [T],
    /// Two rows of room.
    pub room: &'a mut [T],
    /// Examples S.
    pub size: usize,
}

impl Objective {
    /// Σ ℓ over the batch.
    pub(super) fn compare<T: Real>(self, comparison: Comparison<'_, T>) -> f64 {
        match self {
            Self::CrossEntropy => cross_entropy(comparison),
            Self::SquaredError => {
                let Comparison { output, target, delta, .. } = comparison;
                let mut sum = 0.0;
                for ((delta, z), y) in delta.iter_mut().zip(output.iter()).zip(target) {
                    *delta = *z - *y;
                    sum += delta.to_f64() * delta.to_f64();
                }
                0.5 * sum
            }
        }
    }

    /// Writes ∇²ℓ(z)·v into `product`, `output` being what [`Objective::compare`] left there.
    pub(super) fn curvature_product<T: Real>(self, output: &[T], v: &[T], product: &mut [T], size: usize) {
        product.copy_from_slice(v);
        if self == Self::SquaredError {
            return;
        }
        for s in 0..size {
            let places = (s..output.len()).step_by(size);
            let mean: T = places.clone().map(|place| output[place] * v[place]).sum();
            places.for_each(|place| product[place] = output[place] * (v[place] - mean));
        }
    }
}

/// −Σ y ln softmax(z) = ln Σ eᶻ − Σ y z, since the y of an example sum to 1; all examples of a row side by side.
#[allow(clippy::redundant_closure, reason = "a closure can be told to be inlined, a function that is handed on cannot")]
fn cross_entropy<T: Real>(comparison: Comparison<'_, T>) -> f64 {
    let Comparison { output, target, delta, room, size } = comparison;
    let (highest, total) = room[..2 * size].split_at_mut(size);
    vectorized(
        #[inline(always)]
        || {
            highest.copy_from_slice(&output[..size]);
            for row in output.chunks_exact(size).skip(1) {
                highest.iter_mut().zip(row).for_each(
                    #[inline(always)]
                    |(highest, z)| *highest = highest.larger(*z),
                );
            }
            total.fill(T::ZERO);
            for ((row, y), delta) in
                output.chunks_exact_mut(size).zip(target.chunks_exact(size)).zip(delta.chunks_exact_mut(size))
            {
                for s in 0..size {
                    let z = row[s] - highest[s];
                    // Room for y·z until the softmax is known.
                    delta[s] = y[s] * z;
                    row[s] = z.exp();
                    total[s] += row[s];
                }
            }
        },
    );
    let sum = vectorized(
        #[inline(always)]
        || {
            let logarithms = sum(
                total,
                #[inline(always)]
                |total| math::ln(total),
            );
            logarithms
                - sum(
                    delta,
                    #[inline(always)]
                    |part| part,
                )
        },
    );
    vectorized(
        #[inline(always)]
        || {
            total.iter_mut().for_each(
                #[inline(always)]
                |total| *total = T::ONE / *total,
            );
            for ((row, y), delta) in
                output.chunks_exact_mut(size).zip(target.chunks_exact(size)).zip(delta.chunks_exact_mut(size))
            {
                for s in 0..size {
                    row[s] *= total[s];
                    delta[s] = row[s] - y[s];
                }
            }
        },
    );
    sum
}

/// The sum of a function of numbers in double precision, 16 parts side by side: one order of summation for every instruction set.
#[inline(always)]
fn sum<T: Real>(numbers: &[T], function: impl Fn(f64) -> f64) -> f64 {
    const PARTS: usize = 16;
    let (whole, rest) = numbers.as_chunks::<PARTS>();
    let mut parts = [0.0; PARTS];
    for chunk in whole {
        for p in 0..PARTS {
            parts[p] += function(chunk[p].to_f64());
        }
    }
    let tail: f64 = rest.iter().map(|x| function(x.to_f64())).sum();
    parts.iter().sum::<f64>() + tail
}
