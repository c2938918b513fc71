//! `data.kind = "idx"`: images and labels as MNIST and Fashion-MNIST have them, gzipped or not.
//!
//! An IDX file (Y. LeCun, C. Cortes and C. Burges, <http://yann.lecun.com/exdb/mnist>) is two zero bytes, a byte for the type of
//! its values, a byte for the number of its dimensions, their sizes as big-endian 32-bit numbers, and the values. Only
//! unsigned bytes are read, which is what all published sets hold.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::dataset::Targets;
use super::error::DataError;
use super::files;
use super::keys::{optional_classes, optional_path, path};
use super::limits::{classes_of, labels_of, most_labels, numbered};
use super::raw::{Parts, Raw, Values};
use crate::input::{Table, shorten};

/// Paths of IDX files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdxSpec {
    /// Images, N × rows × columns.
    pub images: String,
    /// Labels, N.
    pub labels: String,
    /// Images that are only tested on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_images: Option<String>,
    /// Their labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_labels: Option<String>,
    /// The number of classes; left out: one more than the largest label, every class having an example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<u64>,
}

/// The values of a file and their sizes.
pub(super) struct Idx {
    /// At least one.
    sizes: Vec<usize>,
    /// As many as the product of the sizes.
    values: Vec<u8>,
}

impl IdxSpec {
    pub(super) fn read(table: &Table<'_>) -> Option<Self> {
        let images = path(table, "images", "the file of images", "train-images-idx3-ubyte.gz");
        let labels = path(table, "labels", "the file of labels", "train-labels-idx1-ubyte.gz");
        let test_images = optional_path(table, "test_images", "the file of test images", "t10k-images-idx3-ubyte.gz");
        let test_labels = optional_path(table, "test_labels", "the file of test labels", "t10k-labels-idx1-ubyte.gz");
        let classes = optional_classes(table);
        let (test_images, test_labels) = (test_images?, test_labels?);
        if test_images.is_some() != test_labels.is_some() {
            let (given, other) =
                if test_images.is_some() { ("test_images", "test_labels") } else { ("test_labels", "test_images") };
            table.problem(
                given,
                format!("found `{given}` alone; it needs `{other}` beside it; add the other, or remove it"),
            );
            return None;
        }
        Some(Self { images: images?, labels: labels?, test_images, test_labels, classes: classes? })
    }

    pub(super) fn load(&self, folder: &Path) -> Result<Parts, DataError> {
        let most = most_labels(self.classes);
        let examples = Part::read(folder, ("images", &self.images), ("labels", &self.labels), most)?;
        let classes = classes_of(&examples.labels, self.classes)
            .map_err(|message| DataError::in_file("labels", &self.labels, message))?;
        let test = match (&self.test_images, &self.test_labels) {
            (Some(images), Some(labels)) => {
                let most = if self.classes.is_some() { most } else { (classes, "as in the file of labels") };
                let test = Part::read(folder, ("test_images", images), ("test_labels", labels), most)?;
                if test.shape != examples.shape {
                    let message = format!(
                        "has images of {:?} where \"{}\" has {:?}; both must be of one shape; name files that belong together",
                        test.shape,
                        shorten(&self.images),
                        examples.shape
                    );
                    return Err(DataError::in_file("test_images", images, message));
                }
                Some(test)
            }
            _ => None,
        };
        let class_names = numbered(classes);
        let test = test.map(|test| test.with_classes(class_names.clone()));
        Ok(Parts { examples: examples.with_classes(class_names), test })
    }
}

/// Images and their labels.
struct Part {
    shape: Vec<usize>,
    images: Vec<u8>,
    labels: Vec<u32>,
}

impl Part {
    /// Reads the two files, given as key and path; labels must be below the first of `most_labels`, for the reason it gives.
    fn read(
        folder: &Path,
        images: (&str, &str),
        labels: (&str, &str),
        most_labels: (usize, &str),
    ) -> Result<Self, DataError> {
        let parse = |(key, path)| {
            let bytes = files::read(folder, path, key)?;
            Idx::parse(bytes).map_err(|message| DataError::in_file(key, path, message))
        };
        let (of_images, of_labels) = (parse(images)?, parse(labels)?);
        Self::pair(of_images, of_labels, most_labels).map_err(|(wrong, message)| {
            let (key, path) = if wrong == Wrong::Images { images } else { labels };
            DataError::in_file(key, path, message)
        })
    }

    fn pair(images: Idx, labels: Idx, (most, why): (usize, &str)) -> Result<Self, (Wrong, String)> {
        let (count, shape) = match images.sizes.split_first() {
            Some((count, shape)) if !shape.is_empty() => (*count, shape.to_vec()),
            _ => {
                let message = "has one dimension, as a file of labels; images have two or more (examples, rows, columns); are the \
                               two files swapped?";
                return Err((Wrong::Images, message.to_owned()));
            }
        };
        if labels.sizes.len() != 1 {
            let message = format!(
                "has {} dimensions, as a file of images; labels have one; are the two files swapped?",
                labels.sizes.len()
            );
            return Err((Wrong::Labels, message));
        }
        if labels.values.len() != count {
            let found = labels.values.len();
            let message = format!(
                "has {found} labels for {count} images; there must be one for each; name files that belong together"
            );
            return Err((Wrong::Labels, message));
        }
        if count == 0 || images.values.is_empty() {
            let message =
                format!("has {count} images of {shape:?} values; at least one of at least one value is needed");
            return Err((Wrong::Images, format!("{message}; name another file")));
        }
        let labels = labels_of(labels.values.iter().map(|&label| i64::from(label)), most, why);
        Ok(Self { shape, images: images.values, labels: labels.map_err(|message| (Wrong::Labels, message))? })
    }

    fn with_classes(self, class_names: Vec<String>) -> Raw {
        Raw {
            values: Values::Bytes(self.images),
            shape: self.shape,
            targets: Targets::Labels { labels: self.labels, class_names },
            feature_names: Vec::new(),
        }
    }
}

/// Which of the two files is wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Images,
    Labels,
}

impl Idx {
    /// Reads the content of a file; never panics, and allocates nothing by what the header says.
    pub(super) fn parse(mut bytes: Vec<u8>) -> Result<Self, String> {
        let Some((&[zero, also_zero, kind, dimensions], rest)) = bytes.split_first_chunk::<4>() else {
            let found = bytes.len();
            return Err(format!("has {found} bytes, less than the header of an IDX file; fetch or write it again"));
        };
        if (zero, also_zero) != (0, 0) || dimensions == 0 {
            return Err(format!(
                "is no IDX file: it begins with {zero:02X} {also_zero:02X} {kind:02X} {dimensions:02X}, images with 00 00 08 03 and \
                 labels with 00 00 08 01; name such a file, gzipped or not"
            ));
        }
        if kind != 0x08 {
            return Err(format!(
                "has values of type 0x{kind:02X}; of IDX files only unsigned bytes (0x08) are read; save it as .npy and take kind \
                 \"npy\""
            ));
        }
        let header = 4 + 4 * usize::from(dimensions);
        let Some(sizes) = rest.get(..header - 4) else {
            return Err(format!("ends within its header, after {} bytes; fetch or write it again", bytes.len()));
        };
        let sizes: Vec<usize> =
            sizes.as_chunks::<4>().0.iter().map(|size| u32::from_be_bytes(*size) as usize).collect();
        let promised = sizes.iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
        let found = bytes.len() - header;
        if promised != Some(found) {
            let promised = promised.map_or("far more".to_owned(), |promised| promised.to_string());
            return Err(format!(
                "has {found} bytes after its header, which says {} = {promised}; it is cut short or damaged; fetch or write it again",
                sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ")
            ));
        }
        bytes.drain(..header);
        Ok(Self { sizes, values: bytes })
    }
}

/// Images and labels that are part of the program.
pub(super) fn embedded(images: &[u8], labels: &[u8]) -> Result<Raw, String> {
    let parse = |zipped| Idx::parse(files::unzip(zipped)?);
    let part = Part::pair(parse(images)?, parse(labels)?, most_labels(None)).map_err(|(_, message)| message)?;
    let classes = classes_of(&part.labels, None)?;
    Ok(part.with_classes(numbered(classes)))
}
