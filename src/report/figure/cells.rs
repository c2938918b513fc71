//! The density over the plane, measured beside predicted, and their difference in units of its standard error.

use plotters::style::RGBColor;

use crate::findings::{CellsFigure, Findings};

use super::super::number::pretty;
use super::super::words::rung_name;
use super::axis::{Axis, Scale};
use super::canvas::{Align, Canvas, Drawn, Lettering, SMALL, Stroke};
use super::map::contour;
use super::palette::{self, BLACK, GREY, Marker, WHITE};
use super::panel::Panel;
use super::{Design, WIDTH};

const LEFT: f64 = 62.0;
const BETWEEN: f64 = 14.0;
const SCALE_ROOM: f64 = 80.0;
const TITLE: f64 = 24.0;
const AXIS: f64 = 48.0;
/// Powers of ten that the shading of a density spans.
const DECADES: f64 = 4.0;
const SHADES: f64 = 28.0;
/// The difference is shaded up to so many standard errors either way.
const REACH: f64 = 4.0;

/// Three panels.
pub(super) struct Cells<'a> {
    findings: &'a Findings,
    data: &'a CellsFigure,
    highest: f64,
    axes: [Axis; 2],
}

impl<'a> Cells<'a> {
    /// Shows what was visited or predicted to be.
    pub(super) fn new(findings: &'a Findings, data: &'a CellsFigure) -> Self {
        let highest = data.measured.iter().chain(&data.predicted).copied().fold(0.0, f64::max);
        let columns = data.edges[0].len().saturating_sub(1).max(1);
        let mut ranges = [(f64::INFINITY, f64::NEG_INFINITY); 2];
        for cell in 0..data.measured.len() {
            if data.measured[cell].max(data.predicted[cell]) > highest * 10f64.powf(-DECADES) {
                for (axis, index) in [(0, cell % columns), (1, cell / columns)] {
                    let ends = data.edges[axis].get(index).into_iter().chain(data.edges[axis].get(index + 1));
                    for end in ends {
                        ranges[axis] = (ranges[axis].0.min(*end), ranges[axis].1.max(*end));
                    }
                }
            }
        }
        let axes = ranges.map(|(low, high)| Axis::new(Scale::Linear, low, high));
        Cells { findings, data, highest, axes }
    }

    /// What the figure shows.
    pub(super) fn caption(&self) -> String {
        let (shown, beyond) = self.beyond();
        format!(
            "Above: the measured probability density and that of {}, on the same logarithmic scale; letters mark the minima. \
             Below: measured minus predicted in units of its standard error between independent groups of replicas \
             (red: measured more; blue: less, with a dot beyond two), with level lines of the prediction a factor of ten apart; \
             {beyond} of {shown} cells are more than two of them off, where chance alone would give about {:.0}. The verdict is \
             about the sum of all differences.",
            match self.findings.scenario.test.against {
                crate::scenario::Rung::Laplace => "Laplace's mixture of Gaussians",
                _ => "the Gibbs law exp(−L/T)/Z",
            },
            0.0478 * shown as f64
        )
    }

    /// Cells with an error, and how many of them are off by more than two of them.
    fn beyond(&self) -> (usize, usize) {
        let all = (0..self.data.measured.len()).filter_map(|cell| self.excess(cell));
        all.fold((0, 0), |(shown, beyond), z| (shown + 1, beyond + usize::from(z.abs() > 2.0)))
    }

    /// (measured − predicted)/error; `None` in cells too rarely visited to know an error.
    fn excess(&self, cell: usize) -> Option<f64> {
        let (error, predicted) = (self.data.standard_error[cell], self.data.predicted[cell]);
        let known = error > 0.0 && predicted.max(self.data.measured[cell]) > self.highest * 10f64.powf(-DECADES);
        known.then(|| (self.data.measured[cell] - predicted) / error)
    }

    fn width(&self) -> f64 {
        0.5 * (WIDTH - LEFT - BETWEEN - SCALE_ROOM)
    }

    fn height(&self) -> f64 {
        let [wide, high] = self.axes.map(|axis| axis.high - axis.low);
        self.width() * (high / wide).clamp(0.5, 1.5)
    }

    fn shade(&self, density: f64) -> Option<RGBColor> {
        if density <= 0.0 || self.highest <= 0.0 {
            return None;
        }
        let depth = 1.0 + (density / self.highest).log10() / DECADES;
        (depth >= 0.0).then(|| palette::shade(((depth * SHADES).round() / SHADES).min(1.0)))
    }

    fn fill(&self, panel: &Panel<'_, '_>, colour: &dyn Fn(usize) -> Option<RGBColor>) -> Drawn {
        let [xs, ys] = &self.data.edges;
        let columns = xs.len().saturating_sub(1);
        let [left, top, right, bottom] = panel.frame;
        for cell in 0..columns * ys.len().saturating_sub(1) {
            let Some(colour) = colour(cell) else { continue };
            let (column, row) = (cell % columns, cell / columns);
            let ((x0, y0), (x1, y1)) = (panel.at(xs[column], ys[row]), panel.at(xs[column + 1], ys[row + 1]));
            // Neighbours overlap, else viewers show seams between them; what comes later covers it.
            let (from, to) = ((x0.max(left), y0.min(bottom)), ((x1 + 0.5).min(right), (y1 - 0.5).max(top)));
            if to.0 > from.0 && from.1 > to.1 {
                panel.canvas.rectangle(from, to, colour, 1.0)?;
            }
        }
        Ok(())
    }

    /// Level lines of the prediction, a factor of ten apart.
    fn draw_levels(&self, panel: &Panel<'_, '_>) -> Drawn {
        let centres = self
            .data
            .edges
            .each_ref()
            .map(|edges| edges.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0).collect::<Vec<f64>>());
        // Tails where nothing is predicted have no logarithm; far down is as good.
        let logarithms: Vec<f64> = self.data.predicted.iter().map(|p| p.max(1e-300).log10()).collect();
        for decade in 1..DECADES as i32 {
            let level = self.highest.log10() - f64::from(decade);
            for line in contour::lines(&centres[0], &centres[1], &logarithms, level) {
                panel.line(line, Stroke::new(GREY, 1.0))?;
            }
        }
        Ok(())
    }

    fn draw_minima(&self, panel: &Panel<'_, '_>) -> Drawn {
        for minimum in &self.findings.minima {
            let [x, y] = minimum.theta.as_slice() else { continue };
            let at = panel.at(*x, *y);
            panel.canvas.marker(at, Marker::Circle, 17.0, BLACK, false)?;
            panel.canvas.marker(at, Marker::Circle, 14.6, WHITE, false)?;
            panel.canvas.text(&minimum.id, at, Lettering { bold: true, ..Lettering::new(11.0, Align::Centre) })?;
        }
        Ok(())
    }

    fn panel<'c, 'b>(&self, canvas: &'c Canvas<'b>, left: f64, top: f64) -> Panel<'c, 'b> {
        let frame = [left, top, left + self.width(), top + self.height()];
        let [x, y] = self.axes;
        Panel { canvas, frame, x, y }
    }

    fn frame(&self, panel: &Panel<'_, '_>, title: &str) -> Drawn {
        let [left, top, right, bottom] = panel.frame;
        let corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
        panel.canvas.line(&corners, Stroke::new(BLACK, 1.2))?;
        panel.canvas.text(title, ((left + right) / 2.0, top - 11.0), Lettering::new(SMALL, Align::Centre))
    }

    /// A scale right of a panel: colours from below upwards, and labelled places of it.
    fn draw_scale(
        &self,
        panel: &Panel<'_, '_>,
        colour: &dyn Fn(f64) -> RGBColor,
        ticks: &[(f64, String)],
        title: &str,
    ) -> Drawn {
        let [_, top, right, bottom] = panel.frame;
        let (left, right, height) = (right + 12.0, right + 24.0, bottom - top);
        let steps = SHADES as usize;
        for step in 0..=steps {
            let part = |step: usize| bottom - height * step as f64 / (steps + 1) as f64;
            let (from, to) = ((left, part(step)), (right, (part(step + 1) - 0.5).max(top)));
            panel.canvas.rectangle(from, to, colour(step as f64 / SHADES), 1.0)?;
        }
        let stroke = Stroke::new(BLACK, 1.0);
        panel.canvas.line(&[(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], stroke)?;
        for (place, label) in ticks {
            let y = bottom - place * height;
            panel.canvas.line(&[(right, y), (right + 4.0, y)], stroke)?;
            panel.canvas.text(label, (right + 7.0, y), Lettering::new(SMALL, Align::Left))?;
        }
        let lettering = Lettering { upwards: true, ..Lettering::new(SMALL, Align::Centre) };
        panel.canvas.text(title, (right + 47.0, (top + bottom) / 2.0), lettering)
    }

    fn density_ticks(&self) -> Vec<(f64, String)> {
        let axis = Axis::new(Scale::Log, self.highest * 10f64.powf(-DECADES), self.highest);
        (axis.low.log10().ceil() as i32..=axis.high.log10().floor() as i32)
            .map(|power| {
                let label = pretty(&format!("{:e}", 10f64.powi(power))).replace("1 × ", "").replace("10⁰", "1");
                (axis.position(10f64.powi(power)), label)
            })
            .collect()
    }
}

/// Blue below 0, red above, white between; both darken steadily.
fn diverging(z: f64) -> RGBColor {
    let part = (z / REACH).clamp(-1.0, 1.0);
    let end = if part < 0.0 { (5.0, 48.0, 97.0) } else { (178.0, 24.0, 43.0) };
    let mix = |end: f64| (247.0 + part.abs() * (end - 247.0)).round() as u8;
    RGBColor(mix(end.0), mix(end.1), mix(end.2))
}

impl Design for Cells<'_> {
    fn size(&self) -> (f64, f64) {
        (WIDTH, (2.0 * (TITLE + self.height() + AXIS)).ceil())
    }

    fn draw(&self, canvas: &Canvas<'_>) -> Drawn {
        let [x, y] = &self.data.variables;
        let measured = self.panel(canvas, LEFT, TITLE);
        self.fill(&measured, &|cell| self.shade(self.data.measured[cell]))?;
        self.draw_minima(&measured)?;
        self.frame(&measured, "measured")?;
        measured.bottom_axis(x)?;
        measured.left_axis(y, 46.0)?;

        let predicted = self.panel(canvas, LEFT + self.width() + BETWEEN, TITLE);
        self.fill(&predicted, &|cell| self.shade(self.data.predicted[cell]))?;
        self.draw_minima(&predicted)?;
        self.frame(&predicted, &format!("predicted ({})", rung_name(self.findings.scenario.test.against)))?;
        predicted.bottom_axis(x)?;
        self.draw_scale(&predicted, &palette::shade, &self.density_ticks(), "density")?;

        let top = 2.0 * TITLE + self.height() + AXIS;
        let off = self.panel(canvas, LEFT, top);
        self.fill(&off, &|cell| self.excess(cell).map(diverging))?;
        self.draw_dots(&off)?;
        self.draw_levels(&off)?;
        self.frame(&off, "measured − predicted")?;
        off.bottom_axis(x)?;
        off.left_axis(y, 46.0)?;
        let ticks: Vec<(f64, String)> =
            (-2..=2).map(|i| (0.5 + 0.25 * f64::from(i), pretty(&format!("{}", 2 * i)))).collect();
        self.draw_scale(&off, &|part| diverging(REACH * (2.0 * part - 1.0)), &ticks, "standard errors")
    }
}

impl Cells<'_> {
    /// A dot in cells where less was measured by more than two standard errors: in grey print they look as those where more was.
    fn draw_dots(&self, panel: &Panel<'_, '_>) -> Drawn {
        let [xs, ys] = &self.data.edges;
        let columns = xs.len().saturating_sub(1).max(1);
        for cell in 0..self.data.measured.len() {
            if self.excess(cell).is_some_and(|z| z < -2.0) {
                let (column, row) = (cell % columns, cell / columns);
                let middle = |edges: &[f64], i: usize| 0.5 * (edges[i] + edges[i + 1]);
                let at = panel.at(middle(xs, column), middle(ys, row));
                panel.canvas.marker(at, Marker::Circle, 2.6, WHITE, false)?;
            }
        }
        Ok(())
    }
}
