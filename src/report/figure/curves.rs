//! Learning curves of several groups against epochs, with the spread between seeds, and their differences from the first group.

use crate::findings::{CurveGroup, CurvesFigure, Findings};

use super::super::number::significant;
use super::axis::{Axis, Scale};
use super::canvas::{Canvas, Drawn, Stroke};
use super::palette::{self, BAND, Look, MEASURED, PALE};
use super::panel::{KeyEntry, Panel, Sample, key, key_height};
use super::{Design, WIDTH};

const LEFT: f64 = 82.0;
const RIGHT: f64 = WIDTH - 18.0;
const KEY_ROOM: f64 = WIDTH - 24.0;
const HEIGHT: f64 = 190.0;
const GAP: f64 = 16.0;
/// More groups than this would not be told apart.
const MOST_GROUPS: usize = 9;

/// Learning curves.
pub(super) struct Curves<'a> {
    data: &'a CurvesFigure,
    tolerance: f64,
}

/// What a panel shows of a quantity.
#[derive(Clone, Copy, PartialEq)]
enum Shows {
    Curves,
    Differences,
}

impl<'a> Curves<'a> {
    pub(super) fn new(findings: &'a Findings, data: &'a CurvesFigure) -> Self {
        Self { data, tolerance: findings.scenario.test.tolerance }
    }

    /// What the figure shows.
    pub(super) fn caption(&self) -> String {
        let left_out = match self.data.groups.len() {
            n if n > MOST_GROUPS => format!(" The first {MOST_GROUPS} of {n} groups are shown."),
            _ => String::new(),
        };
        let first = self.data.groups.first().map_or("", |group| &group.name);
        format!(
            "Means over replicas against epochs; at equal η/S an epoch is the same SDE time. Band around {first}: ± one standard deviation between \
             its seeds. Under each quantity: the mean difference from {first}, pair by pair from equal starts, in standard deviations between the \
             seeds of a pilot group, with 95 % intervals; green band: ±ε = ±{}, within which curves count as the same. For the loss the \
             difference is of ln L.{left_out}",
            significant(self.tolerance, 3)
        )
    }

    fn groups(&self) -> impl Iterator<Item = (Look, &CurveGroup)> {
        let look = |index: usize| if index == 0 { MEASURED } else { palette::group(index - 1) };
        self.data.groups.iter().take(MOST_GROUPS).enumerate().map(move |(index, group)| (look(index), group))
    }

    fn entries(&self) -> Vec<KeyEntry> {
        let mut entries: Vec<KeyEntry> = self
            .groups()
            .enumerate()
            .map(|(index, (look, group))| KeyEntry {
                look,
                sample: if index == 0 { Sample::Band } else { Sample::Line },
                label: group.name.clone(),
            })
            .collect();
        entries.push(KeyEntry {
            look: Look { colour: BAND, ..MEASURED },
            sample: Sample::Patch,
            label: "same to ±ε".into(),
        });
        entries
    }

    fn top(&self) -> f64 {
        key_height(&self.entries(), KEY_ROOM) + 14.0
    }

    fn panels(&self) -> impl Iterator<Item = (usize, Shows)> {
        (0..self.data.quantities.len()).flat_map(|quantity| [(quantity, Shows::Curves), (quantity, Shows::Differences)])
    }

    fn horizontal(&self) -> Axis {
        let epochs = self.data.groups.iter().flat_map(|group| &group.curves).flatten().map(|point| point.epoch);
        Axis::new(Scale::Linear, 0.0, epochs.fold(0.0, f64::max))
    }

    /// The range of what is drawn; losses on a logarithmic axis where they fall by more than half.
    fn vertical(&self, quantity: usize, shows: Shows) -> Axis {
        let points = self.groups().flat_map(|(_, group)| group.curves.get(quantity)).flatten();
        let values = points.flat_map(|point| match shows {
            Shows::Curves => [point.mean - point.deviation, point.mean + point.deviation],
            Shows::Differences => [point.low, point.high],
        });
        let edges = match shows {
            Shows::Curves => [f64::NAN; 2],
            Shows::Differences => [-1.5 * self.tolerance, 1.5 * self.tolerance],
        };
        let (low, high) = values
            .chain(edges)
            .filter(|value| value.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), value| (l.min(value), h.max(value)));
        if shows == Shows::Differences {
            // Groups that are far away must not hide how near the others are.
            return Axis::new(Scale::Asinh(self.tolerance), 1.15 * low, 1.15 * high);
        }
        if quantity == 0 && low > 0.0 && high > 2.0 * low {
            return Axis::new(Scale::Log, low / 1.1, high * 1.1);
        }
        let margin = 0.05 * (high - low);
        Axis::new(Scale::Linear, low - margin, high + margin)
    }

    fn draw_curves(&self, panel: &Panel<'_, '_>, quantity: usize) -> Drawn {
        for (index, (look, group)) in self.groups().enumerate() {
            let Some(curve) = group.curves.get(quantity) else { continue };
            if index == 0 {
                let band: Vec<_> =
                    curve.iter().map(|p| (p.epoch, p.mean - p.deviation, p.mean + p.deviation)).collect();
                panel.band(&band, look.colour, 0.16)?;
            }
            let line = curve.iter().map(|point| (point.epoch, point.mean));
            panel.line(line, Stroke::new(look.colour, 1.8).dashed(look.dash))?;
        }
        Ok(())
    }

    fn draw_differences(&self, panel: &Panel<'_, '_>, quantity: usize) -> Drawn {
        panel.block((panel.x.low, -self.tolerance), (panel.x.high, self.tolerance), BAND, 1.0)?;
        panel.line([(panel.x.low, 0.0), (panel.x.high, 0.0)], Stroke::new(PALE, 1.5))?;
        for (look, group) in self.groups().skip(1) {
            let Some(curve) = group.curves.get(quantity) else { continue };
            let line = curve.iter().map(|point| (point.epoch, point.difference));
            panel.line(line, Stroke::new(look.colour, 1.8).dashed(look.dash))?;
            for point in curve.iter().filter(|point| point.low.is_finite()) {
                let at = panel.across(point.epoch);
                let ends = [panel.up(point.low), panel.up(point.high)];
                panel.canvas.line(&[(at, ends[0]), (at, ends[1])], Stroke::new(look.colour, 1.2))?;
                panel.canvas.marker(panel.at(point.epoch, point.difference), look.marker, 6.0, look.colour, false)?;
            }
        }
        Ok(())
    }
}

impl Design for Curves<'_> {
    fn size(&self) -> (f64, f64) {
        let panels = self.panels().count() as f64;
        (WIDTH, (self.top() + panels * HEIGHT + (panels - 1.0) * GAP + 46.0).ceil())
    }

    fn draw(&self, canvas: &Canvas<'_>) -> Drawn {
        key(canvas, &self.entries(), (12.0, 6.0), KEY_ROOM)?;
        let last = self.panels().count().saturating_sub(1);
        for (row, (quantity, shows)) in self.panels().enumerate() {
            let top = self.top() + row as f64 * (HEIGHT + GAP);
            let frame = [LEFT, top, RIGHT, top + HEIGHT];
            let panel = Panel { canvas, frame, x: self.horizontal(), y: self.vertical(quantity, shows) };
            match shows {
                Shows::Curves => {
                    self.draw_curves(&panel, quantity)?;
                    panel.left_axis(&self.data.quantities[quantity], 62.0)?;
                }
                Shows::Differences => {
                    self.draw_differences(&panel, quantity)?;
                    panel.left_axis("difference / seed spread", 62.0)?;
                }
            }
            if row == last { panel.bottom_axis("epochs")? } else { panel.bottom_ticks()? }
        }
        Ok(())
    }
}
