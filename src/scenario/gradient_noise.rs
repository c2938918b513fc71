//! `[gradient_noise]`: where, and of which batches, the noise of the minibatch gradient is measured.

use serde::{Deserialize, Serialize};

use super::{ExperimentKind, TrainingExperiment, TrainingSpec};
use crate::input::{Integer, Number, Table};

/// Keys of the table `[gradient_noise]` of a scenario with `experiment = "gradient-noise"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GradientNoiseSpec {
    /// After how many epochs of training the noise is measured, ascending.
    pub epochs: Vec<f64>,
    /// The batch sizes S, ascending. The first is the control, which ought not to be Gaussian; the last is where it is to be.
    pub sizes: Vec<u64>,
    /// Batches of the largest size whose gradients are taken; of smaller ones more, see [`GradientNoiseSpec::batches_of`].
    pub batches: u64,
    /// Random directions along which the law of the noise is looked at, beside the first eigenvector of C.
    pub directions: u64,
    /// The largest Kolmogorov distance from the normal law that counts as Gaussian.
    pub distance: f64,
}

impl Default for GradientNoiseSpec {
    fn default() -> Self {
        Self { epochs: vec![0.0], sizes: vec![1, 4, 16, 64, 256], batches: 16_000, directions: 3, distance: 0.02 }
    }
}

/// Independent groups of batches: the unit of evidence.
pub const GROUPS: u64 = 64;
/// Small batches are cheap and have heavier tails: so many times as many of them are taken at most.
const MOST_TIMES: u64 = 20;
/// Batches of which projections alone are taken, for one whose gradient is: they are sums of numbers that are known.
pub const DRAWS_PER_BATCH: u64 = 50;
/// More points or sizes than this are a study.
const MOST: usize = 30;

impl GradientNoiseSpec {
    /// Reads the table where it belongs; `Some(None)` for another experiment. `None` after a problem was told.
    pub(super) fn of(
        root: &Table<'_>,
        experiment: Option<ExperimentKind>,
        training: Option<&TrainingSpec>,
    ) -> Option<Option<Self>> {
        const KEY: &str = "gradient_noise";
        let own = ExperimentKind::Training(TrainingExperiment::GradientNoise);
        if experiment.is_some_and(|experiment| experiment != own) {
            let message = "the table [gradient_noise] belongs to experiment = \"gradient-noise\"; write that, or remove the table";
            root.refuse(KEY, message);
            return Some(None);
        }
        let spec = match root.optional_table(KEY)? {
            Some(table) => Self::read(&table, training)?,
            None => Self::default(),
        };
        // Without an experiment, which was told, nobody knows whether it belongs.
        Some(experiment.map(|_| spec))
    }

    fn read(table: &Table<'_>, training: Option<&TrainingSpec>) -> Option<Self> {
        let default = Self::default();
        let epochs = if table.has("epochs") { read_epochs(table, training) } else { Some(default.epochs) };
        let sizes = if table.has("sizes") { read_sizes(table) } else { Some(default.sizes) };
        let batches = Integer {
            what: "the number of batches of the largest size",
            example: "16000",
            range: 10 * GROUPS..=1_000_000_000,
            reason: "errors come from 64 groups, each of 10 batches at least",
        };
        let batches = table.integer_or("batches", &batches, default.batches);
        let directions = Integer {
            what: "the number of random directions",
            example: "3",
            range: 0..=100,
            reason: "more would show nothing new",
        };
        let directions = table.integer_or("directions", &directions, default.directions);
        let distance = Number {
            what: "the largest distance from the normal law that counts as Gaussian",
            example: "0.02",
            low: 1e-4,
            high: 0.5,
        };
        let distance = table.number_or("distance", &distance, default.distance);
        table.finish();
        Some(Self { epochs: epochs?, sizes: sizes?, batches: batches?, directions: directions?, distance: distance? })
    }

    /// How many gradients of batches of S examples are taken: as many examples as at the largest size, but no more than 20 times as many
    /// batches; a multiple of the groups.
    pub fn batches_of(&self, size: u64) -> u64 {
        let largest = self.sizes.last().copied().unwrap_or(1);
        let times = (largest / size.max(1)).clamp(1, MOST_TIMES);
        (self.batches * times).div_ceil(GROUPS) * GROUPS
    }

    /// Gradients of examples that all sizes take at one point.
    pub fn example_gradients(&self) -> f64 {
        self.sizes.iter().map(|&size| (size * self.batches_of(size)) as f64).sum()
    }

    /// Batches of all sizes at one point, those of which only projections are taken not counted.
    pub fn all_batches(&self) -> u64 {
        self.sizes.iter().map(|&size| self.batches_of(size)).sum()
    }
}

/// Ascending epochs within the training.
fn read_epochs(table: &Table<'_>, training: Option<&TrainingSpec>) -> Option<Vec<f64>> {
    let expected =
        Number { what: "the epochs after which the noise is measured", example: "[0, 10]", low: 0.0, high: 1e9 };
    let epochs = table.numbers("epochs", &expected)?;
    if epochs.len() > MOST || !epochs.windows(2).all(|pair| pair[0] < pair[1]) {
        let message =
            format!("found {}; at most {MOST} ascending epochs are allowed; for example [0, 10]", list(&epochs));
        table.problem("epochs", message);
        return None;
    }
    if let Some(training) = training
        && epochs.last().is_some_and(|last| *last > training.epochs)
    {
        let message = format!(
            "found {}, beyond the {} epochs of training; raise training.epochs, or measure earlier",
            list(&epochs),
            training.epochs
        );
        table.problem("epochs", message);
        return None;
    }
    Some(epochs)
}

/// At least two ascending whole sizes.
fn read_sizes(table: &Table<'_>) -> Option<Vec<u64>> {
    let expected = Number { what: "the batch sizes S", example: "[1, 4, 16, 64, 256]", low: 1.0, high: 1e6 };
    let sizes = table.numbers("sizes", &expected)?;
    let whole = sizes.iter().all(|size| size.fract() == 0.0);
    if !whole || !(2..=MOST).contains(&sizes.len()) || !sizes.windows(2).all(|pair| pair[0] < pair[1]) {
        let message = format!(
            "found {}; the first size is the control that ought not to be Gaussian, so 2 to {MOST} ascending whole sizes are needed; for \
             example [1, 4, 16, 64, 256]",
            list(&sizes)
        );
        table.problem("sizes", message);
        return None;
    }
    Some(sizes.into_iter().map(|size| size as u64).collect())
}

fn list(numbers: &[f64]) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<String> = numbers.iter().take(SHOWN).map(f64::to_string).collect();
    format!("[{}{}]", shown.join(", "), if numbers.len() > SHOWN { ", …" } else { "" })
}
