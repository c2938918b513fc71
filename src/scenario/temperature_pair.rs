//! The second temperature of a pair.

use serde::{Deserialize, Serialize};

use super::ExperimentKind;
use crate::input::{Number, Table};

/// What the ensembles of a `temperature-pair` differ by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TemperaturePairSpec {
    /// T₂/T₁, positive and not 1: n, or a temperature given as such, is so many times as large in the second ensemble.
    pub factor: f64,
}

impl Default for TemperaturePairSpec {
    fn default() -> Self {
        Self { factor: 1.5 }
    }
}

impl TemperaturePairSpec {
    /// Reads `[temperature_pair]`, which may be left out, where it belongs; `Some(None)` for another experiment. `None` after a
    /// problem was told.
    pub(super) fn of(root: &Table<'_>, experiment: Option<ExperimentKind>) -> Option<Option<Self>> {
        const KEY: &str = "temperature_pair";
        if experiment.is_some_and(|experiment| experiment != ExperimentKind::TemperaturePair) {
            root.refuse(
                KEY,
                "found where experiment is not \"temperature-pair\", to which it belongs; remove [temperature_pair], or write \
                 experiment = \"temperature-pair\"",
            );
            return Some(None);
        }
        let spec = match root.optional_table(KEY)? {
            Some(table) => Self::read(&table)?,
            None => Self::default(),
        };
        // Without an experiment, which was told, nobody knows whether it belongs.
        Some(experiment.map(|_| spec))
    }

    fn read(table: &Table<'_>) -> Option<Self> {
        let what = "the second temperature over the first (not 1)";
        let factor = Number { what, example: "1.5", low: 0.01, high: 100.0 };
        let factor = table.number_or("factor", &factor, Self::default().factor);
        table.finish();
        let factor = factor?;
        if factor == 1.0 {
            table.problem(
                "factor",
                "found 1, with which both ensembles have the same temperature and there is no ratio to measure; take another \
                 factor, for example 1.5",
            );
            return None;
        }
        Some(Self { factor })
    }
}
