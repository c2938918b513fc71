//! Predicted laws cut into cells: on a line the mass below the first edge, between neighbouring edges and above the last;
//! in the plane that of every cell (first coordinate running fastest) and of what lies outside. They sum to 1.

use rayon::prelude::*;

use super::bounding_box::bounding_box;
use super::discrete::DiscreteLaw;
use super::extent::{Line, Side};
use super::gibbs::{self, DECAY};
use super::ito::{ItoLaw, Potential};
use super::outskirts::{beyond_box, beyond_ends};
use super::quadrature::{GAUSS_5, integrate_to};
use super::{laplace, normal_cdf};
use crate::landscape::{CriticalPoint, Landscape};
use crate::loss::Loss;
use crate::math;

/// At most so many Gauss rules along each side of a cell.
const MOST_PARTS: usize = 32;
/// Columns and rows of cells that what lies outside is cut into, on each side.
const OUTER_PARTS: usize = 6;

/// exp(−L/T)/Z over the cells with these edges (one list of ascending edges for each coordinate, one or two); `None` where
/// it has no finite integral.
pub fn gibbs(
    loss: &dyn Loss,
    landscape: &Landscape,
    domain: &[[f64; 2]],
    temperature: f64,
    edges: &[&[f64]],
) -> Option<Vec<f64>> {
    let lowest = landscape.minima[0].loss;
    let weight = |point: &[f64]| {
        let weight = math::exp(-(loss.value(point) - lowest) / temperature);
        // Where L is not defined there is no mass.
        if weight.is_finite() { weight } else { 0.0 }
    };
    match edges {
        [edges] => {
            let value = |x: f64| loss.value(&[x]);
            let line = Line { value: &value, lowest, temperature };
            let weight = |x: f64| line.weight(x);
            let sides = gibbs::line::sides(&line, landscape, domain[0], &landscape.basins.intervals()?);
            if beyond_ends(loss, landscape, sides.map(Side::place), temperature).is_some() {
                return None;
            }
            let mass = |low: f64, high: f64, pieces: usize| {
                let is_some = low < high;
                if is_some { integrate_to(line.tolerance(), &weight, low, high, pieces).value } else { 0.0 }
            };
            let (first, last) = (*edges.first()?, *edges.last()?);
            let mut masses = vec![mass(sides[0].place().min(first), first, 16)];
            masses.extend(edges.windows(2).map(|pair| mass(pair[0], pair[1], 1)));
            masses.push(mass(last, sides[1].place().max(last), 16));
            let body: f64 = masses.iter().sum();
            let panel = (domain[0][1] - domain[0][0]) / 16.0;
            // A tail that begins before the first edge or after the last.
            let beyond = |end: usize, outermost: f64| {
                let side = match sides[end] {
                    Side::Tail(start) if end == 0 => Side::Tail(start.min(outermost)),
                    Side::Tail(start) => Side::Tail(start.max(outermost)),
                    side => side,
                };
                line.beyond(&weight, side, if end == 0 { -1.0 } else { 1.0 }, panel, body).ok()
            };
            let [below, above] = [beyond(0, first)?, beyond(1, last)?];
            masses[0] += below.value;
            masses[edges.len()] += above.value;
            normalized(masses)
        }
        [_, _] => {
            let region = bounding_box::<2>(loss, landscape, domain, temperature, DECAY)?;
            if beyond_box(loss, landscape, &region, temperature).is_some() {
                return None;
            }
            let flat = landscape.minima.iter().flat_map(|minimum| minimum.curvatures_at(temperature));
            let narrow = (temperature / flat.fold(landscape.largest_curvature(), f64::max)).sqrt();
            plane(&weight, [edges[0], edges[1]], &region, narrow)
        }
        _ => None,
    }
}

/// The Itô law over the cells of a line, for the potential that it was made of.
pub fn ito(law: &ItoLaw, potential: &Potential, edges: &[f64]) -> Option<Vec<f64>> {
    let [from, to] = potential.range();
    // Gauss rules of a fixed number: Φ has rounding errors of its own, which an adaptive rule would chase.
    let mass = |low: f64, high: f64, parts: usize| {
        let (low, high) = (low.max(from), high.min(to));
        let half = 0.5 * (high - low) / parts as f64;
        let part = |index: usize| -> f64 {
            let center = low + half * (2 * index + 1) as f64;
            GAUSS_5.iter().map(|(node, weight)| half * weight * law.density(potential, center + half * node)).sum()
        };
        if low < high { (0..parts).map(part).sum() } else { 0.0 }
    };
    let (first, last) = (*edges.first()?, *edges.last()?);
    let mut masses = vec![mass(from, first, 256)];
    masses.extend(edges.windows(2).map(|pair| mass(pair[0], pair[1], 2)));
    masses.push(mass(last, to, 256));
    normalized(masses)
}

/// The slide's picture: a Gaussian of covariance T H⁻¹ in every minimum, weighed by Laplace's formula, which together are
/// the mixture Σ_A exp(−L_A/T − (θ − θ_A)ᵀH_A(θ − θ_A)/(2T))/Z. `None` where a Hessian is singular.
pub fn laplace(loss: &dyn Loss, minima: &[CriticalPoint], temperature: f64, edges: &[&[f64]]) -> Option<Vec<f64>> {
    match edges {
        [edges] => {
            let shares = laplace::occupancies(minima, temperature)?;
            let below = |x: f64| -> f64 {
                let part = |(share, minimum): (&f64, &CriticalPoint)| {
                    share * normal_cdf((x - minimum.theta[0]) * (minimum.eigenvalues[0] / temperature).sqrt())
                };
                shares.iter().zip(minima).map(part).sum()
            };
            Some(between(&edges.iter().map(|&edge| below(edge)).collect::<Vec<f64>>()))
        }
        [_, _] if minima.iter().all(CriticalPoint::is_regular) => {
            let hessians: Vec<_> = minima.iter().map(|minimum| loss.hessian(&minimum.theta)).collect();
            let weight = |point: &[f64]| -> f64 {
                let part = |(minimum, hessian): (&CriticalPoint, &nalgebra::DMatrix<f64>)| {
                    let [u, v] = [point[0] - minimum.theta[0], point[1] - minimum.theta[1]];
                    let height = minimum.loss - minima[0].loss
                        + 0.5 * (u * u * hessian[(0, 0)] + 2.0 * u * v * hessian[(0, 1)] + v * v * hessian[(1, 1)]);
                    math::exp(-height / temperature)
                };
                minima.iter().zip(&hessians).map(part).sum()
            };
            // Nine standard deviations of the widest direction of every well.
            let side = |axis: usize| {
                let reach = |minimum: &CriticalPoint| 9.0 * (temperature / minimum.eigenvalues[0]).sqrt();
                minima.iter().fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], minimum| {
                    let (place, reach) = (minimum.theta[axis], reach(minimum));
                    [low.min(place - reach), high.max(place + reach)]
                })
            };
            let sharpest =
                minima.iter().flat_map(|minimum| minimum.eigenvalues.last()).fold(0.0, |a: f64, &h| a.max(h));
            plane(&weight, [edges[0], edges[1]], &[side(0), side(1)], (temperature / sharpest).sqrt())
        }
        _ => None,
    }
}

/// The chain's own law on a line.
pub fn discrete(law: &DiscreteLaw, edges: &[f64]) -> Vec<f64> {
    between(&edges.par_iter().map(|&edge| law.below(edge)).collect::<Vec<f64>>())
}

/// From a distribution function at the edges to masses.
fn between(below: &[f64]) -> Vec<f64> {
    let ends = std::iter::once(0.0).chain(below.iter().copied());
    ends.zip(below.iter().copied().chain([1.0])).map(|(low, high)| (high - low).max(0.0)).collect()
}

fn normalized(masses: Vec<f64>) -> Option<Vec<f64>> {
    let total: f64 = masses.iter().sum();
    (total.is_finite() && total > 0.0).then(|| masses.iter().map(|mass| mass / total).collect())
}

/// The masses of the cells and of the rest of `region`, by products of Gauss rules on parts no wider than `narrow`.
fn plane(
    weight: &(dyn Fn(&[f64]) -> f64 + Sync),
    inner: [&[f64]; 2],
    region: &[[f64; 2]; 2],
    narrow: f64,
) -> Option<Vec<f64>> {
    let [(columns, left), (rows, below)] = [0, 1].map(|axis| with_surroundings(inner[axis], region[axis]));
    let (across, up) = (columns.len() - 1, rows.len() - 1);
    let masses: Vec<f64> = (0..across * up)
        .into_par_iter()
        .map(|cell| {
            let (i, j) = (cell % across, cell / across);
            integrate(weight, [columns[i], columns[i + 1]], [rows[j], rows[j + 1]], narrow)
        })
        .collect();
    // Summed in the order of the cells: the same bits for any number of threads.
    let (wide, high) = (inner[0].len() - 1, inner[1].len() - 1);
    let mut sorted = vec![0.0; wide * high + 1];
    for (cell, mass) in masses.into_iter().enumerate() {
        let (column, row) = ((cell % across).wrapping_sub(left), (cell / across).wrapping_sub(below));
        let place = if column < wide && row < high { row * wide + column } else { wide * high };
        sorted[place] += mass;
    }
    normalized(sorted)
}

/// The edges with others before and after them as far as the region reaches, and how many stand before.
fn with_surroundings(edges: &[f64], [low, high]: [f64; 2]) -> (Vec<f64>, usize) {
    let (first, last) = (edges[0], edges[edges.len() - 1]);
    let cut = |from: f64, to: f64| (0..OUTER_PARTS).map(move |i| from + (to - from) * i as f64 / OUTER_PARTS as f64);
    let mut all: Vec<f64> = if low < first { cut(low, first).collect() } else { Vec::new() };
    let before = all.len();
    all.extend(edges);
    if high > last {
        all.extend(cut(last, high).skip(1).chain([high]));
    }
    (all, before)
}

fn integrate(weight: &dyn Fn(&[f64]) -> f64, x: [f64; 2], y: [f64; 2], narrow: f64) -> f64 {
    let parts = |[low, high]: [f64; 2]| (((high - low) / narrow).ceil() as usize).clamp(1, MOST_PARTS);
    let (across, up) = (parts(x), parts(y));
    let (hx, hy) = (0.5 * (x[1] - x[0]) / across as f64, 0.5 * (y[1] - y[0]) / up as f64);
    let mut sum = 0.0;
    for part in 0..across * up {
        let (i, j) = ((part % across) as f64, (part / across) as f64);
        let (cx, cy) = (x[0] + hx * (2.0 * i + 1.0), y[0] + hy * (2.0 * j + 1.0));
        for (u, weight_u) in GAUSS_5 {
            for (v, weight_v) in GAUSS_5 {
                sum += weight_u * weight_v * weight(&[cx + hx * u, cy + hy * v]);
            }
        }
    }
    sum * hx * hy
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::loss::closure::Closure;
    use crate::loss::quadratic::Quadratic;
    use crate::theory::gibbs::by_quadrature;

    fn grid(low: f64, high: f64, cells: usize) -> Vec<f64> {
        (0..=cells).map(|i| low + (high - low) * i as f64 / cells as f64).collect()
    }

    /// In a bowl the law is a Gaussian of variance T/h, by either rung, tails included: here 2.3 % and 16 % of it.
    #[test]
    fn a_bowl_is_a_gaussian_with_its_tails() {
        let loss: Arc<dyn Loss> = Arc::new(Quadratic::from_eigenvalues(&[4.0]));
        let landscape = Landscape::explore(loss.clone(), &[[-3.0, 3.0]]).unwrap();
        let (temperature, deviation) = (0.36, 0.3);
        let edges = grid(-2.0 * deviation, deviation, 7);
        let exact: Vec<f64> = edges.iter().map(|x| 0.5 * libm::erfc(-x / deviation / 2f64.sqrt())).collect();
        let exact = between(&exact);
        assert!((exact[0] - 0.022_750_131_948_179_2).abs() < 1e-12);
        let by_gibbs = gibbs(loss.as_ref(), &landscape, &[[-3.0, 3.0]], temperature, &[&edges]).unwrap();
        let by_laplace = laplace(loss.as_ref(), &landscape.minima, temperature, &[&edges]).unwrap();
        for law in [by_gibbs, by_laplace] {
            assert_eq!(law.len(), 9);
            for (found, expected) in law.iter().zip(&exact) {
                assert!((found - expected).abs() < 1e-12, "{found} {expected}");
            }
        }
    }

    /// In the plane: a product of two Gaussians, and the outside is what is left.
    #[test]
    fn a_bowl_in_the_plane_is_a_product() {
        let loss: Arc<dyn Loss> = Arc::new(Quadratic::from_eigenvalues(&[1.0, 9.0]));
        let domain = [[-3.0, 3.0], [-3.0, 3.0]];
        let landscape = Landscape::explore(loss.clone(), &domain).unwrap();
        let (x, y) = (grid(-1.0, 0.8, 5), grid(-0.3, 0.4, 4));
        let along = |edges: &[f64], deviation: f64| -> Vec<f64> {
            let below: Vec<f64> = edges.iter().map(|x| 0.5 * libm::erfc(-x / deviation / 2f64.sqrt())).collect();
            below.windows(2).map(|pair| pair[1] - pair[0]).collect()
        };
        let (wide, narrow) = (along(&x, 0.5), along(&y, 0.5 / 3.0));
        let by_gibbs = gibbs(loss.as_ref(), &landscape, &domain, 0.25, &[&x, &y]).unwrap();
        let by_laplace = laplace(loss.as_ref(), &landscape.minima, 0.25, &[&x, &y]).unwrap();
        for law in [by_gibbs, by_laplace] {
            for (cell, found) in law[..20].iter().enumerate() {
                let expected = wide[cell % 5] * narrow[cell / 5];
                assert!((found - expected).abs() < 1e-10, "{cell}: {found} {expected}");
            }
            let inside: f64 = wide.iter().sum::<f64>() * narrow.iter().sum::<f64>();
            assert!((law[20] - (1.0 - inside)).abs() < 1e-10 && law[20] > 0.05, "{}", law[20]);
        }
    }

    /// Cells that end on the ridge add up to the basins' masses, which another quadrature knows.
    #[test]
    fn cells_add_up_to_the_basins() {
        let value = |x: &[f64]| 0.25 * x[0] * x[0] * x[0] * x[0] - 0.5 * x[0] * x[0] + 0.1 * x[0];
        let loss: Arc<dyn Loss> =
            Arc::new(Closure::new(1, value, |x: &[f64], g: &mut [f64]| g[0] = x[0] * x[0] * x[0] - x[0] + 0.1));
        let domain = [[-3.0, 3.0]];
        let landscape = Landscape::explore(loss.clone(), &domain).unwrap();
        let ridge = landscape.saddles[0].point.theta[0];
        let edges = [-1.5, -0.7, ridge, 0.4, 0.9];
        let law = gibbs(loss.as_ref(), &landscape, &domain, 0.1, &[&edges]).unwrap();
        let basins = by_quadrature(loss.as_ref(), &landscape, &domain, 0.1).unwrap();
        assert!((law[..3].iter().sum::<f64>() - basins.occupancies[0]).abs() < 1e-10);
        assert!((law[..3].iter().sum::<f64>() - 0.859_060).abs() < 1e-6);
    }
}
