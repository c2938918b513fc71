//! What differs between a reference and a result, told so that a slip is seen at a glance.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::flat::Lines;

/// Changed values told of each scenario; the rest is counted.
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

/// The differences of one scenario in words: the first numbers that changed, with both values; then what is gone and what is new,
/// each part of the result (a claim, a table) in one line.
pub fn told(name: &str, values: usize, differences: &[Difference]) -> String {
    let mut text = format!("{name}: {} different from the {values} values that are kept\n", differences.len());
    let (mut changed, mut gone, mut new) = (0_usize, BTreeMap::new(), BTreeMap::new());
    for Difference { path, reference, now } in differences {
        match (reference, now) {
            (Some(reference), Some(now)) => {
                changed += 1;
                if changed <= TOLD {
                    text += &change(path, reference, now);
                }
            }
            (Some(_), None) => *gone.entry(part(path)).or_insert(0_usize) += 1,
            (None, _) => *new.entry(part(path)).or_insert(0_usize) += 1,
        }
    }
    if changed > TOLD {
        let _ = writeln!(text, "  … and {} more have changed", changed - TOLD);
    }
    for (what, parts) in [("is gone", gone), ("is new", new)] {
        for (part, number) in parts {
            let _ = writeln!(text, "  {part} {what} (values: {number})");
        }
    }
    text
}

fn change(path: &str, reference: &str, now: &str) -> String {
    let numbers = reference.parse::<f64>().ok().zip(now.parse::<f64>().ok());
    let difference = numbers.map(|(a, b)| format!("   (relative difference {:.1e})", relative(a, b)));
    format!("  {path}\n    was {reference}\n    now {now}{}\n", difference.unwrap_or_default())
}

/// The part of the result that a path belongs to: up to the first bracket's end, or all of it.
fn part(path: &str) -> &str {
    path.find(']').map_or(path, |end| &path[..=end])
}
