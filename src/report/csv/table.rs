//! A table as text: RFC 4180 with `\n`, numbers in the shortest form that reads back to the same bits.

use std::path::{Path, PathBuf};

use super::super::ReportError;

/// A table being written.
pub(in crate::report) struct Table {
    text: String,
}

impl Table {
    /// With its first line.
    pub(in crate::report) fn new(columns: &[&str]) -> Self {
        let mut table = Table { text: String::new() };
        table.line(columns.iter().map(|name| quoted(name)));
        table
    }

    fn line(&mut self, fields: impl Iterator<Item = String>) {
        for (index, field) in fields.enumerate() {
            if index > 0 {
                self.text.push(',');
            }
            self.text.push_str(&field);
        }
        self.text.push('\n');
    }

    /// A line of numbers.
    pub(super) fn numbers(&mut self, numbers: &[f64]) {
        self.mixed(&[], numbers, &[]);
    }

    /// A line of words, numbers and words. A number that is not finite is left empty.
    pub(in crate::report) fn mixed(&mut self, before: &[&str], numbers: &[f64], after: &[&str]) {
        let number = |value: &f64| if value.is_finite() { format!("{value:?}") } else { String::new() };
        let fields = before.iter().map(|word| quoted(word));
        let fields = fields.chain(numbers.iter().map(number)).chain(after.iter().map(|word| quoted(word)));
        self.line(fields);
    }

    /// A line of fields as they stand.
    pub(super) fn fields(&mut self, fields: &[String]) {
        self.line(fields.iter().map(|field| quoted(field)));
    }

    /// The whole table.
    pub(in crate::report) fn into_text(self) -> String {
        self.text
    }
}

fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

/// A table being read.
pub(super) struct Reader {
    path: PathBuf,
    columns: Vec<String>,
    lines: Vec<Vec<String>>,
}

impl Reader {
    /// Reads a table of `width` columns.
    pub(super) fn open(path: &Path, width: usize) -> Result<Self, ReportError> {
        Self::checked(path, Some(width))
    }

    /// Reads a table of as many columns as its first line has.
    pub(super) fn open_any(path: &Path) -> Result<Self, ReportError> {
        Self::checked(path, None)
    }

    fn checked(path: &Path, width: Option<usize>) -> Result<Self, ReportError> {
        let text = super::read(path)?;
        let mut lines = text.lines().map(fields);
        let columns = lines.next().unwrap_or_default();
        let width = width.unwrap_or(columns.len());
        let reader = Reader { path: path.to_path_buf(), columns, lines: lines.collect() };
        let sizes = std::iter::once(reader.columns.len()).chain(reader.lines.iter().map(Vec::len));
        for (index, size) in sizes.enumerate() {
            if size != width {
                return Err(reader.error(index, format!("{size} fields where {width} belong")));
            }
        }
        Ok(reader)
    }

    /// The name of a column.
    pub(super) fn column(&self, index: usize) -> String {
        self.columns.get(index).cloned().unwrap_or_default()
    }

    /// The names of all columns.
    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The lines below the first.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.lines.len()).map(|index| Row { reader: self, index })
    }

    /// What is wrong with a line, counted from 0, that of the names.
    pub(super) fn error(&self, index: usize, problem: String) -> ReportError {
        ReportError::Table { path: self.path.clone(), line: index + 1, problem }
    }
}

fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut inside = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if inside && characters.peek() == Some(&'"') => {
                characters.next();
                if let Some(field) = fields.last_mut() {
                    field.push('"');
                }
            }
            '"' => inside = !inside,
            ',' if !inside => fields.push(String::new()),
            other => {
                if let Some(field) = fields.last_mut() {
                    field.push(other);
                }
            }
        }
    }
    fields
}

/// One line of a table being read.
pub(super) struct Row<'a> {
    reader: &'a Reader,
    index: usize,
}

impl Row<'_> {
    /// A field as it stands.
    pub(super) fn text(&self, column: usize) -> String {
        self.reader.lines[self.index].get(column).cloned().unwrap_or_default()
    }

    /// A number; NaN where the field is empty.
    pub(super) fn number(&self, column: usize) -> Result<f64, ReportError> {
        let text = self.text(column);
        if text.is_empty() {
            return Ok(f64::NAN);
        }
        text.parse().map_err(|_| self.wrong(column, &text, "a number"))
    }

    /// A whole number.
    pub(super) fn whole(&self, column: usize) -> Result<u64, ReportError> {
        let text = self.text(column);
        text.parse().map_err(|_| self.wrong(column, &text, "a whole number"))
    }

    /// A number, or nothing.
    pub(super) fn optional(&self, column: usize) -> Result<Option<f64>, ReportError> {
        self.number(column).map(|number| number.is_finite().then_some(number))
    }

    /// A word of a list, or nothing.
    pub(super) fn word<T: serde::de::DeserializeOwned>(&self, column: usize) -> Result<Option<T>, ReportError> {
        let text = self.text(column);
        if text.is_empty() {
            return Ok(None);
        }
        let word = serde_json::Value::String(text.clone());
        serde_json::from_value(word).map(Some).map_err(|_| self.wrong(column, &text, "a word that is known here"))
    }

    fn wrong(&self, column: usize, found: &str, allowed: &str) -> ReportError {
        let name = self.reader.column(column);
        self.reader.error(self.index + 1, format!("`{found}` in column `{name}` is not {allowed}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_fields_come_back() {
        let odd = ["a,b", "say \"x\"", "plain", ""];
        let table = Table::new(&odd);
        assert_eq!(fields(table.into_text().trim_end_matches('\n')), odd);
    }
}
