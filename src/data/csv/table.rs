//! The fields of a table, and what they mean.

use std::collections::BTreeMap;

use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};

use super::Column;
use crate::data::dataset::Targets;
use crate::data::keys::Task;
use crate::data::limits::{MOST_CLASSES, MOST_NUMBERS, check_number};
use crate::data::raw::{Raw, Values};
use crate::input::{nearest, shorten};

/// A table of which only the number of columns has been looked at.
pub(super) struct Columns<'b> {
    reader: Reader<&'b [u8]>,
    /// Empty where the table has no header.
    names: Vec<String>,
    count: usize,
}

impl<'b> Columns<'b> {
    /// Reads the header; never panics.
    pub fn parse(bytes: &'b [u8], header: bool, delimiter: char) -> Result<Self, String> {
        let delimiter = u8::try_from(delimiter).map_err(|_| "the delimiter must be an ASCII character".to_owned())?;
        let mut reader = ReaderBuilder::new().has_headers(header).delimiter(delimiter).from_reader(bytes);
        // Without a header this is the first line, which is read again as an example.
        let first = reader.headers().map_err(|error| told(&error))?.clone();
        let count = first.len();
        if count < 2 {
            return Err(format!(
                "has {count} column(s); a column of inputs and one of labels are needed; is the delimiter another than '{}'?",
                char::from(delimiter)
            ));
        }
        let names: Vec<String> =
            if header { first.iter().map(|name| name.trim().to_owned()).collect() } else { Vec::new() };
        // Two columns of one name are two measurements of which only one can be meant, or a header that is none.
        for (place, name) in names.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
            if let Some(earlier) = names[..place].iter().position(|known| known == name) {
                return Err(format!(
                    "columns {earlier} and {place} (from 0) both have the name \"{}\"; rename or remove one of them, or give header = false \
                     where the first line is an example",
                    shorten(name)
                ));
            }
        }
        if let Some(number) = example_among(&names) {
            return Err(format!(
                "has the number {} where the names of the columns are expected; give header = false if the first line is an example, or rename the \
                 column",
                shorten(number)
            ));
        }
        Ok(Self { reader, names, count })
    }

    /// The place of a column.
    pub fn find(&self, column: &Column) -> Result<usize, String> {
        match column {
            Column::Index(index) => match usize::try_from(*index) {
                Ok(place) if place < self.count => Ok(place),
                _ => {
                    Err(format!("found column {index}; the file has columns 0 to {}; give one of them", self.count - 1))
                }
            },
            Column::Name(name) => {
                let place = self.names.iter().position(|known| known == name.trim() && !known.is_empty());
                place.ok_or_else(|| self.unknown(name))
            }
        }
    }

    fn unknown(&self, name: &str) -> String {
        let names = self.names.iter().map(String::as_str);
        let meant = nearest(name, names.clone()).map(|meant| format!("; did you mean \"{}\"?", shorten(meant)));
        format!(
            "found no column \"{}\"{}; its columns are {}; name one of them",
            shorten(name),
            meant.unwrap_or_default(),
            shorten(&names.collect::<Vec<_>>().join(", "))
        )
    }

    /// Reads all lines: column `target` as labels or targets, the others as inputs.
    pub fn split(mut self, target: usize, task: Task) -> Result<Raw, String> {
        let mut inputs = Vec::new();
        let mut answers = Answers::new(task);
        let mut record = StringRecord::new();
        while self.reader.read_record(&mut record).map_err(|error| told(&error))? {
            let line = record.position().map_or(0, csv::Position::line);
            for (place, field) in record.iter().enumerate() {
                let place_told = || format!("line {line}, {}", self.shown(place));
                if field.contains('\n') {
                    return Err(format!(
                        "{}: goes on over several lines; is a quote not closed? correct it",
                        place_told()
                    ));
                }
                if place == target {
                    answers.push(field.trim(), place_told)?;
                } else {
                    inputs.push(number(field.trim(), place_told)?);
                }
            }
            if inputs.len() > MOST_NUMBERS {
                return Err(format!(
                    "has more than {MOST_NUMBERS} numbers, the most that is read; make a smaller file of it"
                ));
            }
        }
        let targets = answers.targets();
        if targets.is_empty() {
            return Err("has no examples; a line for each is needed below the names of the columns".to_owned());
        }
        if let Targets::Labels { class_names, .. } = &targets
            && let [only] = class_names.as_slice()
        {
            return Err(format!(
                "all {} examples have the label \"{}\"; with one class there is nothing to learn: is `target` the column that is meant, or do \
                 you mean task = \"regression\"?",
                targets.len(),
                shorten(only)
            ));
        }
        if !self.names.is_empty() {
            self.names.remove(target);
        }
        Ok(Raw { values: Values::Numbers(inputs), shape: vec![self.count - 1], targets, feature_names: self.names })
    }

    fn shown(&self, place: usize) -> String {
        match self.names.get(place) {
            Some(name) => format!("column \"{}\"", shorten(name)),
            None => format!("column {place} (from 0)"),
        }
    }
}

/// What was read of the column of targets.
enum Answers {
    Labels {
        /// Names in the order of their first appearance.
        names: Vec<String>,
        numbers: BTreeMap<String, u32>,
        labels: Vec<u32>,
    },
    Values(Vec<f64>),
}

impl Answers {
    fn new(task: Task) -> Self {
        match task {
            Task::Classification => Self::Labels { names: Vec::new(), numbers: BTreeMap::new(), labels: Vec::new() },
            Task::Regression => Self::Values(Vec::new()),
        }
    }

    fn push(&mut self, field: &str, place: impl Fn() -> String) -> Result<(), String> {
        let (names, numbers, labels) = match self {
            Self::Values(values) => {
                values.push(number(field, place)?);
                return Ok(());
            }
            Self::Labels { names, numbers, labels } => (names, numbers, labels),
        };
        if let Some(&label) = numbers.get(field) {
            labels.push(label);
            return Ok(());
        }
        if field.is_empty() {
            return Err(format!("{}: the label is missing; add it, or remove the line", place()));
        }
        if field.parse::<f64>().is_ok_and(|value| value.fract() != 0.0) {
            return Err(format!(
                "{}: found {}; labels are names or whole numbers; for real targets give task = \"regression\"",
                place(),
                shorten(field)
            ));
        }
        if names.len() == MOST_CLASSES {
            return Err(format!(
                "{}: has more than {MOST_CLASSES} different labels; is `target` the column that is meant, or do you mean task = \
                 \"regression\"?",
                place()
            ));
        }
        let label = names.len() as u32;
        names.push(field.to_owned());
        numbers.insert(field.to_owned(), label);
        labels.push(label);
        Ok(())
    }

    /// Classes are numbered in the order of their names, as numbers where all are whole numbers.
    fn targets(self) -> Targets {
        let (names, mut labels) = match self {
            Self::Values(values) => return Targets::Values { values, outputs: 1 },
            Self::Labels { names, labels, .. } => (names, labels),
        };
        let whole: Option<Vec<i64>> = names.iter().map(|name| name.parse().ok()).collect();
        let mut order: Vec<usize> = (0..names.len()).collect();
        // The name decides between 1 and 01, which are two classes.
        order.sort_by_key(|&class| (whole.as_ref().map(|whole| whole[class]), &names[class]));
        let mut renumbered = vec![0; names.len()];
        for (new, &old) in order.iter().enumerate() {
            renumbered[old] = new as u32;
        }
        labels.iter_mut().for_each(|label| *label = renumbered[*label as usize]);
        Targets::Labels { labels, class_names: order.iter().map(|&class| names[class].clone()).collect() }
    }
}

/// A number of the first line, if that can be no line of names: one with a fraction, or several that are not 0, 1, 2, …, which
/// tables without names of their own are given.
fn example_among(names: &[String]) -> Option<&str> {
    let numbers = || names.iter().filter(|name| name.parse::<f64>().is_ok());
    let counted = |(place, name): (usize, &String)| name.parse() == Ok(place);
    let is_example = numbers().any(|name| name.parse::<i64>().is_err())
        || (numbers().count() >= 2 && numbers().count() + 1 >= names.len() && !numbers().enumerate().all(counted));
    numbers().next().filter(|_| is_example).map(String::as_str)
}

/// The number of a field.
fn number(field: &str, place: impl Fn() -> String) -> Result<f64, String> {
    if field.is_empty() {
        return Err(format!("{}: the number is missing; add it, or remove the line", place()));
    }
    let Ok(number) = field.parse::<f64>() else {
        let shown = shorten(field);
        return Err(format!("{}: found \"{shown}\", which is no number; write numbers such as 0.5 or 5e-1", place()));
    };
    check_number(number).map_err(|fault| format!("{}: the number is {fault}; correct it, or remove the line", place()))
}

/// What the reader of the format says, in words of ours.
fn told(error: &csv::Error) -> String {
    let line = error.position().map_or(0, csv::Position::line);
    match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => format!(
            "line {line} has {len} fields where the first line has {expected_len}; all must have as many; correct the line"
        ),
        ErrorKind::Utf8 { .. } => {
            format!("line {line} is not UTF-8; is it a table of text? save it with encoding UTF-8")
        }
        _ => format!("cannot be read as a table: {}; write it again", shorten(&error.to_string())),
    }
}
