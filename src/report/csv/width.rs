//! Curvature against η/S: one row per group and measure.

use std::path::Path;

use super::table::{Reader, Table};
use super::{Tables, same_length};
use crate::findings::{WidthFigure, WidthPlace, WidthPoint};
use crate::report::ReportError;

const WIDTH: &str = "width.csv";

pub(super) fn tables(figure: &WidthFigure) -> Result<Tables, ReportError> {
    let columns = [
        "measure",
        "batch_size",
        "member",
        "ratio",
        "learning_rate",
        "loss",
        "median",
        "low",
        "high",
        "deviation_of_ln",
        "relative_error",
    ];
    let mut table = Table::new(&columns);
    for place in &figure.places {
        same_length("width", "points", place.points.len(), figure.measures.len())?;
        for (measure, point) in figure.measures.iter().zip(&place.points) {
            let WidthPlace { ratio, learning_rate, batch_size, member, loss, .. } = *place;
            let WidthPoint { median, low, high, deviation, error } = *point;
            let whole = [batch_size, member].map(|number| number.to_string());
            let numbers = [ratio, learning_rate, loss, median, low, high, deviation, error];
            table.mixed(&[measure, &whole[0], &whole[1]], &numbers, &[]);
        }
    }
    Ok(vec![(WIDTH, table)])
}

pub(super) fn read(folder: &Path) -> Result<Option<WidthFigure>, ReportError> {
    if !folder.join(WIDTH).exists() {
        return Ok(None);
    }
    let mut figure = WidthFigure { measures: Vec::new(), places: Vec::new() };
    for row in Reader::open(&folder.join(WIDTH), 11)?.rows() {
        let measure = row.text(0);
        if !figure.measures.contains(&measure) {
            figure.measures.push(measure.clone());
        }
        let number = |column: usize| row.number(column);
        // The first measure begins a group.
        if figure.measures[0] == measure {
            figure.places.push(WidthPlace {
                ratio: number(3)?,
                learning_rate: number(4)?,
                batch_size: row.whole(1)?,
                member: row.whole(2)?,
                loss: number(5)?,
                points: Vec::new(),
            });
        }
        let point = WidthPoint {
            median: number(6)?,
            low: number(7)?,
            high: number(8)?,
            deviation: number(9)?,
            error: number(10)?,
        };
        if let Some(place) = figure.places.last_mut() {
            place.points.push(point);
        }
    }
    Ok(Some(figure))
}
