//! `noise.kind = "temperature"`: T itself, for users who think in temperatures.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::GradientNoise;
use super::isotropic::Isotropic;
use crate::input::{Number, Table};

/// T = nσ²/2 itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TemperatureSpec {
    /// T > 0, in units of the loss.
    pub value: f64,
}

impl TemperatureSpec {
    pub(crate) fn read(table: &Table<'_>) -> Option<Self> {
        Some(Self {
            value: table.number("value", &Number::positive("T, the temperature in units of the loss,", "0.1"))?,
        })
    }

    /// Isotropic noise of σ = √(2T), which has temperature T with n = 1.
    pub(crate) fn build(self, dimension: usize) -> Arc<dyn GradientNoise> {
        Arc::new(Isotropic::new(dimension, (2.0 * self.value).sqrt()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T = nσ²/2 with the n = 1 that a scenario without [sgd] is given.
    #[test]
    fn the_noise_has_the_temperature_asked_for() {
        let noise = TemperatureSpec { value: 0.3 }.build(2);
        assert!((0.5 * noise.isotropic_variance().unwrap() - 0.3).abs() < 1e-15);
    }
}
