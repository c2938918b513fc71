//! The terminal output of `compare`.

use crate::comparison::{Comparison, Difference, Measured, Side};

use super::number::{interval, significant, with_error};
use super::table::{Table, wrap};

/// Two results side by side, as text.
pub fn compare(comparison: &Comparison) -> String {
    let mut lines = vec![side("A", &comparison.a), side("B", &comparison.b)];
    let mut section = |title: &str, content: Vec<String>| {
        if !content.is_empty() {
            lines.extend([String::new(), title.to_owned()]);
            lines.extend(content);
        }
    };
    section("Settings that differ", settings(comparison));
    section("Beware", comparison.warnings.iter().flat_map(|text| wrap(text, 2)).collect());
    section("Occupancies (the interval is 95 %)", differences(&comparison.occupancies, comparison.independent));
    section("Compared in claims (the interval is 95 %)", differences(&comparison.contrasts, comparison.independent));
    if let Some(tolerance) = comparison.tolerance {
        let title = format!("Is the difference within ±{}?", significant(tolerance, 6));
        section(&title, comparison.contrasts.iter().flat_map(verdict).collect());
    }
    section("Only in A", wrap(&comparison.only_in_a.join(", "), 2));
    section("Only in B", wrap(&comparison.only_in_b.join(", "), 2));
    section("Not measured in both, though both ask for it", wrap(&comparison.unmeasured.join(", "), 2));
    lines.push(String::new());
    lines.join("\n")
}

fn side(letter: &str, side: &Side) -> String {
    let verdict = side.verdict.map_or("no verdict".to_owned(), |verdict| verdict.to_string());
    let looks = if side.looks.number() > 1 { format!(", look {}", side.looks.number()) } else { String::new() };
    format!("{letter}  {}, seed {}: {verdict}{looks}", side.name, side.seed)
}

fn settings(comparison: &Comparison) -> Vec<String> {
    if comparison.settings.is_empty() {
        return vec!["  none: the same scenario and seed".to_owned()];
    }
    let mut table = Table::new(["key", "A", "B"], &[0]);
    for setting in &comparison.settings {
        table.row(vec![setting.key.clone(), setting.a.to_string(), setting.b.to_string()]);
    }
    table.lines()
}

fn differences(differences: &[Difference], independent: bool) -> Vec<String> {
    if differences.is_empty() {
        return Vec::new();
    }
    let mut table = Table::new(["", "A", "B", "B − A", "interval"], &[0]);
    for row in differences {
        let measured = |side: Measured| with_error(side.value, Some(side.standard_error));
        let error = Some(row.standard_error);
        // An error that is not valid is not shown as if it were.
        let (difference, range) = if independent {
            (with_error(row.difference, error), row.interval.map_or("–".to_owned(), |ends| interval(ends, error)))
        } else {
            (significant(row.difference, 4), "not valid".to_owned())
        };
        // Rungs may compare one quantity with different errors of their own: then the claims tell the rows apart.
        let is_alone = differences.iter().filter(|other| other.quantity == row.quantity).count() == 1;
        let claims = if is_alone { String::new() } else { format!(" ({})", row.claims.join(", ")) };
        table.row(vec![format!("{}{claims}", row.quantity), measured(row.a), measured(row.b), difference, range]);
    }
    table.lines()
}

fn verdict(row: &Difference) -> Vec<String> {
    let verdict = row.verdict.map_or("–".to_owned(), |verdict| verdict.to_string());
    wrap(&format!("{verdict}  {}: {}", row.quantity, row.reason.as_deref().unwrap_or("–")), 2)
}
