//! Examples as networks take them: inputs row by row, and a label or real targets for each.

use super::error::DataError;
use super::limits::{MOST_CLASSES, check_number};

/// What is to be learned of each example.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// One of several classes.
    Labels {
        /// The class of each example, from 0 to the number of classes − 1.
        labels: Vec<u32>,
        /// The names of the classes; there are as many classes as names.
        class_names: Vec<String>,
    },
    /// Real numbers.
    Values {
        /// N × outputs, row by row.
        values: Vec<f64>,
        /// Numbers per example, at least 1.
        outputs: usize,
    },
}

impl Targets {
    /// The number of examples N.
    pub fn len(&self) -> usize {
        match self {
            Self::Labels { labels, .. } => labels.len(),
            Self::Values { values, outputs } => values.len() / (*outputs).max(1),
        }
    }

    /// Whether there are no examples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Those of some examples, in the order of `indices`.
    pub(super) fn select(&self, indices: &[usize]) -> Self {
        match self {
            Self::Labels { labels, class_names } => Self::Labels {
                labels: indices.iter().map(|&index| labels[index]).collect(),
                class_names: class_names.clone(),
            },
            Self::Values { values, outputs } => Self::Values {
                values: indices
                    .iter()
                    .flat_map(|&index| &values[index * outputs..(index + 1) * outputs])
                    .copied()
                    .collect(),
                outputs: *outputs,
            },
        }
    }

    fn fault(&self) -> Option<String> {
        match self {
            Self::Labels { labels, class_names } => {
                let classes = class_names.len();
                if !(1..=MOST_CLASSES).contains(&classes) {
                    return Some(format!("found {classes} class names; 1 to {MOST_CLASSES} are allowed"));
                }
                let (index, label) = labels.iter().enumerate().find(|(_, label)| **label as usize >= classes)?;
                Some(format!(
                    "example {index} has label {label}; with {classes} classes 0 to {} are allowed",
                    classes - 1
                ))
            }
            Self::Values { outputs: 0, .. } => Some("found 0 targets per example; at least 1 is needed".to_owned()),
            Self::Values { values, outputs } if values.len() % outputs != 0 => {
                Some(format!("found {} targets, which is no multiple of {outputs} per example", values.len()))
            }
            Self::Values { values, outputs } => {
                let fault = |(index, value): (usize, &f64)| {
                    let fault = check_number(*value).err()?;
                    Some(format!("target {} of example {} is {fault}", index % outputs, index / outputs))
                };
                values.iter().enumerate().find_map(fault)
            }
        }
    }
}

/// N examples: inputs of p features each, and their targets. Never empty, and every number in it is finite.
///
/// ```
/// use sgd_sde::data::{Dataset, Targets};
///
/// let class_names = vec!["low".to_owned(), "high".to_owned()];
/// let targets = Targets::Labels { labels: vec![0, 1, 1], class_names };
/// let data = Dataset::new(vec![0.1, 0.2, 0.8, 0.7, 0.9, 0.8], vec![2], targets)?;
/// assert_eq!((data.len(), data.features()), (3, 2));
/// assert_eq!(data.input(1), [0.8, 0.7]);
/// assert_eq!(data.class_counts(), Some(vec![1, 2]));
/// # Ok::<(), sgd_sde::data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// N × p, row by row.
    pub(super) inputs: Vec<f64>,
    features: usize,
    shape: Vec<usize>,
    pub(super) targets: Targets,
    indices: Vec<usize>,
    feature_names: Vec<String>,
}

impl Dataset {
    /// A data set of one's own. `inputs` are N × p, row by row; `shape` is that of one example, such as `[28, 28]`, and p its
    /// product.
    ///
    /// # Errors
    /// When there is no example or no feature, lengths do not fit, a label is out of range, or a number is not finite or larger
    /// than 10^100.
    pub fn new(inputs: Vec<f64>, shape: Vec<usize>, targets: Targets) -> Result<Self, DataError> {
        let told = |message: String| DataError { key: "data".to_owned(), message };
        let features = shape.iter().try_fold(1_usize, |product, &size| product.checked_mul(size)).unwrap_or(0);
        if features == 0 || targets.is_empty() {
            return Err(told(format!(
                "found {} examples of shape {shape:?}; at least one example with at least one feature is needed",
                targets.len()
            )));
        }
        if let Some(fault) = targets.fault() {
            return Err(told(format!("{fault}; correct the targets")));
        }
        if Some(inputs.len()) != features.checked_mul(targets.len()) {
            let (found, examples) = (inputs.len(), targets.len());
            return Err(told(format!(
                "found {found} inputs; {examples} examples of shape {shape:?} have {features} each; give both the same examples"
            )));
        }
        let fault = |(index, value): (usize, &f64)| Some((index, check_number(*value).err()?));
        if let Some((index, fault)) = inputs.iter().enumerate().find_map(fault) {
            let (example, feature) = (index / features, index % features);
            return Err(told(format!("feature {feature} of example {example} is {fault}; correct the inputs")));
        }
        let indices = (0..targets.len()).collect();
        Ok(Self { inputs, features, shape, targets, indices, feature_names: Vec::new() })
    }

    /// A data set whose parts are known to fit.
    pub(super) fn of_parts(
        inputs: Vec<f64>,
        shape: Vec<usize>,
        targets: Targets,
        indices: Vec<usize>,
        feature_names: Vec<String>,
    ) -> Self {
        Self { inputs, features: shape.iter().product(), shape, targets, indices, feature_names }
    }

    /// The number of examples N ≥ 1.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Always false: a data set has at least one example.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// The number of features p ≥ 1 of an example.
    pub fn features(&self) -> usize {
        self.features
    }

    /// The shape of an example, whose product is p: `[rows, columns]` for grey images, `[channels, rows, columns]` for
    /// CIFAR-10, `[p]` for what has no shape.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// All inputs, N × p, row by row; in the units of the file or generator until standardised.
    pub fn inputs(&self) -> &[f64] {
        &self.inputs
    }

    /// All inputs in single precision.
    pub fn inputs_in_single_precision(&self) -> Vec<f32> {
        self.inputs.iter().map(|&input| input as f32).collect()
    }

    /// The p inputs of an example.
    ///
    /// # Panics
    /// When `example` ≥ N.
    pub fn input(&self, example: usize) -> &[f64] {
        &self.inputs[example * self.features..(example + 1) * self.features]
    }

    /// What is to be learned.
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    /// The label of each example, where there are classes.
    pub fn labels(&self) -> Option<&[u32]> {
        match &self.targets {
            Targets::Labels { labels, .. } => Some(labels),
            Targets::Values { .. } => None,
        }
    }

    /// The real targets, N × outputs row by row, where there are no classes.
    pub fn values(&self) -> Option<&[f64]> {
        match &self.targets {
            Targets::Labels { .. } => None,
            Targets::Values { values, .. } => Some(values),
        }
    }

    /// The number of numbers that a network gives per example: classes, or real targets.
    pub fn outputs(&self) -> usize {
        match &self.targets {
            Targets::Labels { class_names, .. } => class_names.len(),
            Targets::Values { outputs, .. } => *outputs,
        }
    }

    /// The names of the classes, where there are any.
    pub fn class_names(&self) -> Option<&[String]> {
        match &self.targets {
            Targets::Labels { class_names, .. } => Some(class_names),
            Targets::Values { .. } => None,
        }
    }

    /// How many examples each class has, where there are classes.
    pub fn class_counts(&self) -> Option<Vec<usize>> {
        let mut counts = vec![0; self.outputs()];
        for &label in self.labels()? {
            counts[label as usize] += 1;
        }
        Some(counts)
    }

    /// The names of the features; empty where they have none.
    pub fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    /// Which example of its file (or of its generator), from 0, each example is.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }

    /// CRC-32 of all inputs and targets in order: two runs with the same checksum have, but for accident, learned from the same
    /// numbers.
    pub fn checksum(&self) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        let mut add = |values: &[f64]| values.iter().for_each(|value| hasher.update(&value.to_bits().to_le_bytes()));
        add(&self.inputs);
        match &self.targets {
            Targets::Labels { labels, .. } => labels.iter().for_each(|label| hasher.update(&label.to_le_bytes())),
            Targets::Values { values, .. } => add(values),
        }
        hasher.finalize()
    }
}
