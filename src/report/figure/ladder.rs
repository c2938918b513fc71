//! The ladder: every rung's occupancies beside the measured ones, and below, how far each rung is off in log-odds.

use crate::findings::{ClaimRecord, ContrastRecord, Findings, OccupancyRecord};
use crate::scenario::Rung;

use super::super::csv::CsvTable;
use super::super::number::significant;
use super::super::words::{RUNGS, predicted, predicted_error, rung_name, rung_of};
use super::axis::{Axis, Scale};
use super::canvas::{Align, Canvas, Drawn, Lettering, SMALL, Stroke, width};
use super::palette::{self, BAND, BLACK, GREY, Look, MEASURED, PALE};
use super::panel::{KeyEntry, Panel, Sample, key, key_height};
use super::{Design, WIDTH};

const LEFT: f64 = 96.0;
const RIGHT: f64 = WIDTH - 16.0;
const AXIS: f64 = 46.0;
const GAP: f64 = 14.0;
const KEY_ROOM: f64 = WIDTH - 24.0;
/// Differences of more than this many tolerances are shown on a compressed scale.
const LINEAR_UP_TO: f64 = 15.0;

/// Occupancies with their predictions.
pub(super) struct Ladder<'a> {
    rows: Vec<&'a OccupancyRecord>,
    rungs: Vec<Rung>,
    claims: Vec<(Rung, &'a ClaimRecord)>,
    contrasts: Vec<Contrast>,
    against: Rung,
    tolerance: f64,
}

/// One compared quantity and how far each rung is from its measurement.
struct Contrast {
    quantity: String,
    /// Difference and its interval; where there is none, what is missing.
    differences: Vec<(Rung, Result<Difference, &'static str>)>,
}

struct Difference {
    value: f64,
    interval: [f64; 2],
}

impl<'a> Ladder<'a> {
    /// `None` where no occupancies were asked for.
    pub(super) fn new(findings: &'a Findings) -> Option<Self> {
        let worth_a_row = |row: &&OccupancyRecord| row.minimum != "other" || row.measured.is_some_and(|p| p > 0.01);
        let rows: Vec<&OccupancyRecord> = findings.occupancy.iter().filter(worth_a_row).collect();
        if rows.is_empty() {
            return None;
        }
        let known = |rung: &Rung| rows.iter().any(|row| predicted(row, *rung).is_some());
        let rungs: Vec<Rung> = RUNGS.into_iter().filter(known).collect();
        let claims: Vec<(Rung, &ClaimRecord)> =
            findings.claims.iter().filter_map(|claim| rung_of(claim).map(|rung| (rung, claim))).collect();
        let test = findings.scenario.test;
        Some(Ladder {
            contrasts: contrasts(&claims),
            rows,
            rungs,
            claims,
            against: test.against,
            tolerance: test.tolerance,
        })
    }

    /// What the figure shows.
    pub(super) fn caption(&self) -> String {
        let sampled = |row: &&OccupancyRecord| self.rungs.iter().any(|rung| predicted_error(row, *rung).is_some());
        let sampled = if self.rows.iter().any(sampled) {
            " (a bar on a coloured symbol is the 95 % interval of a sampled prediction)"
        } else {
            ""
        };
        let scale = if self.compressed() { " (compressed beyond ε)" } else { "" };
        format!(
            "Above: the probability of each minimum, predicted by each rung of the ladder (coloured symbols){sampled} and measured \
             (black; the bar is the 95 % interval between independent replicas, smaller than the symbol where none is seen; an \
             open symbol at the edge stands for 0 or 1; there is no interval where too few transitions were seen, or the start is still \
             seen in what was measured), spread as log-odds. Below: measured \
             minus predicted log-odds{scale} with 90 % intervals; the band is the tolerance ±ε = ±{}. A rung holds where \
             every bar lies inside the band, is rejected where one lies clearly outside, and is undetermined where a \
             bar crosses an edge. The verdict is about {}.",
            significant(self.tolerance, 3),
            rung_name(self.against),
        )
    }

    fn compressed(&self) -> bool {
        let (low, high) = self.reach();
        high.max(-low) > LINEAR_UP_TO * self.tolerance
    }

    /// The range of all differences with their intervals, and of the tolerance band with some room.
    fn reach(&self) -> (f64, f64) {
        let differences = self.contrasts.iter().flat_map(|contrast| &contrast.differences);
        let ends = differences.filter_map(|(_, difference)| difference.as_ref().ok()).flat_map(|d| d.interval);
        let room = 1.6 * self.tolerance;
        ends.filter(|end| end.is_finite()).fold((-room, room), |(low, high), end| (low.min(end), high.max(end)))
    }

    /// A linear axis, or one compressed beyond the tolerance where it would else be a hair's breadth.
    fn differences(&self) -> Axis {
        let (low, high) = self.reach();
        if !self.compressed() {
            let margin = 0.04 * (high - low);
            return Axis::new(Scale::Linear, low - margin, high + margin);
        }
        let spread = |value: f64| (value / self.tolerance).asinh();
        let margin = 0.06 * (spread(high) - spread(low));
        let value = |spread: f64| spread.sinh() * self.tolerance;
        Axis::new(Scale::Asinh(self.tolerance), value(spread(low) - margin), value(spread(high) + margin))
    }

    /// Distance between two symbols of one row: less where there are many rows.
    fn spacing(&self) -> f64 {
        if self.rows.len() > 6 { 7.5 } else { 10.5 }
    }

    fn row_height(&self) -> f64 {
        (self.rungs.len() + 1) as f64 * self.spacing() + 9.0
    }

    fn contrast_height(&self, contrast: &Contrast) -> f64 {
        contrast.differences.len().max(2) as f64 * (self.spacing() + 2.0) + 9.0
    }

    fn upper_height(&self) -> f64 {
        self.rows.len() as f64 * self.row_height()
    }

    fn lower_height(&self) -> f64 {
        self.contrasts.iter().map(|contrast| self.contrast_height(contrast)).sum()
    }

    fn key_above(&self) -> Vec<KeyEntry> {
        let measured = KeyEntry { look: MEASURED, sample: Sample::Interval, label: "measured, 95 %".to_owned() };
        let predicted = self.rungs.iter().map(|rung| KeyEntry {
            look: palette::rung(*rung),
            sample: Sample::Point,
            label: rung_name(*rung).to_owned(),
        });
        predicted.chain([measured]).collect()
    }

    fn key_below(&self) -> Vec<KeyEntry> {
        let verdicts = self.claims.iter().map(|(rung, claim)| {
            let verdict = claim.verdict.map_or("no verdict".to_owned(), |verdict| verdict.to_string().to_lowercase());
            let tested = if *rung == self.against { " (tested)" } else { "" };
            let label = format!("{}{tested}: {verdict}", rung_name(*rung));
            KeyEntry { look: palette::rung(*rung), sample: Sample::Interval, label }
        });
        let band = Look { colour: BAND, ..MEASURED };
        let label = format!("±ε = ±{}", significant(self.tolerance, 3));
        verdicts.chain([KeyEntry { look: band, sample: Sample::Patch, label }]).collect()
    }

    fn draw_occupancies(&self, canvas: &Canvas<'_>, top: f64) -> Drawn {
        let frame = [LEFT, top, RIGHT, top + self.upper_height()];
        let panel = Panel { canvas, frame, x: self.probabilities(), y: Axis::new(Scale::Linear, 0.0, 1.0) };
        for (index, row) in self.rows.iter().enumerate() {
            let start = top + index as f64 * self.row_height();
            if index > 0 {
                canvas.line(&[(LEFT, start), (RIGHT, start)], Stroke::new(PALE, 1.0))?;
            }
            let middle = start + self.row_height() / 2.0;
            canvas.text(&row.minimum, (LEFT - 12.0, middle), Lettering { bold: true, ..right(15.0) })?;
            let height = |place: usize| start + 4.5 + (place as f64 + 0.5) * self.spacing();
            for (place, rung) in self.rungs.iter().enumerate() {
                let Some(p) = predicted(row, *rung) else { continue };
                let look = palette::rung(*rung);
                if let Some(error) = predicted_error(row, *rung) {
                    let stroke = Stroke::new(look.colour, 1.4);
                    // The axis knows no 0: an interval that reaches it ends at the frame.
                    let low = (p - 1.96 * error).max(p / 20.0);
                    panel.interval(low, p + 1.96 * error, height(place), stroke)?;
                }
                canvas.marker((panel.across(p), height(place)), look.marker, 9.0, look.colour, false)?;
            }
            let last = height(self.rungs.len());
            match row.measured {
                Some(p) => {
                    if let Some([low, high]) = row.interval {
                        panel.interval(low, high, last, Stroke::new(BLACK, 1.5))?;
                    }
                    // 0 and 1 lie infinitely far out: an open symbol at the edge stands for them.
                    let at = panel.across(p).clamp(LEFT, RIGHT);
                    canvas.marker((at, last), MEASURED.marker, 8.0, BLACK, at != panel.across(p))?;
                    if row.interval.is_none() && p > 0.0 && p < 1.0 {
                        let (side, align) =
                            if at > 0.5 * (LEFT + RIGHT) { (-9.0, Align::Right) } else { (9.0, Align::Left) };
                        let lettering = Lettering { colour: GREY, ..Lettering::new(SMALL - 1.0, align) };
                        canvas.text("no interval", (at + side, last), lettering)?;
                    }
                }
                None => {
                    let lettering = Lettering { colour: GREY, ..Lettering::new(SMALL - 1.0, Align::Right) };
                    canvas.text("not measured", (RIGHT - 4.0, last - 2.0), lettering)?;
                }
            }
        }
        panel.bottom_axis("probability of a minimum (spread as log-odds)")
    }

    /// An axis that holds every probability, with room to spare.
    fn probabilities(&self) -> Axis {
        let values = self.rows.iter().flat_map(|row| {
            let [low, high] = row.interval.map_or([None, None], |ends| ends.map(Some));
            // An interval that reaches 0 is cut at the frame, else a minimum of 10⁻³ would stretch the axis to 10⁻³⁰⁰.
            let floor = row.measured.map_or(0.0, |p| p / 20.0);
            [row.laplace, row.gibbs, row.ito, row.discrete, row.measured, low.map(|low| low.max(floor)), high]
        });
        let log_odds = values.flatten().filter(|p| *p > 0.0 && *p < 1.0).map(|p| p.ln() - (-p).ln_1p());
        let (low, high) = log_odds.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        if !low.is_finite() {
            return Axis::new(Scale::Logit, 0.01, 0.99);
        }
        let margin = (0.06 * (high - low)).max(0.15);
        let probability = |log_odds: f64| 1.0 / (1.0 + (-log_odds).exp());
        Axis::new(Scale::Logit, probability(low - margin), probability(high + margin))
    }

    fn draw_differences(&self, canvas: &Canvas<'_>, top: f64) -> Drawn {
        let frame = [LEFT, top, RIGHT, top + self.lower_height()];
        let panel = Panel { canvas, frame, x: self.differences(), y: Axis::new(Scale::Linear, 0.0, 1.0) };
        panel.block((-self.tolerance, 0.0), (self.tolerance, 1.0), BAND, 1.0)?;
        let measured = self.contrasts.iter().flat_map(|c| &c.differences).any(|(_, difference)| difference.is_ok());
        for edge in [-self.tolerance, self.tolerance] {
            panel.line([(edge, 0.0), (edge, 1.0)], Stroke::new(GREY, 1.0).dashed(palette::DOTTED))?;
        }
        if measured {
            panel.line([(0.0, 0.0), (0.0, 1.0)], Stroke::new(GREY, 1.0))?;
        }
        let mut start = top;
        for (index, contrast) in self.contrasts.iter().enumerate() {
            let height = self.contrast_height(contrast);
            if index > 0 {
                canvas.line(&[(LEFT, start), (RIGHT, start)], Stroke::new(PALE, 1.0))?;
            }
            canvas.formula(&contrast.quantity, (LEFT - 10.0, start + height / 2.0), right(SMALL))?;
            let step = (height - 9.0) / contrast.differences.len().max(1) as f64;
            for (place, (rung, difference)) in contrast.differences.iter().enumerate() {
                let y = start + 4.5 + (place as f64 + 0.5) * step;
                let look = palette::rung(*rung);
                match difference {
                    Ok(Difference { value, interval: [low, high] }) => {
                        panel.interval(*low, *high, y, Stroke::new(look.colour, 2.0))?;
                        canvas.marker((panel.across(*value), y), look.marker, 9.0, look.colour, false)?;
                    }
                    Err(missing) => {
                        let text = format!("{}: no {missing}", rung_name(*rung));
                        let lettering = Lettering { colour: look.colour, ..Lettering::new(SMALL - 1.0, Align::Centre) };
                        let (at, half) = (panel.across(0.0), width(&text, SMALL) / 2.0);
                        // No line runs through the words.
                        canvas.rectangle((at - half, y - 6.0), (at + half, y + 6.0), BAND, 1.0)?;
                        canvas.text(&text, (at, y), lettering)?;
                    }
                }
            }
            start += height;
        }
        panel.bottom_axis("measured − predicted, in log-odds (bars: 90 %)")
    }
}

fn right(size: f64) -> Lettering {
    Lettering::new(size, Align::Right)
}

/// Every quantity that some claim about a rung compares, with the rungs' differences.
fn contrasts(claims: &[(Rung, &ClaimRecord)]) -> Vec<Contrast> {
    let mut contrasts: Vec<Contrast> = Vec::new();
    for (rung, claim) in claims {
        for record in &claim.contrasts {
            let difference = match (record.measured, record.predicted, record.interval) {
                (Some(measured), Some(predicted), Some(ends)) => {
                    // The interval is that of the measurement; the difference has the error of a sampled prediction too, and the
                    // bound of what a prediction leaves out.
                    let widening = widening(record);
                    let [low, high] = ends.map(|end| measured - predicted + widening * (end - measured));
                    let bound = record.predicted_bound.unwrap_or(0.0);
                    Ok(Difference { value: measured - predicted, interval: [low - bound, high + bound] })
                }
                (Some(_), Some(_), None) => Err("interval"),
                _ => Err("estimate"),
            };
            let index = contrasts.iter().position(|c| c.quantity == record.quantity).unwrap_or_else(|| {
                contrasts.push(Contrast { quantity: record.quantity.clone(), differences: Vec::new() });
                contrasts.len() - 1
            });
            contrasts[index].differences.push((*rung, difference));
        }
    }
    contrasts
}

/// The standard error of measured − predicted over that of the measurement alone.
fn widening(record: &ContrastRecord) -> f64 {
    match (record.standard_error, record.predicted_standard_error) {
        (Some(error), Some(own)) if error > own => error / (error * error - own * own).sqrt(),
        _ => 1.0,
    }
}

/// The figure's data, one probability per line.
pub(super) fn csv(findings: &Findings) -> String {
    let mut table = CsvTable::new(&["minimum", "by", "probability", "standard_error", "low", "high"]);
    for row in &findings.occupancy {
        for rung in RUNGS {
            if let Some(p) = predicted(row, rung) {
                let error = predicted_error(row, rung);
                let [low, high] = error.map_or([f64::NAN; 2], |error| [p - 1.96 * error, p + 1.96 * error]);
                table.mixed(&[&row.minimum, rung.name()], &[p, error.unwrap_or(f64::NAN), low, high], &[]);
            }
        }
        if let Some(p) = row.measured {
            let [low, high] = row.interval.unwrap_or([f64::NAN; 2]);
            table.mixed(&[&row.minimum, "measured"], &[p, row.standard_error.unwrap_or(f64::NAN), low, high], &[]);
        }
    }
    table.into_text()
}

impl Design for Ladder<'_> {
    fn size(&self) -> (f64, f64) {
        let mut height = key_height(&self.key_above(), KEY_ROOM) + 14.0 + self.upper_height() + AXIS;
        if !self.contrasts.is_empty() {
            height += GAP + key_height(&self.key_below(), KEY_ROOM) + 4.0 + self.lower_height() + AXIS;
        }
        (WIDTH, height.ceil())
    }

    fn draw(&self, canvas: &Canvas<'_>) -> Drawn {
        let (above, below) = (self.key_above(), self.key_below());
        key(canvas, &above, (12.0, 6.0), KEY_ROOM)?;
        let top = key_height(&above, KEY_ROOM) + 14.0;
        self.draw_occupancies(canvas, top)?;
        if self.contrasts.is_empty() {
            return Ok(());
        }
        let middle = top + self.upper_height() + AXIS + GAP;
        key(canvas, &below, (12.0, middle), KEY_ROOM)?;
        self.draw_differences(canvas, middle + key_height(&below, KEY_ROOM) + 4.0)
    }
}
