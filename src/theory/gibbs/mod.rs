//! The Gibbs law P(θ) = exp(−L/T)/Z and the mass of every basin under it.
//!
//! Exact for the SDE with C = σ²I (Gardiner, Stochastic Methods, §5.3; the talk's "Equilibrium Distribution of SGD").
//! Integrals run over all of ℝᵈ; the scenario's domain is only where minima are looked for. Up to three dimensions they
//! are done by quadrature, beyond by a sampler that knows its own error.

mod cubature;
pub mod influences;
pub mod sampler;

use super::quadrature;
use crate::landscape::Landscape;
use crate::loss::Loss;
use sampler::{Effort, Sampling};

/// Beyond this many T above the lowest loss, exp(−L/T) is nothing: e^(−45) ≈ 3e−20.
pub(super) const DECAY: f64 = 45.0;

/// Up to so many dimensions there is a quadrature.
pub const MOST_BY_QUADRATURE: usize = 3;

/// The Gibbs law of a loss, split over its basins.
#[derive(Clone, Debug)]
pub struct Gibbs {
    /// Mass of every minimum's basin, in their order.
    pub occupancies: Vec<f64>,
    /// Mass of what lies in no basin.
    pub other: f64,
    /// ⟨ΔL⟩ = ⟨tr H⟩ within every basin.
    pub mean_laplacian: Vec<f64>,
    /// ln ∫ exp(−(L − L_A)/T) dθ, L_A the lowest minimum; `None` where the law was sampled.
    pub log_normalization: Option<f64>,
    /// How the law was sampled, and how well; `None` where it was integrated.
    pub sampling: Option<Sampling>,
}

/// Why there is no Gibbs law.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NoGibbs {
    /// exp(−L/T) has no finite integral, or L does not rise enough.
    #[error(
        "the loss does not rise enough around the domain, or is not defined there, for exp(−L/T) to have a finite integral"
    )]
    NotConfined,
    /// The sampler's ensembles remember where they started.
    #[error("its sampler does not mix within its budget, so that its masses cannot be trusted: {0}")]
    DoesNotMix(String),
    /// A basin has so little mass that the sampler was never there.
    #[error("its sampler never came to {0} within its budget: the mass of that basin is too small to be sampled")]
    NeverVisited(String),
}

impl Gibbs {
    /// Standard error of ln(p_a/p_b); 0 where the law was integrated.
    pub fn log_odds_standard_error(&self, a: usize, b: usize) -> f64 {
        self.sampling.as_ref().map_or(0.0, |sampling| sampling.log_masses.log_odds_standard_error(a, b))
    }

    /// Standard errors of the occupancies; `None` where the law was integrated.
    pub fn standard_errors(&self) -> Option<Vec<f64>> {
        let sampling = self.sampling.as_ref()?;
        Some(sampling.log_masses.occupancy_standard_errors(&self.occupancies, self.other))
    }
}

/// The Gibbs law: by quadrature up to [`MOST_BY_QUADRATURE`] dimensions, sampled with the default effort beyond.
///
/// # Errors
/// When exp(−L/T) has no finite integral, or the sampler cannot answer for its result.
pub fn law(loss: &dyn Loss, landscape: &Landscape, domain: &[[f64; 2]], temperature: f64) -> Result<Gibbs, NoGibbs> {
    if domain.len() > MOST_BY_QUADRATURE {
        return sampler::sample(loss, landscape, domain, temperature, &Effort::default());
    }
    by_quadrature(loss, landscape, domain, temperature).ok_or(NoGibbs::NotConfined)
}

/// The Gibbs law by quadrature; `None` where the dimension is above 3 or exp(−L/T) has no finite integral.
pub fn by_quadrature(loss: &dyn Loss, landscape: &Landscape, domain: &[[f64; 2]], temperature: f64) -> Option<Gibbs> {
    match domain.len() {
        1 => line(loss, landscape, domain[0], temperature),
        2 => cubature::gibbs::<2>(loss, landscape, domain, temperature),
        3 => cubature::gibbs::<3>(loss, landscape, domain, temperature),
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
fn finish(masses: Vec<f64>, other: f64, laplacians: Vec<f64>) -> Option<Gibbs> {
    let total = masses.iter().sum::<f64>() + other;
    (total.is_finite() && total > 0.0).then(|| Gibbs {
        occupancies: masses.iter().map(|mass| mass / total).collect(),
        other: other / total,
        mean_laplacian: laplacians.iter().zip(&masses).map(|(sum, mass)| sum / mass).collect(),
        log_normalization: Some(crate::math::ln(total)),
        sampling: None,
    })
}
