//! Row 1 of the claims: the covariance of real minibatch gradients, every entry of it.

use nalgebra::{DMatrix, dmatrix};
use sgd_sde::loss::finite_sum::{FiniteSum, example_covariance, example_trace};
use sgd_sde::loss::{LANES, Loss};
use sgd_sde::random::batches::{BatchBlock, BatchPlan, Sampling};
use sgd_sde::theory::minibatch::finite_population;

use crate::support::{SAMPLINGS, tilted_bowl};

/// Compares S·Cov(g⁽ˢ⁾) at `theta`, entry by entry, with `expected`, in standard errors; and the mean with ∇L. Returns the largest |z|.
pub fn farthest(
    sum: &dyn FiniteSum,
    theta: &[f64],
    plan: BatchPlan,
    expected: &DMatrix<f64>,
    steps: usize,
    seed: u64,
) -> f64 {
    let (d, size) = (sum.dimension(), plan.size());
    let mut batches = BatchBlock::new(plan, seed, 0);
    let block: Vec<f64> = theta.iter().flat_map(|&x| [x; LANES]).collect();
    let mut gradient = vec![0.0; d * LANES];
    let mut scratch = vec![0.0; sum.sum_scratch(size).max(sum.block_scratch())];
    let mut mean = vec![0.0; d];
    sum.gradient(theta, &mut mean);
    // The mean is known, so products of deviations are independent samples (epochs: from epoch to epoch, each counted as one).
    let per_sample = if plan.sampling() == Sampling::Epochs { plan.examples() / size } else { 1 };
    let pairs: Vec<(usize, usize)> = (0..d).flat_map(|i| (i..d).map(move |j| (i, j))).collect();
    let (mut sums, mut squares) = (vec![0.0; pairs.len() + d], vec![0.0; pairs.len() + d]);
    let samples = (steps / per_sample) * LANES;
    for _ in 0..steps / per_sample {
        let mut own = vec![vec![0.0; pairs.len() + d]; LANES];
        for _ in 0..per_sample {
            sum.batch_gradient_block(&block, batches.draw(), &mut gradient, &mut scratch);
            for (lane, own) in own.iter_mut().enumerate() {
                let deviation = |i: usize| gradient[i * LANES + lane] - mean[i];
                for (entry, &(i, j)) in pairs.iter().enumerate() {
                    own[entry] += size as f64 * deviation(i) * deviation(j) / per_sample as f64;
                }
                for i in 0..d {
                    own[pairs.len() + i] += deviation(i) / per_sample as f64;
                }
            }
        }
        for own in own {
            for (entry, value) in own.into_iter().enumerate() {
                sums[entry] += value;
                squares[entry] += value * value;
            }
        }
    }
    let wanted = pairs.iter().map(|&pair| expected[pair]).chain(std::iter::repeat_n(0.0, d));
    let mut largest: f64 = 0.0;
    for (entry, wanted) in wanted.enumerate() {
        let found = sums[entry] / samples as f64;
        let error = ((squares[entry] / samples as f64 - found * found) / samples as f64).sqrt();
        // Where S divides N the means of an epoch add up to 0, but for rounding.
        largest = largest.max((found - wanted).abs() / error.max(1e-12));
    }
    println!("{plan:?}: largest |z| = {largest:.2}");
    largest
}

fn plan(sampling: Sampling, sum: &dyn FiniteSum, size: usize) -> BatchPlan {
    BatchPlan::new(sampling, sum.examples(), size).unwrap()
}

fn factor(sampling: Sampling, sum: &dyn FiniteSum, size: usize) -> f64 {
    if sampling == Sampling::WithReplacement { 1.0 } else { finite_population(sum.examples(), size) }
}

/// False failure 27 × 6.3e-5 + 27 × 6e-7: with S = 4 every entry of the matrix and of the mean within 4 standard errors, and with S = 1 and 20
/// within 5. With the factor of another sampling it must fail by far.
#[test]
fn minibatch_gradients_have_the_covariance_of_their_sampling() {
    let covariance = dmatrix![2.0, 0.6, -0.3; 0.6, 0.5, 0.1; -0.3, 0.1, 1.0];
    let sum = tilted_bowl(dmatrix![2.0, 0.3, 0.0; 0.3, 1.0, 0.2; 0.0, 0.2, 3.0], &covariance, 40, 5);
    let measured = example_covariance(sum.as_ref(), &[0.3, -0.2, 0.1]);
    assert!((&measured - &covariance).abs().max() < 1e-10);
    assert!((example_trace(sum.as_ref(), &[1.0, 2.0, 3.0]) - 3.5).abs() < 1e-10);
    let theta = [0.7, -1.1, 0.4];
    for sampling in SAMPLINGS {
        for (index, size) in [1, 4, 20].into_iter().enumerate() {
            let plan = plan(sampling, sum.as_ref(), size);
            let expected = &covariance * factor(sampling, sum.as_ref(), size);
            let seed = 100 + index as u64;
            let z = farthest(sum.as_ref(), &theta, plan, &expected, 8_000, seed);
            assert!(z < if size == 4 { 4.0 } else { 5.0 }, "{sampling:?}, S = {size}: |z| = {z:.2}");
            if size > 1 {
                let swapped = if sampling == Sampling::WithReplacement { finite_population(40, size) } else { 1.0 };
                let z = farthest(sum.as_ref(), &theta, plan, &(&covariance * swapped), 8_000, seed);
                assert!(z > 10.0, "{sampling:?}, S = {size}: the other factor is not told: |z| = {z:.2}");
            }
        }
    }
}

/// The plain and the block side agree to the bit, and per-example gradients and weights with both.
#[test]
fn block_and_plain_gradients_agree() {
    let sum = tilted_bowl(dmatrix![2.0, 0.3; 0.3, 1.0], &dmatrix![1.0, 0.2; 0.2, 3.0], 9, 6);
    let (size, d) = (4, 2);
    let theta: Vec<f64> = (0..d * LANES).map(|i| (i as f64 * 0.37).sin()).collect();
    let mut batches = BatchBlock::new(plan(Sampling::WithReplacement, sum.as_ref(), size), 1, 0);
    let batches = batches.draw().to_vec();
    let weights: Vec<f64> = (0..9 * LANES).map(|i| (i as f64 * 0.71).cos()).collect();
    let (mut block, mut weighed) = (vec![0.0; d * LANES], vec![0.0; d * LANES]);
    let mut scratch = vec![f64::NAN; sum.sum_scratch(9).max(sum.block_scratch())];
    sum.batch_gradient_block(&theta, &batches, &mut block, &mut scratch);
    sum.weighted_gradient_block(&theta, &weights, &mut weighed, &mut scratch);
    let all: Vec<u32> = (0..9).collect();
    let mut rows = vec![0.0; 9 * d];
    for lane in 0..LANES {
        let point = [theta[lane], theta[LANES + lane]];
        let batch = &batches[lane * size..(lane + 1) * size];
        let own: Vec<f64> = (0..9).map(|i| weights[i * LANES + lane]).collect();
        let (mut plain, mut sums) = ([0.0; 2], [0.0; 2]);
        sum.batch_gradient(&point, batch, &mut plain);
        sum.weighted_gradient(&point, &own, &mut sums);
        sum.example_gradients(&point, &all, &mut rows);
        for i in 0..d {
            assert_eq!(plain[i].to_bits(), block[i * LANES + lane].to_bits());
            assert_eq!(sums[i].to_bits(), weighed[i * LANES + lane].to_bits());
            let mean = batch.iter().map(|&e| rows[e as usize * d + i]).sum::<f64>() / size as f64;
            assert!((mean - plain[i]).abs() < 1e-13);
            let weighed: f64 = own.iter().enumerate().map(|(e, w)| w * rows[e * d + i]).sum();
            assert!((weighed - sums[i]).abs() < 1e-12);
        }
    }
}
