//! The list of bad scenarios (`*.toml` beside this file): their texts, and what has to be told of them. See README.md there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// A text that has to be refused.
pub struct Case {
    pub name: String,
    /// What stands in the file.
    pub text: String,
    pub stage: Stage,
    /// All that has to be told of it, and nothing else may be.
    pub told: Vec<Told>,
}

/// What has to be told: `FILE:LINE:COLUMN: KEY: … phrase …`.
#[derive(Debug, PartialEq)]
pub struct Told {
    pub line: usize,
    pub column: usize,
    pub key: String,
    pub phrase: String,
}

/// When it can be told.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// When the file is read.
    #[default]
    Reading,
    /// After the minima are known, so only by the program.
    Landscape,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    /// The base of cases that name none.
    base: Option<String>,
    case: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    what: Option<String>,
    base: Option<String>,
    text: Option<String>,
    #[serde(default)]
    replace: Vec<[String; 2]>,
    #[serde(default)]
    add: String,
    #[serde(default)]
    stage: Stage,
    #[serde(default)]
    told: Vec<Pointed>,
    at: Option<String>,
    #[serde(default)]
    key: String,
    phrase: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pointed {
    at: Option<String>,
    #[serde(default)]
    key: String,
    phrase: String,
}

/// Where a message must point, in a text that says so.
const MARK: char = '|';

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad")
}

/// The TOML files of a folder by their names, without the ending.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let paths = paths.filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    paths.map(|path| (name(&path), std::fs::read_to_string(path).unwrap())).collect()
}

/// The sound scenarios that cases change something in.
pub fn bases() -> BTreeMap<String, String> {
    files(&folder().join("base"))
}

/// Every case. Panics where the list contradicts itself.
pub fn cases() -> Vec<Case> {
    let bases = bases();
    let (mut cases, mut used) = (Vec::new(), BTreeSet::new());
    for (file, text) in files(&folder()) {
        cases.extend(cases_of(&file, &text, &bases, &mut used));
    }
    let names: BTreeSet<&String> = cases.iter().map(|case| &case.name).collect();
    assert_eq!(names.len(), cases.len(), "two bad scenarios have the same name");
    assert!(bases.keys().all(|base| used.contains(base)), "a base that no case uses: {:?} of {bases:?}", used);
    cases
}

/// The cases of one list; the bases that they use are added to `used`.
pub fn cases_of(file: &str, list: &str, bases: &BTreeMap<String, String>, used: &mut BTreeSet<String>) -> Vec<Case> {
    let list: List = toml::from_str(list).unwrap_or_else(|error| panic!("tests/bad/{file}.toml: {error}"));
    let default = list.base;
    let case = |written: Written| {
        let name = written.name.clone();
        let text = match &written.text {
            Some(text) => {
                let changed = written.base.is_some() || !written.replace.is_empty() || !written.add.is_empty();
                assert!(!changed && written.what.is_none(), "{name}: a text needs no base, and no change of it");
                text.clone()
            }
            None => {
                let base = written.base.as_ref().or(default.as_ref());
                let base = base.unwrap_or_else(|| panic!("{name}: needs a base or a text"));
                used.insert(base.clone());
                let base = bases.get(base).unwrap_or_else(|| panic!("{name}: there is no base {base}"));
                changed(base, &written)
            }
        };
        finished(written, text)
    };
    list.case.into_iter().map(case).collect()
}

/// The base with a first line that says what is wrong, and its lines replaced.
fn changed(base: &str, written: &Written) -> String {
    let name = &written.name;
    assert!(!base.contains(MARK), "{name}: the base has a {MARK}");
    let mut lines: Vec<&str> = base.lines().collect();
    // In the order of the text from its end, so that places before stay what they are.
    let mut places: Vec<(usize, usize, &str)> = Vec::new();
    for [old, new] in &written.replace {
        let old: Vec<&str> = old.lines().collect();
        let found = lines.windows(old.len().max(1)).enumerate().filter(|(_, window)| *window == old);
        let found: Vec<usize> = found.map(|(place, _)| place).collect();
        assert_eq!(found.len(), 1, "{name}: the lines {old:?} must stand once in the base");
        places.push((found[0], old.len(), new));
    }
    places.sort_unstable();
    assert!(places.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0), "{name}: a line is replaced twice");
    for (place, count, new) in places.into_iter().rev() {
        lines.splice(place..place + count, new.lines());
    }
    let what = written.what.as_ref().unwrap_or_else(|| panic!("{name}: says not what is wrong"));
    let first = format!("# {what}");
    lines.insert(0, &first);
    if !written.add.is_empty() {
        lines.push("");
        lines.extend(written.add.lines());
    }
    // Where a table was taken out, one blank line is left.
    lines.dedup_by(|line, before| line.is_empty() && before.is_empty());
    lines.join("\n").trim_end_matches('\n').to_owned() + "\n"
}

/// A case with its places: where the mark stands in the text, or in an `at`, or else the beginning of the file.
fn finished(written: Written, mut text: String) -> Case {
    let Written { name, stage, told, at, key, phrase, .. } = written;
    let mark = text.find(MARK);
    if let Some(mark) = mark {
        text.remove(mark);
        assert!(!text.contains(MARK), "{name}: there are two marks");
    }
    let several = !told.is_empty();
    let single = phrase.map(|phrase| Pointed { at, key, phrase });
    assert!(several != single.is_some(), "{name}: needs a phrase, or a list of what is told");
    let told = told.into_iter().chain(single).map(|Pointed { at, key, phrase }| {
        let place = match (mark, &at) {
            (Some(mark), None) if !several => mark,
            (None, None) => 0,
            (None, Some(at)) => place_of(&name, &text, at),
            _ => panic!("{name}: the place is said twice"),
        };
        let before = &text[..place];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        let (line, column) = (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1);
        Told { line, column, key, phrase }
    });
    Case { told: told.collect(), name, text, stage }
}

/// Where the mark in a part of a text stands in that text; at its beginning if there is none.
fn place_of(name: &str, text: &str, marked: &str) -> usize {
    let offset = marked.find(MARK).unwrap_or(0);
    let part = marked.replacen(MARK, "", 1);
    let found: Vec<usize> = text.match_indices(&part).map(|(place, _)| place).collect();
    assert_eq!(found.len(), 1, "{name}: {part:?} must occur once in the text\n{text}");
    found[0] + offset
}
