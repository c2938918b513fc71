//! Measured and predicted density over the plane.

use std::path::Path;

use super::table::{Reader, Table};
use super::{Tables, grid, same_length};
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
    let names = grid::names(&figure.variables);
    let mut table = Table::new(&[&names[0], &names[1], &names[2], &names[3], "density", "standard_error", "predicted"]);
    for (cell, edges) in grid::cells(&figure.edges).enumerate() {
        let numbers = [figure.measured[cell], figure.standard_error[cell], figure.predicted[cell]];
        table.numbers(&[edges.as_slice(), &numbers].concat());
    }
    Ok(vec![(FILE, table)])
}

pub(super) fn read(folder: &Path) -> Result<Option<CellsFigure>, ReportError> {
    if !folder.join(FILE).exists() {
        return Ok(None);
    }
    let reader = Reader::open(&folder.join(FILE), grid::COLUMNS + 3)?;
    let mut figure = CellsFigure {
        variables: grid::variables(&reader),
        edges: grid::edges(reader.rows())?,
        measured: Vec::new(),
        standard_error: Vec::new(),
        predicted: Vec::new(),
    };
    for row in reader.rows() {
        figure.measured.push(row.number(grid::COLUMNS)?);
        figure.standard_error.push(row.number(grid::COLUMNS + 1)?);
        figure.predicted.push(row.number(grid::COLUMNS + 2)?);
    }
    Ok(Some(figure))
}
