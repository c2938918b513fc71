//! The data behind the figures as tidy CSV, and back: the first line names the columns, one observation per line. One
//! file per figure, with `tables` (to CSV) and `read` (back; `None` where the figure has no files).

mod density;
mod map;
mod mixing;
pub(super) mod study;
mod table;

use std::fs;
use std::path::{Path, PathBuf};

use super::ReportError;
use crate::findings::FigureData;
use table::Table;

pub(super) use table::Table as CsvTable;

/// File names and what they hold.
type Tables = Vec<(&'static str, Table)>;

/// Writes what the figures are drawn from into `folder`, which exists; returns the files.
pub fn save_figures(folder: &Path, figures: &FigureData) -> Result<Vec<PathBuf>, ReportError> {
    // A study's points are a table of their own, beside the figures.
    let FigureData { density, map, mixing, study: _ } = figures;
    let tables =
        [density.as_ref().map(density::tables), map.as_ref().map(map::tables), mixing.as_ref().map(mixing::tables)];
    let mut files = Vec::new();
    for tables in tables.into_iter().flatten() {
        for (name, table) in tables? {
            let path = folder.join(name);
            super::write::write_synced(&path, table.into_text().as_bytes())?;
            files.push(path);
        }
    }
    Ok(files)
}

/// Reads back what [`save_figures`] wrote; a figure without files is `None`.
pub fn load_figures(folder: &Path) -> Result<FigureData, ReportError> {
    let (density, map) = (density::read(folder)?, map::read(folder)?);
    Ok(FigureData { density, map, mixing: mixing::read(folder)?, study: None })
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
