//! The ratio of the laws of L at two temperatures: points, the predicted line, the fitted one with its band; below, what is left
//! of the points after the predicted line.

use crate::findings::{Findings, LogRatioFigure};

use super::axis::{Axis, Scale};
use super::canvas::{Canvas, Drawn, Stroke};
use super::palette::{BLACK, BLUE, DASHED, Look, MEASURED, Marker, SOLID, VERMILLION};
use super::panel::{KeyEntry, Panel, Sample, key, key_height};
use super::{Design, WIDTH};

const LEFT: f64 = 80.0;
const RIGHT: f64 = WIDTH - 14.0;
const UPPER: f64 = 190.0;
const LOWER: f64 = 110.0;
const GAP: f64 = 16.0;
const KEY_ROOM: f64 = WIDTH - 24.0;
/// Points whose error is larger than this many times the smallest widen no axis.
const HAZY: f64 = 12.0;

/// Points and lines.
pub(super) struct LogRatio<'a> {
    pub(super) findings: &'a Findings,
    pub(super) data: &'a LogRatioFigure,
}

const PREDICTED: Look = Look { colour: BLUE, marker: Marker::Square, dash: SOLID };
const FITTED: Look = Look { colour: VERMILLION, marker: Marker::Triangle, dash: DASHED };

impl LogRatio<'_> {
    /// What the figure shows.
    pub(super) fn caption(&self) -> String {
        let slope = self.data.slope_of_prediction();
        format!(
            "Above: the logarithm of the ratio of the probabilities of the loss value at the two temperatures, in bins \
             (points, 95 % intervals from independent groups of replicas). The solid line has the predicted slope \
             −(1/T₁ − 1/T₂) = {slope:.4}, drawn through the fitted line (broken) at the mean of L, since the slope alone is \
             predicted. Below: both minus the predicted line, the band being the 95 % interval of the fitted line; points whose interval would fill the panel are left out there. Slope and \
             straightness are judged to within ±{}.",
            super::super::number::significant(self.findings.scenario.test.tolerance, 3)
        )
        .replace("= -", "= −")
    }

    fn entries(&self) -> Vec<KeyEntry> {
        let entry = |look, sample, label: &str| KeyEntry { look, sample, label: label.to_owned() };
        vec![
            entry(MEASURED, Sample::Interval, "measured, 95 %"),
            entry(PREDICTED, Sample::Line, "predicted slope"),
            entry(FITTED, Sample::Band, "fitted line, 95 %"),
        ]
    }

    fn horizontal(&self) -> Axis {
        let ends = (self.data.line.first(), self.data.line.last());
        let (low, high) = (ends.0.copied().unwrap_or(0.0), ends.1.copied().unwrap_or(1.0));
        let margin = 0.02 * (high - low);
        Axis::new(Scale::Linear, low - margin, high + margin)
    }

    /// An axis that holds all points but the haziest, and the given values.
    fn vertical(&self, points: &[f64], more: impl Iterator<Item = f64>) -> Axis {
        let errors = &self.data.standard_error;
        let smallest = errors.iter().copied().filter(|error| *error > 0.0).fold(f64::INFINITY, f64::min);
        let clear = points.iter().zip(errors).filter(|(_, error)| **error <= HAZY * smallest);
        let ends = clear.flat_map(|(value, error)| [value - 1.96 * error, value + 1.96 * error]).chain(more);
        let fold = |(low, high): (f64, f64), end: f64| (low.min(end), high.max(end));
        let (low, high) = ends.filter(|end| end.is_finite()).fold((f64::INFINITY, f64::NEG_INFINITY), fold);
        let margin = 0.06 * (high - low);
        Axis::new(Scale::Linear, low - margin, high + margin)
    }

    fn draw_points(&self, panel: &Panel<'_, '_>, values: &[f64]) -> Drawn {
        let [_, top, _, bottom] = panel.frame;
        for ((x, value), error) in self.data.loss.iter().zip(values).zip(&self.data.standard_error) {
            let (at, middle) = panel.at(*x, *value);
            let ends = [value - 1.96 * error, value + 1.96 * error].map(|end| panel.up(end));
            if !(at.is_finite() && ends.iter().all(|end| end.is_finite())) {
                continue;
            }
            let [low, high] = ends.map(|end| end.clamp(top, bottom));
            // An interval that fills the panel says nothing there.
            if ends[0] > bottom && ends[1] < top {
                continue;
            }
            panel.canvas.line(&[(at, low), (at, high)], Stroke::new(BLACK, 1.2))?;
            for (end, cut) in [(low, ends[0] != low), (high, ends[1] != high)] {
                if !cut {
                    panel.canvas.line(&[(at - 2.5, end), (at + 2.5, end)], Stroke::new(BLACK, 1.2))?;
                }
            }
            if (top..=bottom).contains(&middle) {
                panel.canvas.marker((at, middle), Marker::Circle, 5.0, BLACK, false)?;
            }
        }
        Ok(())
    }
}

impl LogRatioFigure {
    fn slope_of_prediction(&self) -> f64 {
        match (self.line.as_slice(), self.predicted.as_slice()) {
            ([first, .., last], [low, .., high]) => (high - low) / (last - first),
            _ => f64::NAN,
        }
    }

    /// The predicted line at any place.
    fn predicted_at(&self, x: f64) -> f64 {
        let (start, height) = (self.line.first().copied(), self.predicted.first().copied());
        height.unwrap_or(f64::NAN) + self.slope_of_prediction() * (x - start.unwrap_or(f64::NAN))
    }
}

impl Design for LogRatio<'_> {
    fn size(&self) -> (f64, f64) {
        (WIDTH, (key_height(&self.entries(), KEY_ROOM) + 14.0 + UPPER + GAP + LOWER + 48.0).ceil())
    }

    fn draw(&self, canvas: &Canvas<'_>) -> Drawn {
        let (data, entries) = (self.data, self.entries());
        key(canvas, &entries, (12.0, 6.0), KEY_ROOM)?;
        let top = key_height(&entries, KEY_ROOM) + 14.0;
        let x = self.horizontal();
        let y = self.vertical(&data.measured, data.predicted.iter().copied());
        let upper = Panel { canvas, frame: [LEFT, top, RIGHT, top + UPPER], x, y };
        let line = |values: &[f64]| data.line.iter().copied().zip(values.to_vec()).collect::<Vec<_>>();
        upper.line(line(&data.predicted), Stroke::new(PREDICTED.colour, 2.0))?;
        upper.line(line(&data.fitted), Stroke::new(FITTED.colour, 2.0).dashed(FITTED.dash))?;
        self.draw_points(&upper, &data.measured)?;
        upper.bottom_ticks()?;
        upper.left_axis("ln(P₁/P₂)", 62.0)?;

        let top = top + UPPER + GAP;
        let left_over: Vec<f64> =
            data.loss.iter().zip(&data.measured).map(|(x, y)| y - data.predicted_at(*x)).collect();
        let fitted: Vec<f64> = data.fitted.iter().zip(&data.predicted).map(|(a, b)| a - b).collect();
        let rows = data.line.iter().zip(&fitted).zip(&data.fitted_standard_error);
        let band: Vec<_> = rows.map(|((x, d), e)| (*x, d - 1.96 * e, d + 1.96 * e)).collect();
        let y = self.vertical(&left_over, band.iter().flat_map(|row| [row.1, row.2]));
        let lower = Panel { canvas, frame: [LEFT, top, RIGHT, top + LOWER], x, y };
        lower.band(&band, FITTED.colour, 0.22)?;
        lower.line([(x.low, 0.0), (x.high, 0.0)], Stroke::new(PREDICTED.colour, 2.0))?;
        lower.line(line(&fitted), Stroke::new(FITTED.colour, 2.0).dashed(FITTED.dash))?;
        self.draw_points(&lower, &left_over)?;
        lower.bottom_axis("loss L")?;
        lower.left_axis("minus predicted", 62.0)
    }
}
