//! `data.kind = "digits"`: 1,797 handwritten digits of 8×8 values from 0 to 16, part of the program.
//!
//! The test part of *Optical Recognition of Handwritten Digits* (E. Alpaydin and C. Kaynak 1998, UCI Machine Learning
//! Repository, <https://doi.org/10.24432/C50P49>, CC BY 4.0), as in scikit-learn and smartcore; `digits/README.md` has the origin.
//! They are embedded as the two gzipped IDX files that they are, 44 kB, and read as any others: the crate smartcore would bring
//! 48,000 lines and eight more crates (typetag, num, …) for these bytes.

use super::error::DataError;
use super::idx;
use super::raw::{Parts, Raw};

pub(super) fn load() -> Result<Parts, DataError> {
    let (images, labels) = (include_bytes!("digits/images.idx.gz"), include_bytes!("digits/labels.idx.gz"));
    let raw: Result<Raw, String> = idx::embedded(images, labels);
    // Cannot fail: a test reads them.
    raw.map(Parts::from).map_err(|message| DataError::new("kind", message))
}
