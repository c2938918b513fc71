//! Data sets from which nothing can be learned but by heart: labels and inputs drawn anew, in the training part alone.

use super::dataset::{Dataset, Targets};
use super::draws::{Draws, Use};

/// Which training examples have random labels, and what was there before.
#[derive(Clone, Debug, PartialEq)]
pub struct Corruption {
    /// Their places in the training part, ascending.
    pub examples: Vec<usize>,
    /// The true label, or targets, of each of them, in the same order.
    pub truth: Targets,
}

/// Draws new labels for exactly ⌊fraction·N + ½⌋ of the examples: uniform over all classes, so that at fraction 1 they tell nothing
/// of the inputs; one in K is the true one again. Real targets of these examples are shuffled among them.
pub(super) fn labels(data: &mut Dataset, fraction: f64, seed: u64) -> Corruption {
    let mut draws = Draws::new(seed, Use::Labels);
    let count = ((fraction * data.len() as f64).round() as usize).min(data.len());
    let mut order: Vec<usize> = (0..data.len()).collect();
    draws.shuffle(&mut order);
    let mut examples = order[..count].to_vec();
    examples.sort_unstable();
    let truth = data.targets.select(&examples);
    match &mut data.targets {
        Targets::Labels { labels, class_names } => {
            examples.iter().for_each(|&example| labels[example] = draws.below(class_names.len()) as u32);
        }
        Targets::Values { values, outputs } => {
            // `order` is random already; its first `count` are the same examples.
            let shuffled = &order[..count];
            let Targets::Values { values: old, .. } = &truth else { return Corruption { examples, truth } };
            for (from, &to) in shuffled.iter().enumerate() {
                values[to * *outputs..(to + 1) * *outputs]
                    .copy_from_slice(&old[from * *outputs..(from + 1) * *outputs]);
            }
        }
    }
    Corruption { examples, truth }
}

/// Replaces all inputs by normal vectors with the mean vector and the covariance matrix (divisor N) that they had.
///
/// With x̄ the mean and BBᵀ = C, an example becomes x̄ + Bz of a standard normal z. B is the Cholesky factor of C, or, where there
/// are fewer examples than features, has the columns (xᵢ − x̄)/√N, which are then fewer.
pub(super) fn inputs(data: &mut Dataset, seed: u64) {
    let (count, p) = (data.len(), data.features());
    let mut mean = vec![0.0; p];
    for row in data.inputs.chunks(p) {
        mean.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
    }
    mean.iter_mut().for_each(|sum| *sum /= count as f64);
    let mut centred = std::mem::take(&mut data.inputs);
    let root = (count as f64).sqrt();
    for row in centred.chunks_mut(p) {
        row.iter_mut().zip(&mean).for_each(|(x, mean)| *x = (*x - mean) / root);
    }
    let columns = if count <= p { centred } else { cholesky(covariance(&centred, p), p) };
    let mut draws = Draws::new(seed, Use::Inputs);
    let mut inputs = Vec::with_capacity(count * p);
    for _ in 0..count {
        let start = inputs.len();
        inputs.extend_from_slice(&mean);
        let row = &mut inputs[start..];
        for column in columns.chunks(p) {
            let z = draws.normal();
            row.iter_mut().zip(column).for_each(|(x, b)| *x += b * z);
        }
    }
    data.inputs = inputs;
}

/// Σ rᵢrᵢᵀ over the rows of a matrix: its upper half; the rest is 0.
fn covariance(rows: &[f64], p: usize) -> Vec<f64> {
    let mut covariance = vec![0.0; p * p];
    for row in rows.chunks(p) {
        for (a, line) in covariance.chunks_mut(p).enumerate() {
            let x = row[a];
            line[a..].iter_mut().zip(&row[a..]).for_each(|(sum, y)| *sum += x * y);
        }
    }
    covariance
}

/// The columns of the lower triangular B with BBᵀ = C, one after another, from the upper half of C. A direction in which there
/// is no variance, or one that others determine but for rounding, has a column of zeros.
fn cholesky(mut matrix: Vec<f64>, p: usize) -> Vec<f64> {
    const ROUNDING: f64 = 1e-12;
    let variances: Vec<f64> = (0..p).map(|a| matrix[a * p + a]).collect();
    for a in 0..p {
        let (done, below) = matrix.split_at_mut((a + 1) * p);
        let column = &mut done[a * p..];
        let pivot = column[a];
        if !(pivot > ROUNDING * variances[a]) {
            column.fill(0.0);
            continue;
        }
        let root = pivot.sqrt();
        column[a..].iter_mut().for_each(|x| *x /= root);
        for (offset, line) in below.chunks_mut(p).enumerate() {
            let b = a + 1 + offset;
            let factor = column[b];
            line[b..].iter_mut().zip(&column[b..]).for_each(|(x, y)| *x -= factor * y);
        }
    }
    matrix
}
