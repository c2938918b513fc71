//! Differences between distribution functions on a line.

use std::path::Path;

use super::table::{Reader, Table};
use super::{Tables, same_length};
use crate::findings::DistributionFigure;
use crate::report::ReportError;

const FILE: &str = "distribution.csv";
const COLUMNS: [&str; 6] = [
    "measured_minus_tested",
    "standard_error",
    "laplace_minus_tested",
    "gibbs_minus_tested",
    "ito_minus_tested",
    "discrete_minus_tested",
];

pub(super) fn tables(figure: &DistributionFigure) -> Result<Tables, ReportError> {
    let points = figure.theta.len();
    same_length("distribution", "the measured difference", figure.measured.len(), points)?;
    same_length("distribution", "the standard error", figure.standard_error.len(), points)?;
    let others = [&figure.laplace, &figure.gibbs, &figure.ito, &figure.discrete];
    for other in others.iter().filter(|other| !other.is_empty()) {
        same_length("distribution", "a predicted difference", other.len(), points)?;
    }
    let mut columns = vec![figure.variable.as_str()];
    columns.extend(COLUMNS);
    let mut table = Table::new(&columns);
    for i in 0..points {
        let other = others.map(|other| other.get(i).copied().unwrap_or(f64::NAN));
        table.numbers(&[&[figure.theta[i], figure.measured[i], figure.standard_error[i]], other.as_slice()].concat());
    }
    Ok(vec![(FILE, table)])
}

pub(super) fn read(folder: &Path) -> Result<Option<DistributionFigure>, ReportError> {
    if !folder.join(FILE).exists() {
        return Ok(None);
    }
    let reader = Reader::open(&folder.join(FILE), 1 + COLUMNS.len())?;
    let mut columns: [Vec<f64>; 7] = Default::default();
    for row in reader.rows() {
        for (index, column) in columns.iter_mut().enumerate() {
            column.push(row.number(index)?);
        }
    }
    let [theta, measured, standard_error, mut laplace, mut gibbs, mut ito, mut discrete] = columns;
    for curve in [&mut laplace, &mut gibbs, &mut ito, &mut discrete] {
        if curve.iter().all(|value| value.is_nan()) {
            curve.clear();
        }
    }
    Ok(Some(DistributionFigure {
        variable: reader.column(0),
        theta,
        measured,
        standard_error,
        laplace,
        gibbs,
        ito,
        discrete,
    }))
}
