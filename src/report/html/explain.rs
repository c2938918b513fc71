//! What the page explains in words: the rungs, the diagnostics, the rules of a verdict.

use maud::{Markup, html};

use crate::findings::{Diagnostics, Findings, StationarityRecord, ZeroRecord};
use crate::scenario::{ExperimentKind, Rung};

use super::super::number::{count, pretty, significant, with_error};
use super::super::words::{RUNGS, predicted, rung_name};

/// By which formula each rung predicts, and which approximation it drops.
pub(super) fn ladder(findings: &Findings) -> Markup {
    let known = |rung: Rung| findings.occupancy.iter().any(|row| predicted(row, rung).is_some());
    html! {
        p.small { "Each rung of the ladder drops an approximation of the one before: the first neighbours that differ by more than the tolerance name the approximation that fails." }
        dl.small {
            dt { (rung_name(Rung::Laplace)) }
            dd {
                "p" sub { "A" } " ∝ m" sub { "A" } " (det H" sub { "A" } ")" sup { "−1/2" } " exp(−L" sub { "A" } "/T): the formula of the slides. "
                "The loss is taken as a parabola around each minimum; m" sub { "A" } " is the number of symmetric images."
                @if findings.temperature.is_none() { " The covariance of the gradient is not σ²I with one σ here: T stands for n tr C/(2d), averaged over the minima." }
            }
            dt { (rung_name(Rung::Gibbs)) }
            dd { "p" sub { "A" } " = ∫ exp(−L/T) dθ / Z over the basin of attraction of A: the stationary law of the continuous SDE, no parabola assumed." }
            @if known(Rung::Ito) {
                dt { (rung_name(Rung::Ito)) }
                dd { "p" sub { "A" } " = ∫ D" sup { "−1" } " exp(−∫L′/D) dθ / Z over the basin of A, D = nσ(θ)²/2: the stationary law of the continuous SDE in one dimension where the noise depends on θ (Itô)." }
            }
            dt { (rung_name(Rung::Discrete)) }
            dd { "The stationary law of the chain at its finite step δ: in one dimension from its transfer operator, otherwise to first order in δ, ln(p" sub { "A" } "/p" sub { "B" } ") changed by −(δ/4)(⟨ΔL⟩" sub { "A" } " − ⟨ΔL⟩" sub { "B" } "), where ΔL is the Laplacian of the loss." }
        }
        // Where the noise does not depend on θ, Gibbs is the Itô equation's density: nothing is missing.
        @for rung in RUNGS.into_iter().filter(|rung| !known(*rung) && *rung != Rung::Ito) {
            p.small { "For this case there is no prediction by the " (rung_name(rung)) " rung." }
        }
    }
}

/// The diagnostics with what each of them means.
pub(super) fn diagnostics(findings: &Findings) -> Markup {
    let Some(diagnostics) = &findings.diagnostics else { return html! {} };
    html! {
        h2 { "Can the measurement be trusted?" }
        p {
            @if diagnostics.equilibrated {
                "Yes: the replicas have forgotten where they started, by the tests below."
            } @else {
                "No: the replicas have not been shown to have reached equilibrium. Then no verdict but UNDETERMINED is given."
            }
        }
        @if !diagnostics.reasons.is_empty() { ul { @for reason in &diagnostics.reasons { li { (reason) } } } }
        table.prose {
            tbody { @for (name, value, meaning) in rows(diagnostics) { tr {
                th scope="row" { (name) }
                td { (value) }
                td.words { (meaning) }
            } } }
        }
        @if !diagnostics.diverged_replicas.is_empty() {
            p.small {
                "Diverged replicas (index, step): "
                @for replica in &diagnostics.diverged_replicas { "(" (count(replica.replica)) ", " (count(replica.step)) ") " }
                @if diagnostics.diverged > diagnostics.diverged_replicas.len() as u64 { "…" }
            }
        }
    }
}

fn rows(diagnostics: &Diagnostics) -> Vec<(String, String, &'static str)> {
    let number =
        |value: Option<f64>, digits| value.map_or("–".to_owned(), |value| pretty(&significant(value, digits)));
    let mut rows = vec![
        (
            "nested R̂".to_owned(),
            number(diagnostics.nested_r_hat, 5),
            "√(1 + B/W) over the groups of replicas that started in the same minimum; near 1 where the groups agree",
        ),
        (
            "R̂".to_owned(),
            number(diagnostics.r_hat, 5),
            "rank-normalised and split, over single replicas; 1 when all of them have seen the same law",
        ),
        (
            "effective sample size".to_owned(),
            number(diagnostics.ess.map(f64::round), 6),
            "the smallest over start groups and minima; at least 100 is asked for where no transitions are counted",
        ),
    ];
    if let Some(contrast) = &diagnostics.start_contrast {
        rows.push((
            format!("start contrast, {}", contrast.quantity),
            pretty(&with_error(contrast.value, Some(contrast.standard_error))),
            if contrast.consistent_with_zero {
                "the largest difference between start groups: consistent with 0"
            } else {
                "the largest difference between start groups: not consistent with 0, the start is remembered"
            },
        ));
    }
    if let Some(memory) = &diagnostics.start_memory {
        rows.push((
            format!("left of the start, {}", memory.quantity),
            memory.bias.map_or_else(|| "all".to_owned(), |bias| pretty(&with_error(bias, Some(memory.standard_error)))),
            "the bias by the run's own transition rates, beside the standard error of the log-odds: a fifth of it is allowed, errors of the rates included",
        ));
    }
    rows.extend(diagnostics.stationarity.iter().flat_map(stationarity));
    rows.push((
        "transitions".to_owned(),
        count(diagnostics.transitions),
        "from the core of one minimum (its basin, and L ≤ L_A + dT/2) to that of another, all replicas; the error of a log-odds is about 2/√transitions, and below 28 there is none",
    ));
    rows.push((
        "round trips".to_owned(),
        count(diagnostics.round_trips),
        "returns to the minimum of departure, all replicas",
    ));
    rows.push((
        "diverged".to_owned(),
        count(diagnostics.diverged),
        "replicas that left the numbers; averaging the survivors would be a bias, so a single one bars HOLDS",
    ));
    for test in &diagnostics.all_basins {
        let p = match (test.t_squared, test.p_value) {
            (Some(t), Some(p)) => {
                format!("T² = {}, p = {}", pretty(&significant(t, 3)), pretty(&significant(p, 2)))
            }
            _ => "–".to_owned(),
        };
        rows.push((
            format!("all minima, {}", test.against),
            p,
            "Hotelling's test of all occupancies at once; a small p says that they differ, not by how much",
        ));
    }
    rows
}

/// Rest in every direction, which labels of basins do not show.
fn stationarity(record: &StationarityRecord) -> Vec<(String, String, &'static str)> {
    let mut rows = Vec::new();
    if let Some(softest) = &record.softest {
        rows.push((
            format!("burn-in along {} at {}", softest.direction, softest.minimum),
            format!("{} relaxation times", pretty(&significant(softest.burn_in_relaxations, 3))),
            if softest.forgotten {
                "in units of 1/(δh) along the direction that forgets its start last: long enough"
            } else {
                "in units of 1/(δh) along the direction that forgets its start last: too short, the start is remembered"
            },
        ));
    }
    if let Some(yaida) = &record.yaida {
        rows.push((
            "Yaida's relation".to_owned(),
            pretty(&format!(
                "{} = {} ± {}",
                significant(yaida.left, 5),
                significant(yaida.right, 5),
                significant(yaida.standard_error, 2)
            )),
            if yaida.consistent {
                "⟨(θ − c)·∇L⟩ = (δ/2)⟨|∇L|²⟩ + (n/2)⟨tr C⟩, which every stationary law obeys: consistent"
            } else {
                "⟨(θ − c)·∇L⟩ = (δ/2)⟨|∇L|²⟩ + (n/2)⟨tr C⟩, which every stationary law obeys: not consistent"
            },
        ));
    }
    let mut family = |name: &str, tests: &[ZeroRecord], meaning: &'static str| {
        let size = |test: &ZeroRecord| test.t.map_or(f64::INFINITY, |t| t.abs() / test.threshold);
        if let Some(worst) = tests.iter().max_by(|a, b| size(a).total_cmp(&size(b))) {
            let value = pretty(&with_error(worst.value, Some(worst.standard_error)));
            rows.push((format!("{name}, {}", worst.quantity), value, meaning));
        }
    };
    family(
        "largest drift",
        &record.drifts,
        "change over the measured steps of what is watched along the softest directions",
    );
    family("worst relation", &record.relations, "a mean that every stationary law makes 0, exactly at any step");
    rows
}

/// How a verdict comes about.
pub(super) fn rules(findings: &Findings) -> Markup {
    html! {
        h2 { "How a verdict is reached" }
        p.small {
            "The independent replica is the unit of evidence: errors come from the spread between the "
            (count(findings.scenario.ensemble.replicas)) " replicas, never from single time steps, which are correlated. "
            @if findings.scenario.experiment == ExperimentKind::Density {
                "Here the distance of two laws is compared: what was measured, d, is off from the true distance by no more than the "
                "measured law is from the true one, which a bootstrap over the groups of replicas bounds by q (triangle inequality). "
                "The claim holds if d + q < ε at 95 % confidence, and is rejected if d − q > ε at 97.5 %; the interval is d ± q, with "
                "what may be hidden between two edges. In general: "
            }
            "A claim " b { "holds" } " if every compared quantity's 90 % interval of (measured − predicted) lies inside ±ε: "
            "equivalence is shown, not merely no difference found. It is " b { "rejected" } " if some quantity's 95 % interval, "
            "corrected for the number of quantities, lies wholly outside ±ε. Otherwise it is " b { "undetermined" } ", and the "
            "reason says what would settle it. Without equilibrium a claim is undetermined whatever the numbers. The primary claims "
            "decide: rejected if any is, else undetermined if any is, else holds. "
            "An undetermined run may be continued and judged again: its k-th look is judged at 2" sup { "1−k" } " times these error "
            "rates, so that over any number of looks a false verdict is less than twice as likely as at the first alone."
        }
    }
}
