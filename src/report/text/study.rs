//! What a terminal says of a study: the axes, the points, the predictions.

use super::super::number::{count, with_error};
use super::super::table::{Table, WIDTH, wrap};
use super::super::words::{axis_value, notable, outcome};
use super::{or_dash, with_digits};
use crate::findings::{Findings, PointClaim, StudyPoint};

/// More points than this are a file, not a table.
const MOST_LINES: usize = 24;

/// The axes with their values.
pub(super) fn axes(findings: &Findings) -> Vec<String> {
    let Some(study) = &findings.scenario.study else { return Vec::new() };
    let order = match (study.zip, study.axis.len()) {
        (true, _) => "advancing together",
        (false, 1) => "along one axis",
        (false, _) => "a grid, the last axis running fastest",
    };
    let mut lines = vec![format!("  {} points, {order}", count(study.points()))];
    for axis in &study.axis {
        let values: Vec<String> = axis.values.iter().map(axis_value).collect();
        let shown = match values.as_slice() {
            [first, second, .., last] if values.len() > 12 => {
                format!("{first}, {second}, … {last} ({} values)", values.len())
            }
            few => few.join(", "),
        };
        lines.extend(wrap(&format!("{} = {shown}", axis.path), 2));
    }
    lines
}

/// The counts, and all points or those that decide.
pub(super) fn points(findings: &Findings) -> Vec<String> {
    let Some(study) = &findings.study else { return Vec::new() };
    let verdicts = study.verdicts;
    let mut lines = wrap(
        &format!(
            "{} hold, {} are rejected, {} are undetermined (Holm's correction over all points applied)",
            count(verdicts.holds),
            count(verdicts.rejected),
            count(verdicts.undetermined)
        ),
        2,
    );
    let rows = notable(study, &study.rows, MOST_LINES);
    if rows.is_empty() {
        lines.extend(wrap("study.csv has a line for each", 2));
        return lines;
    }
    lines.extend(table(
        findings,
        &rows,
        |row| {
            let claim = row.primary().next();
            vec![
                outcome(row),
                or_dash(claim, |claim| claim.quantity.clone()),
                or_dash(claim.and_then(|claim| claim.predicted), |value| digits(value, claim)),
                or_dash(claim.and_then(|claim| claim.measured), |value| {
                    with_error(value, claim.and_then(|claim| claim.standard_error))
                }),
            ]
        },
        &["verdict", "compared", "predicted", "measured"],
    ));
    for row in rows.iter().filter(|row| !row.reason.is_empty()) {
        lines.extend(wrap(&format!("{}: {}", row.index, row.reason), 4));
    }
    if rows.len() < study.rows.len() {
        lines.extend(wrap("study.csv has a line for each", 2));
    }
    lines
}

/// What each rung predicts at every point.
pub(super) fn predictions(findings: &Findings) -> Vec<String> {
    let Some(study) = &findings.study else { return Vec::new() };
    let ids: Vec<&str> = study.claims.iter().map(|claim| claim.id.as_str()).collect();
    let rows = &study.rows[..study.rows.len().min(10 * MOST_LINES)];
    let rows: Vec<&StudyPoint> = rows.iter().collect();
    let mut lines = table(
        findings,
        &rows,
        |row| {
            ids.iter()
                .map(|id| match row.claim(id) {
                    Some(claim) if claim.quantity.starts_with("fraction") => "diverges".to_owned(),
                    claim => or_dash(claim.and_then(|claim| claim.predicted), |value| format!("{value:.4}")),
                })
                .collect()
        },
        &ids,
    );
    let quantities: Vec<String> = study
        .claims
        .iter()
        .filter_map(|claim| study.rows.iter().find_map(|row| row.claim(&claim.id)))
        .map(|claim| format!("{}: {}", claim.id, claim.quantity))
        .collect();
    lines.extend(wrap(&quantities.join("; "), 2));
    if rows.len() < study.rows.len() {
        lines.push(format!("  … {} more points: --json has all", count((study.rows.len() - rows.len()) as u64)));
    }
    for row in rows.iter().filter(|row| !row.reason.is_empty()) {
        lines.extend(wrap(&format!("{}: {}", row.index, row.reason), 4));
    }
    lines
}

fn digits(value: f64, claim: Option<&PointClaim>) -> String {
    with_digits(value, claim.and_then(|claim| claim.standard_error))
}

/// A table with the points' axes in front. Axes that take too much room are cut.
fn table(
    findings: &Findings,
    rows: &[&StudyPoint],
    fields: impl Fn(&StudyPoint) -> Vec<String>,
    head: &[&str],
) -> Vec<String> {
    let axes: Vec<&str> =
        findings.scenario.study.iter().flat_map(|study| &study.axis).map(|axis| axis.path.as_str()).collect();
    let build = |room: usize, names: bool| {
        let short = |text: &str| -> String {
            let fits = text.chars().count() <= room;
            if fits { text.to_owned() } else { text.chars().take(room.saturating_sub(1)).chain(['…']).collect() }
        };
        let name =
            |path: &&str| if names { (*path).to_owned() } else { short(path.rsplit('.').next().unwrap_or(path)) };
        let titles =
            ["".to_owned()].into_iter().chain(axes.iter().map(name)).chain(head.iter().map(|h| (*h).to_owned()));
        let mut table = Table::new(titles, &[]);
        for row in rows {
            let values = row.values.iter().map(|value| short(&axis_value(value)));
            table.row([row.index.to_string()].into_iter().chain(values).chain(fields(row)).collect());
        }
        table
    };
    let tries = [(30, true), (20, false), (12, false), (8, false), (5, false)];
    let tables = tries.map(|(room, names)| build(room, names));
    let fitting = tables.iter().find(|table| table.width() <= WIDTH);
    match fitting {
        Some(table) => table.lines(),
        None => tables[tables.len() - 1].lines().iter().flat_map(|line| wrap(line, 2)).collect(),
    }
}
