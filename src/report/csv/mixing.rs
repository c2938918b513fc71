//! Running occupancies by start.

use std::path::Path;

use super::table::{Reader, Table};
use super::{Tables, same_length};
use crate::findings::{MixingFigure, MixingSeries};
use crate::report::ReportError;

const MIXING: &str = "mixing.csv";

pub(super) fn tables(figure: &MixingFigure) -> Result<Tables, ReportError> {
    Ok(vec![(MIXING, mixing_series(figure)?)])
}

fn mixing_series(figure: &MixingFigure) -> Result<Table, ReportError> {
    let mut table = Table::new(&["start", "minimum", "time", "occupancy", "standard_error"]);
    for series in &figure.series {
        same_length("mixing", "a series", series.value.len(), figure.time.len())?;
        same_length("mixing", "its standard error", series.standard_error.len(), figure.time.len())?;
        for (index, time) in figure.time.iter().enumerate() {
            let numbers = [*time, series.value[index], series.standard_error[index]];
            table.mixed(&[&series.start, &series.minimum], &numbers, &[]);
        }
    }
    Ok(table)
}

pub(super) fn read(folder: &Path) -> Result<Option<MixingFigure>, ReportError> {
    if !folder.join(MIXING).exists() {
        return Ok(None);
    }
    let mut figure = MixingFigure { time: Vec::new(), series: Vec::new() };
    for row in Reader::open(&folder.join(MIXING), 5)?.rows() {
        let (start, minimum) = (row.text(0), row.text(1));
        let fresh = figure.series.last().is_none_or(|last| last.start != start || last.minimum != minimum);
        if fresh {
            figure.series.push(MixingSeries { start, minimum, value: Vec::new(), standard_error: Vec::new() });
        }
        if figure.series.len() == 1 {
            figure.time.push(row.number(2)?);
        }
        if let Some(series) = figure.series.last_mut() {
            series.value.push(row.number(3)?);
            series.standard_error.push(row.number(4)?);
        }
    }
    Ok(Some(figure))
}
