//! `data.kind = "cifar10"`: colour images of 32×32 in ten classes, in the binary version of CIFAR-10 (A. Krizhevsky 2009,
//! <https://www.cs.toronto.edu/~kriz/cifar.html>).
//!
//! A file is a sequence of records of 3,073 bytes: the label, then 1,024 bytes of red, of green and of blue, each row by row.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::dataset::Targets;
use super::error::DataError;
use super::files;
use super::keys::checked_path;
use super::limits::{LARGEST_FILE, labels_of};
use super::raw::{Parts, Raw, Values};
use crate::input::Table;

/// Channels, rows and columns.
const SHAPE: [usize; 3] = [3, 32, 32];
const PIXELS: usize = SHAPE[0] * SHAPE[1] * SHAPE[2];
const CLASSES: [&str; 10] = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// Paths of files in the binary format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cifar10Spec {
    /// Files such as `data_batch_1.bin`, one after another.
    pub files: Vec<String>,
    /// Files that are only tested on, such as `test_batch.bin`; may be none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub test_files: Vec<String>,
}

impl Cifar10Spec {
    pub(super) fn read(table: &Table<'_>) -> Option<Self> {
        let files = paths(table, "files", "the files of CIFAR-10's binary version", "data_batch_1.bin");
        let test_files = if table.has("test_files") {
            paths(table, "test_files", "the files to test on", "test_batch.bin")
        } else {
            Some(Vec::new())
        };
        Some(Self { files: files?, test_files: test_files? })
    }

    pub(super) fn load(&self, folder: &Path) -> Result<Parts, DataError> {
        let examples = join(folder, "files", &self.files)?;
        let test = if self.test_files.is_empty() { None } else { Some(join(folder, "test_files", &self.test_files)?) };
        Ok(Parts { examples, test })
    }
}

fn paths(table: &Table<'_>, key: &str, what: &str, example: &str) -> Option<Vec<String>> {
    let paths = table.texts(key, what, &format!("[\"{example}\"]"))?;
    let checked: Vec<_> = paths
        .into_iter()
        .enumerate()
        .map(|(index, path)| checked_path(table, &format!("{key}[{index}]"), path, "a file", example))
        .collect();
    checked.into_iter().collect()
}

/// The records of all files of a key.
fn join(folder: &Path, key: &str, paths: &[String]) -> Result<Raw, DataError> {
    let (mut images, mut labels) = (Vec::new(), Vec::new());
    for (index, path) in paths.iter().enumerate() {
        let key = format!("{key}[{index}]");
        let bytes = files::read(folder, path, &key)?;
        let more = parse(&bytes, &mut images).map_err(|message| DataError::in_file(&key, path, message))?;
        labels.extend(more);
        if images.len() > LARGEST_FILE {
            let message = format!("with it there are more than {LARGEST_FILE} bytes of images; name fewer files");
            return Err(DataError::in_file(&key, path, message));
        }
    }
    let class_names = CLASSES.iter().map(ToString::to_string).collect();
    let targets = Targets::Labels { labels, class_names };
    Ok(Raw { values: Values::Bytes(images), shape: SHAPE.to_vec(), targets, feature_names: Vec::new() })
}

/// Appends the images of a file, and returns its labels.
fn parse(bytes: &[u8], images: &mut Vec<u8>) -> Result<Vec<u32>, String> {
    let (records, rest) = bytes.as_chunks::<{ PIXELS + 1 }>();
    if records.is_empty() || !rest.is_empty() {
        return Err(format!(
            "has {} bytes, which is no multiple of the {} of an image and its label; it is cut short, or not of CIFAR-10's binary \
             version; fetch it again",
            bytes.len(),
            PIXELS + 1
        ));
    }
    let labels = labels_of(records.iter().map(|record| i64::from(record[0])), CLASSES.len(), "CIFAR-10 has ten")
        .map_err(|message| format!("{message}; is it of CIFAR-10's binary version?"))?;
    records.iter().for_each(|record| images.extend_from_slice(&record[1..]));
    Ok(labels)
}
