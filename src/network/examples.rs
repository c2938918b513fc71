//! What a network is trained on: inputs and what should come out.

use super::Real;

/// Examples in memory: N inputs of p numbers, and N labels or targets.
#[derive(Clone, Debug, PartialEq)]
pub struct Examples<T> {
    inputs: Vec<T>,
    width: usize,
    targets: Targets<T>,
}

/// What should come out.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets<T> {
    /// A class per example, from 0.
    Labels(Vec<u32>),
    /// So many numbers per example, row by row.
    Values(Vec<T>, usize),
}

/// Inputs and targets that do not belong together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExamplesError {
    /// Inputs are not whole rows.
    #[error("found {found} numbers of input, which are no whole number of rows of {width}")]
    Torn {
        /// How many numbers there are.
        found: usize,
        /// How long a row is.
        width: usize,
    },
    /// There are more or fewer targets than inputs.
    #[error("found {inputs} inputs and {targets} targets; each input needs one target")]
    Unequal {
        /// Rows of input.
        inputs: usize,
        /// Labels, or rows of target.
        targets: usize,
    },
    /// There are none, or more than indices of 32 bits can tell apart.
    #[error("found {0} examples; there must be from 1 to 4294967295")]
    Number(usize),
}

impl<T: Real> Examples<T> {
    /// From inputs of `width` numbers each, row by row, and as many targets.
    ///
    /// # Errors
    /// If their numbers do not fit together.
    pub fn new(inputs: Vec<T>, width: usize, targets: Targets<T>) -> Result<Self, ExamplesError> {
        if width == 0 || !inputs.len().is_multiple_of(width) {
            return Err(ExamplesError::Torn { found: inputs.len(), width });
        }
        let rows = inputs.len() / width;
        let found = match &targets {
            Targets::Labels(labels) => labels.len(),
            Targets::Values(values, width) if *width > 0 && values.len().is_multiple_of(*width) => values.len() / width,
            Targets::Values(values, width) => {
                return Err(ExamplesError::Torn { found: values.len(), width: *width });
            }
        };
        if found != rows {
            return Err(ExamplesError::Unequal { inputs: rows, targets: found });
        }
        if rows == 0 || u32::try_from(rows).is_err() {
            return Err(ExamplesError::Number(rows));
        }
        Ok(Self { inputs, width, targets })
    }

    /// Number of examples N.
    pub fn count(&self) -> usize {
        self.inputs.len() / self.width
    }

    /// Numbers per input p.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The input of an example.
    pub fn input(&self, example: usize) -> &[T] {
        &self.inputs[example * self.width..(example + 1) * self.width]
    }

    /// What should come out.
    pub fn targets(&self) -> &Targets<T> {
        &self.targets
    }

    /// Writes the target of an example as numbers: its values, or 1 for its class among zeros.
    pub(super) fn target(&self, example: usize, target: &mut [T]) {
        match &self.targets {
            Targets::Labels(labels) => {
                target.fill(T::ZERO);
                target[labels[example] as usize] = T::ONE;
            }
            Targets::Values(values, width) => target.copy_from_slice(&values[example * width..(example + 1) * width]),
        }
    }
}

/// Some examples, in some order; they may repeat.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a, T> {
    pub(super) examples: &'a Examples<T>,
    pub(super) chosen: Chosen<'a>,
}

/// Which examples.
#[derive(Clone, Copy, Debug)]
pub(super) enum Chosen<'a> {
    Listed(&'a [u32]),
    Range(usize, usize),
}

impl<'a, T: Real> Batch<'a, T> {
    /// All examples once.
    pub fn all(examples: &'a Examples<T>) -> Self {
        Self { examples, chosen: Chosen::Range(0, examples.count()) }
    }

    /// The examples with these indices.
    ///
    /// # Panics
    /// Where it is used, if an index is not below their number.
    pub fn of(examples: &'a Examples<T>, indices: &'a [u32]) -> Self {
        Self { examples, chosen: Chosen::Listed(indices) }
    }

    /// Number of examples S.
    pub fn len(&self) -> usize {
        match self.chosen {
            Chosen::Listed(indices) => indices.len(),
            Chosen::Range(begin, end) => end - begin,
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The index of one of them.
    pub(super) fn index(&self, place: usize) -> usize {
        match self.chosen {
            Chosen::Listed(indices) => indices[place] as usize,
            Chosen::Range(begin, _) => begin + place,
        }
    }

    /// The batch in pieces of at most `size`.
    pub(super) fn pieces(self, size: usize) -> impl Iterator<Item = Self> {
        let length = self.len();
        (0..length).step_by(size).map(move |begin| {
            let end = (begin + size).min(length);
            let chosen = match self.chosen {
                Chosen::Listed(indices) => Chosen::Listed(&indices[begin..end]),
                Chosen::Range(first, _) => Chosen::Range(first + begin, first + end),
            };
            Self { examples: self.examples, chosen }
        })
    }
}
