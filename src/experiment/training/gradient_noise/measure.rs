//! Batches of one size at one θ: real gradients for their covariance, projections for their law.
//!
//! The trace of the covariance, its quadratic form along v₁ and the mean come from [`Network::gradient`] on batches that [`Batches`] draws, in
//! the precision of the training: the very call that a step of SGD makes. The law along a direction u needs many more batches, and
//! u·g⁽ˢ⁾ is the mean over the batch of the numbers u·∇ℓᵢ, so those are drawn from the exact projections alone. That both ways agree batch by
//! batch is tested below.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::super::curvature::PIECE;
use super::law::{Along, Expected, Law, edges};
use super::point::{Point, predicted};
use crate::ensemble::Interrupted;
use crate::network::{Batch, Examples, Network, Real, Workspace};
use crate::random::batches::{BatchPlan, Batches, Sampling};
use crate::scenario::{DRAWS_PER_BATCH, GROUPS};
use crate::statistics::Estimate;

/// The figure shows the distribution function from −8 to 8 standard deviations in steps of 0.1.
const GRID_END: f64 = 8.0;
const GRID_STEP: f64 = 0.1;
const GRID: usize = 161;
/// Groups between two calls of the monitor.
const AT_ONCE: usize = 12;

/// Batches that are drawn, and of what.
#[derive(Clone, Copy)]
pub(super) struct Draw {
    pub sampling: Sampling,
    pub size: u64,
    /// Batches whose gradients are taken, a multiple of [`GROUPS`].
    pub batches: u64,
    /// Of the streams of this size and place.
    pub seed: u64,
}

impl Draw {
    /// One batch of an epoch, by itself, is a random subset: so independent ones are drawn.
    fn sampling(&self) -> Sampling {
        match self.sampling {
            Sampling::WithReplacement => Sampling::WithReplacement,
            Sampling::WithoutReplacement | Sampling::Epochs => Sampling::WithoutReplacement,
        }
    }

    /// The batches of a group; those of gradients and those of projections share no streams.
    fn stream(&self, examples: usize, group: u64, of_gradients: bool) -> Option<Batches> {
        let plan = BatchPlan::new(self.sampling(), examples, self.size as usize).ok()?;
        Some(Batches::new(plan, self.seed, 2 * group + u64::from(of_gradients)))
    }
}

/// A network in the precision of its training.
pub(super) struct Bench<'a, T> {
    pub network: &'a Network,
    pub examples: &'a Examples<T>,
}

/// The values at which the figure shows the distribution function.
pub(super) fn shown_values() -> impl Iterator<Item = f64> {
    (0..GRID).map(|place| GRID_STEP * place as f64 - GRID_END)
}

/// What batches of one size have shown at one θ.
pub(super) struct Measured {
    pub draw: Draw,
    /// S tr Ĉ over tr C times the share (N−S)/(N−1).
    pub trace: Option<Estimate>,
    /// The same along v₁.
    pub top: Option<Estimate>,
    /// Mean of v₁·(g⁽ˢ⁾ − ∇L), in predicted standard deviations.
    pub mean: Option<Estimate>,
    /// Along every direction.
    pub laws: Vec<Law>,
    /// F at each value of the figure along v₁, with its standard error.
    pub distribution: Vec<(f64, Estimate)>,
}

/// Draws and measures; `expected` is what is predicted along each direction, and `advance` is told of groups of batches as they are done.
///
/// # Errors
/// When told to stop.
pub(super) fn measure<T: Real>(
    point: &Point,
    bench: &Bench<T>,
    expected: &[Expected],
    draw: Draw,
    stop: &AtomicBool,
    advance: &mut dyn FnMut(u64),
) -> Result<Measured, Interrupted> {
    let theta: Vec<T> = point.place.theta.iter().map(|&x| T::from_f64(x)).collect();
    let edges = edges();
    let (mut gradients, mut drawn) = (Vec::new(), Vec::new());
    let all: Vec<u64> = (0..GROUPS).collect();
    for groups in all.chunks(AT_ONCE) {
        let found: Option<Vec<_>> = groups
            .par_iter()
            .map(|&group| {
                let first = group_of_gradients(point, bench, &theta, &draw, group, stop)?;
                Some((first, group_of_draws(point, &draw, group, &edges, stop)?))
            })
            .collect();
        for (first, second) in found.ok_or(Interrupted)? {
            gradients.push(first);
            drawn.push(second);
        }
        advance(groups.len() as u64 * draw.batches / GROUPS);
    }
    let of_gradients = |k: usize| Estimate::from_replicas(&gradients.iter().map(|group| group[k]).collect::<Vec<_>>());
    let law = |(k, expected)| Law::of(expected, drawn.iter().map(|group: &Group| &group.along[k]), draw.seed);
    let laws = expected.iter().enumerate().map(law);
    Ok(Measured {
        draw,
        trace: of_gradients(0),
        top: of_gradients(1),
        mean: of_gradients(2),
        laws: laws.collect(),
        distribution: distribution(&drawn),
    })
}

/// Trace, form along v₁ and mean along v₁ of one group, each over what is predicted. Covariances are those about the mean of the group,
/// with divisor B − 1: an unbiased estimate that does not presume the mean to be ∇L.
fn group_of_gradients<T: Real>(
    point: &Point,
    bench: &Bench<T>,
    theta: &[T],
    draw: &Draw,
    group: u64,
    stop: &AtomicBool,
) -> Option<[f64; 3]> {
    let direction = &point.directions[0];
    let (shape, share) = predicted(&direction.shape, draw.sampling, point.examples(), draw.size)?;
    let mut stream = draw.stream(point.examples(), group, true)?;
    let mut workspace = Workspace::new(bench.network, PIECE.min(draw.size as usize));
    let (mut batch, mut gradient) = (vec![0; draw.size as usize], vec![T::ZERO; theta.len()]);
    let mut sum = vec![0.0; theta.len()];
    let [mut squares, mut along, mut along_squared] = [0.0; 3];
    let count = draw.batches / GROUPS;
    for _ in 0..count {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        stream.draw(&mut batch);
        bench.network.gradient(theta, Batch::of(bench.examples, &batch), &mut gradient, &mut workspace);
        let [square, projection] = deviation(&gradient, &point.gradient, &direction.vector, &mut sum);
        squares += square;
        along += projection;
        along_squared += projection * projection;
    }
    let count = count as f64;
    let of_mean: f64 = sum.iter().map(|x| x * x).sum::<f64>() / count;
    let trace = (squares - of_mean) / (count - 1.0);
    let top = (along_squared - along * along / count) / (count - 1.0);
    let size = draw.size as f64;
    Some([size * trace / (share * point.trace), top / shape.variance, along / count / shape.variance.sqrt()])
}

/// ‖g − ∇L‖² and v·(g − ∇L), in sixteen partial sums of fixed order; g − ∇L is added to `sum`.
fn deviation<T: Real>(gradient: &[T], mean: &[f64], direction: &[f64], sum: &mut [f64]) -> [f64; 2] {
    const SUMS: usize = 16;
    let (mut squares, mut along) = ([0.0; SUMS], [0.0; SUMS]);
    for (((gradient, mean), direction), sum) in
        gradient.chunks(SUMS).zip(mean.chunks(SUMS)).zip(direction.chunks(SUMS)).zip(sum.chunks_mut(SUMS))
    {
        for lane in 0..gradient.len() {
            let x = gradient[lane].to_f64() - mean[lane];
            sum[lane] += x;
            squares[lane] += x * x;
            along[lane] += x * direction[lane];
        }
    }
    [squares.iter().sum(), along.iter().sum()]
}

/// What one group has along all directions.
struct Group {
    along: Vec<Along>,
    /// Batches up to each value of the figure along v₁, not yet added up.
    grid: Vec<u32>,
    batches: f64,
}

fn group_of_draws(point: &Point, draw: &Draw, group: u64, edges: &[f64], stop: &AtomicBool) -> Option<Group> {
    let width = point.directions.len();
    let mut stream = draw.stream(point.examples(), group, false)?;
    let mut scales = Vec::with_capacity(width);
    for direction in &point.directions {
        let (shape, _) = predicted(&direction.shape, draw.sampling, point.examples(), draw.size)?;
        scales.push(1.0 / (draw.size as f64 * shape.variance.sqrt()));
    }
    let mut along: Vec<Along> = (0..width).map(|_| Along::new()).collect();
    let mut grid = vec![0; GRID + 1];
    let (mut batch, mut sums) = (vec![0; draw.size as usize], vec![0.0; width]);
    let count = draw.batches / GROUPS * DRAWS_PER_BATCH;
    for _ in 0..count {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        stream.draw(&mut batch);
        sums.fill(0.0);
        for &example in &batch {
            let row = &point.projections[example as usize * width..][..width];
            sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        }
        for (k, (along, sum)) in along.iter_mut().zip(&sums).enumerate() {
            let z = sum * scales[k];
            along.add(z, edges);
            if k == 0 {
                let place = ((z + GRID_END) / GRID_STEP).ceil().clamp(0.0, GRID as f64);
                grid[place as usize] += 1;
            }
        }
    }
    Some(Group { along, grid, batches: count as f64 })
}

/// F along v₁ at the values of the figure.
fn distribution(groups: &[Group]) -> Vec<(f64, Estimate)> {
    let mut below = vec![0.0; groups.len()];
    let mut points = Vec::with_capacity(GRID);
    for (place, value) in shown_values().enumerate() {
        for (below, group) in below.iter_mut().zip(groups) {
            *below += f64::from(group.grid[place]);
        }
        let shares: Vec<f64> = below.iter().zip(groups).map(|(below, group)| below / group.batches).collect();
        points.extend(Estimate::from_replicas(&shares).map(|share| (value, share)));
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::training::curvature::double_examples;
    use crate::experiment::training::gradient_noise::point::Place;
    use crate::experiment::training::gradient_noise::three_clouds;

    /// Groups are the unit of evidence: no two of them, nor gradients and draws of one, have the same batches.
    #[test]
    fn no_two_groups_share_their_batches() {
        let draw = Draw { sampling: Sampling::WithReplacement, size: 20, batches: GROUPS, seed: 1 };
        let mut first: Vec<[u32; 20]> = Vec::new();
        for group in 0..GROUPS {
            for of_gradients in [false, true] {
                let mut batch = [0; 20];
                draw.stream(1_000, group, of_gradients).unwrap().draw(&mut batch);
                first.push(batch);
            }
        }
        first.sort_unstable();
        first.dedup();
        assert_eq!(first.len() as u64, 2 * GROUPS);
    }

    /// The mean of the projections of a batch is the projection of its gradient, examples that are in it twice included.
    #[test]
    fn projections_are_those_of_real_gradients() {
        let course = three_clouds();
        let examples = double_examples(&course).unwrap();
        let place = Place { epoch: 0.0, replica: 0, theta: course.first_weights() };
        let point = Point::of(&course, &examples, place, 3, &AtomicBool::new(false)).unwrap();
        let (theta, width) = (point.place.theta.clone(), point.directions.len());
        let mut workspace = Workspace::new(&course.network, 5);
        let mut gradient = vec![0.0; theta.len()];
        for batch in [vec![0], vec![39], vec![3, 17, 17, 5], (0..40).collect()] {
            course.network.gradient(&theta, Batch::of(&examples, &batch), &mut gradient, &mut workspace);
            for (k, direction) in point.directions.iter().enumerate() {
                let mut ignored = vec![0.0; theta.len()];
                let [_, of_gradient] = deviation(&gradient, &point.gradient, &direction.vector, &mut ignored);
                let sum: f64 = batch.iter().map(|&i| point.projections[i as usize * width + k]).sum();
                assert!((of_gradient - sum / batch.len() as f64).abs() < 1e-13, "{batch:?} along {}", direction.name);
            }
        }
        // v₁ is that of the largest variance.
        let top = point.directions[0].shape.variance;
        assert!(point.directions[1..].iter().all(|direction| direction.shape.variance < top) && top < point.trace);
    }
}
