//! The page: all that a referee needs, in one file without network or script.

mod explain;
mod study;
mod tables;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::findings::{ClaimRecord, ContrastRecord, Findings, StudyPoint};
use crate::statistics::claim::Verdict;

use super::RunRecord;
use super::figure::Figure;
use super::number::{count, duration, interval, pretty, significant, with_error};
use super::words::{bound, expectation, setting};

const STYLE: &str = include_str!("style.css");

/// The page of a result; `points` are those of a study. `scenario_toml` is the resolved scenario as a file that runs it again.
pub(super) fn page(
    findings: &Findings,
    points: Option<&[StudyPoint]>,
    figures: &[Figure],
    run: &RunRecord,
    scenario_toml: &str,
) -> String {
    let scenario = &findings.scenario;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="generator" content={ (findings.program.name) " " (findings.program.version) };
                title { (scenario.name) ": " (scenario.title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (scenario.title) }
                    p.question { (scenario.question) }
                    (verdict(findings))
                }
                @if !findings.occupancy.is_empty() {
                    h2 { "Prediction beside measurement" }
                    (tables::occupancy(findings))
                    (explain::ladder(findings))
                }
                (tables::along(findings))
                (study::overview(findings))
                (claims(findings))
                @if !figures.is_empty() {
                    h2 { "Figures" }
                    @for (index, figure) in figures.iter().enumerate() { (drawing(index, figure)) }
                }
                (study::points(findings, points))
                h2 { "Setting" }
                (quantities(findings))
                (tables::landscape(findings))
                (tables::escape(findings))
                (explain::diagnostics(findings))
                @if !findings.notes.is_empty() {
                    h2 { "Notes" }
                    ul { @for note in &findings.notes { li { (note) } } }
                }
                (explain::rules(findings))
                (again(findings, run, scenario_toml))
            }
        }
    };
    page.into_string()
}

/// The class of a verdict's colour.
fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "holds",
        Verdict::Rejected => "rejected",
        Verdict::Undetermined => "undetermined",
    }
}

fn verdict(findings: &Findings) -> Markup {
    let Some(verdict) = findings.verdict else {
        return html! { p.verdict { "Predictions only: nothing was simulated, so there is no verdict." } };
    };
    let meaning = match verdict {
        Verdict::Holds => {
            "The measurement agrees with the tested prediction: every compared quantity lies inside the tolerance, error bars included."
        }
        Verdict::Rejected => {
            "The measurement contradicts the tested prediction: a compared quantity lies outside the tolerance by more than its error bar."
        }
        Verdict::Undetermined => "The measurement neither confirms nor contradicts the tested prediction.",
    };
    let decisive = findings.claims.iter().filter(|claim| claim.primary);
    html! {
        div class={ "verdict " (class(verdict)) } {
            p.large { (verdict) ", " (expectation(findings)) "." }
            p { (meaning) }
            @for claim in decisive { p { (claim.statement) ": " (claim.reason) } }
        }
    }
}

fn claims(findings: &Findings) -> Markup {
    html! {
        @if !findings.claims.is_empty() {
            h2 { "Claims" }
            p.small {
                "Each claim is a prediction with a tolerance that was fixed before the run. Those marked primary decide "
                "the verdict. Intervals are 90 %, as two one-sided tests at 5 % ask; the standard error is that of "
                "measured − predicted."
                @if findings.study.is_some() { " The numbers are those of the point farthest from agreement." }
            }
            @for claim in &findings.claims { (one_claim(claim)) }
        }
    }
}

fn one_claim(claim: &ClaimRecord) -> Markup {
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| pretty(&significant(value, 6)));
    let predicted = |contrast: &ContrastRecord| match (contrast.predicted, contrast.predicted_standard_error) {
        (Some(value), Some(error)) => pretty(&with_error(value, Some(error))),
        (value, _) => number(value),
    } + &bound(contrast);
    html! {
        div.claim {
            h3 {
                @match claim.verdict {
                    Some(verdict) => span class={ "word " (class(verdict)) } { (verdict) },
                    None => span.word { "no verdict" },
                }
                " " (claim.statement)
                @if claim.primary { " (primary)" }
            }
            div.scroll { table {
                thead { tr {
                    th { "compared" } th { "predicted" } th { "measured" } th { "90 % interval" } th { "difference" } th { "tolerance ε" }
                } }
                tbody { @for contrast in &claim.contrasts { tr {
                    td { (formula(&contrast.quantity)) }
                    td { (predicted(contrast)) }
                    td { (contrast.measured.map_or("no estimate".to_owned(), |m| pretty(&with_error(m, contrast.standard_error)))) }
                    td { (contrast.interval.map_or("–".to_owned(), |i| pretty(&interval(i, contrast.standard_error)))) }
                    td { (contrast.measured.zip(contrast.predicted).map_or("–".to_owned(), |(m, p)| pretty(&significant(m - p, 3)))) }
                    td { (pretty(&significant(claim.tolerance, 3))) }
                } } }
            } }
            p { (claim.reason) }
            p.small { "Source of the prediction: " (claim.source) ". Name in result.json: " code { (claim.id) } "." }
        }
    }
}

/// A quantity such as `ln(p_A/p_B)`, with what follows `_` below the line.
fn formula(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('_').enumerate() {
            @if index == 0 { (part) } @else {
                @let end = part.find(|c: char| !c.is_alphanumeric()).unwrap_or(part.len());
                sub { (part[..end]) } (part[end..])
            }
        }
    }
}

fn drawing(index: usize, figure: &Figure) -> Markup {
    // In a page the namespace is implied; the drawings have no ids that could collide.
    let label = format!("<svg role=\"img\" aria-label=\"{}\"", figure.title);
    let svg = figure.svg.replacen(" xmlns=\"http://www.w3.org/2000/svg\"", "", 1).replacen("<svg", &label, 1);
    html! {
        figure id={ "figure-" (figure.name) } {
            (PreEscaped(svg))
            figcaption { b { "Figure " (index + 1) ". " (figure.title) "." } " " (figure.caption) }
        }
    }
}

fn quantities(findings: &Findings) -> Markup {
    html! { table.prose { tbody { @for quantity in setting(findings) { tr {
        th scope="row" { (quantity.symbol) }
        td.words { (pretty_numbers(&quantity.value)) }
        td.words { (quantity.meaning) }
    } } } } }
}

/// Numbers with a true minus, unless the text is words.
fn pretty_numbers(text: &str) -> String {
    if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') { pretty(text) } else { text.to_owned() }
}

fn again(findings: &Findings, run: &RunRecord, scenario_toml: &str) -> Markup {
    html! {
        h2 { "How to run it again" }
        p { "The result depends on the scenario, its seed and the program's version only, not on the machine or the number of threads." }
        pre { (run.command) }
        table.prose { tbody {
            tr { th scope="row" { "program" } td.words { (findings.program.name) " " (findings.program.version) } }
            tr { th scope="row" { "seed" } td.words { (findings.scenario.seed) } }
            tr { th scope="row" { "this run" } td.words {
                (duration(run.seconds)) " on " (count(run.threads as u64)) " threads of " (run.host) " (" (run.instruction_set) "), "
                (pretty(&significant(run.steps_per_second, 3))) " trajectory-steps per second, started " (run.started)
            } }
        } }
        h3 { "The exact scenario" }
        p.small { "Saved as a file, it runs with " code { "sgd-sde run FILE.toml" } "." }
        pre { (scenario_toml) }
    }
}
