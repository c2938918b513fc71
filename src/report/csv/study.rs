//! `study.csv`: one line per point; every varied key; prediction, measurement, error and verdict of every claim.
//!
//! Columns of a claim begin with its name: `occupancy-laplace.predicted`. They are those of the contrast that decides at
//! the point; where a claim has several contrasts, each has columns of its own: `occupancy-laplace.ln(p_A/p_C).predicted`.

use std::path::Path;

use super::table::{Reader, Row, Table};
use crate::findings::{PointClaim, PointContrast, StudyPoint};
use crate::report::ReportError;
use crate::scenario::StudySpec;

const BEFORE: [&str; 10] = [
    "seed",
    "noise_scale",
    "temperature",
    "predicted",
    "verdict",
    "primary",
    "equilibrated",
    "transitions",
    "diverged",
    "reason",
];
const OF_CLAIM: [&str; 7] =
    ["quantity", "predicted", "measured", "standard_error", "tolerance", "verdict", "rejection_p_value"];
const OF_CONTRAST: [&str; 3] = ["predicted", "measured", "standard_error"];

/// The columns of one claim: its name and, where it has several, the names of its contrasts.
struct Columns {
    id: String,
    contrasts: Vec<String>,
}

/// The claims and contrasts of all points, in the order in which the points bring them.
fn columns(rows: &[StudyPoint]) -> Vec<Columns> {
    let mut all: Vec<Columns> = Vec::new();
    for claim in rows.iter().flat_map(|row| &row.claims) {
        let place = all.iter().position(|columns| columns.id == claim.id).unwrap_or_else(|| {
            all.push(Columns { id: claim.id.clone(), contrasts: Vec::new() });
            all.len() - 1
        });
        for contrast in &claim.contrasts {
            if !all[place].contrasts.contains(&contrast.quantity) {
                all[place].contrasts.push(contrast.quantity.clone());
            }
        }
    }
    all
}

/// The whole table.
pub(in crate::report) fn table(study: &StudySpec, rows: &[StudyPoint]) -> String {
    let columns = columns(rows);
    let mut head = vec!["index".to_owned()];
    head.extend(study.axis.iter().map(|axis| axis.path.clone()));
    // Where the seed is what is varied, two columns of one name would be read as one.
    let seed = if study.varies("seed") { "seed_of_point" } else { BEFORE[0] };
    head.push(seed.to_owned());
    head.extend(BEFORE[1..].iter().map(|&name| name.to_owned()));
    for Columns { id, contrasts } in &columns {
        head.extend(OF_CLAIM.map(|what| format!("{id}.{what}")));
        for quantity in contrasts {
            head.extend(OF_CONTRAST.map(|what| format!("{id}.{quantity}.{what}")));
        }
    }
    let mut table = Table::new(&head.iter().map(String::as_str).collect::<Vec<_>>());
    for row in rows {
        table.fields(&line(row, &columns));
    }
    table.into_text()
}

fn line(row: &StudyPoint, columns: &[Columns]) -> Vec<String> {
    let primary: Vec<&str> = row.primary().map(|claim| claim.id.as_str()).collect();
    let mut fields = vec![row.index.to_string()];
    fields.extend(row.values.iter().map(plain));
    fields.extend([row.seed.to_string(), number(row.noise_scale), number(row.temperature)]);
    fields.extend([word(row.predicted), word(row.verdict), primary.join(" "), whole(row.equilibrated)]);
    fields.extend([whole(row.transitions), whole(row.diverged), row.reason.clone()]);
    for Columns { id, contrasts } in columns {
        match row.claim(id) {
            None => fields.extend(vec![String::new(); OF_CLAIM.len() + contrasts.len() * OF_CONTRAST.len()]),
            Some(claim) => {
                fields.push(claim.quantity.clone());
                fields.extend([claim.predicted, claim.measured, claim.standard_error].map(number));
                fields.extend([number(Some(claim.tolerance)), word(claim.verdict), number(claim.rejection_p_value)]);
                for quantity in contrasts {
                    let contrast = claim.compared().into_iter().find(|contrast| contrast.quantity == *quantity);
                    let numbers = contrast.map(|c| [c.predicted, c.measured, c.standard_error]);
                    fields.extend(numbers.unwrap_or_default().map(number));
                }
            }
        }
    }
    fields
}

/// A value on one line, without the quotes of a text.
pub(in crate::report) fn plain(value: &toml::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned).replace(['\n', '\r'], " ")
}

fn number(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map_or(String::new(), |value| format!("{value:?}"))
}

fn whole<T: ToString>(value: Option<T>) -> String {
    value.map_or(String::new(), |value| value.to_string())
}

/// The word by which result files call it.
fn word<T: serde::Serialize>(value: Option<T>) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// Reads back what [`table`] wrote.
pub(in crate::report) fn read(path: &Path, study: &StudySpec) -> Result<Vec<StudyPoint>, ReportError> {
    let reader = Reader::open_any(path)?;
    let first = 1 + study.axis.len();
    let claims = claims(reader.columns(), first + BEFORE.len());
    let rows: Vec<StudyPoint> =
        reader.rows().map(|row| record(&row, study, first, &claims)).collect::<Result<_, _>>()?;
    if !rows.iter().map(|row| row.index).eq(0..study.points()) {
        let found =
            format!("{} lines for the {} points of the study, which stand in their order", rows.len(), study.points());
        return Err(
            reader.error(rows.len(), format!("{found}; the table is cut short or damaged: run the study again"))
        );
    }
    Ok(rows)
}

/// Where the columns of each claim begin.
fn claims(columns: &[String], first: usize) -> Vec<(usize, Columns)> {
    let mut claims: Vec<(usize, Columns)> = Vec::new();
    for (index, name) in columns.iter().enumerate().skip(first) {
        // After the columns of the claim itself come those of its contrasts.
        let own = claims.last().is_some_and(|(start, _)| index < start + OF_CLAIM.len());
        match (name.strip_suffix(".quantity"), claims.last_mut()) {
            (Some(id), _) if !own => claims.push((index, Columns { id: id.to_owned(), contrasts: Vec::new() })),
            (_, Some((_, columns))) if !own => {
                let quantity = name.strip_prefix(&columns.id).and_then(|rest| rest.strip_prefix('.'));
                columns.contrasts.extend(quantity.and_then(|rest| rest.strip_suffix(".predicted")).map(str::to_owned));
            }
            _ => {}
        }
    }
    claims
}

fn record(
    row: &Row<'_>,
    study: &StudySpec,
    first: usize,
    claims: &[(usize, Columns)],
) -> Result<StudyPoint, ReportError> {
    let index = row.whole(0)?;
    let primary = row.text(first + 5);
    let primary: Vec<&str> = primary.split(' ').collect();
    let mut found = Vec::new();
    for (start, columns) in claims {
        if !row.text(*start).is_empty() {
            found.push(claim(row, *start, columns, primary.contains(&columns.id.as_str()))?);
        }
    }
    let count = |column: usize| if row.text(column).is_empty() { Ok(None) } else { row.whole(column).map(Some) };
    let equilibrated = row.text(first + 6);
    Ok(StudyPoint {
        index,
        values: if index < study.points() { study.values(index) } else { Vec::new() },
        seed: row.whole(first)?,
        noise_scale: row.optional(first + 1)?,
        temperature: row.optional(first + 2)?,
        predicted: row.word(first + 3)?,
        verdict: row.word(first + 4)?,
        equilibrated: (!equilibrated.is_empty()).then_some(equilibrated == "true"),
        transitions: count(first + 7)?,
        diverged: count(first + 8)?,
        reason: row.text(first + 9),
        claims: found,
    })
}

fn claim(row: &Row<'_>, start: usize, columns: &Columns, primary: bool) -> Result<PointClaim, ReportError> {
    let mut contrasts = Vec::new();
    for (place, quantity) in columns.contrasts.iter().enumerate() {
        let at = start + OF_CLAIM.len() + place * OF_CONTRAST.len();
        let contrast = PointContrast {
            quantity: quantity.clone(),
            predicted: row.optional(at)?,
            measured: row.optional(at + 1)?,
            standard_error: row.optional(at + 2)?,
        };
        // Of the union over all points this one has what it has a prediction for.
        if contrast.predicted.is_some() {
            contrasts.push(contrast);
        }
    }
    Ok(PointClaim {
        id: columns.id.clone(),
        primary,
        quantity: row.text(start),
        predicted: row.optional(start + 1)?,
        measured: row.optional(start + 2)?,
        standard_error: row.optional(start + 3)?,
        tolerance: row.number(start + 4)?,
        verdict: row.word(start + 5)?,
        rejection_p_value: row.optional(start + 6)?,
        contrasts: if contrasts.len() > 1 { contrasts } else { Vec::new() },
    })
}
