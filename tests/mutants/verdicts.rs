//! What runs of mutants have found out, in a file.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

/// FNV-1a, of 64 bits.
pub fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// What has been found out already, of this state of the tree; a line each, so that a run that was stopped goes on.
pub struct Verdicts {
    known: BTreeMap<String, String>,
    file: File,
    state: u64,
}

impl Verdicts {
    pub fn read(path: &Path, state: u64) -> Result<Self, String> {
        let told = |error: std::io::Error| format!("{}: {error}", path.display());
        let text = if path.exists() { fs::read_to_string(path).map_err(told)? } else { String::new() };
        let of_line = |line: &str| {
            let rest = line.strip_prefix(&format!("{state:016x}\t"))?;
            rest.split_once('\t').map(|(key, verdict)| (key.to_owned(), verdict.to_owned()))
        };
        // A line that a stop tore ends without its newline.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let known = whole.lines().filter_map(of_line).collect();
        let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(told)?;
        if !text.is_empty() && !text.ends_with('\n') {
            writeln!(file).map_err(told)?;
        }
        Ok(Self { known, file, state })
    }

    pub fn known(&self, key: &str) -> Option<&String> {
        self.known.get(key)
    }

    pub fn keep(&mut self, key: &str, verdict: &str) -> Result<(), String> {
        self.known.insert(key.to_owned(), verdict.to_owned());
        writeln!(self.file, "{:016x}\t{key}\t{verdict}", self.state).map_err(|error| error.to_string())
    }
}

#[test]
fn what_was_found_out_of_this_state_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("verdicts");
    Verdicts::read(&path, 1).unwrap().keep("one", "SURVIVED").unwrap();
    Verdicts::read(&path, 2).unwrap().keep("two", "caught  by it").unwrap();
    let mut text = fs::read_to_string(&path).unwrap();
    text.push_str("0000000000000001\tthree\tSURV");
    fs::write(&path, text).unwrap();
    let mut first = Verdicts::read(&path, 1).unwrap();
    let known = ["one", "two", "three"].map(|key| first.known(key).map(String::as_str));
    assert_eq!(known, [Some("SURVIVED"), None, None]);
    first.keep("four", "caught  by it").unwrap();
    assert_eq!(Verdicts::read(&path, 1).unwrap().known("four").map(String::as_str), Some("caught  by it"));
}
