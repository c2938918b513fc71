//! How θ moves: Markov kernels over a block of trajectories, one method per file.

use serde::{Deserialize, Serialize};

/// A dynamics as a scenario describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum DynamicsSpec {
    /// θ ← θ − η(g + Δg/√S): the discrete process itself.
    Sgd,
    /// Euler–Maruyama of the SDE with its own step.
    EulerMaruyama {
        /// δ in SDE time; left out: η.
        step: f64,
    },
}
