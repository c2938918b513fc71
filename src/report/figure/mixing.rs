//! Running occupancies by start basin: replicas that have forgotten where they started agree.

use crate::findings::{Findings, MixingFigure, OccupancyRecord};
use crate::scenario::Rung;

use super::super::words::{RUNGS, predicted, rung_name};
use super::axis::{Axis, Scale};
use super::canvas::{Align, Canvas, Drawn, Lettering, SMALL, Stroke};
use super::palette::{self, Look};
use super::panel::{KeyEntry, Panel, Sample, key, key_height};
use super::{Design, WIDTH};

const LEFT: f64 = 66.0;
const RIGHT: f64 = WIDTH - 16.0;
const GAP: f64 = 20.0;
const KEY_ROOM: f64 = WIDTH - 24.0;
/// More panels than this would be too small to read; the likeliest minima are shown.
const MOST_PANELS: usize = 4;

/// One panel per minimum, one line per start group.
pub(super) struct Mixing<'a> {
    data: &'a MixingFigure,
    rows: Vec<Shown<'a>>,
    of: usize,
    starts: Vec<&'a str>,
    rungs: Vec<Rung>,
}

/// A minimum whose course was observed.
struct Shown<'a> {
    minimum: &'a str,
    /// What is predicted of it, by a question that is about occupancies.
    record: Option<&'a OccupancyRecord>,
}

impl Shown<'_> {
    fn predicted(&self, rung: Rung) -> Option<f64> {
        predicted(self.record?, rung)
    }
}

impl<'a> Mixing<'a> {
    /// Chooses the minima to show: with two, one tells all.
    pub(super) fn new(findings: &'a Findings, data: &'a MixingFigure) -> Self {
        let mut rows: Vec<Shown> = Vec::new();
        for series in &data.series {
            let minimum = series.minimum.as_str();
            if rows.iter().all(|row| row.minimum != minimum) {
                let record = findings.occupancy.iter().find(|record| record.minimum == minimum);
                rows.push(Shown { minimum, record });
            }
        }
        let of = rows.len();
        if of == 2 {
            rows.truncate(1);
        } else if of > MOST_PANELS {
            let weight = |row: &Shown| {
                let known = row.record.and_then(|record| record.measured.or(record.gibbs).or(record.laplace));
                known.unwrap_or(0.0)
            };
            rows.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
            rows.truncate(MOST_PANELS);
            rows.sort_by_key(|row| (row.minimum.len(), row.minimum));
        }
        let mut starts: Vec<&str> = Vec::new();
        for series in &data.series {
            if !starts.contains(&series.start.as_str()) {
                starts.push(&series.start);
            }
        }
        let known = |rung: &Rung| rows.iter().any(|row| row.predicted(*rung).is_some());
        let rungs = RUNGS.into_iter().filter(known).collect();
        Mixing { data, rows, of, starts, rungs }
    }

    /// What the figure shows.
    pub(super) fn caption(&self) -> String {
        let choice = match self.of {
            2 => " With two minima the other one is the complement.".to_owned(),
            of if of > self.rows.len() => format!(" Shown are the {} likeliest of {of} minima.", self.rows.len()),
            _ => String::new(),
        };
        let lines = if self.rungs.is_empty() { "" } else { " Horizontal lines are the predictions." };
        format!(
            "The fraction of time spent in a minimum since the end of the burn-in, by the minimum in which the replicas \
             started, with 95 % bands between the replicas of a group (±1.96 standard errors).{lines} \
             A simulation that mixes has forgotten its starts: the groups come together, and their \
             bands overlap and narrow. Groups that stay apart say nothing about equilibrium.{choice}"
        )
    }

    /// Where the first panel begins, below the key.
    fn top(&self) -> f64 {
        key_height(&self.entries(), KEY_ROOM) + 14.0
    }

    fn panel_height(&self) -> f64 {
        match self.rows.len() {
            0 | 1 => 220.0,
            2 => 150.0,
            _ => 118.0,
        }
    }

    fn entries(&self) -> Vec<KeyEntry> {
        let starts = self.starts.iter().enumerate().map(|(index, start)| KeyEntry {
            look: palette::group(index),
            sample: Sample::Band,
            label: if index == 0 { format!("started in {start}") } else { (*start).to_owned() },
        });
        let rungs = self.rungs.iter().map(|rung| KeyEntry {
            look: horizontal(*rung),
            sample: Sample::Line,
            label: rung_name(*rung).to_owned(),
        });
        starts.chain(rungs).collect()
    }

    /// The range of one minimum's occupancies: all of them late in the run, and the predictions.
    fn vertical(&self, row: &Shown) -> Axis {
        let series = self.data.series.iter().filter(|series| series.minimum == row.minimum);
        let ends = series.flat_map(|series| {
            let both = series.value.iter().zip(&series.standard_error);
            both.flat_map(|(value, error)| {
                let error = if error.is_finite() { 1.96 * error } else { 0.0 };
                [(value - error).max(0.0), (value + error).min(1.0)]
            })
        });
        let predictions = self.rungs.iter().filter_map(|rung| row.predicted(*rung));
        let (low, high) = ends
            .chain(predictions)
            .filter(|value| value.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        if low > high {
            return Axis::new(Scale::Linear, 0.0, 1.0);
        }
        let margin = 0.05 * (high - low).max(1e-3);
        Axis::new(Scale::Linear, low - margin, high + margin)
    }

    fn draw_panel(&self, panel: &Panel<'_, '_>, row: &Shown) -> Drawn {
        for (pass, index) in [0, 1].into_iter().flat_map(|pass| (0..self.starts.len()).map(move |i| (pass, i))) {
            let of_group =
                |s: &&crate::findings::MixingSeries| s.start == self.starts[index] && s.minimum == row.minimum;
            let Some(series) = self.data.series.iter().find(of_group) else { continue };
            let look = palette::group(index);
            let values = self.data.time.iter().copied().zip(series.value.iter().copied());
            // All bands first, so that no band hides a line.
            if pass == 0 {
                let rows = values.zip(&series.standard_error);
                let band: Vec<_> =
                    rows.map(|((t, p), e)| (t, (p - 1.96 * e).max(0.0), (p + 1.96 * e).min(1.0))).collect();
                panel.band(&band, look.colour, if self.starts.len() > 4 { 0.12 } else { 0.2 })?;
            } else {
                panel.line(values, Stroke::new(look.colour, 2.0).dashed(look.dash))?;
            }
        }
        // Broken lines go over the solid one: rungs that agree are all seen.
        let solid_first = [Rung::Gibbs, Rung::Ito, Rung::Discrete, Rung::Laplace];
        for rung in solid_first.iter().filter(|rung| self.rungs.contains(rung)) {
            if let Some(p) = row.predicted(*rung) {
                let look = horizontal(*rung);
                let stroke = Stroke::new(look.colour, 1.5).dashed(look.dash);
                panel.line([(panel.x.low, p), (panel.x.high, p)], stroke)?;
            }
        }
        panel.left_axis(&format!("occupancy of {}", row.minimum), 50.0)
    }
}

/// Predictions are grey or black, told apart by their dashes: colours belong to the start groups here.
fn horizontal(rung: Rung) -> Look {
    // Itô and discrete often coincide: grey shows between the black dashes.
    let colour = if matches!(rung, Rung::Gibbs | Rung::Ito) { palette::GREY } else { palette::BLACK };
    Look { colour, ..palette::rung(rung) }
}

impl Design for Mixing<'_> {
    fn size(&self) -> (f64, f64) {
        let panels = self.rows.len().max(1) as f64;
        (WIDTH, (self.top() + panels * (self.panel_height() + GAP) - GAP + 46.0).ceil())
    }

    fn draw(&self, canvas: &Canvas<'_>) -> Drawn {
        key(canvas, &self.entries(), (12.0, 6.0), KEY_ROOM)?;
        let mut top = self.top();
        let positive = || self.data.time.iter().copied().filter(|time| *time > 0.0);
        let (first, last) = positive().fold((f64::INFINITY, 0.0f64), |(l, h), t| (l.min(t), h.max(t)));
        if self.rows.is_empty() || last == 0.0 {
            let lettering = Lettering::new(SMALL, Align::Centre);
            return canvas.text("no minimum was observed", (WIDTH / 2.0, top + 60.0), lettering);
        }
        // Early fluctuations shrink as 1/√t: on a logarithmic axis their end is as legible as their beginning.
        let x = Axis::new(if last / first >= 20.0 { Scale::Log } else { Scale::Linear }, first, last);
        for (index, row) in self.rows.iter().enumerate() {
            let frame = [LEFT, top, RIGHT, top + self.panel_height()];
            let panel = Panel { canvas, frame, x, y: self.vertical(row) };
            self.draw_panel(&panel, row)?;
            if index + 1 == self.rows.len() {
                panel.bottom_axis("SDE time t after the burn-in")?
            } else {
                panel.bottom_ticks()?
            }
            top += self.panel_height() + GAP;
        }
        Ok(())
    }
}
