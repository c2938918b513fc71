//! The law of a chain in the plane: the stationary vector of its transfer operator on a grid.
//!
//! K(θ′|θ) = N(θ′; θ − δ∇L(θ), σ²I) with σ² = 2Tδ on a square lattice, weights h² (the trapezoid rule), converges faster than any
//! power of the spacing h: the error is about exp(−2π²σ²/(h²(1 + s²))), s the factor by which θ − δ∇L stretches lengths: 2e−3 at the
//! coarsest spacing, 5e−5 at the next. What lies more than `REACH` σ from the target of a step is left out. The lattice covers where exp(−L/T) is above e⁻³⁰ of what it is
//! at the highest pass that matters. Two lattices, the second finer by a third, tell the error.
//!
//! The mass of a basin is the integral over it, by the cubature of the Gibbs law, of the density that interpolates the nodes.

mod aggregation;
mod blocks;
mod density;
mod lattice;

use super::NoDiscreteLaw;
use super::bounds::Bounds;
use super::ways::highest_pass;
use crate::landscape::{Landscape, spectral_norm};
use crate::loss::{Loss, values::values_in_parallel};
use crate::math;
use crate::theory::bounding_box::bounding_box;
use crate::theory::gibbs::cubature::Plane;
use density::Density;
use lattice::{Lattice, Source};
use rayon::prelude::*;

/// Kernels are cut beyond this many of their standard deviations (probability 3e−12).
const REACH: f64 = 7.0;
/// Spacings in σ, where the mean step does not stretch: one over these.
const FINENESS: [f64; 4] = [0.8, 1.0, 1.3, 1.7];
/// So many T above the highest pass there is too little mass to matter.
const ABOVE: f64 = 30.0;
/// A difference of log-odds between two lattices that needs no third.
const SETTLED: f64 = 2e-3;
/// A larger one is no result.
const GOOD_ENOUGH: f64 = 2e-2;
/// The bound is so many times the difference between two lattices, which may be small by accident …
const TIMES: f64 = 2.0;
/// … and this, for what both have in common. (Of a hundred rotated losses whose law is known from one dimension the worst are off by 1.4e−4 where two
/// lattices differ by 1e−5.)
const LEFT: f64 = 2e-4;
/// Entries of the operator, and entries times steps: about three seconds of one core.
const MOST_ENTRIES: usize = 100_000_000;
const MOST_WORK: f64 = 1.2e10;

/// The stationary law of a chain in the plane.
#[derive(Clone, Debug)]
pub struct PlaneLaw {
    /// Mass of every minimum's basin, in their order.
    pub occupancies: Vec<f64>,
    /// Mass of what lies in no basin.
    pub other: f64,
    /// By how much it may be off.
    pub bounds: Bounds,
}

/// A chain in the plane.
#[derive(Clone, Copy)]
struct Chain<'a> {
    loss: &'a dyn Loss,
    landscape: &'a Landscape,
    temperature: f64,
    step: f64,
}

/// The stationary law of the chain with a step δ at temperature T.
///
/// # Errors
/// Where the lattice would be too large, the chain runs away or its wells are not connected.
pub fn stationary(
    loss: &dyn Loss,
    landscape: &Landscape,
    domain: &[[f64; 2]],
    temperature: f64,
    step: f64,
) -> Result<PlaneLaw, NoDiscreteLaw> {
    let chain = Chain { loss, landscape, temperature, step };
    let height = chain.height().ok_or(NoDiscreteLaw::NotConfined)?;
    let region = bounding_box::<2>(loss, landscape, domain, temperature, height).ok_or(NoDiscreteLaw::NotConfined)?;
    let fineness = chain.fineness(&region);
    let mut plane = Plane::new(loss, landscape, temperature, &region);
    let mut before: Option<(Vec<f64>, Density)> = None;
    let mut result = Err(NoDiscreteLaw::Unsettled);
    for (level, &per_sigma) in FINENESS.iter().enumerate() {
        // A little higher each time, so that the difference tells what the cut leaves out too.
        let height = height + 3.0 * level as f64;
        let start = before.as_ref().map(|(_, density)| density);
        let (masses, density) = match chain.masses(&mut plane, &region, per_sigma * fineness, height, start) {
            Err(reason @ NoDiscreteLaw::TooFine(_)) if before.is_some() => return result.or(Err(reason)),
            found => found?,
        };
        if let Some((before, _)) = &before {
            let moved: Vec<f64> = masses.iter().zip(before).map(|(a, b)| math::ln(a / b)).collect();
            let minima = landscape.minima.len();
            let bounds = Bounds::of_pairs(minima, |a, b| TIMES * (moved[a] - moved[b]).abs() + LEFT);
            let largest = (bounds.largest() - LEFT) / TIMES;
            if largest < GOOD_ENOUGH {
                let (occupancies, other) = (masses[..minima].to_vec(), masses[minima]);
                result = Ok(PlaneLaw { occupancies, other, bounds });
            }
            if largest < SETTLED {
                break;
            }
        }
        before = Some((masses, density));
    }
    result
}

impl Chain<'_> {
    /// (L − L_A)/T up to which the lattice goes; `None` where a minimum is not stable at this step.
    fn height(&self) -> Option<f64> {
        let lowest = self.landscape.minima[0].loss;
        let curvatures = self.landscape.minima.iter().flat_map(|minimum| &minimum.eigenvalues);
        // In a bowl the chain's variance is T/(h(1 − δh/2)).
        let widening = 1.0 - 0.5 * self.step * curvatures.fold(0.0f64, |a, &h| a.max(h));
        let pass = highest_pass(self.landscape);
        (widening > 0.0).then(|| ((pass - lowest) / self.temperature + ABOVE) / widening)
    }

    /// √((1 + s²)/2), s the largest factor by which the mean step stretches lengths where there is any mass.
    fn fineness(&self, region: &[[f64; 2]; 2]) -> f64 {
        const PLACES: usize = 200;
        const SHALLOW: f64 = 12.0;
        const MOST: f64 = 3.0;
        let pass = highest_pass(self.landscape);
        let place = |axis: usize, i: usize| {
            let [low, high] = region[axis];
            low + (high - low) * (i as f64 + 0.5) / PLACES as f64
        };
        let points: Vec<f64> =
            (0..PLACES * PLACES).flat_map(|index| [place(0, index % PLACES), place(1, index / PLACES)]).collect();
        let values = values_in_parallel(self.loss, &points);
        let mut stretch = 1.0f64;
        for (point, value) in points.chunks_exact(2).zip(values) {
            if value < pass + SHALLOW * self.temperature {
                let slope = nalgebra::DMatrix::identity(2, 2) - self.loss.hessian(point) * self.step;
                stretch = stretch.max(spectral_norm(slope).min(MOST));
            }
        }
        (0.5 * (1.0 + stretch * stretch)).sqrt()
    }

    /// The masses of the basins and, last, of what lies in none, with the density on a lattice; from that on a coarser one.
    fn masses(
        &self,
        plane: &mut Plane,
        region: &[[f64; 2]; 2],
        per_sigma: f64,
        height: f64,
        before: Option<&Density>,
    ) -> Result<(Vec<f64>, Density), NoDiscreteLaw> {
        let lattice = Lattice::new(self, region, per_sigma, height)?;
        let start = self.start(&lattice, before);
        let density = Density::new(&lattice, &aggregation::stationary(&lattice, start)?);
        let at = |point: &[f64]| density.at(point);
        let masses = plane.masses(&at);
        let minima = self.landscape.minima.len();
        if masses[..minima].iter().any(|mass| !(*mass > 0.0)) {
            return Err(NoDiscreteLaw::Disconnected);
        }
        let whole: f64 = masses.iter().sum();
        Ok((masses.iter().map(|mass| mass / whole).collect(), density))
    }

    /// The density on a coarser lattice or, without one and near its edge, exp(−L/T).
    fn start(&self, lattice: &Lattice, before: Option<&Density>) -> Vec<f64> {
        let known = |point: &[f64]| before.map_or(0.0, |density| density.at(point));
        let highest = known(&self.landscape.minima[0].theta);
        let scale = if highest > 0.0 { highest } else { 1.0 };
        let of_node = |source: &Source| {
            let known = known(&lattice.point(source.place));
            if known > 0.0 { known } else { scale * source.weight }
        };
        lattice.sources.par_iter().map(of_node).collect()
    }
}
