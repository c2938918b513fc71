//! Plants mutants in a copy of the working tree and runs the tests, which have to fail. See README.md beside this file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::cargo::{Cargo, Outcome};
use crate::list::{self, Mutant};
use crate::source::Sources;
use crate::switched::{Edits, Switched, edited, with_the_switch};
use crate::verdicts::{Verdicts, hash};

/// What is to be done, as it was typed.
pub struct Order {
    names: Vec<String>,
    /// (I, N): the mutants I, I + N, I + 2N, … of those that are left, from 1.
    shard: (usize, usize),
}

impl Order {
    /// From `[NAME ...] [--shard I/N]`.
    pub fn read(arguments: &str) -> Result<Self, String> {
        let mut order = Self { names: Vec::new(), shard: (1, 1) };
        let mut words = arguments.split_whitespace();
        while let Some(word) = words.next() {
            match word {
                "--shard" => order.shard = words.next().and_then(shard).ok_or("--shard needs I/N with 1 ≤ I ≤ N")?,
                option if option.starts_with('-') => {
                    return Err(format!("found {option}; there are NAME ... and --shard I/N"));
                }
                name => order.names.push(name.to_owned()),
            }
        }
        Ok(order)
    }

    fn take<'a>(&self, mutants: &'a [Mutant]) -> Result<Vec<&'a Mutant>, String> {
        let known: BTreeSet<&str> = mutants.iter().map(|mutant| mutant.name.as_str()).collect();
        if let Some(name) = self.names.iter().find(|name| !known.contains(name.as_str())) {
            return Err(format!("there is no mutant {name}: see tests/mutants/*.toml"));
        }
        let wanted = mutants.iter().filter(|mutant| self.names.is_empty() || self.names.contains(&mutant.name));
        Ok(wanted.skip(self.shard.0 - 1).step_by(self.shard.1).collect())
    }
}

fn shard(text: &str) -> Option<(usize, usize)> {
    let (index, count) = text.split_once('/')?;
    let (index, count) = (index.parse().ok()?, count.parse().ok()?);
    (1 <= index && index <= count).then_some((index, count))
}

/// Runs the tests on the mutants that were asked for and tells a line of each; whether all were caught.
pub fn run(
    root: &Path,
    folder: &Path,
    limit: Duration,
    order: &Order,
    tell: &mut dyn FnMut(String),
) -> Result<bool, String> {
    let begin = Instant::now();
    let mutants = list::read(&root.join("tests/mutants"))?;
    let wanted = order.take(&mutants)?;
    let sources = Sources::read(root);
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let lock = File::create(folder.join("lock")).map_err(|error| error.to_string())?;
    lock.try_lock().map_err(|_| format!("another run is under way in {}", folder.display()))?;

    let mut run = Run::new(root, folder, limit, sources, &mutants)?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    // Those that are planted one by one come last, so that all others find the same program.
    let (alone, switched): (Vec<&Mutant>, _) = wanted.iter().partition(|mutant| run.alone.contains(&number(mutant)));
    for mutant in switched.into_iter().chain(alone) {
        let verdict = run.verdict_on(mutant)?;
        let kind = verdict.split_whitespace().next().unwrap_or_default();
        tell(format!("{kind:<9} {}{}", mutant.name, &verdict[kind.len()..]));
        let kind = ["caught", "SURVIVED", "BROKEN", "STALE"].into_iter().find(|known| *known == kind);
        *counts.entry(kind.expect("a verdict begins with its kind")).or_default() += 1;
    }
    let count = |kind| counts.get(kind).copied().unwrap_or(0);
    tell(format!(
        "{} caught, {} survived, {} stale, {} do not compile, of {} ({} s)",
        count("caught"),
        count("SURVIVED"),
        count("STALE"),
        count("BROKEN"),
        wanted.len(),
        begin.elapsed().as_secs()
    ));
    Ok(count("caught") == wanted.len())
}

/// A run under way.
struct Run {
    sources: Sources,
    cargo: Cargo,
    verdicts: Verdicts,
    /// The edits of every mutant that is not stale, by its number.
    edits: BTreeMap<u64, Edits>,
    program: Switched,
    /// The numbers of those that cannot be switched and are planted one by one.
    alone: BTreeSet<u64>,
    /// Targets that have been compiled with all switches.
    compiled: BTreeSet<String>,
    limit: Duration,
}

impl Run {
    fn new(root: &Path, folder: &Path, limit: Duration, sources: Sources, all: &[Mutant]) -> Result<Self, String> {
        let placed = |mutant: &Mutant| Some((number(mutant), mutant.placed(&sources).ok()?));
        let edits: BTreeMap<u64, Edits> = all.iter().filter_map(placed).collect();
        let (program, alone) = Switched::of(&sources, &edits);
        let cargo = Cargo::new(folder);
        let state = cargo.copy(root, &program.files)?;
        let verdicts = Verdicts::read(&folder.join("verdicts"), state)?;
        Ok(Self { sources, cargo, verdicts, edits, program, alone, compiled: BTreeSet::new(), limit })
    }

    /// `caught by …`, `SURVIVED`, `BROKEN …` or `STALE …`; from an earlier run if nothing has changed since.
    fn verdict_on(&mut self, mutant: &Mutant) -> Result<String, String> {
        let number = number(mutant);
        let Some(edits) = self.edits.get(&number) else {
            return Ok(format!("STALE  {}", mutant.placed(&self.sources).unwrap_err()));
        };
        let key = format!("{} {:016x}", mutant.name, hash(&format!("{edits:?} {}", mutant.tests)));
        if let Some(verdict) = self.verdicts.known(&key) {
            return Ok(format!("{verdict}, in an earlier run"));
        }
        let begin = Instant::now();
        if !self.alone.contains(&number) {
            // Which may show that it does not compile beside the others.
            self.compile(&mutant.tests)?;
        }
        let verdict = if self.alone.contains(&number) { self.planted(mutant)? } else { self.switched(mutant)? };
        self.verdicts.keep(&key, &verdict)?;
        Ok(format!("{verdict} ({} s)", begin.elapsed().as_secs()))
    }

    /// Compiles the targets of a line of tests with all switches, and without those that do not compile.
    fn compile(&mut self, tests: &str) -> Result<(), String> {
        let targets = targets_of(tests);
        while !self.compiled.contains(&targets) {
            let Err(errors) = self.cargo.compile(&targets)? else {
                self.compiled.insert(targets);
                break;
            };
            let broken: BTreeSet<u64> =
                errors.iter().flat_map(|(file, line)| self.program.mutants_at(file, *line)).collect();
            if broken.is_empty() {
                return Err(format!("what is no mutant's does not compile (see {})", self.cargo.log().display()));
            }
            self.alone.extend(broken);
            self.switch_all_but_alone()?;
            self.compiled.clear();
        }
        Ok(())
    }

    /// Writes the program with all switches but of those that stand alone.
    fn switch_all_but_alone(&mut self) -> Result<(), String> {
        let switchable = self.edits.iter().filter(|(number, _)| !self.alone.contains(number));
        let switchable = switchable.map(|(number, edits)| (*number, edits.clone())).collect();
        let (program, _) = Switched::of(&self.sources, &switchable);
        let before = std::mem::replace(&mut self.program, program);
        self.write_switched(before.files.keys())
    }

    /// Writes files as they are with all switches.
    fn write_switched<'a>(&self, files: impl Iterator<Item = &'a String>) -> Result<(), String> {
        let text = |file: &String| self.program.files.get(file).map_or(self.sources.text(file), String::as_str);
        self.cargo.write(&files.map(|file| (file.clone(), text(file).to_owned())).collect())
    }

    /// A mutant that is switched on by the environment.
    fn switched(&mut self, mutant: &Mutant) -> Result<String, String> {
        self.passes_without(&mutant.tests)?;
        self.compile(&mutant.tests)?;
        Ok(verdict(&self.cargo.test(&mutant.tests, Some(number(mutant)), self.limit)?, self.limit))
    }

    /// A mutant that is planted in the text, as the only one of its files.
    fn planted(&mut self, mutant: &Mutant) -> Result<String, String> {
        self.passes_without(&mutant.tests)?;
        self.cargo.write(&self.with(mutant))?;
        let compiled = self.cargo.compile(&mutant.tests)?;
        let outcome = compiled.map(|()| self.cargo.test(&mutant.tests, None, self.limit));
        self.restore(mutant)?;
        match outcome {
            Err(_) => Ok("BROKEN  does not compile, which says nothing about the tests".to_owned()),
            Ok(outcome) => Ok(verdict(&outcome?, self.limit)),
        }
    }

    /// The files that a mutant changes, changed and without the others' switches.
    fn with(&self, mutant: &Mutant) -> BTreeMap<String, String> {
        let edits = &self.edits[&number(mutant)];
        let of_file = |file: &str| -> Vec<_> {
            edits.iter().filter(|(at, _)| at.file == file).map(|(at, text)| (at.range.clone(), text.as_str())).collect()
        };
        let changed = |file: &String| {
            let text = self.sources.text(file);
            with_the_switch(file, edited(text, &(0..text.len()), &of_file(file)))
        };
        let files: BTreeSet<&String> = edits.iter().map(|(place, _)| &place.file).collect();
        files.into_iter().map(|file| (file.clone(), changed(file))).collect()
    }

    /// Puts the files that a mutant changes back as they are with switches.
    fn restore(&mut self, mutant: &Mutant) -> Result<(), String> {
        self.compiled.clear();
        self.write_switched(self.edits[&number(mutant)].iter().map(|(place, _)| &place.file))
    }

    /// Tests that fail without any mutant tell nothing.
    fn passes_without(&mut self, tests: &str) -> Result<(), String> {
        let key = format!("without a mutant: {tests}");
        if self.verdicts.known(&key).is_some() {
            return Ok(());
        }
        self.compile(tests)?;
        match self.cargo.test(tests, None, self.limit)? {
            Outcome::Passed { .. } => self.verdicts.keep(&key, "passes"),
            failed => {
                let failed = verdict(&failed, self.limit);
                let log = self.cargo.log();
                Err(format!("cargo test {tests} fails without any mutant: {failed} (see {})", log.display()))
            }
        }
    }
}

/// What the tests that should see a mutant say of it.
fn verdict(outcome: &Outcome, limit: Duration) -> String {
    match outcome {
        Outcome::Failed { test } => format!("caught  by {test}"),
        Outcome::Passed { tests: 0 } => "SURVIVED  its line names no test".to_owned(),
        Outcome::Passed { .. } => "SURVIVED".to_owned(),
        _ => format!("caught  by the time limit of {} s", limit.as_secs()),
    }
}

/// The targets of a line of tests, without its filter; nothing for all.
fn targets_of(tests: &str) -> String {
    let mut targets = String::new();
    let mut words = tests.split_whitespace();
    while let Some(word) = words.next() {
        match word {
            "--test" => targets += &format!("--test {} ", words.next().unwrap_or_default()),
            "--lib" => targets += "--lib ",
            _ => {}
        }
    }
    targets.trim_end().to_owned()
}

/// The number of a mutant is that of its name, so that the others keep theirs when one comes in.
fn number(mutant: &Mutant) -> u64 {
    hash(&mutant.name) >> 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read() {
        let order = Order::read("one two --shard 2/3").unwrap();
        assert_eq!((order.names, order.shard), (vec!["one".to_owned(), "two".to_owned()], (2, 3)));
        for wrong in ["--shard", "--shard 3/2", "--shard 0/2", "--shard 1", "--again"] {
            assert!(Order::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_line_has_its_targets() {
        assert_eq!(targets_of("--lib --test statistics memory"), "--lib --test statistics");
        assert_eq!(targets_of("--test simulation laws"), "--test simulation");
        assert_eq!(targets_of(""), "");
    }
}
