//! The density in one dimension: histogram and predictions above, the loss with its minima and saddles below.

use crate::findings::{DensityFigure, Findings};
use crate::scenario::Rung;

use super::axis::{Axis, Scale};
use super::canvas::{Align, Canvas, Drawn, Lettering, Stroke};
use super::palette::{self, BLACK, DOTTED, GREY, MEASURED, Marker, PALE, WHITE};
use super::panel::{KeyEntry, Panel, Sample, key, key_height};
use super::{Design, WIDTH};

const LEFT: f64 = 66.0;
const RIGHT: f64 = WIDTH - 14.0;
const UPPER: f64 = 196.0;
const LOWER: f64 = 118.0;
/// Below this part of the highest density nothing can be seen: the axis ends there.
const VISIBLE: f64 = 2e-4;
/// Bins narrower than this have a band instead of error bars.
const ROOM_FOR_BARS: f64 = 5.0;

/// The histogram and the curves.
pub(super) struct Density<'a> {
    pub(super) findings: &'a Findings,
    pub(super) data: &'a DensityFigure,
}

impl Density<'_> {
    /// What the figure shows.
    pub(super) fn caption(&self) -> String {
        let known = [
            (&self.data.gibbs, "the solid line is the Gibbs density exp(−L/T)/Z"),
            (&self.data.ito, "the line of long dashes is the Itô equation's own density for noise that depends on θ"),
            (&self.data.discrete, "the broken line is the stationary density of the chain at its finite step"),
        ];
        let curves: Vec<&str> = known.iter().filter(|(curve, _)| !curve.is_empty()).map(|(_, words)| *words).collect();
        let curves = match curves.join(", ") {
            none if none.is_empty() => none,
            words => format!("T{}. ", &words[1..]),
        };
        format!(
            "Above: the measured probability density (grey), with 95 % intervals from independent replicas (black). \
             {curves}Below: the loss, with the minima (letters) and the saddles (diamonds); dotted lines part the basins."
        )
    }

    /// What of the coordinate is worth showing.
    fn horizontal(&self) -> Axis {
        let highest = self.highest();
        let mut range = (f64::INFINITY, f64::NEG_INFINITY);
        let mut include = |value: f64| range = (range.0.min(value), range.1.max(value));
        for (bin, density) in self.data.measured.iter().enumerate() {
            if *density > VISIBLE * highest {
                include(self.data.edges[bin]);
                include(self.data.edges[bin + 1]);
            }
        }
        for curve in [&self.data.gibbs, &self.data.ito, &self.data.discrete] {
            for (theta, density) in self.data.theta.iter().zip(curve) {
                if *density > VISIBLE * highest {
                    include(*theta);
                }
            }
        }
        for minimum in &self.findings.minima {
            minimum.theta.first().copied().into_iter().for_each(&mut include);
        }
        let margin = 0.03 * (range.1 - range.0);
        Axis::new(Scale::Linear, range.0 - margin, range.1 + margin)
    }

    fn highest(&self) -> f64 {
        let measured = self.data.measured.iter().zip(&self.data.standard_error);
        let tops = measured.map(|(density, error)| density + if error.is_finite() { 1.96 * error } else { 0.0 });
        let curves = self.data.gibbs.iter().chain(&self.data.ito).chain(&self.data.discrete).copied();
        tops.chain(curves).filter(|value| value.is_finite()).fold(f64::MIN_POSITIVE, f64::max)
    }

    fn entries(&self) -> Vec<KeyEntry> {
        let entry = |look, sample, label: &str| KeyEntry { look, sample, label: label.to_owned() };
        let mut entries = vec![entry(MEASURED, Sample::Interval, "measured, 95 %")];
        if !self.data.gibbs.is_empty() {
            entries.push(entry(palette::rung(Rung::Gibbs), Sample::Line, "Gibbs"));
        }
        if !self.data.ito.is_empty() {
            entries.push(entry(palette::rung(Rung::Ito), Sample::Line, "Itô density"));
        }
        if !self.data.discrete.is_empty() {
            entries.push(entry(palette::rung(Rung::Discrete), Sample::Line, "discrete law"));
        }
        entries
    }

    /// Where the upper panel begins, below the key.
    fn top(&self) -> f64 {
        15.0 + key_height(&self.entries(), RIGHT - LEFT)
    }

    fn draw_density(&self, panel: &Panel<'_, '_>) -> Drawn {
        let data = self.data;
        let bins = || data.measured.iter().enumerate().map(|(bin, p)| (data.edges[bin], data.edges[bin + 1], *p));
        // One outline for all bins: bin by bin, viewers show seams.
        let steps: Vec<_> = bins().flat_map(|(low, high, p)| [(low, 0.0, p), (high, 0.0, p)]).collect();
        panel.band(&steps, PALE, 1.0)?;
        self.draw_saddles(panel)?;
        let narrowest =
            bins().map(|(low, high, _)| panel.across(high) - panel.across(low)).fold(f64::INFINITY, f64::min);
        // A band lies under the curves, which it would hide; bars lie on top of them.
        if narrowest < ROOM_FOR_BARS {
            for ((low, high, density), error) in bins().zip(&data.standard_error) {
                if error.is_finite() && density > 0.0 {
                    let ends = ((density - 1.96 * error).max(0.0), density + 1.96 * error);
                    panel.block((low, ends.0), (high, ends.1), BLACK, 0.5)?;
                }
            }
        }
        self.draw_curves(panel)?;
        if narrowest >= ROOM_FOR_BARS {
            self.draw_bars(panel, (narrowest * 0.3).min(3.0))?;
        }
        panel.bottom_ticks()?;
        panel.left_axis("probability density", 50.0)
    }

    fn draw_curves(&self, panel: &Panel<'_, '_>) -> Drawn {
        let data = self.data;
        let curves = [(&data.gibbs, Rung::Gibbs), (&data.ito, Rung::Ito), (&data.discrete, Rung::Discrete)];
        for (curve, rung) in curves {
            let look = palette::rung(rung);
            let points = data.theta.iter().copied().zip(curve.iter().copied());
            panel.line(points, Stroke::new(look.colour, 2.4).dashed(look.dash))?;
        }
        Ok(())
    }

    /// Error bars with caps of half a width.
    fn draw_bars(&self, panel: &Panel<'_, '_>, cap: f64) -> Drawn {
        let [left, _, right, _] = panel.frame;
        let data = self.data;
        for (bin, (density, error)) in data.measured.iter().zip(&data.standard_error).enumerate() {
            let middle = panel.across((data.edges[bin] + data.edges[bin + 1]) / 2.0);
            if !error.is_finite() || *density == 0.0 || middle < left || middle > right {
                continue;
            }
            let stroke = Stroke::new(BLACK, 1.2);
            let (bottom, top) = (panel.up((density - 1.96 * error).max(0.0)), panel.up(density + 1.96 * error));
            panel.canvas.line(&[(middle, bottom), (middle, top)], stroke)?;
            for end in [bottom, top] {
                panel.canvas.line(&[(middle - cap, end), (middle + cap, end)], stroke)?;
            }
            panel.canvas.marker((middle, panel.up(*density)), Marker::Circle, 3.6, BLACK, false)?;
        }
        Ok(())
    }

    fn draw_saddles(&self, panel: &Panel<'_, '_>) -> Drawn {
        for saddle in &self.findings.saddles {
            if let Some(theta) = saddle.theta.first() {
                let stroke = Stroke::new(GREY, 1.2).dashed(DOTTED);
                panel.line([(*theta, panel.y.low), (*theta, panel.y.high)], stroke)?;
            }
        }
        Ok(())
    }

    /// From below the deepest minimum to above the highest barrier: walls beyond are cut.
    fn vertical(&self, x: Axis) -> Axis {
        let shown = |theta: f64| (0.0..=1.0).contains(&x.position(theta));
        let losses =
            self.data.theta.iter().zip(&self.data.loss).filter(|(theta, _)| shown(**theta)).map(|pair| *pair.1);
        let (floor, ceiling) = losses
            .filter(|loss| loss.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        let barrier = self.findings.saddles.iter().map(|saddle| saddle.loss).fold(f64::NEG_INFINITY, f64::max);
        let top = if barrier.is_finite() { ceiling.min(floor + 1.6 * (barrier - floor)) } else { ceiling };
        Axis::new(Scale::Linear, floor - 0.28 * (top - floor), top)
    }

    fn draw_loss(&self, panel: &Panel<'_, '_>) -> Drawn {
        self.draw_saddles(panel)?;
        let curve = self.data.theta.iter().copied().zip(self.data.loss.iter().copied());
        panel.line(curve, Stroke::new(BLACK, 2.0))?;
        for minimum in &self.findings.minima {
            let Some(theta) = minimum.theta.first() else { continue };
            let (x, y) = panel.at(*theta, minimum.loss);
            panel.canvas.marker((x, y), Marker::Circle, 8.0, BLACK, false)?;
            let lettering = Lettering { bold: true, ..Lettering::new(14.0, Align::Centre) };
            panel.canvas.text(&minimum.id, (x, y + 14.0), lettering)?;
        }
        for saddle in &self.findings.saddles {
            if let Some(theta) = saddle.theta.first() {
                let at = panel.at(*theta, saddle.loss);
                panel.canvas.marker(at, Marker::Diamond, 10.0, BLACK, false)?;
                panel.canvas.marker(at, Marker::Diamond, 6.0, WHITE, false)?;
            }
        }
        panel.bottom_axis(&self.data.variable)?;
        panel.left_axis("loss L", 50.0)
    }
}

impl Design for Density<'_> {
    fn size(&self) -> (f64, f64) {
        (WIDTH, self.top() + UPPER + 16.0 + LOWER + 46.0)
    }

    fn draw(&self, canvas: &Canvas<'_>) -> Drawn {
        key(canvas, &self.entries(), (LEFT, 9.0), RIGHT - LEFT)?;
        let x = self.horizontal();
        let top = self.top();
        let y = Axis::new(Scale::Linear, 0.0, 1.06 * self.highest());
        self.draw_density(&Panel { canvas, frame: [LEFT, top, RIGHT, top + UPPER], x, y })?;
        let top = top + UPPER + 16.0;
        self.draw_loss(&Panel { canvas, frame: [LEFT, top, RIGHT, top + LOWER], x, y: self.vertical(x) })
    }
}
