//! A whole run, on a program of a few lines.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::runner::{self, Order};

const FILES: [(&str, &str); 4] = [
    ("Cargo.toml", "[package]\nname = \"small\"\nedition = \"2024\"\n\n[profile.dev]\nincremental = false\n"),
    (
        "src/lib.rs",
        "//! Small.
pub mod more;

/// What is too much.
pub const LIMIT: u32 = 3;

pub fn twice(x: u32) -> u32 {
    x * 2
}

pub fn limited(x: u32) -> u32 {
    x.min(LIMIT)
}

#[test]
fn twice_is_twice() {
    assert_eq!(twice(2), 4);
}
",
    ),
    ("src/more.rs", "pub fn unseen(x: u32) -> u32 {\n    x + 1\n}\n\npub fn ends(x: u32) -> u32 {\n    x + 2\n}\n"),
    (
        "tests/outer.rs",
        "#[test]
fn limited_is_limited() {
    assert_eq!((small::limited(2), small::limited(7)), (2, 3));
}

#[test]
fn the_end_is_seen() {
    assert_eq!(small::more::ends(2), 4);
}
",
    ),
];

const MUTANTS: [(&str, &str, &str, &str); 8] = [
    ("switched", "--lib twice", "x * 2", "x * 3"),
    ("of-the-same-function", "--lib twice", "x * 2", "2"),
    ("seen-by-others", "--test outer no_such_test", "x * 2", "x"),
    ("planted", "--test outer limited", "LIMIT: u32 = 3", "LIMIT: u32 = 4"),
    ("ended", "--test outer the_end", "x + 2", "std::process::abort()"),
    ("unseen", "--lib", "x + 1", "x + 5"),
    ("broken", "--test outer limited", "x.min(LIMIT)", "x.min(NO_LIMIT)"),
    ("stale", "--lib", "x * 7", "x"),
];

fn write(root: &Path, file: &str, text: &str) {
    fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
    fs::write(root.join(file), text).unwrap();
}

/// The lines that a run tells, without their times, by the names of the mutants; and what it says at the end.
fn told(root: &Path, names: &str) -> (Result<bool, String>, BTreeMap<String, String>) {
    let mut lines = BTreeMap::new();
    let mut tell = |line: String| {
        let name = line.split_whitespace().nth(1).unwrap().to_owned();
        let time = line.rfind(" (").filter(|_| line.ends_with(" s)")).unwrap_or(line.len());
        lines.insert(name, line[..time].to_owned());
    };
    let order = Order::read(names).unwrap();
    let folder = root.join("target/mutants");
    let result = runner::run(root, &folder, Duration::from_secs(600), &order, &mut tell);
    (result, lines)
}

#[test]
fn a_whole_run_tells_which_mutants_are_caught() {
    let here = tempfile::tempdir().unwrap();
    let root = here.path();
    FILES.iter().for_each(|(file, text)| write(root, file, text));
    let mutant = |(name, tests, find, replace): &(&str, &str, &str, &str)| {
        format!(
            "[[mutant]]\nname = '{name}'\nwhat = 'Wrong.'\ntests = '{tests}'\nfind = '{find}'\nreplace = '{replace}'\n"
        )
    };
    write(root, "tests/mutants/list.toml", &MUTANTS.iter().map(mutant).collect::<String>());

    let (result, lines) = told(root, "");
    assert_eq!(result, Ok(false));
    let expected = [
        ("switched", "caught    switched  by src/lib.rs twice_is_twice"),
        ("of-the-same-function", "caught    of-the-same-function  by src/lib.rs twice_is_twice"),
        ("seen-by-others", "SURVIVED  seen-by-others  its line names no test"),
        ("planted", "caught    planted  by tests/outer.rs limited_is_limited"),
        ("ended", "caught    ended  by tests/outer.rs (ended without a report)"),
        ("unseen", "SURVIVED  unseen"),
        ("broken", "BROKEN    broken  does not compile, which says nothing about the tests"),
        ("stale", "STALE     stale  x * 7 occurs 0 times in src, not once"),
        ("caught,", "4 caught, 2 survived, 1 stale, 1 do not compile, of 8"),
    ];
    assert_eq!(lines, expected.map(|(name, line)| (name.to_owned(), line.to_owned())).into());

    // What was found out stays known, until something changes.
    let (result, lines) = told(root, "switched planted");
    assert_eq!(result, Ok(true));
    assert!(["switched", "planted"].iter().all(|name| lines[*name].ends_with(", in an earlier run")), "{lines:?}");
    write(
        root,
        "src/more.rs",
        "pub fn unseen(x: u32) -> u32 {\n    x + 1\n}\n\npub fn ends(x: u32) -> u32 {\n    x + 3\n}\n",
    );
    let (result, lines) = told(root, "switched");
    assert_eq!((result, lines["switched"].as_str()), (Ok(true), expected[0].1));

    // A test that fails anyway sees nothing.
    let (result, _) = told(root, "planted --shard 1/1");
    assert_eq!(result, Ok(true));
    write(root, "tests/mutants/list.toml", &mutant(&("ended", "--test outer", "x + 3", "x + 4")));
    let (result, _) = told(root, "");
    assert!(result.is_err_and(|reason| reason.contains("cargo test --test outer fails without any mutant")));
}
