//! Neighbourhoods of minima that the gradient flow does not leave.

use nalgebra::{DMatrix, DVector};

use super::CriticalPoint;
use crate::loss::Loss;
use crate::loss::curvature::Curvature;
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
        let hessian = loss.hessian(&minimum.theta);
        // θ = m + ρ V diag(h^(−½)) u with |u| = 1 has q = ρ².
        let root = DVector::from_iterator(d, minimum.eigenvalues.iter().map(|h| 1.0 / h.sqrt()));
        let whiten = &minimum.eigenvectors * DMatrix::from_diagonal(&root);
        let longest = root.amax();
        let mut gradient = vec![0.0; d];
        // The place on a ray, up to `farthest`, at which q no longer falls along the flow.
        let mut failure = |direction: &DVector<f64>, farthest: f64| -> Option<f64> {
            let ray = &whiten * direction;
            let pull = &hessian * &ray;
            let mut rho = farthest.min(1e-3 * scale / longest);
            while rho <= farthest {
                loss.gradient((&center + &ray * rho).as_slice(), &mut gradient);
                let fall = pull.dot(&DVector::from_column_slice(&gradient));
                // In the bowl the fall is ρ|H ray|²; a tenth of it is asked for, so that rounding has no say.
                if !(fall > 0.1 * rho * pull.norm_squared()) {
                    return Some(rho);
                }
                rho *= 1.1;
            }
            None
        };
        let towards = |other: &CriticalPoint| {
            let way = minimum.eigenvectors.transpose() * (DVector::from_column_slice(&other.theta) - &center);
            way.component_div(&root).normalize()
        };
        let others = minima.iter().filter(|other| other.theta != minimum.theta).map(towards);
        let mut radius = scale / longest;
        let mut tightest = None;
        let mut stream = Stream::new(0, 2, Purpose::Landscape);
        for direction in others.chain(directions(d, &mut stream)) {
            if let Some(rho) = failure(&direction, radius) {
                (radius, tightest) = (rho, Some(direction));
            }
        }
        for round in 0..64 * d {
            let Some(best) = &tightest else { break };
            let spread = 0.5 / (1.0 + round as f64 / 16.0);
            let direction = (best + random_direction(d, &mut stream) * spread).normalize();
            if let Some(rho) = failure(&direction, radius) {
                (radius, tightest) = (rho, Some(direction));
            }
        }
        let hessian = Curvature::new(&hessian);
        Self { center: minimum.theta.clone(), hessian, radius_squared: (0.8 * radius) * (0.8 * radius) }
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
