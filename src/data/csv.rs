//! `data.kind = "csv"`: a table of numbers, one column of which is the label or target.

mod table;

use std::path::Path;

use serde::{Deserialize, Serialize};

use self::table::Columns;
use super::error::DataError;
use super::files;
use super::keys::{Task, path, task};
use super::raw::Parts;
use crate::input::{Integer, Table, shorten};

/// A path, and which column means what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CsvSpec {
    /// The file: a line per example, numbers but for the label.
    pub path: String,
    /// The column of labels or targets; all others are inputs.
    pub target: Column,
    /// Whether the targets are labels.
    pub task: Task,
    /// Whether the first line has the names of the columns.
    pub header: bool,
    /// What stands between two fields, one ASCII character.
    pub delimiter: char,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Column {
    /// By its place, from 0.
    Index(u64),
    /// By its name in the header.
    Name(String),
}

impl CsvSpec {
    pub(super) fn read(table: &Table<'_>) -> Option<Self> {
        let path = path(table, "path", "the file of the table", "iris.csv");
        let header = table.boolean_or("header", "whether the first line has the names of the columns", true);
        let task = task(table);
        let target = read_target(table, header);
        let delimiter = read_delimiter(table);
        Some(Self { path: path?, target: target?, task: task?, header: header?, delimiter: delimiter? })
    }

    pub(super) fn load(&self, folder: &Path) -> Result<Parts, DataError> {
        let bytes = files::read(folder, &self.path, "path")?;
        let columns = Columns::parse(&bytes, self.header, self.delimiter)
            .map_err(|message| DataError::in_file("path", &self.path, message))?;
        let target = columns.find(&self.target).map_err(|message| DataError::in_file("target", &self.path, message))?;
        columns
            .split(target, self.task)
            .map(Parts::from)
            .map_err(|message| DataError::in_file("path", &self.path, message))
    }
}

fn read_target(table: &Table<'_>, header: Option<bool>) -> Option<Column> {
    const WHAT: &str = "the column of labels or targets, by its name or its place from 0,";
    if !table.has("target") || table.is_text("target") {
        let name = table.text("target", WHAT, "species")?;
        if header == Some(false) {
            let message = format!(
                "found the name \"{}\", but with header = false columns have no names; give the place of the column, from 0",
                shorten(&name)
            );
            table.problem("target", message);
            return None;
        }
        return Some(Column::Name(name));
    }
    let place = Integer { what: WHAT, example: "4", range: 0..=i64::MAX as u64, reason: "" };
    table.integer("target", &place).map(Column::Index)
}

fn read_delimiter(table: &Table<'_>) -> Option<char> {
    const WHAT: &str = "what stands between two fields";
    let text = table.optional_text("delimiter", WHAT, ";")?.unwrap_or_else(|| ",".to_owned());
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) if character.is_ascii() && !matches!(character, '"' | '\n' | '\r' | '\0') => {
            Some(character)
        }
        _ => {
            let message = format!(
                "found \"{}\"; {WHAT} must be one ASCII character, neither a quotation mark nor a line break; give, for example, \";\"",
                shorten(&text)
            );
            table.problem("delimiter", message);
            None
        }
    }
}
