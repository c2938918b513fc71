//! Examples as a file or a generator has them, before any are chosen.

use super::dataset::{Dataset, Targets};

/// Inputs, row by row. Images stay bytes until it is known which are wanted: as numbers they take eight times the memory.
pub(super) enum Values {
    Bytes(Vec<u8>),
    Numbers(Vec<f64>),
}

/// All examples that there are.
pub(super) struct Raw {
    pub values: Values,
    /// Of one example.
    pub shape: Vec<usize>,
    pub targets: Targets,
    /// Empty where there are none.
    pub feature_names: Vec<String>,
}

/// The examples to choose from, and those that its makers set aside for testing.
pub(super) struct Parts {
    pub examples: Raw,
    pub test: Option<Raw>,
}

impl From<Raw> for Parts {
    fn from(examples: Raw) -> Self {
        Self { examples, test: None }
    }
}

impl Raw {
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    pub fn features(&self) -> usize {
        self.shape.iter().product()
    }

    /// Some examples, in the order of `indices`.
    pub fn select(&self, indices: Vec<usize>) -> Dataset {
        let p = self.features();
        let mut inputs = Vec::with_capacity(indices.len() * p);
        for &index in &indices {
            let row = index * p..(index + 1) * p;
            match &self.values {
                Values::Bytes(bytes) => inputs.extend(bytes[row].iter().map(|&byte| f64::from(byte))),
                Values::Numbers(numbers) => inputs.extend_from_slice(&numbers[row]),
            }
        }
        let targets = self.targets.select(&indices);
        Dataset::of_parts(inputs, self.shape.clone(), targets, indices, self.feature_names.clone())
    }
}
