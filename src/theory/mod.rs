//! Predictions only: what the theory says before anything is simulated.
//!
//! Nothing here knows the dynamics or the ensemble, so that a prediction cannot borrow the simulator's mistakes.

pub mod discrete;
pub mod escape;
pub mod gibbs;
pub mod laplace;
pub mod markov_chain;
pub mod ornstein_uhlenbeck;
mod plane;
pub mod quadrature;

/// Probabilities in proportion to exp(wₖ), without overflow.
pub fn normalize_log_weights(log_weights: &[f64]) -> Vec<f64> {
    let largest = log_weights.iter().fold(f64::NEG_INFINITY, |a, &w| a.max(w));
    let weights: Vec<f64> = log_weights.iter().map(|w| crate::math::exp(w - largest)).collect();
    let total: f64 = weights.iter().sum();
    weights.iter().map(|w| w / total).collect()
}
