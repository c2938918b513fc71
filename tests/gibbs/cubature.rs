//! Basin masses in the plane and in space: against products of integrals on lines, and against dense grids whose points
//! are labelled by a plain gradient descent.

use std::sync::Arc;

use nalgebra::dmatrix;

use sgd_sde::landscape::Landscape;
use sgd_sde::loss::Loss;
use sgd_sde::loss::closure::Closure;
use sgd_sde::loss::expression::Expression;
use sgd_sde::loss::wells::{Well, Wells};
use sgd_sde::theory::gibbs;

use super::support::DoubleWell;

const TEMPERATURE: f64 = 0.15;

/// The masses of the four or eight basins of a sum of double wells factorise; so do the means of the Laplacian.
fn separable<const D: usize>(wells: [DoubleWell; D], tolerance: f64) {
    let value = move |x: &[f64]| (0..D).map(|i| wells[i].value(x[i])).sum::<f64>();
    let gradient = move |x: &[f64], g: &mut [f64]| (0..D).for_each(|i| g[i] = wells[i].slope(x[i]));
    let loss: Arc<dyn Loss> = Arc::new(Closure::new(D, value, gradient));
    let domain = [[-2.0, 2.0]; D];
    let landscape = Landscape::explore(loss.clone(), &domain).unwrap();
    assert_eq!(landscape.minima.len(), 1 << D);
    let law = gibbs::by_quadrature(loss.as_ref(), &landscape, &domain, TEMPERATURE).unwrap();
    let masses = wells.map(|well| well.halves(TEMPERATURE, |_| 1.0));
    let laplacians = wells.map(|well| well.halves(TEMPERATURE, |x| well.curvature(x)));
    for (minimum, point) in landscape.minima.iter().enumerate() {
        let side = |axis: usize| usize::from(point.theta[axis] > 0.0);
        let share = |axis: usize| masses[axis][side(axis)] / masses[axis].iter().sum::<f64>();
        let expected: f64 = (0..D).map(share).product();
        let found = law.occupancies[minimum];
        assert!((found - expected).abs() < tolerance, "basin {minimum}: {found} {expected}");
        let mean = |axis: usize| laplacians[axis][side(axis)] / masses[axis][side(axis)];
        let expected: f64 = (0..D).map(mean).sum();
        let found = law.mean_laplacian[minimum];
        assert!((found / expected - 1.0).abs() < 10.0 * tolerance, "⟨ΔL⟩ of basin {minimum}: {found} {expected}");
    }
    assert_eq!(law.other, 0.0);
    let whole: f64 = masses.iter().map(|halves| halves.iter().sum::<f64>().ln()).sum();
    let lowest = landscape.minima[0].loss / TEMPERATURE;
    assert!((law.log_normalization.unwrap() - whole - lowest).abs() < tolerance);
}

#[test]
fn plane_of_double_wells() {
    separable([DoubleWell { a: 1.0, b: 0.05 }, DoubleWell { a: 1.6, b: -0.03 }], 1e-6);
}

#[test]
fn space_of_double_wells() {
    separable([DoubleWell { a: 1.0, b: 0.05 }, DoubleWell { a: 1.6, b: -0.03 }, DoubleWell { a: 0.8, b: 0.02 }], 1e-5);
}

/// A valley along u = 0.8x + 0.6y between walls of v = 0.8y − 0.6x has the masses of u alone, however steep the walls.
#[test]
fn narrow_valleys_have_the_masses_of_their_floor() {
    let law = |variables: &[&str], formula: &str, temperature: f64| {
        let names: Vec<String> = variables.iter().map(ToString::to_string).collect();
        let loss = Arc::new(Expression::new(&names, &[], formula).unwrap());
        let domain = vec![[-3.0, 3.0]; names.len()];
        let landscape = Landscape::explore(loss.clone(), &domain).unwrap();
        gibbs::by_quadrature(loss.as_ref(), &landscape, &domain, temperature).unwrap()
    };
    let floor = |u: &str| format!("{u}^4/4 - {u}^2/2 + 0.1*{u}");
    for temperature in [0.1, 0.2] {
        let exact = law(&["u"], &floor("u"), temperature);
        for walls in ["1", "1e3", "1e5", "1e7"] {
            let formula = format!("{} + 0.5*{walls}*(0.8*y - 0.6*x)^2", floor("(0.8*x + 0.6*y)"));
            let found = law(&["x", "y"], &formula, temperature);
            for (found, exact) in found.occupancies.iter().zip(&exact.occupancies) {
                assert!((found - exact).abs() < 1e-5, "T = {temperature}, walls {walls}: {found}, not {exact}");
            }
            let excess = [&found, &exact].map(|law| law.mean_excess.unwrap());
            assert!(
                (excess[0] - excess[1] - 0.5 * temperature).abs() < 1e-5,
                "T = {temperature}, walls {walls}: {excess:?}"
            );
            assert_eq!(found.other, 0.0, "T = {temperature}, walls {walls}");
        }
    }
}

/// Basin masses by the midpoint rule on a grid that knows nothing of ridges, and what descends to no minimum.
fn dense_grid<const D: usize>(
    loss: &dyn Loss,
    minima: &[Vec<f64>],
    region: [[f64; 2]; D],
    points: usize,
) -> (Vec<f64>, f64) {
    let width: [f64; D] = region.map(|[low, high]| (high - low) / points as f64);
    let place = |index: usize| -> [f64; D] {
        std::array::from_fn(|i| region[i][0] + width[i] * ((index / points.pow(i as u32) % points) as f64 + 0.5))
    };
    let lowest = minima.iter().map(|minimum| loss.value(minimum)).fold(f64::INFINITY, f64::min);
    let mut masses = vec![0.0; minima.len()];
    let mut lost = 0.0;
    for index in 0..points.pow(D as u32) {
        let mut point = place(index);
        let weight = (-(loss.value(&point) - lowest) / TEMPERATURE).exp();
        if weight < 1e-8 {
            continue;
        }
        match descend(loss, &mut point, minima) {
            Some(minimum) => masses[minimum] += weight,
            None => lost += weight,
        }
    }
    let total = masses.iter().sum::<f64>() + lost;
    (masses.iter().map(|mass| mass / total).collect(), lost / total)
}

/// Plain gradient descent with a short fixed step: which minimum does it come near?
fn descend(loss: &dyn Loss, point: &mut [f64], minima: &[Vec<f64>]) -> Option<usize> {
    let mut slope = vec![0.0; point.len()];
    for _ in 0..20_000 {
        let near = |minimum: &&Vec<f64>| minimum.iter().zip(point.iter()).all(|(a, b)| (a - b).abs() < 0.1);
        if let Some(minimum) = minima.iter().find(near) {
            return minima.iter().position(|other| other == minimum);
        }
        loss.gradient(point, &mut slope);
        let steepness = slope.iter().map(|g| g * g).sum::<f64>().sqrt();
        // Far out the step is cut, so that a steep wall does not throw the point over a ridge.
        let step = 0.02 / (1.0 + 0.5 * steepness);
        point.iter_mut().zip(&slope).for_each(|(x, g)| *x -= step * g);
    }
    None
}

/// The grid itself is good to about 5e−5: a cell on a ridge goes to its center's owner.
fn against_a_dense_grid<const D: usize>(loss: Arc<dyn Loss>, minima: usize, region: [[f64; 2]; D], points: usize) {
    let landscape = Landscape::explore(loss.clone(), &region).unwrap();
    assert_eq!(landscape.minima.len(), minima);
    let law = gibbs::by_quadrature(loss.as_ref(), &landscape, &region, TEMPERATURE).unwrap();
    let places: Vec<Vec<f64>> = landscape.minima.iter().map(|minimum| minimum.theta.clone()).collect();
    let (expected, lost) = dense_grid(loss.as_ref(), &places, region, points);
    assert!(lost == 0.0 && law.other == 0.0);
    for (found, expected) in law.occupancies.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-4, "{:?} {expected}", law.occupancies);
    }
}

/// Three wells of different depth, width and orientation: ridges that curve and meet in one point.
#[test]
fn three_wells_in_the_plane() {
    let well = |x: f64, y: f64, loss: f64, hessian| Well { position: vec![x, y], loss, hessian };
    let wells = [
        well(-1.0, -0.3, 0.0, dmatrix![2.0, 0.5; 0.5, 1.0]),
        well(0.9, -0.4, 0.05, dmatrix![1.0, -0.3; -0.3, 1.6]),
        well(0.1, 1.1, 0.1, dmatrix![0.8, 0.1; 0.1, 1.2]),
    ];
    let loss = Arc::new(Wells::new(&wells, 0.1).unwrap());
    against_a_dense_grid(loss, 3, [[-4.1, 4.3], [-4.2, 4.4]], 400);
}

/// Four wells in space, the third coordinate tied to the product of the others.
#[test]
fn bent_wells_in_space() {
    let value = |x: &[f64]| {
        let [x, y, z] = [x[0], x[1], x[2]];
        let bent = z - 0.4 * x * y;
        0.25 * (x * x - 1.0).powi(2) + 0.3 * (y * y - 1.0).powi(2) + 0.05 * x + 0.15 * x * y + bent * bent
    };
    let gradient = |x: &[f64], g: &mut [f64]| {
        let [x, y, z] = [x[0], x[1], x[2]];
        let bent = z - 0.4 * x * y;
        g[0] = x * (x * x - 1.0) + 0.05 + 0.15 * y - 0.8 * bent * y;
        g[1] = 1.2 * y * (y * y - 1.0) + 0.15 * x - 0.8 * bent * x;
        g[2] = 2.0 * bent;
    };
    against_a_dense_grid(
        Arc::new(Closure::new(3, value, gradient)),
        4,
        [[-2.53, 2.47], [-2.44, 2.38], [-3.0, 3.1]],
        100,
    );
}

/// Valleys that bend within a cell: right, or no answer. Across the valley the loss is a parabola of one width everywhere, so that the masses are
/// those of the double well along x.
#[test]
fn bent_valleys_are_right_or_have_no_law() {
    for (tilt, exact) in [(0.0, 0.5), (0.05, 0.711_446)] {
        for (walls, has_law) in [(1e1, true), (1e3, true), (3e4, false), (1e5, false)] {
            let formula = format!("(x^2 - 1)^2/4 + {tilt}*x + {walls}*(y - x^2)^2");
            let loss: Arc<dyn Loss> = Arc::new(Expression::new(&["x", "y"].map(String::from), &[], &formula).unwrap());
            let domain = [[-2.0, 2.0]; 2];
            let landscape = Landscape::explore(loss.clone(), &domain).unwrap();
            let law = gibbs::by_quadrature(loss.as_ref(), &landscape, &domain, 0.1);
            let occupancy = law.as_ref().map(|law| law.occupancies[0]);
            assert!(occupancy.is_ok() || !has_law, "{tilt}, {walls}: {occupancy:?}");
            // The ridge is the stable manifold of the saddle, which leaves the valley's floor upright only between steep walls.
            let allowed = if tilt == 0.0 || walls > 1e2 { 1e-4 } else { 2e-2 };
            assert!(
                occupancy.is_err() || (occupancy.unwrap() - exact).abs() < allowed,
                "{tilt}, {walls}: {occupancy:?}"
            );
        }
    }
}
