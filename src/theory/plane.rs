//! The Gibbs law in the plane: cells with one label by a product of Gauss rules, cells on a ridge halved until what is
//! left of them no longer matters. Masses are right to about 1e−6: the flow that labels points near a ridge has a
//! tolerance of its own, and it sets the limit.

use rayon::prelude::*;

use super::gibbs::{DECAY, Gibbs, finish};
use super::quadrature::GAUSS_5;
use crate::landscape::{Landscape, basins::Workspace};
use crate::loss::Loss;

/// What is left of a ridge's cell, as a part of the whole mass, below which it is split by its probes' labels.
const NEGLIGIBLE: f64 = 1e-9;
const DEEPEST: u32 = 14;

pub(super) fn gibbs(loss: &dyn Loss, landscape: &Landscape, domain: &[[f64; 2]], temperature: f64) -> Option<Gibbs> {
    let frame = Frame { loss, landscape, temperature, lowest: landscape.minima[0].loss };
    let [x, y] = bounding_box(loss, landscape, domain, temperature, DECAY)?;
    // Cells no wider than the narrowest well's thermal width: there the Gauss rule has ten digits.
    let width = (temperature / landscape.largest_curvature()).sqrt();
    let count = |[low, high]: [f64; 2]| (((high - low) / width) as usize).clamp(24, 400);
    let (columns, rows) = (count(x), count(y));
    let cells: Vec<Cell> = (0..columns * rows)
        .map(|index| {
            let (i, j) = (index % columns, index / columns);
            let cut = |[low, high]: [f64; 2], k: usize, n: usize| low + (high - low) * k as f64 / n as f64;
            Cell { x: [cut(x, i, columns), cut(x, i + 1, columns)], y: [cut(y, j, rows), cut(y, j + 1, rows)] }
        })
        .collect();
    let estimate: f64 = cells.iter().map(|cell| frame.weight(cell.center()) * cell.area()).sum();
    let parts: Vec<Masses> = cells
        .into_par_iter()
        .map_init(Workspace::default, |workspace, cell| frame.integrate(cell, NEGLIGIBLE * estimate, workspace))
        .collect();
    // Summed in the order of the cells: the same bits for any number of threads.
    let mut masses = Masses::new(landscape.minima.len());
    for part in &parts {
        masses.add(part);
    }
    let other = masses.mass.pop()?;
    masses.laplacian.pop();
    finish(masses.mass, other, masses.laplacian)
}

/// Parts of a cell that its nine probes stand for: a corner for a sixteenth, the middle of an edge for two, the center
/// for four.
const PROBE_SHARES: [f64; 9] = [1.0 / 16.0, 0.125, 1.0 / 16.0, 0.125, 0.25, 0.125, 1.0 / 16.0, 0.125, 1.0 / 16.0];

#[derive(Clone, Copy)]
struct Cell {
    x: [f64; 2],
    y: [f64; 2],
}

impl Cell {
    fn center(&self) -> [f64; 2] {
        [0.5 * (self.x[0] + self.x[1]), 0.5 * (self.y[0] + self.y[1])]
    }

    fn area(&self) -> f64 {
        (self.x[1] - self.x[0]) * (self.y[1] - self.y[0])
    }

    /// Corners, middles of the edges, and the center.
    fn probes(&self) -> [[f64; 2]; 9] {
        let [cx, cy] = self.center();
        let (xs, ys) = ([self.x[0], cx, self.x[1]], [self.y[0], cy, self.y[1]]);
        std::array::from_fn(|k| [xs[k % 3], ys[k / 3]])
    }

    fn quarters(&self) -> [Cell; 4] {
        let [cx, cy] = self.center();
        let (xs, ys) = ([self.x[0], cx, self.x[1]], [self.y[0], cy, self.y[1]]);
        std::array::from_fn(|k| Cell { x: [xs[k % 2], xs[k % 2 + 1]], y: [ys[k / 2], ys[k / 2 + 1]] })
    }

    /// Points and weights of the product of two Gauss rules.
    fn gauss_points(&self) -> impl Iterator<Item = ([f64; 2], f64)> {
        let [cx, cy] = self.center();
        let (hx, hy) = (0.5 * (self.x[1] - self.x[0]), 0.5 * (self.y[1] - self.y[0]));
        GAUSS_5.into_iter().flat_map(move |(u, weight_u)| {
            GAUSS_5.into_iter().map(move |(v, weight_v)| ([cx + hx * u, cy + hy * v], weight_u * weight_v * hx * hy))
        })
    }
}

/// ∫ exp(−L/T) and ∫ ΔL exp(−L/T) per minimum; the last entry is what lies in no basin.
struct Masses {
    mass: Vec<f64>,
    laplacian: Vec<f64>,
}

impl Masses {
    fn new(minima: usize) -> Self {
        Self { mass: vec![0.0; minima + 1], laplacian: vec![0.0; minima + 1] }
    }

    fn add(&mut self, other: &Masses) {
        for (a, b) in self.mass.iter_mut().zip(&other.mass) {
            *a += b;
        }
        for (a, b) in self.laplacian.iter_mut().zip(&other.laplacian) {
            *a += b;
        }
    }
}

struct Frame<'a> {
    loss: &'a dyn Loss,
    landscape: &'a Landscape,
    temperature: f64,
    lowest: f64,
}

impl Frame<'_> {
    fn weight(&self, point: [f64; 2]) -> f64 {
        let weight = crate::math::exp(-(self.loss.value(&point) - self.lowest) / self.temperature);
        if weight.is_finite() { weight } else { 0.0 }
    }

    fn label(&self, point: [f64; 2], workspace: &mut Workspace) -> usize {
        self.landscape.basins.label(&point, workspace).unwrap_or(self.landscape.minima.len())
    }

    fn integrate(&self, cell: Cell, negligible: f64, workspace: &mut Workspace) -> Masses {
        let mut masses = Masses::new(self.landscape.minima.len());
        let mut pending = vec![(cell, 0)];
        while let Some((cell, depth)) = pending.pop() {
            let probes = cell.probes();
            let largest = probes.iter().fold(0.0f64, |a, &probe| a.max(self.weight(probe)));
            // The cells are so small against the wells that e⁵ bounds how much higher the weight is between probes.
            if largest * cell.area() < 1e-20 * negligible {
                continue;
            }
            let labels = probes.map(|probe| self.label(probe, workspace));
            let one_label = labels.iter().all(|&label| label == labels[0]);
            if !one_label && largest * cell.area() > negligible && depth < DEEPEST {
                pending.extend(cell.quarters().map(|quarter| (quarter, depth + 1)));
                continue;
            }
            let (mut mass, mut laplacian) = (0.0, 0.0);
            for (point, weight) in cell.gauss_points() {
                let part = weight * self.weight(point);
                mass += part;
                if part > 0.0 {
                    laplacian += part * self.loss.hessian(&point).trace();
                }
            }
            // What is left on a ridge goes to the probes' owners, by the weights of Simpson's rule without its thirds.
            for (owner, share) in labels.into_iter().zip(PROBE_SHARES) {
                masses.mass[owner] += share * mass;
                masses.laplacian[owner] += share * laplacian;
            }
        }
        masses
    }
}

/// A box on whose edge (L − lowest)/T exceeds `height`; `None` where the loss does not rise that far.
pub(super) fn bounding_box(
    loss: &dyn Loss,
    landscape: &Landscape,
    domain: &[[f64; 2]],
    temperature: f64,
    height: f64,
) -> Option<[[f64; 2]; 2]> {
    let size = [domain[0][1] - domain[0][0], domain[1][1] - domain[1][0]];
    let lowest = landscape.minima[0].loss;
    // The least (L − lowest)/T along one side. A NaN counts as high: there is no mass.
    let height_of_side = |sides: &[[f64; 2]; 2], axis: usize, end: usize| {
        (0..=200)
            .map(|k| {
                let along = sides[1 - axis][0] + (sides[1 - axis][1] - sides[1 - axis][0]) * f64::from(k) / 200.0;
                let point = if axis == 0 { [sides[0][end], along] } else { [along, sides[1][end]] };
                (loss.value(&point) - lowest) / temperature
            })
            .fold(f64::INFINITY, f64::min)
    };
    // From a box around the minima outwards, side by side, until every side is high enough.
    let around_minima = |axis: usize| {
        let places = landscape.minima.iter().map(|minimum| minimum.theta[axis]);
        let (low, high) = places.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        [low - 0.02 * size[axis], high + 0.02 * size[axis]]
    };
    let mut sides = [around_minima(0), around_minima(1)];
    for _ in 0..2_000 {
        let mut settled = true;
        for (axis, end) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            if height_of_side(&sides, axis, end) < height {
                let outwards = 0.02 * (sides[axis][1] - sides[axis][0]).max(size[axis] * 0.1);
                sides[axis][end] += if end == 0 { -outwards } else { outwards };
                settled = false;
            }
        }
        if settled {
            return Some(sides);
        }
        if (0..2).any(|axis| sides[axis][1] - sides[axis][0] > 1e4 * size[axis]) {
            return None;
        }
    }
    None
}
