//! Keys that several kinds of data have.

use serde::{Deserialize, Serialize};

use super::limits::MOST_CLASSES;
use crate::input::{Integer, Table};

/// What is to be learned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// To which of several classes an example belongs.
    #[default]
    Classification,
    /// Real targets.
    Regression,
}

/// `task`, by default classification.
pub(super) fn task(table: &Table<'_>) -> Option<Task> {
    let names = [("classification", Task::Classification), ("regression", Task::Regression)];
    Some(table.optional_choice("task", "what is to be learned", &names, &[])?.unwrap_or_default())
}

/// The path of a file, which must be given.
pub(super) fn path(table: &Table<'_>, key: &str, what: &str, example: &str) -> Option<String> {
    let path = table.text(key, what, example)?;
    checked_path(table, key, path, what, example)
}

/// The path of a file, or `Some(None)` where it was left out.
pub(super) fn optional_path(table: &Table<'_>, key: &str, what: &str, example: &str) -> Option<Option<String>> {
    match table.optional_text(key, what, example)? {
        Some(path) => checked_path(table, key, path, what, example).map(Some),
        None => Some(None),
    }
}

/// A path that an operating system can look for.
pub(super) fn checked_path(table: &Table<'_>, key: &str, path: String, what: &str, example: &str) -> Option<String> {
    if path.trim().is_empty() || path.contains('\0') {
        let found = if path.contains('\0') { "a text with a zero character" } else { "an empty text" };
        table.problem(key, format!("found {found}; {what} is needed; give its path, for example \"{example}\""));
        return None;
    }
    Some(path)
}

/// `classes`, or `Some(None)` where it was left out.
pub(super) fn optional_classes(table: &Table<'_>) -> Option<Option<u64>> {
    table.optional_integer("classes", &CLASSES)
}

/// The number of classes.
pub(super) const CLASSES: Integer =
    Integer { what: "the number of classes", example: "10", range: 1..=MOST_CLASSES as u64, reason: "" };

/// The number of features of what a generator makes.
pub(super) const DIMENSION: Integer = Integer {
    what: "p, the number of features of an example,",
    example: "2",
    range: 1..=100_000,
    reason: "more would show nothing new",
};
