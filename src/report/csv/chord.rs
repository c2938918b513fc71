//! Loss along the lines between end points: one row per line and place.

use std::path::Path;

use super::Tables;
use super::table::{Reader, Table};
use crate::findings::{ChordFigure, ChordPoint};
use crate::report::ReportError;

const CHORD: &str = "chord.csv";

pub(super) fn tables(figure: &ChordFigure) -> Result<Tables, ReportError> {
    let mut table = Table::new(&["replica", "a", "training_loss", "test_loss", "first_ratio", "second_ratio", "rise"]);
    for (replica, points) in &figure.chords {
        for &ChordPoint { a, training, test } in points {
            let [first, second] = figure.ratios;
            table.mixed(&[&replica.to_string()], &[a, training, test, first, second, figure.rise], &[]);
        }
    }
    Ok(vec![(CHORD, table)])
}

pub(super) fn read(folder: &Path) -> Result<Option<ChordFigure>, ReportError> {
    if !folder.join(CHORD).exists() {
        return Ok(None);
    }
    let mut figure = ChordFigure { ratios: [f64::NAN; 2], rise: f64::NAN, chords: Vec::new() };
    for row in Reader::open(&folder.join(CHORD), 7)?.rows() {
        let replica = row.whole(0)?;
        figure.ratios = [row.number(4)?, row.number(5)?];
        figure.rise = row.number(6)?;
        let point = ChordPoint { a: row.number(1)?, training: row.number(2)?, test: row.number(3)? };
        match figure.chords.last_mut() {
            Some((last, points)) if *last == replica => points.push(point),
            _ => figure.chords.push((replica, vec![point])),
        }
    }
    Ok(Some(figure))
}
