//! A panel: a rectangle of the canvas with axes, into which data are drawn and clipped.

use plotters::style::RGBColor;

use super::axis::{Axis, Tick};
use super::canvas::{Align, Canvas, Drawn, Lettering, Point, SMALL, Stroke, TEXT, width};
use super::palette::{BLACK, Look};

/// Where a panel is and what its axes are.
pub(super) struct Panel<'a, 'b> {
    pub(super) canvas: &'a Canvas<'b>,
    /// Left, top, right, bottom in design units.
    pub(super) frame: [f64; 4],
    pub(super) x: Axis,
    pub(super) y: Axis,
}

impl Panel<'_, '_> {
    /// Design units of a point of the data, clipped or not.
    pub(super) fn at(&self, x: f64, y: f64) -> Point {
        (self.across(x), self.up(y))
    }

    /// Horizontal design unit of a value.
    pub(super) fn across(&self, x: f64) -> f64 {
        self.frame[0] + self.x.position(x) * (self.frame[2] - self.frame[0])
    }

    /// Vertical design unit of a value.
    pub(super) fn up(&self, y: f64) -> f64 {
        self.frame[3] - self.y.position(y) * (self.frame[3] - self.frame[1])
    }

    /// A line through data; breaks where a value is not finite, ends at the frame.
    pub(super) fn line(&self, data: impl IntoIterator<Item = (f64, f64)>, stroke: Stroke) -> Drawn {
        let mut run: Vec<Point> = Vec::new();
        let mut previous: Option<Point> = None;
        for (x, y) in data {
            let point = self.at(x, y);
            if !(point.0.is_finite() && point.1.is_finite()) {
                self.canvas.line(&std::mem::take(&mut run), stroke)?;
                previous = None;
                continue;
            }
            if let Some(from) = previous {
                match clip(from, point, self.frame) {
                    Some((start, end)) => {
                        if run.last() != Some(&start) {
                            self.canvas.line(&std::mem::take(&mut run), stroke)?;
                            run.push(start);
                        }
                        run.push(end);
                    }
                    None => self.canvas.line(&std::mem::take(&mut run), stroke)?,
                }
            }
            previous = Some(point);
        }
        self.canvas.line(&run, stroke)
    }

    /// The area between two curves, one stretch at a time, clipped to the frame.
    pub(super) fn band(&self, data: &[(f64, f64, f64)], colour: RGBColor, opacity: f64) -> Drawn {
        let known = |row: &(f64, f64, f64)| row.0.is_finite() && row.1.is_finite() && row.2.is_finite();
        for stretch in data.split(|row| !known(row)) {
            let inside = |x: f64, y: f64| {
                let (x, y) = self.at(x, y);
                (x.clamp(self.frame[0], self.frame[2]), y.clamp(self.frame[1], self.frame[3]))
            };
            let mut outline: Vec<Point> = stretch.iter().map(|row| inside(row.0, row.1)).collect();
            outline.extend(stretch.iter().rev().map(|row| inside(row.0, row.2)));
            self.canvas.polygon(&outline, colour, opacity)?;
        }
        Ok(())
    }

    /// A filled rectangle of data, clipped to the frame.
    pub(super) fn block(&self, from: (f64, f64), to: (f64, f64), colour: RGBColor, opacity: f64) -> Drawn {
        let inside =
            |point: Point| (point.0.clamp(self.frame[0], self.frame[2]), point.1.clamp(self.frame[1], self.frame[3]));
        let (from, to) = (inside(self.at(from.0, from.1)), inside(self.at(to.0, to.1)));
        if from.0 == to.0 || from.1 == to.1 {
            return Ok(());
        }
        self.canvas.rectangle(from, to, colour, opacity)
    }

    /// A horizontal interval with caps; what lies outside the frame is cut without a cap.
    pub(super) fn interval(&self, low: f64, high: f64, y: f64, stroke: Stroke) -> Drawn {
        let [left, _, right, _] = self.frame;
        let (from, to) = (self.across(low).clamp(left, right), self.across(high).clamp(left, right));
        if from == to {
            return Ok(());
        }
        self.canvas.line(&[(from, y), (to, y)], stroke)?;
        for (end, cut) in [(from, self.across(low) < left), (to, self.across(high) > right)] {
            if !cut {
                self.canvas.line(&[(end, y - 3.0), (end, y + 3.0)], stroke)?;
            }
        }
        Ok(())
    }

    /// The bottom axis with ticks and a title.
    pub(super) fn bottom_axis(&self, title: &str) -> Drawn {
        let [left, _, right, bottom] = self.frame;
        let stroke = Stroke::new(BLACK, 1.2);
        self.canvas.line(&[(left, bottom), (right, bottom)], stroke)?;
        for (at, label) in self.chosen_ticks() {
            self.canvas.line(&[(at, bottom), (at, bottom + 5.0)], stroke)?;
            self.canvas.text(&label, (at, bottom + 14.0), Lettering::new(SMALL, Align::Centre))?;
        }
        self.canvas.text(title, ((left + right) / 2.0, bottom + 33.0), Lettering::new(TEXT, Align::Centre))
    }

    /// Ticks of the bottom axis whose labels do not collide, from the most welcome on.
    fn chosen_ticks(&self) -> Vec<(f64, String)> {
        let at_most = ((self.frame[2] - self.frame[0]) / 48.0).max(4.0) as usize;
        let mut chosen: Vec<(f64, f64, String)> = Vec::new();
        for Tick { value, label } in self.x.ticks(at_most) {
            let (at, half) = (self.across(value), width(&label, SMALL) / 2.0);
            // A label never reaches over the edge of the figure.
            let inside = at - half > 1.0 && at + half < self.canvas.breadth() - 1.0;
            if inside && chosen.iter().all(|(other, width, _)| (at - other).abs() > half + width + 7.0) {
                chosen.push((at, half, label));
            }
        }
        chosen.into_iter().map(|(at, _, label)| (at, label)).collect()
    }

    /// The bottom line and its ticks without labels, for a panel that shares the axis of the one below.
    pub(super) fn bottom_ticks(&self) -> Drawn {
        let [left, _, right, bottom] = self.frame;
        let stroke = Stroke::new(BLACK, 1.2);
        self.canvas.line(&[(left, bottom), (right, bottom)], stroke)?;
        for (at, _) in self.chosen_ticks() {
            self.canvas.line(&[(at, bottom), (at, bottom + 5.0)], stroke)?;
        }
        Ok(())
    }

    /// The left axis with ticks and a title read upwards, `distance` left of the frame.
    pub(super) fn left_axis(&self, title: &str, distance: f64) -> Drawn {
        let [left, top, _, bottom] = self.frame;
        let stroke = Stroke::new(BLACK, 1.2);
        self.canvas.line(&[(left, top), (left, bottom)], stroke)?;
        let at_most = ((bottom - top) / 40.0).max(3.5).round() as usize;
        let mut taken: Vec<f64> = Vec::new();
        for Tick { value, label } in self.y.ticks(at_most) {
            let at = self.up(value);
            if taken.iter().all(|other| (at - other).abs() > 16.0) {
                taken.push(at);
                self.canvas.line(&[(left - 5.0, at), (left, at)], stroke)?;
                self.canvas.text(&label, (left - 8.0, at), Lettering::new(SMALL, Align::Right))?;
            }
        }
        let lettering = Lettering { upwards: true, ..Lettering::new(TEXT, Align::Centre) };
        self.canvas.text(title, (left - distance, (top + bottom) / 2.0), lettering)
    }
}

/// One entry of a key: a sample and what it stands for.
pub(super) struct KeyEntry {
    pub(super) look: Look,
    pub(super) sample: Sample,
    pub(super) label: String,
}

/// How a key shows a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sample {
    /// A stretch of its line.
    Line,
    /// Its marker.
    Point,
    /// Its marker, white inside.
    OpenPoint,
    /// Its marker with an error bar.
    Interval,
    /// Its line on a translucent band.
    Band,
    /// A patch of its colour.
    Patch,
}

/// Rows of a key within `room`, and where each entry begins.
fn key_layout(entries: &[KeyEntry], room: f64) -> Vec<(f64, f64)> {
    let (mut x, mut row) = (0.0, 0.0);
    let mut places = Vec::with_capacity(entries.len());
    for entry in entries {
        let wide = 31.0 + width(&entry.label, SMALL);
        if x > 0.0 && x + wide > room {
            (x, row) = (0.0, row + 1.0);
        }
        places.push((x, row));
        x += wide + 16.0;
    }
    places
}

const KEY_ROW: f64 = 19.0;

/// The height of a key laid out within `room`.
pub(super) fn key_height(entries: &[KeyEntry], room: f64) -> f64 {
    key_layout(entries, room).last().map_or(0.0, |(_, row)| (row + 1.0) * KEY_ROW)
}

/// A key above the panels, never over data: entries side by side, wrapped within `room`.
pub(super) fn key(canvas: &Canvas<'_>, entries: &[KeyEntry], (left, top): Point, room: f64) -> Drawn {
    for (entry, (x, row)) in entries.iter().zip(key_layout(entries, room)) {
        let (x, y) = (left + x, top + (row + 0.5) * KEY_ROW);
        let stroke = Stroke::new(entry.look.colour, 2.0);
        let (from, to) = ((x, y), (x + 25.0, y));
        match entry.sample {
            Sample::Line => canvas.line(&[from, to], stroke.dashed(entry.look.dash))?,
            Sample::Point => canvas.marker((x + 12.5, y), entry.look.marker, 9.0, entry.look.colour, false)?,
            Sample::OpenPoint => canvas.marker((x + 12.5, y), entry.look.marker, 9.0, entry.look.colour, true)?,
            Sample::Interval => {
                canvas.line(&[(x + 2.0, y), (x + 23.0, y)], Stroke::new(entry.look.colour, 1.5))?;
                canvas.marker((x + 12.5, y), entry.look.marker, 9.0, entry.look.colour, false)?;
            }
            Sample::Band => {
                canvas.rectangle((x, y - 6.0), (x + 25.0, y + 6.0), entry.look.colour, 0.2)?;
                canvas.line(&[from, to], stroke.dashed(entry.look.dash))?;
            }
            Sample::Patch => canvas.rectangle((x, y - 6.0), (x + 25.0, y + 6.0), entry.look.colour, 1.0)?,
        }
        canvas.text(&entry.label, (x + 31.0, y), Lettering::new(SMALL, Align::Left))?;
    }
    Ok(())
}

/// The part of a segment inside a frame (Liang and Barsky).
fn clip(from: Point, to: Point, [left, top, right, bottom]: [f64; 4]) -> Option<(Point, Point)> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (mut enter, mut leave) = (0.0f64, 1.0f64);
    for (slope, room) in [(-dx, from.0 - left), (dx, right - from.0), (-dy, from.1 - top), (dy, bottom - from.1)] {
        if slope == 0.0 {
            if room < 0.0 {
                return None;
            }
        } else if slope < 0.0 {
            enter = enter.max(room / slope);
        } else {
            leave = leave.min(room / slope);
        }
    }
    let at = |part: f64| {
        if part == 0.0 {
            from
        } else if part == 1.0 {
            to
        } else {
            (from.0 + part * dx, from.1 + part * dy)
        }
    };
    (enter <= leave).then(|| (at(enter), at(leave)))
}
