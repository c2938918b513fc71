//! Learning curves: one row per group, quantity and look.

use std::path::Path;

use super::table::{Reader, Table};
use super::{Tables, same_length};
use crate::findings::{CurveGroup, CurvePoint, CurvesFigure};
use crate::report::ReportError;

const CURVES: &str = "curves.csv";
const COLUMNS: [&str; 10] =
    ["group", "quantity", "epoch", "mean", "deviation", "difference", "low", "high", "left_out", "pairs_left_out"];

pub(super) fn tables(figure: &CurvesFigure) -> Result<Tables, ReportError> {
    let mut table = Table::new(&COLUMNS);
    for group in &figure.groups {
        same_length("curves", "curves", group.curves.len(), figure.quantities.len())?;
        for (quantity, curve) in figure.quantities.iter().zip(&group.curves) {
            for point in curve {
                let CurvePoint { epoch, mean, deviation, difference, low, high, left_out, pairs_left_out } = *point;
                let counts = [left_out, pairs_left_out].map(|count| count.to_string());
                let numbers = [epoch, mean, deviation, difference, low, high];
                table.mixed(&[&group.name, quantity], &numbers, &counts.each_ref().map(String::as_str));
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
    let file = folder.join(CURVES);
    // Tables of earlier versions do not count what is left out.
    let (reader, counts) = match Reader::open_any(&file)? {
        earlier if earlier.columns().len() == COLUMNS.len() - 2 => (earlier, false),
        _ => (Reader::open(&file, COLUMNS.len())?, true),
    };
    for row in reader.rows() {
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
            left_out: if counts { row.whole(8)? } else { 0 },
            pairs_left_out: if counts { row.whole(9)? } else { 0 },
        });
    }
    Ok(Some(figure))
}
