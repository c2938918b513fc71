//! The data behind the figures as tidy CSV, and back: the first line names the columns, one observation per line. One
//! file per figure, with `tables` (to CSV) and `read` (back; `None` where the figure has no files).

mod cells;
mod chord;
mod crossover;
mod curves;
mod density;
mod distribution;
mod eigenvalues;
mod grid;
mod log_ratio;
mod map;
mod mixing;
mod noise_ladder;
mod quantiles;
mod scaling;
pub(super) mod study;
mod table;
mod weak_error;
mod width;

use std::fs;
use std::path::{Path, PathBuf};

use super::ReportError;
use crate::findings::FigureData;
use table::Table;

pub(super) use table::Table as CsvTable;

/// File names and what they hold.
type Tables = Vec<(&'static str, Table)>;

/// What the figures are drawn from, file by file.
fn all(figures: &FigureData) -> Result<Tables, ReportError> {
    // A study's points are a table of their own, beside the figures.
    let FigureData {
        density,
        map,
        mixing,
        crossover,
        scaling,
        noise_ladder,
        distribution,
        cells,
        log_ratio,
        curves,
        weak_error,
        width,
        chord,
        quantiles,
        eigenvalues,
        study: _,
    } = figures;
    let tables = [
        density.as_ref().map(density::tables),
        map.as_ref().map(map::tables),
        mixing.as_ref().map(mixing::tables),
        crossover.as_ref().map(crossover::tables),
        scaling.as_ref().map(scaling::tables),
        noise_ladder.as_ref().map(noise_ladder::tables),
        distribution.as_ref().map(distribution::tables),
        cells.as_ref().map(cells::tables),
        log_ratio.as_ref().map(log_ratio::tables),
        curves.as_ref().map(curves::tables),
        weak_error.as_ref().map(weak_error::tables),
        width.as_ref().map(width::tables),
        chord.as_ref().map(chord::tables),
        quantiles.as_ref().map(quantiles::tables),
        eigenvalues.as_ref().map(eigenvalues::tables),
    ];
    let tables: Result<Vec<Tables>, ReportError> = tables.into_iter().flatten().collect();
    Ok(tables?.into_iter().flatten().collect())
}

/// Writes what the figures are drawn from into `folder`, which exists; returns the files.
pub fn save_figures(folder: &Path, figures: &FigureData) -> Result<Vec<PathBuf>, ReportError> {
    let mut files = Vec::new();
    for (name, table) in all(figures)? {
        let path = folder.join(name);
        super::write::write_synced(&path, table.into_text().as_bytes())?;
        files.push(path);
    }
    Ok(files)
}

/// Fails unless `figures`, read from `folder`, would be written just as they stand there: what was cut off, changed by hand or
/// mixed up is told where, and not drawn.
pub(super) fn require_unchanged(folder: &Path, figures: &FigureData) -> Result<(), ReportError> {
    for (name, table) in all(figures)? {
        let path = folder.join(name);
        let (found, expected) = (read(&path)?, table.into_text());
        if found != expected {
            let same = found.lines().zip(expected.lines()).take_while(|(a, b)| a == b).count();
            let text = found.lines().nth(same).unwrap_or("the end of the file");
            let problem =
                format!("found `{}`, which this program did not write so: the table is damaged", shorten(text));
            return Err(ReportError::Table { path, line: same + 1, problem });
        }
    }
    Ok(())
}

fn shorten(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    if short.len() < text.len() { short + "…" } else { short }
}

/// Reads back what [`save_figures`] wrote; a figure without files is `None`.
pub fn load_figures(folder: &Path) -> Result<FigureData, ReportError> {
    Ok(FigureData {
        density: density::read(folder)?,
        map: map::read(folder)?,
        mixing: mixing::read(folder)?,
        crossover: crossover::read(folder)?,
        scaling: scaling::read(folder)?,
        noise_ladder: noise_ladder::read(folder)?,
        distribution: distribution::read(folder)?,
        cells: cells::read(folder)?,
        log_ratio: log_ratio::read(folder)?,
        curves: curves::read(folder)?,
        weak_error: weak_error::read(folder)?,
        width: width::read(folder)?,
        chord: chord::read(folder)?,
        quantiles: quantiles::read(folder)?,
        eigenvalues: eigenvalues::read(folder)?,
        study: None,
    })
}

/// Fails unless `found` values are there for `expected`.
fn same_length(figure: &'static str, what: &str, found: usize, expected: usize) -> Result<(), ReportError> {
    if found == expected {
        return Ok(());
    }
    Err(ReportError::Inconsistent { figure, problem: format!("{found} values of {what} where {expected} belong") })
}

/// Reads a whole file.
fn read(path: &Path) -> Result<String, ReportError> {
    fs::read_to_string(path).map_err(ReportError::file("read", path))
}
