//! Detrended normal Q–Q plots of the noise of a batch along v₁: small multiples, a row per epoch and a column per batch size.

use crate::findings::{QuantilePanel, QuantilePoint, QuantilesFigure};
use crate::statistics::special::normal_quantile;

use super::axis::{Axis, Scale};
use super::canvas::{Align, Canvas, Drawn, Lettering, SMALL, Stroke};
use super::palette::{BLACK, BLUE, DASHED, GREY, Look, MEASURED, Marker, SOLID};
use super::panel::{KeyEntry, Panel, Sample, key, key_height};
use super::{Design, WIDTH};

const LEFT: f64 = 68.0;
const RIGHT: f64 = WIDTH - 14.0;
const GAP: f64 = 22.0;
const HEIGHT: f64 = 150.0;
const BETWEEN_ROWS: f64 = 48.0;
const KEY_ROOM: f64 = WIDTH - 24.0;
/// Standard deviations that are shown.
const ACROSS: f64 = 5.0;
/// Deviations that are shown, and up to which their axis is linear.
const UP: f64 = 10.0;
const LINEAR: f64 = 0.1;
/// More rows or columns would be too small to read.
const MOST: usize = 3;
/// A marker at every so many values.
const MARKED: usize = 5;
/// What lies beyond every so few standard errors from 0 or 1 has no quantile that is known.
const KNOWN: f64 = 3.0;

/// Q–Q plots.
pub(super) struct Quantiles<'a> {
    pub(super) data: &'a QuantilesFigure,
}

impl Quantiles<'_> {
    /// What the figure shows.
    pub(super) fn caption(&self) -> String {
        let (rows, sizes) = (self.places().len(), self.sizes().len());
        let places = self.different(|panel| panel.place.clone()).len();
        let all = self.different(|panel| panel.size.to_string()).len();
        let left_out = if (rows, sizes) == (places, all) {
            String::new()
        } else {
            format!(" Shown are {rows} of {places} places and {sizes} of {all} batch sizes; quantiles.csv has all.")
        };
        format!(
            "A normal Q–Q plot with its diagonal taken off: at every value z of the noise of the batch gradient along v₁, the first eigenvector of \
             C, in predicted standard deviations, z minus the normal quantile of the probability to be at most z. Gaussian noise lies on the \
             dashed line; what is above it on the right and below it on the left is a tail heavier than the normal law's, a parabola is \
             skewness. The axis is linear within ±{LINEAR} and logarithmic beyond. Bars: 95 %, from independent groups of batches, smaller than \
             the marks where none is seen. Blue: predicted, the law of a mean of S of the gradients of single examples, where it is \
             known to a fifth of the smaller tail.{left_out}"
        )
    }

    fn different(&self, of: impl Fn(&QuantilePanel) -> String) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for name in self.data.panels.iter().map(of) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Those of the first replica, the first few and the last of them.
    fn places(&self) -> Vec<String> {
        let replica = |place: &str| place.split_once(", ").map(|(_, replica)| replica.to_owned());
        let all = self.different(|panel| panel.place.clone());
        let first = all.first().and_then(|place| replica(place));
        thinned(all.into_iter().filter(|place| replica(place) == first).collect())
    }

    fn sizes(&self) -> Vec<u64> {
        let mut sizes: Vec<u64> = self.data.panels.iter().map(|panel| panel.size).collect();
        sizes.sort_unstable();
        sizes.dedup();
        thinned(sizes)
    }

    fn entries() -> [KeyEntry; 3] {
        [
            KeyEntry { look: MEASURED, sample: Sample::Interval, label: "measured".into() },
            KeyEntry { look: PREDICTED, sample: Sample::Line, label: "predicted".into() },
            KeyEntry { look: NORMAL, sample: Sample::Line, label: "normal law".into() },
        ]
    }

    fn top() -> f64 {
        key_height(&Self::entries(), KEY_ROOM) + 48.0
    }
}

const PREDICTED: Look = Look { colour: BLUE, marker: Marker::Square, dash: SOLID };
const NORMAL: Look = Look { colour: GREY, marker: Marker::Cross, dash: DASHED };

/// At most [`MOST`], the first and the last among them.
fn thinned<T: Clone>(all: Vec<T>) -> Vec<T> {
    let count = all.len();
    if count <= MOST {
        return all;
    }
    (0..MOST).map(|index| all[index * (count - 1) / (MOST - 1)].clone()).collect()
}

/// z less the normal quantile of a probability, where there is one.
fn deviation(value: f64, probability: f64) -> f64 {
    let quantile = normal_quantile(probability);
    if quantile.is_finite() { value - quantile } else { f64::NAN }
}

/// The deviation at a point, and the ends of its 95 % interval.
fn measured(point: &QuantilePoint) -> Option<[f64; 3]> {
    let QuantilePoint { value, probability: p, standard_error: error, .. } = *point;
    let is_known = error > 0.0 && p > KNOWN * error && 1.0 - p > KNOWN * error;
    is_known.then(|| [p, p + 1.96 * error, p - 1.96 * error].map(|p| deviation(value, p)))
}

fn draw_panel(panel: &Panel<'_, '_>, data: &QuantilePanel) -> Drawn {
    panel.line([(-ACROSS, 0.0), (ACROSS, 0.0)], Stroke::new(GREY, 1.2).dashed(DASHED))?;
    let predicted = |point: &QuantilePoint| point.predicted.map_or(f64::NAN, |p| deviation(point.value, p));
    let predicted = data.points.iter().map(|point| (point.value, predicted(point)));
    panel.line(predicted, Stroke::new(BLUE, 1.8))?;
    // Between whole and half standard deviations, where laws of few examples have their jumps.
    for point in data.points.iter().skip(MARKED / 2).step_by(MARKED) {
        let Some([at, low, high]) = measured(point) else { continue };
        if point.value.abs() <= ACROSS && at.abs() <= UP {
            let ends = [low, high].map(|end| (panel.across(point.value), panel.up(end.clamp(-UP, UP))));
            panel.canvas.line(&ends, Stroke::new(MEASURED.colour, 1.2))?;
            panel.canvas.marker(panel.at(point.value, at), Marker::Circle, 4.5, MEASURED.colour, false)?;
        }
    }
    Ok(())
}

impl Design for Quantiles<'_> {
    fn size(&self) -> (f64, f64) {
        let rows = self.places().len() as f64;
        (WIDTH, (Self::top() + rows * HEIGHT + (rows - 1.0) * BETWEEN_ROWS + 46.0).ceil())
    }

    fn draw(&self, canvas: &Canvas<'_>) -> Drawn {
        key(canvas, &Self::entries(), (12.0, 6.0), KEY_ROOM)?;
        let (places, sizes) = (self.places(), self.sizes());
        let wide = (RIGHT - LEFT - (sizes.len() as f64 - 1.0) * GAP) / sizes.len() as f64;
        for (row, place) in places.iter().enumerate() {
            let top = Self::top() + row as f64 * (HEIGHT + BETWEEN_ROWS);
            for (column, &size) in sizes.iter().enumerate() {
                let left = LEFT + column as f64 * (wide + GAP);
                let frame = [left, top, left + wide, top + HEIGHT];
                let x = Axis::new(Scale::Linear, -ACROSS, ACROSS);
                let y = Axis::new(Scale::Asinh(LINEAR), -UP, UP);
                let panel = Panel { canvas, frame, x, y };
                if let Some(data) = self.data.panels.iter().find(|data| data.place == *place && data.size == size) {
                    draw_panel(&panel, data)?;
                }
                canvas.text(&format!("S = {size}"), (left, top - 9.0), Lettering::new(SMALL, Align::Left))?;
                if column == 0 {
                    canvas.text(
                        place,
                        (left, top - 27.0),
                        Lettering { bold: true, ..Lettering::new(SMALL, Align::Left) },
                    )?;
                    panel.left_axis("z − normal quantile", 55.0)?;
                } else {
                    canvas.line(&[(left, top), (left, top + HEIGHT)], Stroke::new(BLACK, 1.2))?;
                }
                let title = if column == sizes.len() / 2 { "noise z along v₁ / sd" } else { "" };
                if row + 1 == places.len() { panel.bottom_axis(title)? } else { panel.bottom_ticks()? }
            }
        }
        Ok(())
    }
}
