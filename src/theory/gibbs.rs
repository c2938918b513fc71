//! The Gibbs law P(θ) = exp(−L/T)/Z and the mass of every basin under it.
//!
//! Exact for the SDE with C = σ²I (Gardiner, Stochastic Methods, §5.3; the talk's "Equilibrium Distribution of SGD").
//! Integrals run over all of ℝᵈ; the scenario's domain is only where minima are looked for.

use super::{plane, quadrature};
use crate::landscape::Landscape;
use crate::loss::Loss;

/// Beyond this many T above the lowest loss, exp(−L/T) is nothing: e^(−45) ≈ 3e−20.
pub(super) const DECAY: f64 = 45.0;

/// The Gibbs law of a loss, split over its basins.
#[derive(Clone, Debug)]
pub struct Gibbs {
    /// Mass of every minimum's basin, in their order.
    pub occupancies: Vec<f64>,
    /// Mass of what lies in no basin.
    pub other: f64,
    /// ⟨ΔL⟩ = ⟨tr H⟩ within every basin.
    pub mean_laplacian: Vec<f64>,
    /// ln ∫ exp(−(L − L_A)/T) dθ, L_A the lowest minimum.
    pub log_normalization: f64,
}

/// The Gibbs law by quadrature; `None` where the dimension is above 2 or exp(−L/T) has no finite integral.
pub fn by_quadrature(loss: &dyn Loss, landscape: &Landscape, domain: &[[f64; 2]], temperature: f64) -> Option<Gibbs> {
    match domain.len() {
        1 => line(loss, landscape, domain[0], temperature),
        2 => plane::gibbs(loss, landscape, domain, temperature),
        _ => None,
    }
}

fn line(loss: &dyn Loss, landscape: &Landscape, [low, high]: [f64; 2], temperature: f64) -> Option<Gibbs> {
    let lowest = landscape.minima[0].loss;
    let value = |x: f64| loss.value(&[x]);
    let [from, to] = quadrature::support(&value, low, high, lowest, temperature, DECAY)?;
    let weight = |x: f64| {
        let weight = crate::math::exp(-(value(x) - lowest) / temperature);
        // Where L is not defined there is no mass; NaN would poison the rest.
        if weight.is_finite() { weight } else { 0.0 }
    };
    let laplacian = |x: f64| {
        let density = weight(x);
        if density == 0.0 { 0.0 } else { density * loss.hessian(&[x])[(0, 0)] }
    };
    let count = landscape.minima.len();
    let mut masses = vec![0.0; count];
    let mut laplacians = vec![0.0; count];
    let mut other = 0.0;
    for (left, right, owner) in landscape.basins.intervals()? {
        let (left, right) = (left.max(from), right.min(to));
        if left >= right {
            continue;
        }
        let mass = quadrature::integrate(&weight, left, right, 64);
        match owner {
            Some(minimum) => {
                masses[minimum] += mass;
                laplacians[minimum] += quadrature::integrate(&laplacian, left, right, 64);
            }
            None => other += mass,
        }
    }
    finish(masses, other, laplacians)
}

/// From masses to probabilities.
pub(super) fn finish(masses: Vec<f64>, other: f64, laplacians: Vec<f64>) -> Option<Gibbs> {
    let total = masses.iter().sum::<f64>() + other;
    (total.is_finite() && total > 0.0).then(|| Gibbs {
        occupancies: masses.iter().map(|mass| mass / total).collect(),
        other: other / total,
        mean_laplacian: laplacians.iter().zip(&masses).map(|(sum, mass)| sum / mass).collect(),
        log_normalization: crate::math::ln(total),
    })
}
