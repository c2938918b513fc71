//! How far the measured distribution function is from the tested one, beside the other rungs and the tolerance.

use crate::findings::{DistributionFigure, Findings};
use crate::scenario::Rung;

use super::super::number::significant;
use super::super::words::rung_name;
use super::axis::{Axis, Scale};
use super::canvas::{Canvas, Drawn, Stroke};
use super::palette::{self, BAND, BLACK, DOTTED, GREY, Look, MEASURED};
use super::panel::{KeyEntry, Panel, Sample, key, key_height};
use super::{Design, WIDTH};

const LEFT: f64 = 74.0;
const RIGHT: f64 = WIDTH - 14.0;
const HEIGHT: f64 = 210.0;
const KEY_ROOM: f64 = WIDTH - 24.0;

/// The differences.
pub(super) struct Distribution<'a> {
    pub(super) findings: &'a Findings,
    pub(super) data: &'a DistributionFigure,
}

impl Distribution<'_> {
    /// What the figure shows.
    pub(super) fn caption(&self) -> String {
        let against = self.against();
        let others = if self.others().is_empty() {
            String::new()
        } else {
            " Lines without a band are the other predictions minus the tested one: a measurement that follows one of them \
             has that law instead."
                .to_owned()
        };
        format!(
            "The measured distribution function minus that of {against}, with its 95 % interval at each place (band, from \
             independent groups of replicas).{others} The green strip is the tolerance ±ε = ±{}. The claim holds if the largest \
             difference anywhere, by an upper confidence bound, stays inside.",
            significant(self.findings.scenario.test.tolerance, 3),
        )
    }

    fn against(&self) -> &'static str {
        match self.findings.scenario.test.against {
            Rung::Laplace => "Laplace's mixture of Gaussians",
            Rung::Gibbs => "the Gibbs law",
            Rung::Ito => "the Itô density",
            Rung::Discrete => "the chain's own law",
        }
    }

    fn others(&self) -> Vec<(Rung, &[f64])> {
        let data = self.data;
        let all = [
            (Rung::Laplace, &data.laplace),
            (Rung::Gibbs, &data.gibbs),
            (Rung::Ito, &data.ito),
            (Rung::Discrete, &data.discrete),
        ];
        all.into_iter().filter(|(_, curve)| !curve.is_empty()).map(|(rung, curve)| (rung, curve.as_slice())).collect()
    }

    fn entries(&self) -> Vec<KeyEntry> {
        let measured = KeyEntry { look: MEASURED, sample: Sample::Band, label: "measured, 95 %".to_owned() };
        let others = self.others().into_iter().map(|(rung, _)| KeyEntry {
            look: palette::rung(rung),
            sample: Sample::Line,
            label: rung_name(rung).to_owned(),
        });
        let strip = Look { colour: BAND, ..MEASURED };
        let label = format!("±ε = ±{}", significant(self.findings.scenario.test.tolerance, 3));
        std::iter::once(measured)
            .chain(others)
            .chain([KeyEntry { look: strip, sample: Sample::Patch, label }])
            .collect()
    }

    /// The measurement, the tolerance, and the other rungs as far as they go beyond by a factor of three.
    fn vertical(&self) -> Axis {
        let tolerance = self.findings.scenario.test.tolerance;
        let data = self.data;
        let measured = data.measured.iter().zip(&data.standard_error).map(|(d, e)| d.abs() + 1.96 * e);
        let needed = measured.filter(|reach| reach.is_finite()).fold(1.3 * tolerance, f64::max);
        let others = self.others().into_iter().flat_map(|(_, curve)| curve).fold(0.0, |a: f64, d| a.max(d.abs()));
        let reach = 1.08 * needed.max(others.min(3.0 * needed));
        Axis::new(Scale::Linear, -reach, reach)
    }
}

impl Design for Distribution<'_> {
    fn size(&self) -> (f64, f64) {
        (WIDTH, (key_height(&self.entries(), KEY_ROOM) + 14.0 + HEIGHT + 48.0).ceil())
    }

    fn draw(&self, canvas: &Canvas<'_>) -> Drawn {
        let (data, entries) = (self.data, self.entries());
        key(canvas, &entries, (12.0, 6.0), KEY_ROOM)?;
        let top = key_height(&entries, KEY_ROOM) + 14.0;
        let ends = |theta: &[f64]| Some((*theta.first()?, *theta.last()?));
        let (low, high) = ends(&data.theta).unwrap_or((0.0, 1.0));
        let x = Axis::new(Scale::Linear, low, high);
        let panel = Panel { canvas, frame: [LEFT, top, RIGHT, top + HEIGHT], x, y: self.vertical() };
        let tolerance = self.findings.scenario.test.tolerance;
        panel.block((low, -tolerance), (high, tolerance), BAND, 1.0)?;
        for edge in [-tolerance, tolerance] {
            panel.line([(low, edge), (high, edge)], Stroke::new(GREY, 1.0).dashed(DOTTED))?;
        }
        panel.line([(low, 0.0), (high, 0.0)], Stroke::new(GREY, 1.0))?;
        let rows = data.theta.iter().zip(&data.measured).zip(&data.standard_error);
        let band: Vec<_> = rows.map(|((x, d), e)| (*x, d - 1.96 * e, d + 1.96 * e)).collect();
        panel.band(&band, BLACK, 0.22)?;
        for (rung, curve) in self.others() {
            let look = palette::rung(rung);
            let points = data.theta.iter().copied().zip(curve.iter().copied());
            panel.line(points, Stroke::new(look.colour, 2.0).dashed(look.dash))?;
        }
        panel.line(data.theta.iter().copied().zip(data.measured.iter().copied()), Stroke::new(BLACK, 1.8))?;
        panel.bottom_axis(&data.variable)?;
        panel.left_axis(&format!("F measured − F {}", rung_name(self.findings.scenario.test.against)), 58.0)
    }
}
