//! The measured and the predicted density on a line.

use std::path::Path;

use super::table::{Reader, Table};
use super::{Tables, same_length};
use crate::findings::DensityFigure;
use crate::report::ReportError;

const MEASURED: &str = "density-measured.csv";
const PREDICTED: &str = "density-predicted.csv";

pub(super) fn tables(figure: &DensityFigure) -> Result<Tables, ReportError> {
    Ok(vec![(MEASURED, density_measured(figure)?), (PREDICTED, density_predicted(figure)?)])
}

fn density_measured(figure: &DensityFigure) -> Result<Table, ReportError> {
    let bins = figure.measured.len();
    same_length("density", "the edges", figure.edges.len(), bins + 1)?;
    same_length("density", "the standard error", figure.standard_error.len(), bins)?;
    let mut table = Table::new(&["low", "high", "density", "standard_error"]);
    for bin in 0..bins {
        table.numbers(&[figure.edges[bin], figure.edges[bin + 1], figure.measured[bin], figure.standard_error[bin]]);
    }
    Ok(table)
}

fn density_predicted(figure: &DensityFigure) -> Result<Table, ReportError> {
    let points = figure.theta.len();
    same_length("density", "the loss", figure.loss.len(), points)?;
    let curves =
        [("the Gibbs curve", &figure.gibbs), ("the Itô curve", &figure.ito), ("the discrete curve", &figure.discrete)];
    for (what, curve) in curves {
        if !curve.is_empty() {
            same_length("density", what, curve.len(), points)?;
        }
    }
    let mut table = Table::new(&[figure.variable.as_str(), "loss", "gibbs", "ito", "discrete"]);
    let at = |curve: &[f64], index: usize| curve.get(index).copied().unwrap_or(f64::NAN);
    for i in 0..points {
        let [gibbs, ito, discrete] = [&figure.gibbs, &figure.ito, &figure.discrete].map(|curve| at(curve, i));
        table.numbers(&[figure.theta[i], figure.loss[i], gibbs, ito, discrete]);
    }
    Ok(table)
}

pub(super) fn read(folder: &Path) -> Result<Option<DensityFigure>, ReportError> {
    if !folder.join(MEASURED).exists() {
        return Ok(None);
    }
    let mut figure = DensityFigure {
        variable: String::new(),
        edges: Vec::new(),
        measured: Vec::new(),
        standard_error: Vec::new(),
        theta: Vec::new(),
        loss: Vec::new(),
        gibbs: Vec::new(),
        ito: Vec::new(),
        discrete: Vec::new(),
    };
    let mut last = None;
    for row in Reader::open(&folder.join(MEASURED), 4)?.rows() {
        figure.edges.push(row.number(0)?);
        last = Some(row.number(1)?);
        figure.measured.push(row.number(2)?);
        figure.standard_error.push(row.number(3)?);
    }
    figure.edges.extend(last);
    let predicted = Reader::open(&folder.join(PREDICTED), 5)?;
    figure.variable = predicted.column(0);
    for row in predicted.rows() {
        figure.theta.push(row.number(0)?);
        figure.loss.push(row.number(1)?);
        figure.gibbs.push(row.number(2)?);
        figure.ito.push(row.number(3)?);
        figure.discrete.push(row.number(4)?);
    }
    for curve in [&mut figure.gibbs, &mut figure.ito, &mut figure.discrete] {
        if curve.iter().all(|value| value.is_nan()) {
            curve.clear();
        }
    }
    Ok(Some(figure))
}
