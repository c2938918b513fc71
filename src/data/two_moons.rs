//! `data.kind = "two-moons"`: two interleaved half circles in the plane, which no line separates.
//!
//! With t uniform in [0, π], class `outer` lies at (cos t, sin t) and class `inner` at (1 − cos t, ½ − sin t), each coordinate
//! with normal noise. scikit-learn's `make_moons` has the same curves, with t equally spaced.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::dataset::Targets;
use super::draws::{Draws, Use};
use super::raw::{Raw, Values};
use crate::input::{Number, Table};
use crate::math;

/// Two half circles.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TwoMoonsSpec {
    /// The standard deviation of the noise, where the circles have radius 1.
    pub noise: f64,
}

impl TwoMoonsSpec {
    pub(super) fn read(table: &Table<'_>) -> Option<Self> {
        let noise = Number {
            what: "the standard deviation of the noise, where the half circles have radius 1,",
            example: "0.1",
            low: 0.0,
            high: 1e6,
        };
        Some(Self { noise: table.number_or("noise", &noise, 0.1)? })
    }

    pub(super) fn generate(&self, examples: usize, seed: u64) -> Raw {
        let mut draws = Draws::new(seed, Use::Examples);
        let mut inputs = Vec::with_capacity(2 * examples);
        for example in 0..examples {
            let t = PI * draws.uniform();
            let (x, y) = (math::cos(t), math::sin(t));
            let [x, y] = if example % 2 == 0 { [x, y] } else { [1.0 - x, 0.5 - y] };
            inputs.push(x + self.noise * draws.normal());
            inputs.push(y + self.noise * draws.normal());
        }
        let labels = (0..examples).map(|example| (example % 2) as u32).collect();
        let targets = Targets::Labels { labels, class_names: vec!["outer".to_owned(), "inner".to_owned()] };
        Raw {
            values: Values::Numbers(inputs),
            shape: vec![2],
            targets,
            feature_names: vec!["x".to_owned(), "y".to_owned()],
        }
    }
}
