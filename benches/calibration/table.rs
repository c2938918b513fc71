//! The table in Markdown.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use statrs::distribution::{Binomial, DiscreteCDF};

use super::kinds::{DIFFERENCES, Kind};
use super::results::{Results, Row};

const BEGINNING: &str = "# Operating characteristics

How often a run says HOLDS, REJECTED or UNDETERMINED of a claim whose truth is known, and how often the interval that it shows (90 %) contains the
true value. Every line is of whole runs over as many seeds as it says, with gates and all; “true difference” is what the prediction is wrong by, in
units of the tolerance ε. Written by `benches/calibration/run`; do not edit.

What to look for: at a true difference of 0 or ½ REJECTED is false, at 2 HOLDS is, and exactly at ε each of the two is allowed 5 % of the runs;
too little effort ought to be UNDETERMINED, and ample effort ought not; intervals ought to cover in 90 % of the runs that show one. Of the few runs
that come to a verdict at exactly ε all are wrong, and their intervals miss. A run may show several intervals, or none where its effort is too small or its start
is still seen in what it measured.

Of 1,000 runs, a share near 90 % has a standard error of 1 %, and one near 5 % of 0.7 %. **Bold** is what is worse than declared by more than
chance does once in a thousand: false verdicts, and coverage below 90 %.

![Verdicts against effort](operating-characteristics.png)
";

/// Writes `operating-characteristics.md`.
///
/// # Errors
/// When it cannot be written.
pub fn write(folder: &Path, kinds: &[Kind], results: &Results) -> Result<(), String> {
    let mut text = BEGINNING.to_owned();
    for kind in kinds {
        if results.of(kind.name, DIFFERENCES[0]).next().is_none() {
            continue;
        }
        let _ = write!(
            text,
            "\n## {}\n\n{}.\n\n| true difference / ε | {} | seeds | HOLDS | REJECTED | UNDETERMINED | intervals shown | of these cover | cover where \
             there is a verdict |\n|---|---|---|---|---|---|---|---|---|\n",
            kind.name, kind.what, kind.unit
        );
        for difference in DIFFERENCES {
            for row in results.of(kind.name, difference) {
                text.push_str(&line(row));
            }
        }
    }
    let seconds: f64 = results.rows().iter().map(|row| row.seconds).sum();
    let _ = write!(text, "\nAll of it took {:.0} minutes.\n", (seconds / 60.0).ceil());
    let path = folder.join("operating-characteristics.md");
    fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
}

fn line(row: &Row) -> String {
    let t = &row.tally;
    let undetermined = t.seeds - t.holds - t.rejected;
    format!(
        "| {:.3} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
        row.true_difference,
        row.effort,
        t.seeds,
        marked(t.holds, t.seeds, row.true_difference > 0.99 && exceeds(t.holds, t.seeds, 0.05)),
        marked(t.rejected, t.seeds, row.true_difference < 1.01 && exceeds(t.rejected, t.seeds, 0.05)),
        share(undetermined, t.seeds),
        t.shown,
        marked(t.covered, t.shown, exceeds(t.shown - t.covered, t.shown, 0.1)),
        share(t.decided_covered, t.decided)
    )
}

/// Whether `count` of `trials` is more than chance makes of a probability once in a thousand.
fn exceeds(count: u64, trials: u64, probability: f64) -> bool {
    let Ok(law) = Binomial::new(probability, trials) else { return false };
    count > 0 && law.sf(count - 1) < 1e-3
}

fn marked(part: u64, whole: u64, is_bad: bool) -> String {
    let share = share(part, whole);
    if is_bad { format!("**{share}**") } else { share }
}

/// In per cent; a dash where there is nothing to take a part of.
fn share(part: u64, whole: u64) -> String {
    if whole == 0 { "–".to_owned() } else { format!("{:.1} %", 100.0 * part as f64 / whole as f64) }
}
