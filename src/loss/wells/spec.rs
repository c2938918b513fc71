//! `loss.kind = "wells"`: how wells stand in a scenario.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Well, Wells};
use crate::input::{Number, Table};
use crate::loss::Loss;
use crate::loss::matrix::MatrixSpec;
use crate::loss::spec::{Described, LossError};

/// Parabolic wells and their smoothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WellsSpec {
    /// s.
    pub smoothing: f64,
    /// The wells.
    pub well: Vec<WellSpec>,
}

/// One parabolic well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WellSpec {
    /// m.
    pub position: Vec<f64>,
    /// L there.
    pub loss: f64,
    /// H there: a number, a diagonal or a matrix.
    pub hessian: MatrixSpec,
}

impl WellsSpec {
    pub(crate) fn read(table: &Table<'_>) -> Option<Self> {
        let tables = table.tables("well", "[[loss.well]] with position = [0.0], loss = 0.0, hessian = 1.0");
        let smoothing = Number::positive("s, the smoothing in units of the loss,", "0.1");
        let smoothing = table.number_or("smoothing", &smoothing, 0.1);
        let tables = tables?;
        let wells: Vec<_> = tables.iter().map(WellSpec::read).collect();
        let wells: Vec<_> = wells.into_iter().collect::<Option<_>>()?;
        let d = wells.first()?.position.len();
        for (well, table) in wells.iter().zip(&tables) {
            if well.position.len() != d {
                let found = well.position.len();
                table.problem(
                    "position",
                    format!("found {found} coordinates where the first well has {d}; all wells must have {d}"),
                );
                return None;
            }
        }
        for (index, well) in wells.iter().enumerate() {
            if let Some(earlier) = wells[..index].iter().position(|other| other.position == well.position) {
                let message =
                    format!("found the position of well {earlier} again; the two would be one; move one of them");
                tables[index].problem("position", message);
                return None;
            }
        }
        Some(Self { smoothing: smoothing?, well: wells })
    }
}

impl WellSpec {
    fn read(table: &Table<'_>) -> Option<Self> {
        let position =
            table.numbers("position", &Number::any("the position of the well, a number per coordinate,", "[-1.0]"));
        let loss = table.number("loss", &Number::any("the loss at the bottom of the well", "0.0"));
        let hessian = MatrixSpec::read(table, "hessian", "the Hessian of the well", "8.0");
        table.finish();
        let (position, hessian) = (position?, hessian?);
        let d = position.len();
        if let Some(found) = hessian.dimension().filter(|found| *found != d) {
            let message = format!(
                "found a {found} × {found} Hessian for a well of {d} {}; give {d} numbers (the diagonal), {d} rows of {d}, or one number",
                if d == 1 { "coordinate" } else { "coordinates" }
            );
            table.problem("hessian", message);
            return None;
        }
        Some(Self { position, loss: loss?, hessian })
    }
}

impl Described for WellsSpec {
    fn dimension(&self) -> usize {
        self.well.first().map_or(0, |well| well.position.len())
    }

    /// The box of the positions, widened on each side by its own extent in that direction (at least half the largest
    /// one), or about a lone well by the distance at which its loss has risen by 4.5.
    fn default_domain(&self) -> Option<Vec<[f64; 2]>> {
        let coordinates = |i: usize| self.well.iter().map(move |well| well.position[i]);
        let corners: Vec<[f64; 2]> = (0..self.dimension())
            .map(|i| [coordinates(i).fold(f64::INFINITY, f64::min), coordinates(i).fold(f64::NEG_INFINITY, f64::max)])
            .collect();
        let largest = corners.iter().map(|[low, high]| high - low).fold(0.0, f64::max);
        let widened = corners.iter().enumerate().map(|(i, [low, high])| {
            let margin = (high - low).max(largest / 2.0);
            let flattest = self.well.iter().map(|well| well.hessian.diagonal(i)).fold(f64::INFINITY, f64::min);
            let margin = if margin > 0.0 { margin } else { 3.0 / flattest.sqrt() };
            [low - margin, high + margin]
        });
        Some(widened.collect())
    }

    fn build(&self) -> Result<Arc<dyn Loss>, LossError> {
        let d = self.dimension();
        let well = |well: &WellSpec| Well {
            position: well.position.clone(),
            loss: well.loss,
            hessian: well.hessian.to_matrix(d),
        };
        let wells: Vec<_> = self.well.iter().map(well).collect();
        Ok(Arc::new(Wells::new(&wells, self.smoothing)?))
    }
}
