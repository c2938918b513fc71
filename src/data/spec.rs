//! The table `[data]` of a scenario: the register of kinds.
//!
//! To add a kind, write its file with a `read` and a `load` (of files) or `generate` function, then add it to [`DataKind`], its
//! `load` and to `KINDS`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::cifar10::Cifar10Spec;
use super::csv::CsvSpec;
use super::digits;
use super::error::DataError;
use super::gaussian_mixture::GaussianMixtureSpec;
use super::idx::IdxSpec;
use super::limits::MOST_NUMBERS;
use super::npy::NpySpec;
use super::raw::Parts;
use super::standardize::Standardize;
use super::teacher_student::TeacherStudentSpec;
use super::two_moons::TwoMoonsSpec;
use crate::input::{Integer, Number, Table};

/// A data set as a scenario describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataSpec {
    /// Where the examples come from.
    #[serde(flatten)]
    pub kind: DataKind,
    /// How many examples are taken, before any are set aside; left out: all. A generator makes so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub examples: Option<u64>,
    /// Which ones; left out: random ones. Generators have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subset: Option<Subset>,
    /// The classes that are taken, by their names, which become 0, 1, … in this order; left out: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_classes: Option<Vec<String>>,
    /// Images of fewer pixels: each the mean of so many by so many; left out: as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<u64>,
    /// The fraction of the examples that is set aside for testing, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_fraction: Option<f64>,
    /// The number of examples that is set aside, instead of a fraction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_examples: Option<u64>,
    /// What is brought to mean 0 and variance 1.
    #[serde(default)]
    pub standardize: Standardize,
    /// The fraction of the training examples that get a random label.
    #[serde(default)]
    pub random_labels: f64,
    /// Whether the training inputs are replaced by normal ones of the same mean and covariance.
    #[serde(default)]
    pub random_inputs: bool,
    /// Of all randomness of the data; left out: the scenario's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// The kinds of data, one file each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum DataKind {
    /// Handwritten digits of 8×8 pixels, part of the program.
    Digits,
    /// Files such as those of MNIST.
    Idx(IdxSpec),
    /// Files of CIFAR-10.
    Cifar10(Cifar10Spec),
    /// Arrays of NumPy.
    Npy(NpySpec),
    /// A table of text.
    Csv(CsvSpec),
    /// Normal clouds.
    GaussianMixture(GaussianMixtureSpec),
    /// Two half circles.
    TwoMoons(TwoMoonsSpec),
    /// What a random network says of random inputs.
    TeacherStudent(TeacherStudentSpec),
}

/// Which examples are taken where not all are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subset {
    /// Random ones, of each class its share.
    Random,
    /// The first of the file.
    First,
}

type Reader = fn(&Table<'_>) -> Option<DataKind>;

const KINDS: [(&str, Reader); 8] = [
    ("digits", |_| Some(DataKind::Digits)),
    ("idx", |table| IdxSpec::read(table).map(DataKind::Idx)),
    ("cifar10", |table| Cifar10Spec::read(table).map(DataKind::Cifar10)),
    ("npy", |table| NpySpec::read(table).map(DataKind::Npy)),
    ("csv", |table| CsvSpec::read(table).map(DataKind::Csv)),
    ("gaussian-mixture", |table| GaussianMixtureSpec::read(table).map(DataKind::GaussianMixture)),
    ("two-moons", |table| TwoMoonsSpec::read(table).map(DataKind::TwoMoons)),
    ("teacher-student", |table| TeacherStudentSpec::read(table).map(DataKind::TeacherStudent)),
];

/// How many examples a generator makes when the scenario does not say.
const GENERATED: u64 = 1_000;

impl DataKind {
    /// The examples of a folder, or `examples` made ones.
    pub(super) fn load(&self, folder: &Path, examples: Option<u64>, seed: u64) -> Result<Parts, DataError> {
        let count = examples.unwrap_or(GENERATED);
        if let Some(p) = self.generated_features()
            && count.saturating_mul(p) > MOST_NUMBERS as u64
        {
            return Err(DataError::new("examples", too_many(count, p)));
        }
        let count = count as usize;
        match self {
            Self::Digits => digits::load(),
            Self::Idx(spec) => spec.load(folder),
            Self::Cifar10(spec) => spec.load(folder),
            Self::Npy(spec) => spec.load(folder),
            Self::Csv(spec) => spec.load(folder),
            Self::GaussianMixture(spec) => Ok(spec.generate(count, seed).into()),
            Self::TwoMoons(spec) => Ok(spec.generate(count, seed).into()),
            Self::TeacherStudent(spec) => Ok(spec.generate(count, seed).into()),
        }
    }

    /// p, of what is made and not read.
    fn generated_features(&self) -> Option<u64> {
        match self {
            Self::Digits | Self::Idx(_) | Self::Cifar10(_) | Self::Npy(_) | Self::Csv(_) => None,
            Self::GaussianMixture(spec) => Some(spec.dimension),
            Self::TwoMoons(_) => Some(2),
            Self::TeacherStudent(spec) => Some(spec.dimension),
        }
    }

    /// Whether the makers of the set gave examples to test on.
    fn has_test(&self) -> bool {
        match self {
            Self::Idx(spec) => spec.test_images.is_some(),
            Self::Cifar10(spec) => !spec.test_files.is_empty(),
            _ => false,
        }
    }
}

impl DataSpec {
    /// All examples of a kind, as they are: nothing set aside, standardised or corrupted.
    pub fn new(kind: DataKind) -> Self {
        let examples = kind.generated_features().map(|_| GENERATED);
        Self {
            kind,
            examples,
            subset: None,
            only_classes: None,
            pool: None,
            test_fraction: None,
            test_examples: None,
            standardize: Standardize::None,
            random_labels: 0.0,
            random_inputs: false,
            seed: None,
        }
    }

    /// Reads the table `[data]`; `None` where something is wrong, which has been told.
    pub fn read(table: &Table<'_>) -> Option<Self> {
        let read = table.choice("kind", "the kind of data", &KINDS, &[])?;
        let kind = read(table);
        let generated = kind.as_ref().and_then(DataKind::generated_features);
        let examples = read_examples(table, generated);
        let subset = read_subset(table, generated.is_some());
        let only_classes = read_classes(table);
        let pool = Integer {
            what: "the side of the square of pixels whose mean is taken",
            example: "4",
            range: 1..=1000,
            reason: "it must divide the sides of an image",
        };
        let pool = table.optional_integer("pool", &pool);
        let test = read_test(table, kind.as_ref().is_some_and(DataKind::has_test));
        let ways = [("none", Standardize::None), ("features", Standardize::Features), ("global", Standardize::Global)];
        let standardize = table.optional_choice("standardize", "what is brought to mean 0 and variance 1", &ways, &[]);
        let random_labels = fraction("the fraction of training examples with random labels", "0.5");
        let random_labels = table.number_or("random_labels", &random_labels, 0.0);
        let random_inputs = table.boolean_or(
            "random_inputs",
            "whether inputs are replaced by normal ones of equal mean and covariance",
            false,
        );
        let seed = Integer {
            what: "the seed of the data",
            example: "1",
            range: 0..=i64::MAX as u64,
            reason: "TOML's integers end at 2^63 − 1",
        };
        let seed = table.optional_integer("seed", &seed);
        table.finish();
        let (test_fraction, test_examples) = test?;
        Some(Self {
            kind: kind?,
            examples: examples?,
            subset: subset?,
            only_classes: only_classes?,
            pool: pool?,
            test_fraction,
            test_examples,
            standardize: standardize?.unwrap_or_default(),
            random_labels: random_labels?,
            random_inputs: random_inputs?,
            seed: seed?,
        })
    }
}

const fn fraction(what: &'static str, example: &'static str) -> Number {
    Number { what, example, low: 0.0, high: 1.0 }
}

/// `examples`; of a generator, which has `features`, with its default.
fn read_examples(table: &Table<'_>, features: Option<u64>) -> Option<Option<u64>> {
    let examples = Integer {
        what: "the number of examples that are taken",
        example: "1000",
        range: 1..=MOST_NUMBERS as u64,
        reason: "more would not fit into memory",
    };
    let examples = table.optional_integer("examples", &examples)?;
    let Some(p) = features else { return Some(examples) };
    let count = examples.unwrap_or(GENERATED);
    if count.saturating_mul(p) > MOST_NUMBERS as u64 {
        table.problem("examples", too_many(count, p));
        return None;
    }
    Some(Some(count))
}

fn too_many(examples: u64, features: u64) -> String {
    format!(
        "{examples} examples of {features} features are {} numbers; at most {MOST_NUMBERS} are allowed; take at most {} examples",
        examples.saturating_mul(features),
        MOST_NUMBERS as u64 / features.max(1)
    )
}

/// `only_classes`: two names at least, none of them twice.
fn read_classes(table: &Table<'_>) -> Option<Option<Vec<String>>> {
    const KEY: &str = "only_classes";
    if !table.has(KEY) {
        return Some(None);
    }
    let classes = table.texts(KEY, "the classes that are taken, by their names,", "[\"3\", \"8\"]")?;
    let twice = classes.iter().enumerate().find(|(index, name)| classes[..*index].contains(name));
    if let Some((_, name)) = twice {
        table.problem(KEY, format!("found \"{name}\" twice; each class is given once; remove one"));
        return None;
    }
    if classes.len() < 2 {
        let found = classes.len();
        table.problem(
            KEY,
            format!("found {found} class(es); there is nothing to tell apart with fewer than 2; give at least 2"),
        );
        return None;
    }
    Some(Some(classes))
}

fn read_subset(table: &Table<'_>, generated: bool) -> Option<Option<Subset>> {
    if generated {
        let message = "found `subset` beside a generator, which makes as many examples as are asked for; remove it";
        table.refuse("subset", message);
        return Some(None);
    }
    let ways = [("random", Subset::Random), ("first", Subset::First)];
    table.optional_choice("subset", "which examples are taken", &ways, &[])
}

/// `test_fraction` and `test_examples`, of which at most one may be given, and none beside examples that the makers of the set
/// gave to test on.
fn read_test(table: &Table<'_>, given: bool) -> Option<(Option<f64>, Option<u64>)> {
    let test_fraction = fraction("the fraction of examples that is set aside for testing", "0.2");
    let test_fraction = table.optional_number("test_fraction", &test_fraction);
    let test_examples = Integer {
        what: "the number of examples that is set aside for testing",
        example: "300",
        range: 0..=MOST_NUMBERS as u64,
        reason: "",
    };
    let test_examples = table.optional_integer("test_examples", &test_examples);
    let (fraction, examples) = (test_fraction?, test_examples?);
    let wrong = match (fraction, examples) {
        (Some(_), Some(_)) => {
            Some(("test_examples", "beside `test_fraction`; one of the two says it; remove the other"))
        }
        (Some(_), None) if given => Some(("test_fraction", "beside files to test on; give either")),
        (None, Some(_)) if given => Some(("test_examples", "beside files to test on; give either")),
        _ => None,
    };
    if let Some((key, message)) = wrong {
        table.problem(key, format!("found `{key}` {message}"));
        return None;
    }
    Some((fraction, examples))
}
