//! From a description to examples.

use std::path::Path;

use super::corrupt::{self, Corruption};
use super::dataset::Dataset;
use super::error::DataError;
use super::limits::MOST_NUMBERS;
use super::raw::{Parts, Raw};
use super::reduce;
use super::spec::DataSpec;
use super::split::Split;
use super::standardize::Standardization;

/// What a network learns from and is tested on.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    /// What is learned from.
    pub training: Dataset,
    /// What is only tested on, standardised by the training part and never corrupted; `None` where nothing was set aside.
    pub test: Option<Dataset>,
    /// How inputs were standardised; `None` where they were not.
    pub standardization: Option<Standardization>,
    /// Which training examples have random labels; `None` where none were asked for.
    pub corruption: Option<Corruption>,
}

impl DataSpec {
    /// Reads or makes the examples, a pure function of the files, the description and the seed: its own, or else
    /// `scenario_seed`. A relative path starts at `folder`, that of the scenario file.
    ///
    /// In this order: images are pooled; examples, of all classes or some, are taken; some are set aside for testing; both parts are put into random order; inputs are
    /// standardised by the training part; training inputs, then training labels are randomised. Each has random
    /// numbers of its own, so that to ask for random labels, say, does not change which examples are tested on.
    ///
    /// # Errors
    /// When a file cannot be read, is damaged, or does not fit its companions, when a label or number is out of range, and when
    /// more is asked for than there is.
    pub fn load(&self, scenario_seed: u64, folder: &Path) -> Result<Data, DataError> {
        let seed = self.seed.unwrap_or(scenario_seed);
        let Parts { examples, test } = self.kind.load(folder, self.examples, seed)?;
        let (examples, candidates) = self.reduced(examples)?;
        let test = test.map(|test| self.reduced(test)).transpose()?;
        let split = Split::of(self, &examples.targets, &candidates, seed)?;
        let set_aside = test.as_ref().map_or(split.test.len(), |(_, kept)| kept.len());
        check_size(split.training.len() + set_aside, examples.features())?;
        let mut training = examples.select(split.training);
        let mut test = match test {
            Some((test, kept)) => Some(test.select(kept)),
            None if split.test.is_empty() => None,
            None => Some(examples.select(split.test)),
        };
        let standardization = Standardization::measure(self.standardize, &training);
        if let Some(standardization) = &standardization {
            standardization.apply(&mut training);
            test.iter_mut().for_each(|test| standardization.apply(test));
        }
        if self.random_inputs {
            corrupt::inputs(&mut training, seed);
        }
        let corruption = (self.random_labels > 0.0).then(|| corrupt::labels(&mut training, self.random_labels, seed));
        Ok(Data { training, test, standardization, corruption })
    }

    /// Examples with pooled images, and the indices of those that are of the wanted classes.
    fn reduced(&self, mut raw: Raw) -> Result<(Raw, Vec<usize>), DataError> {
        if let Some(side) = self.pool {
            raw = reduce::pool(raw, side as usize)?;
        }
        let kept = match &self.only_classes {
            Some(wanted) => reduce::only_classes(&mut raw, wanted)?,
            None => (0..raw.len()).collect(),
        };
        Ok((raw, kept))
    }
}

fn check_size(examples: usize, features: usize) -> Result<(), DataError> {
    if examples.checked_mul(features).is_some_and(|numbers| numbers <= MOST_NUMBERS) {
        return Ok(());
    }
    let message = format!(
        "{examples} examples of {features} features are more than {MOST_NUMBERS} numbers, the most that is held in memory; take fewer, \
         for example {}",
        (MOST_NUMBERS / features.max(1)).max(1)
    );
    Err(DataError::new("examples", message))
}
