//! A short run of every shipped scenario, with all of its numbers kept in `references/`: an intended change is told from a slip.
//!
//! What is kept is the document `result.json` line by line (numbers with all digits, verdicts, ids and labels, but no sentences),
//! a few sums of every table that figures are drawn from, and the names of the other files. `shortened.toml` says how each
//! scenario is made short, and how closely its numbers are held: to the byte, unless it says otherwise.
//!
//! `GOLDEN=renew cargo test --test golden` writes the references anew and tells what changed. The commit that renews them says
//! which numbers changed, and why.

mod difference;
mod flat;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Deserialize;
use sgd_sde::scenario::shipped;

/// Threads of each run: the numbers are the same for any number of them, and the scenarios run side by side.
const THREADS: &str = "1";
const RENEW: &str = "GOLDEN=renew cargo test --test golden";

/// How a scenario is made short.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shortened {
    /// What `--set` is given.
    set: Vec<String>,
    /// The largest relative difference of a number that is not whole.
    #[serde(default)]
    tolerance: f64,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn shortenings() -> BTreeMap<String, Shortened> {
    toml::from_str(&std::fs::read_to_string(folder().join("shortened.toml")).unwrap()).unwrap()
}

/// Runs a scenario as a user would, and reads what it wrote.
fn run(name: &str, shortened: &Shortened) -> Result<flat::Lines, String> {
    let out = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sgd-sde"));
    command.args(["run", name, "--quiet", "--threads", THREADS, "--out"]).arg(out.path());
    command.args(shortened.set.iter().flat_map(|change| ["--set", change]));
    let output = command.output().unwrap();
    // 1 is an unexpected verdict, which a short run may well give.
    match output.status.code() {
        Some(0 | 1) => Ok(flat::read(&out.path().join(name))),
        _ => Err(format!("{name}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr))),
    }
}

/// What is to be told of a scenario: nothing where it is as its reference says. Renews the reference if asked to.
///
/// # Errors
/// When it cannot be run.
fn compare(name: &str, shortened: &Shortened, renew: bool) -> Result<Option<String>, String> {
    let now = run(name, shortened)?;
    let path = folder().join("references").join(format!("{name}.txt"));
    let reference = flat::parse(&std::fs::read_to_string(&path).unwrap_or_default());
    let tolerance = if renew { 0.0 } else { shortened.tolerance };
    let differences = difference::all(&reference, &now, tolerance);
    if renew {
        std::fs::write(&path, flat::write(&now)).unwrap();
    }
    match differences.len() {
        0 => Ok(None),
        _ if reference.is_empty() => Ok(Some(format!("{name}: there was no reference for its {} values\n", now.len()))),
        _ => Ok(Some(difference::told(name, reference.len(), &differences))),
    }
}

#[test]
fn shipped_scenarios_give_the_numbers_that_are_kept() {
    let renew = std::env::var_os("GOLDEN").is_some_and(|value| value == "renew");
    let shortened = shortenings();
    let next = AtomicUsize::new(0);
    let (told, failed) = (Mutex::new(BTreeMap::new()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                // From the end of the alphabet, where the longest are.
                while let Some((name, shortened)) = shortened.iter().rev().nth(next.fetch_add(1, Ordering::Relaxed)) {
                    match compare(name, shortened, renew) {
                        Ok(None) => {}
                        Ok(Some(text)) => drop(told.lock().unwrap().insert(name, text)),
                        Err(text) => failed.lock().unwrap().push(text),
                    }
                }
            });
        }
    });
    let (told, failed) = (told.into_inner().unwrap(), failed.into_inner().unwrap());
    assert!(
        failed.is_empty(),
        "\n\nThe short form of a scenario no longer runs; tests/golden/shortened.toml has it.\n{}",
        failed.join("\n")
    );
    let text: String = told.values().map(|text| format!("{text}\n")).collect();
    if renew {
        // Not by a macro: what a test that passes prints so is not shown.
        let told = format!("\n{text}{} of {} references have changed.\n", told.len(), shortened.len());
        std::io::stderr().write_all(told.as_bytes()).unwrap();
    } else {
        assert!(
            told.is_empty(),
            "\n\n{text}{} of {} scenarios give other numbers than tests/golden/references keeps: {}.\nIf that is intended, \
             {RENEW} writes them anew, and the commit that does says which numbers changed, and why.\n",
            told.len(),
            shortened.len(),
            told.keys().map(|name| name.as_str()).collect::<Vec<_>>().join(", "),
        );
    }
}

#[test]
fn every_shipped_scenario_is_kept_and_nothing_else_is() {
    let shipped: BTreeSet<String> = shipped().iter().map(|shipped| shipped.name.to_owned()).collect();
    assert_eq!(shortenings().into_keys().collect::<BTreeSet<_>>(), shipped, "tests/golden/shortened.toml");
    // One that is missing is told by the other test, and written when it renews.
    for file in std::fs::read_dir(folder().join("references")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(
            name.strip_suffix(".txt").is_some_and(|name| shipped.contains(name)),
            "references/{name} is of no scenario"
        );
    }
}
