//! The page of a study: what was varied, how it went, and the points.

use maud::{Markup, html};

use crate::findings::{Findings, StudyPoint, StudyRecord};
use crate::scenario::StudySpec;

use super::super::number::{count, pretty, significant, with_error};
use super::super::words::{axis_value, notable, point_name};
use super::{class, formula};

/// More points than this are a file, not a table.
const MOST_ROWS: usize = 100;

/// The axes and the counts.
pub(super) fn overview(findings: &Findings) -> Markup {
    let (Some(spec), Some(study)) = (&findings.scenario.study, &findings.study) else { return html! {} };
    let verdicts = study.verdicts;
    html! {
        h2 { "What is varied" }
        p.small {
            (count(study.points)) " points, each a scenario of its own with its own seed"
            @if spec.zip { "; the axes advance together." }
            @else if spec.axis.len() > 1 { ": every combination of the values, the last axis running fastest." }
            @else { "." }
        }
        table.prose { tbody { @for axis in &spec.axis { tr {
            th scope="row" { (axis.path) }
            td.words { (values(&axis.values)) }
        } } } }
        p {
            (count(verdicts.holds)) " points hold, " (count(verdicts.rejected)) " are rejected, "
            (count(verdicts.undetermined)) " are undetermined."
            @if study.predicted_divergences > 0 { " At " (count(study.predicted_divergences)) " the step is unstable: they are predicted to diverge." }
            @if study.without_result > 0 { " " (count(study.without_result)) " have no result." }
        }
        p.small {
            "All primary claims of all points decide together: the study is rejected if any of them is, after Holm's correction "
            "for their number at 5 %; else undetermined if any is; else it holds."
        }
    }
}

fn values(values: &[toml::Value]) -> String {
    let shown: Vec<String> = values.iter().take(40).map(pretty_value).collect();
    let more = if values.len() > 40 { format!(", … ({} values)", values.len()) } else { String::new() };
    shown.join(", ") + &more
}

fn pretty_value(value: &toml::Value) -> String {
    let text = axis_value(value);
    if value.is_str() { text } else { pretty(&text) }
}

/// All points of a small study; of a large one those that decide.
pub(super) fn points(findings: &Findings, rows: Option<&[StudyPoint]>) -> Markup {
    let (Some(spec), Some(study), Some(rows)) = (&findings.scenario.study, &findings.study, rows) else {
        return html! {};
    };
    let shown = notable(study, rows, MOST_ROWS);
    html! {
        h2 { "Points" }
        p.small {
            @if shown.len() < rows.len() {
                "The points that decide and those farthest from agreement, " (shown.len()) " of " (count(rows.len() as u64)) "; "
                code { "study.csv" } " has a line for each. "
            }
            "The numbers are those of each point's primary claim; ± is the standard error of measured − predicted."
        }
        div.scroll { table {
            thead { tr {
                th { "point" }
                @for name in names(spec) { th { (name) } }
                th { "verdict" } th { "compared" } th { "predicted" } th { "measured" } th { "difference" } th { "transitions" }
            } }
            tbody { @for row in &shown { (line(row)) } }
        } }
        (reasons(spec, &shown))
        (alone(study))
    }
}

/// The axes' last words, where these tell them apart: whole paths would push the numbers off the page.
fn names(spec: &StudySpec) -> Vec<&str> {
    let last: Vec<&str> = spec.axis.iter().map(|axis| axis.path.rsplit('.').next().unwrap_or(&axis.path)).collect();
    let unique = (1..last.len()).all(|index| !last[..index].contains(&last[index]));
    if unique { last } else { spec.axis.iter().map(|axis| axis.path.as_str()).collect() }
}

fn line(row: &StudyPoint) -> Markup {
    let claim = row.primary().next();
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| pretty(&significant(value, 6)));
    let difference = claim.and_then(|claim| Some(claim.measured? - claim.predicted?));
    html! { tr {
        th scope="row" { (row.index) }
        @for value in &row.values { td { (pretty_value(value)) } }
        td { @match row.verdict {
            Some(verdict) => span class={ "word " (class(verdict)) } { (verdict) },
            None => "–",
        } }
        td { @if let Some(claim) = claim { (formula(&claim.quantity)) } @else { "–" } }
        td { (number(claim.and_then(|claim| claim.predicted))) }
        td { (claim.and_then(|claim| Some((claim.measured?, claim.standard_error)))
            .map_or("–".to_owned(), |(measured, error)| pretty(&with_error(measured, error)))) }
        td { (difference.map_or("–".to_owned(), |value| pretty(&significant(value, 3)))) }
        td { (row.transitions.map_or("–".to_owned(), count)) }
    } }
}

/// Why a point has no claims, or another verdict than alone; equal reasons once.
fn reasons(spec: &StudySpec, rows: &[&StudyPoint]) -> Markup {
    let mut told: Vec<(&str, Vec<u64>)> = Vec::new();
    for row in rows.iter().filter(|row| !row.reason.is_empty()) {
        match told.iter_mut().find(|(reason, _)| *reason == row.reason) {
            Some((_, points)) => points.push(row.index),
            None => told.push((&row.reason, vec![row.index])),
        }
    }
    html! {
        @if !told.is_empty() {
            ul { @for (reason, points) in &told { li {
                (point_name(spec, points[0]))
                @if points.len() > 1 { " and " (points.len() - 1) " more" }
                ": " (reason)
            } } }
        }
    }
}

/// How to look closer at one point.
fn alone(study: &StudyRecord) -> Markup {
    let example = study.deciding.first().copied().unwrap_or(0);
    html! {
        p.small {
            "One point alone, with all its figures: " "add " code { "--point " (example) } " to the command below"
            ". It has the seed of its line, and gives the same numbers."
        }
    }
}
