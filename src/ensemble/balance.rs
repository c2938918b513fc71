//! Is the ensemble at rest? What no stationary law lets change, and what every stationary law obeys, summed up replica by replica.
//!
//! A step of the chain is θ′ = θ − δg + √(nδ)Bξ with E g = ∇L. Were the law of θ that of θ′, then for any direction e and centre θ_A, with
//! u = e·(θ − θ_A),
//!
//! E e·∇L = 0,  E u e·∇L = (δ/2) E(e·∇L)² + (n/2) E eᵀCe,  E (θ − c)·∇L = (δ/2) E|∇L|² + (n/2) E tr C,
//!
//! from E u′ = E u, E u′² = E u² and E|θ′ − c|² = E|θ − c|², exactly at any δ. The last is Yaida's fluctuation–dissipation relation (S. Yaida,
//! ICLR 2019, arXiv:1810.00004). No prediction of the law goes into them, only moments that exist. They hold where a step has
//! these two moments whatever came before ([`crate::dynamics::Dynamics::has_moments_of_euler_maruyama`]): batches of a
//! shuffled epoch depend on θ's past, and methods of higher order step otherwise.
//!
//! What moves slowly beside the run is far more plainly seen in them than in its drift: they compare where the ensemble is with
//! where the local slope would hold it. L, |∇L|², u and u² are also followed for a drift, by a straight line through every replica's
//! course: Σₖ xₖ and Σₖ k xₖ over the times k at which they were evaluated.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::lanes::Lanes;
use super::{Observer, View};
use crate::dynamics::{Rows, rows};
use crate::instructions::vectorized;
use crate::lanes::LANES;
use crate::loss::Loss;
use crate::noise::GradientNoise;

/// A unit vector e and a place along it, e·θ_A.
#[derive(Clone, Debug, PartialEq)]
pub struct Direction {
    /// e, length d.
    pub vector: Vec<f64>,
    /// e·θ_A.
    pub place: f64,
}

/// What a step makes of the second moments: n, δ and C(θ).
#[derive(Clone)]
pub struct StepMoments {
    /// C, of the sampling itself.
    pub noise: Arc<dyn GradientNoise>,
    /// n.
    pub noise_scale: f64,
    /// δ.
    pub step: f64,
}

/// What the observers of all blocks share.
pub struct Gauge {
    loss: Arc<dyn Loss>,
    /// The height from which L is counted.
    lowest: f64,
    /// c.
    center: Vec<f64>,
    directions: Vec<Direction>,
    relations: Option<Relations>,
    every: u64,
}

/// The relations of stationarity, where they hold.
struct Relations {
    noise: Arc<dyn GradientNoise>,
    /// The vectors of the directions.
    vectors: Vec<Vec<f64>>,
    half_noise_scale: f64,
    half_step: f64,
    /// tr C, then eᵀCe of every direction, where C is the same everywhere.
    constant: Option<Vec<f64>>,
}

impl Gauge {
    /// Follows L − `lowest`, |∇L|² and what goes on along the directions, evaluated at every `every`-th look. Without `moments` the relations
    /// of stationarity are left out.
    pub fn new(
        loss: Arc<dyn Loss>,
        (lowest, center): (f64, Vec<f64>),
        directions: Vec<Direction>,
        moments: Option<StepMoments>,
        every: u64,
    ) -> Self {
        let relations = moments.map(|StepMoments { noise, noise_scale, step }| {
            let vectors: Vec<Vec<f64>> = directions.iter().map(|direction| direction.vector.clone()).collect();
            let constant = noise.is_additive().then(|| {
                let covariance = noise.covariance(&center);
                let along = |e: &Vec<f64>| {
                    nalgebra::DVector::from_column_slice(e)
                        .dot(&(&covariance * nalgebra::DVector::from_column_slice(e)))
                };
                std::iter::once(covariance.trace()).chain(vectors.iter().map(along)).collect()
            });
            Relations { noise, vectors, half_noise_scale: 0.5 * noise_scale, half_step: 0.5 * step, constant }
        });
        Self { loss, lowest, center, directions, relations, every: every.max(1) }
    }

    /// The directions.
    pub fn directions(&self) -> &[Direction] {
        &self.directions
    }

    /// Looks between two evaluations.
    pub fn every(&self) -> u64 {
        self.every
    }

    /// Whether the relations of stationarity are summed up.
    pub fn has_relations(&self) -> bool {
        self.relations.is_some()
    }

    /// L, |∇L|², then u and u² of every direction.
    pub fn watched(&self) -> usize {
        2 + 2 * self.directions.len()
    }
}

/// All that is remembered of a block's trajectories.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    looks: u64,
    evaluations: u64,
    /// Σₖ xₖ and Σₖ k xₖ of everything watched, in turn.
    watched: Vec<Lanes<f64>>,
    /// Σ (θ − c)·∇L; then left side minus right of the relations: Yaida's, and of every direction that of e·∇L and that of u e·∇L.
    relations: Vec<Lanes<f64>>,
}

/// Watches one block.
pub struct Balance {
    gauge: Arc<Gauge>,
    sums: Sums,
    gradient: Rows,
    /// C at the lanes' places, a row for the trace and one for each direction; and room for the noise.
    variances: Rows,
    scratch: Vec<f64>,
}

impl Balance {
    /// The observer of a block.
    pub fn new(gauge: &Arc<Gauge>) -> Self {
        let directions = gauge.directions.len();
        let relations = if gauge.relations.is_some() { 2 + 2 * directions } else { 0 };
        let varying = gauge.relations.as_ref().filter(|relations| relations.constant.is_none());
        Self {
            sums: Sums {
                looks: 0,
                evaluations: 0,
                watched: vec![Lanes([0.0; LANES]); 2 * gauge.watched()],
                relations: vec![Lanes([0.0; LANES]); relations],
            },
            gradient: rows(gauge.loss.dimension() * LANES),
            variances: rows(varying.map_or(0, |_| (1 + directions) * LANES)),
            scratch: vec![0.0; varying.map_or(0, |relations| relations.noise.block_scratch() + 1 + directions)],
            gauge: gauge.clone(),
        }
    }

    /// The mean of what is watched, [`Gauge::watched`] numbers; `None` before the first evaluation.
    pub fn means(&self, lane: usize) -> Option<Vec<f64>> {
        let count = self.sums.evaluations as f64;
        (count > 0.0).then(|| self.sums.watched.iter().step_by(2).map(|sum| sum[lane] / count).collect())
    }

    /// The mean of L above the height from which it is counted.
    pub fn mean_excess(&self, lane: usize) -> Option<f64> {
        let count = self.sums.evaluations as f64;
        (count > 0.0).then(|| self.sums.watched[0][lane] / count)
    }

    /// By how much what is watched changes over the run, along the straight line that fits its course best.
    pub fn drifts(&self, lane: usize) -> Option<Vec<f64>> {
        let count = self.sums.evaluations as f64;
        let drift = |pair: &[Lanes<f64>]| {
            12.0 * (pair[1][lane] - 0.5 * (count - 1.0) * pair[0][lane]) / (count * (count + 1.0))
        };
        (count > 1.0).then(|| self.sums.watched.chunks_exact(2).map(drift).collect())
    }

    /// The mean of (θ − c)·∇L, then by how much the left side exceeds the right in Yaida's relation and, for every direction, in those of
    /// e·∇L and of u e·∇L; empty where the relations are left out.
    pub fn relations(&self, lane: usize) -> Option<Vec<f64>> {
        let count = self.sums.evaluations as f64;
        (count > 0.0).then(|| self.sums.relations.iter().map(|sum| sum[lane] / count).collect())
    }

    /// All that was summed up.
    pub fn sums(&self) -> &Sums {
        &self.sums
    }

    /// Goes on summing from `sums`; false if they are of another shape, and nothing is changed then.
    pub fn take_up(&mut self, sums: Sums) -> bool {
        let shape = |sums: &Sums| (sums.watched.len(), sums.relations.len());
        let fits = shape(&sums) == shape(&self.sums);
        if fits {
            self.sums = sums;
        }
        fits
    }
}

impl Observer for Balance {
    fn observe(&mut self, view: &mut View) {
        let gauge = self.gauge.as_ref();
        self.sums.looks += 1;
        if !self.sums.looks.is_multiple_of(gauge.every) {
            return;
        }
        let mut loss = Lanes([0.0; LANES]);
        gauge.loss.value_block(view.theta, &mut loss[..], view.scratch);
        gauge.loss.gradient_block(view.theta, &mut self.gradient, view.scratch);
        if let Some(Relations { noise, vectors, constant: None, .. }) = &gauge.relations {
            noise.variances_block(view.theta, vectors, &mut self.variances, &mut self.scratch);
        }
        let seen = Seen { theta: view.theta, gradient: &self.gradient, variances: &self.variances, loss: &loss };
        vectorized(
            #[inline(always)]
            || add(&mut self.sums, gauge, &seen, view.live),
        );
        self.sums.evaluations += 1;
    }

    fn end_stretch(&mut self, _looks: u64) {}
}

/// A block at one look.
struct Seen<'a> {
    theta: &'a [f64],
    gradient: &'a [f64],
    variances: &'a [f64],
    loss: &'a Lanes<f64>,
}

/// Adds one evaluation to the sums of the lanes that live.
#[inline(always)]
fn add(sums: &mut Sums, gauge: &Gauge, seen: &Seen<'_>, live: &[bool; LANES]) {
    let time = sums.evaluations as f64;
    let (theta, gradient) = (seen.theta.as_chunks::<LANES>().0, seen.gradient.as_chunks::<LANES>().0);
    let (mut height, mut square, mut along) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
    for l in 0..LANES {
        height[l] = seen.loss[l] - gauge.lowest;
    }
    for ((x, slope), center) in theta.iter().zip(gradient).zip(&gauge.center) {
        for l in 0..LANES {
            square[l] += slope[l] * slope[l];
            along[l] += (x[l] - center) * slope[l];
        }
    }
    follow(&mut sums.watched[..2], &height, time, live);
    follow(&mut sums.watched[2..4], &square, time, live);
    if let Some(relations) = &gauge.relations {
        accumulate(&mut sums.relations[0], &along, live);
        accumulate(&mut sums.relations[1], &relations.excess(0, &along, &square, seen.variances), live);
    }
    for (index, direction) in gauge.directions.iter().enumerate() {
        let (mut u, mut slope) = ([-direction.place; LANES], [0.0; LANES]);
        for ((x, g), e) in theta.iter().zip(gradient).zip(&direction.vector) {
            for l in 0..LANES {
                u[l] += e * x[l];
                slope[l] += e * g[l];
            }
        }
        let (mut u_square, mut product, mut slope_square) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        for l in 0..LANES {
            u_square[l] = u[l] * u[l];
            product[l] = u[l] * slope[l];
            slope_square[l] = slope[l] * slope[l];
        }
        let watched = &mut sums.watched[4 + 4 * index..][..4];
        follow(&mut watched[..2], &u, time, live);
        follow(&mut watched[2..], &u_square, time, live);
        if let Some(relations) = &gauge.relations {
            let excess = relations.excess(1 + index, &product, &slope_square, seen.variances);
            accumulate(&mut sums.relations[2 + 2 * index], &slope, live);
            accumulate(&mut sums.relations[3 + 2 * index], &excess, live);
        }
    }
}

impl Relations {
    /// left − (δ/2)·square − (n/2)·C, C the `index`-th of the trace and the variances along the directions.
    #[inline(always)]
    fn excess(&self, index: usize, left: &[f64; LANES], square: &[f64; LANES], variances: &[f64]) -> [f64; LANES] {
        let mut variance = [self.constant.as_ref().map_or(0.0, |constant| constant[index]); LANES];
        if let Some(row) = variances.as_chunks::<LANES>().0.get(index) {
            variance = *row;
        }
        let mut excess = [0.0; LANES];
        for l in 0..LANES {
            excess[l] = left[l] - self.half_step * square[l] - self.half_noise_scale * variance[l];
        }
        excess
    }
}

/// Adds to Σ x and to Σ k x.
#[inline(always)]
fn follow(pair: &mut [Lanes<f64>], values: &[f64; LANES], time: f64, live: &[bool; LANES]) {
    for l in 0..LANES {
        let value = if live[l] { values[l] } else { 0.0 };
        pair[0][l] += value;
        pair[1][l] += time * value;
    }
}

#[inline(always)]
fn accumulate(sum: &mut Lanes<f64>, values: &[f64; LANES], live: &[bool; LANES]) {
    for l in 0..LANES {
        sum[l] += if live[l] { values[l] } else { 0.0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::quadratic::Quadratic;
    use crate::noise::covariance::ConstantCovariance;
    use nalgebra::dmatrix;

    /// A function of θ.
    type Of<'a> = &'a dyn Fn(&[f64; 2]) -> f64;

    /// Three evaluations in nine looks, recounted by hand: L = ½(2x² + y²), n = 0.5, δ = 0.2, C = diag(3, 1), along y from 0.5.
    #[test]
    fn sums_are_those_of_a_recount() {
        let loss: Arc<dyn Loss> = Arc::new(Quadratic::from_eigenvalues(&[2.0, 1.0]));
        let noise = Arc::new(ConstantCovariance::new(dmatrix![3.0, 0.0; 0.0, 1.0]).unwrap());
        let direction = Direction { vector: vec![0.0, 1.0], place: 0.5 };
        let moments = StepMoments { noise, noise_scale: 0.5, step: 0.2 };
        let gauge = Arc::new(Gauge::new(loss, (1.0, vec![0.25, 0.0]), vec![direction], Some(moments), 3));
        let mut balance = Balance::new(&gauge);
        let place = |look: usize, lane: usize| [(look + lane) as f64 / 7.0 - 0.5, (look * lane) as f64 / 90.0];
        let mut live = [true; LANES];
        for look in 1..=9 {
            let theta: Vec<f64> = (0..2 * LANES).map(|i| place(look, i % LANES)[i / LANES]).collect();
            live[4] = look < 5;
            balance.observe(&mut View {
                theta: &theta,
                live: &live,
                lost: &mut [false; LANES],
                scratch: &mut [0.0; 8 * LANES],
            });
        }
        for lane in [0, 3, LANES - 1] {
            let seen: Vec<[f64; 2]> = [3, 6, 9].map(|look| place(look, lane)).to_vec();
            let mean = |f: &dyn Fn(&[f64; 2]) -> f64| seen.iter().map(f).sum::<f64>() / 3.0;
            // Of three equally distant values the straight line's change is the last less the first.
            let drift = |f: &dyn Fn(&[f64; 2]) -> f64| f(&seen[2]) - f(&seen[0]);
            let close = |found: &[f64], expected: &[f64]| {
                assert_eq!(found.len(), expected.len());
                for (a, b) in found.iter().zip(expected) {
                    assert!((a - b).abs() < 1e-12 * (1.0 + b.abs()), "lane {lane}: {found:?} {expected:?}");
                }
            };
            let watched: [Of<'_>; 4] =
                [&|[x, y]| x * x + 0.5 * y * y - 1.0, &|[x, y]| 4.0 * x * x + y * y, &|[_, y]| y - 0.5, &|[_, y]| {
                    (y - 0.5) * (y - 0.5)
                }];
            close(&balance.means(lane).unwrap(), &watched.map(mean));
            close(&balance.drifts(lane).unwrap(), &watched.map(drift));
            let left: Of<'_> = &|[x, y]| (x - 0.25) * 2.0 * x + y * y;
            let relations: [Of<'_>; 4] = [
                left,
                &|place| left(place) - 0.1 * (4.0 * place[0] * place[0] + place[1] * place[1]) - 0.25 * 4.0,
                &|[_, y]| *y,
                &|[_, y]| (y - 0.5) * y - 0.1 * y * y - 0.25,
            ];
            close(&balance.relations(lane).unwrap(), &relations.map(mean));
        }
        // A lane that died is added to no more.
        let only = place(3, 4);
        assert!((3.0 * balance.means(4).unwrap()[2] - (only[1] - 0.5)).abs() < 1e-12);
    }
}
