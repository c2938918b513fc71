//! What a network was trained and tested on.

use serde::{Deserialize, Serialize};

use crate::data::{Data, Dataset};

/// The two parts of a data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataRecord {
    /// What is learned from.
    pub training: PartRecord,
    /// What is only tested on; null where nothing was set aside.
    pub test: Option<PartRecord>,
}

/// Examples, told so far that a reader can see whether another run had the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartRecord {
    /// N.
    pub examples: u64,
    /// Numbers of an input.
    pub features: u64,
    /// How many examples each class has, in the order of the classes; null where targets are real numbers.
    pub class_counts: Option<Vec<u64>>,
    /// CRC-32 of all inputs and targets in order, eight hexadecimal digits.
    pub checksum: String,
}

impl DataRecord {
    /// Of a data set.
    pub fn of(data: &Data) -> Self {
        Self { training: PartRecord::of(&data.training), test: data.test.as_ref().map(PartRecord::of) }
    }
}

impl PartRecord {
    fn of(part: &Dataset) -> Self {
        Self {
            examples: part.len() as u64,
            features: part.features() as u64,
            class_counts: part.class_counts().map(|counts| counts.into_iter().map(|count| count as u64).collect()),
            checksum: format!("{:08x}", part.checksum()),
        }
    }
}
