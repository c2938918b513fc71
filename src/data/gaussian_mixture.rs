//! `data.kind = "gaussian-mixture"`: classes that are normal clouds of variance 1 in each direction.
//!
//! The centres of K ≤ p classes are (s/√2)·e_k: any two are exactly s apart. More classes than dimensions have normally
//! distributed centres, scaled so that the root mean square of the distances between two of them is s. Two classes overlap
//! by Φ(−distance/2): no classifier of two equally frequent ones errs less often.

use serde::{Deserialize, Serialize};

use super::dataset::Targets;
use super::draws::{Draws, Use};
use super::keys::{CLASSES, DIMENSION};
use super::limits::numbered;
use super::raw::{Raw, Values};
use crate::input::{Number, Table};

/// A mixture of normal clouds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GaussianMixtureSpec {
    /// K, equally frequent.
    pub classes: u64,
    /// p.
    pub dimension: u64,
    /// s, between two centres, in standard deviations of a cloud.
    pub separation: f64,
}

impl GaussianMixtureSpec {
    pub(super) fn read(table: &Table<'_>) -> Option<Self> {
        let classes = table.integer_or("classes", &CLASSES, 2);
        let dimension = table.integer_or("dimension", &DIMENSION, 2);
        let separation = Number {
            what: "the distance between the centres of two classes, in standard deviations,",
            example: "4.0",
            low: 0.0,
            high: 1e6,
        };
        let separation = table.number_or("separation", &separation, 4.0);
        Some(Self { classes: classes?, dimension: dimension?, separation: separation? })
    }

    /// The centres, K × p row by row.
    pub fn centres(&self, seed: u64) -> Vec<f64> {
        let (classes, p) = (self.classes as usize, self.dimension as usize);
        if classes <= p {
            let mut centres = vec![0.0; classes * p];
            (0..classes).for_each(|class| centres[class * p + class] = self.separation / 2_f64.sqrt());
            return centres;
        }
        let mut draws = Draws::new(seed, Use::Generator);
        let mut centres: Vec<f64> = (0..classes * p).map(|_| draws.normal()).collect();
        // Σ over pairs |a − b|² = K Σ |a − mean|².
        let mut spread = 0.0;
        for i in 0..p {
            let mean = centres.iter().skip(i).step_by(p).sum::<f64>() / classes as f64;
            spread += centres.iter().skip(i).step_by(p).map(|x| (x - mean) * (x - mean)).sum::<f64>();
        }
        let mean_square = 2.0 * spread / (classes - 1) as f64;
        let scale = if mean_square > 0.0 { self.separation / mean_square.sqrt() } else { 0.0 };
        centres.iter_mut().for_each(|x| *x *= scale);
        centres
    }

    pub(super) fn generate(&self, examples: usize, seed: u64) -> Raw {
        let (classes, p) = (self.classes as usize, self.dimension as usize);
        let centres = self.centres(seed);
        let mut draws = Draws::new(seed, Use::Examples);
        let mut inputs = Vec::with_capacity(examples * p);
        for example in 0..examples {
            let class = example % classes;
            inputs.extend(centres[class * p..(class + 1) * p].iter().map(|x| x + draws.normal()));
        }
        let labels = (0..examples).map(|example| (example % classes) as u32).collect();
        let targets = Targets::Labels { labels, class_names: numbered(classes) };
        Raw { values: Values::Numbers(inputs), shape: vec![p], targets, feature_names: Vec::new() }
    }
}
