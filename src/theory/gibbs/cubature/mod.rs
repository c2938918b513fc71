//! The Gibbs law in two and three dimensions by adaptive cubature.
//!
//! Cells are halved until their integrals no longer change. A cell with one label takes a product of Gauss rules. A cell
//! on a ridge is cut into simplices, and these are cut at the places where their edges cross the ridge, found by bisection
//! with the gradient flow: the ridge is replaced by flat pieces, which leaves an error of order (width of the cell)². It
//! falls by four at every halving and is extrapolated away. In the plane masses are right to about 1e−6, the limit set by
//! the flow's own tolerance; in space to better than 1e−4.
//!
//! ⟨ΔL⟩ needs no Hessian: on the boundary of a basin ∇L runs along it, so that by Gauss' theorem
//! ∫_A ΔL e^(−L/T) = ∫_A |∇L|²/T · e^(−L/T).

mod cell;
mod labels;
mod masses;
mod worker;

use rayon::prelude::*;

use super::curvature::Bends;
use super::integrand::Integrand;
use super::moments::squares_about;
use super::{DECAY, Gibbs, NoGibbs, Sums};
use crate::landscape::{CriticalPoint, Landscape};
use crate::loss::Loss;
use crate::theory::bounding_box::bounding_box;
use crate::theory::extent::{Line, Side, rounding};
use crate::theory::outskirts::{Place, beyond_box};
use cell::Cell;
use labels::Labels;
use masses::Masses;
use worker::Worker;

/// What is asked of the cubature, as parts of the whole mass; masses are right to much better than the sum of it over
/// the cells, since it bounds what a halving changes and not what it leaves.
struct Precision {
    /// Cells per coordinate to begin with.
    first_cells: usize,
    /// How often a cell may be halved.
    deepest: u32,
    /// A halving that changes no mass by more than this is the last one, in a cell with one label.
    smooth: f64,
    /// The same on a ridge.
    ridge: f64,
    /// Halvings of an edge in search of the ridge on it, at most.
    bisections: u32,
}

const fn precision(dimension: usize) -> Precision {
    if dimension <= 2 {
        Precision { first_cells: 32, deepest: 12, smooth: 1e-10, ridge: 1e-9, bisections: 24 }
    } else {
        Precision { first_cells: 12, deepest: 6, smooth: 1e-7, ridge: 1e-6, bisections: 12 }
    }
}

/// A cell whose mass is below this part of the whole belongs to its center's owner.
const SMALL: f64 = 1e-11;
/// Below this part of the whole a cell is passed over.
const NOTHING: f64 = 1e-15;
/// Halvings of cells within a block: jumps of the loss would ask for more and more of them.
const MOST_HALVINGS: usize = 40_000;
/// The same, and so many times rougher a ridge is good enough, where flows go along kinks and end less exactly.
const MOST_HALVINGS_BESIDE_SLIDES: usize = 1_000;
const ROUGHER: f64 = 1e3;
/// What did not settle by then may be so large a part of the whole.
const TRUSTED: f64 = 1e-4;

pub(super) fn gibbs<const D: usize>(
    loss: &dyn Loss,
    landscape: &Landscape,
    domain: &[[f64; 2]],
    temperature: f64,
) -> Result<Gibbs, NoGibbs> {
    let region = bounding_box::<D>(loss, landscape, domain, temperature, DECAY).ok_or_else(|| {
        let is_confined = is_confined_on_axes::<D>(loss, landscape, domain, temperature);
        if is_confined { NoGibbs::HeavyTail } else { NoGibbs::NotConfined }
    })?;
    if let Some(low) = beyond_box(loss, landscape, &region, temperature) {
        return Err(NoGibbs::FallsBeyond(low));
    }
    let integrand = Integrand::Gibbs { loss, lowest: &landscape.minima[0], temperature };
    let masses = laplace_masses(landscape, temperature);
    let whole = masses.iter().sum();
    let rounding = rounding(landscape.minima[0].loss, temperature);
    let frame = Frame { loss, landscape, temperature, whole, scales: scales(&masses, whole), integrand, rounding };
    let Integral { masses: mut sum, bends, elsewhere } = integrate(&frame, &mut blocks(landscape, &region));
    if sum.unsettled > TRUSTED * whole {
        return Err(NoGibbs::Unsettled);
    }
    if sum.valleys && !stands_elsewhere(&frame, &region, &sum) {
        return Err(NoGibbs::Unsettled);
    }
    let other = sum.mass.pop().unwrap_or_default();
    sum.laplacian.pop();
    let center = landscape.minima[0].theta.as_slice();
    let about = landscape.minima.iter().zip(sum.moments.iter().zip(&sum.mass));
    let squares =
        about.map(|(minimum, (moments, mass))| squares_about(&minimum.theta, center, moments, *mass)).collect();
    Sums { masses: sum.mass, other, elsewhere, laplacians: sum.laplacian, squares, excess: Some(sum.excess) }
        .finish(landscape, &bends)
}

/// Whether the masses are the same from another lattice. A valley that is narrower than the cells and bends within them can pass for settled,
/// but what is seen of it then depends on where the cells lie.
fn stands_elsewhere<const D: usize>(frame: &Frame, region: &[[f64; 2]; D], sum: &Masses) -> bool {
    const WIDER: [f64; 2] = [0.0137, 0.0211];
    let wider = region.map(|[low, high]| [low - WIDER[0] * (high - low), high + WIDER[1] * (high - low)]);
    integrate(frame, &mut blocks(frame.landscape, &wider)).masses.distance(sum) <= TRUSTED * frame.whole
}

/// A region of the plane, cut by the ridges of a landscape, in which other laws are integrated: where the ridges run is found out once.
pub(in crate::theory) struct Plane<'a> {
    loss: &'a dyn Loss,
    landscape: &'a Landscape,
    temperature: f64,
    labels: Vec<Labels<'a, 2>>,
}

impl<'a> Plane<'a> {
    pub(in crate::theory) fn new(
        loss: &'a dyn Loss,
        landscape: &'a Landscape,
        temperature: f64,
        region: &[[f64; 2]; 2],
    ) -> Self {
        Self { loss, landscape, temperature, labels: blocks(landscape, region) }
    }

    /// The masses of a law in the basins, that of what lies in none last. Its density, positive and no rougher than exp(−L/T), is about 1
    /// as a whole.
    pub(in crate::theory) fn masses(&mut self, density: &(dyn Fn(&[f64]) -> f64 + Sync)) -> Vec<f64> {
        let Self { loss, landscape, temperature, ref mut labels } = *self;
        let integrand = Integrand::Other(density);
        let masses = laplace_masses(landscape, temperature);
        let whole = masses.iter().sum::<f64>();
        let scales = scales(&masses, whole).into_iter().map(|scale| scale / whole).collect();
        integrate(&Frame { loss, landscape, temperature, whole: 1.0, scales, integrand, rounding: 0.0 }, labels)
            .masses
            .mass
    }
}

/// Whether exp(−L/T) has a finite integral as far as the axes through the lowest minimum tell, weighed with the growing shells.
fn is_confined_on_axes<const D: usize>(
    loss: &dyn Loss,
    landscape: &Landscape,
    domain: &[[f64; 2]],
    temperature: f64,
) -> bool {
    let minimum = &landscape.minima[0];
    (0..2 * D).all(|end| {
        let (axis, direction) = (end / 2, if end % 2 == 0 { -1.0 } else { 1.0 });
        let value = |reach: f64| {
            let mut place = minimum.theta.clone();
            place[axis] += direction * reach;
            loss.value(&place)
        };
        let line = Line { value: &value, lowest: minimum.loss, temperature };
        let width = domain[axis][1] - domain[axis][0];
        let shells = |reach: f64| line.weight(reach) * crate::math::powi(reach / width, D as i32 - 1);
        line.beyond(&shells, Side::Tail(width), 1.0, width / 16.0, width * 1e-3).is_ok()
    })
}

/// The blocks that a region is made of.
fn blocks<'a, const D: usize>(landscape: &'a Landscape, region: &[[f64; 2]; D]) -> Vec<Labels<'a, D>> {
    let n = precision(D).first_cells;
    let block = |index: usize| {
        let cut = |axis: usize, k: usize| region[axis][0] + (region[axis][1] - region[axis][0]) * k as f64 / n as f64;
        let place = |axis: usize| index / n.pow(axis as u32) % n;
        Labels::new(landscape, std::array::from_fn(|axis| [cut(axis, place(axis)), cut(axis, place(axis) + 1)]))
    };
    (0..n.pow(D as u32)).map(block).collect()
}

/// What the integration of a region comes to.
struct Integral {
    masses: Masses,
    /// Per minimum.
    bends: Vec<Bends>,
    /// The lowest center of a cell, with a mass, that lies in no basin.
    elsewhere: Option<Place>,
}

/// Block by block.
fn integrate<const D: usize>(frame: &Frame, blocks: &mut [Labels<D>]) -> Integral {
    let minima = frame.landscape.minima.len();
    let parts: Vec<Integral> = blocks
        .par_iter_mut()
        .map(|labels| {
            let mut worker = Worker::<D>::new(frame, labels);
            let cell = Cell { corner: [0; D], span: 2 << precision(D).deepest };
            let coarse = worker.estimate(&cell);
            let masses = worker.integrate(&cell, coarse).masses;
            Integral { masses, bends: worker.bends, elsewhere: worker.elsewhere }
        })
        .collect();
    // Summed in the order of the cells: the same bits for any number of threads.
    let none = Integral { masses: Masses::new(minima), bends: vec![Bends::default(); minima], elsewhere: None };
    parts.into_iter().fold(none, |mut sum, part| {
        sum.masses.add(&part.masses, 1.0);
        sum.bends.iter_mut().zip(&part.bends).for_each(|(all, part)| all.append(part));
        sum.elsewhere = Place::lower(sum.elsewhere.take(), part.elsewhere);
        sum
    })
}

/// Laplace's estimates of ∫ exp(−(L − lowest)/T) over the basins: their sum is what "a part of the whole mass" refers to.
fn laplace_masses(landscape: &Landscape, temperature: f64) -> Vec<f64> {
    let lowest = landscape.minima[0].loss;
    let mass = |minimum: &CriticalPoint| {
        let curvatures = minimum.curvatures_at(temperature);
        let widths = curvatures.iter().map(|h| (2.0 * std::f64::consts::PI * temperature / h).sqrt());
        widths.product::<f64>() * crate::math::exp(-(minimum.loss - lowest) / temperature)
    };
    landscape.minima.iter().map(mass).collect()
}

/// What the precision in a basin is a part of: the whole mass, or that of the basin where it is far smaller.
fn scales(masses: &[f64], whole: f64) -> Vec<f64> {
    const SMALL_BASIN: f64 = 1e-4;
    masses.iter().map(|&mass| if mass < SMALL_BASIN * whole { mass } else { whole }).collect()
}

struct Frame<'a> {
    loss: &'a dyn Loss,
    landscape: &'a Landscape,
    temperature: f64,
    whole: f64,
    /// Per minimum.
    scales: Vec<f64>,
    integrand: Integrand<'a>,
    /// What the integrand is known to, as a part of itself.
    rounding: f64,
}

impl Frame<'_> {
    /// What precision is a part of where a minimum, or none, owns.
    fn scale(&self, owner: usize) -> f64 {
        self.scales.get(owner).copied().unwrap_or(self.whole)
    }

    /// The same where several may own.
    fn smallest_scale(&self) -> f64 {
        self.scales.iter().fold(self.whole, |a, &scale| a.min(scale))
    }

    /// What a halving on a ridge may change.
    fn on_ridge<const D: usize>(&self) -> f64 {
        precision(D).ridge * if self.landscape.basins.has_slides { ROUGHER } else { 1.0 }
    }

    fn is_gibbs(&self) -> bool {
        matches!(self.integrand, Integrand::Gibbs { .. })
    }
}
