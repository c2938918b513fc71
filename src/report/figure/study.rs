//! A study in a picture: curves along one axis, maps over two.

mod heat;
mod line;

use super::super::csv::{CsvTable, study::plain};
use super::super::words::axis_value;
use super::palette::Marker;
use super::{Figure, draw};
use crate::findings::{Findings, Outlook, PointClaim, PointContrast, StudyPoint};
use crate::report::ReportError;
use crate::scenario::StudySpec;
use crate::statistics::claim::Verdict;

/// What a study's figures are drawn from.
#[derive(Clone, Copy)]
struct Data<'a> {
    findings: &'a Findings,
    spec: &'a StudySpec,
    rows: &'a [StudyPoint],
}

/// What became of a point: never told by colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Holds,
    Rejected,
    Undetermined,
    /// Predicted to diverge; whether it did is its verdict.
    Unstable,
    NoResult,
}

impl Fate {
    const ALL: [Fate; 5] = [Fate::Holds, Fate::Rejected, Fate::Undetermined, Fate::Unstable, Fate::NoResult];

    fn of(row: &StudyPoint) -> Fate {
        match (row.predicted, row.claims.is_empty(), row.verdict) {
            (Some(Outlook::Diverges), ..) => Fate::Unstable,
            (_, true, _) => Fate::NoResult,
            (.., Some(Verdict::Holds)) => Fate::Holds,
            (.., Some(Verdict::Rejected)) => Fate::Rejected,
            _ => Fate::Undetermined,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Fate::Holds => "holds",
            Fate::Rejected => "rejected",
            Fate::Undetermined => "undetermined",
            Fate::Unstable => "unstable step",
            Fate::NoResult => "no result",
        }
    }

    /// Its shape, and whether that is open.
    fn marker(self) -> (Marker, bool) {
        match self {
            Fate::Holds => (Marker::Circle, false),
            Fate::Rejected => (Marker::Cross, false),
            Fate::Undetermined => (Marker::Square, true),
            Fate::Unstable => (Marker::Diamond, true),
            Fate::NoResult => (Marker::Triangle, true),
        }
    }
}

impl<'a> Data<'a> {
    /// The fates that occur.
    fn fates(&self) -> Vec<Fate> {
        Fate::ALL.into_iter().filter(|fate| self.rows.iter().any(|row| Fate::of(row) == *fate)).collect()
    }

    /// The quantities that primary claims compare, those of most points first.
    fn quantities(&self) -> Vec<String> {
        let mut counts: Vec<(String, usize)> = Vec::new();
        let stationary = self.rows.iter().filter(|row| row.predicted != Some(Outlook::Diverges));
        for contrast in stationary.flat_map(|row| row.primary()).flat_map(PointClaim::compared) {
            match counts.iter_mut().find(|(quantity, _)| *quantity == contrast.quantity) {
                Some((_, count)) => *count += 1,
                None => counts.push((contrast.quantity, 1)),
            }
        }
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts.into_iter().map(|(quantity, _)| quantity).collect()
    }

    /// Names of an axis's values, short enough for a tick; numbers in the order given where they would look alike.
    fn labels(&self, axis: usize) -> Vec<String> {
        let values = &self.spec.axis[axis].values;
        let labels: Vec<String> = values.iter().map(label).collect();
        let mut sorted = labels.clone();
        sorted.sort();
        sorted.dedup();
        if sorted.len() == labels.len() {
            labels
        } else {
            (0..values.len()).map(|place| format!("no. {place}")).collect()
        }
    }

    /// Axes along which there is something to see.
    fn extended(&self) -> Vec<usize> {
        let axes: Vec<usize> =
            (0..self.spec.axis.len()).filter(|&axis| self.spec.axis[axis].values.len() > 1).collect();
        if self.spec.zip || axes.is_empty() { vec![0] } else { axes }
    }
}

/// A primary claim of a point about a quantity.
fn primary<'r>(row: &'r StudyPoint, quantity: &str) -> Option<(&'r PointClaim, PointContrast)> {
    row.primary().find_map(|claim| Some((claim, contrast(claim, quantity)?)))
}

fn contrast(claim: &PointClaim, quantity: &str) -> Option<PointContrast> {
    claim.compared().into_iter().find(|contrast| contrast.quantity == quantity)
}

/// The figures of a study.
pub(super) fn draw_study(findings: &Findings, rows: &[StudyPoint]) -> Result<Vec<Figure>, ReportError> {
    let Some(spec) = &findings.scenario.study else { return Ok(Vec::new()) };
    let data = Data { findings, spec, rows };
    let mut figure = match data.extended().as_slice() {
        [x, y, ..] => {
            let design = heat::Heat::new(data, [*x, *y]);
            draw("study", "The study over two axes", design.caption(), &design)?
        }
        axes => {
            let design = line::Line::new(data, axes[0]);
            draw("study", "The study along its axis", design.caption(), &design)?
        }
    };
    figure.csv = Some(csv(data));
    Ok(vec![figure])
}

/// Tidy: one compared quantity of one claim of one point per line.
fn csv(data: Data<'_>) -> String {
    let paths = data.spec.axis.iter().map(|axis| axis.path.as_str());
    let columns = ["claim", "quantity", "verdict", "predicted", "measured", "standard_error", "tolerance"];
    let head: Vec<&str> = ["point"].into_iter().chain(paths).chain(columns).collect();
    let mut table = CsvTable::new(&head);
    for row in data.rows {
        for claim in &row.claims {
            for contrast in claim.compared() {
                let verdict = claim.verdict.map_or(String::new(), |verdict| verdict.to_string().to_lowercase());
                let index = row.index.to_string();
                let values: Vec<String> = row.values.iter().map(plain).collect();
                let mut words: Vec<&str> = vec![&index];
                words.extend(values.iter().map(String::as_str));
                words.extend([claim.id.as_str(), &contrast.quantity, &verdict]);
                let numbers = [contrast.predicted, contrast.measured, contrast.standard_error, Some(claim.tolerance)];
                table.mixed(&words, &numbers.map(|number| number.unwrap_or(f64::NAN)), &[]);
            }
        }
    }
    table.into_text()
}

/// The number of a value, where it is one.
fn number(value: &toml::Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|integer| integer as f64)).filter(|number| number.is_finite())
}

/// A label that fits beside an axis.
fn label(value: &toml::Value) -> String {
    let text = axis_value(value);
    let text = if value.is_str() { text } else { super::super::number::pretty(&text) };
    if text.chars().count() <= 14 { text } else { text.chars().take(13).chain(['…']).collect() }
}
