//! `data.kind = "npy"`: arrays as NumPy saves them, one of inputs and one of labels or targets.

mod array;

use std::path::Path;

use serde::{Deserialize, Serialize};

use self::array::{Array, Kind};
use super::dataset::Targets;
use super::error::DataError;
use super::files;
use super::keys::{Task, optional_classes, path, task};
use super::limits::{classes_of, labels_of, most_labels, numbered};
use super::raw::{Parts, Raw, Values};
use crate::input::{Table, shorten};

/// Paths of two arrays, and what they mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NpySpec {
    /// Inputs, N × any shape.
    pub inputs: String,
    /// Labels, N or N × 1; or real targets, N or N × outputs.
    pub targets: String,
    /// Whether the targets are labels.
    pub task: Task,
    /// The number of classes; left out: one more than the largest label, every class having an example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<u64>,
}

impl NpySpec {
    pub(super) fn read(table: &Table<'_>) -> Option<Self> {
        let inputs = path(table, "inputs", "the array of inputs", "inputs.npy");
        let targets = path(table, "targets", "the array of labels or targets", "labels.npy");
        let task = task(table);
        let classes = if task == Some(Task::Regression) {
            table.refuse("classes", "found `classes` beside task = \"regression\", which has none; remove it");
            Some(None)
        } else {
            optional_classes(table)
        };
        Some(Self { inputs: inputs?, targets: targets?, task: task?, classes: classes? })
    }

    pub(super) fn load(&self, folder: &Path) -> Result<Parts, DataError> {
        let array = |key, path| {
            let bytes = files::read(folder, path, key)?;
            Array::parse(bytes).map_err(|message| DataError::in_file(key, path, message))
        };
        let inputs = array("inputs", &self.inputs)?;
        let wrong_inputs = |message: String| DataError::in_file("inputs", &self.inputs, message);
        let (count, shape) = match inputs.shape[..] {
            [count] => (count, vec![1]),
            [count, ref shape @ ..] => (count, shape.to_vec()),
            [] => (0, Vec::new()),
        };
        if count == 0 || inputs.len() == 0 {
            return Err(wrong_inputs(format!(
                "has shape {:?}; at least one example of at least one number is needed; save another array",
                inputs.shape
            )));
        }
        let targets = array("targets", &self.targets)?;
        let targets =
            self.targets(targets, count).map_err(|message| DataError::in_file("targets", &self.targets, message))?;
        let values = match inputs.kind {
            Kind::Byte => Values::Bytes(inputs.into_bytes()),
            _ => Values::Numbers(inputs.numbers().map_err(wrong_inputs)?),
        };
        Ok(Raw { values, shape, targets, feature_names: Vec::new() }.into())
    }

    fn targets(&self, array: Array, examples: usize) -> Result<Targets, String> {
        let outputs = match array.shape[..] {
            [_] => 1,
            [_, outputs] if outputs == 1 || (outputs > 1 && self.task == Task::Regression) => outputs,
            _ => {
                let allowed = if self.task == Task::Regression {
                    "N targets, or N × outputs"
                } else {
                    "one label for each example"
                };
                return Err(format!("has shape {:?}; {allowed} are needed; save such an array", array.shape));
            }
        };
        if array.shape[0] != examples {
            let (found, inputs) = (array.shape[0], shorten(&self.inputs));
            return Err(format!(
                "has {found} targets for the {examples} examples of \"{inputs}\"; there must be one for each; name arrays that \
                 belong together"
            ));
        }
        if self.task == Task::Regression {
            return Ok(Targets::Values { values: array.numbers()?, outputs });
        }
        let Some(integers) = array.integers() else {
            return Err(format!(
                "has dtype {}; labels are integers; save it with .astype('int64'), or give task = \"regression\"",
                array.kind.name()
            ));
        };
        let (most, why) = most_labels(self.classes);
        let labels = labels_of(integers, most, why)?;
        let classes = classes_of(&labels, self.classes)?;
        Ok(Targets::Labels { labels, class_names: numbered(classes) })
    }
}
