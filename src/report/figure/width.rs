//! Curvature at equal training loss against η/S, one panel per measure, groups of equal η/S side by side.

use crate::findings::{Findings, WidthFigure, WidthPlace, WidthPoint};

use super::super::number::significant;
use super::axis::{Axis, Scale};
use super::canvas::{Canvas, Drawn, Stroke};
use super::palette::{BLUE, Look, Marker, SOLID, VERMILLION};
use super::panel::{KeyEntry, Panel, Sample, key, key_height};
use super::{Design, WIDTH};

const LEFT: f64 = 82.0;
const RIGHT: f64 = WIDTH - 18.0;
const KEY_ROOM: f64 = WIDTH - 24.0;
const HEIGHT: f64 = 170.0;
const GAP: f64 = 16.0;
/// How far neighbours of one η/S stand apart, as a factor, so that their intervals do not hide each other.
const APART: f64 = 1.09;

/// Curvature against η/S.
pub(super) struct Width<'a> {
    findings: &'a Findings,
    data: &'a WidthFigure,
}

impl<'a> Width<'a> {
    pub(super) fn new(findings: &'a Findings, data: &'a WidthFigure) -> Self {
        Self { findings, data }
    }

    /// What the figure shows.
    pub(super) fn caption(&self) -> String {
        let loss = self.findings.scenario.width.as_ref().map_or(f64::NAN, |width| width.loss);
        format!(
            "Curvature of the training loss where it has fallen to {}: largest eigenvalue, trace and Frobenius norm of H against η/S, on \
             logarithmic axes. Points: medians over seeds; bars: their 95 % intervals by a bootstrap over seeds. Groups of equal η/S stand \
             side by side about their common place, by rising S; equal noise, equal width means that they are level, to within ±{} in ln.",
            significant(loss, 3),
            significant(self.findings.scenario.test.tolerance, 3)
        )
    }

    fn members(&self) -> u64 {
        self.data.places.iter().map(|place| place.member + 1).max().unwrap_or(1)
    }

    /// The batch sizes of a member, if they are the same at every η/S.
    fn label(&self, member: u64) -> String {
        let mut sizes: Vec<u64> = self.of(member).map(|place| place.batch_size).collect();
        sizes.sort_unstable();
        sizes.dedup();
        match &sizes[..] {
            [size] => format!("S = {size}"),
            _ => format!("{} S of its η/S", ["smallest", "second", "third", "further"][member.min(3) as usize]),
        }
    }

    fn of(&self, member: u64) -> impl Iterator<Item = &WidthPlace> {
        self.data.places.iter().filter(move |place| place.member == member)
    }

    fn entries(&self) -> Vec<KeyEntry> {
        let entry = |member: u64| KeyEntry {
            look: look(member),
            sample: if is_open(member) { Sample::OpenPoint } else { Sample::Point },
            label: self.label(member),
        };
        (0..self.members().min(4)).map(entry).collect()
    }

    fn top(&self) -> f64 {
        key_height(&self.entries(), KEY_ROOM) + 14.0
    }

    fn horizontal(&self) -> Axis {
        let (low, high) = range(self.data.places.iter().map(|place| place.ratio));
        Axis::new(Scale::Log, low / 1.4, high * 1.4)
    }

    fn vertical(&self, measure: usize) -> Axis {
        let points = self.data.places.iter().filter_map(|place| place.points.get(measure));
        let (low, high) = range(points.flat_map(|point| [point.median, point.low, point.high]));
        let room = (high / low).powf(0.08).max(1.02);
        Axis::new(Scale::Log, low / room, high * room)
    }

    /// Where a group stands beside its η/S.
    fn across(&self, place: &WidthPlace) -> f64 {
        let members = self.data.places.iter().filter(|other| other.ratio == place.ratio).count() as f64;
        place.ratio * APART.powf(place.member as f64 - 0.5 * (members - 1.0))
    }

    fn draw_measure(&self, panel: &Panel<'_, '_>, measure: usize) -> Drawn {
        for member in 0..self.members() {
            let look = look(member);
            let known = |place: &&WidthPlace| place.points.get(measure).is_some_and(|point| point.median.is_finite());
            let places: Vec<&WidthPlace> = self.of(member).filter(known).collect();
            let line = places.iter().map(|place| (self.across(place), place.points[measure].median));
            panel.line(line, Stroke::new(look.colour, 1.2).faint(0.45))?;
            for place in places {
                let WidthPoint { median, low, high, .. } = place.points[measure];
                let at = panel.across(self.across(place));
                if low.is_finite() {
                    panel.canvas.line(&[(at, panel.up(low)), (at, panel.up(high))], Stroke::new(look.colour, 1.5))?;
                }
                panel.canvas.marker((at, panel.up(median)), look.marker, 9.0, look.colour, is_open(member))?;
            }
        }
        Ok(())
    }
}

fn look(member: u64) -> Look {
    match member {
        0 => Look { colour: BLUE, marker: Marker::Circle, dash: SOLID },
        1 => Look { colour: VERMILLION, marker: Marker::Square, dash: SOLID },
        further => super::palette::group(further as usize),
    }
}

/// Told apart in a grey print too.
fn is_open(member: u64) -> bool {
    member % 2 == 1
}

fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = values.filter(|value| value.is_finite() && *value > 0.0);
    finite.fold((f64::INFINITY, 0.0), |(low, high), value| (low.min(value), high.max(value)))
}

impl Design for Width<'_> {
    fn size(&self) -> (f64, f64) {
        let panels = self.data.measures.len() as f64;
        (WIDTH, (self.top() + panels * HEIGHT + (panels - 1.0) * GAP + 46.0).ceil())
    }

    fn draw(&self, canvas: &Canvas<'_>) -> Drawn {
        key(canvas, &self.entries(), (12.0, 6.0), KEY_ROOM)?;
        let last = self.data.measures.len().saturating_sub(1);
        for (row, name) in self.data.measures.iter().enumerate() {
            let top = self.top() + row as f64 * (HEIGHT + GAP);
            let frame = [LEFT, top, RIGHT, top + HEIGHT];
            let panel = Panel { canvas, frame, x: self.horizontal(), y: self.vertical(row) };
            self.draw_measure(&panel, row)?;
            panel.left_axis(&name.replace("_F", "ꜰ"), 60.0)?;
            if row == last { panel.bottom_axis("η/S")? } else { panel.bottom_ticks()? }
        }
        Ok(())
    }
}
