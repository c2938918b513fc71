//! L at many points.

use rayon::prelude::*;

use super::{LANES, Loss};

/// Blocks that one thread takes at once.
const BLOCKS: usize = 16;

/// L at points of d numbers, one after the other: the bits of [`Loss::value`] at each.
pub(crate) fn values(loss: &dyn Loss, points: &[f64]) -> Vec<f64> {
    let mut values = vec![0.0; points.len() / loss.dimension()];
    write(loss, points, &mut values);
    values
}

/// The same by all threads.
pub(crate) fn values_in_parallel(loss: &dyn Loss, points: &[f64]) -> Vec<f64> {
    let (d, at_once) = (loss.dimension(), BLOCKS * LANES);
    let mut values = vec![0.0; points.len() / d];
    let parts = values.par_chunks_mut(at_once).zip(points.par_chunks(at_once * d));
    parts.for_each(|(values, points)| write(loss, points, values));
    values
}

fn write(loss: &dyn Loss, points: &[f64], values: &mut [f64]) {
    let d = loss.dimension();
    let (mut theta, mut block) = (vec![0.0; d * LANES], [0.0; LANES]);
    let mut scratch = vec![0.0; loss.block_scratch()];
    for (points, values) in points.chunks(d * LANES).zip(values.chunks_mut(LANES)) {
        // Lanes that are left keep the points of the block before.
        for (lane, point) in points.chunks_exact(d).enumerate() {
            (0..d).for_each(|i| theta[i * LANES + lane] = point[i]);
        }
        loss.value_block(&theta, &mut block, &mut scratch);
        values.copy_from_slice(&block[..values.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::expression::Expression;

    #[test]
    fn values_are_those_of_single_points() {
        let loss = Expression::new(&["x", "y"].map(String::from), &[], "exp(x)*sin(y) + sqrt(x^2)*log(y)").unwrap();
        for count in [1, LANES, LANES + 1, 3 * BLOCKS * LANES + 7] {
            let points: Vec<f64> = (0..2 * count).map(|k| 0.37 * (k % 29) as f64 - 2.0).collect();
            let expected: Vec<u64> = points.chunks_exact(2).map(|point| loss.value(point).to_bits()).collect();
            for found in [values(&loss, &points), values_in_parallel(&loss, &points)] {
                assert_eq!(found.iter().map(|value| value.to_bits()).collect::<Vec<_>>(), expected);
            }
        }
    }
}
