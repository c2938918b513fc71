//! Log-odds against 1/n: a line whose slope are the depths and whose intercept the widths; below, what is left of it when
//! the slide's line is taken away, since the rungs hardly differ on the whole scale.

use plotters::style::RGBColor;

use crate::findings::{CrossoverFigure, CrossoverLine, CrossoverRecord, Findings};
use crate::scenario::Rung;

use super::super::number::{interval, pretty, significant};
use super::super::words::{RUNGS, rung_name};
use super::axis::{Axis, Scale};
use super::canvas::{Align, Canvas, Drawn, Lettering, SMALL, Stroke};
use super::palette::{self, GREY, Look, MEASURED, PALE};
use super::panel::{KeyEntry, Panel, Sample, key, key_height};
use super::{Design, WIDTH};

const LEFT: f64 = 82.0;
const RIGHT: f64 = WIDTH - 16.0;
const KEY_ROOM: f64 = WIDTH - 24.0;
const HEIGHTS: [f64; 2] = [230.0, 130.0];
const GAP: f64 = 18.0;

/// Points, lines and crossings.
pub(super) struct Crossover<'a> {
    pub(super) data: &'a CrossoverFigure,
    pub(super) record: &'a CrossoverRecord,
    pub(super) against: Rung,
}

impl<'a> Crossover<'a> {
    /// `None` where the result has no line.
    pub(super) fn new(findings: &'a Findings, data: &'a CrossoverFigure) -> Option<Self> {
        Some(Self { data, record: findings.crossover.as_ref()?, against: findings.scenario.test.against })
    }

    /// What the figure shows.
    pub(super) fn caption(&self) -> String {
        let [n, a, b] = [&self.record.varied, &self.record.pair[0], &self.record.pair[1]];
        format!(
            "Above: ln(p_{a}/p_{b}) against 1/{n}. Points are measured, one independent ensemble each, with 95 % intervals; the solid \
             black line is their weighted straight line with its 95 % band; coloured lines are predicted. Where a line crosses zero \
             the two minima are equally likely: the diamond marks {n}* by {}, the bar the 95 % interval of the measured one. Below: \
             the same after the slide's line is taken away.",
            rung_name(self.against),
        )
    }

    fn line(&self, name: &str) -> Option<&CrossoverLine> {
        self.data.lines.iter().find(|line| line.name == name)
    }

    fn rungs(&self) -> impl Iterator<Item = (Rung, &CrossoverLine)> {
        RUNGS.into_iter().filter_map(|rung| Some((rung, self.line(rung.name())?)))
    }

    /// The slide's line at x: straight, so its record is enough.
    fn slide(&self, x: f64) -> f64 {
        let laplace = self.record.predicted.iter().find(|crossing| crossing.name == Rung::Laplace.name());
        laplace.map_or(0.0, |line| line.intercept + line.slope * x)
    }

    fn entries(&self) -> Vec<KeyEntry> {
        let measured = [
            KeyEntry { look: MEASURED, sample: Sample::Interval, label: "measured".into() },
            KeyEntry { look: MEASURED, sample: Sample::Band, label: "its line".into() },
        ];
        let rungs = self.rungs().map(|(rung, _)| KeyEntry {
            look: palette::rung(rung),
            sample: Sample::Line,
            label: rung_name(rung).to_owned(),
        });
        measured.into_iter().chain(rungs).collect()
    }

    fn top(&self) -> f64 {
        key_height(&self.entries(), KEY_ROOM) + 14.0
    }

    fn horizontal(&self) -> Axis {
        let at = &self.data.at;
        Axis::new(Scale::Linear, at.first().copied().unwrap_or(0.0), at.last().copied().unwrap_or(1.0))
    }

    /// The range of everything drawn, after `base` is taken away.
    fn vertical(&self, base: &dyn Fn(f64) -> f64) -> Axis {
        let bars = self.data.inverse.iter().zip(self.data.low.iter().zip(&self.data.high));
        let bars = bars.flat_map(|(x, (low, high))| [low - base(*x), high - base(*x)]);
        let curves = self.data.lines.iter().filter(|line| line.name != "measured");
        let curves = curves.flat_map(|line| self.data.at.iter().zip(&line.value).map(|(x, y)| y - base(*x)));
        let (low, high) = bars
            .chain(curves)
            .chain([0.0])
            .filter(|y| y.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), y| (l.min(y), h.max(y)));
        let margin = 0.06 * (high - low).max(1e-6);
        Axis::new(Scale::Linear, low - margin, high + margin)
    }

    fn draw_curves(&self, panel: &Panel<'_, '_>, base: &dyn Fn(f64) -> f64) -> Drawn {
        panel.line([(panel.x.low, 0.0), (panel.x.high, 0.0)], Stroke::new(PALE, 1.5))?;
        let at = &self.data.at;
        if let Some(line) = self.line("measured") {
            let rows = at.iter().zip(line.low.iter().zip(&line.high));
            let band: Vec<_> = rows.map(|(x, (low, high))| (*x, low - base(*x), high - base(*x))).collect();
            panel.band(&band, MEASURED.colour, 0.16)?;
            let heights = at.iter().zip(&line.value).map(|(x, y)| (*x, y - base(*x)));
            panel.line(heights, Stroke::new(MEASURED.colour, 1.2))?;
        }
        for (rung, line) in self.rungs() {
            let Look { colour, dash, .. } = palette::rung(rung);
            let heights = at.iter().zip(&line.value).map(|(x, y)| (*x, y - base(*x)));
            panel.line(heights, Stroke::new(colour, 2.0).dashed(dash))?;
        }
        for (index, x) in self.data.inverse.iter().enumerate() {
            let [y, low, high] =
                [self.data.measured[index], self.data.low[index], self.data.high[index]].map(|y| y - base(*x));
            if y.is_finite() {
                upright(panel, *x, low, high)?;
                panel.canvas.marker(panel.at(*x, y), MEASURED.marker, 7.5, MEASURED.colour, false)?;
            }
        }
        Ok(())
    }

    /// n* on the zero line: predicted by the tested rung, and the measured interval; both in words in the empty corner.
    fn draw_crossings(&self, panel: &Panel<'_, '_>) -> Drawn {
        let n = &self.record.varied;
        let zero = panel.up(0.0);
        let [left, top, ..] = panel.frame;
        let lettering = Lettering::new(SMALL, Align::Left);
        let tested = self.record.predicted.iter().find(|crossing| crossing.name == self.against.name());
        if let Some(exact) = tested.and_then(|crossing| crossing.exact_crossing) {
            let look = palette::rung(self.against);
            if (panel.x.low..=panel.x.high).contains(&(1.0 / exact)) {
                panel.canvas.marker(panel.at(1.0 / exact, 0.0), palette::Marker::Diamond, 11.0, look.colour, true)?;
            }
            let text = format!("{n}* = {} ({})", pretty(&significant(exact, 4)), rung_name(self.against));
            panel.canvas.text(&text, (left + 12.0, top + 14.0), lettering)?;
        }
        let measured = self.record.measured.as_ref();
        if let Some((crossing, [low, high])) = measured.and_then(|m| m.line_crossing.zip(m.interval)) {
            // Thick, under the points and just below the zero line, so that it hides neither.
            panel.interval(1.0 / high, 1.0 / low, zero + 9.0, Stroke::new(GREY, 2.5))?;
            let error = Some((high - low) / 3.92);
            let ends = pretty(&interval([low, high], error));
            let text = format!("{n}* = {} (measured)", pretty(&significant(crossing, 4)));
            panel.canvas.text(&text, (left + 12.0, top + 32.0), lettering)?;
            // A line of its own: longer ones would run into the curve.
            panel.canvas.text(&format!("95 %: {ends}"), (left + 12.0, top + 50.0), lettering)?;
        }
        Ok(())
    }
}

/// An upright bar with caps, in the colour of the measurement.
pub(super) fn upright(panel: &Panel<'_, '_>, x: f64, low: f64, high: f64) -> Drawn {
    upright_in(panel, x, low, high, MEASURED.colour)
}

/// An upright bar with caps.
pub(super) fn upright_in(panel: &Panel<'_, '_>, x: f64, low: f64, high: f64, colour: RGBColor) -> Drawn {
    let [_, top, _, bottom] = panel.frame;
    let at = panel.across(x);
    let (from, to) = (panel.up(low).clamp(top, bottom), panel.up(high).clamp(top, bottom));
    let stroke = Stroke::new(colour, 1.5);
    panel.canvas.line(&[(at, from), (at, to)], stroke)?;
    for end in [from, to] {
        panel.canvas.line(&[(at - 3.0, end), (at + 3.0, end)], stroke)?;
    }
    Ok(())
}

impl Design for Crossover<'_> {
    fn size(&self) -> (f64, f64) {
        (WIDTH, (self.top() + HEIGHTS[0] + GAP + HEIGHTS[1] + 46.0).ceil())
    }

    fn draw(&self, canvas: &Canvas<'_>) -> Drawn {
        key(canvas, &self.entries(), (12.0, 6.0), KEY_ROOM)?;
        let [a, b] = &self.record.pair;
        let x = self.horizontal();
        let top = self.top();
        let whole = |_: f64| 0.0;
        let upper = Panel { canvas, frame: [LEFT, top, RIGHT, top + HEIGHTS[0]], x, y: self.vertical(&whole) };
        self.draw_curves(&upper, &whole)?;
        self.draw_crossings(&upper)?;
        upper.bottom_ticks()?;
        upper.left_axis(&format!("ln(p({a})/p({b}))"), 66.0)?;
        let slide = |x: f64| self.slide(x);
        let top = top + HEIGHTS[0] + GAP;
        let lower = Panel { canvas, frame: [LEFT, top, RIGHT, top + HEIGHTS[1]], x, y: self.vertical(&slide) };
        self.draw_curves(&lower, &slide)?;
        lower.left_axis("minus Laplace", 66.0)?;
        lower.bottom_axis(&format!("1/{}", self.record.varied))
    }
}
