//! Neighbourhoods of minima that the gradient flow does not leave.

use nalgebra::{DMatrix, DVector};

use super::CriticalPoint;
use crate::loss::curvature::Curvature;
use crate::loss::{LANES, Loss};
use crate::random::{Purpose, stream::Stream};

/// {θ : (θ−m)ᵀH(θ−m) ≤ r²}, which the flow does not leave.
pub(super) struct Ellipsoid {
    center: Vec<f64>,
    hessian: Curvature,
    pub(super) radius_squared: f64,
}

impl Ellipsoid {
    /// The largest such ellipsoid, by probing along many directions, shortened by a fifth.
    ///
    /// In many dimensions random directions miss a ridge that is near in one of them only. So the directions towards all
    /// other minima are probed too, and then the neighbourhood of whichever direction was the tightest.
    pub(super) fn around(loss: &dyn Loss, minimum: &CriticalPoint, minima: &[CriticalPoint], scale: f64) -> Self {
        let d = minimum.theta.len();
        let center = DVector::from_column_slice(&minimum.theta);
        let curvatures = minimum.curvatures_within(WIDTH * scale);
        let hessian = if minimum.is_regular() { loss.hessian(&minimum.theta) } else { minimum.bowl(&curvatures) };
        // θ = m + ρ V diag(h^(−½)) u with |u| = 1 has q = ρ².
        let root = DVector::from_iterator(d, curvatures.iter().map(|h| 1.0 / h.sqrt()));
        let whiten = &minimum.eigenvectors * DMatrix::from_diagonal(&root);
        let towards = |other: &CriticalPoint| {
            let way = minimum.eigenvectors.transpose() * (DVector::from_column_slice(&other.theta) - &center);
            way.component_div(&root).normalize()
        };
        let mut stream = Stream::new(0, 2, Purpose::Landscape);
        let others = minima.iter().filter(|other| other.theta != minimum.theta).map(towards);
        let first: Vec<DVector<f64>> = others.chain(directions(d, &mut stream)).collect();

        let longest = root.amax();
        let mut rays = Rays::new(loss, minimum, &hessian, FIRST * scale / longest);
        let mut radius = scale / longest;
        let mut tightest = None;
        for directions in first.chunks(LANES) {
            if let Some((rho, index)) = rays.failure(&whiten, directions, radius) {
                (radius, tightest) = (rho, Some(directions[index].clone()));
            }
        }
        for round in 0..(64 * d).div_ceil(LANES) {
            let Some(best) = &tightest else { break };
            let spread = 0.5 / (1.0 + (round * LANES) as f64 / 16.0);
            let beside = |_| (best + random_direction(d, &mut stream) * spread).normalize();
            let directions: Vec<DVector<f64>> = (0..LANES).map(beside).collect();
            if let Some((rho, index)) = rays.failure(&whiten, &directions, radius) {
                (radius, tightest) = (rho, Some(directions[index].clone()));
            }
        }
        let hessian = Curvature::new(&hessian);
        // In a valley that bends beside a flat direction it may be smaller than rounding tells places apart.
        let radius = (0.8 * radius).max(SMALLEST * scale / longest);
        Self { center: minimum.theta.clone(), hessian, radius_squared: radius * radius }
    }

    /// (θ−m)ᵀH(θ−m) at N points.
    #[inline(always)]
    pub(super) fn quadratic<const N: usize>(
        &self,
        theta: &[[f64; N]],
        distance: &mut [[f64; N]],
        pull: &mut [[f64; N]],
    ) -> [f64; N] {
        for ((distance, x), m) in distance.iter_mut().zip(theta).zip(&self.center) {
            for l in 0..N {
                distance[l] = x[l] - m;
            }
        }
        self.hessian.multiply(distance, pull);
        let mut q = [0.0; N];
        for (distance, pull) in distance.iter().zip(&*pull) {
            for l in 0..N {
                q[l] += pull[l] * distance[l];
            }
        }
        q
    }
}

/// Looks along many rays from a minimum at once.
struct Rays<'a> {
    loss: &'a dyn Loss,
    center: &'a [f64],
    hessian: &'a DMatrix<f64>,
    /// Whether the bowl is the loss's own near the minimum, and not one that stands for flat directions.
    is_own: bool,
    /// Where to begin.
    nearest: f64,
    /// d rows of [`LANES`].
    theta: Vec<f64>,
    gradient: Vec<f64>,
    scratch: Vec<f64>,
}

/// The first place on a ray, in the same parts.
const FIRST: f64 = 1e-3;
/// From one place on a ray to the next.
const STRIDE: f64 = 1.1;
/// What lies so near to a minimum, in parts of the landscape's length along its softest direction, is its own: minima and their ridges are
/// farther apart.
const SMALLEST: f64 = 1e-6;
/// A flat direction counts as the bowl that it is like so far out, in the same parts.
const WIDTH: f64 = 1e-2;

impl<'a> Rays<'a> {
    fn new(loss: &'a dyn Loss, minimum: &'a CriticalPoint, hessian: &'a DMatrix<f64>, nearest: f64) -> Self {
        let center = minimum.theta.as_slice();
        let block = vec![0.0; center.len() * LANES];
        let (theta, gradient, scratch) = (block.clone(), block, vec![0.0; loss.block_scratch()]);
        Self { loss, center, hessian, is_own: minimum.is_regular(), nearest, theta, gradient, scratch }
    }

    /// The smallest ρ up to `farthest` at which q no longer falls along the flow on one of at most [`LANES`] rays, and on which.
    fn failure(&mut self, whiten: &DMatrix<f64>, directions: &[DVector<f64>], farthest: f64) -> Option<(f64, usize)> {
        let rays: Vec<DVector<f64>> = directions.iter().map(|direction| whiten * direction).collect();
        let pulls: Vec<DVector<f64>> = rays.iter().map(|ray| self.hessian * ray).collect();
        let mut rho = farthest.min(self.nearest);
        while rho > SMALLEST / FIRST * self.nearest && self.fails(rho, &rays, &pulls).is_some() {
            rho *= 0.25;
        }
        while rho <= farthest {
            if let Some(index) = self.fails(rho, &rays, &pulls) {
                return Some((rho, index));
            }
            rho *= STRIDE;
        }
        None
    }

    /// The first ray at whose place ρ the quadratic form does not fall.
    fn fails(&mut self, rho: f64, rays: &[DVector<f64>], pulls: &[DVector<f64>]) -> Option<usize> {
        for (lane, ray) in (0..LANES).zip(rays.iter().cycle()) {
            for (i, (center, along)) in self.center.iter().zip(ray.iter()).enumerate() {
                self.theta[i * LANES + lane] = center + along * rho;
            }
        }
        self.loss.gradient_block(&self.theta, &mut self.gradient, &mut self.scratch);
        let fall = |lane: usize, pull: &DVector<f64>| {
            pull.iter().enumerate().map(|(i, pull)| pull * self.gradient[i * LANES + lane]).sum::<f64>()
        };
        // In the bowl the fall is ρ|H ray|²; a tenth of it is asked for, so that rounding has no say. Along a flat direction it is of a higher
        // order. NaN is no fall.
        let asked = if self.is_own { 0.1 * rho } else { 0.0 };
        let falls = |(lane, pull): (usize, &DVector<f64>)| fall(lane, pull) > asked * pull.norm_squared();
        pulls.iter().enumerate().position(|ray| !falls(ray))
    }
}

/// Unit vectors: both ways along every axis, and many random ones.
fn directions(d: usize, stream: &mut Stream) -> Vec<DVector<f64>> {
    let axes = (0..2 * d).map(|i| {
        let mut axis = DVector::zeros(d);
        axis[i / 2] = if i % 2 == 0 { 1.0 } else { -1.0 };
        axis
    });
    let mut all: Vec<DVector<f64>> = axes.collect();
    all.extend((0..64 * d).map(|_| random_direction(d, stream)));
    all
}

/// A sum of twelve uniforms is near enough to a normal for the direction to be near enough to uniform.
fn random_direction(d: usize, stream: &mut Stream) -> DVector<f64> {
    DVector::from_fn(d, |_, _| (0..12).map(|_| stream.uniform()).sum::<f64>() - 6.0).normalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::expression::Expression;

    /// On its surface the quadratic form falls along the flow: in a round bowl, and in a bent valley, where it is far narrower than the first
    /// place looked at.
    #[test]
    fn no_flow_leaves_it() {
        let ring = |soft: f64| {
            let place = f64::sqrt(0.5 * (1.0 + 0.25 * soft));
            (format!("(x^2 + y^2 - 1)^2 + {soft}*x*y"), [-place, place])
        };
        for (formula, place) in [("(x^2 - 1)^2 + y^2".to_string(), [1.0, 0.0]), ring(1e-2), ring(1e-3)] {
            let loss = Expression::new(&["x", "y"].map(String::from), &[], &formula).unwrap();
            let minimum = CriticalPoint::at(&loss, &place);
            let ellipsoid = Ellipsoid::around(&loss, &minimum, std::slice::from_ref(&minimum), 6.0);
            let hessian = loss.hessian(&place);
            let whiten = &minimum.eigenvectors
                * DMatrix::from_diagonal(&DVector::from_iterator(
                    2,
                    minimum.eigenvalues.iter().map(|h| 1.0 / h.sqrt()),
                ));
            for part in [0.3, 1.0] {
                for direction in 0..1000 {
                    let (sine, cosine) = (0.001 * std::f64::consts::TAU * f64::from(direction)).sin_cos();
                    let away =
                        &whiten * DVector::from_vec(vec![cosine, sine]) * (part * ellipsoid.radius_squared.sqrt());
                    let mut slope = DVector::zeros(2);
                    let theta = DVector::from_column_slice(&place) + &away;
                    loss.gradient(theta.as_slice(), slope.as_mut_slice());
                    assert!(
                        (&hessian * away).dot(&slope) > 0.0,
                        "{formula}, {direction}: {}",
                        ellipsoid.radius_squared
                    );
                }
            }
        }
    }
}
