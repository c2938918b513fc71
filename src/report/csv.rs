//! The data behind the figures as tidy CSV, and back: the first line names the columns, one observation per line.

use std::fs;
use std::path::{Path, PathBuf};

use crate::findings::{DensityFigure, FigureData, MapFigure, MixingFigure, MixingSeries, Path2};

use super::ReportError;
use table::{Reader, Table};

mod table;

pub(super) use table::Table as CsvTable;

const DENSITY_MEASURED: &str = "density-measured.csv";
const DENSITY_PREDICTED: &str = "density-predicted.csv";
const MAP_CELLS: &str = "map-cells.csv";
const MAP_PATHS: &str = "map-paths.csv";
const MIXING: &str = "mixing.csv";

/// Writes what the figures are drawn from into `folder`, which exists; returns the files.
pub fn save_figures(folder: &Path, figures: &FigureData) -> Result<Vec<PathBuf>, ReportError> {
    let mut tables = Vec::new();
    if let Some(density) = &figures.density {
        tables.push((DENSITY_MEASURED, density_measured(density)?));
        tables.push((DENSITY_PREDICTED, density_predicted(density)?));
    }
    if let Some(map) = &figures.map {
        tables.push((MAP_CELLS, map_cells(map)?));
        tables.push((MAP_PATHS, map_paths(map)));
    }
    if let Some(mixing) = &figures.mixing {
        tables.push((MIXING, mixing_series(mixing)?));
    }
    let mut files = Vec::new();
    for (name, table) in tables {
        let path = folder.join(name);
        super::write::write_synced(&path, table.into_text().as_bytes())?;
        files.push(path);
    }
    Ok(files)
}

/// Reads back what [`save_figures`] wrote; a figure without files is `None`.
pub fn load_figures(folder: &Path) -> Result<FigureData, ReportError> {
    let present = |name: &str| folder.join(name).exists();
    Ok(FigureData {
        density: present(DENSITY_MEASURED).then(|| read_density(folder)).transpose()?,
        map: present(MAP_CELLS).then(|| read_map(folder)).transpose()?,
        mixing: present(MIXING).then(|| read_mixing(folder)).transpose()?,
    })
}

/// Fails unless `found` values are there for `expected`.
fn same_length(figure: &'static str, what: &str, found: usize, expected: usize) -> Result<(), ReportError> {
    if found == expected {
        return Ok(());
    }
    Err(ReportError::Inconsistent { figure, problem: format!("{found} values of {what} where {expected} belong") })
}

fn density_measured(figure: &DensityFigure) -> Result<Table, ReportError> {
    let bins = figure.measured.len();
    same_length("density", "the edges", figure.edges.len(), bins + 1)?;
    same_length("density", "the standard error", figure.standard_error.len(), bins)?;
    let mut table = Table::new(&["low", "high", "density", "standard_error"]);
    for bin in 0..bins {
        table.numbers(&[figure.edges[bin], figure.edges[bin + 1], figure.measured[bin], figure.standard_error[bin]]);
    }
    Ok(table)
}

fn density_predicted(figure: &DensityFigure) -> Result<Table, ReportError> {
    let points = figure.theta.len();
    same_length("density", "the loss", figure.loss.len(), points)?;
    for (what, curve) in [("the Gibbs curve", &figure.gibbs), ("the discrete curve", &figure.discrete)] {
        if !curve.is_empty() {
            same_length("density", what, curve.len(), points)?;
        }
    }
    let mut table = Table::new(&[figure.variable.as_str(), "loss", "gibbs", "discrete"]);
    let at = |curve: &[f64], index: usize| curve.get(index).copied().unwrap_or(f64::NAN);
    for i in 0..points {
        table.numbers(&[figure.theta[i], figure.loss[i], at(&figure.gibbs, i), at(&figure.discrete, i)]);
    }
    Ok(table)
}

fn read_density(folder: &Path) -> Result<DensityFigure, ReportError> {
    let mut figure = DensityFigure {
        variable: String::new(),
        edges: Vec::new(),
        measured: Vec::new(),
        standard_error: Vec::new(),
        theta: Vec::new(),
        loss: Vec::new(),
        gibbs: Vec::new(),
        discrete: Vec::new(),
    };
    let mut last = None;
    for row in Reader::open(&folder.join(DENSITY_MEASURED), 4)?.rows() {
        figure.edges.push(row.number(0)?);
        last = Some(row.number(1)?);
        figure.measured.push(row.number(2)?);
        figure.standard_error.push(row.number(3)?);
    }
    figure.edges.extend(last);
    let predicted = Reader::open(&folder.join(DENSITY_PREDICTED), 4)?;
    figure.variable = predicted.column(0);
    for row in predicted.rows() {
        figure.theta.push(row.number(0)?);
        figure.loss.push(row.number(1)?);
        figure.gibbs.push(row.number(2)?);
        figure.discrete.push(row.number(3)?);
    }
    for curve in [&mut figure.gibbs, &mut figure.discrete] {
        if curve.iter().all(|value| value.is_nan()) {
            curve.clear();
        }
    }
    Ok(figure)
}

fn map_cells(figure: &MapFigure) -> Result<Table, ReportError> {
    let [columns, rows] = [0, 1].map(|axis: usize| figure.edges[axis].len().saturating_sub(1));
    same_length("map", "the density", figure.measured.len(), columns * rows)?;
    same_length("map", "the loss", figure.loss.len(), columns * rows)?;
    if !figure.basin.is_empty() {
        same_length("map", "the basins", figure.basin.len(), columns * rows)?;
    }
    let names: Vec<String> =
        figure.variables.iter().flat_map(|name| [format!("{name}_low"), format!("{name}_high")]).collect();
    let mut table = Table::new(&[&names[0], &names[1], &names[2], &names[3], "density", "loss", "basin"]);
    for row in 0..rows {
        for column in 0..columns {
            let cell = row * columns + column;
            table.mixed(
                &[],
                &[
                    figure.edges[0][column],
                    figure.edges[0][column + 1],
                    figure.edges[1][row],
                    figure.edges[1][row + 1],
                    figure.measured[cell],
                    figure.loss[cell],
                ],
                &[figure.basin.get(cell).map_or("", String::as_str)],
            );
        }
    }
    Ok(table)
}

fn map_paths(figure: &MapFigure) -> Table {
    let [first, second] = &figure.variables;
    let mut table = Table::new(&["replica", "start", "point", first, second]);
    for path in &figure.paths {
        for (index, point) in path.points.iter().enumerate() {
            let index = index.to_string();
            table.mixed(&[&path.replica.to_string(), &path.start, &index], point, &[]);
        }
    }
    table
}

fn read_map(folder: &Path) -> Result<MapFigure, ReportError> {
    let cells = Reader::open(&folder.join(MAP_CELLS), 7)?;
    let name = |column: usize| cells.column(column).trim_end_matches("_low").to_owned();
    let mut figure = MapFigure {
        variables: [name(0), name(2)],
        edges: [Vec::new(), Vec::new()],
        measured: Vec::new(),
        loss: Vec::new(),
        basin: Vec::new(),
        paths: Vec::new(),
    };
    let mut first_row = None;
    let mut last = [None, None];
    for row in cells.rows() {
        let low = [row.number(0)?, row.number(2)?];
        // Cells come row by row: the first row gives the columns, each row's first cell gives the rows.
        if *first_row.get_or_insert(low[1]) == low[1] {
            figure.edges[0].push(low[0]);
        }
        if figure.edges[0].first() == Some(&low[0]) {
            figure.edges[1].push(low[1]);
        }
        last = [Some(row.number(1)?), Some(row.number(3)?)];
        figure.measured.push(row.number(4)?);
        figure.loss.push(row.number(5)?);
        figure.basin.push(row.text(6));
    }
    for (edges, last) in figure.edges.iter_mut().zip(last) {
        edges.extend(last);
    }
    if figure.basin.iter().all(String::is_empty) {
        figure.basin.clear();
    }
    for row in Reader::open(&folder.join(MAP_PATHS), 5)?.rows() {
        let (replica, start) = (row.whole(0)?, row.text(1));
        let point = [row.number(3)?, row.number(4)?];
        match figure.paths.last_mut() {
            Some(path) if row.whole(2)? > 0 && path.replica == replica => path.points.push(point),
            _ => figure.paths.push(Path2 { replica, start, points: vec![point] }),
        }
    }
    Ok(figure)
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

fn read_mixing(folder: &Path) -> Result<MixingFigure, ReportError> {
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
    Ok(figure)
}

/// Reads a whole file.
fn read(path: &Path) -> Result<String, ReportError> {
    fs::read_to_string(path).map_err(ReportError::file("read", path))
}
