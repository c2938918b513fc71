//! Changes with β: the points, and the theory's curves.

use std::path::Path;

use super::table::{Reader, Table};
use super::{Tables, same_length};
use crate::findings::ScalingFigure;
use crate::report::ReportError;

const POINTS: &str = "scaling-points.csv";
const CURVES: &str = "scaling-curves.csv";

pub(super) fn tables(figure: &ScalingFigure) -> Result<Tables, ReportError> {
    let mut points = Table::new(&["quantity", "beta", "change", "low", "high"]);
    let mut curves = Table::new(&["quantity", "beta", "predicted_change"]);
    for (index, quantity) in figure.quantities.iter().enumerate() {
        let columns = [&figure.measured, &figure.low, &figure.high];
        for column in columns {
            same_length("scaling", "quantities", column.len(), figure.quantities.len())?;
            same_length("scaling", "changes", column[index].len(), figure.beta.len())?;
        }
        for (point, beta) in figure.beta.iter().enumerate() {
            let [change, low, high] = columns.map(|column| column[index][point]);
            points.mixed(&[quantity], &[*beta, change, low, high], &[]);
        }
        same_length("scaling", "curves", figure.predicted.len(), figure.quantities.len())?;
        same_length("scaling", "a curve", figure.predicted[index].len(), figure.at.len())?;
        for (at, change) in figure.at.iter().zip(&figure.predicted[index]) {
            curves.mixed(&[quantity], &[*at, *change], &[]);
        }
    }
    Ok(vec![(POINTS, points), (CURVES, curves)])
}

pub(super) fn read(folder: &Path) -> Result<Option<ScalingFigure>, ReportError> {
    if !folder.join(POINTS).exists() {
        return Ok(None);
    }
    let mut figure = ScalingFigure {
        quantities: Vec::new(),
        beta: Vec::new(),
        measured: Vec::new(),
        low: Vec::new(),
        high: Vec::new(),
        at: Vec::new(),
        predicted: Vec::new(),
    };
    for row in Reader::open(&folder.join(POINTS), 5)?.rows() {
        let quantity = row.text(0);
        if figure.quantities.last() != Some(&quantity) {
            figure.quantities.push(quantity);
            for column in [&mut figure.measured, &mut figure.low, &mut figure.high, &mut figure.predicted] {
                column.push(Vec::new());
            }
        }
        if figure.quantities.len() == 1 {
            figure.beta.push(row.number(1)?);
        }
        for (column, index) in [(&mut figure.measured, 2), (&mut figure.low, 3), (&mut figure.high, 4)] {
            if let Some(last) = column.last_mut() {
                last.push(row.number(index)?);
            }
        }
    }
    for row in Reader::open(&folder.join(CURVES), 3)?.rows() {
        let quantity = row.text(0);
        if figure.quantities.first() == Some(&quantity) {
            figure.at.push(row.number(1)?);
        }
        if let Some(index) = figure.quantities.iter().position(|name| *name == quantity) {
            figure.predicted[index].push(row.number(2)?);
        }
    }
    Ok(Some(figure))
}
