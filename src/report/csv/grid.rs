//! Cells of the plane as lines of a table: the edges of a cell along both coordinates come first, and cells come row by row,
//! the first coordinate running fastest.

use super::table::{Reader, Row};
use crate::report::ReportError;

/// Columns that the edges take.
pub(super) const COLUMNS: usize = 4;

/// The names of the columns.
pub(super) fn names(variables: &[String; 2]) -> [String; COLUMNS] {
    let [x, y] = variables;
    [format!("{x}_low"), format!("{x}_high"), format!("{y}_low"), format!("{y}_high")]
}

/// The edges of every cell, in their order.
pub(super) fn cells(edges: &[Vec<f64>; 2]) -> impl Iterator<Item = [f64; COLUMNS]> {
    let [x, y] = edges;
    y.windows(2).flat_map(move |rows| x.windows(2).map(move |columns| [columns[0], columns[1], rows[0], rows[1]]))
}

/// The names of the coordinates, read back.
pub(super) fn variables(reader: &Reader) -> [String; 2] {
    [0, 2].map(|column| reader.column(column).trim_end_matches("_low").to_owned())
}

/// The edges along both coordinates, read back from all lines.
pub(super) fn edges<'a>(rows: impl Iterator<Item = Row<'a>>) -> Result<[Vec<f64>; 2], ReportError> {
    let mut edges = [Vec::new(), Vec::new()];
    let mut first_row = None;
    let mut last = [None, None];
    for row in rows {
        let low = [row.number(0)?, row.number(2)?];
        // The first row gives the columns, each row's first cell gives the rows.
        if *first_row.get_or_insert(low[1]) == low[1] {
            edges[0].push(low[0]);
        }
        if edges[0].first() == Some(&low[0]) {
            edges[1].push(low[1]);
        }
        last = [Some(row.number(1)?), Some(row.number(3)?)];
    }
    for (edges, last) in edges.iter_mut().zip(last) {
        edges.extend(last);
    }
    Ok(edges)
}
