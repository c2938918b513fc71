//! The map in two dimensions: where the process has been, over the level lines of the loss.

pub(super) mod contour;

use crate::findings::{Findings, MapFigure};

use super::super::number::{pretty, significant};
use super::axis::{Axis, Scale};
use super::canvas::{Align, Canvas, Drawn, Lettering, Point, SMALL, Stroke};
use super::palette::{self, BLACK, GREY, Look, MEASURED, Marker, WHITE};
use super::panel::{KeyEntry, Panel, Sample, key, key_height};
use super::{Design, WIDTH};

const LEFT: f64 = 62.0;
const RIGHT: f64 = WIDTH - 84.0;
const KEY_ROOM: f64 = WIDTH - 24.0;
/// Powers of ten that the shading spans.
const DECADES: f64 = 4.0;
/// Steps of the shading: neighbours of one step are drawn as one rectangle.
const SHADES: f64 = 28.0;
/// Level lines; each is half as high above the lowest loss as the next.
const LEVELS: i32 = 7;
/// More trajectories hide each other.
const MOST_PATHS: usize = 6;

/// Loss, visits and trajectories.
pub(super) struct Map<'a> {
    findings: &'a Findings,
    data: &'a MapFigure,
    highest: f64,
    /// The lowest loss of the grid, and the highest that was visited.
    losses: [f64; 2],
    axes: [Axis; 2],
}

impl<'a> Map<'a> {
    /// Chooses what part of the plane to show: what was visited, and every minimum.
    pub(super) fn new(findings: &'a Findings, data: &'a MapFigure) -> Self {
        let columns = data.edges[0].len().saturating_sub(1).max(1);
        let highest = data.measured.iter().copied().fold(0.0, f64::max);
        let visited = |cell: &usize| data.measured[*cell] > highest * 10f64.powf(-DECADES);
        let mut ranges = [(f64::INFINITY, f64::NEG_INFINITY); 2];
        let mut include = |axis: usize, v: f64| ranges[axis] = (ranges[axis].0.min(v), ranges[axis].1.max(v));
        let cells = 0..data.measured.len().min(columns * data.edges[1].len().saturating_sub(1));
        let mut losses = [f64::INFINITY, f64::NEG_INFINITY];
        for cell in cells.clone() {
            losses[0] = losses[0].min(data.loss[cell]);
        }
        for cell in cells.filter(visited) {
            let (column, row) = (cell % columns, cell / columns);
            for (axis, index) in [(0, column), (1, row)] {
                include(axis, data.edges[axis][index]);
                include(axis, data.edges[axis][index + 1]);
            }
            losses[1] = losses[1].max(data.loss[cell]);
        }
        for minimum in &findings.minima {
            minimum.theta.iter().take(2).enumerate().for_each(|(axis, value)| include(axis, *value));
        }
        let axes = ranges.map(|(low, high)| {
            let margin = 0.06 * (high - low);
            Axis::new(Scale::Linear, low - margin, high + margin)
        });
        Map { findings, data, highest, losses, axes }
    }

    /// What the figure shows.
    pub(super) fn caption(&self) -> String {
        let basins = if self.data.basin.is_empty() { "" } else { " Thick grey lines part the basins of attraction." };
        let paths = if self.data.paths.is_empty() {
            ""
        } else {
            " Thin lines are single trajectories, coloured by the basin they started in (open circles, where no letter covers them)."
        };
        let level = |power: i32| pretty(&significant((self.losses[1] - self.losses[0]) * 0.5f64.powi(power), 2));
        format!(
            "Shading: measured probability density, on a logarithmic scale. Thin contours: the loss, {} to {} above its \
             lowest value, each twice as high as the one inside. Letters mark the minima, crosses the saddles.{basins}{paths} \
             The error bars of the basins' probabilities are in the figure of the ladder.",
            level(LEVELS - 1),
            level(0),
        )
    }

    /// Where the panel begins, below the key.
    fn top(&self) -> f64 {
        key_height(&self.entries(), KEY_ROOM) + 14.0
    }

    fn height(&self) -> f64 {
        let [wide, high] = self.axes.map(|axis| axis.high - axis.low);
        let ratio = high / wide;
        // Equal units on both axes, unless the plane is a strip.
        let ratio = if (0.4..=1.6).contains(&ratio) { ratio } else { 0.9 };
        (RIGHT - LEFT) * ratio
    }

    fn entries(&self) -> Vec<KeyEntry> {
        let mut entries: Vec<KeyEntry> = Vec::new();
        for path in self.paths() {
            let label = if entries.is_empty() { format!("started in {}", path.start) } else { path.start.clone() };
            let look = Look { dash: palette::SOLID, ..self.look(&path.start) };
            if entries.iter().all(|entry| entry.label != label && !entry.label.ends_with(&format!(" {}", path.start))) {
                entries.push(KeyEntry { look, sample: Sample::Line, label });
            }
        }
        let cross = Look { marker: Marker::Cross, ..MEASURED };
        entries.push(KeyEntry { look: cross, sample: Sample::Point, label: "saddle".to_owned() });
        if !self.data.basin.is_empty() {
            let border = Look { colour: GREY, ..MEASURED };
            entries.push(KeyEntry { look: border, sample: Sample::Line, label: "basin boundary".to_owned() });
        }
        entries
    }

    /// The trajectories to draw: one of each start before a second of any.
    fn paths(&self) -> Vec<&crate::findings::Path2> {
        let mut chosen: Vec<(usize, &crate::findings::Path2)> = Vec::new();
        for path in &self.data.paths {
            let turn = chosen.iter().filter(|(_, other)| other.start == path.start).count();
            chosen.push((turn, path));
        }
        chosen.sort_by_key(|(turn, path)| (*turn, self.place(&path.start)));
        chosen.truncate(MOST_PATHS);
        chosen.into_iter().map(|(_, path)| path).collect()
    }

    fn place(&self, id: &str) -> usize {
        let minima = &self.findings.minima;
        minima.iter().position(|minimum| minimum.id == id).unwrap_or(minima.len())
    }

    fn look(&self, start: &str) -> Look {
        palette::group(self.place(start))
    }

    /// Shade of a density: 1 at the highest, 0 four decades below.
    fn depth(&self, density: f64) -> Option<f64> {
        if density <= 0.0 || self.highest <= 0.0 {
            return None;
        }
        let depth = 1.0 + (density / self.highest).log10() / DECADES;
        (depth >= 0.0).then(|| ((depth * SHADES).round() / SHADES).min(1.0))
    }

    fn draw_visits(&self, panel: &Panel<'_, '_>) -> Drawn {
        let [xs, ys] = &self.data.edges;
        let columns = xs.len().saturating_sub(1);
        // Neighbours overlap, else viewers show seams between them; what comes later, right or above, covers it.
        let overlap = 0.5;
        for row in 0..ys.len().saturating_sub(1) {
            let mut start = 0;
            while start < columns {
                let depth = |column: usize| self.depth(self.data.measured[row * columns + column]);
                let shade = depth(start);
                let end = (start..columns).find(|column| depth(*column) != shade).unwrap_or(columns);
                if let Some(shade) = shade {
                    let ((left, bottom), (right, top)) = (panel.at(xs[start], ys[row]), panel.at(xs[end], ys[row + 1]));
                    let to = (right + overlap, top - overlap);
                    panel.canvas.rectangle((left, bottom), to, palette::shade(shade), 1.0)?;
                }
                start = end;
            }
        }
        Ok(())
    }

    fn draw_loss(&self, panel: &Panel<'_, '_>) -> Drawn {
        let centres = self
            .data
            .edges
            .each_ref()
            .map(|edges| edges.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0).collect::<Vec<f64>>());
        for power in 0..LEVELS {
            let level = self.losses[0] + (self.losses[1] - self.losses[0]) * 0.5f64.powi(power);
            for line in contour::lines(&centres[0], &centres[1], &self.data.loss, level) {
                panel.line(line, Stroke::new(BLACK, 0.8).faint(0.55))?;
            }
        }
        if self.data.basin.len() != self.data.loss.len() {
            return Ok(());
        }
        let mut done = vec![false; self.data.basin.len()];
        for minimum in &self.findings.minima {
            let inside: Vec<bool> = self.data.basin.iter().map(|basin| *basin == minimum.id).collect();
            let mut share = smoothed(&inside, centres[0].len());
            // A border is drawn once, by the first of its two basins.
            for (share, _) in share.iter_mut().zip(&done).filter(|(_, done)| **done) {
                *share = f64::NAN;
            }
            for line in contour::lines(&centres[0], &centres[1], &share, 0.5) {
                panel.line(line, Stroke::new(GREY, 2.2))?;
            }
            done.iter_mut().zip(&inside).for_each(|(done, inside)| *done |= inside);
        }
        Ok(())
    }

    fn draw_paths(&self, panel: &Panel<'_, '_>) -> Drawn {
        for path in self.paths() {
            let colour = self.look(&path.start).colour;
            let points = path.points.iter().map(|point| (point[0], point[1]));
            panel.line(points, Stroke::new(colour, 1.1).faint(0.85))?;
            if let Some(first) = path.points.first() {
                panel.canvas.marker(panel.at(first[0], first[1]), Marker::Circle, 7.0, colour, true)?;
            }
        }
        Ok(())
    }

    fn draw_points(&self, panel: &Panel<'_, '_>) -> Drawn {
        let inside = |theta: &[f64]| match theta {
            [x, y, ..] => [panel.x.position(*x), panel.y.position(*y)].iter().all(|p| (0.0..=1.0).contains(p)),
            _ => false,
        };
        for saddle in self.findings.saddles.iter().filter(|saddle| inside(&saddle.theta)) {
            let at = panel.at(saddle.theta[0], saddle.theta[1]);
            panel.canvas.marker(at, Marker::Cross, 14.0, WHITE, false)?;
            panel.canvas.marker(at, Marker::Cross, 10.0, BLACK, false)?;
        }
        for minimum in self.findings.minima.iter().filter(|minimum| inside(&minimum.theta)) {
            let (x, y) = panel.at(minimum.theta[0], minimum.theta[1]);
            // On a white disc a letter is legible over any shade and any line.
            panel.canvas.marker((x, y), Marker::Circle, 21.0, BLACK, false)?;
            panel.canvas.marker((x, y), Marker::Circle, 18.6, WHITE, false)?;
            let lettering = Lettering { bold: true, ..Lettering::new(13.0, Align::Centre) };
            panel.canvas.text(&minimum.id, (x, y), lettering)?;
        }
        Ok(())
    }

    /// The scale of the shading, right of the panel.
    fn draw_scale(&self, canvas: &Canvas<'_>, (left, top): Point, height: f64) -> Drawn {
        let (right, bottom) = (left + 13.0, top + height);
        let steps = SHADES as usize;
        for step in 0..=steps {
            let part = |step: usize| bottom - height * step as f64 / (steps + 1) as f64;
            let colour = palette::shade(step as f64 / SHADES);
            canvas.rectangle((left, part(step)), (right, (part(step + 1) - 0.5).max(top)), colour, 1.0)?;
        }
        let stroke = Stroke::new(BLACK, 1.0);
        canvas.line(&[(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], stroke)?;
        let axis = Axis::new(Scale::Log, self.highest * 10f64.powf(-DECADES), self.highest);
        for power in axis.low.log10().ceil() as i32..=axis.high.log10().floor() as i32 {
            let y = bottom - axis.position(10f64.powi(power)) * height;
            canvas.line(&[(right, y), (right + 4.0, y)], stroke)?;
            let text = pretty(&format!("{:e}", 10f64.powi(power))).replace("1 × ", "").replace("10⁰", "1");
            canvas.text(&text, (right + 7.0, y), Lettering::new(SMALL, Align::Left))?;
        }
        let lettering = Lettering { upwards: true, ..Lettering::new(SMALL, Align::Centre) };
        canvas.text("probability density", (right + 47.0, (top + bottom) / 2.0), lettering)
    }
}

/// The share of a set in the neighbourhood of every cell: labels come by cells, borders should not be stairs.
fn smoothed(inside: &[bool], columns: usize) -> Vec<f64> {
    let rows = inside.len() / columns.max(1);
    let mut share: Vec<f64> = inside.iter().map(|inside| if *inside { 1.0 } else { 0.0 }).collect();
    for _ in 0..2 {
        share = (0..share.len())
            .map(|cell| {
                let (column, row) = (cell % columns, cell / columns);
                let across = column.saturating_sub(1)..=(column + 1).min(columns - 1);
                let up = row.saturating_sub(1)..=(row + 1).min(rows - 1);
                let around = up.flat_map(|row| across.clone().map(move |column| row * columns + column));
                let (sum, count) = around.fold((0.0, 0.0), |(sum, count), cell| (sum + share[cell], count + 1.0));
                sum / count
            })
            .collect();
    }
    share
}

impl Design for Map<'_> {
    fn size(&self) -> (f64, f64) {
        (WIDTH, (self.top() + self.height() + 46.0).ceil())
    }

    fn draw(&self, canvas: &Canvas<'_>) -> Drawn {
        key(canvas, &self.entries(), (12.0, 6.0), KEY_ROOM)?;
        let top = self.top();
        let frame = [LEFT, top, RIGHT, top + self.height()];
        let [x, y] = self.axes;
        let panel = Panel { canvas, frame, x, y };
        self.draw_visits(&panel)?;
        self.draw_loss(&panel)?;
        self.draw_paths(&panel)?;
        self.draw_points(&panel)?;
        let [left, top, right, _] = frame;
        canvas.line(&[(left, top), (right, top), (right, frame[3])], Stroke::new(BLACK, 1.2))?;
        panel.bottom_axis(&self.data.variables[0])?;
        panel.left_axis(&self.data.variables[1], 46.0)?;
        self.draw_scale(canvas, (right + 12.0, top), self.height())
    }
}
