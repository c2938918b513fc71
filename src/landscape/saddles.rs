//! Index-1 saddles between minima, in more than one dimension.

use nalgebra::DVector;
use rayon::prelude::*;

use super::basins::Basins;
use super::descent::{Aim, newton};
use super::region::length;
use super::search::{apart, diagonal, random_point, standard};
use super::{CriticalPoint, FlatDirection, Saddle};
use crate::loss::Loss;
use crate::random::{Purpose, stream::Stream};

/// Random points per dimension from which saddles are climbed to, up to so many dimensions: in more, their number falls as the cost of
/// a step, d³, rises.
const STARTS_PER_DIMENSION: usize = 32;
const MOST_DIMENSIONS: usize = 10;
/// Beyond some thirty minima, pairs are too many; the random points and the near pairs must do.
const MOST_PARTNERS: usize = 30;

/// Saddles that eigenvector following reaches from the ridge of every straight line between two minima, and from
/// random points of the domain; kept when the descents on their two sides end in different minima.
pub(super) fn between(
    loss: &dyn Loss,
    minima: &[CriticalPoint],
    basins: &Basins,
    domain: &[[f64; 2]],
    usual_curvature: f64,
) -> Vec<Saddle> {
    // What lies between a minimum and itself or one of its images is not asked about.
    if minima.len() < 2 {
        return Vec::new();
    }
    let longest = 0.02 * diagonal(domain);
    let offset = 1e-3 * length(minima, domain);
    let ends: Vec<Option<Vec<f64>>> =
        starts(loss, minima, domain).par_iter().map(|start| newton(loss, start, longest, Aim::Saddle)).collect();
    let mut saddles: Vec<Saddle> = Vec::new();
    for theta in ends.into_iter().flatten() {
        if saddles.iter().any(|other| apart(loss, &other.point.theta, &theta) < 1e-5 * diagonal(domain)) {
            continue;
        }
        let mut point = standard(loss, CriticalPoint::at(loss, &theta));
        if point.index() != 1 {
            continue;
        }
        let flat = point.flat_directions(loss, usual_curvature, domain);
        // Where only the curvature jumps it is a saddle, though none of Kramers'.
        let rise = |axis: usize| {
            let jump = point.jump_along(loss, axis, domain);
            jump.or_else(|| FlatDirection::along(loss, &point, axis, diagonal(domain)))
        };
        let jumps: Option<Vec<FlatDirection>> = flat.iter().map(|&axis| rise(axis)).collect();
        let Some(jumps) = jumps else { continue };
        point.flat = jumps;
        if let Some(between) = sides(&point, basins, offset) {
            saddles.push(Saddle { point, between });
        }
    }
    saddles.sort_by(|a, b| a.point.loss.total_cmp(&b.point.loss));
    saddles
}

/// Where climbs begin.
fn starts(loss: &dyn Loss, minima: &[CriticalPoint], domain: &[[f64; 2]]) -> Vec<Vec<f64>> {
    let mut starts = Vec::new();
    for (i, a) in minima.iter().enumerate() {
        for b in minima.iter().skip(i + 1).take(MOST_PARTNERS) {
            let image = loss.symmetry().map(|symmetry| symmetry.nearest(&a.theta, &b.theta).1);
            starts.push(ridge_point(loss, &a.theta, image.as_ref().unwrap_or(&b.theta)));
        }
    }
    let d = domain.len();
    let many = STARTS_PER_DIMENSION * d.min(MOST_DIMENSIONS);
    let dearer = (d as f64 / MOST_DIMENSIONS as f64).max(1.0).powi(3);
    let mut stream = Stream::new(0, 1, Purpose::Landscape);
    starts.extend((0..(many as f64 / dearer) as usize).map(|_| random_point(&mut stream, domain)));
    starts
}

/// The two different minima on the sides of a saddle.
fn sides(point: &CriticalPoint, basins: &Basins, offset: f64) -> Option<[usize; 2]> {
    let saddle = DVector::from_column_slice(&point.theta);
    let unstable = point.eigenvectors.column(0);
    let above = basins.flow_from((&saddle + unstable * offset).as_slice())?;
    let below = basins.flow_from((&saddle - unstable * offset).as_slice())?;
    (above != below).then(|| [above.min(below), above.max(below)])
}

/// The highest point of the straight line between two minima, found on a grid and then by thirds: a sharp ridge has
/// negative curvature only in a narrow band, and eigenvector following must start inside of it.
pub(super) fn ridge_point(loss: &dyn Loss, a: &[f64], b: &[f64]) -> Vec<f64> {
    let at = |fraction: f64| -> Vec<f64> { a.iter().zip(b).map(|(x, y)| x + fraction * (y - x)).collect() };
    let height = |fraction: f64| loss.value(&at(fraction));
    let coarse = (1..100).map(|i| f64::from(i) / 100.0).max_by(|x, y| height(*x).total_cmp(&height(*y))).unwrap_or(0.5);
    let (mut low, mut high) = (coarse - 0.01, coarse + 0.01);
    for _ in 0..60 {
        let third = (high - low) / 3.0;
        if height(low + third) < height(high - third) { low += third } else { high -= third }
    }
    at(0.5 * (low + high))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use nalgebra::DMatrix;

    use crate::landscape::Landscape;
    use crate::loss::wells::{Well, Wells};

    /// In ten dimensions the ridge between two wells is a band of a hundredth of their distance.
    #[test]
    fn a_sharp_ridge_in_ten_dimensions() {
        let well = |position: f64, loss: f64, curvature: f64| Well {
            position: vec![position; 10],
            loss,
            hessian: DMatrix::from_diagonal_element(10, 10, curvature),
        };
        let loss = Arc::new(Wells::new(&[well(-1.0, 0.0, 1.0), well(1.0, 0.1, 0.5)], 0.1).unwrap());
        let landscape = Landscape::explore(loss, &[[-3.0, 3.0]; 10]).unwrap();
        assert_eq!((landscape.minima.len(), landscape.saddles.len()), (2, 1));
        let saddle = &landscape.saddles[0];
        assert_eq!(saddle.between, [0, 1]);
        assert!(saddle.point.eigenvalues[0] < -1.0 && saddle.point.eigenvalues[1] > 0.0);
    }
}
