//! Log-odds of the minima under one form of noise after another, down to real minibatches, beside the formula.

use crate::findings::{Findings, NoiseLadderFigure, NoiseLadderMark};
use crate::scenario::Rung;

use super::super::number::{pretty, significant};
use super::super::words::rung_name;
use super::axis::{Axis, Scale};
use super::canvas::{Align, Canvas, Drawn, Lettering, SMALL, Stroke, TEXT, width};
use super::palette::{self, BAND, BLACK, MEASURED, Marker, PALE};
use super::panel::{KeyEntry, Panel, Sample, key, key_height};
use super::{Design, WIDTH};

const RIGHT: f64 = WIDTH - 16.0;
const ROW: f64 = 26.0;
const KEY_ROOM: f64 = WIDTH - 24.0;
/// Room for the axis below a panel.
const AXIS: f64 = 46.0;
/// More contrasts than this would make a page of their own; the first are shown.
const MOST_QUANTITIES: usize = 4;
const RUNGS: [Rung; 2] = [Rung::Laplace, Rung::Gibbs];

/// Log-odds, form by form.
pub(super) struct NoiseLadder<'a> {
    data: &'a NoiseLadderFigure,
    against: Rung,
    tolerance: f64,
    /// Without repeats.
    quantities: Vec<&'a str>,
}

impl<'a> NoiseLadder<'a> {
    pub(super) fn new(findings: &'a Findings, data: &'a NoiseLadderFigure) -> Self {
        let mut quantities: Vec<&str> = data.marks.iter().map(|mark| mark.quantity.as_str()).collect();
        quantities.dedup();
        let test = findings.scenario.test;
        Self { data, against: test.against, tolerance: test.tolerance, quantities }
    }

    /// What the figure shows.
    pub(super) fn caption(&self) -> String {
        let last = if self.data.marks.iter().all(|mark| mark.is_equilibrated) {
            "Where two neighbours part, the assumption between them has broken."
        } else {
            "Open symbols: ensembles that have not forgotten their start, of which nothing follows. Where two full neighbours part, the \
             assumption between them has broken."
        };
        let left_out = match self.quantities.len() {
            n if n > MOST_QUANTITIES => format!(" The first {MOST_QUANTITIES} of {n} contrasts are shown."),
            _ => String::new(),
        };
        format!(
            "Log-odds of the minima under noise of one form after another, each without an assumption of the one above: the noise of the \
             formula, C = σ²I with σ² = tr C/d averaged over the minima; noise with directions of its own; noise that depends on θ; the \
             step of SGD; real minibatches. Points: measured, with 95 % intervals between independent replicas. Lines: predicted. Band: \
             ±ε = ±{} about the {} rung, which the verdict is about. {last}{left_out}",
            significant(self.tolerance, 3),
            rung_name(self.against),
        )
    }

    fn shown(&self) -> impl Iterator<Item = &'a str> {
        self.quantities.iter().take(MOST_QUANTITIES).copied()
    }

    fn marks(&self, quantity: &str, is_measured: bool) -> impl Iterator<Item = &'a NoiseLadderMark> {
        let of = move |mark: &&NoiseLadderMark| mark.quantity == quantity && mark.is_measured == is_measured;
        self.data.marks.iter().filter(of).collect::<Vec<_>>().into_iter()
    }

    fn predicted(&self, quantity: &str, rung: Rung) -> Option<f64> {
        self.marks(quantity, false).find(|mark| mark.form == rung.name()).map(|mark| mark.value)
    }

    fn entries(&self) -> Vec<KeyEntry> {
        let known = |rung: &Rung| self.quantities.first().is_some_and(|first| self.predicted(first, *rung).is_some());
        let measured = KeyEntry { look: MEASURED, sample: Sample::Interval, label: "measured, 95 %".to_owned() };
        let predicted = RUNGS.into_iter().filter(known).map(|rung| KeyEntry {
            look: palette::rung(rung),
            sample: Sample::Line,
            label: rung_name(rung).to_owned(),
        });
        std::iter::once(measured).chain(predicted).collect()
    }

    /// Where the panels begin: right of the longest name.
    fn left(&self) -> f64 {
        let names =
            self.data.marks.iter().filter(|mark| mark.is_measured).map(|mark| width(&pretty(&mark.form), SMALL));
        names.fold(0.0, f64::max) + 24.0
    }

    fn height(&self, quantity: &str) -> f64 {
        self.marks(quantity, true).count() as f64 * ROW + 8.0
    }

    fn horizontal(&self, quantity: &str) -> Axis {
        let measured = self.marks(quantity, true).flat_map(|mark| [mark.value, mark.low, mark.high]);
        let predicted = RUNGS.into_iter().filter_map(|rung| self.predicted(quantity, rung));
        let band = self.predicted(quantity, self.against).map(|at| [at - self.tolerance, at + self.tolerance]);
        let ends = measured.chain(predicted).chain(band.into_iter().flatten()).filter(|end| end.is_finite());
        let (low, high) =
            ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), end| (low.min(end), high.max(end)));
        let margin = 0.05 * (high - low).max(self.tolerance);
        Axis::new(Scale::Linear, low - margin, high + margin)
    }

    fn draw_panel(&self, canvas: &Canvas<'_>, quantity: &str, top: f64) -> Drawn {
        let bottom = top + self.height(quantity);
        let y = Axis::new(Scale::Linear, 0.0, 1.0);
        let panel = Panel { canvas, frame: [self.left(), top, RIGHT, bottom], x: self.horizontal(quantity), y };
        if let Some(at) = self.predicted(quantity, self.against) {
            panel.block((at - self.tolerance, 0.0), (at + self.tolerance, 1.0), BAND, 1.0)?;
        }
        for rung in RUNGS {
            if let Some(at) = self.predicted(quantity, rung) {
                let look = palette::rung(rung);
                panel.line([(at, 0.0), (at, 1.0)], Stroke::new(look.colour, 1.8).dashed(look.dash))?;
            }
        }
        for (row, mark) in self.marks(quantity, true).enumerate() {
            let level = top + 4.0 + (row as f64 + 0.5) * ROW;
            if row > 0 {
                let between = level - 0.5 * ROW;
                canvas.line(&[(self.left(), between), (RIGHT, between)], Stroke::new(PALE, 0.8))?;
            }
            canvas.text(&pretty(&mark.form), (self.left() - 8.0, level), Lettering::new(SMALL, Align::Right))?;
            if !mark.value.is_finite() {
                canvas.text("no estimate", (self.left() + 8.0, level), Lettering::new(SMALL, Align::Left))?;
                continue;
            }
            let ends = [mark.low, mark.high].map(|end| panel.across(if end.is_finite() { end } else { mark.value }));
            canvas.line(&[(ends[0], level), (ends[1], level)], Stroke::new(BLACK, 1.5))?;
            canvas.marker((panel.across(mark.value), level), Marker::Circle, 8.0, BLACK, !mark.is_equilibrated)?;
        }
        panel.bottom_axis("")?;
        let middle = 0.5 * (self.left() + RIGHT);
        canvas.formula(quantity, (middle, bottom + 35.0), Lettering::new(TEXT, Align::Centre))
    }
}

impl Design for NoiseLadder<'_> {
    fn size(&self) -> (f64, f64) {
        let panels: f64 = self.shown().map(|quantity| self.height(quantity) + AXIS).sum();
        (WIDTH, (key_height(&self.entries(), KEY_ROOM) + 14.0 + panels).ceil())
    }

    fn draw(&self, canvas: &Canvas<'_>) -> Drawn {
        key(canvas, &self.entries(), (12.0, 6.0), KEY_ROOM)?;
        let mut top = key_height(&self.entries(), KEY_ROOM) + 14.0;
        for quantity in self.shown() {
            self.draw_panel(canvas, quantity, top)?;
            top += self.height(quantity) + AXIS;
        }
        Ok(())
    }
}
