//! Mutants: planted mistakes that the tests have to notice. Here the list of them is checked; `tests/mutants/run` plants
//! them. See README.md beside this file.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the verdicts are for who started the run")]

mod cargo;
mod list;
mod runner;
mod source;
mod switched;
mod verdicts;
mod whole;

use std::path::{Path, PathBuf};
use std::time::Duration;

use list::Mutant;
use source::Sources;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A mutant whose text is gone, or stands at two places, tests nothing.
#[test]
fn every_mutant_can_be_planted_and_names_tests_that_exist() {
    let mutants = list::read(&root().join("tests/mutants")).unwrap();
    let faults = list::faults(&mutants, &Sources::read(root()), &list::targets(root()));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(mutants.len() >= 274);
}

/// What is told of mutants, given as TOML, of a program of two files.
fn faults_of(mutants: &str) -> Vec<String> {
    let sources = Sources::of(&[
        ("src/one.rs", "fn one() -> f64 {\n    let half = 0.5;\n    half * 2.0\n}\n"),
        ("src/two.rs", "fn two() -> f64 {\n    let half = 0.5;\n    half + 1.5\n}\n"),
    ]);
    let targets = ["theory", "statistics"].map(str::to_owned).into();
    let mutants: Vec<Mutant> = mutants.split("\n\n").map(|mutant| toml::from_str(mutant).unwrap()).collect();
    list::faults(&mutants, &sources, &targets)
}

/// A sound mutant with one line replaced.
fn with(line: &str) -> String {
    let key = line.split(' ').next().unwrap();
    let sound = "name = 'halved'\nwhat = 'Half.'\ntests = '--test theory'\nfind = 'half * 2.0'\nreplace = 'half'";
    let lines = sound.lines().map(|old| if old.split(' ').next() == Some(key) { line } else { old });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn whatever_is_wrong_with_a_mutant_is_told() {
    for line in ["find = '''\nhalf\n* 2.0'''", "tests = '--lib --test statistics verdicts'", "replace = ''"] {
        assert_eq!(faults_of(&with(line)), [""; 0], "{line}");
    }
    for (line, told) in [
        ("find = 'half * 3.0'", "half * 3.0 occurs 0 times in src, not once"),
        ("find = 'let half = 0.5;'", "let half = 0.5; occurs 2 times in src, not once"),
        ("find = ' '", " occurs 0 times in src, not once"),
        ("replace = '''half *\n2.0'''", "half * 2.0 is replaced by itself"),
        ("name = 'Halved'", "a name has lower-case letters, digits and hyphens"),
        ("what = ' '", "what does it break?"),
        ("tests = ''", "tests must name a target: --lib or --test NAME"),
        ("tests = 'verdicts'", "tests must name a target: --lib or --test NAME"),
        ("tests = '--test'", "there is no test target after --test"),
        ("tests = '--test theories'", "there is no test target theories"),
        ("tests = '--doc'", "tests may have --lib and --test, not --doc"),
        ("tests = '--lib one two'", "tests may have one filter"),
    ] {
        let name = if line.starts_with("name") { "Halved" } else { "halved" };
        assert_eq!(faults_of(&with(line)), [format!("{name}: {told}")], "{line}");
    }
    let twice = format!("{}\n\n{}", with(""), with("find = 'half + 1.5'"));
    assert_eq!(faults_of(&twice), ["halved: there are two mutants of this name"]);
}

#[test]
fn edits_stand_for_themselves_and_do_not_overlap() {
    let head = "name = 'both'\nwhat = 'Both.'\ntests = '--lib'\n";
    let edits = |second: &str| {
        format!(
            "{head}[[edits]]\nfind = 'half * 2.0'\nreplace = 'half'\n[[edits]]\nfind = '{second}'\nreplace = '1.0'\n"
        )
    };
    assert_eq!(faults_of(&edits("half + 1.5")), [""; 0]);
    assert_eq!(faults_of(&edits("* 2.0")), ["both: * 2.0 is edited twice"]);
    assert_eq!(faults_of(head), ["both: needs find and replace, or edits with both"]);
    let mixed = format!("{head}find = 'half * 2.0'\nreplace = 'half'\n[[edits]]\nfind = '1.5'\nreplace = '1.0'\n");
    assert_eq!(faults_of(&mixed), ["both: needs find and replace, or edits with both"]);
}

/// Started by `tests/mutants/run`, with its arguments in MUTANTS.
#[test]
#[ignore = "plants mutants, for an hour or so"]
fn run() {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let order = runner::Order::read(&variable("MUTANTS"));
    let limit = Duration::from_secs(variable("MUTANT_LIMIT").parse().unwrap_or(600));
    let folder = Some(variable("MUTANTS_FOLDER")).filter(|folder| !folder.is_empty());
    let folder = folder.map_or_else(|| root().join("target/mutants"), PathBuf::from);
    ctrlc::set_handler(|| {
        cargo::stop();
        std::process::exit(130);
    })
    .unwrap();
    let status =
        match order.and_then(|order| runner::run(root(), &folder, limit, &order, &mut |line| println!("{line}"))) {
            Ok(all_caught) => i32::from(!all_caught),
            Err(reason) => {
                eprintln!("{reason}");
                2
            }
        };
    std::process::exit(status);
}
