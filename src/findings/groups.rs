//! Groups of replicas of a network in training.

use serde::{Deserialize, Serialize};

use super::DivergedRecord;

/// Replicas with one learning rate and one batch size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupRecord {
    /// For tables and figures.
    pub name: String,
    /// η.
    pub learning_rate: f64,
    /// S.
    pub batch_size: u64,
    /// n = η/S.
    pub noise_scale: f64,
    /// How many.
    pub replicas: u64,
    /// Steps of each.
    pub steps: u64,
    /// How many diverged; null when nothing was trained.
    pub diverged: Option<u64>,
    /// The first few of them.
    pub diverged_replicas: Vec<DivergedRecord>,
    /// What was measured at the end.
    pub measures: Vec<MeasureRecord>,
}

/// A number of the replicas of a group: a mean, unless the quantity says what else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasureRecord {
    /// Of what.
    pub quantity: String,
    /// Its value.
    pub measured: f64,
    /// Between replicas; 0 of a count.
    pub standard_error: f64,
    /// 95 % interval.
    pub interval: Option<[f64; 2]>,
}
