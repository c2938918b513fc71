//! Two axes: maps of what was measured, of how far it is from the tested prediction, and of the verdicts.

use plotters::style::RGBColor;

use super::super::axis::{Axis, Scale};
use super::super::canvas::{Align, Canvas, Drawn, Lettering, SMALL, Stroke, TEXT, width};
use super::super::palette::{self, BAND, BLACK, GREY, Look, MEASURED, PALE, WHITE};
use super::super::panel::{KeyEntry, Sample, key, key_height};
use super::super::{Design, WIDTH};
use super::{Data, Fate, label, primary};
use crate::findings::StudyPoint;
use crate::report::number::{count, pretty, significant};

const LEFT: f64 = 84.0;
const RIGHT: f64 = WIDTH - 88.0;
const KEY_ROOM: f64 = WIDTH - 24.0;
/// From the foot of one map to the head of the next, tick labels of the axis included.
const BETWEEN: f64 = 46.0;
/// Above every map its title.
const TITLE: f64 = 24.0;
/// Cells smaller than this have no room for a sign.
const ROOM_FOR_SIGNS: f64 = 9.0;
/// Differences of more than this many tolerances are shown on a compressed scale.
const LINEAR_UP_TO: f64 = 6.0;

/// A study over two axes.
pub(super) struct Heat<'a> {
    data: Data<'a>,
    axes: [usize; 2],
    quantity: Option<String>,
    /// Cells, the first axis running fastest; those of the first values of all other axes.
    cells: Vec<Option<&'a StudyPoint>>,
}

/// What a map shows.
#[derive(Clone, Copy, PartialEq)]
enum Show {
    Measured,
    Difference,
    Verdict,
}

impl<'a> Heat<'a> {
    pub(super) fn new(data: Data<'a>, axes: [usize; 2]) -> Self {
        let quantity = data.quantities().into_iter().next();
        let [columns, rows] = axes.map(|axis| data.spec.axis[axis].values.len());
        let mut cells = vec![None; columns * rows];
        for row in data.rows {
            let places = data.spec.places(row.index);
            let others = places.iter().enumerate().filter(|(axis, _)| !axes.contains(axis));
            if others.clone().all(|(_, place)| *place == 0) {
                cells[places[axes[1]] * columns + places[axes[0]]] = Some(row);
            }
        }
        Heat { data, axes, quantity, cells }
    }

    /// What the figure shows.
    pub(super) fn caption(&self) -> String {
        let others: Vec<String> = self
            .data
            .spec
            .axis
            .iter()
            .enumerate()
            .filter(|(axis, spec)| !self.axes.contains(axis) && spec.values.len() > 1)
            .map(|(_, spec)| {
                format!("{} = {} (of {} values)", spec.path, label(&spec.values[0]), count(spec.values.len() as u64))
            })
            .collect();
        let slice = if others.is_empty() {
            String::new()
        } else {
            format!(" Of the other axes the first value is shown: {}; study.csv has all.", others.join(", "))
        };
        let quantity = self.quantity.as_deref().unwrap_or("nothing").replace('_', "");
        format!(
            "From above: {quantity} as measured; measured minus the tested prediction in units of the tolerance ε (orange: above, \
             blue: below; + and − mark cells above ε and below −ε where there is room; the scale ends at the largest difference); and the \
             verdicts, with Holm's correction over all points. The standard error of the differences is {} in the median, \
             {} at most. A diagonal stroke marks an unstable step (δh ≥ 2), dark grey a point without a result. Values are spaced evenly, \
             whatever they are.{slice}",
            self.errors(0.5),
            self.errors(1.0),
        )
    }

    /// A quantile of the differences' standard errors, in units of ε.
    fn errors(&self, part: f64) -> String {
        let quantity = self.quantity.as_deref().unwrap_or_default();
        let of = |row: &StudyPoint| {
            let (claim, contrast) = primary(row, quantity)?;
            Some(contrast.standard_error? / claim.tolerance)
        };
        let mut errors: Vec<f64> = self.cells.iter().flatten().filter_map(|row| of(row)).collect();
        errors.sort_by(f64::total_cmp);
        let place = ((errors.len().max(1) - 1) as f64 * part) as usize;
        errors.get(place).map_or("unknown".to_owned(), |error| format!("{} ε", significant(*error, 2)))
    }

    fn counts(&self) -> [usize; 2] {
        self.axes.map(|axis| self.data.spec.axis[axis].values.len())
    }

    fn height(&self) -> f64 {
        let [columns, rows] = self.counts();
        ((RIGHT - LEFT) * rows as f64 / columns as f64).clamp(90.0, 210.0)
    }

    fn entries(&self) -> Vec<KeyEntry> {
        let entry = |fate: Fate| KeyEntry {
            look: Look { marker: fate.marker().0, colour: patch(fate), ..MEASURED },
            sample: Sample::Patch,
            label: fate.name().to_owned(),
        };
        self.data.fates().into_iter().map(entry).collect()
    }

    fn value(&self, row: &StudyPoint, show: Show) -> Option<f64> {
        let (claim, contrast) = primary(row, self.quantity.as_deref()?)?;
        match show {
            Show::Measured => contrast.measured,
            Show::Difference => Some((contrast.measured? - contrast.predicted?) / claim.tolerance),
            Show::Verdict => None,
        }
    }

    fn range(&self, show: Show) -> (f64, f64) {
        let values = self.cells.iter().flatten().filter_map(|row| self.value(row, show));
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        match show {
            Show::Difference => {
                let reach = high.abs().max(low.abs());
                let reach = if reach.is_finite() { reach.max(1.0) } else { 1.0 };
                (-reach, reach)
            }
            _ => (low, high),
        }
    }

    /// Differences in units of ε: compressed where some would else be all that is seen.
    fn differences(&self, reach: f64) -> Axis {
        Axis::new(if reach > LINEAR_UP_TO { Scale::Asinh(1.0) } else { Scale::Linear }, -reach, reach)
    }

    fn draw_map(&self, canvas: &Canvas<'_>, top: f64, show: Show) -> Drawn {
        let frame = [LEFT, top, RIGHT, top + self.height()];
        let [columns, rows] = self.counts();
        let size = [(RIGHT - LEFT) / columns as f64, self.height() / rows as f64];
        let (low, high) = self.range(show);
        for (index, cell) in self.cells.iter().enumerate() {
            let (column, row) = (index % columns, index / columns);
            let left = LEFT + column as f64 * size[0];
            let foot = frame[3] - row as f64 * size[1];
            let (from, to) = ((left, foot - size[1]), (left + size[0], foot));
            let Some(point) = cell else { continue };
            let fate = Fate::of(point);
            let value = self.value(point, show);
            let colour = match (show, value) {
                (Show::Measured, Some(value)) => palette::shade((value - low) / (high - low).max(1e-300)),
                (Show::Difference, Some(value)) => diverging(2.0 * self.differences(high).position(value) - 1.0),
                _ => patch(fate),
            };
            canvas.rectangle(from, to, colour, 1.0)?;
            if value.is_none() && fate == Fate::Unstable {
                canvas.line(&[(from.0, to.1), (to.0, from.1)], Stroke::new(GREY, 1.0))?;
            }
            if size[0].min(size[1]) >= ROOM_FOR_SIGNS {
                let dark = value.is_some_and(|value| value < 0.0 && self.differences(high).position(value) < 0.25);
                let middle = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0);
                sign(canvas, middle, size[0].min(size[1]), (show, fate, value), dark)?;
            }
        }
        let [left, top, right, bottom] = frame;
        let outline = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
        canvas.line(&outline, Stroke::new(BLACK, 1.2))?;
        self.draw_axes(canvas, frame, show == Show::Verdict)?;
        let title = match (show, &self.quantity) {
            (Show::Measured, Some(quantity)) => format!("{quantity}, measured"),
            (Show::Difference, Some(_)) => "(measured − predicted) / ε;  + above ε, − below −ε".to_owned(),
            _ => "verdicts".to_owned(),
        };
        canvas.formula(&title, (left, top - 11.0), Lettering::new(TEXT, Align::Left))?;
        if show == Show::Verdict || !(high - low).is_finite() {
            return Ok(());
        }
        let axis = if show == Show::Difference { self.differences(high) } else { Axis::new(Scale::Linear, low, high) };
        scale(canvas, frame, axis, show)
    }

    /// Names of as many values as have room; the axis's own name at the last map.
    fn draw_axes(&self, canvas: &Canvas<'_>, frame: [f64; 4], last: bool) -> Drawn {
        let [left, top, right, bottom] = frame;
        let [columns, rows] = self.counts();
        let stroke = Stroke::new(BLACK, 1.2);
        let axis = |place: usize| &self.data.spec.axis[self.axes[place]];
        let names = self.axes.map(|axis| self.data.labels(axis));
        // Every so many values, so that no two names collide.
        let widest = names[0].iter().map(|name| width(name, SMALL)).fold(0.0, f64::max);
        let every = |room: f64, cell: f64| (room / cell).ceil().max(1.0) as usize;
        let cell = (right - left) / columns as f64;
        for (index, name) in names[0].iter().enumerate().step_by(every(widest + 8.0, cell)) {
            let at = left + (index as f64 + 0.5) * cell;
            canvas.line(&[(at, bottom), (at, bottom + 4.0)], stroke)?;
            canvas.text(name, (at, bottom + 13.0), Lettering::new(SMALL, Align::Centre))?;
        }
        let cell = (bottom - top) / rows as f64;
        for (index, name) in names[1].iter().enumerate().step_by(every(17.0, cell)) {
            let at = bottom - (index as f64 + 0.5) * cell;
            canvas.line(&[(left - 4.0, at), (left, at)], stroke)?;
            canvas.text(name, (left - 7.0, at), Lettering::new(SMALL, Align::Right))?;
        }
        let upwards = Lettering { upwards: true, ..Lettering::new(SMALL, Align::Centre) };
        canvas.text(&axis(1).path, (left - 66.0, (top + bottom) / 2.0), upwards)?;
        if last {
            let middle = ((left + right) / 2.0, bottom + 32.0);
            canvas.text(&axis(0).path, middle, Lettering::new(TEXT, Align::Centre))?;
        }
        Ok(())
    }
}

/// The colour of a fate: their greys differ as well.
fn patch(fate: Fate) -> RGBColor {
    match fate {
        Fate::Holds => BAND,
        Fate::Rejected => RGBColor(170, 60, 0),
        Fate::Undetermined => RGBColor(168, 168, 168),
        Fate::Unstable => PALE,
        Fate::NoResult => RGBColor(70, 70, 70),
    }
}

/// From blue through white to orange. The ends differ in grey: blue is the darker one.
fn diverging(value: f64) -> RGBColor {
    let (part, end) = (value.abs().min(1.0), if value < 0.0 { (10.0, 60.0, 130.0) } else { (235.0, 130.0, 20.0) });
    let mix = |to: f64| (255.0 + part * (to - 255.0)).round() as u8;
    RGBColor(mix(end.0), mix(end.1), mix(end.2))
}

/// What a cell says without colour: its verdict, or on which side of ±ε it lies.
fn sign(
    canvas: &Canvas<'_>,
    at: (f64, f64),
    room: f64,
    (show, fate, value): (Show, Fate, Option<f64>),
    dark: bool,
) -> Drawn {
    let size = (0.45 * room).min(9.0);
    match (show, value) {
        (Show::Verdict, _) if fate != Fate::Unstable => {
            let (marker, open) = fate.marker();
            let on_dark = matches!(fate, Fate::Rejected | Fate::NoResult);
            canvas.marker(at, marker, size, if on_dark { WHITE } else { BLACK }, open && !on_dark)
        }
        (Show::Difference, Some(value)) if value.abs() > 1.0 => {
            let text = if value > 0.0 { "+" } else { "−" };
            let colour = if dark { WHITE } else { BLACK };
            canvas.text(text, at, Lettering { colour, ..Lettering::new(1.8 * size, Align::Centre) })
        }
        _ => Ok(()),
    }
}

/// The scale of the colours, right of a map.
fn scale(canvas: &Canvas<'_>, frame: [f64; 4], axis: Axis, show: Show) -> Drawn {
    const STEPS: usize = 48;
    let [_, top, edge, bottom] = frame;
    let (left, right) = (edge + 12.0, edge + 25.0);
    for step in 0..STEPS {
        let at = |step: usize| bottom - (bottom - top) * step as f64 / STEPS as f64;
        let part = (step as f64 + 0.5) / STEPS as f64;
        let colour = if show == Show::Measured { palette::shade(part) } else { diverging(2.0 * part - 1.0) };
        canvas.rectangle((left, at(step)), (right, (at(step + 1) - 0.5).max(top)), colour, 1.0)?;
    }
    let stroke = Stroke::new(BLACK, 1.0);
    canvas.line(&[(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], stroke)?;
    let mut taken: Vec<f64> = Vec::new();
    for tick in axis.ticks(((bottom - top) / 40.0).max(2.0) as usize) {
        let y = bottom - axis.position(tick.value) * (bottom - top);
        if taken.iter().any(|other| (y - other).abs() < 15.0) {
            continue;
        }
        taken.push(y);
        canvas.line(&[(right, y), (right + 4.0, y)], stroke)?;
        canvas.text(&pretty(&tick.label), (right + 7.0, y), Lettering::new(SMALL, Align::Left))?;
    }
    Ok(())
}

impl Design for Heat<'_> {
    fn size(&self) -> (f64, f64) {
        let top = key_height(&self.entries(), KEY_ROOM) + 10.0;
        (WIDTH, (top + 3.0 * (TITLE + self.height()) + 2.0 * BETWEEN - 20.0 + 46.0).ceil())
    }

    fn draw(&self, canvas: &Canvas<'_>) -> Drawn {
        let entries = self.entries();
        let mut top = 6.0 + TITLE;
        for show in [Show::Measured, Show::Difference] {
            self.draw_map(canvas, top, show)?;
            top += self.height() + BETWEEN - 10.0 + TITLE - 4.0;
        }
        key(canvas, &entries, (12.0, top - TITLE - 4.0), KEY_ROOM)?;
        self.draw_map(canvas, top + key_height(&entries, KEY_ROOM) + 4.0, Show::Verdict)
    }
}
