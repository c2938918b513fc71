//! Loss, visits and trajectories over the plane.

use std::path::Path;

use super::table::{Reader, Table};
use super::{Tables, same_length};
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

pub(super) fn read(folder: &Path) -> Result<Option<MapFigure>, ReportError> {
    if !folder.join(CELLS).exists() {
        return Ok(None);
    }
    let cells = Reader::open(&folder.join(CELLS), 7)?;
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
