//! One axis: what was measured beside what each rung predicts, and below how far from the tested one, in units of ε.

use super::super::axis::{Axis, Scale};
use super::super::canvas::{Align, Canvas, Drawn, Lettering, SMALL, Stroke, TEXT, width};
use super::super::palette::{self, BAND, BLACK, GREY, Look, MEASURED};
use super::super::panel::{KeyEntry, Panel, Sample, key, key_height};
use super::super::{Design, WIDTH};
use super::{Data, Fate, contrast, number, primary};
use crate::findings::StudyPoint;
use crate::report::number::significant;
use crate::report::words::{rung_name, rung_of};

const LEFT: f64 = 74.0;
const RIGHT: f64 = WIDTH - 16.0;
const KEY_ROOM: f64 = WIDTH - 24.0;
const AXIS: f64 = 46.0;
const GAP: f64 = 12.0;
/// Above every pair of panels, for the name of the quantity.
const HEAD: f64 = 27.0;
/// More quantities than this would be too small to read.
const MOST_PANELS: usize = 3;
/// Differences of more than this many tolerances are shown on a compressed scale.
const LINEAR_UP_TO: f64 = 12.0;
/// Error bars reach this many standard errors.
const REACH: f64 = 1.96;

/// A study along one axis.
pub(super) struct Line<'a> {
    data: Data<'a>,
    axis: usize,
    quantities: Vec<String>,
    of: usize,
    /// Claims whose predictions are drawn, with how they look and what they are called.
    claims: Vec<(String, Look, String)>,
    x: Axis,
    /// Where each row lies along the axis, `None` for categories: then by their places.
    categories: bool,
}

impl<'a> Line<'a> {
    pub(super) fn new(data: Data<'a>, axis: usize) -> Self {
        let mut quantities = data.quantities();
        let of = quantities.len();
        quantities.truncate(MOST_PANELS);
        let numbers: Option<Vec<f64>> = data.spec.axis[axis].values.iter().map(number).collect();
        let numbers = numbers.filter(|numbers| are_different(numbers));
        let categories = numbers.is_none();
        let x = match numbers {
            Some(numbers) => spread(&numbers),
            None => Axis::new(Scale::Linear, -0.6, data.spec.axis[axis].values.len() as f64 - 0.4),
        };
        let claims = data
            .findings
            .claims
            .iter()
            .filter(|claim| data.rows.iter().filter_map(|row| row.claim(&claim.id)).any(|c| c.standard_error.is_some()))
            .enumerate()
            .map(|(place, claim)| match rung_of(claim) {
                Some(rung) => (claim.id.clone(), palette::rung(rung), rung_name(rung).to_owned()),
                None => (claim.id.clone(), palette::group(place), claim.id.clone()),
            })
            .collect();
        Line { data, axis, quantities, of, claims, x, categories }
    }

    /// What the figure shows.
    pub(super) fn caption(&self) -> String {
        let others: Vec<&str> = self
            .data
            .spec
            .axis
            .iter()
            .enumerate()
            .filter(|(axis, _)| *axis != self.axis)
            .map(|(_, a)| a.path.as_str())
            .collect();
        let together = match (self.data.spec.zip, others.is_empty()) {
            (true, false) => format!(" With it go {}.", others.join(", ")),
            _ => String::new(),
        };
        let left_out = if self.of > self.quantities.len() {
            format!(" Shown are {} of {} compared quantities; study.csv has all.", self.quantities.len(), self.of)
        } else {
            String::new()
        };
        let compressed = if self.differences().scale == Scale::Linear { "" } else { " (compressed beyond ε)" };
        let told = "Lines join the predictions of each rung at the points. The shape of a point is its verdict: a filled circle holds, a \
                    cross is rejected, an open square is undetermined; an open diamond at the foot has an unstable step \
                    (δh ≥ 2), an open triangle there has no result.";
        format!(
            "Above: what was measured at each point of the study (black) beside the predictions. Below: Δ, measured minus \
             the tested prediction, in units of the tolerance ε{compressed}; the band is ±ε. Bars are ±1.96 standard \
             errors between independent replicas, 95 % where these are many; where none is seen it is smaller than the symbol, or a point \
             still remembers its start. {told}{together}{left_out}"
        )
    }

    /// Where a row lies along the axis.
    fn place(&self, row: &StudyPoint) -> Option<f64> {
        let place = *self.data.spec.places(row.index).get(self.axis)?;
        if self.categories { Some(place as f64) } else { number(self.data.spec.axis[self.axis].values.get(place)?) }
    }

    /// Rows from left to right.
    fn ordered(&self) -> Vec<(f64, &StudyPoint)> {
        let mut rows: Vec<(f64, &StudyPoint)> =
            self.data.rows.iter().filter_map(|row| self.place(row).map(|x| (x, row))).collect();
        rows.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.index.cmp(&b.1.index)));
        rows
    }

    /// Symbols shrink where they would touch each other.
    fn size(&self) -> f64 {
        let room = (RIGHT - LEFT) / self.data.rows.len().max(1) as f64;
        (0.9 * room).clamp(3.6, 9.0)
    }

    fn heights(&self) -> (f64, f64) {
        match self.quantities.len() {
            0 | 1 => (200.0, 120.0),
            2 => (140.0, 90.0),
            _ => (115.0, 75.0),
        }
    }

    fn entries(&self) -> Vec<KeyEntry> {
        let rungs = self.claims.iter().map(|(_, look, name)| KeyEntry {
            look: *look,
            sample: Sample::Line,
            label: name.clone(),
        });
        let fates = self.data.fates().into_iter().map(|fate| {
            let (marker, open) = fate.marker();
            let sample = if open { Sample::OpenPoint } else { Sample::Point };
            KeyEntry { look: Look { marker, ..MEASURED }, sample, label: fate.name().to_owned() }
        });
        let band = Look { colour: BAND, ..MEASURED };
        let tolerances = self.data.rows.iter().flat_map(|row| row.primary()).map(|claim| claim.tolerance);
        let (least, most) = tolerances.fold((f64::INFINITY, 0.0_f64), |(l, m), t| (l.min(t), m.max(t)));
        let label = if least == most { format!("±ε = ±{}", significant(most, 3)) } else { "±ε".to_owned() };
        let band = KeyEntry { look: band, sample: Sample::Patch, label };
        rungs.chain(fates).chain([band]).collect()
    }

    fn top(&self) -> f64 {
        key_height(&self.entries(), KEY_ROOM) + 14.0
    }

    /// The range of a quantity: all that was measured, bars included, and all predictions.
    fn vertical(&self, quantity: &str) -> Axis {
        let values = self.data.rows.iter().flat_map(|row| &row.claims).filter_map(|claim| contrast(claim, quantity));
        let ends = values.flat_map(|contrast| {
            let bar = contrast.standard_error.unwrap_or(0.0) * REACH;
            let measured = contrast.measured.into_iter().flat_map(move |m| [m - bar, m + bar]);
            contrast.predicted.into_iter().chain(measured)
        });
        let (low, high) = ends
            .filter(|end| end.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        let margin = 0.08 * (high - low).max(1e-3);
        Axis::new(Scale::Linear, low - margin, high + margin)
    }

    /// (measured − predicted)/ε with its error, and what became of the point.
    fn difference(&self, row: &StudyPoint, quantity: &str) -> Option<(f64, f64)> {
        let (claim, contrast) = primary(row, quantity)?;
        let difference = contrast.measured? - contrast.predicted?;
        Some((difference / claim.tolerance, contrast.standard_error.unwrap_or(0.0) * REACH / claim.tolerance))
    }

    fn differences(&self) -> Axis {
        let all = self.quantities.iter().flat_map(|quantity| {
            self.data
                .rows
                .iter()
                .filter_map(|row| self.difference(row, quantity))
                .flat_map(|(d, bar)| [d - bar, d + bar])
        });
        let (low, high) = all.filter(|v| v.is_finite()).fold((-1.5_f64, 1.5_f64), |(l, h), v| (l.min(v), h.max(v)));
        if high.max(-low) <= LINEAR_UP_TO {
            let margin = 0.05 * (high - low);
            return Axis::new(Scale::Linear, low - margin, high + margin);
        }
        let margin = 0.06 * (high.asinh() - low.asinh());
        Axis::new(Scale::Asinh(1.0), (low.asinh() - margin).sinh(), (high.asinh() + margin).sinh())
    }

    fn draw_values(&self, panel: &Panel<'_, '_>, quantity: &str) -> Drawn {
        let rows = self.ordered();
        // Broken lines go over solid ones: predictions that agree are all seen.
        let (solid, broken): (Vec<_>, Vec<_>) = self.claims.iter().partition(|(_, look, _)| look.dash.is_empty());
        for (id, look, _) in solid.into_iter().chain(broken) {
            let predicted = |row: &StudyPoint| {
                let claim = row.claim(id)?;
                contrast(claim, quantity)?.predicted
            };
            let curve = rows.iter().map(|(x, row)| (*x, predicted(row).unwrap_or(f64::NAN)));
            let stroke = Stroke::new(look.colour, 1.8).dashed(look.dash);
            if self.categories {
                for (x, y) in curve {
                    panel.line([(x - 0.32, y), (x + 0.32, y)], stroke)?;
                }
            } else {
                panel.line(curve, stroke)?;
            }
        }
        for (x, row) in &rows {
            match primary(row, quantity).and_then(|(_, contrast)| Some((contrast.measured?, contrast.standard_error))) {
                Some((measured, error)) => self.point(panel, *x, measured, error.unwrap_or(0.0) * REACH, row)?,
                None => self.foot(panel, *x, row)?,
            }
        }
        title(panel, quantity)
    }

    fn draw_differences(&self, panel: &Panel<'_, '_>, quantity: &str) -> Drawn {
        let (low, high) = (panel.x.low, panel.x.high);
        panel.block((low, -1.0), (high, 1.0), BAND, 1.0)?;
        panel.line([(low, 0.0), (high, 0.0)], Stroke::new(GREY, 1.0))?;
        for (x, row) in self.ordered() {
            match self.difference(row, quantity) {
                Some((difference, bar)) => self.point(panel, x, difference, bar, row)?,
                None => self.foot(panel, x, row)?,
            }
        }
        panel.left_axis("Δ / ε", LEFT - 14.0)
    }

    fn point(&self, panel: &Panel<'_, '_>, x: f64, y: f64, bar: f64, row: &StudyPoint) -> Drawn {
        let stroke = Stroke::new(BLACK, if self.size() < 6.0 { 0.9 } else { 1.4 });
        panel.line([(x, y - bar), (x, y + bar)], stroke)?;
        let (marker, open) = Fate::of(row).marker();
        panel.canvas.marker(panel.at(x, y), marker, self.size(), BLACK, open)
    }

    /// A point without a number stands at the foot of the panel.
    fn foot(&self, panel: &Panel<'_, '_>, x: f64, row: &StudyPoint) -> Drawn {
        let (marker, open) = Fate::of(row).marker();
        panel.canvas.marker((panel.across(x), panel.frame[3] - 7.0), marker, self.size(), GREY, open)
    }

    /// The axis of the study: numbers, or the names of categories as far as they have room.
    fn bottom(&self, panel: &Panel<'_, '_>, last: bool) -> Drawn {
        let path = &self.data.spec.axis[self.axis].path;
        if !self.categories {
            return if last { panel.bottom_axis(path) } else { panel.bottom_ticks() };
        }
        let [left, _, right, bottom] = panel.frame;
        let stroke = Stroke::new(BLACK, 1.2);
        panel.canvas.line(&[(left, bottom), (right, bottom)], stroke)?;
        let mut free = f64::NEG_INFINITY;
        for (place, text) in self.data.labels(self.axis).into_iter().enumerate() {
            let at = panel.across(place as f64);
            let half = width(&text, SMALL) / 2.0;
            if at - half < free || at + half > WIDTH - 2.0 {
                continue;
            }
            free = at + half + 7.0;
            panel.canvas.line(&[(at, bottom), (at, bottom + 5.0)], stroke)?;
            if last {
                panel.canvas.text(&text, (at, bottom + 14.0), Lettering::new(SMALL, Align::Centre))?;
            }
        }
        if last {
            panel.canvas.text(path, ((left + right) / 2.0, bottom + 33.0), Lettering::new(TEXT, Align::Centre))?;
        }
        Ok(())
    }
}

/// The left axis with its quantity set as a formula above the panel's corner.
fn title(panel: &Panel<'_, '_>, quantity: &str) -> Drawn {
    panel.left_axis("", LEFT - 14.0)?;
    panel.canvas.formula(quantity, (panel.frame[0] - 56.0, panel.frame[1] - 17.0), Lettering::new(TEXT, Align::Left))
}

fn are_different(numbers: &[f64]) -> bool {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.windows(2).all(|pair| pair[0] < pair[1])
}

/// A logarithmic axis for values that are more evenly spaced there, with room at both ends.
fn spread(numbers: &[f64]) -> Axis {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (sorted[0], sorted[sorted.len() - 1]);
    let unevenness = |of: &dyn Fn(f64) -> f64| {
        let gaps = sorted.windows(2).map(|pair| of(pair[1]) - of(pair[0]));
        let (least, most) = gaps.fold((f64::INFINITY, 0.0_f64), |(l, m), gap| (l.min(gap), m.max(gap)));
        most / least
    };
    let wide = low > 0.0 && high / low >= 4.0;
    if wide && unevenness(&f64::ln) < unevenness(&|value| value) {
        let room = (high / low).powf(0.04);
        return Axis::new(Scale::Log, low / room, high * room);
    }
    let room = 0.04 * (high - low);
    Axis::new(Scale::Linear, low - room, high + room)
}

impl Design for Line<'_> {
    fn size(&self) -> (f64, f64) {
        let (value, difference) = self.heights();
        let panels = self.quantities.len().max(1) as f64;
        (WIDTH, (self.top() + panels * (HEAD + value + GAP + difference + GAP) - GAP + AXIS).ceil())
    }

    fn draw(&self, canvas: &Canvas<'_>) -> Drawn {
        key(canvas, &self.entries(), (12.0, 6.0), KEY_ROOM)?;
        let mut top = self.top();
        if self.quantities.is_empty() {
            let lettering = Lettering::new(SMALL, Align::Centre);
            return canvas.text("no point has a measurement to compare", (WIDTH / 2.0, top + 60.0), lettering);
        }
        let (value, difference) = self.heights();
        for (index, quantity) in self.quantities.iter().enumerate() {
            top += HEAD;
            let frame = [LEFT, top, RIGHT, top + value];
            let panel = Panel { canvas, frame, x: self.x, y: self.vertical(quantity) };
            self.draw_values(&panel, quantity)?;
            self.bottom(&panel, false)?;
            top += value + GAP;
            let frame = [LEFT, top, RIGHT, top + difference];
            let panel = Panel { canvas, frame, x: self.x, y: self.differences() };
            self.draw_differences(&panel, quantity)?;
            self.bottom(&panel, index + 1 == self.quantities.len())?;
            top += difference + GAP;
        }
        Ok(())
    }
}
