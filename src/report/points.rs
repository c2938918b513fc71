//! Points of a question about several noise scales or learning rates, as rows for the terminal and the page alike.

use crate::findings::{
    CrossingRecord, CrossoverRecord, Findings, PointRecord, ScalingRecord, WeakErrorPoint, WeakErrorRecord,
    WeakErrorSlope,
};

use super::number::{interval, significant, with_error};

/// Head and rows of a table; dashes where there is nothing.
pub(super) struct Rows {
    pub(super) title: String,
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

fn or_dash<T>(value: Option<T>, write: impl FnOnce(T) -> String) -> String {
    value.map_or("–".to_owned(), write)
}

/// The quantity at every point: predicted and measured.
pub(super) fn points(findings: &Findings) -> Option<Rows> {
    let first = findings.points.first()?;
    let several = findings.points.iter().any(|point| point.quantity != first.quantity);
    let is_variance = first.quantity.starts_with("Var");
    let title = if several {
        format!("Every quantity at every {}", first.varied)
    } else {
        format!("{} at every {}", first.quantity, first.varied)
    };
    let slide = if is_variance { "SDE" } else { "Laplace" };
    let mut head = vec![first.varied.clone()];
    head.extend(several.then(|| "quantity".to_owned()));
    let has_ito = findings.points.iter().any(|point| point.ito.is_some());
    head.extend([slide, "Gibbs"].map(str::to_owned));
    head.extend(has_ito.then(|| "Itô".to_owned()));
    head.extend(["discrete", "measured", "95 % interval", "equilibrated", "diverged"].map(str::to_owned));
    let number = |value: Option<f64>| or_dash(value, |value| significant(value, 6));
    let row = |point: &PointRecord| {
        let mut row = vec![significant(point.at, 5)];
        row.extend(several.then(|| point.quantity.clone()));
        row.extend([number(point.laplace), number(point.gibbs)]);
        row.extend(has_ito.then(|| number(point.ito)));
        row.extend([
            number(point.discrete),
            or_dash(point.measured, |value| with_error(value, point.standard_error)),
            or_dash(point.interval, |ends| interval(ends, point.standard_error)),
            or_dash(point.equilibrated, |yes| if yes { "yes" } else { "no" }.to_owned()),
            or_dash(point.diverged.filter(|diverged| *diverged > 0), |diverged| diverged.to_string()),
        ]);
        row
    };
    Some(Rows { title, head, rows: findings.points.iter().map(row).collect() })
}

/// The lines and where they cross zero.
pub(super) fn crossover(record: &CrossoverRecord) -> Rows {
    let (n, [a, b]) = (&record.varied, &record.pair);
    let error = |crossing: &CrossingRecord| {
        crossing.interval.zip(crossing.line_crossing).map(|([low, high], _)| (high - low) / (2.0 * 1.96))
    };
    let row = |crossing: &CrossingRecord| {
        let star = crossing.exact_crossing.or(crossing.line_crossing);
        vec![
            crossing.name.clone(),
            or_dash(star, |value| with_error(value, error(crossing))),
            or_dash(crossing.interval, |ends| interval(ends, error(crossing))),
            with_error(crossing.slope, crossing.slope_standard_error),
            with_error(crossing.intercept, crossing.intercept_standard_error),
        ]
    };
    Rows {
        title: format!("The line ln(p_{a}/p_{b}) = slope/{n} + intercept, and {n}* where it is zero"),
        head: vec![String::new(), format!("{n}*"), "95 % interval".into(), "slope".into(), "intercept".into()],
        rows: record.predicted.iter().chain(&record.measured).map(row).collect(),
    }
}

/// What the line says of itself.
pub(super) fn straightness(record: &CrossoverRecord) -> Option<String> {
    let (chi, p) = record.chi_square.zip(record.chi_square_p_value)?;
    let outside =
        if record.extrapolated == Some(true) { "; the measured crossing lies outside of the points" } else { "" };
    Some(format!("scatter about the measured line: χ² = {}, p = {}{outside}", significant(chi, 3), significant(p, 2)))
}

/// Where proportional scaling breaks and diverges.
pub(super) fn scaling(findings: &Findings, record: &ScalingRecord) -> Rows {
    let tolerance = findings.scenario.test.tolerance;
    // Of a network in training, and of a chain without a known law, nobody predicts where it breaks.
    let is_known = findings.points.iter().any(|point| point.discrete.is_some());
    let none = if is_known { "not up to the last β" } else { "not predicted" };
    let beta = |value: Option<f64>, none: &str| value.map_or(none.to_owned(), |value| significant(value, 5));
    let measured = record.breaks_measured;
    let mut rows = vec![vec![
        format!("something changes by ε = {}", significant(tolerance, 3)),
        beta(record.breaks_predicted, none),
        match measured {
            [None, None] => "–".to_owned(),
            [last, None] => format!("no change shown; unchanged up to {}", beta(last, "–")),
            [last, first] => format!("unchanged at {}, changed at {}", beta(last, "–"), beta(first, "–")),
        },
    ]];
    if record.diverges_predicted.is_some() {
        rows.push(vec![
            "SGD diverges, β = 2/(ηh)".into(),
            beta(record.diverges_predicted, "–"),
            or_dash(record.diverges_measured, |[stays, leaves]| {
                format!("stays at {}, diverges at {}", beta(stays, "none"), beta(leaves, "none"))
            }),
        ]);
    }
    Rows { title: "From which β on".into(), head: vec![String::new(), "predicted".into(), "measured".into()], rows }
}

/// How far SGD is from its SDEs at every η, and the slopes; empty columns where there is nothing to compare with.
pub(super) fn weak_error(record: &WeakErrorRecord) -> Vec<Rows> {
    let small = |value: f64| significant(value, 4);
    let of = |order: u8| if order == 1 { "SDE" } else { "modified" }.to_owned();
    let row = |point: &WeakErrorPoint| {
        vec![
            of(point.order),
            format!("E {}", point.observable),
            significant(point.learning_rate, 6),
            point.steps.to_string(),
            or_dash(point.exact, small),
            or_dash(point.measured, |value| with_error(value, point.standard_error)),
            or_dash(point.interval, |ends| interval(ends, point.standard_error)),
            or_dash(point.integrator, |value| significant(value, 2)),
        ]
    };
    let errors = Rows {
        title: format!("E f(SGD) − E f(SDE) at t = {}", significant(record.time, 6)),
        head: ["", "of", "η", "steps", "exact", "measured", "95 % interval", "by the step δ"].map(str::to_owned).into(),
        rows: record.errors.iter().map(row).collect(),
    };
    let row = |slope: &WeakErrorSlope| {
        vec![
            of(slope.order),
            format!("E {}", slope.observable),
            with_error(slope.slope, Some(slope.standard_error)),
            or_dash(slope.exact, small),
            significant(slope.integrator, 2),
            significant(slope.chi_square, 3),
            or_dash(slope.chi_square_p_value, |p| significant(p, 2)),
        ]
    };
    let slopes = Rows {
        title: "Slopes of ln|error| against ln η; scatter χ² about the line: the next order in η".into(),
        head: ["", "of", "slope", "of the exact errors", "by δ at most", "χ²", "p"].map(str::to_owned).into(),
        rows: record.slopes.iter().map(row).collect(),
    };
    [errors, slopes].into_iter().filter(|table| !table.rows.is_empty()).collect()
}
