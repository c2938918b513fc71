//! The list of mutants (`*.toml` beside this file), and what may be wrong with it.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

use crate::source::{Place, Sources, squeezed};

/// A mistake that the tests have to notice.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutant {
    /// Its name, by what it breaks: lower case with hyphens.
    pub name: String,
    /// What the program does wrong with it, in a sentence.
    pub what: String,
    /// The tests that should see it, as arguments of `cargo test`.
    pub tests: String,
    find: Option<String>,
    replace: Option<String>,
    #[serde(default)]
    edits: Vec<Edit>,
}

/// A text of the program, and the one to stand in its place.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    pub find: String,
    pub replace: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    mutant: Vec<Mutant>,
}

impl Mutant {
    /// What is edited: `find` and `replace`, or the list `edits`.
    pub fn edits(&self) -> Vec<Edit> {
        match (&self.find, &self.replace) {
            (Some(find), Some(replace)) if self.edits.is_empty() => {
                vec![Edit { find: find.clone(), replace: replace.clone() }]
            }
            (None, None) => self.edits.clone(),
            // Neither the one nor the other: told by `faults`.
            _ => Vec::new(),
        }
    }

    /// Where each edit is to be made, and the text to be put there; or why the mutant tests nothing any more.
    pub fn placed(&self, sources: &Sources) -> Result<Vec<(Place, String)>, String> {
        let edits = self.edits();
        if edits.is_empty() {
            return Err("needs find and replace, or edits with both".to_owned());
        }
        let mut placed: Vec<(Place, String)> = Vec::new();
        for Edit { find, replace } in edits {
            let found = sources.places_of(&find);
            let [place] = found.as_slice() else {
                return Err(format!("{} occurs {} times in src, not once", squeezed(&find), found.len()));
            };
            if squeezed(&find) == squeezed(&replace) {
                return Err(format!("{} is replaced by itself", squeezed(&find)));
            }
            let overlaps = |(other, _): &(Place, String)| {
                other.file == place.file && other.range.start < place.range.end && place.range.start < other.range.end
            };
            if placed.iter().any(overlaps) {
                return Err(format!("{} is edited twice", squeezed(&find)));
            }
            placed.push((place.clone(), replace.trim().to_owned()));
        }
        Ok(placed)
    }
}

/// All mutants of a folder, by the names of its files.
pub fn read(folder: &Path) -> Result<Vec<Mutant>, String> {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut mutants = Vec::new();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "toml")) {
        let list: List = toml::from_str(&std::fs::read_to_string(path).unwrap())
            .map_err(|error| format!("{}: {error}", path.display()))?;
        mutants.extend(list.mutant);
    }
    Ok(mutants)
}

/// Whatever keeps a mutant from being planted, or its tests from being run, one line each.
pub fn faults(mutants: &[Mutant], sources: &Sources, targets: &BTreeSet<String>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut names = BTreeSet::new();
    for mutant in mutants {
        let mut fault = |text: String| faults.push(format!("{}: {text}", mutant.name));
        if !names.insert(&mutant.name) {
            fault("there are two mutants of this name".to_owned());
        }
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if mutant.name.is_empty() || !mutant.name.chars().all(plain) {
            fault("a name has lower-case letters, digits and hyphens".to_owned());
        }
        if mutant.what.trim().is_empty() {
            fault("what does it break?".to_owned());
        }
        if let Err(reason) = mutant.placed(sources) {
            fault(reason);
        }
        if let Err(reason) = tests_exist(&mutant.tests, targets) {
            fault(reason);
        }
    }
    faults
}

/// Whether a line of arguments names test targets that exist, and at most one filter.
fn tests_exist(tests: &str, targets: &BTreeSet<String>) -> Result<(), String> {
    let mut words = tests.split_whitespace();
    let (mut named, mut filters) = (0, 0);
    while let Some(word) = words.next() {
        match word {
            "--lib" => named += 1,
            "--test" => match words.next() {
                Some(target) if targets.contains(target) => named += 1,
                other => return Err(format!("there is no test target {}", other.unwrap_or("after --test"))),
            },
            option if option.starts_with('-') => return Err(format!("tests may have --lib and --test, not {option}")),
            _ => filters += 1,
        }
    }
    match (named, filters) {
        (0, _) => Err("tests must name a target: --lib or --test NAME".to_owned()),
        (_, 2..) => Err("tests may have one filter".to_owned()),
        _ => Ok(()),
    }
}

/// The test targets of a repository: `tests/NAME.rs` and `tests/NAME/main.rs`.
pub fn targets(root: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(root.join("tests")).unwrap().map(|entry| entry.unwrap().path());
    let tests = entries.filter(|path| path.extension().is_some_and(|e| e == "rs") || path.join("main.rs").is_file());
    tests.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}
