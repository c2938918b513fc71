//! Eigenvalues of H and of C: one row per place, matrix and index.

use std::path::Path;

use super::Tables;
use super::table::{Reader, Table};
use crate::findings::{EigenvaluePanel, EigenvaluesFigure};
use crate::report::ReportError;

const FILE: &str = "eigenvalues.csv";
const MATRICES: [&str; 2] = ["H", "C"];

pub(super) fn tables(figure: &EigenvaluesFigure) -> Result<Tables, ReportError> {
    let mut table = Table::new(&["place", "matrix", "index", "eigenvalue", "residual"]);
    for panel in &figure.panels {
        for (matrix, pairs) in MATRICES.into_iter().zip([&panel.hessian, &panel.noise]) {
            for (index, [value, residual]) in pairs.iter().enumerate() {
                table.mixed(&[&panel.place, matrix], &[(index + 1) as f64, *value, *residual], &[]);
            }
        }
    }
    Ok(vec![(FILE, table)])
}

pub(super) fn read(folder: &Path) -> Result<Option<EigenvaluesFigure>, ReportError> {
    if !folder.join(FILE).exists() {
        return Ok(None);
    }
    let mut figure = EigenvaluesFigure { panels: Vec::new() };
    for row in Reader::open(&folder.join(FILE), 5)?.rows() {
        let place = row.text(0);
        if figure.panels.last().is_none_or(|panel| panel.place != place) {
            figure.panels.push(EigenvaluePanel { place, hessian: Vec::new(), noise: Vec::new() });
        }
        let Some(panel) = figure.panels.last_mut() else { continue };
        let pairs = if row.text(1) == MATRICES[0] { &mut panel.hessian } else { &mut panel.noise };
        pairs.push([row.number(3)?, row.number(4)?]);
    }
    Ok(Some(figure))
}
