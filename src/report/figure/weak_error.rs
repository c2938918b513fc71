//! |E f(SGD) − E f(SDE)| against η on logarithmic axes, one panel per f: the errors of either SDE with their lines, the powers that are
//! claimed beside them, and far below what the integrator's step may have done.

use crate::findings::{Findings, WeakErrorFigure, WeakErrorMark, WeakErrorSlope};

use super::super::number::{pretty, significant, with_error};
use super::axis::{Axis, Scale};
use super::canvas::{Align, Canvas, Drawn, Lettering, SMALL, Stroke};
use super::crossover::upright_in;
use super::palette::{BLUE, DASHED, DOTTED, GREEN, GREY, Look, Marker, SOLID, VERMILLION};
use super::panel::{KeyEntry, Panel, Sample, key, key_height};
use super::{Design, WIDTH};

const LEFT: f64 = 82.0;
const RIGHT: f64 = WIDTH - 16.0;
const KEY_ROOM: f64 = WIDTH - 24.0;
const HEIGHT: f64 = 320.0;
const GAP: f64 = 62.0;

/// The SDE and the modified equation.
const ORDERS: [(u8, Look); 2] = [
    (1, Look { colour: VERMILLION, marker: Marker::Circle, dash: SOLID }),
    (2, Look { colour: BLUE, marker: Marker::Square, dash: SOLID }),
];
const INTEGRATOR: Look = Look { colour: GREY, marker: Marker::Triangle, dash: DOTTED };
const CLAIMED: Look = Look { colour: GREY, marker: Marker::Circle, dash: DASHED };
const EXACT: Look = Look { colour: GREEN, marker: Marker::Diamond, dash: SOLID };

/// Points, lines and the powers beside them.
pub(super) struct WeakError<'a> {
    pub(super) findings: &'a Findings,
    pub(super) data: &'a WeakErrorFigure,
}

impl WeakError<'_> {
    /// What the figure shows.
    pub(super) fn caption(&self) -> String {
        let exact = if self.has_exact() { " Diamonds: the errors in closed form." } else { "" };
        format!(
            "How far E f of SGD is from that of its SDE (circles) and of the modified equation of second order (squares) at t = {}, against η at \
             fixed S. Bars are 95 %, between replicas that share their Brownian path; solid lines are weighted fits with 95 % bands, dashed \
             ones have the claimed slopes 1 and 2 and pass through the line at the smallest η. Triangles: a 95 % bound of the error of the \
             integrator's own step, the larger of the two equations'.{exact}",
            significant(self.findings.scenario.weak_error.as_ref().map_or(f64::NAN, |spec| spec.time), 4)
        )
    }

    fn has_exact(&self) -> bool {
        self.data.marks.iter().any(|mark| mark.exact.is_finite())
    }

    /// Every f, in order.
    fn observables(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for mark in &self.data.marks {
            if !names.contains(&mark.observable.as_str()) {
                names.push(&mark.observable);
            }
        }
        names
    }

    fn entries(&self) -> Vec<KeyEntry> {
        let entry = |look, sample, label: &str| KeyEntry { look, sample, label: label.to_owned() };
        let mut entries = vec![
            entry(ORDERS[0].1, Sample::Interval, "SDE"),
            entry(ORDERS[1].1, Sample::Interval, "modified equation"),
            entry(CLAIMED, Sample::Line, "slopes 1 and 2"),
            entry(INTEGRATOR, Sample::Point, "integrator's step"),
        ];
        entries.extend(self.has_exact().then(|| entry(EXACT, Sample::OpenPoint, "exact")));
        entries
    }

    fn top(&self) -> f64 {
        key_height(&self.entries(), KEY_ROOM) + 14.0
    }

    fn horizontal(&self) -> Axis {
        let rates = || self.data.marks.iter().map(|mark| mark.learning_rate);
        let (low, high) = (rates().fold(f64::INFINITY, f64::min), rates().fold(0.0, f64::max));
        Axis::new(Scale::Log, low / 1.25, high * 1.25)
    }

    /// From the smallest thing that is drawn, but at most eight decades below the largest.
    fn vertical(&self, observable: &str) -> Axis {
        let of = self.data.marks.iter().filter(|mark| mark.observable == observable);
        let drawn = of.flat_map(|mark| [mark.error, mark.high, mark.integrator, mark.low]);
        let (low, high) = drawn
            .filter(|y| y.is_finite() && *y > 0.0)
            .fold((f64::INFINITY, 0.0f64), |(low, high), y| (low.min(y), high.max(y)));
        let low = low.max(1e-8 * high) / 2.0;
        // Above all data there is room for the slopes in words.
        Axis::new(Scale::Log, low, high * 2.0 * (high / low).powf(0.2))
    }

    fn slope(&self, observable: &str, order: u8) -> Option<&WeakErrorSlope> {
        let record = self.findings.weak_error.as_ref()?;
        record.slopes.iter().find(|slope| slope.observable == observable && slope.order == order)
    }

    fn draw_order(&self, panel: &Panel<'_, '_>, observable: &str, (order, look): (u8, Look)) -> Drawn {
        let is_of = |name: &str, other: u8| name == observable && other == order;
        if let Some(curve) = self.data.curves.iter().find(|curve| is_of(&curve.observable, curve.order)) {
            let rows = curve.learning_rate.iter().zip(curve.low.iter().zip(&curve.high));
            let band: Vec<_> = rows.map(|(x, (low, high))| (*x, *low, *high)).collect();
            panel.band(&band, look.colour, 0.18)?;
            if let (Some(&x), Some(&y)) = (curve.learning_rate.first(), curve.value.first()) {
                let power = |at: f64| y * (at / x).powi(i32::from(order));
                let claimed = [panel.x.low, panel.x.high].map(|at| (at, power(at)));
                panel.line(claimed, Stroke::new(GREY, 1.3).dashed(CLAIMED.dash))?;
            }
            let line = curve.learning_rate.iter().copied().zip(curve.value.iter().copied());
            panel.line(line, Stroke::new(look.colour, 1.6))?;
        }
        for mark in self.data.marks.iter().filter(|mark| is_of(&mark.observable, mark.order)) {
            draw_mark(panel, mark, look)?;
        }
        Ok(())
    }

    /// What the integrator's step may have done at every η, to the equation to which it did more.
    fn draw_integrator(&self, panel: &Panel<'_, '_>, observable: &str) -> Drawn {
        let of = || self.data.marks.iter().filter(|mark| mark.observable == observable);
        for mark in of().filter(|mark| mark.order == 1) {
            let x = mark.learning_rate;
            let both = of().filter(|other| other.learning_rate == x).map(|other| other.integrator);
            let largest = both.fold(f64::NAN, f64::max);
            if largest > panel.y.low {
                panel.canvas.marker(panel.at(x, largest), INTEGRATOR.marker, 8.0, INTEGRATOR.colour, false)?;
            }
        }
        Ok(())
    }

    /// The measured slopes in words, above the data.
    fn draw_slopes(&self, panel: &Panel<'_, '_>, observable: &str) -> Drawn {
        let [left, top, ..] = panel.frame;
        let lettering = Lettering::new(SMALL, Align::Left);
        let mut row = top + 14.0;
        for ((order, look), name) in ORDERS.into_iter().zip(["SDE", "modified equation"]) {
            let text = self.slope(observable, order).map_or(format!("{name}: no slope"), |slope| {
                format!("{name}: slope {}", pretty(&with_error(slope.slope, Some(slope.standard_error))))
            });
            panel.canvas.marker((left + 16.0, row), look.marker, 7.5, look.colour, false)?;
            panel.canvas.text(&text, (left + 26.0, row), lettering)?;
            row += 18.0;
        }
        Ok(())
    }
}

/// An error with its bar and its closed form.
fn draw_mark(panel: &Panel<'_, '_>, mark: &WeakErrorMark, look: Look) -> Drawn {
    let x = mark.learning_rate;
    if mark.exact.is_finite() && mark.exact > panel.y.low {
        panel.canvas.marker(panel.at(x, mark.exact), EXACT.marker, 15.0, EXACT.colour, true)?;
    }
    if mark.error.is_finite() && mark.error > 0.0 {
        // An interval that reaches zero goes to the bottom of the panel.
        upright_in(panel, x, mark.low.max(panel.y.low), mark.high, look.colour)?;
        panel.canvas.marker(panel.at(x, mark.error), look.marker, 8.5, look.colour, false)?;
    }
    Ok(())
}

impl Design for WeakError<'_> {
    fn size(&self) -> (f64, f64) {
        let panels = self.observables().len().max(1) as f64;
        (WIDTH, (self.top() + panels * HEIGHT + (panels - 1.0) * GAP + 46.0).ceil())
    }

    fn draw(&self, canvas: &Canvas<'_>) -> Drawn {
        key(canvas, &self.entries(), (12.0, 6.0), KEY_ROOM)?;
        for (index, observable) in self.observables().into_iter().enumerate() {
            let top = self.top() + index as f64 * (HEIGHT + GAP);
            let frame = [LEFT, top, RIGHT, top + HEIGHT];
            let panel = Panel { canvas, frame, x: self.horizontal(), y: self.vertical(observable) };
            for order in ORDERS {
                self.draw_order(&panel, observable, order)?;
            }
            self.draw_integrator(&panel, observable)?;
            self.draw_slopes(&panel, observable)?;
            panel.left_axis(&format!("|error of E {observable}|"), 66.0)?;
            panel.bottom_axis("learning rate η")?;
        }
        Ok(())
    }
}
