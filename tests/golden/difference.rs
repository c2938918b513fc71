//! What differs between a reference and a result, told so that a slip is seen at a glance.

use std::fmt::Write;

use crate::flat::Lines;

/// Paths told of each scenario; the rest is counted.
const TOLD: usize = 10;

/// A line of the reference that the result does not have as it is.
pub struct Difference {
    path: String,
    reference: Option<String>,
    now: Option<String>,
}

/// All lines that differ by more than the relative tolerance; 0 is to the byte. Whole numbers and words are always exact.
pub fn all(reference: &Lines, now: &Lines, tolerance: f64) -> Vec<Difference> {
    let mut paths: Vec<&String> = reference.keys().chain(now.keys()).collect();
    paths.sort_unstable();
    paths.dedup();
    let differs = |path: &&String| match (reference.get(*path), now.get(*path)) {
        (Some(a), Some(b)) => !agree(a, b, tolerance),
        _ => true,
    };
    let difference = |path: &String| Difference {
        path: path.clone(),
        reference: reference.get(path).cloned(),
        now: now.get(path).cloned(),
    };
    paths.into_iter().filter(differs).map(difference).collect()
}

fn agree(a: &str, b: &str, tolerance: f64) -> bool {
    // serde_json writes what is not whole with a point or an exponent, and so does `{:?}`.
    let fraction = |text: &str| text.contains(['.', 'e']).then(|| text.parse::<f64>().ok()).flatten();
    match (fraction(a), fraction(b)) {
        (Some(x), Some(y)) => a == b || relative(x, y) <= tolerance,
        _ => a == b,
    }
}

fn relative(a: f64, b: f64) -> f64 {
    if a == b { 0.0 } else { (a - b).abs() / a.abs().max(b.abs()) }
}

/// The differences of one scenario in words: the first of them with both values.
pub fn told(name: &str, lines: usize, differences: &[Difference]) -> String {
    let mut text = format!("{name}: {} of {lines} values differ\n", differences.len());
    for Difference { path, reference, now } in differences.iter().take(TOLD) {
        let _ = writeln!(text, "  {path}");
        match (reference, now) {
            (Some(reference), Some(now)) => {
                let _ = write!(text, "    was {reference}\n    now {now}");
                let numbers = reference.parse::<f64>().ok().zip(now.parse::<f64>().ok());
                let _ = match numbers {
                    Some((a, b)) => writeln!(text, "   (relative difference {:.1e})", relative(a, b)),
                    None => writeln!(text),
                };
            }
            (Some(reference), None) => drop(writeln!(text, "    was {reference}\n    now it is not there")),
            (None, now) => drop(writeln!(text, "    was not there\n    now {}", now.as_deref().unwrap_or_default())),
        }
    }
    if differences.len() > TOLD {
        let _ = writeln!(text, "  … and {} more", differences.len() - TOLD);
    }
    text
}
