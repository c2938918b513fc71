//! Loss, visits and trajectories over the plane.

use std::path::Path;

use super::table::{Reader, Table};
use super::{Tables, grid, same_length};
use crate::findings::{MapFigure, Path2};
use crate::report::ReportError;

const CELLS: &str = "map-cells.csv";
const PATHS: &str = "map-paths.csv";

pub(super) fn tables(figure: &MapFigure) -> Result<Tables, ReportError> {
    Ok(vec![(CELLS, map_cells(figure)?), (PATHS, map_paths(figure))])
}

fn map_cells(figure: &MapFigure) -> Result<Table, ReportError> {
    let [columns, rows] = [0, 1].map(|axis: usize| figure.edges[axis].len().saturating_sub(1));
    same_length("map", "the density", figure.measured.len(), columns * rows)?;
    same_length("map", "the loss", figure.loss.len(), columns * rows)?;
    if !figure.basin.is_empty() {
        same_length("map", "the basins", figure.basin.len(), columns * rows)?;
    }
    let names = grid::names(&figure.variables);
    let mut table = Table::new(&[&names[0], &names[1], &names[2], &names[3], "density", "loss", "basin"]);
    for (cell, edges) in grid::cells(&figure.edges).enumerate() {
        let numbers = [edges.as_slice(), &[figure.measured[cell], figure.loss[cell]]].concat();
        table.mixed(&[], &numbers, &[figure.basin.get(cell).map_or("", String::as_str)]);
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

pub(super) fn read(folder: &Path) -> Result<Option<MapFigure>, ReportError> {
    if !folder.join(CELLS).exists() {
        return Ok(None);
    }
    let cells = Reader::open(&folder.join(CELLS), grid::COLUMNS + 3)?;
    let mut figure = MapFigure {
        variables: grid::variables(&cells),
        edges: grid::edges(cells.rows())?,
        measured: Vec::new(),
        loss: Vec::new(),
        basin: Vec::new(),
        paths: Vec::new(),
    };
    for row in cells.rows() {
        figure.measured.push(row.number(grid::COLUMNS)?);
        figure.loss.push(row.number(grid::COLUMNS + 1)?);
        figure.basin.push(row.text(grid::COLUMNS + 2));
    }
    if figure.basin.iter().all(String::is_empty) {
        figure.basin.clear();
    }
    for row in Reader::open(&folder.join(PATHS), 5)?.rows() {
        let (replica, start) = (row.whole(0)?, row.text(1));
        let point = [row.number(3)?, row.number(4)?];
        match figure.paths.last_mut() {
            Some(path) if row.whole(2)? > 0 && path.replica == replica => path.points.push(point),
            _ => figure.paths.push(Path2 { replica, start, points: vec![point] }),
        }
    }
    Ok(Some(figure))
}
