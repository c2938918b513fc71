//! Whether an ensemble is at rest in every direction.

use serde::{Deserialize, Serialize};

/// What speaks for and against the rest of an ensemble, beside the labels of basins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StationarityRecord {
    /// The direction that forgets its start last, by the curvatures at the minima; null where no direction is stable.
    pub softest: Option<SoftestRecord>,
    /// Yaida's relation; null where it does not hold for these steps.
    pub yaida: Option<YaidaRecord>,
    /// Means that every stationary law makes 0: Yaida's relation, and the relations of the first two moments along the softest directions.
    pub relations: Vec<ZeroRecord>,
    /// Whether they bar a verdict where they are not 0.
    pub relations_gate: bool,
    /// Changes of L, |∇L|², projections and their squares over the measured steps, along the straight line that fits best.
    pub drifts: Vec<ZeroRecord>,
    /// Steps between two evaluations of all this.
    pub evaluated_every: u64,
    /// Why the relations do not gate, if so.
    pub note: Option<String>,
}

impl StationarityRecord {
    /// Of two ensembles that which is farther from rest: whose burn-in is the shorter beside the wanted one, else whose worst test is.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        if self.badness() >= other.badness() { self } else { other }
    }

    /// How far from rest: above 1 where something speaks against it.
    fn badness(&self) -> f64 {
        let tests = self.drifts.iter().chain(&self.relations);
        let excess = tests.map(|test| test.t.map_or(f64::INFINITY, |t| t.abs() / test.threshold)).fold(0.0, f64::max);
        match &self.softest {
            Some(softest) if !softest.forgotten => f64::MAX / (1.0 + softest.burn_in_relaxations),
            _ => excess,
        }
    }
}

/// An eigenvector of a minimum and how much of the start is left along it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SoftestRecord {
    /// Whose eigenvector.
    pub minimum: String,
    /// A coordinate, or the largest components.
    pub direction: String,
    /// h.
    pub curvature: f64,
    /// 1/(δh), to first order, in steps.
    pub relaxation_steps: f64,
    /// The burn-in in these; at least 1 is asked for.
    pub burn_in_relaxations: f64,
    /// What is left of the start in the mean or the second moment along it, in standard errors; at most 0.2 are allowed.
    pub left: f64,
    /// The burn-in that would do, in steps.
    pub burn_in_wanted: u64,
    /// Whether the present one does.
    pub forgotten: bool,
}

/// ⟨(θ − c)·∇L⟩ = (δ/2)⟨|∇L|²⟩ + (n/2)⟨tr C⟩, c the mean of the minima (0 where the loss has symmetries).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct YaidaRecord {
    /// The left side.
    pub left: f64,
    /// The right side.
    pub right: f64,
    /// Of their difference, between replicas.
    pub standard_error: f64,
    /// Whether the difference is compatible with 0.
    pub consistent: bool,
}

/// A mean that should be 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ZeroRecord {
    /// Of what.
    pub quantity: String,
    /// The mean over the replicas.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Standard errors from 0, corrected for skewness; null for a value without spread.
    pub t: Option<f64>,
    /// What |t| may be.
    pub threshold: f64,
    /// Whether it is.
    pub consistent: bool,
}
