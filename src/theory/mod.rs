//! Predictions only: what the theory says before anything is simulated.
//!
//! Nothing here knows the dynamics or the ensemble, so that a prediction cannot borrow the simulator's mistakes.

pub mod batch_law;
pub mod batch_mean;
mod bounding_box;
pub mod cells;
pub mod discrete;
pub mod escape;
mod extent;
pub mod gibbs;
pub mod ito;
pub mod laplace;
pub mod markov_chain;
pub mod minibatch;
pub mod ornstein_uhlenbeck;
mod outskirts;
mod passage;
pub mod quadrature;
pub mod regression;
pub mod weak_error;

pub use extent::rounding;
pub use outskirts::Place;

use crate::landscape::Landscape;
use crate::loss::Loss;

/// The one-step recursions whose law at a finite step the theory knows something of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// θ ← θ − δ∇L + √(nδ)Bξ: Euler–Maruyama, and SGD with Gaussian noise (δ = η).
    EulerMaruyama,
    /// θ ← θ − δ∇L + √(nδ)B(ξ + ξ′)/2, ξ′ the next step's ξ.
    LeimkuhlerMatthews,
    /// Platen's explicit scheme of weak order 2; Heun's method for additive noise.
    Platen,
    /// θ ← θ − δg, g the gradient of batches that are drawn afresh at every step: the first two moments of a step are those of
    /// Euler–Maruyama with the same C, its law is not normal.
    Minibatches,
}

/// The box outside of which exp(−(L − L_A)/T) is below e^(−`height`), L_A the lowest minimum, in one or two dimensions;
/// `None` in more, or where the loss does not rise that far.
pub fn visited_region(
    loss: &dyn Loss,
    landscape: &Landscape,
    domain: &[[f64; 2]],
    temperature: f64,
    height: f64,
) -> Option<Vec<[f64; 2]>> {
    let lowest = landscape.minima[0].loss;
    match domain.len() {
        1 => {
            let places = landscape.minima.iter().map(|minimum| minimum.theta[0]);
            let (low, high) = places.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
            // The search steps outwards from a place of some width: that of the domain, shrunk onto the minima.
            let margin = 0.02 * (domain[0][1] - domain[0][0]);
            let range = [low - margin, high + margin];
            quadrature::support(&|x| loss.value(&[x]), range[0], range[1], lowest, temperature, height)
                .map(|region| vec![region])
        }
        2 => {
            bounding_box::bounding_box::<2>(loss, landscape, domain, temperature, height).map(|region| region.to_vec())
        }
        _ => None,
    }
}

#[cfg(test)]
mod line_tests;
#[cfg(test)]
mod plane_tests;

/// Φ(z).
fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

/// Probabilities in proportion to exp(wₖ), without overflow.
pub fn normalize_log_weights(log_weights: &[f64]) -> Vec<f64> {
    let largest = log_weights.iter().fold(f64::NEG_INFINITY, |a, &w| a.max(w));
    let weights: Vec<f64> = log_weights.iter().map(|w| crate::math::exp(w - largest)).collect();
    let total: f64 = weights.iter().sum();
    weights.iter().map(|w| w / total).collect()
}
