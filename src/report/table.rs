//! Aligned tables and wrapped paragraphs for a terminal.

/// The widest line that is written.
pub(super) const WIDTH: usize = 100;

/// How many cells of a terminal a text takes: combining marks (R̂) take none.
pub(super) fn cells(text: &str) -> usize {
    text.chars().filter(|c| !('\u{300}'..='\u{36f}').contains(c)).count()
}

/// A table of texts; the first row is the head. The first column is aligned left, numbers by their right end.
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
    left: Vec<usize>,
}

impl Table {
    /// With its head; `left` names the columns aligned left.
    pub(super) fn new<T: Into<String>>(head: impl IntoIterator<Item = T>, left: &[usize]) -> Self {
        Table { rows: vec![head.into_iter().map(Into::into).collect()], left: left.to_vec() }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, fields: Vec<String>) {
        self.rows.push(fields);
    }

    /// Leaves out the columns that have nothing but dashes below their head.
    pub(super) fn without_empty_columns(mut self) -> Self {
        let columns = self.rows.first().map_or(0, Vec::len);
        for column in (0..columns).rev() {
            let empty = self.rows.iter().skip(1).all(|row| row.get(column).is_none_or(|f| f.is_empty() || f == "–"));
            if empty && self.rows.len() > 1 {
                for row in &mut self.rows {
                    row.remove(column);
                }
                self.left.retain(|left| *left != column);
                self.left.iter_mut().filter(|left| **left > column).for_each(|left| *left -= 1);
            }
        }
        self
    }

    /// One line per row, indented by two; no trailing blanks.
    pub(super) fn lines(&self) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|column| self.rows.iter().filter_map(|row| row.get(column)).map(|f| cells(f)).max().unwrap_or(0))
            .collect();
        let line = |row: &Vec<String>| {
            let mut line = String::new();
            for (column, field) in row.iter().enumerate() {
                line.push_str("  ");
                let padding = " ".repeat(widths[column] - cells(field));
                if self.left.contains(&column) {
                    line += &(field.clone() + &padding)
                } else {
                    line += &(padding + field)
                }
            }
            line.trim_end().to_owned()
        };
        self.rows.iter().map(line).collect()
    }

    /// The widest line.
    pub(super) fn width(&self) -> usize {
        self.lines().iter().map(|line| cells(line)).max().unwrap_or(0)
    }
}

/// A paragraph broken at blanks (not at no-break ones), every line indented; words longer than a line are cut.
pub(super) fn wrap(text: &str, indent: usize) -> Vec<String> {
    let room = WIDTH - indent;
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() && c != '\u{a0}').filter(|word| !word.is_empty()) {
        let mut word = word.to_owned();
        if !line.is_empty() && cells(&line) + 1 + cells(&word) > room {
            lines.push(std::mem::take(&mut line));
        }
        while cells(&word) > room {
            let head: String = word.chars().take(room).collect();
            word = word.chars().skip(room).collect();
            lines.push(head);
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line += &word;
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines.into_iter().map(|line| format!("{}{line}", " ".repeat(indent))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_empty_ones_go() {
        let mut table = Table::new(["a", "p", "nothing"], &[0]);
        table.row(vec!["R̂".into(), "1.5".into(), "–".into()]);
        table.row(vec!["long".into(), "10.5".into(), "–".into()]);
        assert_eq!(table.without_empty_columns().lines(), ["  a        p", "  R̂      1.5", "  long  10.5"]);
    }

    #[test]
    fn no_line_is_too_long() {
        let text = format!("{} {}", "word ".repeat(60), "x".repeat(250));
        assert!(wrap(&text, 4).iter().all(|line| cells(line) <= WIDTH));
    }
}
