//! The page's tables: ladder, landscape, escape times.

use maud::{Markup, html};

use crate::findings::{Findings, OccupancyRecord};
use crate::scenario::Rung;

use super::super::gradient_noise::gradient_noise;
use super::super::groups::{groups, times};
use super::super::number::{count, fixed, interval, point, pretty, probability, significant, with_error};
use super::super::points;
use super::super::words::{RUNGS, predicted, predicted_error, rung_name};

/// Wider points are shortened: ten coordinates do not fit a page.
const ROOM: usize = 34;

fn or_dash<T>(value: Option<T>, write: impl FnOnce(T) -> String) -> String {
    value.map_or("–".to_owned(), |value| pretty(&write(value)))
}

/// The ladder beside the measurement; the tested rung is marked.
pub(super) fn occupancy(findings: &Findings) -> Markup {
    let against = findings.scenario.test.against;
    let place = |row: &OccupancyRecord| findings.minima.iter().find(|minimum| minimum.id == row.minimum);
    let cell = |row: &OccupancyRecord, rung: Rung| match (predicted(row, rung), predicted_error(row, rung)) {
        (Some(p), Some(error)) => pretty(&with_error(p, Some(error))),
        (p, _) => or_dash(p, probability),
    };
    let known = |rung: &Rung| findings.occupancy.iter().any(|row| predicted(row, *rung).is_some());
    let rungs: Vec<Rung> = RUNGS.into_iter().filter(known).collect();
    // More than two coordinates would push the measurement off the page; the table of the landscape has them.
    let places = findings.minima.iter().all(|minimum| minimum.theta.len() <= 2);
    html! {
        p.small { "Probability of each minimum. The shaded prediction is the one that the verdict is about; the interval is 95 %, between independent replicas." }
        div.scroll { table {
            thead { tr {
                th { "minimum" }
                @if places { th { "θ*" } }
                th { "L" }
                @for rung in rungs.iter().copied() { th class=[(rung == against).then_some("tested")] { (rung_name(rung)) } }
                th { "measured" } th { "95 % interval" }
            } }
            tbody { @for row in &findings.occupancy { tr {
                th scope="row" { (row.minimum) }
                @if places { td { (or_dash(place(row), |m| point(&m.theta, 16))) } }
                td { (or_dash(place(row), |m| fixed(m.loss))) }
                @for rung in rungs.iter().copied() { td class=[(rung == against).then_some("tested")] { (cell(row, rung)) } }
                td { b { (row.measured.map_or("not measured".to_owned(), |p| pretty(&with_error(p, row.standard_error)))) } }
                td { (or_dash(row.interval, |ends| interval(ends, row.standard_error))) }
            } } }
        } }
    }
}

/// Tables of a question about several noise scales or learning rates.
pub(super) fn along(findings: &Findings) -> Markup {
    let scaling = findings.scaling.as_ref().map(|record| points::scaling(findings, record));
    let lines = findings.crossover.as_ref().map(points::crossover);
    let sentence = findings.crossover.as_ref().and_then(points::straightness);
    let weak_error = findings.weak_error.iter().flat_map(points::weak_error);
    let tables = [lines, scaling, points::points(findings), groups(findings), times(findings, 200)]
        .into_iter()
        .chain(gradient_noise(findings))
        .flatten()
        .chain(weak_error);
    html! {
        @for (index, table) in tables.enumerate() {
            h2 { (table.title) }
            div.scroll { table {
                thead { tr { @for name in &table.head { th { (name) } } } }
                tbody { @for row in &table.rows { tr {
                    @for (column, field) in row.iter().enumerate() {
                        @if column == 0 { th scope="row" { (pretty(field)) } } @else { td { (pretty(field)) } }
                    }
                } } }
            } }
            @if let (0, Some(sentence)) = (index, &sentence) { p.small { (sentence) "." } }
        }
    }
}

/// Minima and saddles with their curvatures.
pub(super) fn landscape(findings: &Findings) -> Markup {
    let eigenvalues = |values: &[f64]| {
        let shown: Vec<String> = values.iter().take(12).map(|value| pretty(&significant(*value, 5))).collect();
        let more = if values.len() > 12 { format!(", … ({} in all)", values.len()) } else { String::new() };
        shown.join(", ") + &more
    };
    html! {
        @if !findings.minima.is_empty() {
            h2 { "Landscape" }
            p.small { "Minima of the loss by rising loss, found inside the domain of the scenario. H is the Hessian, ∇²L; multiplicity counts symmetric images." }
            div.scroll { table {
                thead { tr { th { "minimum" } th { "θ*" } th { "L" } th { "ln det H" } th { "multiplicity" } th.words { "eigenvalues of H" } } }
                tbody { @for minimum in &findings.minima { tr {
                    th scope="row" { (minimum.id) }
                    td { (pretty(&point(&minimum.theta, ROOM))) }
                    td { (pretty(&fixed(minimum.loss))) }
                    td { (minimum.log_determinant.map_or_else(|| "–".to_owned(), |log| pretty(&fixed(log)))) }
                    td { (minimum.multiplicity) }
                    td.words { (eigenvalues(&minimum.hessian_eigenvalues)) }
                } } }
            } }
        }
        @if !findings.saddles.is_empty() {
            p.small { "Saddles: the passes between neighbouring minima; the first eigenvalue is negative." }
            div.scroll { table {
                thead { tr { th { "between" } th { "θ" } th { "L" } th.words { "eigenvalues of H" } } }
                tbody { @for saddle in &findings.saddles { tr {
                    th scope="row" { (saddle.between[0]) " and " (saddle.between[1]) }
                    td { (pretty(&point(&saddle.theta, ROOM))) }
                    td { (pretty(&fixed(saddle.loss))) }
                    td.words { (eigenvalues(&saddle.hessian_eigenvalues)) }
                } } }
            } }
        }
    }
}

/// Predicted escape times beside the transitions that were seen.
pub(super) fn escape(findings: &Findings) -> Markup {
    let pairs = findings.diagnostics.as_ref().map_or(&[][..], |d| &d.transitions_by_pair);
    let seen = |from: &str, to: &str| pairs.iter().find(|pair| pair.from == from && pair.to == to);
    let time = |value: Option<f64>| or_dash(value, |value| significant(value, 6));
    html! {
        @if !findings.escape.is_empty() {
            h2 { "Escape times" }
            p.small {
                "Mean first-passage time from the minimum of departure to that of arrival, time in any third one included, in SDE time. Transitions are counted from core to core (in the basin, and L ≤ L_A + dT/2). Kramers: 2π √(|det H" sub { "b" } "|/det H" sub { "A" }
                ")/|λ" sub { "b" } "| · exp(ΔL/T), rates over several saddles added; exact: the mean first-passage time of the "
                "SDE (one dimension); chain: that of the process at its finite step δ. Transitions are counted from core to core, "
                "over all replicas."
            }
            div.scroll { table {
                thead { tr { th { "from, to" } th { "Kramers" } th { "exact" } th { "chain" } th { "transitions seen" } } }
                tbody { @for row in &findings.escape { tr {
                    th scope="row" { (row.from) " → " (row.to) }
                    td { (time(row.kramers)) } td { (time(row.exact)) } td { (time(row.discrete)) }
                    td { (seen(&row.from, &row.to).map_or("–".to_owned(), |pair| count(pair.count))) }
                } } }
            } }
        }
    }
}
