//! Laws of the noise of a batch: one row per place, batch size and value.

use std::path::Path;

use super::Tables;
use super::table::{Reader, Table};
use crate::findings::{QuantilePanel, QuantilePoint, QuantilesFigure};
use crate::report::ReportError;

const FILE: &str = "quantiles.csv";

pub(super) fn tables(figure: &QuantilesFigure) -> Result<Tables, ReportError> {
    let mut table = Table::new(&["place", "batch_size", "value", "probability", "standard_error", "predicted"]);
    for panel in &figure.panels {
        let size = panel.size.to_string();
        for point in &panel.points {
            let QuantilePoint { value, probability, standard_error, predicted } = *point;
            let predicted = predicted.unwrap_or(f64::NAN);
            table.mixed(&[&panel.place, &size], &[value, probability, standard_error, predicted], &[]);
        }
    }
    Ok(vec![(FILE, table)])
}

pub(super) fn read(folder: &Path) -> Result<Option<QuantilesFigure>, ReportError> {
    if !folder.join(FILE).exists() {
        return Ok(None);
    }
    let mut figure = QuantilesFigure { panels: Vec::new() };
    for row in Reader::open(&folder.join(FILE), 6)?.rows() {
        let (place, size) = (row.text(0), row.whole(1)?);
        if figure.panels.last().is_none_or(|panel| panel.place != place || panel.size != size) {
            figure.panels.push(QuantilePanel { place, size, points: Vec::new() });
        }
        let Some(panel) = figure.panels.last_mut() else { continue };
        panel.points.push(QuantilePoint {
            value: row.number(2)?,
            probability: row.number(3)?,
            standard_error: row.number(4)?,
            predicted: Some(row.number(5)?).filter(|predicted| predicted.is_finite()),
        });
    }
    Ok(Some(figure))
}
