//! Log-odds against 1/n: the points, and the curves.

use std::path::Path;

use super::table::{Reader, Table};
use super::{Tables, same_length};
use crate::findings::{CrossoverFigure, CrossoverLine};
use crate::report::ReportError;

const POINTS: &str = "crossover-points.csv";
const LINES: &str = "crossover-lines.csv";

pub(super) fn tables(figure: &CrossoverFigure) -> Result<Tables, ReportError> {
    let mut points = Table::new(&["inverse", "measured", "low", "high"]);
    for (what, column) in [("measured", &figure.measured), ("low", &figure.low), ("high", &figure.high)] {
        same_length("crossover", what, column.len(), figure.inverse.len())?;
    }
    for (index, inverse) in figure.inverse.iter().enumerate() {
        points.numbers(&[*inverse, figure.measured[index], figure.low[index], figure.high[index]]);
    }
    let mut lines = Table::new(&["line", "inverse", "value", "low", "high"]);
    for line in &figure.lines {
        for (what, column) in [("a line", &line.value), ("its low", &line.low), ("its high", &line.high)] {
            same_length("crossover", what, column.len(), figure.at.len())?;
        }
        for (index, at) in figure.at.iter().enumerate() {
            lines.mixed(&[&line.name], &[*at, line.value[index], line.low[index], line.high[index]], &[]);
        }
    }
    Ok(vec![(POINTS, points), (LINES, lines)])
}

pub(super) fn read(folder: &Path) -> Result<Option<CrossoverFigure>, ReportError> {
    if !folder.join(POINTS).exists() {
        return Ok(None);
    }
    let empty = Vec::new;
    let mut figure = CrossoverFigure {
        inverse: empty(),
        measured: empty(),
        low: empty(),
        high: empty(),
        at: empty(),
        lines: Vec::new(),
    };
    for row in Reader::open(&folder.join(POINTS), 4)?.rows() {
        figure.inverse.push(row.number(0)?);
        figure.measured.push(row.number(1)?);
        figure.low.push(row.number(2)?);
        figure.high.push(row.number(3)?);
    }
    for row in Reader::open(&folder.join(LINES), 5)?.rows() {
        let name = row.text(0);
        if figure.lines.last().is_none_or(|line| line.name != name) {
            figure.lines.push(CrossoverLine { name, value: empty(), low: empty(), high: empty() });
        }
        if figure.lines.len() == 1 {
            figure.at.push(row.number(1)?);
        }
        if let Some(line) = figure.lines.last_mut() {
            line.value.push(row.number(2)?);
            line.low.push(row.number(3)?);
            line.high.push(row.number(4)?);
        }
    }
    Ok(Some(figure))
}
