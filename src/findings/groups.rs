//! Groups of replicas of a network in training.

use serde::{Deserialize, Serialize};

use super::DivergedRecord;
use crate::statistics::LeftOut;

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
    /// When it was looked at, where groups are compared at equal times: look by look the same epochs, and of groups with equal η/S the same
    /// SDE time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub looks: Vec<LookRecord>,
    /// What was measured at the end.
    pub measures: Vec<MeasureRecord>,
}

/// A time at which a group was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LookRecord {
    /// In epochs of N/S steps; l epochs of SVAG(l) are one.
    pub epochs: f64,
    /// Steps since the start.
    pub steps: u64,
    /// t = Σ η_k over these steps.
    pub sde_time: f64,
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
    /// Replicas that have no part in it, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<LeftOut>,
}
