//! Data sets: what networks are trained and tested on.
//!
//! A [`DataSpec`] is the table `[data]` of a scenario. [`DataSpec::load`] makes a [`Data`] of it: a training part and, where
//! asked for, a test part, each a [`Dataset`] of inputs (N × p, double precision) and labels or real targets.
//!
//! | kind | examples | keys of its own |
//! |---|---|---|
//! | `digits` | 1,797 digits of 8×8, values 0 to 16, part of the program | |
//! | `idx` | IDX files such as MNIST and Fashion-MNIST, gzipped or not; values 0 to 255 | `images`, `labels`, `test_images`, `test_labels`, `classes` |
//! | `cifar10` | CIFAR-10's binary version, 3×32×32; values 0 to 255 | `files`, `test_files` |
//! | `npy` | two NumPy arrays: u8, i32, i64, f32 or f64, little-endian, C order | `inputs`, `targets`, `task`, `classes` |
//! | `csv` | a table of text | `path`, `target` (name, or place from 0), `task`, `header`, `delimiter` |
//! | `gaussian-mixture` | normal clouds of variance 1 | `classes`, `dimension`, `separation` |
//! | `two-moons` | two half circles of radius 1 | `noise` |
//! | `teacher-student` | normal inputs, and what a random tanh network says of them | `dimension`, `width`, `task`, `classes`, `noise` |
//!
//! Keys of all kinds: `examples` and `subset` ("random" or "first"), `test_fraction` or `test_examples`, `standardize` ("none",
//! "features" or "global"), `random_labels` (0 to 1), `random_inputs`, `seed`; `only_classes` (names, in the order of their new labels), and
//! for images `pool` (means of so many by so many pixels). Random choices are stratified: every class has its
//! share of what is taken and of what is set aside.
//!
//! All of it is a pure function of files, description and seed, the same to the last bit on every machine.
//!
//! ```
//! use std::path::Path;
//! use sgd_sde::data::{DataKind, DataSpec, Standardize};
//!
//! let mut spec = DataSpec::new(DataKind::Digits);
//! spec.test_fraction = Some(0.2);
//! spec.standardize = Standardize::Global;
//! spec.random_labels = 0.5;
//! let data = spec.load(1, Path::new("."))?;
//! assert_eq!((data.training.len(), data.training.features()), (1438, 64));
//! assert_eq!(data.test.expect("a fifth was set aside").len(), 359);
//! assert_eq!(data.corruption.expect("half of the labels are random").examples.len(), 719);
//! # Ok::<(), sgd_sde::data::DataError>(())
//! ```

mod cifar10;
mod corrupt;
mod csv;
mod dataset;
mod digits;
mod draws;
mod error;
mod files;
mod gaussian_mixture;
mod idx;
mod keys;
mod limits;
mod load;
mod npy;
mod raw;
mod reduce;
mod spec;
mod split;
mod standardize;
mod teacher_student;
mod two_moons;

pub use cifar10::Cifar10Spec;
pub use corrupt::Corruption;
pub use csv::{Column, CsvSpec};
pub use dataset::{Dataset, Targets};
pub use error::DataError;
pub use gaussian_mixture::GaussianMixtureSpec;
pub use idx::IdxSpec;
pub use keys::Task;
pub use load::Data;
pub use npy::NpySpec;
pub use spec::{DataKind, DataSpec, Subset};
pub use standardize::{Standardization, Standardize};
pub use teacher_student::{Teacher, TeacherStudentSpec};
pub use two_moons::TwoMoonsSpec;
