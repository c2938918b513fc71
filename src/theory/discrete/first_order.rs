//! The chain's law to first order in the step, in any dimension, with a bound of what that leaves out.
//!
//! For constant isotropic Gaussian noise π_δ ∝ e^(−L/T)[1 + δ(|∇L|²/(4T) − ΔL/2 + c)], so that ln(p_A/p_B) changes by
//! −(δ/4)(⟨ΔL⟩_A − ⟨ΔL⟩_B), Gibbs means within the basins.
//!
//! What is left out has two parts. One comes with the *ways* between the minima: ln(p_A/p_B) changes by
//! −(δ²/6T)(∫_A|H∇L|²dt − ∫_B|H∇L|²dt), up to the saddle from either side (`ways.rs`); this is exact for T → 0, and in one
//! dimension at any T. It is a difference of two large numbers where a barrier is symmetric, and then the next order counts, which
//! is smaller than either by a factor of δ‖∇²L‖: that many parts of their sum are added. The other part is *local*, of order
//! δ²⟨tr H²⟩ in every basin: −(5/48)δ²tr H² in a parabola.
//!
//! All this is an expansion in δ‖∇²L‖, and nothing is said where that exceeds [`LIMIT`] at a minimum, at a saddle, on a way or under
//! the Gibbs mass. The bound is an estimate by the leading terms, enlarged; tests compare it with laws that are known exactly.

use std::borrow::Borrow;

use super::bounds::Bounds;
use super::ways::{Sharpest, Way, over_all_saddles};
use crate::landscape::{CriticalPoint, Landscape, minimum_name};
use crate::loss::Loss;
use crate::theory::gibbs::Gibbs;
use crate::theory::gibbs::influences::Influences;
use crate::theory::gibbs::sampler::Sampling;
use crate::theory::normalize_log_weights;

/// The largest δ‖∇²L‖ up to which the first order in δ is given.
pub const LIMIT: f64 = 0.1;
/// A saddle so many T above the lowest way between its minima carries nothing that matters: e⁻¹⁰.
const NEGLIGIBLE: f64 = 10.0;
/// Of the second order on the ways, for what is beyond the low temperature of its formula.
const ENLARGED: f64 = 1.25;
/// Of the next order beside δ‖∇²L‖ times the climbs on both sides.
const NEXT_ORDER: f64 = 2.0;
/// Of δ²⟨tr H²⟩ in either basin.
const LOCAL: f64 = 1.0 / 6.0;

/// A law to first order.
#[derive(Clone, Debug)]
pub struct FirstOrder {
    /// Mass of every minimum's basin.
    pub occupancies: Vec<f64>,
    /// What the law leaves out.
    pub bounds: Bounds,
}

/// Why the first order is not given.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NoFirstOrder {
    /// The step is too large for the loss somewhere where the chain passes.
    #[error(
        "its first order in δ needs δ‖∇²L‖ ≤ {LIMIT} at every minimum and saddle, on the ways between them and where exp(−L/T) has its mass; \
         it is {found:.3} {part}, at θ = {place}"
    )]
    TooSharp {
        /// δ‖∇²L‖.
        found: f64,
        /// On which part of the landscape.
        part: String,
        /// θ, as text.
        place: String,
    },
    /// No way is known along which two minima exchange their mass.
    #[error(
        "no way from minimum {0} to minimum {1} over a saddle is known, along which the error of its first order in δ could be estimated"
    )]
    NoWay(String, String),
}

/// Occupancies to first order in δ.
///
/// # Errors
/// Where the expansion does not hold, or its error cannot be estimated.
pub fn first_order(
    loss: &dyn Loss,
    landscape: &Landscape,
    gibbs: &Gibbs,
    temperature: f64,
    step: f64,
) -> Result<FirstOrder, NoFirstOrder> {
    // The curvature at the minima and under the mass is known: no way is followed in vain.
    require_small(at_the_minima(landscape), step)?;
    require_small(under_the_mass(gibbs), step)?;
    let ways = Network::new(over_all_saddles(loss, landscape, temperature), landscape, temperature)?;
    require_small(ways.relevant.iter().map(|way| (on_the_way(way), &way.sharpest)), step)?;
    let local: Vec<f64> = gibbs.curvature.iter().map(|basin| LOCAL * step * step * basin.mean_square).collect();
    let factor = step * step / (6.0 * temperature);
    let shift = |way: &Way| factor * (way.climbs[1] - way.climbs[0]);
    let rest = |way: &Way| NEXT_ORDER * step * way.sharpest.curvature * factor * (way.climbs[0] + way.climbs[1]);
    let second = ways.second_order(&shift, &rest);
    let bounds = Bounds::of_pairs(local.len(), |a, b| second(a, b) + local[a] + local[b]);
    Ok(FirstOrder { occupancies: occupancies(gibbs, step), bounds })
}

/// The Gibbs masses, moved by −(δ/4)⟨ΔL⟩.
fn occupancies(gibbs: &Gibbs, step: f64) -> Vec<f64> {
    let basins = gibbs.occupancies.iter().zip(&gibbs.mean_laplacian);
    let log_weights: Vec<f64> =
        basins.map(|(&mass, laplacian)| crate::math::ln(mass) - 0.25 * step * laplacian).collect();
    let inside = 1.0 - gibbs.other;
    normalize_log_weights(&log_weights).into_iter().map(|p| p * inside).collect()
}

/// How the ensembles of a sampled Gibbs law pull at the first order in δ: ln p moves by −(δ/4)⟨ΔL⟩, and a mass and its
/// ⟨ΔL⟩ come from the same draws.
pub fn first_order_influences(sampling: &Sampling, step: f64) -> Influences {
    sampling.log_masses.plus(-0.25 * step, &sampling.laplacians)
}

pub(super) fn at_the_minima(landscape: &Landscape) -> impl Iterator<Item = (String, Sharpest)> {
    let largest = |point: &CriticalPoint| point.eigenvalues.iter().fold(0.0f64, |largest, h| largest.max(h.abs()));
    landscape.minima.iter().enumerate().map(move |(index, minimum)| {
        let sharpest = Sharpest { curvature: largest(minimum), place: minimum.theta.clone() };
        (format!("at minimum {}", minimum_name(index)), sharpest)
    })
}

pub(super) fn under_the_mass(gibbs: &Gibbs) -> impl Iterator<Item = (String, Sharpest)> {
    gibbs.curvature.iter().enumerate().map(|(index, basin)| {
        let sharpest = Sharpest { curvature: basin.largest, place: basin.place.clone() };
        (format!("within the mass of basin {}", minimum_name(index)), sharpest)
    })
}

pub(super) fn on_the_way(way: &Way) -> String {
    let [a, b] = way.between.map(minimum_name);
    format!("on the way from minimum {a} to minimum {b}")
}

/// The part of the landscape where the curvature is largest must be within the limit.
fn require_small<S: Borrow<Sharpest>>(parts: impl Iterator<Item = (String, S)>, step: f64) -> Result<(), NoFirstOrder> {
    let Some((part, sharpest)) = sharpest_of(parts) else { return Ok(()) };
    let Sharpest { curvature, place } = sharpest.borrow();
    let found = step * curvature;
    if found <= LIMIT * (1.0 + 1e-9) {
        return Ok(());
    }
    Err(NoFirstOrder::TooSharp { found, part, place: place_text(place) })
}

/// The part where the curvature is largest, the first of equal ones.
pub(super) fn sharpest_of<S: Borrow<Sharpest>>(parts: impl Iterator<Item = (String, S)>) -> Option<(String, S)> {
    let sharper = |a: &(String, S), b: &(String, S)| b.1.borrow().curvature > a.1.borrow().curvature;
    parts.reduce(|a, b| if sharper(&a, &b) { b } else { a })
}

/// The first coordinates of θ.
pub(super) fn place_text(place: &[f64]) -> String {
    let shown: Vec<String> = place.iter().take(6).map(|x| format!("{:.4}", x + 0.0)).collect();
    let more = if place.len() > 6 { ", …" } else { "" };
    format!("({}{more})", shown.join(", "))
}

/// The ways that matter, as a network: a tree of the lowest ones, along which every two minima are joined, and what lies beside it.
pub(super) struct Network {
    minima: usize,
    pub relevant: Vec<Way>,
    /// Which of the ways are in the tree.
    in_tree: Vec<bool>,
}

impl Network {
    pub(super) fn new(ways: Vec<Way>, landscape: &Landscape, temperature: f64) -> Result<Self, NoFirstOrder> {
        let minima = landscape.minima.len();
        // The lowest pass between every two minima, by joining parts over ever higher saddles (Kruskal 1956).
        let mut part: Vec<usize> = (0..minima).collect();
        let mut relevant = Vec::new();
        let mut in_tree = Vec::new();
        let mut lowest = vec![f64::INFINITY; minima * minima];
        for way in ways {
            let [a, b] = way.between;
            let (old, new) = (part[a], part[b]);
            if old != new {
                for (i, j) in (0..minima * minima).map(|pair| (pair / minima, pair % minima)) {
                    if (part[i], part[j]) == (old, new) || (part[i], part[j]) == (new, old) {
                        lowest[i * minima + j] = way.height;
                    }
                }
                part.iter_mut().filter(|part| **part == old).for_each(|part| *part = new);
            }
            if old != new || way.height < lowest[a * minima + b] + NEGLIGIBLE * temperature {
                in_tree.push(old != new);
                relevant.push(way);
            }
        }
        match part.iter().position(|&other| other != part[0]) {
            Some(alone) => Err(NoFirstOrder::NoWay(minimum_name(0), minimum_name(alone))),
            None => Ok(Self { minima, relevant, in_tree }),
        }
    }

    /// Bounds of the second order between every two minima, which a way moves by `shift` but for a `rest`.
    pub(super) fn second_order(
        &self,
        shift: &dyn Fn(&Way) -> f64,
        rest: &dyn Fn(&Way) -> f64,
    ) -> impl Fn(usize, usize) -> f64 + use<> {
        let along: Vec<Vec<[f64; 2]>> = (0..self.minima).map(|from| self.along_the_tree(from, shift, rest)).collect();
        // Beside the tree there may be other ways, with another second order: the chain then takes a mean of them.
        let beside = self.relevant.iter().zip(&self.in_tree).filter(|(_, in_tree)| !**in_tree);
        let largest_beside = beside
            .map(|(way, _)| {
                let [a, b] = way.between;
                (shift(way) - along[a][b][0]).abs() + rest(way)
            })
            .fold(0.0, f64::max);
        move |a, b| {
            let [shift, rest] = along[a][b];
            ENLARGED * shift.abs() + rest + largest_beside
        }
    }

    /// ln(p_from/p_to) by the second order, and the sum of what it leaves out, along the tree to every minimum.
    fn along_the_tree(&self, from: usize, shift: &dyn Fn(&Way) -> f64, rest: &dyn Fn(&Way) -> f64) -> Vec<[f64; 2]> {
        let mut sums: Vec<Option<[f64; 2]>> = vec![None; self.minima];
        sums[from] = Some([0.0; 2]);
        let mut pending = vec![from];
        while let Some(here) = pending.pop() {
            let [so_far, left_out] = sums[here].unwrap_or_default();
            for (way, _) in self.relevant.iter().zip(&self.in_tree).filter(|(_, in_tree)| **in_tree) {
                let (next, sign) = match way.between {
                    [a, b] if a == here => (b, 1.0),
                    [a, b] if b == here => (a, -1.0),
                    _ => continue,
                };
                if sums[next].is_none() {
                    sums[next] = Some([so_far + sign * shift(way), left_out + rest(way)]);
                    pending.push(next);
                }
            }
        }
        sums.into_iter().map(Option::unwrap_or_default).collect()
    }
}
