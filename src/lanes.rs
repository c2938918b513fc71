//! How many trajectories stand side by side. A module of its own, since random numbers, losses and ensembles are all laid out by it.

/// Trajectories per block. Results never depend on it: every lane is computed independently of its neighbours.
pub const LANES: usize = 64;
