//! A saved result as lines `path = value`, one number, verdict or label a line.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

/// What a path stands for: a number with all its digits, a word, or null.
pub type Lines = BTreeMap<String, String>;

/// Keys and columns of sentences. Of a list of them the length is kept, of a single one nothing: wording may change.
const PROSE: [&str; 7] = ["reason", "reasons", "statement", "source", "notes", "title", "question"];
/// What names an element of a list, so that one that is dropped or renamed leaves the paths of the others alone.
const NAMES: [&str; 5] = ["id", "minimum", "name", "place", "quantity"];
/// More different words in a column of a table are counted, not told.
const MOST_WORDS: usize = 12;

/// All that a run has written into `folder`: its document, a summary of each of its tables, and which other files there are.
pub fn read(folder: &Path) -> Lines {
    let mut lines = Lines::new();
    let mut document: Value = serde_json::from_slice(&std::fs::read(folder.join("result.json")).unwrap()).unwrap();
    // The version changes without any number changing.
    document.as_object_mut().unwrap().remove("program");
    flatten("", "", &document, &mut lines);
    files(folder, folder, &mut lines);
    lines
}

/// The text of a file of references.
pub fn write(lines: &Lines) -> String {
    lines.iter().map(|(path, value)| format!("{path} = {value}\n")).collect()
}

/// The lines of such a text.
pub fn parse(text: &str) -> Lines {
    let line = |line: &str| {
        let (path, value) = line.rsplit_once(" = ").unwrap_or_else(|| panic!("no line `path = value`: {line}"));
        (path.to_owned(), value.to_owned())
    };
    text.lines().map(line).collect()
}

fn flatten(path: &str, key: &str, value: &Value, lines: &mut Lines) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten(&inner, key, value, lines);
            }
        }
        Value::Array(list) => {
            // An empty list has no other line.
            if PROSE.contains(&key) || list.is_empty() {
                lines.insert(format!("{path}.length"), list.len().to_string());
            }
            if !PROSE.contains(&key) {
                let (naming, names) = names(list);
                for (name, value) in names.iter().zip(list) {
                    let inner = format!("{path}[{name}]");
                    flatten(&inner, key, value, lines);
                    // The path says it already.
                    naming.map(|key| lines.remove(&format!("{inner}.{key}")));
                }
            }
        }
        Value::String(_) if PROSE.contains(&key) => {}
        // As JSON: a word in quotes, on one line.
        other => {
            lines.insert(path.to_owned(), closed(&other.to_string()));
        }
    }
}

/// What stands in brackets for each element: what names it, and under which key, where all have a name of their own; else its index.
fn names(list: &[Value]) -> (Option<&'static str>, Vec<String>) {
    for key in NAMES {
        let names: Vec<&str> = list.iter().filter_map(|value| value.get(key)?.as_str()).collect();
        if !list.is_empty() && names.len() == list.len() && names.iter().collect::<BTreeSet<_>>().len() == list.len() {
            return (Some(key), names.into_iter().map(closed).collect());
        }
    }
    (None, (0..list.len()).map(|index| format!("{index:02}")).collect())
}

/// A label without the sign that parts a path from its value.
fn closed(label: &str) -> String {
    label.replace(" = ", "=")
}

fn files(folder: &Path, inside: &Path, lines: &mut Lines) {
    for entry in std::fs::read_dir(inside).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/");
        if path.is_dir() {
            files(folder, &path, lines);
        } else if name.ends_with(".csv") {
            table(&path, &name, lines);
        } else {
            lines.insert(name, "\"written\"".into());
        }
    }
}

/// A table by its rows and a few sums of each of its columns. They are sums of magnitudes, which do not cancel, so that a
/// relative tolerance means something; signs are counted, and the second sum, weighted by the row, sees rows in another order.
fn table(path: &Path, name: &str, lines: &mut Lines) {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let header = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> =
        reader.records().map(|row| row.unwrap_or_else(|e| panic!("{name}: {e}"))).collect();
    lines.insert(format!("{name}.rows"), rows.len().to_string());
    for (index, column) in header.iter().enumerate().filter(|(_, column)| !PROSE.contains(column)) {
        let mut insert = |what: &str, value: String| lines.insert(format!("{name}[{column}].{what}"), value);
        let mut words = BTreeSet::new();
        let (mut numbers, mut negative, mut magnitude, mut weighted) = (0_u64, 0_u64, 0.0, 0.0);
        for (row, record) in rows.iter().enumerate() {
            match record[index].parse::<f64>() {
                Ok(number) => {
                    numbers += 1;
                    negative += u64::from(number.is_sign_negative());
                    magnitude += number.abs();
                    weighted += number.abs() * (row + 1) as f64;
                }
                Err(_) => drop(words.insert(&record[index])),
            }
        }
        if numbers > 0 {
            insert("numbers", numbers.to_string());
            insert("negative", negative.to_string());
            insert("sum of magnitudes", format!("{magnitude:?}"));
            insert("sum weighted by the row", format!("{weighted:?}"));
        }
        if words.len() > MOST_WORDS {
            insert("different words", words.len().to_string());
        } else if words.iter().any(|word| !word.is_empty()) {
            insert("words", closed(&format!("{words:?}")));
        }
    }
}
