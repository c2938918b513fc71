//! `[svag]`: by which l the SDE of a network's SGD is approached, and which other noises are set beside it.

use serde::{Deserialize, Serialize};

use super::{ExperimentKind, TrainingExperiment};
use crate::input::{Number, Table};

/// Keys of the table `[svag]` of a scenario with `experiment = "svag"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SvagSpec {
    /// l, ascending from 2; the largest stands for the SDE, and SGD is l = 1.
    pub amplifications: Vec<f64>,
    /// Noises that take the place of minibatches at the same η and S.
    pub beside: Vec<NoiseName>,
}

/// Noises that can take the place of minibatches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoiseName {
    /// Normals of covariance C(θ)/S.
    ExampleGaussian,
    /// Normals of covariance C(θ*)/S, θ* at the end of the pilot.
    FrozenGaussian,
    /// Normals of covariance σ²I/S with σ² = tr C(θ*)/d.
    Isotropic,
}

const NAMES: [(&str, NoiseName); 3] = [
    ("example-gaussian", NoiseName::ExampleGaussian),
    ("frozen-gaussian", NoiseName::FrozenGaussian),
    ("isotropic", NoiseName::Isotropic),
];

impl Default for SvagSpec {
    fn default() -> Self {
        Self { amplifications: vec![2.0, 4.0, 8.0], beside: vec![NoiseName::ExampleGaussian] }
    }
}

impl SvagSpec {
    /// Reads `[svag]`, which may be left out, where it belongs; `Some(None)` for another experiment. `None` after a problem was told.
    pub(super) fn of(root: &Table<'_>, experiment: Option<ExperimentKind>) -> Option<Option<Self>> {
        const KEY: &str = "svag";
        if experiment.is_some_and(|experiment| experiment != ExperimentKind::Training(TrainingExperiment::Svag)) {
            root.refuse(KEY, "the table [svag] belongs to experiment = \"svag\"; write that, or remove the table");
            return Some(None);
        }
        let spec = match root.optional_table(KEY)? {
            Some(table) => Self::read(&table)?,
            None => Self::default(),
        };
        Some(experiment.map(|_| spec))
    }

    fn read(table: &Table<'_>) -> Option<Self> {
        let amplifications =
            if table.has("amplifications") { read_amplifications(table) } else { Some(Self::default().amplifications) };
        let beside = if table.has("beside") { read_beside(table) } else { Some(Self::default().beside) };
        table.finish();
        Some(Self { amplifications: amplifications?, beside: beside? })
    }
}

fn read_amplifications(table: &Table<'_>) -> Option<Vec<f64>> {
    let l = Number { what: "the amplifications l", example: "[2, 4, 8]", low: 2.0, high: 1e4 };
    let found = table.numbers("amplifications", &l)?;
    if found.iter().all(|l| l.fract() == 0.0) && found.windows(2).all(|pair| pair[0] < pair[1]) {
        return Some(found);
    }
    let message = "found numbers that are not whole or do not ascend; the largest stands for the SDE, from which the others are told; for example \
                   [2, 4, 8]";
    table.problem("amplifications", message);
    None
}

fn read_beside(table: &Table<'_>) -> Option<Vec<NoiseName>> {
    let words = table.texts("beside", "the noises that take the place of minibatches", "[\"example-gaussian\"]")?;
    let mut found = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let Some((_, name)) = NAMES.iter().find(|(name, _)| name == word) else {
            let names = NAMES.map(|(name, _)| name).join(", ");
            let message = format!("found \"{}\"; it may be: {names}", crate::input::shorten(word));
            table.problem(&format!("beside[{index}]"), message);
            return None;
        };
        found.push(*name);
    }
    Some(found)
}
