//! |E f(SGD) − E f(SDE)| against η: the errors, and the fitted lines.

use std::path::Path;

use super::table::{Reader, Table};
use super::{Tables, same_length};
use crate::findings::{WeakErrorCurve, WeakErrorFigure, WeakErrorMark};
use crate::report::ReportError;

const ERRORS: &str = "weak-error-errors.csv";
const LINES: &str = "weak-error-lines.csv";

pub(super) fn tables(figure: &WeakErrorFigure) -> Result<Tables, ReportError> {
    let mut errors =
        Table::new(&["observable", "order", "learning_rate", "error", "low", "high", "integrator", "exact"]);
    for mark in &figure.marks {
        let numbers = [mark.learning_rate, mark.error, mark.low, mark.high, mark.integrator, mark.exact];
        errors.mixed(&[&mark.observable, &mark.order.to_string()], &numbers, &[]);
    }
    let mut lines = Table::new(&["observable", "order", "learning_rate", "value", "low", "high"]);
    for curve in &figure.curves {
        for (what, column) in [("a line", &curve.value), ("its low", &curve.low), ("its high", &curve.high)] {
            same_length("weak-error", what, column.len(), curve.learning_rate.len())?;
        }
        for (index, rate) in curve.learning_rate.iter().enumerate() {
            let numbers = [*rate, curve.value[index], curve.low[index], curve.high[index]];
            lines.mixed(&[&curve.observable, &curve.order.to_string()], &numbers, &[]);
        }
    }
    Ok(vec![(ERRORS, errors), (LINES, lines)])
}

pub(super) fn read(folder: &Path) -> Result<Option<WeakErrorFigure>, ReportError> {
    if !folder.join(ERRORS).exists() {
        return Ok(None);
    }
    let mut figure = WeakErrorFigure::default();
    for row in Reader::open(&folder.join(ERRORS), 8)?.rows() {
        figure.marks.push(WeakErrorMark {
            observable: row.text(0),
            order: row.number(1)? as u8,
            learning_rate: row.number(2)?,
            error: row.number(3)?,
            low: row.number(4)?,
            high: row.number(5)?,
            integrator: row.number(6)?,
            exact: row.number(7)?,
        });
    }
    for row in Reader::open(&folder.join(LINES), 6)?.rows() {
        let (observable, order) = (row.text(0), row.number(1)? as u8);
        if figure.curves.last().is_none_or(|curve| curve.observable != observable || curve.order != order) {
            let empty = Vec::new;
            let (learning_rate, value, low, high) = (empty(), empty(), empty(), empty());
            figure.curves.push(WeakErrorCurve { observable, order, learning_rate, value, low, high });
        }
        if let Some(curve) = figure.curves.last_mut() {
            curve.learning_rate.push(row.number(2)?);
            curve.value.push(row.number(3)?);
            curve.low.push(row.number(4)?);
            curve.high.push(row.number(5)?);
        }
    }
    Ok(Some(figure))
}
