//! What a data set may have at most, so that a mistaken file is refused instead of filling the memory.

use crate::input::LARGEST;

/// The largest file, and the largest content of a gzipped one, in bytes.
pub(super) const LARGEST_FILE: usize = 1 << 30;

/// The most numbers (examples × features) of a data set: 2 GiB in double precision. CIFAR-10 has 1.5·10⁸.
pub(super) const MOST_NUMBERS: usize = 1 << 28;

/// The most classes.
pub(super) const MOST_CLASSES: usize = 10_000;

/// The number, or what is wrong with it and what to do.
pub(super) fn check_number(number: f64) -> Result<f64, String> {
    if number.is_nan() {
        Err("NaN, which is not a number".to_owned())
    } else if number.is_infinite() {
        Err("infinite".to_owned())
    } else if number.abs() > LARGEST {
        // Its square would overflow.
        Err(format!("{number:e}, more than the {LARGEST:e} that is allowed"))
    } else {
        Ok(number)
    }
}

/// Names of classes that have none: their numbers.
pub(super) fn numbered(classes: usize) -> Vec<String> {
    (0..classes).map(|class| class.to_string()).collect()
}

/// Whole numbers as labels, which must be below `most`; `why` tells the reason.
///
/// # Errors
/// Of the first label that is out of range, where it is.
pub(super) fn labels_of(labels: impl Iterator<Item = i64>, most: usize, why: &str) -> Result<Vec<u32>, String> {
    labels
        .enumerate()
        .map(|(example, label)| match u32::try_from(label) {
            Ok(number) if (number as usize) < most => Ok(number),
            _ => Err(format!(
                "example {example} (from 0) has label {label}; labels from 0 to {} are allowed ({why}); correct the labels",
                most - 1
            )),
        })
        .collect()
}

/// How many classes a file may have at most, and why.
pub(super) fn most_labels(classes: Option<u64>) -> (usize, &'static str) {
    classes.map_or((MOST_CLASSES, "more classes are not read"), |classes| (classes as usize, "as `classes` says"))
}

/// The number of classes of some labels: as given, or one more than the largest.
///
/// # Errors
/// When none is given and a class below the largest has no example: a single damaged label would make hundreds of classes.
pub(super) fn classes_of(labels: &[u32], classes: Option<u64>) -> Result<usize, String> {
    if let Some(classes) = classes {
        return Ok(classes as usize);
    }
    let mut present = vec![false; labels.iter().max().map_or(1, |&largest| largest as usize + 1)];
    labels.iter().for_each(|&label| present[label as usize] = true);
    let Some(missing) = present.iter().position(|present| !present) else { return Ok(present.len()) };
    let beyond = labels.iter().enumerate().find(|(_, label)| **label as usize > missing);
    let (example, label) = beyond.map_or((0, 0), |(example, &label)| (example, label));
    Err(format!(
        "example {example} (from 0) has label {label}, but none has label {missing}; labels count from 0 and every class has an example; \
         correct the labels, or give classes = {} if classes without examples are meant",
        present.len()
    ))
}
