//! The ratio of the laws of L at two temperatures: binned points, and the lines.

use std::path::Path;

use super::table::{Reader, Table};
use super::{Tables, same_length};
use crate::findings::LogRatioFigure;
use crate::report::ReportError;

const POINTS: &str = "log-ratio-measured.csv";
const LINES: &str = "log-ratio-lines.csv";

pub(super) fn tables(figure: &LogRatioFigure) -> Result<Tables, ReportError> {
    let (points, places) = (figure.loss.len(), figure.line.len());
    same_length("log-ratio", "the measured ratio", figure.measured.len(), points)?;
    same_length("log-ratio", "the standard error", figure.standard_error.len(), points)?;
    for (what, values) in [
        ("the fitted line", &figure.fitted),
        ("the error of the fitted line", &figure.fitted_standard_error),
        ("the predicted line", &figure.predicted),
    ] {
        same_length("log-ratio", what, values.len(), places)?;
    }
    let mut measured = Table::new(&["loss", "log_ratio", "standard_error"]);
    for i in 0..points {
        measured.numbers(&[figure.loss[i], figure.measured[i], figure.standard_error[i]]);
    }
    let mut lines = Table::new(&["loss", "fitted", "standard_error", "predicted"]);
    for i in 0..places {
        lines.numbers(&[figure.line[i], figure.fitted[i], figure.fitted_standard_error[i], figure.predicted[i]]);
    }
    Ok(vec![(POINTS, measured), (LINES, lines)])
}

pub(super) fn read(folder: &Path) -> Result<Option<LogRatioFigure>, ReportError> {
    if !folder.join(POINTS).exists() {
        return Ok(None);
    }
    let mut points: [Vec<f64>; 3] = Default::default();
    for row in Reader::open(&folder.join(POINTS), 3)?.rows() {
        for (index, column) in points.iter_mut().enumerate() {
            column.push(row.number(index)?);
        }
    }
    let mut lines: [Vec<f64>; 4] = Default::default();
    for row in Reader::open(&folder.join(LINES), 4)?.rows() {
        for (index, column) in lines.iter_mut().enumerate() {
            column.push(row.number(index)?);
        }
    }
    let [loss, measured, standard_error] = points;
    let [line, fitted, fitted_standard_error, predicted] = lines;
    Ok(Some(LogRatioFigure { loss, measured, standard_error, line, fitted, fitted_standard_error, predicted }))
}
