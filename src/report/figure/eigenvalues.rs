//! The largest eigenvalues of the Hessian and of the noise against their index, a panel per place.

use crate::findings::{EigenvaluePanel, EigenvaluesFigure};

use super::axis::{Axis, Scale};
use super::canvas::{Align, Canvas, Drawn, Lettering, SMALL, Stroke};
use super::palette::{BLUE, Look, Marker, SOLID, VERMILLION};
use super::panel::{KeyEntry, Panel, Sample, key, key_height};
use super::{Design, WIDTH};

const LEFT: f64 = 70.0;
const RIGHT: f64 = WIDTH - 14.0;
const GAP: f64 = 26.0;
const HEIGHT: f64 = 150.0;
const BETWEEN_ROWS: f64 = 30.0;
const COLUMNS: usize = 2;
const KEY_ROOM: f64 = WIDTH - 24.0;
/// More places than this would be too many panels.
const MOST: usize = 6;

const CURVATURE: Look = Look { colour: BLUE, marker: Marker::Circle, dash: SOLID };
const NOISE: Look = Look { colour: VERMILLION, marker: Marker::Triangle, dash: SOLID };

/// Spectra of H and of C.
pub(super) struct Eigenvalues<'a> {
    pub(super) data: &'a EigenvaluesFigure,
}

impl Eigenvalues<'_> {
    /// What the figure shows.
    pub(super) fn caption(&self) -> String {
        let left_out = match self.data.panels.len() {
            n if n > MOST => format!(" The first {MOST} of {n} places are shown."),
            _ => String::new(),
        };
        format!(
            "The largest eigenvalues of the Hessian H of the training loss and of the covariance C of the gradients of single examples (divisor \
             N), against their index, on a logarithmic axis; those that are not positive are left out. Both are over all examples and have no \
             sampling error; bars are the bound of Lanczos' residual, smaller than the marks where none is seen.{left_out}"
        )
    }

    fn entries() -> [KeyEntry; 2] {
        [
            KeyEntry { look: CURVATURE, sample: Sample::Point, label: "H, curvature".into() },
            KeyEntry { look: NOISE, sample: Sample::Point, label: "C, noise".into() },
        ]
    }

    fn top() -> f64 {
        key_height(&Self::entries(), KEY_ROOM) + 30.0
    }

    fn panels(&self) -> &[EigenvaluePanel] {
        &self.data.panels[..self.data.panels.len().min(MOST)]
    }

    fn rows(&self) -> usize {
        self.panels().len().div_ceil(COLUMNS).max(1)
    }

    /// The same for all panels, so that they can be compared.
    fn axes(&self) -> [Axis; 2] {
        let pairs = || self.panels().iter().flat_map(|panel| panel.hessian.iter().chain(&panel.noise));
        let values = pairs().map(|pair| pair[0]).filter(|value| *value > 0.0);
        let (low, high) = values.fold((f64::INFINITY, 0.0f64), |(low, high), value| (low.min(value), high.max(value)));
        let longest = self.panels().iter().map(|panel| panel.hessian.len().max(panel.noise.len())).max();
        [Axis::new(Scale::Linear, 0.0, longest.unwrap_or(1) as f64 + 1.0), Axis::new(Scale::Log, low / 1.5, high * 1.5)]
    }
}

fn draw_pairs(panel: &Panel<'_, '_>, pairs: &[[f64; 2]], look: Look) -> Drawn {
    for (index, &[value, residual]) in pairs.iter().enumerate() {
        if value > 0.0 {
            let at = (index + 1) as f64;
            let ends = [value - residual, value + residual].map(|end| panel.up(end.clamp(panel.y.low, panel.y.high)));
            panel
                .canvas
                .line(&[(panel.across(at), ends[0]), (panel.across(at), ends[1])], Stroke::new(look.colour, 1.2))?;
            panel.canvas.marker(panel.at(at, value), look.marker, 5.5, look.colour, false)?;
        }
    }
    Ok(())
}

impl Design for Eigenvalues<'_> {
    fn size(&self) -> (f64, f64) {
        let rows = self.rows() as f64;
        (WIDTH, (Self::top() + rows * HEIGHT + (rows - 1.0) * BETWEEN_ROWS + 46.0).ceil())
    }

    fn draw(&self, canvas: &Canvas<'_>) -> Drawn {
        key(canvas, &Self::entries(), (12.0, 6.0), KEY_ROOM)?;
        let wide = (RIGHT - LEFT - GAP) / COLUMNS as f64;
        let [x, y] = self.axes();
        let count = self.panels().len();
        for (index, data) in self.panels().iter().enumerate() {
            let (row, column) = (index / COLUMNS, index % COLUMNS);
            let left = LEFT + column as f64 * (wide + GAP);
            let top = Self::top() + row as f64 * (HEIGHT + BETWEEN_ROWS);
            let panel = Panel { canvas, frame: [left, top, left + wide, top + HEIGHT], x, y };
            draw_pairs(&panel, &data.hessian, CURVATURE)?;
            draw_pairs(&panel, &data.noise, NOISE)?;
            canvas.text(&data.place, (left, top - 10.0), Lettering::new(SMALL, Align::Left))?;
            if column == 0 {
                panel.left_axis("eigenvalue", 56.0)?;
            } else {
                canvas.line(&[(left, top), (left, top + HEIGHT)], Stroke::new(super::palette::BLACK, 1.2))?;
            }
            if index + COLUMNS >= count { panel.bottom_axis("index")? } else { panel.bottom_ticks()? }
        }
        Ok(())
    }
}
