//! Measured and predicted density over the plane.

use std::path::Path;

use super::table::{Reader, Table};
use super::{Tables, same_length};
use crate::findings::CellsFigure;
use crate::report::ReportError;

const FILE: &str = "cells.csv";

pub(super) fn tables(figure: &CellsFigure) -> Result<Tables, ReportError> {
    let [columns, rows] = [0, 1].map(|axis: usize| figure.edges[axis].len().saturating_sub(1));
    for (what, values) in [
        ("the density", &figure.measured),
        ("the standard error", &figure.standard_error),
        ("the prediction", &figure.predicted),
    ] {
        same_length("cells", what, values.len(), columns * rows)?;
    }
    let names: Vec<String> =
        figure.variables.iter().flat_map(|name| [format!("{name}_low"), format!("{name}_high")]).collect();
    let mut table = Table::new(&[&names[0], &names[1], &names[2], &names[3], "density", "standard_error", "predicted"]);
    for row in 0..rows {
        for column in 0..columns {
            let cell = row * columns + column;
            table.numbers(&[
                figure.edges[0][column],
                figure.edges[0][column + 1],
                figure.edges[1][row],
                figure.edges[1][row + 1],
                figure.measured[cell],
                figure.standard_error[cell],
                figure.predicted[cell],
            ]);
        }
    }
    Ok(vec![(FILE, table)])
}

pub(super) fn read(folder: &Path) -> Result<Option<CellsFigure>, ReportError> {
    if !folder.join(FILE).exists() {
        return Ok(None);
    }
    let reader = Reader::open(&folder.join(FILE), 7)?;
    let name = |column: usize| reader.column(column).trim_end_matches("_low").to_owned();
    let mut figure = CellsFigure {
        variables: [name(0), name(2)],
        edges: [Vec::new(), Vec::new()],
        measured: Vec::new(),
        standard_error: Vec::new(),
        predicted: Vec::new(),
    };
    let mut first_row = None;
    let mut last = [None, None];
    for row in reader.rows() {
        let low = [row.number(0)?, row.number(2)?];
        // Cells come row by row: the first row gives the columns, each row's first cell gives the rows.
        if *first_row.get_or_insert(low[1]) == low[1] {
            figure.edges[0].push(low[0]);
        }
        if figure.edges[0].first() == Some(&low[0]) {
            figure.edges[1].push(low[1]);
        }
        last = [Some(row.number(1)?), Some(row.number(3)?)];
        figure.measured.push(row.number(4)?);
        figure.standard_error.push(row.number(5)?);
        figure.predicted.push(row.number(6)?);
    }
    for (edges, last) in figure.edges.iter_mut().zip(last) {
        edges.extend(last);
    }
    Ok(Some(figure))
}
