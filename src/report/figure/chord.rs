//! The loss along the straight line between end points of the smallest and the largest noise.

use crate::findings::{ChordFigure, ChordPoint};

use super::super::number::significant;
use super::axis::{Axis, Scale};
use super::canvas::{Canvas, Drawn, Stroke};
use super::palette::{BLUE, DASHED, GREY, Look, MEASURED, Marker, PALE, SOLID, VERMILLION};
use super::panel::{KeyEntry, Panel, Sample, key, key_height};
use super::{Design, WIDTH};

const LEFT: f64 = 82.0;
const RIGHT: f64 = WIDTH - 18.0;
const KEY_ROOM: f64 = WIDTH - 24.0;
const HEIGHT: f64 = 300.0;
const TRAINING: Look = Look { colour: BLUE, marker: Marker::Circle, dash: SOLID };
const TEST: Look = Look { colour: VERMILLION, marker: Marker::Square, dash: DASHED };
const EDGE: Look = Look { colour: GREY, marker: Marker::Circle, dash: SOLID };

/// How a loss is drawn, and which it is.
type Series = (Look, fn(&ChordPoint) -> f64);

/// Loss along lines between end points.
pub(super) struct Chord<'a> {
    data: &'a ChordFigure,
}

impl<'a> Chord<'a> {
    pub(super) fn new(data: &'a ChordFigure) -> Self {
        Self { data }
    }

    /// What the figure shows.
    pub(super) fn caption(&self) -> String {
        let [first, second] = self.data.ratios.map(|ratio| significant(ratio, 4));
        let replicas = self.data.chords.len();
        format!(
            "Loss along the straight line θ(a) = (1 − a)θ₁ + aθ₂ from the end point at η/S = {first} (a = 0) to that at η/S = {second} (a = 1), \
             which started from the same weights and have the same training loss. Thin: each of {replicas} replicas; thick: medians. Horizontal \
             line: {} above the lower of the median training losses at the two ends, the height at which the width of a valley is taken.",
            significant(self.data.rise, 3)
        )
    }

    fn entries(&self) -> Vec<KeyEntry> {
        let line = |look: Look, label: &str| KeyEntry { look, sample: Sample::Line, label: label.to_owned() };
        let mut entries = vec![line(TRAINING, "training loss")];
        if self.points().any(|point| point.test.is_finite()) {
            entries.push(line(TEST, "test loss"));
        }
        entries.push(line(EDGE, "edge of a valley"));
        entries
    }

    fn points(&self) -> impl Iterator<Item = &ChordPoint> {
        self.data.chords.iter().flat_map(|(_, points)| points)
    }

    fn top(&self) -> f64 {
        key_height(&self.entries(), KEY_ROOM) + 34.0
    }

    /// Over the replicas, place by place.
    fn medians(&self, of: impl Fn(&ChordPoint) -> f64) -> Vec<(f64, f64)> {
        let places = self.data.chords.first().map_or(&[][..], |(_, points)| points);
        let median = |index: usize| {
            let here = self.data.chords.iter().filter_map(|(_, points)| points.get(index));
            crate::statistics::median(&here.map(&of).collect::<Vec<f64>>()).unwrap_or(f64::NAN)
        };
        places.iter().enumerate().map(|(index, point)| (point.a, median(index))).collect()
    }

    /// The height at which valleys end: above the lower of the ends.
    fn edge(&self) -> f64 {
        let ends = self.medians(|point| point.training).into_iter();
        let at_ends = ends.filter(|(a, _)| a.abs() < 1e-9 || (a - 1.0).abs() < 1e-9).map(|(_, loss)| loss);
        at_ends.fold(f64::INFINITY, f64::min) + self.data.rise
    }

    fn vertical(&self) -> Axis {
        let values = self.points().flat_map(|point| [point.training, point.test]);
        let positive = values.filter(|value| value.is_finite() && *value > 0.0);
        let (low, high) = positive.fold((f64::INFINITY, 0.0f64), |(low, high), x| (low.min(x), high.max(x)));
        Axis::new(Scale::Log, low / 1.3, high * 1.3)
    }

    fn draw_lines(&self, panel: &Panel<'_, '_>) -> Drawn {
        let series: [Series; 2] = [(TEST, |point| point.test), (TRAINING, |point| point.training)];
        for (look, of) in series {
            for (_, points) in &self.data.chords {
                panel
                    .line(points.iter().map(|point| (point.a, of(point))), Stroke::new(look.colour, 0.8).faint(0.22))?;
            }
        }
        for (look, of) in series {
            panel.line(self.medians(of), Stroke::new(look.colour, 2.4).dashed(look.dash))?;
        }
        Ok(())
    }
}

impl Design for Chord<'_> {
    fn size(&self) -> (f64, f64) {
        (WIDTH, (self.top() + HEIGHT + 46.0).ceil())
    }

    fn draw(&self, canvas: &Canvas<'_>) -> Drawn {
        key(canvas, &self.entries(), (12.0, 6.0), KEY_ROOM)?;
        let places = self.points().map(|point| point.a).filter(|a| a.is_finite());
        let (low, high) = places.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), a| (low.min(a), high.max(a)));
        let frame = [LEFT, self.top(), RIGHT, self.top() + HEIGHT];
        let panel = Panel { canvas, frame, x: Axis::new(Scale::Linear, low, high), y: self.vertical() };
        let [_, top, _, bottom] = frame;
        for (a, ratio) in [0.0, 1.0].into_iter().zip(self.data.ratios) {
            let at = panel.across(a);
            canvas.line(&[(at, top), (at, bottom)], Stroke::new(PALE, 1.5))?;
            let lettering = super::canvas::Lettering::new(super::canvas::SMALL, super::canvas::Align::Centre);
            canvas.text(&format!("η/S = {}", significant(ratio, 4)), (at, top - 12.0), lettering)?;
        }
        panel.line([(low, self.edge()), (high, self.edge())], Stroke::new(EDGE.colour, 1.0))?;
        self.draw_lines(&panel)?;
        for a in [0.0, 1.0] {
            let ends = self.medians(|point| point.training);
            for (_, loss) in ends.iter().filter(|(place, _)| (place - a).abs() < 1e-9) {
                canvas.marker(panel.at(a, *loss), MEASURED.marker, 9.0, MEASURED.colour, false)?;
            }
        }
        panel.left_axis("loss", 60.0)?;
        panel.bottom_axis("a")
    }
}
