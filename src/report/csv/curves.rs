//! Learning curves: one row per group, quantity and look.

use std::path::Path;

use super::table::{Reader, Table};
use super::{Tables, same_length};
use crate::findings::{CurveGroup, CurvePoint, CurvesFigure};
use crate::report::ReportError;

const CURVES: &str = "curves.csv";

pub(super) fn tables(figure: &CurvesFigure) -> Result<Tables, ReportError> {
    let columns = ["group", "quantity", "epoch", "mean", "deviation", "difference", "low", "high"];
    let mut table = Table::new(&columns);
    for group in &figure.groups {
        same_length("curves", "curves", group.curves.len(), figure.quantities.len())?;
        for (quantity, curve) in figure.quantities.iter().zip(&group.curves) {
            for point in curve {
                let CurvePoint { epoch, mean, deviation, difference, low, high } = *point;
                table.mixed(&[&group.name, quantity], &[epoch, mean, deviation, difference, low, high], &[]);
            }
        }
    }
    Ok(vec![(CURVES, table)])
}

pub(super) fn read(folder: &Path) -> Result<Option<CurvesFigure>, ReportError> {
    if !folder.join(CURVES).exists() {
        return Ok(None);
    }
    let mut figure = CurvesFigure { quantities: Vec::new(), groups: Vec::new() };
    for row in Reader::open(&folder.join(CURVES), 8)?.rows() {
        let (name, quantity) = (row.text(0), row.text(1));
        if figure.groups.last().is_none_or(|group: &CurveGroup| group.name != name) {
            figure.groups.push(CurveGroup { name, curves: Vec::new() });
        }
        let index = figure.quantities.iter().position(|known| *known == quantity).unwrap_or_else(|| {
            figure.quantities.push(quantity);
            figure.quantities.len() - 1
        });
        let Some(group) = figure.groups.last_mut() else { continue };
        group.curves.resize_with(group.curves.len().max(index + 1), Vec::new);
        group.curves[index].push(CurvePoint {
            epoch: row.number(2)?,
            mean: row.number(3)?,
            deviation: row.number(4)?,
            difference: row.number(5)?,
            low: row.number(6)?,
            high: row.number(7)?,
        });
    }
    Ok(Some(figure))
}
