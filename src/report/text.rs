//! The terminal output of `run` and `predict`.

mod study;

use crate::findings::{
    ClaimRecord, Diagnostics, Findings, MinimumRecord, OccupancyRecord, StartMemoryRecord, StationarityRecord,
    YaidaRecord,
};
use crate::statistics::claim::Verdict;

use super::gradient_noise::gradient_noise;
use super::groups::{groups, times_in_brief};
use super::number::{count, fixed, interval, point, probability, significant, with_error};
use super::points;
use super::table::{Table, WIDTH, wrap};
use super::words::{RUNGS, bound, expectation, predicted, predicted_error, rung_name, setting};

/// How terminal text is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Colour the verdicts with ANSI codes; only where the output is a terminal.
    pub colour: bool,
}

impl Style {
    fn verdict(self, verdict: Verdict) -> String {
        let code = match verdict {
            Verdict::Holds => "32",
            Verdict::Rejected => "31",
            Verdict::Undetermined => "33",
        };
        self.coded(code, &verdict.to_string())
    }

    fn coded(self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[1;{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// What `run` prints: the setting, the ladder beside the measurement, every claim, and the verdict.
pub fn run(findings: &Findings, style: Style) -> String {
    let mut lines = heading(findings, style);
    section(&mut lines, "What is varied", study::axes(findings));
    section(&mut lines, "Points", study::points(findings));
    section(&mut lines, "Occupancy of the minima", ladder(findings));
    along(&mut lines, findings);
    section(&mut lines, "Mean escape times, in SDE time", escape(findings));
    let title = match findings.study {
        Some(_) => "Claims over all points (* decides the verdict; the numbers are those of the worst point)",
        None => "Claims (* decides the verdict; the interval is 90 %)",
    };
    section(&mut lines, title, claims(findings, style));
    if let Some(diagnostics) = &findings.diagnostics {
        section(&mut lines, "Diagnostics", diagnosis(diagnostics));
    }
    section(&mut lines, "Notes", notes(findings));
    if let Some(verdict) = findings.verdict {
        lines.push(String::new());
        lines.push(format!("VERDICT  {}, {}", style.verdict(verdict), expectation(findings)));
    }
    finish(lines)
}

/// What `predict` prints: the landscape and the theory, nothing measured.
pub fn predict(findings: &Findings, style: Style) -> String {
    let mut lines = heading(findings, style);
    section(&mut lines, "What is varied", study::axes(findings));
    section(&mut lines, "Predictions of the points", study::predictions(findings));
    section(&mut lines, "Minima", minima(findings));
    section(&mut lines, "Saddles", saddles(findings));
    section(&mut lines, "Predicted occupancy of the minima", predictions(findings));
    along(&mut lines, findings);
    section(&mut lines, "Predicted mean escape times, in SDE time", escape(findings));
    // A study tests something else at each point, as the table of points says.
    let tested = findings.claims.iter().filter(|claim| claim.primary && findings.study.is_none());
    let statements = tested.flat_map(|claim| claim.contrasts.iter().map(move |contrast| (claim, contrast)));
    let statements = statements.flat_map(|(claim, contrast)| {
        let value =
            contrast.predicted.map_or("no prediction".to_owned(), |value| match contrast.predicted_standard_error {
                Some(error) => with_error(value, Some(error)),
                None => fixed(value),
            }) + &bound(contrast);
        wrap(&format!("{} = {value}, to within ±{}", contrast.quantity, significant(claim.tolerance, 3)), 2)
    });
    section(&mut lines, "What is tested", statements.collect());
    section(&mut lines, "Notes", notes(findings));
    finish(lines)
}

fn finish(lines: Vec<String>) -> String {
    let mut text = lines.join("\n");
    text.push('\n');
    text
}

fn section(lines: &mut Vec<String>, title: &str, content: Vec<String>) {
    if !content.is_empty() {
        lines.push(String::new());
        lines.push(title.to_owned());
        lines.extend(content);
    }
}

/// Tables of a question about several noise scales or learning rates.
fn along(lines: &mut Vec<String>, findings: &Findings) {
    let scaling = findings.scaling.as_ref().map(|record| points::scaling(findings, record));
    let tables = [
        findings.crossover.as_ref().map(points::crossover),
        scaling,
        points::points(findings),
        groups(findings),
        times_in_brief(findings),
    ];
    for (index, table) in tables.into_iter().chain(gradient_noise(findings)).enumerate() {
        let Some(points::Rows { title, head, rows }) = table else { continue };
        let left: &[usize] = if index == 1 { &[0, 2] } else { &[0] };
        let mut table = Table::new(head, left);
        rows.into_iter().for_each(|row| table.row(row));
        let mut content = table.without_empty_columns().lines();
        if let (0, Some(record)) = (index, &findings.crossover) {
            content.extend(points::straightness(record).iter().flat_map(|sentence| wrap(sentence, 2)));
        }
        section(lines, &title, content);
    }
    for points::Rows { title, head, rows } in findings.weak_error.iter().flat_map(points::weak_error) {
        // The standard error says as much as the interval, for which there is no room.
        let shown: Vec<bool> = head.iter().map(|name| name != "95 % interval").collect();
        let narrow = |row: Vec<String>| -> Vec<String> {
            row.into_iter().zip(&shown).filter(|(_, shown)| **shown).map(|(field, _)| shortened(field)).collect()
        };
        let mut table = Table::new(narrow(head), &[0, 1]);
        rows.into_iter().for_each(|row| table.row(narrow(row)));
        section(lines, &title, table.without_empty_columns().lines());
    }
}

/// A formula of any length in a field of a table.
fn shortened(field: String) -> String {
    const ROOM: usize = 26;
    if field.chars().count() <= ROOM { field } else { field.chars().take(ROOM - 1).chain(['…']).collect() }
}

fn heading(findings: &Findings, style: Style) -> Vec<String> {
    let scenario = &findings.scenario;
    let mut lines = wrap(&format!("{} — {}", scenario.name, scenario.title), 0);
    for line in &mut lines {
        *line = style.coded("1", line);
    }
    lines.extend(wrap(&scenario.question, 0));
    lines.push(String::new());
    let quantities = setting(findings);
    let values: Vec<String> = quantities
        .iter()
        .map(|quantity| match quantity.symbol {
            "R" => format!("{} replicas", quantity.value),
            "steps" | "burn-in" | "seed" | "epochs" => format!("{} {}", quantity.symbol, quantity.value),
            symbol => format!("{symbol} = {}", quantity.value),
        })
        .collect();
    // A quantity is never torn apart: its own blanks do not break.
    let values: Vec<String> = values.iter().map(|value| value.replace(' ', "\u{a0}")).collect();
    lines.extend(wrap(&values.join("; "), 2).into_iter().map(|line| line.replace('\u{a0}', " ")));
    lines
}

fn or_dash<T>(value: Option<T>, write: impl FnOnce(T) -> String) -> String {
    value.map_or("–".to_owned(), write)
}

fn minimum<'a>(findings: &'a Findings, id: &str) -> Option<&'a MinimumRecord> {
    findings.minima.iter().find(|minimum| minimum.id == id)
}

/// The ladder; where it is too wide, θ is shortened, then the places move to a table of their own.
fn ladder(findings: &Findings) -> Vec<String> {
    let fits = [26, 20, 14, 10].into_iter().map(|room| ladder_table(findings, Some(room)));
    if let Some(table) = fits.into_iter().find(|table| table.width() <= WIDTH) {
        return table.lines();
    }
    let mut lines = minima(findings);
    lines.push(String::new());
    lines.extend(ladder_table(findings, None).lines());
    lines
}

fn ladder_table(findings: &Findings, room: Option<usize>) -> Table {
    if findings.occupancy.is_empty() {
        return Table::default();
    }
    let place: &[&str] = if room.is_some() { &["θ*", "L"] } else { &[] };
    let head = [&[""], place, &RUNGS.map(rung_name), &["measured", "95 % interval"]].concat();
    let mut table = Table::new(head, &[0]);
    for row in &findings.occupancy {
        let mut fields = vec![row.minimum.clone()];
        if let Some(room) = room {
            let minimum = minimum(findings, &row.minimum);
            fields.push(minimum.map_or(String::new(), |m| point(&m.theta, room)));
            fields.push(minimum.map_or(String::new(), |m| fixed(m.loss)));
        }
        fields.extend(RUNGS.map(|rung| rung_probability(row, rung)));
        fields.push(or_dash(row.measured, |p| with_error(p, row.standard_error)));
        fields.push(or_dash(row.interval, |ends| interval(ends, row.standard_error)));
        table.row(fields);
    }
    table.without_empty_columns()
}

fn rung_probability(row: &OccupancyRecord, rung: crate::scenario::Rung) -> String {
    match (predicted(row, rung), predicted_error(row, rung)) {
        (Some(p), Some(error)) => with_error(p, Some(error)),
        (p, _) => or_dash(p, probability),
    }
}

fn predictions(findings: &Findings) -> Vec<String> {
    if findings.occupancy.is_empty() {
        return Vec::new();
    }
    let mut table = Table::new([&[""], RUNGS.map(rung_name).as_slice()].concat(), &[0]);
    for row in &findings.occupancy {
        let fields = RUNGS.map(|rung| rung_probability(row, rung));
        if fields.iter().any(|field| field != "–") {
            table.row([vec![row.minimum.clone()], fields.to_vec()].concat());
        }
    }
    table.without_empty_columns().lines()
}

/// The first eigenvalues and the last, as many as fit.
fn eigenvalues(values: &[f64]) -> String {
    let write = |value: &f64| significant(*value, 6);
    match values {
        [] => "–".to_owned(),
        [first, second, .., last] if values.len() > 4 => {
            format!("{}, {}, … {}", write(first), write(second), write(last))
        }
        few => few.iter().map(write).collect::<Vec<_>>().join(", "),
    }
}

fn minima(findings: &Findings) -> Vec<String> {
    if findings.minima.is_empty() {
        return Vec::new();
    }
    let mut table = Table::new(["", "θ*", "L", "eigenvalues of H", "ln det H", "images"], &[0]);
    for minimum in &findings.minima {
        table.row(vec![
            minimum.id.clone(),
            point(&minimum.theta, 26),
            fixed(minimum.loss),
            eigenvalues(&minimum.hessian_eigenvalues),
            minimum.log_determinant.map_or_else(|| "–".to_owned(), fixed),
            if minimum.multiplicity == 1 { "–".to_owned() } else { minimum.multiplicity.to_string() },
        ]);
    }
    table.without_empty_columns().lines()
}

fn saddles(findings: &Findings) -> Vec<String> {
    if findings.saddles.is_empty() {
        return Vec::new();
    }
    let mut table = Table::new(["between", "θ", "L", "eigenvalues of H"], &[0]);
    for saddle in &findings.saddles {
        table.row(vec![
            saddle.between.join("–"),
            point(&saddle.theta, 26),
            fixed(saddle.loss),
            eigenvalues(&saddle.hessian_eigenvalues),
        ]);
    }
    table.lines()
}

fn escape(findings: &Findings) -> Vec<String> {
    if findings.escape.is_empty() {
        return Vec::new();
    }
    let mut table = Table::new(["", "Kramers", "exact (SDE)", "chain (δ)", "transitions seen"], &[0]);
    let pairs = findings.diagnostics.as_ref().map_or(&[][..], |d| &d.transitions_by_pair);
    for row in &findings.escape {
        let seen = pairs.iter().find(|pair| pair.from == row.from && pair.to == row.to);
        let time = |value: Option<f64>| or_dash(value, |value| significant(value, 6));
        let seen = or_dash(seen, |pair| count(pair.count));
        let name = format!("{} → {}", row.from, row.to);
        table.row(vec![name, time(row.kramers), time(row.exact), time(row.discrete), seen]);
    }
    table.without_empty_columns().lines()
}

fn claims(findings: &Findings, style: Style) -> Vec<String> {
    if findings.claims.is_empty() {
        return Vec::new();
    }
    let mut table = Table::new(["", "", "compared", "predicted", "measured", "interval", "ε"], &[0, 1, 2]);
    for claim in &findings.claims {
        table.row(vec![
            if claim.primary { "*".to_owned() } else { " ".to_owned() },
            or_dash(claim.verdict, |verdict| verdict.to_string()),
            claim.quantity.clone(),
            or_dash(claim.predicted, |value| with_digits_of(value, claim)),
            or_dash(claim.measured, |value| with_error(value, claim.standard_error)),
            or_dash(claim.interval, |ends| interval(ends, claim.standard_error)),
            significant(claim.tolerance, 3),
        ]);
    }
    let mut rows = table.lines().into_iter();
    let mut lines: Vec<String> = rows.next().into_iter().collect();
    for (claim, row) in findings.claims.iter().zip(rows) {
        // Long quantities make long rows: the row is then set as a paragraph.
        let row = if super::table::cells(&row) > WIDTH { wrap(&row, 2) } else { vec![row] };
        let word = or_dash(claim.verdict, |verdict| verdict.to_string());
        let coloured = claim.verdict.map_or("–".to_owned(), |verdict| style.verdict(verdict));
        lines.extend(row.into_iter().map(|line| line.replacen(&word, &coloured, 1)));
        lines.extend(wrap(&format!("{}: {}", claim.id, claim.reason), 7));
    }
    lines
}

/// A prediction beside a measurement needs no more than two digits beyond the measurement's error.
fn with_digits_of(value: f64, claim: &ClaimRecord) -> String {
    with_digits(value, claim.standard_error)
}

fn with_digits(value: f64, standard_error: Option<f64>) -> String {
    match standard_error {
        Some(error) if error.is_finite() && error > 1e-7 && error < 1e3 => {
            let decimals = (2.0 - error.log10().floor()).clamp(0.0, 9.0) as usize;
            format!("{value:.decimals$}")
        }
        _ => significant(value, 6),
    }
}

fn diagnosis(diagnostics: &Diagnostics) -> Vec<String> {
    let mut parts = Vec::new();
    let number = |value: f64| significant(value, 5);
    parts.extend(diagnostics.nested_r_hat.map(|value| format!("nested R̂ {}", number(value))));
    parts.extend(diagnostics.r_hat.map(|value| format!("R̂ {}", number(value))));
    parts.extend(diagnostics.ess.map(|value| format!("smallest ESS {value:.0}")));
    parts.push(format!("{} transitions", count(diagnostics.transitions)));
    parts.push(format!("{} round trips", count(diagnostics.round_trips)));
    parts.push(format!("{} diverged", count(diagnostics.diverged)));
    if let Some(contrast) = &diagnostics.start_contrast {
        let verdict = if contrast.consistent_with_zero { "consistent with 0" } else { "NOT consistent with 0" };
        let value = with_error(contrast.value, Some(contrast.standard_error));
        parts.push(format!("start contrast {value} ({verdict})"));
    }
    if let Some(StartMemoryRecord { bias: Some(bias), standard_error, .. }) = &diagnostics.start_memory {
        let size = (bias / standard_error).abs();
        let size = if size < 0.001 { "less than 0.001".to_owned() } else { significant(size, 2) };
        parts.push(format!("left of the start {size} standard errors"));
    }
    parts.extend(diagnostics.stationarity.as_ref().map(at_rest));
    let state = if diagnostics.equilibrated { "equilibrated" } else { "NOT equilibrated" };
    let mut lines = wrap(&format!("{state}: {}", parts.join(" · ")), 2);
    for reason in &diagnostics.reasons {
        lines.extend(bullet(reason));
    }
    if !diagnostics.diverged_replicas.is_empty() {
        let named = diagnostics.diverged_replicas.iter();
        let named: Vec<String> =
            named.map(|record| format!("{} by step {}", record.replica, count(record.step))).collect();
        let more = if diagnostics.diverged > named.len() as u64 { ", …" } else { "" };
        lines.extend(bullet(&format!("diverged replicas: {}{more}", named.join(", "))));
    }
    lines
}

/// What speaks for and against rest in every direction, in short.
fn at_rest(record: &StationarityRecord) -> String {
    let mut parts = Vec::new();
    if let Some(YaidaRecord { left, right, standard_error, consistent }) = &record.yaida {
        let verdict = if *consistent { "consistent" } else { "NOT consistent" };
        let [left, right] = [left, right].map(|side| with_digits(*side, Some(*standard_error)));
        parts.push(format!("Yaida's relation {left} = {right} ± {} ({verdict})", significant(*standard_error, 2)));
    }
    let tests = record.drifts.iter().chain(&record.relations);
    let (passed, all) = (tests.clone().filter(|test| test.consistent).count(), tests.count());
    parts.push(format!("{passed} of {all} drifts and relations consistent with 0"));
    if let Some(softest) = &record.softest {
        let relaxations = significant(softest.burn_in_relaxations, 2);
        parts.push(format!("burn-in {relaxations} relaxation times of {} at {}", softest.direction, softest.minimum));
    }
    parts.join(" · ")
}

fn notes(findings: &Findings) -> Vec<String> {
    findings.notes.iter().flat_map(|note| bullet(note)).collect()
}

fn bullet(text: &str) -> Vec<String> {
    let mut lines = wrap(text, 4);
    if let Some(first) = lines.first_mut() {
        first.replace_range(2..3, "-");
    }
    lines
}
