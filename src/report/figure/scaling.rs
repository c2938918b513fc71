//! What changes as η and S grow in proportion: measured against the chain's own law, with the band of "unchanged".

use crate::findings::{Findings, PointRecord, ScalingFigure, ScalingRecord};

use super::super::number::{pretty, significant};
use super::axis::{Axis, Scale};
use super::canvas::{Align, Canvas, Drawn, Lettering, SMALL, Stroke};
use super::crossover::upright;
use super::palette::{self, BAND, BLACK, GREY, Look};
use super::panel::{KeyEntry, Panel, Sample, key, key_height};
use super::{Design, WIDTH};

const LEFT: f64 = 72.0;
const RIGHT: f64 = WIDTH - 18.0;
const KEY_ROOM: f64 = WIDTH - 24.0;
const HEIGHT: f64 = 280.0;
/// More curves than this would not be told apart; the first are shown.
const MOST_QUANTITIES: usize = 6;

/// Changes with β.
pub(super) struct Scaling<'a> {
    pub(super) data: &'a ScalingFigure,
    record: &'a ScalingRecord,
    points: &'a [PointRecord],
    tolerance: f64,
    replicas: u64,
    /// Whether the quantity is the loss of a network in training, of which there is no curve.
    is_training: bool,
}

impl<'a> Scaling<'a> {
    /// `None` where the result has no such question.
    pub(super) fn new(findings: &'a Findings, data: &'a ScalingFigure) -> Option<Self> {
        Some(Self {
            data,
            record: findings.scaling.as_ref()?,
            points: &findings.points,
            tolerance: findings.scenario.test.tolerance,
            replicas: findings.scenario.ensemble.replicas,
            is_training: findings.scenario.training.is_some(),
        })
    }

    fn is_bowl(&self) -> bool {
        self.record.diverges_predicted.is_some()
    }

    /// What the figure shows.
    pub(super) fn caption(&self) -> String {
        if self.is_training {
            return format!(
                "ln of the mean training loss at rest minus its value at the first β, as η → βη and S → βS, pair by pair from equal starts, with 95 % \
                 intervals between independent replicas. Band: ±ε = ±{}, within which nothing counts as changed.",
                significant(self.tolerance, 3)
            );
        }
        let what = match self.data.quantities.as_slice() {
            _ if self.is_bowl() => "ln of the variance relative to that".to_owned(),
            [one] => format!("{one} minus its value"),
            _ => "Log-odds of each minimum, as the key names them, minus their value".to_owned(),
        };
        let divergence = if self.is_bowl() {
            " Crosses at the upper edge: every replica diverged; the dotted line is β = 2/(ηh)."
        } else {
            ""
        };
        let left_out = match self.data.quantities.len() {
            n if n > MOST_QUANTITIES => format!(" The first {MOST_QUANTITIES} of {n} quantities are shown."),
            _ => String::new(),
        };
        let [curves, leaves] = if self.data.at.is_empty() {
            ["The chain's own law is not known, so that there are no curves;", ""]
        } else {
            ["Curves: the chain's own law;", "; the dashed line marks the β at which the predicted change leaves it"]
        };
        format!(
            "{what} at the first β, as η → βη and S → βS, with 95 % intervals between independent replicas. {curves} symbols: \
             measured, the bars often smaller than they. Band: ±ε = ±{}, within which nothing counts as changed{leaves}.{divergence}{left_out}",
            significant(self.tolerance, 3)
        )
    }

    /// Whether a predicted curve goes down and out of the band.
    fn is_falling(&self) -> bool {
        self.data.predicted.iter().flatten().any(|y| *y < -self.tolerance)
    }

    fn shown(&self) -> usize {
        self.data.quantities.len().min(MOST_QUANTITIES)
    }

    fn look(&self, index: usize) -> Look {
        // One quantity is the measurement and its rung; several are told apart by colour, marker and dash.
        if self.shown() == 1 {
            Look {
                marker: palette::Marker::Circle,
                dash: palette::SOLID,
                ..palette::rung(crate::scenario::Rung::Discrete)
            }
        } else {
            palette::group(index)
        }
    }

    fn entries(&self) -> Vec<KeyEntry> {
        let names = self.data.quantities.iter().take(MOST_QUANTITIES).enumerate();
        let curves = names.map(|(index, name)| KeyEntry {
            look: self.look(index),
            sample: if self.data.at.is_empty() { Sample::Point } else { Sample::Line },
            label: if self.shown() == 1 { "the chain's own law".to_owned() } else { name.clone() },
        });
        let band = KeyEntry {
            look: Look { colour: BAND, marker: palette::Marker::Square, dash: palette::SOLID },
            sample: Sample::Patch,
            label: "unchanged to ±ε".into(),
        };
        let measured = if self.shown() == 1 {
            KeyEntry { look: palette::MEASURED, sample: Sample::Interval, label: "measured".into() }
        } else {
            KeyEntry { look: palette::MEASURED, sample: Sample::Point, label: "symbols: measured".into() }
        };
        let curves = curves.filter(|_| self.shown() > 1 || !self.data.at.is_empty());
        curves.chain([measured, band]).collect()
    }

    fn top(&self) -> f64 {
        key_height(&self.entries(), KEY_ROOM) + 14.0
    }

    fn horizontal(&self) -> Axis {
        let ends = self.data.beta.iter().chain(&self.data.at);
        let (low, high) = ends.fold((f64::INFINITY, 0.0f64), |(l, h), b| (l.min(*b), h.max(*b)));
        Axis::new(Scale::Log, low / 1.12, high * 1.12)
    }

    /// The measured range and the band; a curve that goes to infinity is cut.
    fn vertical(&self) -> Axis {
        let ends = self.data.low.iter().chain(&self.data.high).take(2 * self.data.low.len()).flatten().copied();
        let (low, high) = ends
            .chain([-1.6 * self.tolerance, 1.6 * self.tolerance])
            .filter(|y| y.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), y| (l.min(y), h.max(y)));
        let margin = 0.12 * (high - low);
        // Below a rising curve there is room for words.
        let words = if self.is_falling() { 0.0 } else { 0.08 * (high - low) };
        Axis::new(Scale::Linear, low - margin - words, high + margin)
    }

    /// β at which every replica diverged.
    fn diverged(&self) -> Vec<f64> {
        let all_gone =
            |beta: &&f64| self.points.iter().any(|point| point.at == **beta && point.diverged == Some(self.replicas));
        self.data.beta.iter().filter(all_gone).copied().collect()
    }

    fn draw_marks(&self, panel: &Panel<'_, '_>) -> Drawn {
        let [_, top, right, bottom] = panel.frame;
        let marks = [
            (self.record.breaks_predicted, palette::DASHED, "breaks at β = "),
            (self.record.diverges_predicted, palette::DOTTED, "diverges at β = "),
        ];
        for (row, (beta, dash, words)) in marks.into_iter().enumerate() {
            let Some(beta) = beta.filter(|beta| (panel.x.low..=panel.x.high).contains(beta)) else { continue };
            let at = panel.across(beta);
            panel.canvas.line(&[(at, top), (at, bottom)], Stroke::new(GREY, 1.5).dashed(dash))?;
            let text = format!("{words}{}", pretty(&significant(beta, 4)));
            // Beside the line, on the side with room, low where a rising curve leaves the corner empty.
            let (align, shift) = if at > 0.6 * right { (Align::Right, -6.0) } else { (Align::Left, 6.0) };
            let height =
                if self.is_falling() { top + 14.0 + 17.0 * row as f64 } else { bottom - 14.0 - 17.0 * row as f64 };
            panel.canvas.text(&text, (at + shift, height), Lettering::new(SMALL, align))?;
        }
        Ok(())
    }

    fn draw_data(&self, panel: &Panel<'_, '_>) -> Drawn {
        for index in 0..self.shown() {
            let look = self.look(index);
            let curve = self.data.at.iter().copied().zip(self.data.predicted[index].iter().copied());
            panel.line(curve, Stroke::new(look.colour, 2.0).dashed(look.dash))?;
        }
        for index in 0..self.shown() {
            let look = self.look(index);
            for (point, beta) in self.data.beta.iter().enumerate() {
                let change = self.data.measured[index][point];
                if change.is_finite() {
                    upright(panel, *beta, self.data.low[index][point], self.data.high[index][point])?;
                    let colour = if self.shown() == 1 { BLACK } else { look.colour };
                    panel.canvas.marker(panel.at(*beta, change), look.marker, 8.0, colour, false)?;
                }
            }
        }
        for beta in self.diverged() {
            let at = (panel.across(beta), panel.frame[1] + 10.0);
            panel.canvas.marker(at, palette::Marker::Cross, 9.0, BLACK, false)?;
        }
        Ok(())
    }
}

impl Design for Scaling<'_> {
    fn size(&self) -> (f64, f64) {
        (WIDTH, (self.top() + HEIGHT + 46.0).ceil())
    }

    fn draw(&self, canvas: &Canvas<'_>) -> Drawn {
        key(canvas, &self.entries(), (12.0, 6.0), KEY_ROOM)?;
        let frame = [LEFT, self.top(), RIGHT, self.top() + HEIGHT];
        let panel = Panel { canvas, frame, x: self.horizontal(), y: self.vertical() };
        panel.block((panel.x.low, -self.tolerance), (panel.x.high, self.tolerance), BAND, 1.0)?;
        self.draw_marks(&panel)?;
        self.draw_data(&panel)?;
        let first = self.data.beta.first().copied().unwrap_or(1.0);
        let first = pretty(&significant(first, 4));
        let title = if self.is_training {
            format!("ln⟨L⟩ − ln⟨L⟩ at β = {first}")
        } else if self.is_bowl() {
            format!("ln(variance/variance at β = {first})")
        } else {
            format!("log-odds − log-odds at β = {first}")
        };
        panel.left_axis(&title, 56.0)?;
        panel.bottom_axis("β")
    }
}
