//! Log-odds under one form of noise after another, and by the formula.

use std::path::Path;

use super::Tables;
use super::table::{Reader, Table};
use crate::findings::{NoiseLadderFigure, NoiseLadderMark};
use crate::report::ReportError;

const MARKS: &str = "noise-ladder.csv";
const MEASURED: &str = "measured";
const YES: &str = "yes";
const NO: &str = "no";
const PREDICTED: &str = "predicted";

pub(super) fn tables(figure: &NoiseLadderFigure) -> Result<Tables, ReportError> {
    let mut table = Table::new(&["quantity", "form", "source", "equilibrated", "log_odds", "low", "high"]);
    for mark in &figure.marks {
        let source = if mark.is_measured { MEASURED } else { PREDICTED };
        let equilibrated = if mark.is_equilibrated { YES } else { NO };
        table.mixed(&[&mark.quantity, &mark.form, source, equilibrated], &[mark.value, mark.low, mark.high], &[]);
    }
    Ok(vec![(MARKS, table)])
}

pub(super) fn read(folder: &Path) -> Result<Option<NoiseLadderFigure>, ReportError> {
    let path = folder.join(MARKS);
    if !path.exists() {
        return Ok(None);
    }
    let mut figure = NoiseLadderFigure::default();
    for row in Reader::open(&path, 7)?.rows() {
        figure.marks.push(NoiseLadderMark {
            quantity: row.text(0),
            form: row.text(1),
            is_measured: row.text(2) == MEASURED,
            is_equilibrated: row.text(3) == YES,
            value: row.number(4)?,
            low: row.number(5)?,
            high: row.number(6)?,
        });
    }
    Ok(Some(figure))
}
